"""Writing the demonstration rows: every row labelled, dated alike and ready for search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from data import bulk
from data.base import DRAFT, PUBLISHED
from data.demo.dice import Dice

LABEL = "dữ liệu minh hoạ"
AS_OF = dt.date(2026, 6, 30)
MOMENT = dt.datetime(2026, 6, 30, 1, 0, tzinfo=dt.UTC)
DRAFT_SHARE = 0.04


class Ledger:
    """The rows that are being written in one unit of work, counted by table."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.counts: dict[str, int] = {}

    def write(
        self, model: Any, rows: Sequence[dict[str, Any]], geometries: Sequence[Any] | None = None
    ) -> list[int]:
        """Insert rows that all name the same columns, with geometries if there are any; return the ids."""
        if not rows:
            return []
        table = model.__table__
        self.counts[table.name] = self.counts.get(table.name, 0) + len(rows)
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
        if hasattr(model, "search_parts"):
            columns["search"] = [model(**row).search_parts() for row in rows]
        fixed = {"source": LABEL, "created_at": MOMENT, "updated_at": MOMENT}
        columns |= {name: [value] * len(rows) for name, value in fixed.items() if name in table.c}
        shapes = None if geometries is None else np.array(geometries, dtype=object)
        first, last = bulk.load(self.session, model, columns, shapes, source="demo", reason=LABEL)
        return list(range(first, last + 1))


def publication(dice: Dice, *, withheld: bool = False) -> str:
    """Give the status of a row: a few are drafts, and so is what depends on a draft."""
    return DRAFT if dice.chance(DRAFT_SHARE) or withheld else PUBLISHED


def add_months(day: dt.date, months: int) -> dt.date:
    """Give the same day some months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(
        dt.date(year, month + 1, 1) + dt.timedelta(days=day.day - 1), first_of_next - dt.timedelta(days=1)
    )
