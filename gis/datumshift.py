"""How far shapes lie from known outlines, and whether that is the way between VN-2000 and WGS84."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from gis.crs import Floats, is_vn2000, resolve, to_mercator, transform_points
from gis.inspection import DatumShift

Shapes = npt.NDArray[np.object_]

SAME_SHIFT_M = 40.0
"""A measured way this close to the datum shift is the datum shift."""

_LEAST_OVERLAP = 0.5
_LEAST_LIKENESS = 0.9
_FEWEST_PAIRS = 3
_SCATTER_M = 60.0
_ON_LINE_M = 25.0
_NEAR_LINE_M = 500.0
_FEWEST_CORNERS = 20
_LEAST_ON_LINE = 0.2
_TIMES_CLOSER = 3.0
_MOST_CORNERS = 20_000

_SAME_NUMBERS = {4326: 4756, 32648: 3405, 32649: 3406}
_MERIDIANS = {104.5: 9207, 105.0: 5897}
_TM3_SCALE = 0.9999


def metres_between(
    lon: npt.ArrayLike, lat: npt.ArrayLike, to_lon: npt.ArrayLike, to_lat: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Metres east and north from one place to another nearby, both in degrees."""
    x, y = to_mercator(lon, lat)
    to_x, to_y = to_mercator(to_lon, to_lat)
    scale = np.cos(np.radians(np.asarray(lat, dtype=np.float64)))
    return (to_x - x) * scale, (to_y - y) * scale


def median_shift(old: Sequence[shapely.Geometry], new: Sequence[shapely.Geometry]) -> tuple[float, float]:
    """Median way in metres east and north from the centroids of old shapes to those of new ones, in lon/lat."""
    east, north = _centroid_ways(old, new)
    return float(np.median(east)), float(np.median(north))


def datum_way(lon: float, lat: float) -> tuple[float, float]:
    """Metres east and north from a VN-2000 position read as WGS84 to where it really is (EPSG:6960)."""
    true_lon, true_lat = transform_points([lon], [lat], 4756, "OGC:CRS84")
    east, north = metres_between([lon], [lat], true_lon, true_lat)
    return float(east[0]), float(north[0])


def datum_sign(east: float, north: float, lon: float, lat: float) -> int:
    """What a way from known to new shapes says of the new ones at a place in degrees.

    -1: they are VN-2000 read as WGS84 (about 196 m too far west, 111 m too far north); 1: WGS84 read as
    VN-2000; 0: neither.
    """
    datum = datum_way(lon, lat)
    for sign in (-1, 1):
        if np.hypot(east - sign * datum[0], north - sign * datum[1]) < SAME_SHIFT_M:
            return sign
    return 0


def estimate(
    shapes: Sequence[shapely.Geometry], known: Sequence[shapely.Geometry], crs: str
) -> DatumShift | None:
    """How far areas lie from known outlines, both in lon/lat once read in `crs`; None when nothing matches.

    Areas that are known units are matched by overlap and size. Where too few match, the corners of the areas
    are laid on the known lines, as they are and moved by the datum shift either way. `east_m` and `north_m` say
    where the areas lie, seen from where they should.
    """
    areas, units = _areas(shapes), _areas(known)
    if not len(areas) or not len(units):
        return None
    return _by_units(areas, units, crs) or _by_lines(areas, units, crs)


def instead_of(crs: str, sign: int) -> str | None:
    """The system whose numbers look like those of `crs` on the other datum, or None when there is none.

    With sign -1 the VN-2000 twin of a WGS84 system, with 1 the other way round.
    """
    code = resolve(crs).to_epsg() or (4326 if resolve(crs).is_geographic else None)
    twins = _SAME_NUMBERS if sign < 0 else {new: old for old, new in _SAME_NUMBERS.items()}
    if code in twins:
        return f"EPSG:{twins[code]}"
    conversion = resolve(crs).coordinate_operation
    if sign > 0 or is_vn2000(crs) or conversion is None:
        return None
    terms = {term.name: float(term.value) for term in conversion.params}
    zone = _MERIDIANS.get(round(terms.get("Longitude of natural origin", 0.0), 4))
    scale = terms.get("Scale factor at natural origin", 0.0)
    return f"EPSG:{zone}" if zone and abs(scale - _TM3_SCALE) < 1e-6 else None


def _by_units(areas: Shapes, units: Shapes, crs: str) -> DatumShift | None:
    tree = shapely.STRtree(units)
    inner = shapely.point_on_surface(areas)
    at, unit = tree.query(inner, predicate="within")
    if not len(at):
        return None
    mine, theirs = areas[at], units[unit]
    sizes = np.column_stack([shapely.area(mine), shapely.area(theirs)])
    alike = sizes.min(axis=1) >= _LEAST_LIKENESS * sizes.max(axis=1)
    mine, theirs = mine[alike], theirs[alike]
    if len(mine) < _FEWEST_PAIRS:
        return None
    shared = shapely.area(shapely.intersection(mine, theirs)) / np.maximum(
        shapely.area(mine), shapely.area(theirs)
    )
    good = shared >= _LEAST_OVERLAP
    if good.sum() < _FEWEST_PAIRS:
        return None
    east, north = _centroid_ways(theirs[good], mine[good])
    way = float(np.median(east)), float(np.median(north))
    apart = np.hypot(east - way[0], north - way[1])
    if float(np.median(apart)) > _SCATTER_M:
        return None
    return _shift(way, int(good.sum()), areas, crs)


def _by_lines(areas: Shapes, units: Shapes, crs: str) -> DatumShift | None:
    """Whether far more corners lie on known lines once the areas are moved by the datum shift."""
    corners = shapely.get_coordinates(areas)
    corners = corners[:: max(1, len(corners) // _MOST_CORNERS)]
    lines = shapely.get_parts(shapely.boundary(units))
    middle = corners.mean(axis=0)
    tree = shapely.STRtree(_segments(_in_metres(shapely.get_coordinates(lines, return_index=True), middle)))
    flat = _flat(corners, middle)
    near = _near(tree, flat, _NEAR_LINE_M)
    if near.sum() < _FEWEST_CORNERS:
        return None
    datum = np.array(datum_way(float(middle[0]), float(middle[1])))
    hits = {sign: int(_near(tree, flat[near] - sign * datum, _ON_LINE_M).sum()) for sign in (-1, 0, 1)}
    best = max(hits, key=lambda sign: (hits[sign], sign == 0))
    # One in twenty of the corners near a line lies on it by chance.
    if hits[best] < max(_FEWEST_CORNERS, _LEAST_ON_LINE * int(near.sum())):
        return None
    if best and hits[best] < _TIMES_CLOSER * hits[0]:
        return None
    return _shift((best * float(datum[0]), best * float(datum[1])), hits[best], areas, crs)


def _shift(way: tuple[float, float], matches: int, areas: Shapes, crs: str) -> DatumShift:
    west, south, east, north = shapely.total_bounds(areas)
    sign = datum_sign(*way, float(west + east) / 2, float(south + north) / 2)
    other = instead_of(crs, sign) if sign else None
    return DatumShift(way[0], way[1], float(np.hypot(*way)), matches, sign != 0, other)


def _centroid_ways(
    old: Sequence[shapely.Geometry] | Shapes, new: Sequence[shapely.Geometry] | Shapes
) -> tuple[Floats, Floats]:
    start, end = (
        shapely.get_coordinates(shapely.centroid(old)),
        shapely.get_coordinates(shapely.centroid(new)),
    )
    return metres_between(start[:, 0], start[:, 1], end[:, 0], end[:, 1])


def _areas(shapes: Sequence[shapely.Geometry]) -> Shapes:
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    areas = array[np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_empty(array)]
    valid: Shapes = np.asarray(shapely.make_valid(areas), dtype=object)
    return valid


def _flat(corners: Floats, middle: Floats) -> Floats:
    east, north = metres_between(
        np.full(len(corners), middle[0]), np.full(len(corners), middle[1]), corners[:, 0], corners[:, 1]
    )
    return np.column_stack([east, north])


def _in_metres(
    found: tuple[Floats, npt.NDArray[np.int64]], middle: Floats
) -> tuple[Floats, npt.NDArray[np.int64]]:
    return _flat(found[0], middle), found[1]


def _segments(found: tuple[Floats, npt.NDArray[np.int64]]) -> Shapes:
    corners, line = found
    same = line[1:] == line[:-1]
    pairs = np.stack([corners[:-1][same], corners[1:][same]], axis=1)
    segments: Shapes = np.asarray(shapely.linestrings(pairs), dtype=object)
    return segments


def _near(tree: shapely.STRtree, points: Floats, distance: float) -> npt.NDArray[np.bool_]:
    near = np.zeros(len(points), dtype=bool)
    found, _ = tree.query(shapely.points(points), predicate="dwithin", distance=distance)
    near[found] = True
    return near
