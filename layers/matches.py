"""Which records the rows of a file mean: found by a field's value or by number, with what an update changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, editable, visible
from data.audit import plain
from layers.fields import Layer
from layers.rules import Rules, must_hold

CHUNK = 500
#: Coordinates that differ by less than this, in degrees, are the same: about a tenth of a millimetre.
SAME_DEGREES = 1e-9


@dataclass(frozen=True)
class Found:
    """A record that a row means, and whether the actor may change it."""

    row: Any
    own: bool


def records_of(
    session: Session, actor: Actor, layer: Layer, name: str, values: Sequence[Any]
) -> dict[Any, list[Found]]:
    """Return the records that the actor sees, by the value of a field (or `id`), for those values."""
    model = layer.model
    column = getattr(model, name)
    found: dict[Any, list[Found]] = {}
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), CHUNK):
        some = column.in_(wanted[start : start + CHUNK])
        rows = session.execute(sa.select(model, editable(actor, model)).where(some, visible(actor, model)))
        for row, own in rows:
            found.setdefault(getattr(row, name), []).append(Found(row, bool(own)))
    return found


def changes(
    rules: Rules, layer: Layer, row: Any, properties: Mapping[str, Any], geometry: shapely.Geometry | None
) -> dict[str, list[Any]]:
    """Return {field: [as it is, as it would be]} of an update, `geom` as areas or points; raises Invalid."""
    changed: dict[str, list[Any]] = {}
    for name, value in properties.items():
        field = layer.field(name)
        if not field.writable:
            continue
        typed = rules.value(field, value)
        old = getattr(row, name)
        if typed != old and not (typed is None and must_hold(layer, field)):
            changed[name] = [plain(old), plain(typed)]
    if geometry is not None and not _same(row.geom, geometry):
        changed["geom"] = [_brief(row.geom), _brief(geometry)]
    return changed


def _same(old: shapely.Geometry | None, new: shapely.Geometry) -> bool:
    if old is None:
        return False
    return bool(shapely.equals_exact(shapely.normalize(old), shapely.normalize(new), SAME_DEGREES))


def _brief(geometry: shapely.Geometry | None) -> str | None:
    if geometry is None:
        return None
    point = shapely.point_on_surface(geometry)
    return f"{geometry.geom_type} ({point.x:.5f}, {point.y:.5f})"
