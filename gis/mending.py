"""Repairs of one polygon against its neighbours: pure geometry, lon/lat degrees of WGS84.

Each function returns a new multipolygon and changes nothing else; it raises Refusal when nothing would be left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely

from gis.errors import Refusal
from gis.geometry import area_ha, length_m
from gis.quality import as_array, polygonal, usable

_DUST_M2 = 0.01
_SEAM_DEGREES = 2e-8


def trimmed(geometry: Any, other: Any) -> Any:
    """The polygon without the ground that the other one covers."""
    return _whole(shapely.difference(_valid(geometry), _valid(other)))


def cut_to(geometry: Any, container: Any) -> Any:
    """The part of the polygon that lies inside the container."""
    return _whole(shapely.intersection(_valid(geometry), _valid(container)))


def filled(geometry: Any, gap: Any, neighbours: Iterable[Any]) -> Any:
    """The polygon grown over a gap beside it, flush with the neighbours, whose ground stays theirs."""
    others = shapely.union_all([_valid(n) for n in neighbours])
    # A seam of two millimetres lets the gap join the polygon although their vertices were computed apart.
    ground = shapely.buffer(_valid(gap), _SEAM_DEGREES, join_style="mitre", mitre_limit=2.0)
    return _whole(shapely.union(_valid(geometry), shapely.difference(ground, others)))


def without_part(geometry: Any, part: Any) -> Any:
    """The multipolygon without one of its parts."""
    kept = [p for p in shapely.get_parts(_valid(geometry)) if not _mostly(p, part)]
    return _whole(shapely.MultiPolygon(kept))


def best_neighbour(gap: Any, candidates: list[Any]) -> int:
    """The position of the candidate that shares the longest border with the gap."""
    shapes = usable(candidates)
    around = shapely.buffer(gap, 5 * _SEAM_DEGREES)
    borders = shapely.intersection(shapely.boundary(shapes), around)
    return int(np.argmax(length_m(borders)))


def _mostly(part: Any, other: Any) -> bool:
    common = shapely.intersection(part, other)
    return float(shapely.area(common)) > 0.99 * float(shapely.area(part))


def _valid(geometry: Any) -> Any:
    return usable([geometry])[0]


def _whole(shape: Any) -> Any:
    """The areas of a shape without dust; raises Refusal when none are left."""
    parts = shapely.get_parts(polygonal(as_array([shape]))[0])
    kept = parts[area_ha(parts) * 10_000.0 >= _DUST_M2] if len(parts) else parts
    if not len(kept):
        raise Refusal("Sau khi sửa thì hình không còn diện tích; hãy vẽ lại đường ranh.")
    return shapely.orient_polygons(shapely.MultiPolygon(list(kept)))
