"""Ground between polygons that none of them covers: closed holes of a coverage, and narrow strips along borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis import coverage
from gis.geometry import area_ha
from gis.quality import Fault, Geometries, Kind, fault_at, polygonal, usable, width_m

METRES_PER_DEGREE = 111_320.0
ELONGATED = 8.0
"""A strip is at least this many times as long as it is wide; the wedge at a common corner is no strip."""
_MANY_VERTICES = 400
_TOUCHING_M = 0.01


def closed_gaps(geoms: Sequence[Any] | Geometries, minimum_m2: float = 1.0) -> list[Fault]:
    """The holes of the union of the polygons, largest first; the members are the polygons around each."""
    array = usable(geoms)
    present = np.flatnonzero(~shapely.is_missing(array))
    holes = coverage.gaps(array[present], minimum_m2)
    tree = shapely.STRtree(array[present])
    return [fault_at(Kind.GAP, _around(tree, present, gap.geometry), _single(gap.geometry)) for gap in holes]


def narrow_gaps(
    geoms: Sequence[Any] | Geometries, maximum_width_m: float = 1.0, minimum_m2: float = 1.0
) -> list[Fault]:
    """Uncovered strips narrower than `maximum_width_m` between neighbours or inside one polygon, largest first.

    A strip is what a morphological closing of two neighbours by half the width adds to them and no other polygon
    covers, so one that is open at an end counts as well.
    """
    array = usable(geoms)
    present = np.flatnonzero(~shapely.is_missing(array))
    shapes = array[present]
    if not len(shapes):
        return []
    tree = shapely.STRtree(shapes)
    pieces = [*_between(shapes, maximum_width_m), *_inside(shapes, maximum_width_m)]
    if not pieces:
        return []
    bare = _uncovered(np.array(pieces, dtype=object), shapes, tree)
    parts = shapely.get_parts(polygonal(np.array([shapely.union_all(bare)], dtype=object)))
    areas, widths = area_ha(parts) * 10_000.0, width_m(parts)
    strips = np.flatnonzero(
        (areas >= minimum_m2) & (widths < maximum_width_m) & (areas >= ELONGATED * widths**2)
    )
    order = strips[np.argsort(-areas[strips], kind="stable")]
    return [fault_at(Kind.NARROW_GAP, _around(tree, present, parts[k]), parts[k]) for k in order]


def _between(shapes: Geometries, width: float) -> list[Any]:
    """What closing each pair of close neighbours adds to them, in degrees; other polygons may lie in it."""
    steepest = float(np.abs(shapely.total_bounds(shapes)[[1, 3]]).max())
    degrees = width / METRES_PER_DEGREE / max(0.05, float(np.cos(np.radians(steepest))))
    edges = shapely.coverage_invalid_edges(shapes, gap_width=degrees)
    suspects = np.flatnonzero(~shapely.is_missing(edges) & ~shapely.is_empty(edges))
    left, right = shapely.STRtree(shapes[suspects]).query(
        shapes[suspects], predicate="dwithin", distance=degrees
    )
    once = left < right
    left, right = suspects[left[once]], suspects[right[once]]
    if not len(left):
        return []
    latitudes = shapely.get_y(shapely.centroid(edges[left]))
    first, second = to_metres(shapes[left], latitudes), to_metres(shapes[right], latitudes)
    large = np.flatnonzero(
        shapely.get_num_coordinates(first) + shapely.get_num_coordinates(second) > _MANY_VERTICES
    )
    if len(large):
        near = shapely.intersection(
            shapely.buffer(to_metres(edges[left[large]], latitudes[large]), 4 * width, quad_segs=2),
            shapely.buffer(to_metres(edges[right[large]], latitudes[large]), 4 * width, quad_segs=2),
        )
        first[large] = shapely.intersection(first[large], near)
        second[large] = shapely.intersection(second[large], near)
    both = shapely.union(first, second)
    grown = shapely.buffer(both, width / 2, join_style="mitre", mitre_limit=2.0)
    # A hair more is taken off than was put on, so that the closing never spills over the outer borders.
    closed = shapely.buffer(grown, -width / 2 - 1e-6, join_style="mitre", mitre_limit=2.0)
    added = polygonal(shapely.difference(closed, both))
    kept = ~shapely.is_empty(added)
    return list(to_degrees(added[kept], latitudes[kept]))


def _inside(shapes: Geometries, width: float) -> list[Any]:
    """The narrow holes of single polygons."""
    parts = shapely.get_parts(shapes)
    parts = parts[shapely.get_num_interior_rings(parts) > 0]
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    narrow = width_m(holes) < width if holes else np.zeros(0, bool)
    return [hole for hole, is_narrow in zip(holes, narrow, strict=True) if is_narrow]


def _uncovered(pieces: Geometries, shapes: Geometries, tree: shapely.STRtree) -> Geometries:
    """Each piece without the polygons that lie over it."""
    piece, shape = tree.query(pieces, predicate="intersects")
    order = np.argsort(piece, kind="stable")
    piece, shape = piece[order], shape[order]
    starts = np.searchsorted(piece, np.arange(len(pieces) + 1))
    covers = np.empty(len(pieces), dtype=object)
    boxes = shapely.box(*shapely.bounds(pieces).T)
    for k in range(len(pieces)):
        near = shapes[shape[starts[k] : starts[k + 1]]]
        # Only the neighbourhood of the piece matters, and large polygons are dear to unite.
        local = shapely.intersection(near, shapely.buffer(boxes[k], 1e-7, join_style="mitre"))
        covers[k] = shapely.union_all(local)
    bare: Geometries = shapely.difference(pieces, covers)
    return bare


def _around(tree: shapely.STRtree, numbers: npt.NDArray[np.intp], gap: Any) -> tuple[int, ...]:
    near = tree.query(gap, predicate="dwithin", distance=_TOUCHING_M / METRES_PER_DEGREE)
    return tuple(sorted(int(numbers[k]) for k in near))


def _single(shape: Any) -> Any:
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def to_metres(shapes: Geometries, latitudes: Any) -> Geometries:
    """Lon/lat shapes in metres of a plane that is true near each shape's own latitude (degrees)."""
    return _scaled(shapes, latitudes, METRES_PER_DEGREE)


def to_degrees(shapes: Geometries, latitudes: Any) -> Geometries:
    """The way back from `to_metres`."""
    return _scaled(shapes, latitudes, 1 / METRES_PER_DEGREE, back=True)


def _scaled(shapes: Geometries, latitudes: Any, factor: float, *, back: bool = False) -> Geometries:
    copied: Geometries = np.array(shapes, dtype=object)
    xy, index = shapely.get_coordinates(copied, return_index=True)
    shrink = np.cos(np.radians(np.broadcast_to(np.asarray(latitudes, dtype=float), len(copied))))[index]
    xy[:, 0] *= factor / shrink if back else factor * shrink
    xy[:, 1] *= factor
    moved: Geometries = shapely.set_coordinates(copied, xy)
    return moved
