"""Geometries as flat arrays of paths in tile units: extraction, clipping and snapping to the grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis.mvt.varint import Integers
from gis.tilegrid import WEB_MERCATOR_QUAD, TileGrid

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
Geometries = npt.NDArray[np.object_]

POINT, LINE, POLYGON = 1, 2, 3
"""Geometry types of the tile format (MVT 2.1 §4.3.4)."""

_KINDS = np.array([POINT, LINE, LINE, POLYGON, POINT, LINE, POLYGON, 0, 0])
"""Tile type by shapely type id; the last place serves -1, a missing geometry."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid of one tile: `extent` units a side, y down, with `buffer` units of surroundings."""

    tile: tuple[int, int, int]
    extent: int
    buffer: int
    grid: TileGrid = WEB_MERCATOR_QUAD

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The buffered tile in degrees."""
        return self.grid.tile_box(*self.tile, self.buffer, self.extent)

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """The buffered tile in tile units."""
        return -self.buffer, -self.buffer, self.extent + self.buffer, self.extent + self.buffer

    def project(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Tile units x, y, not yet rounded, of degrees."""
        west, south, _, north = self.grid.tile_bounds(*self.tile)
        scale = self.extent / (north - south)
        cap = self.grid.latitude_cap
        easting, northing = self.grid.forward(lon, np.clip(lat, -cap, cap))
        x: Floats = (easting - west) * scale
        y: Floats = (north - northing) * scale
        return x, y


@dataclass(frozen=True, slots=True)
class Paths:
    """Vertices of many paths in a row: point groups, lines, or rings without their closing vertex.

    `size` counts the vertices of each path, never 0; `feature` is the row it belongs to, and the paths of
    a feature stand together. `polygon` numbers the polygon of each ring, an outer ring and then its holes,
    which `hole` marks.
    """

    x: Numbers
    y: Numbers
    size: Integers
    feature: Integers
    polygon: Integers
    hole: Flags

    def __bool__(self) -> bool:
        return len(self.size) > 0

    @property
    def starts(self) -> Integers:
        """Index of the first vertex of every path."""
        first: Integers = np.cumsum(self.size) - self.size
        return first

    def take(self, chosen: Flags) -> Paths:
        """The paths of a mask."""
        vertices = np.repeat(chosen, self.size)
        return Paths(
            self.x[vertices],
            self.y[vertices],
            self.size[chosen],
            self.feature[chosen],
            self.polygon[chosen],
            self.hole[chosen],
        )

    def with_vertices(self, x: Numbers, y: Numbers) -> Paths:
        """The same paths with other coordinates, vertex by vertex."""
        return replace(self, x=x, y=y)

    def keep_vertices(self, kept: Flags) -> Paths:
        """The same paths without some of their vertices; each must keep at least one."""
        size = np.add.reduceat(kept, self.starts, dtype=np.int64)
        return replace(self, x=self.x[kept], y=self.y[kept], size=size)

    def steps(self) -> tuple[Numbers, Numbers]:
        """The vector from every vertex to the next one, around the ring or back to a line's beginning."""
        starts = self.starts
        ends = starts + self.size - 1
        dx, dy = np.empty_like(self.x), np.empty_like(self.y)
        for values, difference in ((self.x, dx), (self.y, dy)):
            np.subtract(values[1:], values[:-1], out=difference[:-1])
            difference[ends] = values[starts] - values[ends]
        return dx, dy

    def previous(self, values: Numbers) -> Numbers:
        """What the vertex before each vertex has of `values`, around the ring."""
        starts = self.starts
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[starts] = values[starts + self.size - 1]
        return shifted


def kind_of(geometries: Geometries) -> Integers:
    """POINT, LINE or POLYGON of every geometry, 0 for missing and empty ones and for collections."""
    kinds: Integers = _KINDS[shapely.get_type_id(geometries)]
    kinds[shapely.is_empty(geometries)] = 0
    return kinds


def snapped_points(geometries: Geometries, frame: Frame) -> Paths:
    """One group of whole-unit points per feature, those inside the buffered tile."""
    lonlat, feature = shapely.get_coordinates(geometries, return_index=True)
    x, y = (np.rint(values) for values in frame.project(lonlat[:, 0], lonlat[:, 1]))
    low, _, high, _ = frame.rectangle
    inside = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    counts = np.bincount(feature[inside], minlength=len(geometries))
    rows = np.flatnonzero(counts)
    return _unnested(x[inside].astype(np.int64), y[inside].astype(np.int64), counts[rows], rows)


def clipped(geometries: Geometries, kind: int, frame: Frame) -> Paths:
    """Lines or rings in tile units, cut at the buffered tile; what lies wholly inside is not touched."""
    west, south, east, north = frame.box
    left, low, right, high = shapely.bounds(geometries).T
    inside = (left >= west) & (low >= south) & (right <= east) & (high <= north)
    outside = (right < west) | (high < south) | (left > east) | (low > north)
    crossing = np.flatnonzero(~inside & ~outside)
    whole = extract(geometries[inside], np.flatnonzero(inside), kind)
    whole = whole.with_vertices(*frame.project(whole.x, whole.y))
    if not len(crossing):
        return whole

    def project(lonlat: Floats) -> Floats:
        return np.column_stack(frame.project(lonlat[:, 0], lonlat[:, 1]))

    cut = shapely.clip_by_rect(shapely.transform(geometries[crossing], project), *frame.rectangle)
    return join(whole, extract(cut, crossing, kind))


def join(first: Paths, second: Paths) -> Paths:
    """Two sets of paths, which share no feature, as one."""
    if not first or not second:
        return first or second
    return Paths(
        np.concatenate((first.x, second.x)),
        np.concatenate((first.y, second.y)),
        np.concatenate((first.size, second.size)),
        np.concatenate((first.feature, second.feature)),
        np.concatenate((first.polygon, second.polygon + first.polygon.max() + 1)),
        np.concatenate((first.hole, second.hole)),
    )


def snapped(paths: Paths, *, closed: bool, drop_collinear: bool) -> Paths:
    """Paths on whole units without repeated vertices; lines of one vertex and rings of two disappear.

    With `drop_collinear` a vertex on the straight way between its neighbours is left out too, which
    changes no shape.
    """
    if not paths:
        return paths.with_vertices(paths.x.astype(np.int64), paths.y.astype(np.int64))
    whole = paths.with_vertices(np.rint(paths.x).astype(np.int64), np.rint(paths.y).astype(np.int64))
    dx, dy = whole.steps()
    moves = (dx != 0) | (dy != 0)
    if not closed:
        moves[whole.starts + whole.size - 1] = True
    elif not moves.all():
        # A ring that collapsed to a point keeps one vertex here and is dropped below with the short ones.
        moves[whole.starts] |= ~np.logical_or.reduceat(moves, whole.starts)
    if not moves.all():
        whole, dx, dy = whole.keep_vertices(moves), dx[moves], dy[moves]
    if drop_collinear:
        whole = _without_straight(whole, dx, dy, closed)
    enough = whole.size >= (3 if closed else 2)
    return whole if enough.all() else whole.take(enough)


def _without_straight(whole: Paths, dx: Numbers, dy: Numbers, closed: bool) -> Paths:
    before_x, before_y = whole.previous(dx), whole.previous(dy)
    straight = (before_x * dy == before_y * dx) & (before_x * dx + before_y * dy > 0)
    if not closed:
        starts = whole.starts
        straight[starts] = False
        straight[starts + whole.size - 1] = False
    return whole.keep_vertices(~straight) if straight.any() else whole


def extract(geometries: Geometries, rows: Integers, kind: int) -> Paths:
    """Flat arrays of the lines or rings of some geometries; `rows` are their feature indexes."""
    parts, part_row = shapely.get_parts(geometries, return_index=True)
    types = shapely.get_type_id(parts)
    wanted = ((types == 3) if kind == POLYGON else (types == 1) | (types == 2)) & ~shapely.is_empty(parts)
    if not wanted.all():
        parts, part_row = parts[wanted], part_row[wanted]
    if kind == LINE:
        xy, path = shapely.get_coordinates(parts, return_index=True)
        size = np.bincount(path, minlength=len(parts))
        return _unnested(xy[:, 0], xy[:, 1], size, rows[part_row])
    if shapely.get_num_interior_rings(parts).any():
        rings, ring_part = shapely.get_rings(parts, return_index=True)
        hole = np.concatenate(([False], ring_part[1:] == ring_part[:-1]))
    else:
        rings, ring_part, hole = parts, np.arange(len(parts)), np.zeros(len(parts), bool)
    xy, path = shapely.get_coordinates(rings, return_index=True)
    size = np.bincount(path, minlength=len(rings))
    open_ring = np.ones(len(xy), bool)
    open_ring[np.cumsum(size) - 1] = False
    return Paths(
        xy[:, 0][open_ring], xy[:, 1][open_ring], size - 1, rows[part_row[ring_part]], ring_part, hole
    )


def _unnested(x: Numbers, y: Numbers, size: Integers, feature: Integers) -> Paths:
    return Paths(x, y, size, feature, np.arange(len(size)), np.zeros(len(size), bool))
