"""Boundary changes that wait for their day: applied by the worker or by `ocopmap boundaries apply`."""

from __future__ import annotations

import datetime as dt
import logging

from data.accounts import SYSTEM
from data.boundaries import applying
from data.boundary_changes import BoundaryChange
from data.store import Store

log = logging.getLogger(__name__)

TIME_ZONE = dt.timezone(dt.timedelta(hours=7))
"""A decree's day begins at midnight in Vietnam."""


def apply_due(store: Store, day: dt.date | None = None) -> list[int]:
    """Apply every scheduled change whose day has come, by default up to today; return their ids.

    One that cannot be applied keeps its reason in the record and holds up those after it.
    """
    day = day or dt.datetime.now(TIME_ZONE).date()
    return applying.apply_due(store, SYSTEM, day, say=_say)


def _say(change: BoundaryChange, sentence: str) -> None:
    log.warning("boundary change %s waits: %s", change.id, sentence)
