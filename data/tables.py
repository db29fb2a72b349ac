"""Bookkeeping tables: revisions, changed boxes, audit rows, settings of the record, and who is writing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now

__all__ = ["AuditRow", "EditContext", "LayerChange", "LayerRevision", "RecordFact", "now"]


class LayerRevision(Base):
    """A number per table that rises with every change: the key of everything that is cached."""

    table_name: Mapped[str] = mapped_column(unique=True)
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    changed_at: Mapped[dt.datetime | None] = mapped_column(default=now)


class LayerChange(Base):
    """The box that a revision touched, lon/lat."""

    table_name: Mapped[str]
    revision: Mapped[int]
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index(None, "table_name", "revision"), {"sqlite_autoincrement": True})


class AuditRow(Base):
    """Who changed which row when, and what it held before and after."""

    at: Mapped[dt.datetime] = mapped_column(default=now)
    actor: Mapped[str | None]
    account_id: Mapped[int | None]
    source: Mapped[str]
    table_name: Mapped[str]
    row_id: Mapped[int | None]
    action: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    reason: Mapped[str | None]
    batch_id: Mapped[int | None]
    adopted: Mapped[bool] = mapped_column(default=True, server_default=sa.false())

    __table_args__ = (
        sa.Index(None, "table_name", "row_id"),
        sa.Index(None, "table_name", "at"),
        sa.Index(None, "adopted"),
        sa.Index(None, "batch_id"),
        {"sqlite_autoincrement": True},
    )


class RecordFact(Base):
    """A fact about the record as a whole: name of the province, whether it holds demonstration data, edition in use."""

    key: Mapped[str] = mapped_column(unique=True)
    value: Mapped[str | None]


class EditContext(Base):
    """Holds a row only while the platform itself writes; triggers that find it empty know an outside program."""

    inside: Mapped[int]
