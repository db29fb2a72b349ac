"""Rings on the tile grid: direction, nesting, and repair of what snapping made invalid."""

from __future__ import annotations

import numpy as np
import shapely

from gis.mvt.shapes import POLYGON, Flags, Geometries, Numbers, Paths, extract, join, snapped
from gis.mvt.varint import Integers, run_starts


def valid_polygons(paths: Paths, *, drop_collinear: bool) -> Paths:
    """Rings of valid polygons on whole tile units, wound as MVT 2.1 §4.3.4.4 asks.

    Outer rings have positive area by the surveyor's formula (clockwise on the screen, y down), holes
    negative. Polygons that collapse disappear; polygons that snapping made invalid are rebuilt on the grid.
    """
    rings, doubtful = _oriented(snapped(paths, closed=True, drop_collinear=drop_collinear))
    if not doubtful.any():
        return rings
    suspects = rings.take(doubtful)
    shapes = assembled(suspects)
    invalid = ~shapely.is_valid(shapes)
    if not invalid.any():
        return rings
    rows = suspects.feature[run_starts(suspects.feature)][invalid]
    rebuilt, _ = _oriented(
        snapped(_rebuilt(shapes[invalid], rows), closed=True, drop_collinear=drop_collinear)
    )
    return join(rings.take(~np.isin(rings.feature, rows)), rebuilt)


def _oriented(rings: Paths) -> tuple[Paths, Flags]:
    """Rings with an area, in the direction of their role, and which of them GEOS has to judge.

    Holes go when their outer ring is gone. A lone ring that runs once around its middle, always turning
    the same way as seen from there, cannot meet itself; most parcels are so, and to find out costs a tenth
    of a full test.
    """
    if not rings:
        return rings, np.zeros(0, bool)
    starts = rings.starts
    dx, dy = rings.steps()
    cross = rings.x * dy - rings.y * dx
    areas = np.add.reduceat(cross, starts)
    simple = _runs_once_around_middle(rings, dx, dy, cross, areas)
    # A ring in the shape of an 8 may sum up to nothing and still enclose two places; GEOS finds them.
    alive = (areas != 0) | (rings.size > 3) & ~rings.hole
    if rings.hole.any():
        has_outer = np.zeros(int(rings.polygon.max()) + 1, bool)
        has_outer[rings.polygon[alive & ~rings.hole]] = True
        alive &= has_outer[rings.polygon]
    if not alive.all():
        rings, areas, simple = rings.take(alive), areas[alive], simple[alive]
    alone = np.bincount(rings.feature, minlength=1)[rings.feature] == 1
    return _turned(rings, (areas < 0) != rings.hole), ~(alone & simple)


def _turned(rings: Paths, backward: Flags) -> Paths:
    """The same rings, some of them run through the other way."""
    if not backward.any():
        return rings
    mirror = np.repeat(2 * rings.starts + rings.size - 1, rings.size)
    order = np.arange(len(rings.x))
    np.subtract(mirror, order, out=order, where=np.repeat(backward, rings.size))
    return rings.with_vertices(rings.x[order], rings.y[order])


def _runs_once_around_middle(
    rings: Paths, dx: Numbers, dy: Numbers, cross: Numbers, areas: Integers
) -> Flags:
    """Whether every edge of a ring passes its mean vertex on the same side, in one single lap."""
    starts, size = rings.starts, rings.size
    middle_x = np.repeat(np.add.reduceat(rings.x, starts) / size, size)
    middle_y = np.repeat(np.add.reduceat(rings.y, starts) / size, size)
    turn = cross + middle_y * dx - middle_x * dy
    turn *= np.repeat(np.sign(areas), size)
    # The terms are below 1e9 and their rounding below 1e-6, so this margin makes the sign certain.
    one_way = np.minimum.reduceat(turn, starts) > 1e-4
    above = rings.y >= middle_y
    laps = np.add.reduceat(above & ~rings.previous(above), starts, dtype=np.int64)
    once: Flags = one_way & (laps == 1)
    return once


def assembled(rings: Paths) -> Geometries:
    """One multipolygon per feature of the rings, in their order."""
    path = np.repeat(np.arange(len(rings.size)), rings.size)
    linear = shapely.linearrings(rings.x.astype(np.float64), rings.y.astype(np.float64), indices=path)
    polygons = shapely.polygons(linear, indices=_renumbered(rings.polygon))
    shapes: Geometries = shapely.multipolygons(polygons, indices=_renumbered(rings.feature[~rings.hole]))
    return shapes


def _renumbered(values: Integers) -> Integers:
    """Runs of equal values as 0, 1, 2, …"""
    numbers: Integers = np.cumsum(np.concatenate(([0], values[1:] != values[:-1])))
    return numbers


def _rebuilt(shapes: Geometries, rows: Integers) -> Paths:
    """The nearest valid polygons with whole-unit vertices, of invalid ones; `rows` are their features."""
    repaired = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    on_grid = shapely.set_precision(repaired, 1.0)
    usable = shapely.is_valid(on_grid) & np.isin(shapely.get_type_id(on_grid), (3, 6))
    return extract(on_grid[usable], rows[usable], POLYGON)
