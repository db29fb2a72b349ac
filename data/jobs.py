"""Long work: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

import datetime as dt
import enum
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


class JobState(enum.StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Base):
    """One piece of long work: asked for by a person, done by the worker, and resumed when that was killed."""

    key: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(18))
    kind: Mapped[str]
    title: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[dict[str, Any]]
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=JobState.WAITING, server_default=JobState.WAITING)
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int | None]
    message: Mapped[str | None]
    kept: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    file: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]

    __table_args__ = (
        sa.Index(None, "state"),
        sa.Index(None, "account_id"),
        {"sqlite_autoincrement": True},
    )
