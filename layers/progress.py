"""Measures of the programme over products: in the cycle of the year, recognised, late, certificates near their end.

Each is an SQL aggregate over a model of products, for one caller on one day; the cycle is counted over the
participations that the caller sees, since those are not public (data.programme.rights).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EVERYTHING, TERRITORIAL, Actor
from data.programme.calendar import deadline
from data.programme.cycle import cycle
from data.programme.participations import is_late
from data.programme.rights import seen
from data.programme.tables import Participation

#: Those who see the cycle of a whole territory.
OFFICERS = EVERYTHING | TERRITORIAL


@dataclass(frozen=True)
class Asked:
    """Who asks, and the day that is called today."""

    actor: Actor
    day: dt.date


def in_cycle(model: Any, asked: Asked) -> Any:
    """Count the products that take part in the cycle of the year."""
    return _count(model, asked, sa.true())


def recognised(model: Any, asked: Asked) -> Any:
    """Count the products of the year's cycle that were recognised."""
    statuses = [s.status for s in cycle().statuses.values() if s.kind == "recognised"]
    return _count(model, asked, Participation.status.in_(statuses))


def late(model: Any, asked: Asked) -> Any:
    """Count the products of the year's cycle that are late."""
    return _count(model, asked, is_late(asked.day))


def ending(model: Any, asked: Asked) -> Any:
    """Count the products whose certificate ends within the time in which it is evaluated again."""
    days = deadline("re_evaluation_earliest", asked.day).number
    return _sum(model.expires_on.between(asked.day, asked.day + dt.timedelta(days=days)))


def ended(model: Any, asked: Asked) -> Any:
    """Count the products whose certificate has ended."""
    return _sum(model.expires_on < asked.day)


def stamp(session: Session, day: dt.date) -> str:
    """Return what changes whenever a participation does, or the day."""
    found = sa.select(sa.func.count(Participation.id), sa.func.sum(Participation.version))
    rows, versions = session.execute(found).one()
    return f"{day}-{rows}-{versions or 0}"


def _count(model: Any, asked: Asked, rule: sa.ColumnElement[bool]) -> Any:
    own = sa.select(Participation.product_id).where(
        Participation.year == asked.day.year, seen(asked.actor, Participation), rule
    )
    return _sum(model.id.in_(own))


def _sum(rule: Any) -> Any:
    return sa.func.sum(sa.case((rule, 1), else_=0))
