"""A vector file into a layer, through the one edit path: every row is checked, and all are kept or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from data.accounts import SYSTEM, Actor
from data.store import Store
from gis import crs as reference_systems
from gis.errors import Refusal
from gis.vectorfile import VectorFile, open_vector
from layers import edit
from layers.fields import Layer

#: A shapefile cuts the names of its columns to this length.
SHAPEFILE_NAME = 10


class ImportRefused(Refusal):
    """Nothing was imported."""


@dataclass(frozen=True)
class Problem:
    """Why one row of the file cannot be kept."""

    row: int
    sentence: str


@dataclass
class ImportReport:
    """What an import did, or would do."""

    layer: Layer
    mapping: dict[str, str]
    unused: tuple[str, ...]
    rows: int = 0
    kept: bool = False
    ids: list[int] = field(default_factory=list)
    repaired: int = 0
    problems: list[Problem] = field(default_factory=list)


class _Undo(Exception):
    """Leaves the transaction without keeping it."""


def import_layer(
    store: Store,
    layer: Layer,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    actor: Actor = SYSTEM,
    dry_run: bool = False,
) -> ImportReport:
    """Add the rows of a vector file to a layer in one transaction.

    Columns named like the layer's writable fields fill them; `mapping` names the column of further fields.
    Geometry is carried to WGS84 lon/lat. With `dry_run`, or when any row has a problem, nothing is kept and
    the report says why. Raises ImportRefused or VectorFileError when the file as a whole does not fit.
    """
    if not accepts(layer):
        raise ImportRefused(
            "Lớp %(layer)s không nhận từng dòng; địa giới được nhập bằng ocopmap import boundaries.",
            layer=layer.id,
        )
    with open_vector(path, encoding=encoding) as file:
        columns = columns_of(layer, file, mapping or {})
        used = set(columns.values())
        report = ImportReport(layer, columns, tuple(n for n in file.fields if n not in used))
        try:
            with edit.editing(store, actor, "import", reason=path.name) as edits:
                for number, properties, geometry in _records(file, columns):
                    _keep(edits, layer, report, number, properties, geometry)
                report.repaired = len(edits.repairs)
                if report.problems or dry_run:
                    raise _Undo
        except _Undo:
            report.ids.clear()
        else:
            report.kept = True
    return report


def accepts(layer: Layer) -> bool:
    """Tell whether rows can be imported into a layer: it has fields that may be written."""
    return any(f.writable for f in layer.fields)


def columns_of(layer: Layer, file: VectorFile, mapping: Mapping[str, str]) -> dict[str, str]:
    """Match fields to columns of a file: {field: column}, by name without regard to case, `mapping` first.

    Raises ImportRefused for an unknown field or column, and for a required field that no column fills.
    """
    writable = {f.name: f for f in layer.fields if f.writable}
    by_lower = {name.lower(): name for name in file.fields}
    found = {name: by_lower[name] for name in writable if name in by_lower}
    for name in writable:
        cut = by_lower.get(name[:SHAPEFILE_NAME])
        if cut is not None and sum(f.name.startswith(cut.lower()) for f in layer.fields) == 1:
            found.setdefault(name, cut)
    for name, column in mapping.items():
        if name not in writable:
            raise ImportRefused(
                "Lớp %(layer)s không có trường “%(field)s” để nhập; các trường: %(known)s.",
                layer=layer.id,
                field=name,
                known=", ".join(writable),
            )
        if column not in file.fields:
            raise ImportRefused(
                "Tệp không có cột “%(column)s”; các cột: %(known)s.",
                column=column,
                known=", ".join(file.fields),
            )
        found[name] = column
    missing = [f for f in writable.values() if f.required and f.name not in found]
    if missing:
        raise ImportRefused(
            "Tệp không có cột cho trường bắt buộc “%(title)s”; hãy thêm --map %(field)s=TÊN_CỘT. "
            "Các cột: %(known)s.",
            title=missing[0].title.vi,
            field=missing[0].name,
            known=", ".join(file.fields) or "không có",
        )
    return found


def _records(
    file: VectorFile, columns: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, Any], shapely.Geometry | None]]:
    for record in file:
        geometry = record.geometry
        if geometry is not None and file.crs is not None:
            geometry = reference_systems.transform(np.array([geometry], dtype=object), file.crs, "OGC:CRS84")[
                0
            ]
        properties = {name: record.properties.get(column) for name, column in columns.items()}
        yield record.number, {n: v for n, v in properties.items() if v is not None}, geometry


def _keep(
    edits: edit.Edits,
    layer: Layer,
    report: ImportReport,
    number: int,
    properties: dict[str, Any],
    geometry: shapely.Geometry | None,
) -> None:
    """Add one row in a savepoint of its own, so that a bad one does not hide the problems of later ones."""
    report.rows += 1
    try:
        _check_place(geometry)
        with edits.session.begin_nested():
            report.ids.append(edits.insert(layer, properties, geometry))
    except Refusal as error:
        report.problems.append(Problem(number, str(error)))


def _check_place(geometry: shapely.Geometry | None) -> None:
    if geometry is None or geometry.is_empty:
        raise ImportRefused("Dòng không có hình.")
    if reference_systems.looks_swapped(geometry.bounds):
        raise ImportRefused("Tọa độ bị đảo: kinh độ phải đứng trước vĩ độ.")
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ImportRefused("Tọa độ không phải là kinh vĩ độ WGS84; tệp thiếu hệ tọa độ.")
