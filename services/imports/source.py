"""The rows of a file as the choices read it: numbers, cells by field, and shapes carried to WGS84."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy.orm import Session

from data import spatial
from gis import crs as reference_systems
from gis.errors import Refusal, marked
from gis.inspect import CrsProposal, Inspection, LayerReport, inspect
from gis.vectorfile import open_vector
from layers.fields import Layer
from services.imports.choices import Choices, id_column
from services.imports.refusals import ImportRefused, NotReady
from services.imports.texts import code_of, read_column

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Source:
    """N rows of a file: their numbers from 1, their values by field, their shapes in lon/lat or None.

    `reasons` says why the reader found no shape, or not the one that was wanted;
    `misplaced` says of rows, by their place in the list, why their shape could not be carried to WGS84;
    `ids` are the record's own numbers where the file has such a column.
    """

    numbers: list[int]
    properties: list[dict[str, Any]]
    shapes: Shapes
    misplaced: dict[int, Refusal]
    ids: list[Any] | None
    crs: str | None
    reasons: dict[int, Refusal] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)


def look_into(path: Path, session: Session, *, encoding: str | None = None) -> Inspection:
    """Inspect a file, with the communes of the record as the measure of where it should lie."""
    known = spatial.commune_outlines(session)
    box = None
    if len(known):
        west, south, east, north = shapely.total_bounds(known).tolist()
        box = (west, south, east, north)
    return inspect(path, encoding=encoding, territory=box, known=list(known))


def proposal_of(report: LayerReport, choices: Choices) -> CrsProposal:
    """Return in what reference system the numbers are; a file without shapes needs none.

    Raises NotReady when neither the file nor anybody says so: nothing is taken for WGS84 silently.
    """
    guess = report.crs
    if choices.crs is not None:
        for known in guess.proposals:
            if known.crs == choices.crs and known.swapped == choices.swapped:
                return known
        reference_systems.resolve(choices.crs)
        said = (0.0, 0.0, 0.0, 0.0)
        why = guess.best.why if guess.best else report.encoding.why
        return CrsProposal(choices.crs, choices.crs, choices.crs, why, said, choices.swapped)
    best = guess.best
    if best is not None and best.certain and not best.swapped:
        return best
    if best is not None and choices.swapped and best.swapped:
        return best
    if best is not None and best.swapped:
        raise NotReady(
            marked("Tọa độ bị đảo hoặc hệ tọa độ chưa rõ: %(why)s Hãy chọn hệ tọa độ %(crs)s và đảo X, Y."),
            step="crs",
            crs=best.crs,
            why=str(best.why),
        )
    named = ", ".join(f"{p.crs} ({p.title})" for p in guess.proposals) or "–"
    raise NotReady(
        marked("Chưa rõ tệp dùng hệ tọa độ nào nên chưa nhập; hãy chọn một. Gợi ý theo tọa độ: %(known)s."),
        step="crs",
        known=named,
    )


def read(path: Path, layer: Layer, report: LayerReport, choices: Choices) -> Source:
    """Read every row of the file. Raises NotReady, or the file reader's refusal."""
    placed = report.bounds is not None
    proposal = proposal_of(report, choices) if placed else None
    with open_vector(
        path,
        layer=choices.layer or report.name,
        encoding=choices.encoding,
        crs=proposal.crs if proposal else None,
        swapped=proposal.swapped if proposal else False,
        columns=choices.table or report.columns,
        outline_of_track=choices.outlines,
    ) as file:
        records = list(file)
        system = file.crs or (proposal.crs if proposal else None)
    shapes = np.empty(len(records), dtype=object)
    shapes[:] = [record.geometry for record in records]
    shapes, misplaced = _carried(shapes, system)
    cells = [record.properties for record in records]
    key = id_column(report.fields) if choices.match else None
    return Source(
        numbers=[record.number for record in records],
        properties=_by_field(layer, choices, cells),
        shapes=shapes,
        misplaced=misplaced,
        ids=[cell.get(key) for cell in cells] if key else None,
        crs=system,
        reasons={
            i: ImportRefused(record.reason.message, **{**record.reason.facts, "field": "geometry"})
            for i, record in enumerate(records)
            if record.reason is not None
        },
    )


def _carried(shapes: Shapes, system: str | None) -> tuple[Shapes, dict[int, Refusal]]:
    """Carry shapes to WGS84, all at once or, where one of them resists, each by itself."""
    if system is None:
        return shapes, {}
    try:
        return reference_systems.transform(shapes, system, "OGC:CRS84"), {}
    except reference_systems.OutsideCrs:
        pass
    carried = shapes.copy()
    resisting: dict[int, Refusal] = {}
    for i in range(len(shapes)):
        try:
            carried[i : i + 1] = reference_systems.transform(shapes[i : i + 1], system, "OGC:CRS84")
        except reference_systems.OutsideCrs as error:
            carried[i], resisting[i] = None, error
    return carried, resisting


def _by_field(layer: Layer, choices: Choices, cells: list[Any]) -> list[dict[str, Any]]:
    """Turn cells by column into values by field; what is blank in the file is left out."""
    found: list[dict[str, Any]] = [{} for _ in cells]
    for name, text in choices.fixed.items():
        for row in found:
            row[name] = text
    for name, column in choices.fields.items():
        wanted = layer.field(name)
        values = [cell.get(column) for cell in cells]
        if wanted.codes:
            values = _codes(wanted.codes, values, choices.values.get(name, {}))
        else:
            values = read_column(wanted, values)
        for row, value in zip(found, values, strict=True):
            if value is not None:
                row[name] = value
    return found


def _codes(list_name: str, values: list[Any], chosen: dict[str, str]) -> list[Any]:
    known: dict[str, Any] = {"": None}
    for value in values:
        text = said(value)
        if text not in known:
            known[text] = chosen.get(text) or code_of(list_name, value) or text
    return [known[said(value)] for value in values]


def said(value: Any) -> str:
    """A cell as the text that somebody sees and that code values are chosen for."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def place_problem(
    geometry: shapely.Geometry | None, choices: Choices, reason: Refusal | None = None
) -> Refusal | None:
    """Why a shape cannot be where it is, or None; `reason` is what the reader said of it."""
    if geometry is None or geometry.is_empty:
        none = ImportRefused("Dòng không có hình.", field="geometry")
        return None if choices.without_place else reason or none
    if reason is not None:
        return reason
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return ImportRefused(
            "Tọa độ không phải là kinh vĩ độ WGS84; hệ tọa độ đã chọn không đúng.", field="geometry"
        )
    if reference_systems.looks_swapped(geometry.bounds):
        return ImportRefused("Tọa độ bị đảo: kinh độ phải đứng trước vĩ độ.", field="geometry")
    return None
