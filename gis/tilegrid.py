"""Tile grids of OGC 17-083r4, Annex D, rows counted from the north: WebMercatorQuad and WorldCRS84Quad.

The functions of the module speak of WebMercatorQuad, the grid of web maps; a `TileGrid` does the same for either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gis.crs import EARTH_RADIUS, from_mercator, to_mercator

Box = tuple[float, float, float, float]
Floats = npt.NDArray[np.float64]
Projection = Callable[[npt.ArrayLike, npt.ArrayLike], tuple[Floats, Floats]]

HALF_WORLD = math.pi * EARTH_RADIUS
"""Half the side of the square world in EPSG:3857 metres."""

LATITUDE_LIMIT = math.degrees(math.atan(math.sinh(math.pi)))
"""Latitude of the upper edge of the square world, 85.05 degrees."""

MAX_ZOOM = 30

_SLACK = 1e-6
"""Part of a tile by which rounding may miss a grid line."""


def _unprojected(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TileGrid:
    """A pyramid of square tiles whose number doubles in both directions with each level.

    `columns` is the number of tiles beside each other at level 0, where there is one row; `half_width` and
    `half_height` are half the sides of the world in units of `crs`, whose origin is its middle. `forward` leads
    from lon/lat degrees to x, y, and `inverse` back. `latitude_limit` is where the grid ends, `latitude_cap` how
    far beyond it a buffer may look. `zoom_offset` is what to add to a level for the zoom of a web map at the
    same scale.
    """

    id: str
    crs: str
    columns: int
    half_width: float
    half_height: float
    metres_per_unit: float
    latitude_limit: float
    latitude_cap: float
    zoom_offset: int
    forward: Projection
    inverse: Projection

    def exists(self, z: int, x: int, y: int) -> bool:
        """Whether the grid has such a tile."""
        return 0 <= z <= MAX_ZOOM and 0 <= x < self.columns << z and 0 <= y < 1 << z

    def side(self, z: int) -> float:
        """Side of a tile in units of the system."""
        return 2 * self.half_height / (1 << z)

    def tile_bounds(self, z: int, x: int, y: int) -> Box:
        """West, south, east, north of a tile in units of the system."""
        side = self.side(z)
        return (
            x * side - self.half_width,
            self.half_height - (y + 1) * side,
            (x + 1) * side - self.half_width,
            self.half_height - y * side,
        )

    def tile_box(self, z: int, x: int, y: int, buffer: int = 0, extent: int = 4096) -> Box:
        """West, south, east, north of a tile in degrees, widened by `buffer` of its `extent` units on each side.

        The box may leave the world of the grid; it never passes a pole.
        """
        west, south, east, north = self.tile_bounds(z, x, y)
        margin = (east - west) * buffer / extent
        lon, lat = self.inverse(
            np.array([west - margin, east + margin]), np.array([south - margin, north + margin])
        )
        return float(lon[0]), max(float(lat[0]), -90.0), float(lon[1]), min(float(lat[1]), 90.0)

    def tile_range(self, bbox: Box, z: int) -> tuple[int, int, int, int]:
        """First column, first row, last column, last row (inclusive) that a lon/lat box touches at a level.

        An eastern or southern side that lies exactly on a grid line does not take in the next tile.
        """
        west, south, east, north = bbox
        lat = np.clip([north, south], -self.latitude_limit, self.latitude_limit)
        x, y = self.forward(np.clip([west, east], -180.0, 180.0), lat)
        scale = 1 / self.side(z)
        columns, rows = (x + self.half_width) * scale, (self.half_height - y) * scale
        limits = (self.columns << z) - 1, (1 << z) - 1
        first_x, first_y = (
            min(max(math.floor(value + _SLACK), 0), limit)
            for value, limit in zip((columns[0], rows[0]), limits, strict=True)
        )
        last_x, last_y = (
            min(max(math.ceil(value - _SLACK) - 1, 0), limit)
            for value, limit in zip((columns[1], rows[1]), limits, strict=True)
        )
        return first_x, first_y, max(first_x, last_x), max(first_y, last_y)

    def in_limits(self, z: int, x: int, y: int, bbox: Box, minzoom: int, maxzoom: int) -> bool:
        """Whether a tile exists, lies within the levels, and touches the lon/lat box of the data."""
        if not minzoom <= z <= maxzoom or not self.exists(z, x, y):
            return False
        first_x, first_y, last_x, last_y = self.tile_range(bbox, z)
        return first_x <= x <= last_x and first_y <= y <= last_y

    def resolution(self, z: int, extent: int = 256) -> float:
        """Side in units of the system of one of the `extent` units of a tile: the cell size for 256."""
        return self.side(z) / extent


WEB_MERCATOR_QUAD = TileGrid(
    id="WebMercatorQuad",
    crs="EPSG:3857",
    columns=1,
    half_width=HALF_WORLD,
    half_height=HALF_WORLD,
    metres_per_unit=1.0,
    latitude_limit=LATITUDE_LIMIT,
    # Past the edge of the square world a buffer may still show something; a pole would be infinite.
    latitude_cap=LATITUDE_LIMIT + 4.0,
    zoom_offset=0,
    forward=to_mercator,
    inverse=from_mercator,
)
WORLD_CRS84_QUAD = TileGrid(
    id="WorldCRS84Quad",
    crs="OGC:CRS84",
    columns=2,
    half_width=180.0,
    half_height=90.0,
    metres_per_unit=math.radians(1) * EARTH_RADIUS,
    latitude_limit=90.0,
    latitude_cap=90.0,
    zoom_offset=1,
    forward=_unprojected,
    inverse=_unprojected,
)
GRIDS = {grid.id: grid for grid in (WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD)}
"""The grids by their names in the OGC register."""


def exists(z: int, x: int, y: int) -> bool:
    """Whether the grid has such a tile."""
    return WEB_MERCATOR_QUAD.exists(z, x, y)


def tile_bounds(z: int, x: int, y: int) -> Box:
    """West, south, east, north of a tile in EPSG:3857 metres."""
    return WEB_MERCATOR_QUAD.tile_bounds(z, x, y)


def tile_box(z: int, x: int, y: int, buffer: int = 0, extent: int = 4096) -> Box:
    """West, south, east, north of a tile in degrees, widened by `buffer` of its `extent` units on each side.

    The box may leave the square world; it never reaches a pole.
    """
    return WEB_MERCATOR_QUAD.tile_box(z, x, y, buffer, extent)


def tile_range(bbox: Box, z: int) -> tuple[int, int, int, int]:
    """First column, first row, last column, last row (inclusive) that a lon/lat box touches at a zoom.

    An eastern or southern side that lies exactly on a grid line does not take in the next tile.
    """
    return WEB_MERCATOR_QUAD.tile_range(bbox, z)


def tiles_covering(bbox: Box, z: int) -> Iterator[tuple[int, int, int]]:
    """The (z, x, y) of every tile that a lon/lat box (west, south, east, north) touches, row by row."""
    first_x, first_y, last_x, last_y = tile_range(bbox, z)
    for y in range(first_y, last_y + 1):
        for x in range(first_x, last_x + 1):
            yield z, x, y


def in_limits(z: int, x: int, y: int, bbox: Box, minzoom: int, maxzoom: int) -> bool:
    """Whether a tile exists, lies within the zooms, and touches the lon/lat box of the data."""
    return WEB_MERCATOR_QUAD.in_limits(z, x, y, bbox, minzoom, maxzoom)


def resolution(z: int, extent: int = 4096) -> float:
    """Side in EPSG:3857 metres of one of the `extent` units of a tile; on the ground times cos(latitude).

    With extent 256 this is the cell size of the published tile matrix set.
    """
    return WEB_MERCATOR_QUAD.resolution(z, extent)
