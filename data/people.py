"""The office of accounts: adding people and keys, each with its audit row, and listing who there is."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import SYSTEM, Account, AccountError, Actor, ApiKey, Role, add_account, make_api_key
from data.base import now
from data.lineage import current_unit
from data.producers import Producer
from data.store import Store


def add_person(
    store: Store,
    username: str,
    role: str,
    *,
    password: str | None,
    display_name: str = "",
    territory: str | None = None,
    producer_id: int | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """Add an account for somebody, whose territory is given by its code in the edition in use; return its id.

    Raises AccountError for a taken name, an unknown role, unit or producer, and a short password.
    """
    with store.writing() as session:
        unit = current_unit(session, territory) if territory else None
        if territory and unit is None:
            raise AccountError(
                "Không có xã hoặc huyện mang mã “%(code)s” trong địa giới đang dùng.", code=territory
            )
        if producer_id is not None and session.get(Producer, producer_id) is None:
            raise AccountError("Không có chủ thể số %(id)s.", id=producer_id)
        account = add_account(
            session,
            username,
            role,
            password=password,
            display_name=display_name,
            unit=unit,
            producer_id=producer_id,
        )
        after = {"username": account.username, "role": account.role, "territory": territory}
        audit.write(session, actor, "account", "accounts", account.id, "insert", after=after)
        return account.id


def add_key(
    store: Store,
    username: str,
    *,
    role: str | None = None,
    territory: str | None = None,
    producer_id: int | None = None,
    actor: Actor = SYSTEM,
) -> str:
    """Make a key for an account and return it; with `role`, make the account too, without a password.

    Raises AccountError when there is no such account and no role was given, and for a role, territory or producer
    that is unknown or not the account's.
    """
    name = username.strip().lower()
    with store.writing() as session:
        account = session.scalar(sa.select(Account).where(Account.username == name))
        if account is None and role is None:
            raise AccountError(
                "Không có tài khoản “%(name)s”; thêm --role để tạo tài khoản chỉ dùng khóa.", name=username
            )
        if account is None:
            account = _add_machine(session, name, role or "", territory, producer_id)
            after = {
                "username": name,
                "role": account.role,
                "territory": territory,
                "producer_id": producer_id,
            }
            audit.write(session, actor, "account", "accounts", account.id, "insert", after=after)
        else:
            _refuse_another(session, account, role, territory, producer_id)
        key = make_api_key(session, account, name)
        after = {"account": name, "prefix": key.split("_")[1]}
        audit.write(session, actor, "account", "api_keys", account.id, "insert", after=after)
        return key


def _add_machine(
    session: Session, name: str, role: str, territory: str | None, producer_id: int | None
) -> Account:
    """Add an account that only keys open."""
    unit = current_unit(session, territory) if territory else None
    if territory and unit is None:
        raise AccountError(
            "Không có xã hoặc huyện mang mã “%(code)s” trong địa giới đang dùng.", code=territory
        )
    if producer_id is not None and session.get(Producer, producer_id) is None:
        raise AccountError("Không có chủ thể số %(id)s.", id=producer_id)
    if producer_id is not None and role != Role.PRODUCER:
        raise AccountError("Chỉ tài khoản của chủ thể (producer) mới gắn với một chủ thể.")
    return add_account(session, name, role, password=None, unit=unit, producer_id=producer_id)


def _refuse_another(
    session: Session, account: Account, role: str | None, territory: str | None, producer_id: int | None
) -> None:
    """Refuse to make a key for an account that is not what the caller takes it for."""
    if role is not None and role != account.role:
        raise AccountError(
            "Tài khoản “%(name)s” đã có với vai trò %(role)s.", name=account.username, role=account.role
        )
    unit = current_unit(session, territory) if territory else None
    place = account.commune or account.district
    elsewhere = territory is not None and (unit is None or place is None or unit.id != place.id)
    if elsewhere or (producer_id is not None and producer_id != account.producer_id):
        raise AccountError("Tài khoản “%(name)s” đã có với địa bàn hoặc chủ thể khác.", name=account.username)


def note_login(store: Store, account_id: int, source: str) -> None:
    """Keep when somebody signed in, and say so in the audit trail."""
    with store.writing() as session:
        account = session.get(Account, account_id)
        if account is not None:
            account.last_login_at = now()
            audit.write(session, account.actor(), source, "accounts", account.id, "login")


def everyone(session: Session) -> list[tuple[Account, int]]:
    """List the accounts by name, each with the number of its keys that are valid."""
    keys = sa.func.count(ApiKey.id).filter(ApiKey.revoked_at.is_(None))
    query = (
        sa.select(Account, keys)
        .outerjoin(ApiKey, ApiKey.account_id == Account.id)
        .group_by(Account.id)
        .order_by(Account.username)
    )
    return [(account, int(count)) for account, count in session.execute(query)]
