"""Rings on the tile grid: direction, nesting, and repair of what snapping made invalid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from gis.mvt.shapes import POLYGON, Flags, Floats, Geometries, Paths, extract, merge, snapped
from gis.mvt.varint import Integers


def valid_polygons(paths: Paths, drop_collinear: bool) -> Paths:
    """Rings of valid polygons on whole tile units, wound as MVT 2.1 §4.3.4.4 asks.

    Outer rings have positive area by the surveyor's formula (clockwise on the screen, y down), holes
    negative. Polygons that collapse disappear; polygons that snapping made invalid are rebuilt on the grid.
    """
    rings = _oriented(snapped(paths, closed=True, drop_collinear=drop_collinear))
    doubtful = _doubtful_features(rings)
    if not doubtful.any():
        return rings
    suspects = rings.take(doubtful[rings.feature])
    shapes = _assemble(suspects)
    invalid = ~shapely.is_valid(shapes)
    if not invalid.any():
        return rings
    rows = np.unique(suspects.feature)[invalid]
    broken = np.zeros(len(doubtful), bool)
    broken[rows] = True
    rebuilt = _oriented(snapped(_rebuilt(shapes[invalid], rows), closed=True, drop_collinear=drop_collinear))
    return merge(rings.take(~broken[rings.feature]), rebuilt)


def _oriented(rings: Paths) -> Paths:
    """Rings with an area, in the direction of their role; holes go when their outer ring is gone."""
    if not len(rings.size):
        return rings
    areas = _double_areas(rings)
    alive = areas != 0
    if rings.hole.any():
        has_outer = np.zeros(int(rings.polygon.max()) + 1, bool)
        has_outer[rings.polygon[alive & ~rings.hole]] = True
        alive &= has_outer[rings.polygon]
    if not alive.all():
        rings, areas = rings.take(alive), areas[alive]
    backward = (areas < 0) != rings.hole
    if not backward.any():
        return rings
    order = np.arange(len(rings.xy))
    turned = np.repeat(backward, rings.size)
    mirror = np.repeat(2 * rings.starts + rings.size - 1, rings.size) - order
    order[turned] = mirror[turned]
    return rings.with_vertices(rings.xy[order])


def _double_areas(rings: Paths) -> Integers:
    """Twice the signed area of every ring by the surveyor's formula."""
    here, there = rings.xy, rings.xy[rings.followers()]
    cross = here[:, 0] * there[:, 1] - there[:, 0] * here[:, 1]
    areas: Integers = np.add.reduceat(cross, rings.starts)
    return areas


def _doubtful_features(rings: Paths) -> Flags:
    """Features (by index) whose validity GEOS has to judge.

    A ring that runs once around its middle, always turning the same way as seen from there, cannot meet
    itself; most parcels are so, and this costs a tenth of a full test.
    """
    if not len(rings.size):
        return np.zeros(0, bool)
    rings_of_feature = np.bincount(rings.feature)
    doubtful = rings_of_feature > 1
    doubtful[rings.feature[~_runs_once_around_middle(rings)]] = True
    return doubtful


def _runs_once_around_middle(rings: Paths) -> Flags:
    starts, size = rings.starts, rings.size
    middle: Floats = np.add.reduceat(rings.xy, starts, axis=0) / size[:, None]
    arm = rings.xy - np.repeat(middle, size, axis=0)
    following = arm[rings.followers()]
    cross = arm[:, 0] * following[:, 1] - arm[:, 1] * following[:, 0]
    # The products are below 1e8 and their rounding below 1e-7, so this margin makes the sign certain.
    forward = np.minimum.reduceat(cross, starts) > 1e-6
    passes = (arm[:, 1] < 0) & (following[:, 1] >= 0)
    laps = np.add.reduceat(passes, starts, dtype=np.int64)
    return forward & (laps == 1)


def _assemble(rings: Paths) -> Geometries:
    """One multipolygon per feature of the rings, in the order of the features."""
    path = rings.path_of_vertex()
    linear = shapely.linearrings(rings.xy.astype(np.float64), indices=path)
    polygon = _renumbered(rings.polygon)
    polygons = shapely.polygons(linear, indices=polygon)
    owner = _renumbered(rings.feature[~rings.hole])
    shapes: Geometries = shapely.multipolygons(polygons, indices=owner)
    return shapes


def _renumbered(values: Integers) -> Integers:
    """Runs of equal values as 0, 1, 2, …"""
    numbers: Integers = np.cumsum(np.concatenate(([0], values[1:] != values[:-1])))
    return numbers


def _rebuilt(shapes: npt.NDArray[np.object_], rows: Integers) -> Paths:
    """The nearest valid polygons with whole-unit vertices, of invalid ones; `rows` are their features."""
    repaired = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    on_grid = shapely.set_precision(repaired, 1.0)
    usable = shapely.is_valid(on_grid) & np.isin(shapely.get_type_id(on_grid), (3, 6))
    return extract(on_grid[usable], rows[usable], POLYGON)
