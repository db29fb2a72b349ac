"""Two people changed one record: what it was when the second read it, what each made of it, and what to keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from layers.fields import Field, FieldType

#: About a hundredth of a square metre, in square degrees: what is left of rounding, not of anybody's work.
NO_AREA = 1e-12


@dataclass(frozen=True)
class Difference:
    """One field of which mine and theirs differ; `preset` is the choice that loses least."""

    field: Field
    base: Any
    mine: Any
    theirs: Any
    base_known: bool
    both: bool
    preset: str


# ---- fields


def differences(
    fields: Iterable[Field],
    base: Mapping[str, Any] | None,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
) -> list[Difference]:
    """List the fields of which mine and theirs differ."""
    found = []
    for field in fields:
        name = field.name
        if same_value(field, mine.get(name), theirs.get(name)):
            continue
        was = base.get(name) if base is not None else None
        by_me = base is None or not same_value(field, mine.get(name), was)
        by_them = base is None or not same_value(field, theirs.get(name), was)
        preset = "theirs" if by_them and not by_me else "mine"
        found.append(
            Difference(
                field, was, mine.get(name), theirs.get(name), base is not None, by_me and by_them, preset
            )
        )
    return found


def same_value(field: Field, one: Any, other: Any) -> bool:
    """Tell whether two values of a field, typed or as a form sends them, are the same."""
    return _plain(field, one) == _plain(field, other)


def _plain(field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    text = str(value).replace("\r\n", "\n").strip()
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return text
    if field.type == FieldType.BOOLEAN:
        return text.lower() in ("true", "1")
    return text or None


# ---- outlines


def same_shape(one: shapely.Geometry | None, other: shapely.Geometry | None) -> bool:
    """Tell whether two outlines cover the same ground."""
    if one is None or other is None or one.is_empty or other.is_empty:
        return (one is None or one.is_empty) == (other is None or other.is_empty)
    if shapely.equals_exact(one, other, 1e-9, normalize=True):
        return True
    difference = shapely.symmetric_difference(_sound(one), _sound(other))
    return bool(difference.area < NO_AREA and difference.length < NO_AREA**0.5)


def merged(
    base: shapely.Geometry | None, mine: shapely.Geometry, theirs: shapely.Geometry
) -> shapely.Geometry:
    """Return my outline with what the others took away taken away, and what they added added."""
    mine, theirs = _sound(mine), _sound(theirs)
    if base is None:
        return polygons_of(shapely.union(mine, theirs))
    base = _sound(base)
    taken, added = shapely.difference(base, theirs), shapely.difference(theirs, base)
    return polygons_of(shapely.union(shapely.difference(mine, taken), added))


def polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a shape as one of several parts, without lines and points left over by cutting."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.multipolygons([p for p in parts if p.geom_type == "Polygon" and p.area > NO_AREA])


def _sound(shape: shapely.Geometry) -> shapely.Geometry:
    return shape if shape.is_valid else shapely.make_valid(shape)
