"""What is wrong with the polygons of a layer: each fault with its members, its place, its area and its width.

Geometries are lon/lat degrees of WGS84 in one dimension of numpy objects or any sequence; members are positions in
it. Areas are square metres on the ellipsoid; the width of a fault is that of a strip of the same area and
perimeter, 2 x area / perimeter, in metres. Missing geometries are reported as empty and take no part in the rest.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis import coverage
from gis.errors import Refusal
from gis.geometry import area_ha, describe_problem, length_m, repair

Geometries = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

SAME_SHAPE = 0.95
"""Two shapes whose common part is more than this share of their union are one thing drawn twice."""
IDENTICAL = 1 - 1e-9
DIFFERENT_AREA = 0.1
"""A declared area may be off the drawn one by this share, or by SMALL_AREA_HA."""
SMALL_AREA_HA = 0.1

_SQUARE_METRES = 10_000.0


class Kind(enum.StrEnum):
    """The kinds of faults."""

    EMPTY = "empty"
    INVALID = "invalid"
    REPEATED = "repeated_vertices"
    SPIKE = "spike"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    OVERLAP = "overlap"
    GAP = "gap"
    NARROW_GAP = "narrow_gap"
    SLIVER = "sliver"
    OUTSIDE = "outside"
    ABROAD = "abroad"
    AREA = "area_differs"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: `facts` holds what only its kind has (reason, share, areas before and after)."""

    kind: Kind
    members: tuple[int, ...]
    geometry: Any
    area_m2: float
    width_m: float
    lon: float
    lat: float
    facts: Mapping[str, Any] = field(default_factory=dict)


def shape_faults(geoms: Sequence[Any] | Geometries) -> list[Fault]:
    """Empty and invalid polygons; the latter with the reason, the place and the area before and after a repair.

    `area_m2` is the difference that the repair makes; facts: `reason` (a Vietnamese sentence with places),
    `reason_facts`, `before_ha`, `after_ha`, and `refused` instead where it cannot be repaired.
    """
    array = as_array(geoms)
    empty = shapely.is_missing(array) | shapely.is_empty(array)
    found = [_at(Kind.EMPTY, (int(i),), None, 0.0, 0.0, {}) for i in np.flatnonzero(empty)]
    for i in np.flatnonzero(~empty & ~shapely.is_valid(array)):
        problem = describe_problem(array[i])
        if problem is None:
            continue
        facts: dict[str, Any] = {"reason": problem.message, "reason_facts": problem.facts}
        try:
            mended = repair(array[i], "MULTIPOLYGON")
            facts |= {"before_ha": mended.area_before_ha, "after_ha": mended.area_after_ha}
            changed = abs(mended.area_after_ha - mended.area_before_ha) * _SQUARE_METRES
        except Refusal:
            facts["refused"] = True
            changed = 0.0
        place = (
            None if problem.lon is None or problem.lat is None else shapely.Point(problem.lon, problem.lat)
        )
        found.append(_at(Kind.INVALID, (int(i),), place, changed, 0.0, facts))
    return found


def pair_faults(geoms: Sequence[Any] | Geometries, minimum_m2: float = 1.0) -> list[Fault]:
    """Overlaps of at least `minimum_m2`, largest first; pairs of nearly the same shape are duplicates instead.

    Facts: `share` is the common part of the union of both, `of_first` and `of_second` that of each member.
    """
    array = usable(geoms)
    areas = area_ha(array) * _SQUARE_METRES
    shared = coverage.overlaps(array, minimum_m2)
    widths = width_m([o.geometry for o in shared])
    found = []
    for overlap, width in zip(shared, widths, strict=True):
        first, second = float(areas[overlap.i]), float(areas[overlap.j])
        share = overlap.area_m2 / max(first + second - overlap.area_m2, 1e-9)
        facts = {"share": share, "of_first": overlap.area_m2 / first, "of_second": overlap.area_m2 / second}
        kind = Kind.OVERLAP
        if share > SAME_SHAPE:
            same = share > IDENTICAL and shapely.equals(array[overlap.i], array[overlap.j])
            kind = Kind.DUPLICATE if same else Kind.NEAR_DUPLICATE
        members = (overlap.i, overlap.j)
        found.append(_at(kind, members, overlap.geometry, overlap.area_m2, float(width), facts))
    return found


def part_faults(
    geoms: Sequence[Any] | Geometries, maximum_width_m: float = 1.0, minimum_m2: float = 0.0
) -> list[Fault]:
    """Parts of polygons narrower than `maximum_width_m`, largest first.

    Facts: `whole` tells that the polygon has no other part, `share` what the part is of the polygon's area.
    """
    array = usable(geoms)
    parts, owners = shapely.get_parts(array, return_index=True)
    areas, widths = area_ha(parts) * _SQUARE_METRES, width_m(parts)
    totals = np.bincount(owners, areas, minlength=len(array)) if len(parts) else np.zeros(len(array))
    count = np.bincount(owners, minlength=len(array)) if len(parts) else np.zeros(len(array))
    narrow = np.flatnonzero((widths < maximum_width_m) & (areas >= minimum_m2))
    found = []
    for k in narrow[np.argsort(-areas[narrow], kind="stable")]:
        owner = int(owners[k])
        facts = {"whole": bool(count[owner] == 1), "share": float(areas[k] / max(totals[owner], 1e-9))}
        found.append(_at(Kind.SLIVER, (owner,), parts[k], float(areas[k]), float(widths[k]), facts))
    return found


def home_faults(
    geoms: Sequence[Any] | Geometries,
    homes: Sequence[Any] | Geometries,
    minimum_m2: float = 1.0,
    kind: Kind = Kind.OUTSIDE,
) -> list[Fault]:
    """What of each polygon lies outside of its home by at least `minimum_m2`; a missing home holds everything.

    `homes` has one polygon per geometry, and the same object where they share it. Facts: `share` of the polygon.
    """
    array, places = usable(geoms), as_array(homes)
    known = np.flatnonzero(~shapely.is_missing(places) & ~shapely.is_missing(array))
    shapely.prepare(places[known])
    doubtful = known[~shapely.contains_properly(places[known], array[known])]
    beyond = polygonal(shapely.difference(array[doubtful], places[doubtful]))
    areas, widths = area_ha(beyond) * _SQUARE_METRES, width_m(beyond)
    whole = area_ha(array[doubtful]) * _SQUARE_METRES
    return [
        _at(kind, (int(i),), shape, float(area), float(width), {"share": float(area / max(total, 1e-9))})
        for i, shape, area, width, total in zip(doubtful, beyond, areas, widths, whole, strict=True)
        if area >= minimum_m2
    ]


def declared_faults(geoms: Sequence[Any] | Geometries, declared_ha: Sequence[float | None]) -> list[Fault]:
    """Polygons whose declared area is off the drawn one by a tenth and SMALL_AREA_HA, largest difference first.

    Facts: `declared_ha`, `drawn_ha`, `ratio` (declared to drawn).
    """
    array = usable(geoms)
    drawn = area_ha(array)
    stated = np.array([np.nan if v is None else float(v) for v in declared_ha], dtype=float)
    off = np.abs(stated - drawn)
    wrong = np.flatnonzero(off > np.maximum(DIFFERENT_AREA * drawn, SMALL_AREA_HA))
    found = []
    for i in wrong[np.argsort(-off[wrong], kind="stable")]:
        facts = {"declared_ha": float(stated[i]), "drawn_ha": float(drawn[i])}
        facts["ratio"] = float(stated[i] / drawn[i]) if drawn[i] else float("inf")
        found.append(_at(Kind.AREA, (int(i),), array[i], float(off[i] * _SQUARE_METRES), 0.0, facts))
    return found


def width_m(shapes: Sequence[Any] | Geometries) -> Floats:
    """The mean width in metres of each polygon: 2 x area / perimeter; 0 for anything else."""
    array = as_array(shapes)
    widths: Floats = 2 * area_ha(array) * _SQUARE_METRES / np.maximum(length_m(array), 1e-9)
    return widths


def as_array(geoms: Sequence[Any] | Geometries) -> Geometries:
    """A sequence of geometries as one dimension of numpy objects."""
    array = np.empty(len(geoms), dtype=object)
    array[:] = list(geoms)
    return array


def usable(geoms: Sequence[Any] | Geometries) -> Geometries:
    """The geometries in two dimensions, invalid ones by the area they enclose (GEOS make_valid)."""
    array: Geometries = shapely.force_2d(as_array(geoms))
    array[shapely.is_empty(array)] = None
    broken = ~shapely.is_valid(array) & ~shapely.is_missing(array)
    if broken.any():
        array[broken] = polygonal(shapely.make_valid(array[broken]))
    return array


def polygonal(shapes: Geometries) -> Geometries:
    """The areas in each shape as a multipolygon, which is empty where only lines and points are left."""
    types = shapely.get_type_id(shapes)
    result = as_array(shapes)
    for k in np.flatnonzero(types != 6):
        parts = shapely.get_parts(shapely.get_parts(shapes[k]))
        result[k] = shapely.MultiPolygon([p for p in parts if shapely.get_type_id(p) == 3])
    return result


def fault_at(
    kind: Kind, members: tuple[int, ...], geometry: Any, facts: Mapping[str, Any] | None = None
) -> Fault:
    """A fault of a polygon's shape, measured."""
    area = float(area_ha([geometry])[0]) * _SQUARE_METRES
    return _at(kind, members, geometry, area, float(width_m([geometry])[0]), facts or {})


def _at(
    kind: Kind, members: tuple[int, ...], geometry: Any, area: float, width: float, facts: Mapping[str, Any]
) -> Fault:
    if geometry is None or shapely.is_empty(geometry):
        return Fault(kind, members, geometry, area, width, float("nan"), float("nan"), facts)
    point = shapely.point_on_surface(geometry)
    return Fault(kind, members, geometry, area, width, float(point.x), float(point.y), facts)
