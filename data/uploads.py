"""Files on their way into the record, and how the columns of a source were matched the last time."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column

from data.base import Base, now
from data.batches import Batch


class Upload(Base):
    """A file that somebody brought, kept in the instance folder under its key until it is imported or forgotten."""

    key: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(18))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    table_name: Mapped[str | None]
    choices: Mapped[dict[str, Any]]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id", ondelete="SET NULL"))
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    #: The batch while it is not undone: a file that was taken back may be imported again.
    standing_batch_id: Mapped[int | None] = column_property(
        sa.select(Batch.id)
        .where(Batch.id == batch_id, Batch.undone_at.is_(None))
        .correlate_except(Batch)
        .scalar_subquery()
    )

    __table_args__ = (sa.Index(None, "account_id"), {"sqlite_autoincrement": True})


class ImportProfile(Base):
    """The choices that were right for files with the same columns, offered again for the next one."""

    table_name: Mapped[str]
    source_key: Mapped[str]
    choices: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    used_at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (sa.UniqueConstraint("table_name", "source_key"), {"sqlite_autoincrement": True})


# ---- questions


def upload_of(session: Session, key: str, account_id: int | None) -> Upload | None:
    """Return an upload by its key, of one account or, for None, of anybody."""
    query = sa.select(Upload).where(Upload.key == key)
    return session.scalar(query if account_id is None else query.where(Upload.account_id == account_id))


def uploads_of(session: Session, account_id: int | None, limit: int = 20) -> list[Upload]:
    """List the latest uploads of an account."""
    query = sa.select(Upload).where(Upload.account_id == account_id)
    return list(session.scalars(query.order_by(Upload.id.desc()).limit(limit)))


def imported_before(session: Session, sha256: str) -> list[Batch]:
    """List the batches that this very file was imported in and that were not undone, latest first."""
    query = sa.select(Batch).where(Batch.kind == "import", Batch.sha256 == sha256, Batch.undone_at.is_(None))
    return list(session.scalars(query.order_by(Batch.id.desc())))


def profile_of(session: Session, table: str, source_key: str) -> ImportProfile | None:
    """Return what was right for the last file of a source."""
    return session.scalar(
        sa.select(ImportProfile).where(
            ImportProfile.table_name == table, ImportProfile.source_key == source_key
        )
    )


def remember_profile(
    session: Session, table: str, source_key: str, choices: dict[str, Any], account_id: int | None
) -> None:
    """Keep the choices that were right for a file, for the next one of its source."""
    profile = profile_of(session, table, source_key)
    if profile is None:
        profile = ImportProfile(table_name=table, source_key=source_key)
        session.add(profile)
    profile.choices, profile.account_id, profile.used_at = choices, account_id, now()


def abandoned(session: Session, before: dt.datetime) -> list[Upload]:
    """List the uploads that came before a moment and were never imported."""
    return list(
        session.scalars(sa.select(Upload).where(Upload.batch_id.is_(None), Upload.created_at < before))
    )
