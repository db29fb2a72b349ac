"""Views of the map that somebody kept: never changed, so that a printed address stays true."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from data.accounts import Actor
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


def add_view(session: Session, actor: Actor, title: str, settings: dict[str, Any]) -> str:
    """Keep a view and return its key; what was kept is never changed."""
    view = SavedView(title=title, settings=settings, account_id=actor.account_id, shared=True)
    session.add(view)
    session.flush()
    return view.key


def view_by_key(session: Session, key: str) -> SavedView | None:
    """Return a view by the key that was given out for it."""
    return session.scalar(sa.select(SavedView).where(SavedView.key == key, SavedView.hidden_at.is_(None)))


def views_of(session: Session, actor: Actor, limit: int = 50) -> list[SavedView]:
    """List the latest views that somebody who signed in has kept."""
    if actor.account_id is None:
        return []
    query = sa.select(SavedView).where(
        SavedView.account_id == actor.account_id, SavedView.hidden_at.is_(None)
    )
    return list(session.scalars(query.order_by(SavedView.id.desc()).limit(limit)))
