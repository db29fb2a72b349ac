"""Polygons that should tile a territory: overlaps, gaps, slivers, dissolving, succession and assignment.

Geometries are lon/lat degrees of WGS84 in one dimension of numpy objects or any sequence; areas are on the
ellipsoid. Invalid polygons are compared by the area they enclose (GEOS make_valid), so that a fault in one
ring does not hide the faults between neighbours.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import shapely

from gis.geometry import area_ha, length_m

Geometries = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Key = TypeVar("Key", bound=Hashable)

_SQUARE_METRES_PER_HECTARE = 10_000.0
_HECTARES_PER_SQUARE_KM = 100.0
_METRES_PER_DEGREE = 111_320.0
_POLYGONAL = (3, 6)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Ground that two polygons both claim; i < j are their positions."""

    i: int
    j: int
    geometry: shapely.MultiPolygon
    area_m2: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Ground enclosed by the polygons that none of them covers."""

    geometry: shapely.Polygon | shapely.MultiPolygon
    area_m2: float


@dataclass(frozen=True, slots=True)
class Sliver:
    """A fault so narrow that it is a drawing error along a border, not a claim to land."""

    kind: Literal["overlap", "gap", "part"]
    members: tuple[int, ...]
    geometry: shapely.Polygon | shapely.MultiPolygon
    area_m2: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Outside:
    """The part of polygon i that lies beyond the container."""

    i: int
    geometry: shapely.MultiPolygon
    area_m2: float


class Share(NamedTuple):
    """How much ground an old unit hands to a new one; shares are between 0 and 1."""

    old: int
    new: int
    area_km2: float
    share_of_old: float
    share_of_new: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each point the position of its polygon or -1, and its distance to that polygon in metres.

    Inside and on the border the distance is 0; where no polygon is near enough it is NaN.
    """

    index: Indices
    distance_m: Floats


def is_clean(geoms: Sequence[Any] | Geometries, gap_width_m: float = 1.0) -> bool:
    """Whether all polygons are valid and neighbours match vertex for vertex.

    No overlap is allowed and no gap narrower than `gap_width_m`, be it closed or open to the outside; for
    wider gaps, which may be water or foreign land, ask `gaps`.
    """
    array = _array(geoms)
    width = gap_width_m / _METRES_PER_DEGREE
    return bool(shapely.is_valid(array).all() and shapely.coverage_is_valid(array, gap_width=width))


def invalid_edges(geoms: Sequence[Any] | Geometries, gap_width_m: float = 1.0) -> Geometries:
    """For each polygon the border lines that make it fail `is_clean` with its neighbours, or None."""
    array = _array(geoms)
    edges: Geometries = shapely.coverage_invalid_edges(array, gap_width=gap_width_m / _METRES_PER_DEGREE)
    edges[shapely.is_empty(edges)] = None
    return edges


def overlaps(geoms: Sequence[Any] | Geometries, minimum_m2: float = 1.0) -> list[Overlap]:
    """Every pair of polygons that share at least `minimum_m2`, largest first."""
    array = _usable(geoms)
    left, right = shapely.STRtree(array).query(array, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    # Neighbours that only touch are most of the pairs, and telling so is cheaper than intersecting them.
    crossing = ~shapely.touches(array[left], array[right])
    left, right = left[crossing], right[crossing]
    shared = _polygonal(shapely.intersection(array[left], array[right]))
    areas = _square_metres(shared)
    found = [
        Overlap(int(i), int(j), shape, float(area))
        for i, j, shape, area in zip(left, right, shared, areas, strict=True)
        if area >= minimum_m2
    ]
    return sorted(found, key=lambda overlap: (-overlap.area_m2, overlap.i, overlap.j))


def gaps(geoms: Sequence[Any] | Geometries, minimum_m2: float = 1.0) -> list[Gap]:
    """Every hole of the union of the polygons with at least `minimum_m2`, largest first.

    Ground that is open to the outside through a channel, however narrow, is not a gap.
    """
    union = _union(_usable(geoms))
    rings = [ring for part in shapely.get_parts(union) for ring in part.interiors]
    if not rings:
        return []
    holes = shapely.difference(shapely.polygons(rings), union)
    areas = _square_metres(holes)
    found = [Gap(h, float(a)) for h, a in zip(holes, areas, strict=True) if a >= minimum_m2]
    return sorted(found, key=lambda gap: -gap.area_m2)


def slivers(
    geoms: Sequence[Any] | Geometries, maximum_width_m: float = 10.0, minimum_m2: float = 1.0
) -> list[Sliver]:
    """Overlaps, gaps and stray parts of polygons narrower than `maximum_width_m`, largest first.

    The width is that of a strip of the same area and perimeter: 2 x area / perimeter.
    """
    candidates: list[tuple[Literal["overlap", "gap", "part"], tuple[int, ...], Any]] = []
    for overlap in overlaps(geoms, minimum_m2):
        candidates += [
            ("overlap", (overlap.i, overlap.j), part) for part in shapely.get_parts(overlap.geometry)
        ]
    candidates += [("gap", (), gap.geometry) for gap in gaps(geoms, minimum_m2)]
    parts, owners = shapely.get_parts(_usable(geoms), return_index=True)
    candidates += [("part", (int(i),), part) for part, i in zip(parts, owners, strict=True)]
    shapes = _array([shape for _, _, shape in candidates])
    areas, perimeters = _square_metres(shapes), length_m(shapes)
    widths = 2 * areas / np.maximum(perimeters, 1e-9)
    found = [
        Sliver(kind, members, shape, float(area), float(width))
        for (kind, members, shape), area, width in zip(candidates, areas, widths, strict=True)
        if area >= minimum_m2 and width < maximum_width_m
    ]
    return sorted(found, key=lambda sliver: (-sliver.area_m2, sliver.members))


def outside(
    geoms: Sequence[Any] | Geometries, container: shapely.Geometry, minimum_m2: float = 1.0
) -> list[Outside]:
    """What sticks out of the container by at least `minimum_m2`, in the order of the polygons."""
    array = _usable(geoms)
    shapely.prepare(container)
    doubtful = np.flatnonzero(~shapely.contains_properly(container, array))
    beyond = _polygonal(shapely.difference(array[doubtful], container))
    areas = _square_metres(beyond)
    return [
        Outside(int(i), shape, float(area))
        for i, shape, area in zip(doubtful, beyond, areas, strict=True)
        if area >= minimum_m2
    ]


def dissolve(geoms: Sequence[Any] | Geometries, keys: Sequence[Key]) -> dict[Key, shapely.MultiPolygon]:
    """One multipolygon per key, in the order of first appearance; outer borders keep every vertex.

    A clean coverage is merged by dropping the borders that two members share, which moves nothing; polygons
    that overlap or do not match are merged by overlay.
    """
    array = _usable(geoms)
    members: dict[Key, list[int]] = {}
    for position, key in enumerate(keys):
        members.setdefault(key, []).append(position)
    return {key: _multi(_union(array[positions])) for key, positions in members.items()}


def succession_shares(
    old: Sequence[Any] | Geometries, new: Sequence[Any] | Geometries, minimum_share: float = 1e-3
) -> list[Share]:
    """The ground that each old unit hands to each new one, ordered by old, then by falling area.

    Pairs below `minimum_share` of the old unit and of the new one are drawing errors and left out.
    """
    before, after = _usable(old), _usable(new)
    i, j = shapely.STRtree(after).query(before, predicate="intersects")
    areas = area_ha(_polygonal(shapely.intersection(before[i], after[j])))
    of_old = areas / np.maximum(area_ha(before)[i], 1e-12)
    of_new = areas / np.maximum(area_ha(after)[j], 1e-12)
    kept = np.flatnonzero((areas > 0) & ((of_old >= minimum_share) | (of_new >= minimum_share)))
    order = kept[np.lexsort((-areas[kept], i[kept]))]
    return [
        Share(
            int(i[k]),
            int(j[k]),
            float(areas[k] / _HECTARES_PER_SQUARE_KM),
            float(of_old[k]),
            float(of_new[k]),
        )
        for k in order
    ]


def assign(
    points: Sequence[Any] | Geometries, polygons: Sequence[Any] | Geometries, tolerance_m: float = 500.0
) -> Assignment:
    """The polygon that each point lies in, or the nearest one within `tolerance_m`.

    A point on a shared border goes to the polygon that comes first. Missing and empty points get -1.
    """
    places, areas = _array(points), _usable(polygons)
    index = np.full(len(places), -1, dtype=np.intp)
    distance = np.full(len(places), np.nan)
    if not len(areas):
        return Assignment(index, distance)
    tree = shapely.STRtree(areas)
    point, polygon = tree.query(places, predicate="intersects")
    # The last assignment to a position wins, so the lowest polygon number is written last.
    order = np.argsort(-polygon, kind="stable")
    index[point[order]] = polygon[order]
    distance[point] = 0.0
    lost = np.flatnonzero((index == -1) & ~shapely.is_missing(places) & ~shapely.is_empty(places))
    if len(lost):
        _assign_nearest(places, areas, tolerance_m, lost, index, distance)
    return Assignment(index, distance)


def _assign_nearest(
    places: Geometries, areas: Geometries, tolerance_m: float, lost: Indices, index: Indices, distance: Floats
) -> None:
    """Fill in the nearest polygon of the lost points, measured in a plane around each of them."""
    degrees = tolerance_m / 100_000.0 / max(0.05, float(np.cos(np.radians(_steepest_latitude(places[lost])))))
    near, polygon = shapely.STRtree(areas).query(places[lost], predicate="dwithin", distance=degrees)
    order = np.lexsort((polygon, near))
    first_of = np.searchsorted(near[order], np.arange(1, len(lost)))
    for position, candidates in zip(lost, np.split(polygon[order], first_of), strict=True):
        if not len(candidates):
            continue
        lon, lat = shapely.get_coordinates(places[position])[0]
        plane = _metres_around(lon, lat, areas[candidates])
        metres = shapely.distance(shapely.Point(0.0, 0.0), plane)
        best = int(np.argmin(metres))
        if metres[best] <= tolerance_m:
            index[position], distance[position] = candidates[best], metres[best]


def _metres_around(lon: float, lat: float, shapes: Geometries) -> Geometries:
    """The shapes in metres east and north of a place, by the ellipsoid's radii there: true near the place."""
    flattening, equator = 1 / 298.257223563, 6_378_137.0
    squared = flattening * (2 - flattening)
    narrowing = 1 - squared * float(np.sin(np.radians(lat))) ** 2
    east = equator / narrowing**0.5 * float(np.cos(np.radians(lat)))
    north = equator * (1 - squared) / narrowing**1.5
    metres = np.radians(1.0) * np.array([east, north])
    moved: Geometries = shapely.transform(shapes, lambda xy: (xy - (lon, lat)) * metres)
    return moved


def _steepest_latitude(places: Geometries) -> float:
    return float(np.abs(shapely.get_coordinates(places)[:, 1]).max())


def _array(geoms: Sequence[Any] | Geometries) -> Geometries:
    array = np.empty(len(geoms), dtype=object)
    array[:] = list(geoms)
    return array


def _usable(geoms: Sequence[Any] | Geometries) -> Geometries:
    array: Geometries = shapely.force_2d(_array(geoms))
    broken = ~shapely.is_valid(array) & ~shapely.is_missing(array)
    if broken.any():
        array[broken] = _polygonal(shapely.make_valid(array[broken]))
    return array


def _union(array: Geometries) -> Any:
    if shapely.coverage_is_valid(array):
        return shapely.coverage_union_all(array)
    return shapely.union_all(array)


def _polygonal(shapes: Geometries) -> Geometries:
    """The areas in each shape as a multipolygon, which is empty where only lines and points are left."""
    result = np.empty(len(shapes), dtype=object)
    result[:] = [_multi(shape) for shape in shapes]
    return result


def _multi(shape: Any) -> shapely.MultiPolygon:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([part for part in parts if shapely.get_type_id(part) in _POLYGONAL])


def _square_metres(shapes: Any) -> Floats:
    areas: Floats = area_ha(shapes) * _SQUARE_METRES_PER_HECTARE
    return areas
