"""Moments, dates and intervals compared in SQL.

A date and a moment are compared as dates in UTC. Source of the interval relations: OGC 21-065r2, clause 7.7.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa

from layers.filters.moments import day_of, in_order
from layers.filters.nodes import Expression, FilterError, Instant, Interval, Literal
from layers.filters.terms import Scope, Term, constant, term
from layers.filters.values import TIMES, Kind

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}

#: For each relation the comparisons of (start, end) of the left with those of the right that must all hold.
RELATIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "t_after": (("start", ">", "end"),),
    "t_before": (("end", "<", "start"),),
    "t_contains": (("start", "<", "start"), ("end", ">", "end")),
    "t_during": (("start", ">", "start"), ("end", "<", "end")),
    "t_equals": (("start", "=", "start"), ("end", "=", "end")),
    "t_finishedby": (("start", "<", "start"), ("end", "=", "end")),
    "t_finishes": (("start", ">", "start"), ("end", "=", "end")),
    "t_intersects": (("start", "<=", "end"), ("end", ">=", "start")),
    "t_meets": (("end", "=", "start"),),
    "t_metby": (("start", "=", "end"),),
    "t_overlappedby": (("start", ">", "start"), ("start", "<", "end"), ("end", ">", "end")),
    "t_overlaps": (("start", "<", "start"), ("end", ">", "start"), ("end", "<", "end")),
    "t_startedby": (("start", "=", "start"), ("end", ">", "end")),
    "t_starts": (("start", "=", "start"), ("end", "<", "end")),
}
TEMPORAL = (*RELATIONS, "t_disjoint")


class Span(NamedTuple):
    """The two ends of a moment or interval; None is open."""

    start: Term | None
    end: Term | None


def compare(scope: Scope, left: Term, operator: str, right: Term) -> Any:
    """Compare two terms of which each is a date or a moment."""
    if left.kind is right.kind:
        return left.sql.bool_op("!=" if operator == "<>" else operator)(right.sql)
    if left.kind is Kind.DATE:
        return compare(scope, right, _FLIPPED[operator], left)
    if isinstance(left.value, dt.datetime):
        return compare(scope, constant(day_of(left.value), Kind.DATE), operator, right)
    if isinstance(right.value, dt.date):
        return _within_day(left.sql, operator, right.value)
    return compare(scope, Term(_day_in_sql(scope, left.sql), Kind.DATE), operator, right)


def _within_day(column: Any, operator: str, day: dt.date) -> Any:
    """Ask of a moment what is asked of its day, by the day's first moment and the next day's."""
    first = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    begin = constant(first, Kind.MOMENT).sql
    if day == dt.date.max:
        before_end, after_end = column.bool_op(">=")(begin) | column.bool_op("<")(begin), column != column
    else:
        next_day = constant(first + dt.timedelta(days=1), Kind.MOMENT).sql
        before_end, after_end = column.bool_op("<")(next_day), column.bool_op(">=")(next_day)
    match operator:
        case "=":
            return sa.and_(column.bool_op(">=")(begin), before_end)
        case "<>":
            return sa.or_(column.bool_op("<")(begin), after_end)
        case "<":
            return column.bool_op("<")(begin)
        case "<=":
            return before_end
        case ">":
            return after_end
        case _:
            return column.bool_op(">=")(begin)


def _day_in_sql(scope: Scope, moment: Any) -> Any:
    if scope.embedded:
        return sa.func.substr(moment, 1, 10, type_=sa.Text)
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date)


# ---- relations of intervals


def relation(scope: Scope, operator: str, left: Expression, right: Expression) -> Any:
    """Compile a temporal predicate; a moment is an interval whose ends are equal."""
    a, b = _span(scope, left), _span(scope, right)
    if operator == "t_disjoint":
        return sa.or_(_ends(scope, a, ("end", "<", "start"), b), _ends(scope, a, ("start", ">", "end"), b))
    if operator not in RELATIONS:
        raise FilterError("Không có phép so sánh thời gian “%(operator)s”.", operator=operator[:60])
    return sa.and_(*(_ends(scope, a, rule, b) for rule in RELATIONS[operator]))


def _span(scope: Scope, expression: Expression) -> Span:
    if not isinstance(expression, Interval):
        found = _time(scope, expression)
        return Span(found, found)
    start = None if expression.start is None else _time(scope, expression.start)
    end = None if expression.end is None else _time(scope, expression.end)
    first, last = start and start.value, end and end.value
    if isinstance(first, dt.date) and isinstance(last, dt.date) and not in_order(first, last):
        raise FilterError("Khoảng thời gian kết thúc trước khi bắt đầu.")
    return Span(start, end)


def _time(scope: Scope, expression: Expression) -> Term:
    wanted = Kind.MOMENT if isinstance(expression, Literal | Instant) else None
    found = term(scope, expression, wanted)
    if found.kind not in TIMES:
        raise FilterError("Cần ngày hoặc thời điểm, không phải giá trị kiểu %(kind)s.", kind=found.kind.value)
    return found


def _ends(scope: Scope, a: Span, rule: tuple[str, str, str], b: Span) -> Any:
    """Compare one end of each; an open start is before everything, an open end after everything."""
    first, operator, second = rule
    x: Term | None = getattr(a, first)
    y: Term | None = getattr(b, second)
    if x is not None and y is not None:
        return compare(scope, x, operator, y)
    ranks = [
        0 if end is not None else -1 if name == "start" else 1 for end, name in ((x, first), (y, second))
    ]
    holds = {
        "<": ranks[0] < ranks[1],
        "<=": ranks[0] <= ranks[1],
        ">": ranks[0] > ranks[1],
        ">=": ranks[0] >= ranks[1],
        "=": ranks[0] == ranks[1],
    }[operator]
    known = x or y
    if known is None or known.value is not None:
        return sa.true() if holds else sa.false()
    # Unknown where the row has no time, as in every other comparison.
    return known.sql == known.sql if holds else known.sql != known.sql
