"""Edits that belong together: a file that was imported, a bulk edit, a boundary change; undone as a whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


class Batch(Base):
    """One batch of edits; every audit row of it names the batch."""

    kind: Mapped[str]
    title: Mapped[str]
    table_name: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    file_name: Mapped[str | None]
    sha256: Mapped[str | None]
    facts: Mapped[dict[str, Any] | None]
    rows: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id", ondelete="SET NULL"))

    __table_args__ = (sa.Index(None, "table_name"), {"sqlite_autoincrement": True})
