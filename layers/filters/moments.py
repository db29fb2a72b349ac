"""Moments and intervals as requests write them: RFC 3339 dates and timestamps, and spans with open ends."""

from __future__ import annotations

import datetime as dt
import re

from layers.fields import Layer
from layers.filters.nodes import (
    Combination,
    Expression,
    Filter,
    FilterError,
    Instant,
    Interval,
    IsNull,
    Property,
    Temporal,
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)
OPEN = ("", "..")


def moment(text: str) -> dt.date | dt.datetime:
    """Return a date, or an aware datetime in UTC (UTC is meant when no offset is given); FilterError otherwise."""
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        if _TIMESTAMP.fullmatch(text):
            parsed = dt.datetime.fromisoformat(text.upper())
            return parsed.replace(tzinfo=parsed.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise FilterError(
        "“%(text)s” không phải ngày hoặc thời điểm, ví dụ 2026-06-30 hoặc 2026-06-30T08:00:00Z.",
        locator="datetime",
        text=text[:60],
    )


def span(text: str) -> Instant | Interval:
    """Return what a `datetime` parameter says: a moment, or `start/end` with `..` or nothing for an open end."""
    if "/" not in text:
        return Instant(moment(text))
    start, _, end = text.partition("/")
    return interval(
        None if start.strip() in OPEN else Instant(moment(start)),
        None if end.strip() in OPEN else Instant(moment(end)),
    )


def interval(start: Expression | None, end: Expression | None) -> Interval:
    """Return an interval; FilterError when two constant ends are in the wrong order."""
    if isinstance(start, Instant) and isinstance(end, Instant) and not in_order(start.value, end.value):
        raise FilterError("Khoảng thời gian kết thúc trước khi bắt đầu.", locator="datetime")
    return Interval(start, end)


def in_order(first: dt.date | dt.datetime, second: dt.date | dt.datetime) -> bool:
    """Tell whether one moment is not after another; a date and a moment are compared as dates."""
    if isinstance(first, dt.datetime) and isinstance(second, dt.datetime):
        return first <= second
    return day_of(first) <= day_of(second)


def day_of(value: dt.date | dt.datetime) -> dt.date:
    """Return the day of a moment in UTC."""
    return value.astimezone(dt.UTC).date() if isinstance(value, dt.datetime) else value


def at_time(layer: Layer, text: str) -> Filter:
    """Return the filter of a `datetime` parameter: rows whose time meets the moment or interval.

    A row without a time meets none; a row that holds until further notice meets everything after its start.
    """
    asked = span(text)
    start, end = layer.temporal_field, layer.temporal_end
    if start is None:
        raise FilterError("Lớp “%(layer)s” không có thời gian.", locator="datetime", layer=layer.id)
    if end is None:
        return Temporal("t_intersects", Property(start), asked)
    # What has no end yet still holds.
    closed = Temporal("t_intersects", Interval(Property(start), Property(end)), asked)
    lasting = Temporal("t_intersects", Interval(Property(start), None), asked)
    return Combination("or", (closed, Combination("and", (IsNull(end), lasting))))
