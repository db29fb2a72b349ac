"""Between the desk's forms and its choices: what a form says, and what a form shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data.accounts import Actor
from gis.errors import Refusal
from gis.inspect import CrsProposal, LayerReport
from gis.vectorfile import open_vector
from layers.fields import Field, Layer
from services.imports.choices import Choices, id_column
from services.imports.desk import Desk
from services.imports.matching import ListedValue, listed_values
from services.imports.source import proposal_of, said
from services.imports.views import sentence_of_notice

CELLS_READ = 20_000
SAMPLES = 3


# ---- what forms say


def reading(form: Mapping[str, str]) -> dict[str, Any]:
    """The choices of the first step."""
    changes: dict[str, Any] = {"layer": form.get("layer") or None, "encoding": form.get("encoding") or None}
    crs = form.get("other_crs", "").strip() or form.get("crs", "")
    name, _, swapped = crs.partition("|")
    changes["crs"] = f"EPSG:{name}" if name.isdigit() else name or None
    changes["swapped"] = bool(swapped) or "swapped" in form
    changes["outlines"] = "outlines" in form
    if form.get("x") and form.get("kind"):
        changes["columns"] = {
            "x": form["x"],
            "y": form.get("y") or None,
            "kind": form["kind"],
            "header_row": _number(form.get("header_row"), 1),
            "sheet": form.get("sheet") or None,
        }
    return changes


def fields(layer: Layer, form: Mapping[str, str]) -> dict[str, Any]:
    """The choices of the second step."""
    columns, fixed = {}, {}
    values: dict[str, dict[str, str]] = {}
    for field in layer.fields:
        if column := form.get(f"column-{field.name}"):
            columns[field.name] = column
        elif text := form.get(f"fixed-{field.name}", "").strip():
            fixed[field.name] = text
        if field.codes:
            values[field.name] = _listed(field.name, form)
    return {
        "fields": columns,
        "fixed": fixed,
        "values": {name: chosen for name, chosen in values.items() if chosen},
        "mode": form.get("mode", "add"),
        "match": form.get("match") or None,
        "skip_duplicates": "skip_duplicates" in form,
        "without_place": "without_place" in form,
    }


def _listed(name: str, form: Mapping[str, str]) -> dict[str, str]:
    """Pairs of hidden text and chosen code, numbered in the form."""
    chosen, number = {}, 0
    while (text := form.get(f"text-{name}-{number}")) is not None:
        if code := form.get(f"code-{name}-{number}"):
            chosen[text] = code
        number += 1
    return chosen


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


# ---- what forms show


def encodings(report: LayerReport, choices: Choices) -> list[dict[str, Any]]:
    """The ways to read the letters, each with texts read so; none where the format leaves no choice."""
    guess = report.encoding
    chosen = choices.encoding or guess.chosen
    found = [
        {"name": c.encoding, "samples": c.samples, "chosen": c.encoding == chosen} for c in guess.alternatives
    ]
    if found and not any(one["chosen"] for one in found):
        found.insert(0, {"name": chosen, "samples": (), "chosen": True})
    return found


def chosen_proposal(report: LayerReport, choices: Choices) -> CrsProposal | None:
    """The reference system that is chosen or certain, or None."""
    try:
        return proposal_of(report, choices)
    except Refusal:
        return None


def proposals(report: LayerReport, chosen: CrsProposal | None) -> list[dict[str, Any]]:
    """The proposed reference systems with the reasons; the first plausible one is ticked when none was chosen."""
    found = [
        {
            **asdict(p),
            "value": f"{p.crs}|swap" if p.swapped else p.crs,
            "why": sentence_of_notice(p.why),
            "chosen": chosen is not None and (p.crs, p.swapped) == (chosen.crs, chosen.swapped),
        }
        for p in report.crs.proposals
    ]
    if chosen is not None and not any(one["chosen"] for one in found):
        found.append({**asdict(chosen), "value": chosen.crs, "why": "", "chosen": True})
    return found


def columns_of(report: LayerReport) -> dict[str, Any] | None:
    """Where the table's coordinates were found."""
    return asdict(report.columns) if report.columns is not None else None


def has_row_ids(report: LayerReport) -> bool:
    """Tell whether the file has the record's own numbers."""
    return id_column(report.fields) is not None


def field_rows(desk: Desk, report: LayerReport, actor: Actor, lang: str) -> list[dict[str, Any]]:
    """One row per writable field: its column or fixed value, and a few cells of the column."""
    rows = []
    for field in desk.layer.readable_fields(actor):
        if not field.writable:
            continue
        column = desk.choices.fields.get(field.name)
        rows.append(
            {
                "name": field.name,
                "title": field.title[lang],
                "unit": field.unit[lang] if field.unit else None,
                "required": field.required,
                "column": column,
                "fixed": desk.choices.fixed.get(field.name, ""),
                "codes": _codes(field, lang),
                "samples": _samples(report, column),
            }
        )
    return rows


def _samples(report: LayerReport, column: str | None) -> list[str]:
    if column is None:
        return []
    texts = [said(sample.get(column)) for sample in report.samples]
    return [text for text in dict.fromkeys(texts) if text][:SAMPLES]


def _codes(field: Field, lang: str) -> list[tuple[str, str]] | None:
    listed = field.code_list
    return [(value, code.label(lang)) for value, code in listed.items()] if listed else None


def listed_rows(desk: Desk, report: LayerReport, lang: str) -> list[dict[str, Any]]:
    """For each code-list field with a column: the texts of the file and the codes that they stand for."""
    wanted = {
        name: column
        for name, column in desk.choices.fields.items()
        if desk.layer.field(name).codes and column in report.fields
    }
    if not wanted:
        return []
    cells = _cells(desk, report, list(wanted.values()))
    shown = []
    for name, column in wanted.items():
        field = desk.layer.field(name)
        found: list[ListedValue] = listed_values(
            field.codes or "", cells[column], desk.choices.values.get(name, {})
        )
        shown.append(
            {"name": name, "title": field.title[lang], "values": found, "codes": _codes(field, lang)}
        )
    return shown


def _cells(desk: Desk, report: LayerReport, columns: list[str]) -> dict[str, list[Any]]:
    """The cells of some columns, as many as can be read while somebody waits."""
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    proposal = chosen_proposal(report, desk.choices)
    with open_vector(
        desk.folder.file,
        layer=report.name,
        encoding=desk.choices.encoding,
        crs=proposal.crs if proposal else None,
        columns=desk.choices.table or report.columns,
    ) as file:
        for count, record in enumerate(file):
            if count >= CELLS_READ:
                break
            for column in columns:
                cells[column].append(record.properties.get(column))
    return cells
