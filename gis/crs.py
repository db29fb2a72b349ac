"""Coordinate reference systems of the province: axis order, projections and the VN-2000 datum shift."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from gis.errors import Refusal

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]
CrsLike = str | int
Leg = Callable[[Floats, Floats], tuple[Floats, Floats]]

EARTH_RADIUS = 6378137.0
"""Semi-major axis of WGS84 in metres, the sphere of EPSG:3857."""

VN2000_SHIFT = 6960
"""EPSG code of the seven-parameter transformation from VN-2000 to WGS84."""

VIETNAM_BOUNDS = (101.0, 6.0, 118.0, 24.0)
"""West, south, east, north of Vietnam with its islands, degrees."""

_VN2000_NAME = re.compile(r"v(iet)?[\s_-]*n(am)?[\s_-]*2000", re.IGNORECASE)
_XML_NAME = re.compile(r"https?://www\.opengis\.net/gml/srs/epsg\.xml#(\d+)", re.IGNORECASE)


class UnknownCrs(Refusal):
    """A reference system that PROJ does not know."""


class OutsideCrs(Refusal):
    """Coordinates that a projection cannot express."""


@dataclass(frozen=True, slots=True)
class ProvinceCrs:
    """One reference system that the province's data comes in."""

    code: str
    title_vi: str
    title_en: str
    central_meridian: float | None
    scale: float | None = None

    @property
    def epsg(self) -> int | None:
        """The EPSG number, or None for CRS84."""
        return int(self.code.removeprefix("EPSG:")) if self.code.startswith("EPSG:") else None


PROVINCE_CRS: tuple[ProvinceCrs, ...] = (
    ProvinceCrs("OGC:CRS84", "WGS 84 (kinh độ, vĩ độ)", "WGS 84 (longitude, latitude)", None),
    ProvinceCrs("EPSG:4326", "WGS 84 (vĩ độ, kinh độ)", "WGS 84 (latitude, longitude)", None),
    ProvinceCrs("EPSG:3857", "Web Mercator", "Web Mercator", 0.0),
    ProvinceCrs("EPSG:4756", "VN-2000 (vĩ độ, kinh độ)", "VN-2000 (latitude, longitude)", None),
    ProvinceCrs("EPSG:3405", "VN-2000 / UTM múi 48N, 105°", "VN-2000 / UTM zone 48N, 105°", 105.0, 0.9996),
    ProvinceCrs("EPSG:5897", "VN-2000 / múi 3°, 105°00′", "VN-2000 / 3° zone, 105°00′", 105.0, 0.9999),
    ProvinceCrs("EPSG:9207", "VN-2000 / múi 3°, 104°30′", "VN-2000 / 3° zone, 104°30′", 104.5, 0.9999),
    ProvinceCrs("EPSG:32648", "WGS 84 / UTM múi 48N, 105°", "WGS 84 / UTM zone 48N, 105°", 105.0, 0.9996),
)
"""Reference systems of Cà Mau: the record's own, the web map's, VN-2000 in use, and that of GPS devices."""


@lru_cache(maxsize=256)
def resolve(crs: CrsLike) -> CRS:
    """The pyproj CRS of an EPSG number, `EPSG:n`, `CRS84`, OGC URI or URN, or WKT.

    Raises UnknownCrs when PROJ cannot read it.
    """
    text = crs.strip() if isinstance(crs, str) else crs
    if isinstance(text, str):
        if text.upper() in {"CRS84", "CRS:84"}:
            text = "OGC:CRS84"
        elif found := _XML_NAME.fullmatch(text):
            text = f"EPSG:{found[1]}"
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise UnknownCrs("Không nhận ra hệ tọa độ “%(crs)s”; hãy chọn một mã EPSG.", crs=crs) from error


def is_latlon(crs: CrsLike) -> bool:
    """Whether the first axis of the system points north, as PROJ states it.

    True for EPSG:4326 and EPSG:4756, false for CRS84, EPSG:3857 and every VN-2000 projection.
    Note that `EPSG:4326` written in GeoJSON or as the plain prefix is lon, lat by another convention.
    """
    axes = resolve(crs).axis_info
    return bool(axes) and axes[0].direction.lower() == "north"


def is_vn2000(crs: CrsLike) -> bool:
    """Whether the system stands on the VN-2000 datum, also when only its name says so, as in a .prj file."""
    return _stands_on_vn2000(resolve(crs))


def transform_points(
    x: npt.ArrayLike, y: npt.ArrayLike, source: CrsLike, target: CrsLike
) -> tuple[Floats, Floats]:
    """Coordinates carried from one system to another; always x, y: lon, lat or easting, northing.

    VN-2000 is shifted to WGS84 by EPSG:6960 (seven parameters, coordinate frame, 1 m), never by zero.
    Raises UnknownCrs, and OutsideCrs when a coordinate cannot be expressed in the target.
    """
    px, py = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    try:
        for leg in _legs(source, target):
            px, py = leg(px, py)
    except ProjError as error:
        raise OutsideCrs(
            "Tọa độ nằm ngoài phạm vi của hệ tọa độ; hãy kiểm tra hệ tọa độ %(source)s và thứ tự X, Y.",
            source=source,
        ) from error
    return np.asarray(px, dtype=np.float64), np.asarray(py, dtype=np.float64)


def transform(geometries: Geometries, source: CrsLike, target: CrsLike) -> Geometries:
    """Geometries carried from one system to another in one pass, 2D, x before y; None stays None.

    Shape is kept. The datum rule and the errors are those of `transform_points`.
    """
    array = np.asarray(geometries, dtype=object)

    def move(xy: Floats) -> Floats:
        return np.column_stack(transform_points(xy[:, 0], xy[:, 1], source, target))

    moved: Geometries = np.asarray(shapely.transform(array, move), dtype=object)
    return moved


def to_mercator(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """EPSG:3857 metres (x east, y north) of WGS84 degrees, in closed form; the poles go to infinity."""
    x = np.radians(np.asarray(lon, dtype=np.float64)) * EARTH_RADIUS
    with np.errstate(divide="ignore"):
        y = np.log(np.tan(math.pi / 4 + np.radians(np.asarray(lat, dtype=np.float64)) / 2)) * EARTH_RADIUS
    return x, y


def from_mercator(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """WGS84 degrees (lon, lat) of EPSG:3857 metres, in closed form."""
    lon = np.degrees(np.asarray(x, dtype=np.float64) / EARTH_RADIUS)
    lat = np.degrees(np.arctan(np.sinh(np.asarray(y, dtype=np.float64) / EARTH_RADIUS)))
    return lon, lat


def vn2000(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: CrsLike = 9207) -> tuple[Floats, Floats]:
    """VN-2000 easting and northing in metres of WGS84 degrees; surveyors call northing X and easting Y.

    `crs` is a VN-2000 projection, by default the 3° zone of 104°30′ that Cà Mau uses.
    """
    return transform_points(lon, lat, "OGC:CRS84", crs)


def vn2000_parameters() -> dict[str, Any]:
    """What a program needs to compute VN-2000 coordinates itself, ready for JSON.

    `ellipsoid` (a in metres, rf = 1/f) serves both datums. `helmert` leads from VN-2000 to WGS84:
    metres, arc seconds, parts per million, coordinate frame rotation (EPSG method 9607); turn it round
    for WGS84 to VN-2000. `vn2000` lists the transverse Mercator projections. All values are PROJ's.
    """
    values = {term["name"]: term["value"] for term in _shift().to_json_dict()["parameters"]}
    ellipsoid = CRS.from_epsg(4756).ellipsoid
    assert ellipsoid is not None
    projections = []
    for entry in PROVINCE_CRS:
        if entry.epsg is None or entry.central_meridian is None or not is_vn2000(entry.epsg):
            continue
        conversion = resolve(entry.epsg).coordinate_operation
        assert conversion is not None
        terms = {term.name: term.value for term in conversion.params}
        projections.append(
            {
                "code": entry.epsg,
                "title": {"vi": entry.title_vi, "en": entry.title_en},
                "lon0": terms["Longitude of natural origin"],
                "k": terms["Scale factor at natural origin"],
                "fe": terms["False easting"],
                "fn": terms["False northing"],
            }
        )
    return {
        "ellipsoid": {"a": ellipsoid.semi_major_metre, "rf": ellipsoid.inverse_flattening},
        "helmert": {
            "code": VN2000_SHIFT,
            "convention": "coordinate_frame",
            "dx": values["X-axis translation"],
            "dy": values["Y-axis translation"],
            "dz": values["Z-axis translation"],
            "rx": values["X-axis rotation"],
            "ry": values["Y-axis rotation"],
            "rz": values["Z-axis rotation"],
            "ds": values["Scale difference"],
        },
        "vn2000": projections,
    }


def looks_swapped(bounds: Sequence[float], crs: CrsLike = "OGC:CRS84") -> bool:
    """Whether a box lies outside Vietnam as written, but inside with x and y exchanged.

    `bounds` are min x, min y, max x, max y in `crs`. Catches latitude before
    longitude, and VN-2000 files whose X is the northing.
    """
    min_x, min_y, max_x, max_y = (float(value) for value in bounds)
    written, exchanged = (min_x, min_y, max_x, max_y), (min_y, min_x, max_y, max_x)
    return not _in_vietnam(written, crs) and _in_vietnam(exchanged, crs)


def _in_vietnam(box: tuple[float, float, float, float], crs: CrsLike) -> bool:
    try:
        lon, lat = transform_points(box[::2], box[1::2], crs, "OGC:CRS84")
    except OutsideCrs:
        return False
    west, south, east, north = VIETNAM_BOUNDS
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return bool(inside.all())


@lru_cache(maxsize=256)
def _legs(source: CrsLike, target: CrsLike) -> tuple[Leg, ...]:
    """The steps between two systems, with EPSG:6960 written out wherever the VN-2000 datum begins or ends."""
    start, end = _plain(resolve(source)), _plain(resolve(target))
    from_vn, to_vn = _stands_on_vn2000(start), _stands_on_vn2000(end)
    if start == end:
        return ()
    if from_vn == to_vn:
        return (_leg(start, end),)
    if from_vn:
        return _leg(start, _geographic(start)), _vn2000_to_wgs84, _leg(CRS.from_epsg(4326), end)
    return _leg(start, CRS.from_epsg(4326)), _wgs84_to_vn2000, _leg(_geographic(end), end)


def _leg(start: CRS, end: CRS) -> Leg:
    try:
        transformer = Transformer.from_crs(start, end, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise UnknownCrs(
            "Không có phép chuyển tin cậy giữa hệ tọa độ %(source)s và %(target)s.",
            source=start.name,
            target=end.name,
        ) from error
    return partial(transformer.transform, errcheck=True)


@lru_cache(maxsize=1)
def _shift() -> Transformer:
    return Transformer.from_pipeline(f"urn:ogc:def:coordinateOperation:EPSG::{VN2000_SHIFT}")


def _vn2000_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    y, x = _shift().transform(lat, lon, errcheck=True)
    return x, y


def _wgs84_to_vn2000(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    y, x = _shift().transform(lat, lon, direction="INVERSE", errcheck=True)
    return x, y


def _stands_on_vn2000(crs: CRS) -> bool:
    datum = crs.datum
    return bool(_VN2000_NAME.search(datum.name if datum else crs.name) or _VN2000_NAME.search(crs.name))


def _plain(crs: CRS) -> CRS:
    # A .prj file may carry its own TOWGS84 numbers; files from the trade often get their signs wrong,
    # so on VN-2000 the published shift replaces them.
    base = crs.source_crs if crs.is_bound else None
    return base if base is not None and _stands_on_vn2000(base) else crs


def _geographic(crs: CRS) -> CRS:
    geodetic = crs.geodetic_crs
    assert geodetic is not None
    return geodetic
