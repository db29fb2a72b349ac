"""The rings of multipolygons of one ring each, read from their WKB in bulk: what most areas on a map are.

Source: OGC 06-103r4, clause 8 (well-known binary).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Little-endian MultiPolygon of one polygon of one ring; the number of its points follows.
_HEAD = struct.pack("<BIIBII", 1, 6, 1, 1, 3, 1)
_START = len(_HEAD) + 4
_POINT_BYTES = 16


def single_rings(wkb: npt.NDArray[np.object_]) -> tuple[Floats, Integers] | None:
    """Return the points (M, 2) of N rings one after the other, and the number at which each ends (N).

    None unless every one of the N WKB bytes is a little-endian multipolygon of one ring in two dimensions, not empty.
    """
    bodies: list[Any] = wkb.tolist()
    if not bodies or not all(body is not None and body.startswith(_HEAD) for body in bodies):
        return None
    sizes = np.fromiter(map(len, bodies), dtype=np.int64, count=len(bodies)) - _START
    counts = np.frombuffer(b"".join([body[len(_HEAD) : _START] for body in bodies]), dtype="<u4")
    if not counts.all() or not np.array_equal(sizes, counts.astype(np.int64) * _POINT_BYTES):
        return None
    points = np.frombuffer(b"".join([body[_START:] for body in bodies]), dtype="<f8")
    return points.reshape(-1, 2), np.cumsum(counts, dtype=np.int64)


def counter_clockwise(xy: Floats, ends: Integers) -> Floats:
    """Return the points of closed rings (M, 2), ended at `ends` (N), with those turned that run clockwise."""
    starts = np.concatenate(([0], ends[:-1]))
    sizes = ends - starts
    # Measured from its first point, the area of a small ring is not lost in the size of its coordinates.
    x, y = (xy - np.repeat(xy[starts], sizes, axis=0)).T
    products = np.zeros(len(xy))
    products[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    products[ends - 1] = 0
    clockwise = np.add.reduceat(products, starts) < 0
    if not clockwise.any():
        return xy
    order = np.arange(len(xy))
    turned = np.repeat(clockwise, sizes)
    order[turned] = np.repeat(starts + ends - 1, sizes)[turned] - order[turned]
    return xy[order]
