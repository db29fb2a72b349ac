"""What a feature service remembers between requests: locks on rows, and queries that were stored by name."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from data.base import Base, now
from gis.errors import Refusal, marked

#: An expired lock is remembered for so long, so that its holder learns that it expired.
REMEMBERED = dt.timedelta(days=1)


class UnknownLock(Refusal):
    """There never was such a lock, or it was released, or it expired long ago."""


class ExpiredLock(Refusal):
    """The lock's time is over; others may have changed the rows."""


class RowsLocked(Refusal):
    """Rows that should be locked, or changed, are under somebody else's lock or may not be edited."""


class LockNeeded(Refusal):
    """A row is locked, and the change does not name the lock."""


class WfsLock(Base):
    """Somebody's right to be the only one who changes certain rows, until a moment."""

    key: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    seconds: Mapped[int]
    expires_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


class WfsLockedRow(Base):
    """One row under a lock; a row is under one lock at most."""

    lock_id: Mapped[int] = mapped_column(sa.ForeignKey("wfs_locks.id", ondelete="CASCADE"), index=True)
    table_name: Mapped[str]
    row_id: Mapped[int]

    __table_args__ = (sa.UniqueConstraint("table_name", "row_id"), {"sqlite_autoincrement": True})


class StoredQuery(Base):
    """A query that somebody stored under an identifier: its definition as it was sent."""

    identifier: Mapped[str] = mapped_column(unique=True)
    definition: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


# ---- locks


def add_lock(
    session: Session, account_id: int | None, rows: Mapping[str, Iterable[int]], seconds: int
) -> WfsLock:
    """Put a new lock on rows, given by table; the caller has made sure that none of them is locked."""
    lock = WfsLock(
        key=secrets.token_hex(16),
        account_id=account_id,
        seconds=seconds,
        expires_at=now() + dt.timedelta(seconds=seconds),
    )
    session.add(lock)
    session.flush()
    values = [
        {"lock_id": lock.id, "table_name": table, "row_id": row_id}
        for table, ids in rows.items()
        for row_id in ids
    ]
    if values:
        session.execute(sa.insert(WfsLockedRow), values)
    return lock


def find_lock(session: Session, key: str) -> WfsLock:
    """Return a lock that is in force. Raises UnknownLock or ExpiredLock."""
    lock = session.scalar(sa.select(WfsLock).where(WfsLock.key == key))
    if lock is None:
        raise UnknownLock("Không có khóa “%(lock)s”.", lock=key)
    if lock.expires_at <= now():
        raise ExpiredLock("Khóa “%(lock)s” đã hết hạn; hãy khóa lại rồi thử lần nữa.", lock=key)
    return lock


def restart(lock: WfsLock, seconds: int | None = None) -> None:
    """Let a lock's time begin anew."""
    lock.seconds = seconds or lock.seconds
    lock.expires_at = now() + dt.timedelta(seconds=lock.seconds)


def locked_rows(session: Session, table: str, *, but: WfsLock | None = None) -> set[int]:
    """Return the ids of a table's rows that are under a lock in force, other than the one named."""
    statement = (
        sa.select(WfsLockedRow.row_id)
        .join(WfsLock, WfsLock.id == WfsLockedRow.lock_id)
        .where(WfsLockedRow.table_name == table, WfsLock.expires_at > now())
    )
    if but is not None:
        statement = statement.where(WfsLock.id != but.id)
    return set(session.scalars(statement))


def refuse_locked(
    session: Session, layer_id: str, table: str, ids: Iterable[int], own: WfsLock | None
) -> None:
    """Refuse rows that are under a lock other than the one that the change names. Raises LockNeeded or RowsLocked."""
    barred = locked_rows(session, table, but=own)
    locked = next((row_id for row_id in ids if row_id in barred), None) if barred else None
    if locked is not None:
        kind = LockNeeded if own is None else RowsLocked
        message = marked("Bản ghi %(layer)s.%(id)s đang bị khóa; chưa có gì thay đổi.")
        raise kind(message, layer=layer_id, id=locked)


def rows_of(session: Session, lock: WfsLock) -> dict[str, set[int]]:
    """Return the rows under a lock, by table."""
    found: dict[str, set[int]] = {}
    statement = sa.select(WfsLockedRow.table_name, WfsLockedRow.row_id).where(WfsLockedRow.lock_id == lock.id)
    for table, row_id in session.execute(statement):
        found.setdefault(table, set()).add(row_id)
    return found


def release(session: Session, lock: WfsLock, rows: Mapping[str, Iterable[int]] | None = None) -> None:
    """Take a lock from some of its rows, or from all; a lock without rows is gone."""
    if rows is not None:
        for table, ids in rows.items():
            session.execute(
                sa.delete(WfsLockedRow).where(
                    WfsLockedRow.lock_id == lock.id,
                    WfsLockedRow.table_name == table,
                    WfsLockedRow.row_id.in_(list(ids)),
                )
            )
        if rows_of(session, lock):
            return
    session.execute(sa.delete(WfsLockedRow).where(WfsLockedRow.lock_id == lock.id))
    session.execute(sa.delete(WfsLock).where(WfsLock.id == lock.id))


def forget_expired(session: Session) -> None:
    """Free the rows of expired locks, and forget locks that expired long ago."""
    moment = now()
    expired = sa.select(WfsLock.id).where(WfsLock.expires_at <= moment)
    session.execute(sa.delete(WfsLockedRow).where(WfsLockedRow.lock_id.in_(expired)))
    session.execute(sa.delete(WfsLock).where(WfsLock.expires_at <= moment - REMEMBERED))


# ---- stored queries


def stored_queries(session: Session) -> list[StoredQuery]:
    """List the stored queries by identifier."""
    return list(session.scalars(sa.select(StoredQuery).order_by(StoredQuery.identifier)))


def stored_query(session: Session, identifier: str) -> StoredQuery | None:
    """Return a stored query by its identifier."""
    return session.scalar(sa.select(StoredQuery).where(StoredQuery.identifier == identifier))
