"""Reading parameters of an address: typed, limited, and refused in one sentence when they are unknown or wrong."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection

from flask import request

from data.accounts import Actor
from data.spatial import Box
from layers import past
from layers.fields import Layer
from layers.filters import Comparison, Filter, IsIn, all_of
from services.errors import BadRequest

COMMON = frozenset({"f", "lang", "v"})


def refuse_unknown(known: Collection[str]) -> None:
    """Refuse a request that has a parameter which is not known."""
    for name in request.args:
        if name not in known and name not in COMMON:
            raise BadRequest("Không có tham số “%(parameter)s”.", parameter=name)


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return a whole number within limits; more than the maximum is the maximum."""
    text = request.args.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        value = minimum - 1
    if value < minimum:
        raise BadRequest(
            "Tham số “%(parameter)s” phải là số nguyên từ %(minimum)s trở lên.",
            parameter=name,
            minimum=minimum,
        )
    return min(value, maximum)


def boolean(name: str) -> bool:
    """Return a true/false parameter; false when it is absent."""
    text = request.args.get(name, "false").lower()
    if text not in ("true", "false"):
        raise BadRequest("Tham số “%(parameter)s” phải là true hoặc false.", parameter=name)
    return text == "true"


def as_of(name: str = "asof") -> dt.datetime | None:
    """Read the moment whose rows are wanted: a date, for the end of that day here, or a time; None for now."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return past.moment_of(text)
    except past.BadMoment as error:
        raise BadRequest(error.message, parameter=name, **error.facts) from error


def box(name: str = "bbox") -> Box | None:
    """Return a lon/lat box given as west,south,east,north."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _bad_box(name) from error
    numbers = (west, south, east, north)
    inside = all(math.isfinite(n) for n in numbers) and -90 <= south <= north <= 90
    if not inside or not -180 <= west <= east <= 180:
        raise _bad_box(name)
    return numbers


def _bad_box(name: str) -> BadRequest:
    return BadRequest(
        "Tham số “%(parameter)s” phải là bốn số tây,nam,đông,bắc theo độ, tây ≤ đông và nam ≤ bắc.",
        parameter=name,
    )


def sort(layer: Layer, actor: Actor) -> tuple[tuple[str, bool], ...]:
    """Return the order asked for by `sortby=name,-other` as (field, descending)."""
    found: list[tuple[str, bool]] = []
    for part in filter(None, request.args.get("sortby", "").split(",")):
        name, descending = part.lstrip("+-"), part.startswith("-")
        if not any(f.name == name and f.sortable for f in layer.readable_fields(actor)):
            raise BadRequest("Không sắp xếp được theo “%(field)s”.", parameter="sortby", field=name)
        found.append((name, descending))
    return tuple(found)


def field_names(layer: Layer, actor: Actor) -> tuple[str, ...] | None:
    """Return the fields asked for by `properties=a,b`, or None for all."""
    text = request.args.get("properties")
    if text is None:
        return None
    names = tuple(filter(None, text.split(",")))
    known = {f.name for f in layer.readable_fields(actor)}
    for name in names:
        if name not in known:
            raise BadRequest("Không có trường “%(field)s”.", parameter="properties", field=name)
    return names


def equalities(layer: Layer, actor: Actor) -> Filter | None:
    """Return the filter of parameters named like fields: `crop=rice,salt` means one of both."""
    filters: list[Filter] = []
    for field in layer.readable_fields(actor):
        if field.name not in request.args or not field.queryable:
            continue
        text = request.args[field.name]
        values = tuple(text.split(",")) if field.code_list else (text,)
        filters.append(
            IsIn(field.name, values) if len(values) > 1 else Comparison(field.name, "=", values[0])
        )
    return all_of(*filters)


def queryable_names(layer: Layer, actor: Actor) -> set[str]:
    """Return the names that `equalities` understands."""
    return {f.name for f in layer.readable_fields(actor) if f.queryable}
