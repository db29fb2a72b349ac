"""Spatial relations between stored GeoPackage blobs and a given shape, as SQL functions for sqlite3.

A shape is prepared once and handed to SQL as a number, so that its bytes are neither copied nor read for each row.
"""

from __future__ import annotations

import itertools
import math
import sqlite3
import struct
import weakref
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from gis.geopackage import ENVELOPE_BYTES, wkb_of

#: The relations that a row's geometry may be in to a shape; as in OGC 06-103r4.
RELATIONS = ("intersects", "disjoint", "within", "contains", "touches", "crosses", "overlaps", "equals")

#: The least and greatest length of a degree of latitude, and that of a degree of the equator, in metres.
LEAST_DEGREE_M, GREATEST_DEGREE_M, EQUATOR_DEGREE_M = 110_574.0, 111_694.0, 111_320.0

_LITTLE_ENVELOPE_XY = 0x03
_ENVELOPE = struct.Struct("<4d")
_GEOD = Geod(ellps="WGS84")
_numbers = itertools.count(1)
_given: weakref.WeakValueDictionary[int, GivenShape] = weakref.WeakValueDictionary()


class GivenShape:
    """A shape (lon/lat degrees) that SQL functions may ask about, by its number, as long as it is kept."""

    def __init__(self, geometry: shapely.Geometry) -> None:
        self.geometry = geometry
        shapely.prepare(geometry)
        self.number = next(_numbers)
        west, south, east, north = geometry.bounds
        self.bounds: tuple[float, float, float, float] = (west, south, east, north)
        self.is_box = bool(geometry.geom_type == "Polygon" and geometry.equals(shapely.box(*self.bounds)))
        _given[self.number] = self

    def holds_box(self, west: float, east: float, south: float, north: float) -> bool:
        """Tell whether this is a box and the given box lies within it."""
        w, s, e, n = self.bounds
        return self.is_box and w <= west and east <= e and s <= south and north <= n

    @cached_property
    def narrowing(self) -> float:
        """How much shorter a degree of longitude is than one of latitude, in the middle of the shape."""
        _, south, _, north = self.bounds
        return max(0.01, math.cos(math.radians((south + north) / 2)))

    @cached_property
    def narrowed(self) -> shapely.Geometry:
        """The shape with longitudes narrowed, so that nearest points are nearest in metres."""
        return narrow(self.geometry, self.narrowing)


def narrow(geometry: shapely.Geometry, factor: float) -> shapely.Geometry:
    """Multiply the x of every vertex."""

    def scale(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return xy * (factor, 1.0)

    return shapely.transform(geometry, scale)


def distance_m(shape: GivenShape, geometry: shapely.Geometry) -> float:
    """Return the distance in metres on the WGS84 ellipsoid between the nearest points of a shape and a geometry."""
    line = shapely.shortest_line(shape.narrowed, narrow(geometry, shape.narrowing))
    (x1, y1), (x2, y2) = shapely.get_coordinates(line)
    k = shape.narrowing
    return float(_GEOD.inv(x1 / k, y1, x2 / k, y2)[2])


def reach_degrees(
    bounds: tuple[float, float, float, float], metres: float
) -> tuple[float, float, float, float]:
    """Return a lon/lat box that surely holds everything within a distance of a lon/lat box."""
    west, south, east, north = bounds
    tall = metres / LEAST_DEGREE_M
    low, high = south - tall, north + tall
    steepest = max(abs(low), abs(high))
    if steepest >= 89 or metres / EQUATOR_DEGREE_M >= 180:
        return -180.0, -90.0, 180.0, 90.0
    wide = metres / (EQUATOR_DEGREE_M * 0.998 * math.cos(math.radians(steepest)))
    return west - wide, low, east + wide, high


def is_within_distance(shape: GivenShape, geometry: shapely.Geometry, metres: float) -> bool:
    """Tell whether a geometry is within a distance of a shape; most rows are decided by bounds on degrees."""
    degrees = float(shapely.distance(shape.geometry, geometry))
    if degrees * GREATEST_DEGREE_M <= metres:
        return True
    steepest = max(abs(y) for y in (*shape.bounds[1::2], *geometry.bounds[1::2]))
    least = min(LEAST_DEGREE_M, EQUATOR_DEGREE_M * 0.998 * math.cos(math.radians(min(89.9, steepest))))
    return degrees * least <= metres and distance_m(shape, geometry) <= metres


# The given shape is prepared and so must come first: the row's relation to it is told by the converse.
_CONVERSE: dict[str, Callable[[Any, Any], Any]] = {
    "intersects": shapely.intersects,
    "disjoint": shapely.disjoint,
    "within": shapely.contains,
    "contains": shapely.within,
    "touches": shapely.touches,
    "crosses": shapely.crosses,
    "overlaps": shapely.overlaps,
    "equals": shapely.equals,
}


def _relation(name: str) -> Callable[[bytes | None, int], int | None]:
    converse = _CONVERSE[name]
    of_box = {"intersects": 1, "disjoint": 0}.get(name)

    def call(blob: bytes | None, number: int) -> int | None:
        if blob is None:
            return None
        shape = _given[number]
        known = of_box is not None and shape.is_box and blob[3] & 0x1F == _LITTLE_ENVELOPE_XY
        if known and shape.holds_box(*_ENVELOPE.unpack_from(blob, 8)):
            return of_box
        row = shapely.from_wkb(blob[8 + ENVELOPE_BYTES[(blob[3] >> 1) & 7] :])
        try:
            return int(converse(shape.geometry, row))
        except shapely.GEOSException:
            # Another program may have stored rings that cross themselves.
            return int(converse(shape.geometry, shapely.make_valid(row)))

    return call


@lru_cache(maxsize=64)
def _prepared_box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    box = shapely.box(west, south, east, north)
    shapely.prepare(box)
    return box


def _meets_box(blob: bytes | None, west: float, south: float, east: float, north: float) -> int | None:
    """Most rows of a box lie wholly inside, which their envelope tells."""
    if blob is None:
        return None
    if blob[3] & 0x1F == _LITTLE_ENVELOPE_XY:
        min_x, max_x, min_y, max_y = _ENVELOPE.unpack_from(blob, 8)
        if west <= min_x and max_x <= east and south <= min_y and max_y <= north:
            return 1
    return int(shapely.intersects(_prepared_box(west, south, east, north), shapely.from_wkb(wkb_of(blob))))


def _within_distance(blob: bytes | None, number: int, metres: float) -> int | None:
    if blob is None:
        return None
    row = shapely.from_wkb(wkb_of(blob))
    return 0 if row.is_empty else int(is_within_distance(_given[number], row, metres))


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions.

    `ocop_<relation>(blob, number)` for RELATIONS, `ocop_dwithin(blob, number, metres)` and
    `ocop_meets_box(blob, west, south, east, north)`.
    """
    for name in RELATIONS:
        connection.create_function(f"ocop_{name}", 2, _relation(name))
    connection.create_function("ocop_dwithin", 3, _within_distance)
    connection.create_function("ocop_meets_box", 5, _meets_box, deterministic=True)
