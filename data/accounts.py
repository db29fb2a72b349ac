"""People: accounts, roles, territories, API keys, and the one rule of who sees and edits what.

Permission is a SQL predicate: `visible` and `editable` say it of rows, `scope` of fields.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from data.admin_units import AdminUnit, Commune, CommuneSuccession, District, Province
from data.base import PUBLISHED, Base, Tracked, now
from data.producers import Producer
from gis.errors import Refusal


class AccountError(Refusal):
    """An account cannot be made or used as asked."""


class Role(enum.StrEnum):
    """What somebody does in the programme."""

    PUBLIC = "public"
    PRODUCER = "producer"
    COMMUNE_OFFICER = "commune_officer"
    DISTRICT_OFFICER = "district_officer"
    PROVINCE_OFFICER = "province_officer"
    COUNCIL_MEMBER = "council_member"
    PLANNER = "planner"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


class Audience(enum.IntEnum):
    """For whom a field is meant."""

    PUBLIC = 0
    STAFF = 1
    RESTRICTED = 2


EVERYTHING = frozenset({Role.PROVINCE_OFFICER, Role.PLANNER, Role.INSPECTOR, Role.ADMINISTRATOR})
TERRITORIAL = frozenset({Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER})
EDITORS_OF_ALL = frozenset({Role.PROVINCE_OFFICER, Role.ADMINISTRATOR})
EDITORS_OF_TERRITORY = TERRITORIAL
BOUNDARY_EDITORS = frozenset({Role.ADMINISTRATOR, Role.PROVINCE_OFFICER})


@dataclass(frozen=True)
class Actor:
    """Who is asking, with what the rules need to know of them."""

    role: Role = Role.PUBLIC
    account_id: int | None = None
    name: str = ""
    commune_id: int | None = None
    district_id: int | None = None
    producer_id: int | None = None

    @property
    def audience_key(self) -> str:
        """Callers with the same key see the same bytes: the key of caches."""
        if self.role in EVERYTHING or self.role == Role.PUBLIC:
            return self.role.value
        return f"{self.role.value}-{self.commune_id or 0}-{self.district_id or 0}-{self.producer_id or 0}"

    @property
    def is_staff(self) -> bool:
        """Tell whether the actor works for the programme."""
        return self.role not in (Role.PUBLIC, Role.PRODUCER)

    @property
    def may_change_boundaries(self) -> bool:
        """Tell whether the actor may merge, split and rename administrative units."""
        return self.role in BOUNDARY_EDITORS

    @property
    def may_edit_something(self) -> bool:
        """Tell whether there is any layer that the actor could edit."""
        return self.role in EDITORS_OF_ALL | EDITORS_OF_TERRITORY


PUBLIC = Actor()
SYSTEM = Actor(role=Role.ADMINISTRATOR, name="hệ thống")


# ---- the predicate


def visible(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    """Say in SQL which rows of a model (or an alias of it) the actor sees.

    Units are public; other rows when published, when the role sees everything, or when they are the actor's own.
    """
    if actor.role in EVERYTHING or not hasattr(entity, "status"):
        return sa.true()
    published = entity.status == PUBLISHED
    own = own_rows(actor, entity)
    return published if own is None else sa.or_(published, own)


def editable(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    """Say in SQL which rows of a model the actor may change."""
    if is_boundary(entity):
        return sa.true() if actor.role in BOUNDARY_EDITORS else sa.false()
    if actor.role in EDITORS_OF_ALL:
        return sa.true()
    if actor.role in EDITORS_OF_TERRITORY:
        own = own_rows(actor, entity)
        return sa.false() if own is None else own
    return sa.false()


def scope(actor: Actor, audience: Audience) -> str:
    """Say of which rows the actor reads fields of an audience: "all", "own" or "none"."""
    if audience == Audience.PUBLIC:
        return "all"
    if actor.role in (Role.PUBLIC, Role.COUNCIL_MEMBER):
        return "none"
    if actor.role == Role.PLANNER:
        return "all" if audience == Audience.STAFF else "none"
    return "all" if actor.role in EVERYTHING else "own"


def own_rows(actor: Actor, entity: Any) -> sa.ColumnElement[bool] | None:
    """Say in SQL which rows belong to the actor: by territory for officers, by producer for producers."""
    if actor.role in TERRITORIAL:
        communes = territory(actor)
        if communes is None:
            return None
        key = entity.id if model_of(entity) is Commune else getattr(entity, "commune_id", None)
        return None if key is None else key.in_(communes)
    if actor.role == Role.PRODUCER and actor.producer_id is not None:
        key = entity.id if model_of(entity) is Producer else getattr(entity, "producer_id", None)
        return None if key is None else key == actor.producer_id
    return None


def territory(actor: Actor) -> sa.Select[tuple[int]] | None:
    """Select the ids of the actor's communes, with those that came before and after them in other editions."""
    if actor.role == Role.COMMUNE_OFFICER and actor.commune_id is not None:
        home = sa.select(Commune.id).where(Commune.id == actor.commune_id)
    elif actor.role == Role.DISTRICT_OFFICER and actor.district_id is not None:
        home = sa.select(Commune.id).where(Commune.district_id == actor.district_id)
    else:
        return None
    before = sa.select(CommuneSuccession.old_id).where(CommuneSuccession.new_id.in_(home))
    after = sa.select(CommuneSuccession.new_id).where(
        CommuneSuccession.old_id.in_(home), CommuneSuccession.share_of_new > 0.5
    )
    every = sa.union_all(home, before, after).subquery()
    return sa.select(every.c[0])


def own_communes(session: Session, actor: Actor) -> frozenset[int] | None:
    """Return the ids of the communes in which the actor may change rows, or None when it is everywhere."""
    if actor.role in EDITORS_OF_ALL:
        return None
    communes = territory(actor) if actor.role in EDITORS_OF_TERRITORY else None
    return frozenset() if communes is None else frozenset(session.scalars(communes))


def model_of(entity: Any) -> type:
    """Return the mapped class behind a model or an alias of it."""
    return sa.inspect(entity).mapper.class_


def is_boundary(entity: Any) -> bool:
    """Tell whether the rows are administrative units."""
    return issubclass(model_of(entity), AdminUnit)


# ---- accounts


class Account(Tracked, Base):
    """Somebody who signs in."""

    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    email: Mapped[str | None]
    password_hash: Mapped[str | None]
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"))
    district_id: Mapped[int | None] = mapped_column(sa.ForeignKey("districts.id"))
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"))
    last_login_at: Mapped[dt.datetime | None]
    commune: Mapped[Commune | None] = relationship()
    district: Mapped[District | None] = relationship()

    def actor(self) -> Actor:
        """Return the account as an actor."""
        return Actor(
            role=Role(self.role),
            account_id=self.id,
            name=self.display_name or self.username,
            commune_id=self.commune_id,
            district_id=self.district_id,
            producer_id=self.producer_id,
        )


class ApiKey(Base):
    """A key that a map client or a machine sends instead of a password; only its hash is kept."""

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(index=True)
    key_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    revoked_at: Mapped[dt.datetime | None]
    account: Mapped[Account] = relationship()


_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DECOY = _hasher.hash("nobody")
SHORTEST_PASSWORD = 10


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that is long enough."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError("Mật khẩu cần ít nhất %(count)s ký tự.", count=SHORTEST_PASSWORD)
    return _hasher.hash(password)


def check_password(session: Session, username: str, password: str) -> Account | None:
    """Return the active account whose name and password these are, taking as long for a wrong name."""
    account = session.scalar(sa.select(Account).where(Account.username == username.strip().lower()))
    known = account is not None and account.active and account.password_hash is not None
    try:
        _hasher.verify(account.password_hash if known and account else _DECOY, password)  # type: ignore[arg-type]
    except (VerificationError, InvalidHashError):
        return None
    return account if known else None


def active_account(session: Session, account_id: int | None) -> Account | None:
    """Return an account by its id while it may sign in."""
    account = None if account_id is None else session.get(Account, account_id)
    return account if account is not None and account.active else None


def add_account(
    session: Session,
    username: str,
    role: str,
    *,
    password: str | None,
    display_name: str = "",
    unit: Province | District | Commune | None = None,
    producer_id: int | None = None,
) -> Account:
    """Add an account; officers of communes and districts need a unit of their level.

    Raises AccountError for a taken name, an unknown role or a missing or wrong territory.
    """
    username = username.strip().lower()
    if role not in set(Role) - {Role.PUBLIC}:
        known = ", ".join(r.value for r in Role if r != Role.PUBLIC)
        raise AccountError("Không có vai trò “%(role)s”; các vai trò: %(known)s.", role=role, known=known)
    if not username or session.scalar(sa.select(Account.id).where(Account.username == username)):
        raise AccountError("Tên đăng nhập “%(name)s” đã có hoặc để trống.", name=username)
    commune_id, district_id = _territory_ids(Role(role), unit)
    account = Account(
        username=username,
        display_name=display_name or username,
        role=role,
        password_hash=hash_password(password) if password else None,
        commune_id=commune_id,
        district_id=district_id,
        producer_id=producer_id,
    )
    session.add(account)
    session.flush()
    return account


def _territory_ids(role: Role, unit: Province | District | Commune | None) -> tuple[int | None, int | None]:
    if role == Role.COMMUNE_OFFICER:
        if not isinstance(unit, Commune):
            raise AccountError("Cán bộ xã cần mã của một xã, phường hoặc thị trấn (--territory).")
        return unit.id, None
    if role == Role.DISTRICT_OFFICER:
        if not isinstance(unit, District):
            raise AccountError("Cán bộ huyện cần mã của một huyện hoặc thành phố (--territory).")
        return None, unit.id
    return None, None


def make_api_key(session: Session, account: Account, name: str) -> str:
    """Make a key for an account and return it; it is shown this once."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(24)
    session.add(ApiKey(account_id=account.id, name=name, prefix=prefix, key_hash=_digest(secret)))
    session.flush()
    return f"ocop_{prefix}_{secret}"


def check_api_key(session: Session, key: str) -> Account | None:
    """Return the active account that a key stands for."""
    parts = key.strip().split("_", 2)
    if len(parts) != 3 or parts[0] != "ocop":
        return None
    row = session.scalar(sa.select(ApiKey).where(ApiKey.prefix == parts[1], ApiKey.revoked_at.is_(None)))
    if row is None or not secrets.compare_digest(row.key_hash, _digest(parts[2])):
        return None
    return row.account if row.account.active else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
