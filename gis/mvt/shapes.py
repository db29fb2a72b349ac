"""Geometries as flat arrays of paths in tile units: extraction, clipping and snapping to the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis.crs import EARTH_RADIUS
from gis.mvt.varint import Integers, spans
from gis.tilegrid import LATITUDE_LIMIT, tile_bounds, tile_box

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]

POINT, LINE, POLYGON = 1, 2, 3
"""Geometry types of the tile format (MVT 2.1 §4.3.4)."""

# Past the edge of the square world a tile's buffer may still show something; a pole would be infinite.
_LATITUDE_CAP = LATITUDE_LIMIT + 4.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid of one tile: `extent` units a side, y down, with `buffer` units of surroundings."""

    tile: tuple[int, int, int]
    extent: int
    buffer: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The buffered tile in degrees."""
        return tile_box(*self.tile, self.buffer, self.extent)

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """The buffered tile in tile units."""
        return -self.buffer, -self.buffer, self.extent + self.buffer, self.extent + self.buffer

    def project(self, lonlat: Floats) -> Floats:
        """Tile units (V, 2), not yet rounded, of degrees (V, 2)."""
        west, south, _, north = tile_bounds(*self.tile)
        scale = self.extent / (north - south)
        units = np.empty_like(lonlat)
        units[:, 0] = (lonlat[:, 0] * (math.pi / 180 * EARTH_RADIUS) - west) * scale
        latitude = np.clip(lonlat[:, 1], -_LATITUDE_CAP, _LATITUDE_CAP) * (math.pi / 360)
        units[:, 1] = (north - np.log(np.tan(latitude + math.pi / 4)) * EARTH_RADIUS) * scale
        return units


@dataclass(frozen=True, slots=True)
class Paths:
    """Vertices of many paths in a row: point groups, lines, or rings without their closing vertex.

    `size` counts the vertices of each path, `feature` is the row it belongs to (ascending). `polygon`
    numbers the polygon of each ring, an outer ring and then its holes, which `hole` marks.
    """

    xy: npt.NDArray[Any]
    size: Integers
    feature: Integers
    polygon: Integers
    hole: Flags

    @property
    def starts(self) -> Integers:
        """Index of the first vertex of every path."""
        first: Integers = np.cumsum(self.size) - self.size
        return first

    def take(self, chosen: Any) -> Paths:
        """The paths of a mask or an index array, in that order."""
        size = self.size[chosen]
        vertices = self.xy[spans(self.starts[chosen], size)]
        return Paths(vertices, size, self.feature[chosen], self.polygon[chosen], self.hole[chosen])

    def with_vertices(self, xy: npt.NDArray[Any]) -> Paths:
        """The same paths with other coordinates, vertex by vertex."""
        return replace(self, xy=xy)

    def keep_vertices(self, kept: Flags) -> Paths:
        """The same paths without some of their vertices; paths that have none left disappear."""
        counts = np.bincount(self.path_of_vertex()[kept], minlength=len(self.size))
        alive = counts > 0
        return Paths(self.xy[kept], counts[alive], self.feature[alive], self.polygon[alive], self.hole[alive])

    def path_of_vertex(self) -> Integers:
        """The path of every vertex."""
        return np.repeat(np.arange(len(self.size)), self.size)

    def followers(self) -> Integers:
        """Index of the next vertex of every vertex, around the ring."""
        following = np.arange(1, len(self.xy) + 1)
        following[self.starts + self.size - 1] = self.starts
        return following


def kind_of(geometries: Geometries) -> Integers:
    """POINT, LINE or POLYGON of every geometry, 0 for missing and empty ones and for collections."""
    kinds = _KINDS[shapely.get_type_id(geometries)]
    kinds[shapely.is_empty(geometries)] = 0
    result: Integers = kinds
    return result


_KINDS = np.array([POINT, LINE, LINE, POLYGON, POINT, LINE, POLYGON, 0, 0])
"""Tile type by shapely type id; the last place serves -1, a missing geometry."""


def snapped_points(geometries: Geometries, frame: Frame) -> Paths:
    """One group of whole-unit points per feature, those inside the buffered tile."""
    lonlat, feature = shapely.get_coordinates(geometries, return_index=True)
    units = np.rint(frame.project(lonlat))
    low, _, high, _ = frame.rectangle
    inside = ((units >= low) & (units <= high)).all(axis=1)
    counts = np.bincount(feature[inside], minlength=len(geometries))
    rows = np.flatnonzero(counts)
    return _unnested(units[inside].astype(np.int64), counts[rows], rows)


def clipped(geometries: Geometries, kind: int, frame: Frame) -> Paths:
    """Lines or rings in tile units, cut at the buffered tile; what lies wholly inside is not touched."""
    west, south, east, north = frame.box
    bounds = shapely.bounds(geometries)
    inside = (
        (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    )
    outside = (bounds[:, 2] < west) | (bounds[:, 3] < south) | (bounds[:, 0] > east) | (bounds[:, 1] > north)
    crossing = np.flatnonzero(~inside & ~outside)
    whole = extract(geometries[inside], np.flatnonzero(inside), kind)
    whole = whole.with_vertices(frame.project(whole.xy))
    if not len(crossing):
        return whole
    cut = shapely.clip_by_rect(shapely.transform(geometries[crossing], frame.project), *frame.rectangle)
    return merge(whole, extract(cut, crossing, kind))


def merge(first: Paths, second: Paths) -> Paths:
    """Two sets of paths as one, ordered by feature."""
    if not len(first.size) or not len(second.size):
        return first if len(first.size) else second
    both = Paths(
        np.concatenate((first.xy, second.xy)),
        np.concatenate((first.size, second.size)),
        np.concatenate((first.feature, second.feature)),
        np.concatenate((first.polygon, second.polygon + first.polygon.max() + 1)),
        np.concatenate((first.hole, second.hole)),
    )
    return both.take(np.argsort(both.feature, kind="stable"))


def snapped(paths: Paths, closed: bool, drop_collinear: bool) -> Paths:
    """Paths on whole units without repeated vertices; lines of one vertex and rings of two disappear.

    With `drop_collinear` a vertex on the straight way between its neighbours is left out too, which
    changes no shape.
    """
    whole = paths.with_vertices(np.rint(paths.xy).astype(np.int64))
    if not len(whole.size):
        return whole
    _, step_in = _steps(whole, closed)
    kept = step_in.any(axis=1)
    if not closed:
        kept[whole.starts] = True
    whole = whole.keep_vertices(kept)
    if drop_collinear and len(whole.size):
        step_out, step_in = _steps(whole, closed)
        cross = step_in[:, 0] * step_out[:, 1] - step_in[:, 1] * step_out[:, 0]
        along = step_in[:, 0] * step_out[:, 0] + step_in[:, 1] * step_out[:, 1]
        straight = (cross == 0) & (along > 0)
        if straight.any():
            whole = whole.keep_vertices(~straight)
    enough = whole.size >= (3 if closed else 2)
    return whole if enough.all() else whole.take(enough)


def _steps(paths: Paths, closed: bool) -> tuple[Integers, Integers]:
    """The vectors to the next and from the previous vertex; zero beyond the ends of a line."""
    following = paths.followers()
    step_out = paths.xy[following] - paths.xy
    step_in = np.empty_like(step_out)
    step_in[following] = step_out
    if not closed:
        step_out[paths.starts + paths.size - 1] = 0
        step_in[paths.starts] = 0
    return step_out, step_in


def extract(geometries: Geometries, rows: Integers, kind: int) -> Paths:
    """Flat arrays of the lines or rings of some geometries; `rows` are their feature indexes."""
    parts, part_row = shapely.get_parts(geometries, return_index=True)
    wanted = np.isin(shapely.get_type_id(parts), (3,) if kind == POLYGON else (1, 2))
    if not wanted.all():
        parts, part_row = parts[wanted], part_row[wanted]
    if kind == LINE:
        xy, path = shapely.get_coordinates(parts, return_index=True)
        size = np.bincount(path, minlength=len(parts))
        return _unnested(xy, size, rows[part_row])
    if shapely.get_num_interior_rings(parts).any():
        rings, ring_part = shapely.get_rings(parts, return_index=True)
        hole = np.concatenate(([False], ring_part[1:] == ring_part[:-1]))
    else:
        rings, ring_part, hole = parts, np.arange(len(parts)), np.zeros(len(parts), bool)
    xy, path = shapely.get_coordinates(rings, return_index=True)
    size = np.bincount(path, minlength=len(rings))
    open_ring = np.ones(len(xy), bool)
    open_ring[np.cumsum(size) - 1] = False
    return Paths(xy[open_ring], size - 1, rows[part_row[ring_part]], ring_part, hole)


def _unnested(xy: npt.NDArray[Any], size: Integers, feature: Integers) -> Paths:
    return Paths(xy, size, feature, np.arange(len(size)), np.zeros(len(size), bool))
