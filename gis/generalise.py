"""Fewer and simpler shapes for small scales: shared borders stay shared, small areas grow together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from gis.crs import from_mercator, to_mercator
from gis.geometry import area_ha, promote_multi
from gis.mvt.polygons import assembled, valid_polygons
from gis.mvt.shapes import POLYGON, Paths, extract
from gis.mvt.varint import run_starts

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]
Geometries = npt.NDArray[np.object_]

# A shape at least this many grid steps wide or high keeps its outline; smaller ones are gathered in blocks.
_OUTLINE_STEPS = 2.0


class Coalesced(NamedTuple):
    """Groups of polygons as one multipolygon each, in the order of their keys and places."""

    geometries: Geometries
    keys: npt.NDArray[Any]
    counts: Integers
    area_ha: Floats


def simplify_coverage(geometries: Any, tolerance: float) -> Geometries:
    """Polygons of a coverage with fewer vertices; neighbours still share their borders exactly.

    `tolerance` is in the units of the coordinates, about the side of the details that go (the square root
    of a Visvalingam–Whyatt area). Missing and empty geometries stay as they are. The input must be a
    coverage without overlaps whose neighbours share vertices; otherwise borders part where they differ.
    """
    result = np.array(geometries, dtype=object)
    polygonal = np.isin(shapely.get_type_id(result), (3, 6)) & ~shapely.is_empty(result)
    if polygonal.any():
        result[polygonal] = shapely.coverage_simplify(result[polygonal], tolerance)
    return result


def snap_cells(geometries: Any, cell: float) -> Geometries:
    """Polygons with every vertex on a grid of `cell` (units of the coordinates), as valid multipolygons.

    Vertices that fall together become one; polygons that vanish on the grid, and whatever is no polygon,
    become None.
    """
    array = np.asarray(geometries, dtype=object)
    on_grid = _on_grid(extract(array, np.arange(len(array)), POLYGON), cell)
    result = np.full(len(array), None, dtype=object)
    if on_grid:
        result[on_grid.feature[run_starts(on_grid.feature)]] = _scaled(assembled(on_grid), cell)
    return result


def coalesce(geometries: Any, keys: Any, cell_m: float, *, detail: int = 16) -> Coalesced:
    """Lon/lat polygons united by key and grid cell, for the overview of many small areas.

    `geometries` (N) are polygons or multipolygons, `keys` (N) any values that NumPy can sort. Every polygon
    goes to the cell of `cell_m` Web Mercator metres that holds the middle of its box. A group's shape is
    drawn on a grid of `cell_m` / `detail`: larger polygons keep their outline, smaller ones fill the squares
    where most of their area lies, as many as together have that area (at least one). `counts` and `area_ha`
    are of the polygons themselves, on the ellipsoid, so totals stay true. Missing and empty geometries, and
    those that are no polygons, are left out.
    """
    array = np.asarray(geometries, dtype=object)
    usable = np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_empty(array)
    array, names = array[usable], np.asarray(keys)[usable]
    if not len(array):
        return Coalesced(array, names, np.zeros(0, np.int64), np.zeros(0))
    step = cell_m / detail
    paths = extract(array, np.arange(len(array)), POLYGON)
    x, y = to_mercator(paths.x, paths.y)
    paths = paths.with_vertices(x / step, y / step)
    boxes = _boxes(paths)
    distinct, key = np.unique(names, return_inverse=True)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    cell = np.floor(middle / detail).astype(np.int64)
    groups, group = np.unique(np.column_stack((key, cell)), axis=0, return_inverse=True)
    group = group.ravel()

    large = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= _OUTLINE_STEPS
    outlines = _on_grid(paths.take(large[paths.feature]), 1.0)
    outlined = outlines.feature[run_starts(outlines.feature)]
    small = np.ones(len(array), bool)
    small[outlined] = False
    blocks, block_group = _blocks(middle[small], _areas(paths, len(array))[small], group[small])
    pieces = np.concatenate((blocks, assembled(outlines) if outlines else blocks[:0]))
    piece_group = np.concatenate((block_group, group[outlined]))
    shapes = _united(pieces, piece_group, len(groups))
    return Coalesced(
        _to_degrees(shapes, step),
        distinct[groups[:, 0]],
        np.bincount(group, minlength=len(groups)),
        np.bincount(group, area_ha(array), minlength=len(groups)).astype(np.float64),
    )


def _on_grid(paths: Paths, cell: float) -> Paths:
    return valid_polygons(paths.with_vertices(paths.x / cell, paths.y / cell), drop_collinear=True)


def _scaled(geometries: Geometries, factor: float) -> Geometries:
    scaled: Geometries = shapely.transform(geometries, lambda xy: xy * factor)
    return scaled


def _to_degrees(geometries: Geometries, step: float) -> Geometries:
    def move(xy: Floats) -> Floats:
        return np.column_stack(from_mercator(xy[:, 0] * step, xy[:, 1] * step))

    moved: Geometries = shapely.transform(geometries, move)
    # Where a corner touched a slanting border on the grid, the curved projection may have pushed it across.
    crossed = ~shapely.is_valid(moved)
    if crossed.any():
        moved[crossed] = shapely.make_valid(moved[crossed], method="structure", keep_collapsed=False)
    return promote_multi(shapely.orient_polygons(moved))


def _boxes(paths: Paths) -> Floats:
    """Bounds (N, 4) of every feature; the paths hold all features in order."""
    first = paths.starts[run_starts(paths.feature)]
    lows = (np.minimum.reduceat(paths.x, first), np.minimum.reduceat(paths.y, first))
    highs = (np.maximum.reduceat(paths.x, first), np.maximum.reduceat(paths.y, first))
    return np.column_stack((*lows, *highs))


def _areas(paths: Paths, count: int) -> Floats:
    """Plane area of every feature, holes subtracted."""
    dx, dy = paths.steps()
    rings = np.abs(np.add.reduceat(paths.x * dy - paths.y * dx, paths.starts)) / 2
    signed = np.where(paths.hole, -rings, rings)
    return np.bincount(paths.feature, signed, minlength=count).astype(np.float64)


def _blocks(middle: Floats, areas: Floats, group: Integers) -> tuple[Geometries, Integers]:
    """The unit squares that stand for many small shapes, and their groups; `areas` are in squares."""
    places = np.column_stack((group, np.floor(middle).astype(np.int64)))
    squares, square = np.unique(places, axis=0, return_inverse=True)
    owner = squares[:, 0]
    filled = np.bincount(square.ravel(), areas, minlength=len(squares))
    order = np.lexsort((-filled, owner))
    owner = owner[order]
    firsts = run_starts(owner)
    sizes = np.diff(np.append(firsts, len(owner)))
    rank = np.arange(len(owner)) - np.repeat(firsts, sizes)
    quota = np.maximum(np.rint(np.bincount(owner, filled[order])), 1)
    chosen = order[rank < quota[owner]]
    x, y = squares[chosen, 1].astype(np.float64), squares[chosen, 2].astype(np.float64)
    blocks: Geometries = shapely.box(x, y, x + 1, y + 1)
    return blocks, squares[chosen, 0]


def _united(pieces: Geometries, group: Integers, count: int) -> Geometries:
    """One multipolygon per group: its pieces united."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=count))
    united = np.array([shapely.union_all(part) for part in np.split(pieces[order], ends[:-1])], dtype=object)
    parts, owner = shapely.get_parts(united, return_index=True)
    shapes: Geometries = shapely.multipolygons(parts, indices=owner)
    return shapes
