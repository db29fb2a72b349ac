"""Constant geometries of filters: read, carried to lon/lat, checked and mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import shapely

from gis import crs as reference_systems
from gis.crs import OutsideCrs, UnknownCrs
from layers.filters.nodes import FilterError, Shape

CRS84 = "OGC:CRS84"

#: Sides of a box in a projection are bent in degrees; each is divided into so many parts.
BOX_PARTS = 16


def from_geojson(document: Any, crs: str = CRS84) -> Shape:
    """Return the shape of a GeoJSON geometry whose coordinates are in the axis order of `crs`."""
    try:
        return shape_of(shapely.from_geojson(orjson.dumps(document)), crs)
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise FilterError("Hình trong bộ lọc không đọc được; hãy kiểm tra tọa độ.") from error


def from_bbox(numbers: Sequence[Any], crs: str = CRS84) -> Shape:
    """Return the shape of a box of four or six numbers in the axis order of `crs`; west > east crosses 180°."""
    try:
        values = [float(n) for n in numbers]
        if len(values) not in (4, 6) or not np.isfinite(values).all():
            raise ValueError(values)
    except (TypeError, ValueError) as error:
        raise FilterError("Khung phải có bốn hoặc sáu số.") from error
    half = len(values) // 2
    x1, y1, x2, y2 = values[0], values[1], values[half], values[half + 1]
    if _latlon(crs):
        x1, y1, x2, y2 = y1, x1, y2, x2
    if y1 > y2:
        raise FilterError("Khung có cạnh dưới nằm trên cạnh trên.")
    if x1 > x2:
        if not _resolve(crs).is_geographic:
            raise FilterError("Khung có cạnh trái nằm bên phải cạnh phải.")
        box: shapely.Geometry = shapely.multipolygons(
            [shapely.box(x1, y1, 180, y2), shapely.box(-180, y1, x2, y2)]
        )
    else:
        box = _flat_box(x1, y1, x2, y2)
    if not _resolve(crs).is_geographic:
        try:
            box = shapely.segmentize(box, max(x2 - x1, y2 - y1, 1e-9) / BOX_PARTS)
        except shapely.GEOSException as error:
            raise FilterError("Khung quá lớn hoặc quá nhỏ so với hệ tọa độ.") from error
    return _checked(_carried(box, crs))


def _flat_box(x1: float, y1: float, x2: float, y2: float) -> shapely.Geometry:
    """A box without width or height is a line or a point."""
    if x1 == x2 and y1 == y2:
        return shapely.Point(x1, y1)
    if x1 == x2 or y1 == y2:
        return shapely.LineString([(x1, y1), (x2, y2)])
    return shapely.box(x1, y1, x2, y2)


def shape_of(geometry: shapely.Geometry | None, crs: str = CRS84) -> Shape:
    """Return the shape of a geometry whose coordinates are in the axis order of `crs`."""
    if geometry is None:
        raise FilterError("Hình trong bộ lọc không được để trống.")
    flat = shapely.force_2d(geometry)
    if _latlon(crs):
        flat = shapely.transform(flat, lambda xy: xy[:, ::-1])
    return _checked(_carried(flat, crs))


def _carried(geometry: shapely.Geometry, crs: str) -> shapely.Geometry:
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise FilterError("Tọa độ trong bộ lọc phải là số hữu hạn.")
    try:
        return reference_systems.transform(np.array([geometry], dtype=object), crs, CRS84)[0]
    except (UnknownCrs, OutsideCrs) as error:
        raise FilterError(error.message, locator="filter-crs", **error.facts) from error


def _checked(geometry: shapely.Geometry) -> Shape:
    """Rings that cross themselves are taken for the ground that they enclose: databases refuse to compare them."""
    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
    if geometry.geom_type == "GeometryCollection":
        geometry = _joined(geometry)
    if geometry.is_empty:
        raise FilterError("Hình trong bộ lọc không được để trống.")
    return Shape(geometry)


def _joined(collection: shapely.Geometry) -> shapely.Geometry:
    """Join a collection of parts of one dimension; others stay as they are."""
    parts = shapely.get_parts(collection)
    while any(part.geom_type == "GeometryCollection" for part in parts):
        parts = np.concatenate([shapely.get_parts(part) for part in parts])
    parts = parts[~shapely.is_empty(parts)]
    if len(set(shapely.get_dimensions(parts).tolist())) == 1:
        return shapely.union_all(parts)
    return shapely.geometrycollections(parts)


def _resolve(crs: str) -> Any:
    try:
        return reference_systems.resolve(crs)
    except UnknownCrs as error:
        raise FilterError(error.message, locator="filter-crs", **error.facts) from error


def _latlon(crs: str) -> bool:
    _resolve(crs)
    return reference_systems.is_latlon(crs)
