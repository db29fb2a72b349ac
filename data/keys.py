"""API keys: one's own, and everybody's for those who administer; each change is in the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import SYSTEM, Account, AccountError, Actor, ApiKey, Role, active_account, make_api_key
from data.base import now
from data.store import Store

LONGEST_NAME = 80
MOST_KEYS = 20
SOURCE = "web"


def keys_of(session: Session, actor: Actor) -> list[ApiKey]:
    """List the actor's keys, those that still work first, then newest first."""
    own = sa.select(ApiKey).where(ApiKey.account_id == actor.account_id)
    return list(session.scalars(own.order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())))


def make(store: Store, actor: Actor, name: str) -> str:
    """Make a key for the actor and return it; it is shown this once. Raises AccountError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise AccountError("Hãy đặt cho khóa một tên có từ 1 đến %(most)s ký tự.", most=LONGEST_NAME)
    with store.writing() as session:
        account = active_account(session, actor.account_id)
        if account is None:
            raise AccountError("Tài khoản này không tạo được khóa.")
        working = sum(key.revoked_at is None for key in keys_of(session, actor))
        if working >= MOST_KEYS:
            raise AccountError("Bạn đã có %(most)s khóa; hãy thu hồi khóa không dùng nữa.", most=MOST_KEYS)
        text = make_api_key(session, account, name)
        row = session.scalars(
            sa.select(ApiKey).where(ApiKey.account_id == account.id).order_by(ApiKey.id.desc())
        ).first()
        assert row is not None
        audit.write(session, actor, SOURCE, ApiKey.__tablename__, row.id, "insert", after=audit.snapshot(row))
    return text


def revoke(store: Store, actor: Actor, key_id: int) -> None:
    """Make one of the actor's keys worthless, for administrators anybody's.

    Raises AccountError when it is not theirs or is revoked already.
    """
    with store.writing() as session:
        query = sa.select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        if actor.role != Role.ADMINISTRATOR:
            query = query.where(ApiKey.account_id == actor.account_id)
        _revoke(session, actor, session.scalar(query), SOURCE)


def revoke_named(store: Store, text: str, *, actor: Actor = SYSTEM) -> str:
    """Make the key worthless that begins with a text, as lists show it; return whose it was. Raises AccountError."""
    prefix = text.strip().removeprefix("ocop_").partition("_")[0].rstrip("…")
    with store.writing() as session:
        row = session.scalar(sa.select(ApiKey).where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None)))
        return _revoke(session, actor, row, "account").account.username


def _revoke(session: Session, actor: Actor, row: ApiKey | None, source: str) -> ApiKey:
    if row is None:
        raise AccountError("Không có khóa này, hoặc khóa đã được thu hồi.")
    before = audit.snapshot(row)
    row.revoked_at = now()
    session.flush()
    old, new = audit.difference(before, audit.snapshot(row))
    audit.write(session, actor, source, ApiKey.__tablename__, row.id, "update", before=old, after=new)
    return row


def everybodys(session: Session, *, working: bool = False) -> list[ApiKey]:
    """List all keys by account, those that still work first."""
    query = sa.select(ApiKey).join(Account, Account.id == ApiKey.account_id)
    if working:
        query = query.where(ApiKey.revoked_at.is_(None))
    return list(
        session.scalars(query.order_by(ApiKey.revoked_at.is_not(None), Account.username, ApiKey.id.desc()))
    )
