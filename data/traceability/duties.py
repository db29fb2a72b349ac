"""Whose duty it is to look at what buyers report and what scans tell: officers by territory, province, inspectors."""

from __future__ import annotations

import csv
import functools
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EDITORS_OF_ALL, TERRITORIAL, Actor, Role, own_rows
from data.codes import REFERENCE
from data.programme.rights import NotYours

Row = TypeVar("Row")

#: Producers and planners are not among them: a buyer's contact is no business of theirs.
LOOKS_AT_ALL = EDITORS_OF_ALL | {Role.INSPECTOR}
HANDLERS = LOOKS_AT_ALL | TERRITORIAL


def in_charge(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    """Say in SQL which reports or alarms the actor sees and handles."""
    if actor.role in LOOKS_AT_ALL:
        return sa.true()
    own = own_rows(actor, entity) if actor.role in TERRITORIAL else None
    return sa.false() if own is None else own


def row_in_charge(
    session: Session, actor: Actor, model: type[Row], row_id: int, *, lock: bool = False
) -> Row:
    """Return a report or alarm of the actor's. Raises NotYours."""
    entity: Any = model
    query = sa.select(entity).where(entity.id == row_id, in_charge(actor, entity))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    found: Row = row
    return found


@functools.cache
def _rules() -> dict[str, int]:
    with (REFERENCE / "traceability" / "scan_rules.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: int(row["value"]) for row in csv.DictReader(file)}


def rule(key: str) -> int:
    """Return a threshold of the province by its key; KeyError for an unknown one."""
    return _rules()[key]
