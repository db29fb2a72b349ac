"""The office of accounts: adding people and keys, each with its audit row, and listing who there is."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import SYSTEM, Account, AccountError, Actor, ApiKey, add_account, make_api_key
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


def add_key(store: Store, username: str, *, role: str | None = None, actor: Actor = SYSTEM) -> str:
    """Make a key for an account and return it; with `role`, make the account too, without a password.

    Raises AccountError when there is no such account and no role was given.
    """
    name = username.strip().lower()
    with store.writing() as session:
        account = session.scalar(sa.select(Account).where(Account.username == name))
        if account is None and role is None:
            raise AccountError(
                "Không có tài khoản “%(name)s”; thêm --role để tạo tài khoản chỉ dùng khóa.", name=username
            )
        if account is None:
            account = add_account(session, name, role or "", password=None)
        elif role is not None and role != account.role:
            raise AccountError(
                "Tài khoản “%(name)s” đã có với vai trò %(role)s.", name=username, role=account.role
            )
        key = make_api_key(session, account, name)
        after = {"account": name, "prefix": key.split("_")[1]}
        audit.write(session, actor, "account", "api_keys", account.id, "insert", after=after)
        return key


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
