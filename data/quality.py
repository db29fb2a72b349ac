"""Faults of geometry that somebody looked at and accepted as they are, with the reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


class QualityException(Base):
    """An accepted fault: it stays accepted while its rows, place and area are what they were."""

    table_name: Mapped[str]
    kind: Mapped[str]
    row_ids: Mapped[list[Any]]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    area_m2: Mapped[float]
    reason: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index(None, "table_name", "kind"), {"sqlite_autoincrement": True})
