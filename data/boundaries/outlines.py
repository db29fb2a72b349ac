"""The outlines of the units after a change: the union of the old, pieces cut by lines, or polygons that were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from data.boundaries import columns, read
from data.boundaries.errors import BoundaryError
from gis import coverage, crs, partition
from gis.errors import Refusal
from gis.geometry import repair
from gis.vectorfile import open_vector

MOST_PIECES = 20


@dataclass(frozen=True)
class Piece:
    """One outline, with what its source says of the unit."""

    geometry: Any
    code: str = ""
    name: str = ""
    kind: str = ""


def merged(shapes: Sequence[Any]) -> Any:
    """Return the union of outlines; borders that two of them share vertex for vertex vanish without a trace."""
    return coverage.dissolve(shapes, [""] * len(shapes))[""]


def from_geojson(text: str, before: Sequence[Any]) -> list[Piece]:
    """Divide the ground of the old units by drawn lines, or take drawn polygons; raises BoundaryError."""
    try:
        drawn = _features(orjson.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, shapely.errors.GEOSException) as error:
        raise BoundaryError(
            "Đoạn GeoJSON không đọc được; hãy dán một Feature, FeatureCollection hoặc hình."
        ) from error
    return _pieces(drawn, before)


def from_file(path: Path, before: Sequence[Any]) -> list[Piece]:
    """Read the new outlines, or lines that divide, from a file of any format; raises a Refusal."""
    with open_vector(path) as file:
        records = [r for r in file if r.geometry is not None and not r.geometry.is_empty]
        fields, system = list(file.fields), file.crs
    if not records:
        raise BoundaryError("Tệp không có hình nào.")
    shapes = np.array([shapely.force_2d(r.geometry) for r in records], dtype=object)
    if system is not None:
        shapes = crs.transform(shapes, system, read.RECORD_CRS)
    try:
        chosen = columns.recognise(fields)
    except Refusal:
        chosen = {}

    def cell(record: Any, role: str) -> str:
        return columns.text(record.properties.get(chosen[role])) if role in chosen else ""

    drawn = [
        Piece(
            shape,
            columns.code_text(r.properties.get(chosen[columns.CODE])) if columns.CODE in chosen else "",
            cell(r, columns.NAME),
            columns.kind_of(cell(r, columns.TYPE), cell(r, columns.NAME)) or "",
        )
        for r, shape in zip(records, shapes, strict=True)
    ]
    return _pieces(drawn, before)


def _features(document: dict[str, Any]) -> list[Piece]:
    kind = document["type"]
    if kind == "FeatureCollection":
        return [piece for feature in document["features"] for piece in _features(feature)]
    if kind == "Feature":
        facts = document.get("properties") or {}
        named = {key: str(facts.get(key) or "") for key in ("code", "name", "kind")}
        return [Piece(p.geometry, **named) for p in _features(document["geometry"])]
    if kind == "GeometryCollection":
        return [piece for part in document["geometries"] for piece in _features(part)]
    return [Piece(shapely.from_geojson(orjson.dumps(document)))]


def _pieces(drawn: list[Piece], before: Sequence[Any]) -> list[Piece]:
    lines = [
        part
        for piece in drawn
        for part in shapely.get_parts(piece.geometry)
        if part.geom_type in ("LineString", "LinearRing")
    ]
    areas = [piece for piece in drawn if piece.geometry.geom_type in ("Polygon", "MultiPolygon")]
    if bool(lines) == bool(areas):
        raise BoundaryError(
            "Hãy cho hoặc các đường chia, hoặc các vùng mới; không trộn lẫn và không để trống."
        )
    ground = merged(before)
    if len(lines) + len(areas) > MOST_PIECES:
        raise BoundaryError("Một thay đổi chỉ nhận tối đa %(most)s hình mới.", most=MOST_PIECES)
    if lines:
        return [Piece(shape) for shape in partition.tidy(partition.cut(ground, lines), ground)]
    shapes = [_whole(piece) for piece in areas]
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    if not shapely.intersects(shapely.box(west, south, east, north), ground):
        raise BoundaryError(
            "Các vùng mới nằm ngoài địa bàn của những đơn vị đã chọn; hãy kiểm tra hệ tọa độ của tệp."
        )
    tidied = partition.tidy(shapes, ground)
    rest = [f for f in partition.faults(tidied, ground) if f.kind == "gap" and not f.is_sliver]
    pieces = [
        Piece(shape, piece.code, piece.name, piece.kind) for shape, piece in zip(tidied, areas, strict=True)
    ]
    if len(areas) == 1 and rest:
        # One drawn polygon says where the new unit is; what is left of the old ground is the other one.
        left = shapely.difference(ground, tidied[0])
        closed = partition.tidy([tidied[0], left], ground)
        return [Piece(closed[0], areas[0].code, areas[0].name, areas[0].kind), Piece(closed[1])]
    return pieces


def _whole(piece: Piece) -> Any:
    try:
        return repair(piece.geometry, "MULTIPOLYGON").geometry
    except Refusal as error:
        raise BoundaryError(
            "Hình của một đơn vị mới không dùng được: %(reason)s", reason=str(error)
        ) from error
