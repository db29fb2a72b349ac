"""Views of the map that somebody kept: never changed, so that a printed address stays true."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


class SavedView(Base):
    """What a map shows: layers, filters, place, choropleth."""

    key: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_hex(5))
    title: Mapped[str]
    settings: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    shared: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    hidden_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index(None, "account_id"), {"sqlite_autoincrement": True})
