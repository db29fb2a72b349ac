"""The tile grid of web maps: WebMercatorQuad of OGC 17-083r4, Annex D, rows counted from the north."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gis.crs import EARTH_RADIUS, from_mercator, to_mercator

Box = tuple[float, float, float, float]

HALF_WORLD = math.pi * EARTH_RADIUS
"""Half the side of the square world in EPSG:3857 metres."""

LATITUDE_LIMIT = math.degrees(math.atan(math.sinh(math.pi)))
"""Latitude of the upper edge of the square world, 85.05 degrees."""

MAX_ZOOM = 30


def exists(z: int, x: int, y: int) -> bool:
    """Whether the grid has such a tile."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z


def tile_bounds(z: int, x: int, y: int) -> Box:
    """West, south, east, north of a tile in EPSG:3857 metres."""
    side = 2 * HALF_WORLD / (1 << z)
    return (
        x * side - HALF_WORLD,
        HALF_WORLD - (y + 1) * side,
        (x + 1) * side - HALF_WORLD,
        HALF_WORLD - y * side,
    )


def tile_box(z: int, x: int, y: int, buffer: int = 0, extent: int = 4096) -> Box:
    """West, south, east, north of a tile in degrees, widened by `buffer` of its `extent` units on each side.

    The box may leave the square world; it never reaches a pole.
    """
    west, south, east, north = tile_bounds(z, x, y)
    margin = (east - west) * buffer / extent
    lon, lat = from_mercator(
        np.array([west - margin, east + margin]), np.array([south - margin, north + margin])
    )
    return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def tile_range(bbox: Box, z: int) -> tuple[int, int, int, int]:
    """First column, first row, last column, last row (inclusive) that a lon/lat box touches at a zoom.

    An eastern or southern side that lies exactly on a grid line does not take in the next tile.
    """
    west, south, east, north = bbox
    limit = (1 << z) - 1
    lat = np.clip([north, south], -LATITUDE_LIMIT, LATITUDE_LIMIT)
    x, y = to_mercator(np.clip([west, east], -180.0, 180.0), lat)
    scale = (1 << z) / (2 * HALF_WORLD)
    columns, rows = (x + HALF_WORLD) * scale, (HALF_WORLD - y) * scale
    first_x, first_y = (min(max(math.floor(value + _SLACK), 0), limit) for value in (columns[0], rows[0]))
    last_x, last_y = (min(max(math.ceil(value - _SLACK) - 1, 0), limit) for value in (columns[1], rows[1]))
    return first_x, first_y, max(first_x, last_x), max(first_y, last_y)


def tiles_covering(bbox: Box, z: int) -> Iterator[tuple[int, int, int]]:
    """The (z, x, y) of every tile that a lon/lat box (west, south, east, north) touches, row by row."""
    first_x, first_y, last_x, last_y = tile_range(bbox, z)
    for y in range(first_y, last_y + 1):
        for x in range(first_x, last_x + 1):
            yield z, x, y


def in_limits(z: int, x: int, y: int, bbox: Box, minzoom: int, maxzoom: int) -> bool:
    """Whether a tile exists, lies within the zooms, and touches the lon/lat box of the data."""
    if not minzoom <= z <= maxzoom or not exists(z, x, y):
        return False
    first_x, first_y, last_x, last_y = tile_range(bbox, z)
    return first_x <= x <= last_x and first_y <= y <= last_y


def resolution(z: int, extent: int = 4096) -> float:
    """Side in EPSG:3857 metres of one of the `extent` units of a tile; on the ground times cos(latitude).

    With extent 256 this is the cell size of the published tile matrix set.
    """
    return 2 * HALF_WORLD / (1 << z) / extent


_SLACK = 1e-6
"""Part of a tile by which rounding may miss a grid line."""
