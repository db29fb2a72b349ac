"""Files on their way into the record, and how the columns of a source were matched the last time."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


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

    __table_args__ = (sa.Index(None, "account_id"), {"sqlite_autoincrement": True})


class ImportProfile(Base):
    """The choices that were right for files with the same columns, offered again for the next one."""

    table_name: Mapped[str]
    source_key: Mapped[str]
    choices: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    used_at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (sa.UniqueConstraint("table_name", "source_key"), {"sqlite_autoincrement": True})
