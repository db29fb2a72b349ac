"""Faults of single vertices: those that are there twice, and spikes that a slip of the hand left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis.geometry import area_ha
from gis.quality import Fault, Floats, Geometries, Indices, Kind, as_array

REPEATED_M = 0.001
SPIKE_DEGREES = 3.0
SPIKE_BASE_M = 0.5
SPIKE_SHARE = 0.01
_METRES_PER_DEGREE = 111_320.0
_PASSES = 10


def vertex_faults(geoms: Sequence[Any] | Geometries) -> list[Fault]:
    """Valid polygons with vertices less than a millimetre apart, and each spike of them.

    A spike is a vertex whose two edges enclose at most 3 degrees, whose base is narrower than half a metre and
    whose triangle is less than 1 % of the polygon. Facts: `count` of repeated vertices; `length_m` of a spike.
    """
    array = as_array(geoms)
    whole = np.flatnonzero(~shapely.is_missing(array) & shapely.is_valid(array) & ~shapely.is_empty(array))
    corners = _Corners(shapely.force_2d(array[whole]))
    found = []
    twice = np.flatnonzero(corners.before < REPEATED_M)
    first_of, counts = np.unique(corners.owner[twice], return_index=True, return_counts=True)[1:]
    for k, count in zip(twice[first_of], counts, strict=True):
        lon, lat = corners.xy[k].tolist()
        member = (int(whole[corners.owner[k]]),)
        found.append(
            Fault(Kind.REPEATED, member, shapely.Point(lon, lat), 0.0, 0.0, lon, lat, {"count": int(count)})
        )
    for k in np.flatnonzero(corners.spikes()):
        lon, lat = corners.xy[k].tolist()
        base, length = float(corners.base[k]), float(corners.reach[k])
        path = shapely.LineString(
            [corners.xy[corners.previous[k]], (lon, lat), corners.xy[corners.following[k]]]
        )
        member = (int(whole[corners.owner[k]]),)
        found.append(Fault(Kind.SPIKE, member, path, base * length / 2, base, lon, lat, {"length_m": length}))
    return found


def without_spikes(geometry: Any) -> Any:
    """A polygon or multipolygon without its spikes and repeated vertices; parts that vanish are left out."""
    current = shapely.force_2d(geometry)
    for _ in range(_PASSES):
        corners = _Corners(as_array([current]))
        bad = corners.spikes() | (corners.before < REPEATED_M)
        if not bad.any():
            break
        current = _rebuilt(corners, bad, isinstance(geometry, shapely.MultiPolygon))
    return current


class _Corners:
    """The vertices of all rings without the closing ones, N of them, with what lies before and after each."""

    def __init__(self, geoms: Geometries) -> None:
        parts, self.part_owner = shapely.get_parts(geoms, return_index=True)
        rings, self.ring_part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        closing = np.append(ring[1:] != ring[:-1], True) if len(ring) else np.zeros(0, bool)
        self.xy: Floats = xy[~closing]
        self.ring: Indices = ring[~closing]
        self.owner: Indices = self.part_owner[self.ring_part[self.ring]]
        self.areas: Floats = area_ha(geoms) * 10_000.0
        count = len(self.xy)
        at = np.arange(count)
        firsts = np.searchsorted(self.ring, self.ring, side="left")
        lasts = np.searchsorted(self.ring, self.ring, side="right") - 1
        self.previous: Indices = np.where(at == firsts, lasts, at - 1)
        self.following: Indices = np.where(at == lasts, firsts, at + 1)
        back, ahead = self._way(self.previous), self._way(self.following)
        self.before: Floats = np.hypot(*back.T)
        self.after: Floats = np.hypot(*ahead.T)
        self.reach: Floats = np.minimum(self.before, self.after)
        lengths = np.maximum(self.before * self.after, 1e-12)
        self.cosine: Floats = np.clip((back * ahead).sum(axis=1) / lengths, -1.0, 1.0)
        self.base: Floats = self.reach * np.sqrt(1 - self.cosine**2)

    def _way(self, to: Indices) -> Floats:
        metres = np.full((len(self.xy), 2), _METRES_PER_DEGREE)
        metres[:, 0] *= np.cos(np.radians(self.xy[:, 1]))
        way: Floats = (self.xy[to] - self.xy) * metres
        return way

    def spikes(self) -> npt.NDArray[np.bool_]:
        """Tell which vertices are the tips of spikes."""
        sharp = self.cosine >= np.cos(np.radians(SPIKE_DEGREES))
        long = (self.reach > REPEATED_M) & (self.base < SPIKE_BASE_M)
        small = self.base * self.reach / 2 < SPIKE_SHARE * self.areas[self.owner]
        tips: npt.NDArray[np.bool_] = sharp & long & small
        return tips


def _rebuilt(corners: _Corners, bad: npt.NDArray[np.bool_], multi: bool) -> Any:
    """The polygons without the bad vertices; rings of fewer than three are left out with their holes."""
    kept = ~bad
    sizes = np.bincount(corners.ring[kept], minlength=len(corners.ring_part))
    polygons = []
    for part in range(len(corners.part_owner)):
        rings = np.flatnonzero(corners.ring_part == part)
        loops = [corners.xy[kept & (corners.ring == r)] for r in rings if sizes[r] >= 3]
        if loops and sizes[rings[0]] >= 3:
            polygons.append(shapely.Polygon(loops[0], loops[1:]))
    return shapely.MultiPolygon(polygons) if multi or len(polygons) != 1 else polygons[0]
