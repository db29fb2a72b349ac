"""Exact counts and extents of what a caller sees, remembered as long as the layer's revision stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from layers import read
from layers.fields import Layer
from services import context
from services.tiles import store_mark

REMEMBERED = 2_000

_counts: dict[Any, int] = {}
_times: dict[Any, tuple[dt.date | None, dt.date | None] | None] = {}


def matched(query: read.Query, revision: str) -> int:
    """Return how many rows a query has in all its pages."""
    key = (store_mark(), query.layer.id, revision, query.actor.audience_key, query.box, query.where)
    if key not in _counts:
        if len(_counts) >= REMEMBERED:
            _counts.clear()
        _counts[key] = read.count(context.session(), replace(query, after=None, limit=None))
    return _counts[key]


def total(layer: Layer, revision: str) -> int:
    """Return how many rows of a layer the caller sees."""
    return matched(read.Query(layer, context.actor()), revision)


def time_extent(layer: Layer, revision: str) -> tuple[dt.date | None, dt.date | None] | None:
    """Return the first and the last moment of a layer; None for one that knows no time."""
    actor = context.actor()
    key = (store_mark(), layer.id, revision, actor.audience_key)
    if key not in _times:
        if len(_times) >= REMEMBERED:
            _times.clear()
        start = layer.temporal_field
        last = layer.temporal_end or start
        _times[key] = (_edge(layer, start, False), _edge(layer, last, True)) if start and last else None
    return _times[key]


def _edge(layer: Layer, name: str, descending: bool) -> dt.date | None:
    query = read.Query(
        layer, context.actor(), fields=(name,), sort=((name, descending),), limit=1, geometry=False
    )
    found = read.rows(context.session(), query)
    value: dt.date | None = found.columns[0][0] if len(found) else None
    return value
