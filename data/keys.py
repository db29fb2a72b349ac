"""A person's own API keys: listed, made and revoked, each change in the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import AccountError, Actor, ApiKey, active_account, make_api_key
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
    """Make one of the actor's keys worthless. Raises AccountError when it is not theirs or is revoked already."""
    with store.writing() as session:
        row = session.scalar(
            sa.select(ApiKey).where(
                ApiKey.id == key_id, ApiKey.account_id == actor.account_id, ApiKey.revoked_at.is_(None)
            )
        )
        if row is None:
            raise AccountError("Không có khóa này, hoặc khóa đã được thu hồi.")
        before = audit.snapshot(row)
        row.revoked_at = now()
        session.flush()
        old, new = audit.difference(before, audit.snapshot(row))
        audit.write(session, actor, SOURCE, ApiKey.__tablename__, row.id, "update", before=old, after=new)
