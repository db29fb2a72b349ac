"""Area and length on the ellipsoid, what is wrong with a geometry, and its repair."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from gis.errors import Refusal, marked

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]
Kind = Literal["POINT", "MULTIPOINT", "LINESTRING", "MULTILINESTRING", "POLYGON", "MULTIPOLYGON"]

_GEOD = Geod(ellps="WGS84")
_SQUARE_METRES_PER_HECTARE = 10_000.0

_POINT, _LINE, _POLYGON = 0, 1, 3
_MULTI = {_POINT: 4, _LINE: 5, _POLYGON: 6}
_FAMILY = {0: _POINT, 1: _LINE, 2: _LINE, 3: _POLYGON, 4: _POINT, 5: _LINE, 6: _POLYGON}
_KIND_FAMILY = {
    "POINT": _POINT,
    "MULTIPOINT": _POINT,
    "LINESTRING": _LINE,
    "MULTILINESTRING": _LINE,
    "POLYGON": _POLYGON,
    "MULTIPOLYGON": _POLYGON,
}


class GeometryRefused(Refusal):
    """A geometry that cannot be used and cannot be repaired."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a geometry is not valid: a code, a Vietnamese sentence, and the place in degrees if known."""

    code: str
    message: str
    lon: float | None = None
    lat: float | None = None

    @property
    def facts(self) -> dict[str, float]:
        """The values for the places in `message`."""
        return {} if self.lon is None or self.lat is None else {"lon": self.lon, "lat": self.lat}

    def __str__(self) -> str:
        return self.message % self.facts if self.facts else self.message


@dataclass(frozen=True, slots=True)
class Repair:
    """A usable geometry, and what had to be done to get it; areas are 0 for points and lines."""

    geometry: Any
    changed: bool
    area_before_ha: float
    area_after_ha: float
    reason: Problem | None


# GEOS names the trouble in English with the place in brackets; the first matching beginning wins.
_REASONS: tuple[tuple[str, str, str], ...] = (
    (
        "Ring Self-intersection",
        "ring_self_intersection",
        marked("Đường biên chạm vào chính nó tại kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Self-intersection",
        "self_intersection",
        marked("Đường biên tự cắt tại kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Hole lies outside shell",
        "hole_outside_shell",
        marked("Một lỗ nằm ngoài đường biên, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Holes are nested",
        "nested_holes",
        marked("Một lỗ nằm trong một lỗ khác, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Nested shells",
        "nested_shells",
        marked("Một phần nằm lọt trong một phần khác, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Interior is disconnected",
        "disconnected_interior",
        marked("Các lỗ cắt vùng thành nhiều mảnh rời, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Duplicate Rings",
        "duplicate_rings",
        marked("Có hai đường biên trùng nhau, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    (
        "Too few",
        "too_few_points",
        marked("Đường biên có quá ít điểm, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."),
    ),
    ("Invalid Coordinate", "invalid_coordinate", marked("Hình có tọa độ không phải là số.")),
)
_WANTED = {
    _POINT: marked("Ở đây cần hình điểm, nhưng tệp cho hình loại %(found)s."),
    _LINE: marked("Ở đây cần hình đường, nhưng tệp cho hình loại %(found)s."),
    _POLYGON: marked("Ở đây cần hình vùng, nhưng tệp cho hình loại %(found)s."),
}
_UNKNOWN = ("invalid", marked("Hình không hợp lệ, gần kinh độ %(lon).6f, vĩ độ %(lat).6f."))


def area_ha(geometries: Any) -> Floats:
    """Area in hectares on the WGS84 ellipsoid of lon/lat geometries; same shape as the input.

    Edges are geodesics. Points, lines, empty and missing geometries have area 0. Rings are carried to the
    authalic sphere (Snyder 1987, eq. 3-11 and 3-12), whose great circles follow the geodesics closely, and
    their spherical excess is summed: within 1e-6 of Karney's exact method for anything the size of a
    province. Rings around a pole are not supported.
    """
    array = np.asarray(geometries, dtype=object)
    flat = array.ravel()
    polygonal = np.isin(shapely.get_type_id(flat), (3, 6))
    parts, part_feature = shapely.get_parts(flat[polygonal], return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    areas = _ring_areas(rings)
    is_hole = np.concatenate(([False], ring_part[1:] == ring_part[:-1])) if len(rings) else np.zeros(0, bool)
    totals = np.zeros(len(flat))
    totals[polygonal] = np.bincount(
        part_feature[ring_part], np.where(is_hole, -areas, areas), minlength=int(polygonal.sum())
    )
    result: Floats = (totals / _SQUARE_METRES_PER_HECTARE).reshape(array.shape)
    return result


def length_m(geometries: Any) -> Floats:
    """Length in metres along geodesics of WGS84 of lon/lat geometries; the perimeter for polygons.

    Same shape as the input; points, empty and missing geometries have length 0.
    """
    array = np.asarray(geometries, dtype=object)
    flat = array.ravel()
    paths, path_feature = _paths(flat)
    xy, index = shapely.get_coordinates(paths, return_index=True)
    inside = index[1:] == index[:-1]
    start, end = xy[:-1][inside], xy[1:][inside]
    _, _, metres = _GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    totals = np.bincount(path_feature[index[1:][inside]], metres, minlength=len(flat))
    result: Floats = totals.astype(np.float64).reshape(array.shape)
    return result


def describe_problem(geometry: Any) -> Problem | None:
    """What is wrong with a lon/lat geometry, or None when it is valid, not empty and lies on the globe."""
    if geometry is None or shapely.is_empty(geometry):
        return Problem("empty", "Hình trống: không có tọa độ nào.")
    xy = shapely.get_coordinates(geometry)
    if not np.isfinite(xy).all():
        return Problem("invalid_coordinate", "Hình có tọa độ không phải là số.")
    if (np.abs(xy) > (180.0, 90.0)).any():
        return Problem("not_degrees", "Tọa độ không phải là kinh độ, vĩ độ; hãy kiểm tra hệ tọa độ của tệp.")
    if shapely.is_valid(geometry):
        return None
    reason, _, place = str(shapely.is_valid_reason(geometry)).partition("[")
    code, message = next(((c, m) for start, c, m in _REASONS if reason.startswith(start)), _UNKNOWN)
    lon, lat = _place(place, xy)
    return Problem(code, message, lon, lat)


def repair(geometry: Any, kind: Kind) -> Repair:
    """A valid 2D geometry of the wanted kind, oriented as RFC 7946 asks, with the areas before and after.

    Self-crossing rings are rebuilt by the rules of their shells and holes (GEOS make_valid, structure
    method), spikes and repeated vertices disappear, a single part is promoted when `kind` is a multi kind.
    `changed` is false when only the dimension, the direction or the promotion differ.
    Raises GeometryRefused when the geometry is empty, of another family, not in degrees, collapses to
    nothing, or has several parts where one is wanted.
    """
    problem = describe_problem(geometry)
    if problem is not None and problem.code in {"empty", "invalid_coordinate", "not_degrees"}:
        raise GeometryRefused(problem.message, **problem.facts)
    family = _KIND_FAMILY[kind]
    flat = shapely.force_2d(geometry)
    parts = _flat_parts(flat)
    if any(_FAMILY[int(shapely.get_type_id(part))] != family for part in parts):
        raise GeometryRefused(_WANTED[family], found=geometry.geom_type)
    before = float(area_ha(flat))
    cleaned = shapely.remove_repeated_points(_collect(parts, family), 0.0)
    if not shapely.is_valid(cleaned):
        cleaned = shapely.make_valid(cleaned, method="structure", keep_collapsed=False)
    kept = [part for part in _flat_parts(cleaned) if _FAMILY[int(shapely.get_type_id(part))] == family]
    if not kept:
        raise GeometryRefused("Hình không còn diện tích hay chiều dài sau khi sửa; hãy vẽ lại.")
    if len(kept) > 1 and not kind.startswith("MULTI"):
        raise GeometryRefused("Hình gồm %(count)s phần nhưng ở đây chỉ nhận một phần.", count=len(kept))
    result = _collect(kept, family) if kind.startswith("MULTI") else kept[0]
    result = shapely.orient_polygons(result)
    if not shapely.is_valid(result):
        raise GeometryRefused("Không sửa được hình này; hãy vẽ lại đường biên.")
    changed = problem is not None or shapely.get_num_coordinates(result) != shapely.get_num_coordinates(flat)
    return Repair(result, bool(changed), before, float(area_ha(result)), problem)


def repair_all(geometries: Any, kind: Kind) -> list[Repair | GeometryRefused]:
    """What `repair` gives for each of N lon/lat geometries, or the error that it raises, in the same order.

    Geometries that need no repair, as a rule nearly all, are handled together.
    """
    array: Geometries = np.asarray(geometries, dtype=object)
    outcomes: list[Any] = [None] * len(array)
    sound, kept = _sound(array, kind)
    before, after = area_ha(array[sound]).tolist(), area_ha(kept).tolist()
    same = shapely.get_num_coordinates(kept) == shapely.get_num_coordinates(array[sound])
    facts = zip(np.flatnonzero(sound).tolist(), kept, same.tolist(), before, after, strict=True)
    for i, result, unchanged, old, new in facts:
        outcomes[i] = Repair(result, not unchanged, old, new, None)
    for i in np.flatnonzero(~sound).tolist():
        try:
            outcomes[i] = repair(array[i], kind)
        except GeometryRefused as error:
            outcomes[i] = error
    return outcomes


def _sound(array: Geometries, kind: Kind) -> tuple[npt.NDArray[np.bool_], Geometries]:
    """Which geometries are valid degrees of the wanted kind before and after cleaning, and those, cleaned."""
    family, types = _KIND_FAMILY[kind], shapely.get_type_id(array)
    wanted = (types == family) | ((types == _MULTI[family]) if kind.startswith("MULTI") else False)
    bounds = shapely.bounds(array)
    limits = np.array([-180.0, -90.0, 180.0, 90.0])
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, :2] >= limits[:2]).all(axis=1) & (bounds[:, 2:] <= limits[2:]).all(axis=1)
    sound = wanted & inside & shapely.is_valid(array)
    parts, owner = shapely.get_parts(array, return_index=True)
    sound[owner[shapely.is_empty(parts)]] = False
    xy, owner = shapely.get_coordinates(array, return_index=True)
    sound[owner[~np.isfinite(xy).all(axis=1)]] = False
    flat = shapely.force_2d(array[sound])
    if kind.startswith("MULTI"):
        flat = promote_multi(flat)
    cleaned: Geometries = np.asarray(shapely.remove_repeated_points(flat, 0.0), dtype=object)
    good = shapely.is_valid(cleaned) & ~shapely.is_empty(cleaned)
    sound[np.flatnonzero(sound)[~good]] = False
    return sound, np.asarray(shapely.orient_polygons(cleaned[good]), dtype=object)


def orient(geometries: Any) -> Geometries:
    """Polygons with counter-clockwise shells and clockwise holes (RFC 7946 §3.1.6); the rest unchanged."""
    turned: Geometries = np.asarray(
        shapely.orient_polygons(np.asarray(geometries, dtype=object)), dtype=object
    )
    return turned


def promote_multi(geometries: Any) -> Geometries:
    """Points, lines and polygons as multi kinds of one part; multi, empty and missing ones unchanged."""
    result = np.array(geometries, dtype=object)
    types = shapely.get_type_id(result)
    builders = {_POINT: shapely.multipoints, _LINE: shapely.multilinestrings, _POLYGON: shapely.multipolygons}
    for single, build in builders.items():
        chosen = (types == single) & ~shapely.is_empty(result)
        if chosen.any():
            result[chosen] = build(result[chosen], indices=np.arange(int(chosen.sum())))
    return result


def _ring_areas(rings: Geometries) -> Floats:
    """Unsigned areas of lon/lat rings in square metres."""
    if not len(rings):
        return np.zeros(0)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    lon = np.radians(xy[:, 0])
    half = np.tan(_authalic_latitude(np.radians(xy[:, 1])) / 2)
    step = np.diff(lon)
    step -= 2 * math.pi * np.rint(step / (2 * math.pi))
    # Excess of the triangle pole, vertex, next vertex; the pole's share cancels around the ring.
    excess = 2 * np.arctan2(np.tan(step / 2) * (half[:-1] + half[1:]), 1 + half[:-1] * half[1:])
    inside = ring[1:] == ring[:-1]
    totals = np.bincount(ring[1:][inside], excess[inside], minlength=len(rings))
    areas: Floats = np.abs(totals) * _AUTHALIC_RADIUS**2
    return areas


def _authalic_q(sine: Any) -> Any:
    eccentricity = math.sqrt(_GEOD.es)
    product = eccentricity * sine
    return (1 - _GEOD.es) * (sine / (1 - product**2) + np.arctanh(product) / eccentricity)


_Q_POLE = float(_authalic_q(1.0))
_AUTHALIC_RADIUS = _GEOD.a * math.sqrt(_Q_POLE / 2)


def _authalic_latitude(latitude: Floats) -> Floats:
    beta: Floats = np.arcsin(np.clip(_authalic_q(np.sin(latitude)) / _Q_POLE, -1.0, 1.0))
    return beta


def _paths(flat: Geometries) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Lines and polygon rings of all geometries, with the index of the geometry each belongs to."""
    parts, part_feature = shapely.get_parts(flat, return_index=True)
    polygonal = shapely.get_type_id(parts) == _POLYGON
    rings, ring_part = shapely.get_rings(parts[polygonal], return_index=True)
    linear = np.isin(shapely.get_type_id(parts), (1, 2))
    paths = np.concatenate((parts[linear], rings))
    return paths, np.concatenate((part_feature[linear], part_feature[polygonal][ring_part]))


def _flat_parts(geometry: Any) -> list[Any]:
    """The non-empty points, lines and polygons inside a geometry, collections taken apart."""
    parts: list[Any] = []
    for part in shapely.get_parts(geometry):
        if int(shapely.get_type_id(part)) >= 4:
            parts.extend(_flat_parts(part))
        elif not shapely.is_empty(part):
            parts.append(part)
    return parts


def _collect(parts: list[Any], family: int) -> Any:
    builders = {_POINT: shapely.multipoints, _LINE: shapely.multilinestrings, _POLYGON: shapely.multipolygons}
    return builders[family](parts)


def _place(text: str, xy: Floats) -> tuple[float, float]:
    try:
        lon, lat = (float(value) for value in text.rstrip("]").split()[:2])
    except ValueError:
        return float(xy[0, 0]), float(xy[0, 1])
    return lon, lat
