"""Judging the shapes of a file of units: validity, overlaps, gaps, and their place against what is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from data.boundaries.errors import BoundaryError
from data.boundaries.read import Geometries, UnitFile
from data.boundaries.report import Compared, Fault, Faults, Remark, Repaired
from gis import coverage, datumshift
from gis.errors import Refusal
from gis.geometry import area_ha, repair

LARGEST_REPAIR = 0.001
"""A repair that changes a unit's area by more than this share is somebody's decision, not ours."""
LARGEST_OVERLAP = 0.05
"""Overlaps of more than this share of all ground mean that the file is no division of a territory."""
SHOWN_FAULTS = 10
SQUARE_METRES_PER_HECTARE = 10_000.0

NOTICED_SHIFT_M = 100.0
FARTHEST_SHIFT_M = 30_000.0


def repaired_units(file: UnitFile) -> tuple[UnitFile, list[Repaired]]:
    """Return the file with valid multipolygons, and which units had to be put right.

    Raises BoundaryError with the place when a repair would change a unit's area by 0.1 % or more.
    """
    shapes = np.empty(len(file), dtype=object)
    notes: list[Repaired] = []
    for at, geometry in enumerate(file.geometries):
        code, name = file.codes[at], file.names[at]
        try:
            result = repair(geometry, "MULTIPOLYGON")
        except Refusal as error:
            raise BoundaryError(
                "Hình của đơn vị %(code)s %(name)s không dùng được: %(reason)s",
                code=code,
                name=name,
                reason=str(error),
            ) from error
        shapes[at] = result.geometry
        if result.reason is None:
            continue
        before, after = result.area_before_ha, result.area_after_ha
        if abs(after - before) >= LARGEST_REPAIR * max(before, after):
            raise BoundaryError(
                "Hình của đơn vị %(code)s %(name)s không hợp lệ và không thể tự sửa mà giữ nguyên diện tích: "
                "%(reason)s",
                code=code,
                name=name,
                reason=str(result.reason),
            )
        notes.append(Repaired(code, name, str(result.reason), before, after))
    return dataclasses.replace(file, geometries=shapes), notes


def faults(file: UnitFile) -> tuple[Faults, Faults]:
    """Return the overlaps and the gaps between the units; raises BoundaryError when they overlap by 5 %."""
    shared = coverage.overlaps(file.geometries)
    overlaps = _summary([((file.codes[o.i], file.codes[o.j]), o.geometry, o.area_m2) for o in shared])
    whole = float(area_ha(file.geometries).sum())
    if overlaps.area_ha > LARGEST_OVERLAP * whole:
        raise BoundaryError(
            "Các đơn vị trong tệp chồng lấn nhau %(area).0f ha (%(percent).1f %% diện tích), nhiều nhất giữa "
            "%(first)s và %(second)s; hãy sửa tệp rồi nạp lại.",
            area=overlaps.area_ha,
            percent=100 * overlaps.area_ha / whole,
            first=overlaps.largest[0].codes[0],
            second=overlaps.largest[0].codes[1],
        )
    empty = coverage.gaps(file.geometries)
    return overlaps, _summary([((), gap.geometry, gap.area_m2) for gap in empty])


def _summary(found: Sequence[tuple[tuple[str, ...], Any, float]]) -> Faults:
    total = sum(area for _, _, area in found) / SQUARE_METRES_PER_HECTARE
    largest = []
    for codes, shape, area in sorted(found, key=lambda fault: -fault[2])[:SHOWN_FAULTS]:
        point = shapely.point_on_surface(shape)
        largest.append(Fault(codes, area / SQUARE_METRES_PER_HECTARE, point.x, point.y))
    return Faults(len(found), total, tuple(largest))


def position(known: Mapping[str, Any], file: UnitFile, *, trusted: bool) -> list[Remark]:
    """Compare the place of units with the shapes (code → geometry) that the record has of the same edition.

    Raises BoundaryError when the file lies somewhere else altogether. Against trusted boundaries, a shift of
    all units is a remark, and one as long as the VN-2000 datum shift is named as that.
    """
    pairs = [
        (known[code], new) for code, new in zip(file.codes, file.geometries, strict=True) if known.get(code)
    ]
    if not pairs:
        return []
    east, north = datumshift.median_shift([old for old, _ in pairs], [new for _, new in pairs])
    distance = float(np.hypot(east, north))
    if distance > FARTHEST_SHIFT_M:
        raise BoundaryError(
            "Các đơn vị trong tệp nằm cách vị trí đã biết khoảng %(km).0f km; "
            "hãy kiểm tra hệ tọa độ của tệp.",
            km=distance / 1000,
        )
    if not trusted or distance < NOTICED_SHIFT_M:
        return []
    point = shapely.centroid(pairs[0][0])
    if datumshift.datum_sign(east, north, point.x, point.y):
        return [_vn2000_remark(distance)]
    return [
        Remark(
            "Ranh giới mới lệch trung bình %(metres).0f m so với ranh giới đang có.",
            "The new boundaries lie %(metres).0f m off the present ones on average.",
            {"metres": distance},
        )
    ]


def _vn2000_remark(distance: float) -> Remark:
    return Remark(
        "Ranh giới mới lệch %(metres).0f m so với ranh giới đang có, đúng bằng độ lệch giữa VN-2000 "
        "và WGS 84: một trong hai tệp có thể ghi sai hệ tọa độ.",
        "The new boundaries lie %(metres).0f m off the present ones, just the shift between VN-2000 "
        "and WGS 84: one of the two files may name the wrong reference system.",
        {"metres": distance},
    )


def compare(file: UnitFile, known: Mapping[str, tuple[str, Any]]) -> list[Compared]:
    """Measure each unit of the file against the record's (code → name, geometry) of the same code."""
    both = [(at, code) for at, code in enumerate(file.codes) if known.get(code, ("", None))[1] is not None]
    rows = []
    for at, code in both:
        name, mine = known[code]
        theirs = file.geometries[at]
        apart = shapely.symmetric_difference(mine, theirs)
        file_ha, record_ha, difference = area_ha([theirs, mine, apart]).tolist()
        rows.append(Compared(code, file.names[at] or name, file_ha, record_ha, difference))
    return rows


def as_array(shapes: Sequence[Any]) -> Geometries:
    """Return shapes as one array of objects."""
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    return array
