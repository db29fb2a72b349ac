"""Changes of administrative boundaries: what a decree merges, splits, moves or renames, and how far it has come."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, now


class ChangeKind(enum.StrEnum):
    """What a decree does to units."""

    MERGE = "merge"
    SPLIT = "split"
    BORDER = "border"
    RENAME = "rename"


class ChangeState(enum.StrEnum):
    """How far a change has come."""

    DRAFT = "draft"
    PREVIEWED = "previewed"
    SCHEDULED = "scheduled"
    APPLIED = "applied"
    UNDONE = "undone"


#: A change in one of these may still be altered.
OPEN = frozenset({ChangeState.DRAFT, ChangeState.PREVIEWED})


class BoundaryChange(Base):
    """One change by one decree.

    `units_before` are units of the edition in use; `units_after` hold code, name, kind, district and outline
    (hexadecimal WKB); `successions` pair them with shares; `accounts` say which new unit an officer of a split
    one keeps; `effects` are the counts of the last preview; `facts` are what taking the change back needs.
    """

    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default=ChangeState.DRAFT, server_default=ChangeState.DRAFT)
    decree: Mapped[str | None]
    decree_date: Mapped[dt.date | None]
    authority: Mapped[str | None]
    note: Mapped[str | None]
    effective_on: Mapped[dt.date | None]
    edition_before: Mapped[str]
    edition_after: Mapped[str | None]
    units_before: Mapped[list[Any]]
    units_after: Mapped[list[Any]]
    successions: Mapped[list[Any] | None]
    accounts: Mapped[dict[str, Any] | None]
    effects: Mapped[dict[str, Any] | None]
    facts: Mapped[dict[str, Any] | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id", ondelete="SET NULL"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    failure: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    applied_at: Mapped[dt.datetime | None]
    applied_by: Mapped[str | None]
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __table_args__ = (sa.Index(None, "state"), {"sqlite_autoincrement": True})

    @property
    def is_open(self) -> bool:
        """Whether the change may still be altered."""
        return self.state in OPEN
