"""Reading a file of units: columns, reference system and positions, before any shape is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from data.boundaries import columns
from data.boundaries.errors import BoundaryError, some
from data.boundaries.report import Remark
from gis import crs as systems
from gis.crs import CrsLike
from gis.vectorfile import Record, open_vector

Geometries = npt.NDArray[np.object_]

RECORD_CRS = "OGC:CRS84"
MOST_UNITS = 20_000
"""More features than the whole country has communes: the file holds something else."""


@dataclass(frozen=True)
class UnitFile:
    """The units of a file, column by column in the file's order; geometries in lon/lat."""

    name: str
    level: str
    codes: list[str]
    names: list[str]
    kinds: list[str | None]
    district_codes: list[str]
    district_names: list[str]
    geometries: Geometries
    remarks: list[Remark] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def has_districts(self) -> bool:
        """Whether any unit says which district it belongs to."""
        return any(self.district_codes)


def read_units(path: Path, mapping: Mapping[str, str] | None = None, *, layer: str | None = None) -> UnitFile:
    """Read the units of a file in any format and system; raises BoundaryError or VectorFileError."""
    with open_vector(path, layer=layer) as file:
        chosen = columns.recognise(list(file.fields), mapping)
        if file.count > MOST_UNITS:
            raise _too_many(file.count)
        records = list(file)
        crs = file.crs
    codes = _codes(records, chosen[columns.CODE])
    level = columns.level_of(codes)
    _once(codes)
    geometries = _polygons(records, codes)
    geometries, remarks = _in_degrees(geometries, crs)

    def cells(role: str) -> list[str]:
        column = chosen.get(role)
        return [columns.text(r.properties.get(column)) if column else "" for r in records]

    names = cells(columns.NAME)
    district_column = chosen.get(columns.DISTRICT_CODE)
    districts = [
        columns.code_text(r.properties.get(district_column)) if district_column else "" for r in records
    ]
    return UnitFile(
        name=path.name,
        level=level,
        codes=codes,
        names=names,
        kinds=[columns.kind_of(kind, name) for kind, name in zip(cells(columns.TYPE), names, strict=True)],
        district_codes=districts,
        district_names=cells(columns.DISTRICT_NAME),
        geometries=geometries,
        remarks=remarks,
    )


def _too_many(count: int) -> BoundaryError:
    return BoundaryError(
        "Tệp có %(count)s hình, quá nhiều để là ranh giới hành chính của một tỉnh.", count=count
    )


def _codes(records: Sequence[Record], column: str) -> list[str]:
    """The codes of all records, none of them empty."""
    codes = columns.unit_codes([record.properties.get(column) for record in records])
    empty = [record.number for record, code in zip(records, codes, strict=True) if not code]
    if empty:
        raise BoundaryError(
            "Cột mã “%(column)s” để trống ở %(count)s đơn vị (bản ghi số %(numbers)s).",
            column=column,
            count=len(empty),
            numbers=some(empty),
        )
    return codes


def _once(codes: Sequence[str]) -> None:
    twice = [code for code, count in Counter(codes).items() if count > 1]
    if twice:
        raise BoundaryError(
            "Mã đơn vị bị trùng trong tệp: %(codes)s; mỗi đơn vị hành chính chỉ được có một hình.",
            codes=some(twice),
        )


def _polygons(records: Sequence[Record], codes: Sequence[str]) -> Geometries:
    """The geometries of all records as they are in the file: all of them areas."""
    geometries = np.empty(len(records), dtype=object)
    geometries[:] = [record.geometry for record in records]
    missing = shapely.is_missing(geometries) | shapely.is_empty(geometries)
    if missing.any():
        bare = [codes[int(at)] for at in np.flatnonzero(missing)]
        raise BoundaryError("Đơn vị %(codes)s trong tệp không có hình.", codes=some(bare))
    wrong = ~np.isin(shapely.get_type_id(geometries), (3, 6, 7))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise BoundaryError(
            "Ranh giới hành chính phải là hình vùng, nhưng tệp cho hình loại %(found)s (đơn vị %(code)s).",
            found=geometries[at].geom_type,
            code=codes[at],
        )
    flat: Geometries = shapely.force_2d(geometries)
    return flat


def _in_degrees(geometries: Geometries, crs: CrsLike | None) -> tuple[Geometries, list[Remark]]:
    """The geometries in lon/lat of WGS84, once their position makes sense in Vietnam."""
    source: CrsLike = crs if crs is not None else RECORD_CRS
    bounds: list[float] = shapely.total_bounds(geometries).tolist()
    if not np.isfinite(bounds).all():
        raise BoundaryError("Tệp có tọa độ không phải là số.")
    if systems.looks_swapped(bounds, source):
        raise BoundaryError(
            "Hai trục tọa độ của tệp bị đổi chỗ (vĩ độ đứng trước kinh độ, hay X và Y đảo nhau); "
            "hãy xuất lại tệp theo thứ tự kinh độ, vĩ độ."
        )
    if systems.resolve(source).is_geographic and max(map(abs, bounds)) > 360:
        raise BoundaryError(
            "Tọa độ của tệp tính bằng mét nhưng tệp không ghi hệ tọa độ phẳng nào; "
            "hãy xuất lại tệp kèm hệ tọa độ (ví dụ EPSG:9207) hoặc theo WGS 84."
        )
    same = systems.resolve(source).equals(systems.resolve(RECORD_CRS), ignore_axis_order=True)
    moved = geometries if same else systems.transform(geometries, source, RECORD_CRS)
    west, south, east, north = shapely.total_bounds(moved).tolist()
    least_lon, least_lat, most_lon, most_lat = systems.VIETNAM_BOUNDS
    if west < least_lon or south < least_lat or east > most_lon or north > most_lat:
        raise BoundaryError(
            "Ranh giới trong tệp nằm ngoài Việt Nam (kinh độ %(west).2f đến %(east).2f, "
            "vĩ độ %(south).2f đến %(north).2f); hãy kiểm tra hệ tọa độ của tệp.",
            west=west,
            east=east,
            south=south,
            north=north,
        )
    return moved, _system_remarks(crs)


def _system_remarks(crs: Any) -> list[Remark]:
    if crs is None:
        return [
            Remark(
                "Tệp không ghi hệ tọa độ; tọa độ được hiểu là kinh độ, vĩ độ WGS 84.",
                "The file names no reference system; it was taken as longitude, latitude of WGS 84.",
            )
        ]
    if systems.is_vn2000(crs):
        return [
            Remark(
                "Tọa độ VN-2000 trong tệp đã được chuyển sang WGS 84 bằng bảy tham số EPSG:6960.",
                "VN-2000 coordinates were carried to WGS 84 by the seven parameters of EPSG:6960.",
            )
        ]
    return []
