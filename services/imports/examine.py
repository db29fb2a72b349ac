"""Looking at every row of a file as the edit path would, without keeping any: the dry run, and the plan of a commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from data.accounts import Actor
from layers.edit import NotAllowed, may_edit
from layers.fields import Field, FieldType, Layer
from layers.many import Checked, check_rows
from layers.matches import Found, changes, records_of
from layers.neighbours import neighbours
from layers.refusals import Invalid
from layers.rules import Rules
from services.imports.choices import ADD, ROW_ID, UPDATE, Choices
from services.imports.refusals import ImportRefused
from services.imports.rows import BARRED, Report, RowReport, RowState, Shapes, boxes_of
from services.imports.source import Source, place_problem

CHUNK = 5_000
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Update:
    """A change of a record: its number, the version that was looked at, and what is new."""

    at: int
    record: int
    version: int
    properties: dict[str, Any]
    geometry: shapely.Geometry | None


@dataclass(frozen=True)
class Plan:
    """What a commit does: rows to add and changes to make, each with its place in the report."""

    report: Report
    shapes: Shapes
    additions: list[tuple[int, Checked]]
    updates: list[Update]


def examine(
    session: Session,
    actor: Actor,
    layer: Layer,
    source: Source,
    choices: Choices,
    progress: Progress = lambda done: None,
) -> Plan:
    """Judge N rows and say what would become of each; `progress` is told how many are done.

    Raises NotAllowed for callers who may not edit the layer.
    """
    if not may_edit(actor, layer):
        raise NotAllowed("Bạn không có quyền thêm vào lớp %(layer)s.", layer=layer.title)
    reports = [
        RowReport(number, RowState.ADD, name=str(row.get(layer.name_field) or ""))
        for number, row in zip(source.numbers, source.properties, strict=True)
    ]
    matched = _matched(session, actor, layer, source, choices, reports)
    checked = _checked(session, actor, layer, source, choices, reports, matched, progress)
    shapes = np.empty(len(source), dtype=object)
    shapes[:] = [c.row.geom if c is not None else None for c in checked]
    for i, error in source.misplaced.items():
        reports[i].bar(error)
    _note_repairs(reports, checked)
    _note_changes(session, actor, layer, source, reports, checked, matched)
    _note_neighbours(session, actor, layer, reports, shapes, matched, choices)
    for report, box in zip(reports, boxes_of(shapes), strict=True):
        report.box = box
    return Plan(
        Report(reports, source.crs),
        shapes,
        [(i, c) for i, c in enumerate(checked) if c is not None and reports[i].state == RowState.ADD],
        [_update(i, source, reports[i], shapes[i]) for i in matched if reports[i].state == RowState.UPDATE],
    )


def _update(i: int, source: Source, report: RowReport, shape: shapely.Geometry | None) -> Update:
    assert report.record is not None and report.version is not None
    return Update(i, report.record, report.version, source.properties[i], shape)


# ---- which records the rows mean


def _matched(
    session: Session,
    actor: Actor,
    layer: Layer,
    source: Source,
    choices: Choices,
    reports: list[RowReport],
) -> dict[int, Any]:
    """The record of each row that means one, by the row's place; rows that mean none or several are barred."""
    if choices.mode == ADD or choices.match is None:
        return {}
    keys = _keys(session, actor, layer, source, choices, reports)
    known = records_of(session, actor, layer, choices.match, [k for k in keys if k is not None])
    first: dict[Any, int] = {}
    matched: dict[int, Any] = {}
    for i, key in enumerate(keys):
        report = reports[i]
        if report.state in BARRED:
            continue
        found = known.get(key, []) if key is not None else []
        if key is not None and key in first:
            twice = ImportRefused("Trùng khóa “%(key)s” với dòng %(row)s.", key=key, row=first[key])
            report.bar(twice)
        elif len(found) > 1:
            report.bar(ImportRefused("Có %(count)s bản ghi cùng khóa “%(key)s”.", count=len(found), key=key))
        elif found:
            _match(layer, report, found[0], i, matched)
        elif choices.mode == UPDATE:
            none = ImportRefused(
                "Không có bản ghi nào mang khóa “%(key)s”.", key=key if key is not None else ""
            )
            report.bar(none)
        if key is not None:
            first.setdefault(key, report.number)
    return matched


def _match(layer: Layer, report: RowReport, found: Found, i: int, matched: dict[int, Any]) -> None:
    report.record, report.version = int(found.row.id), int(found.row.version)
    if found.own:
        matched[i] = found.row
        report.state = RowState.UPDATE
        return
    outside = NotAllowed(
        "Bản ghi nằm ngoài địa bàn bạn phụ trách; lớp %(layer)s chưa thay đổi.", layer=layer.title
    )
    report.bar(outside, RowState.OUTSIDE)


def _keys(
    session: Session,
    actor: Actor,
    layer: Layer,
    source: Source,
    choices: Choices,
    reports: list[RowReport],
) -> list[Any]:
    assert choices.match is not None
    rules = Rules(session, actor, layer)
    if choices.match == ROW_ID:
        field = Field("id", layer.title, FieldType.INTEGER)
        raw: Sequence[Any] = source.ids or [None] * len(source)
    else:
        field = layer.field(choices.match)
        raw = [row.get(choices.match) for row in source.properties]
    keys: list[Any] = []
    for value, report in zip(raw, reports, strict=True):
        try:
            key = int(float(value)) if choices.match == ROW_ID and value not in (None, "") else None
            keys.append(key if choices.match == ROW_ID else rules.value(field, value))
        except Invalid as error:
            report.bar(error)
            keys.append(None)
        except (TypeError, ValueError, OverflowError):
            report.bar(ImportRefused("“%(value)s” không phải là số của bản ghi.", value=value, field="id"))
            keys.append(None)
    return keys


# ---- judging


def _checked(
    session: Session,
    actor: Actor,
    layer: Layer,
    source: Source,
    choices: Choices,
    reports: list[RowReport],
    matched: dict[int, Any],
    progress: Progress,
) -> list[Checked | None]:
    """Judge rows to be added by all rules, rows of records by the rules of shapes; bar those that fail."""
    checked: list[Checked | None] = [None] * len(source)
    additions = [
        i for i in range(len(source)) if reports[i].state == RowState.ADD and i not in source.misplaced
    ]
    for start in range(0, len(additions), CHUNK):
        some = additions[start : start + CHUNK]
        rows = [(source.properties[i], source.shapes[i]) for i in some]
        for i, outcome in zip(some, check_rows(session, actor, layer, rows), strict=True):
            checked[i] = outcome
            problem = place_problem(source.shapes[i], choices, source.reasons.get(i))
            _bar(reports[i], problem or outcome.refusal)
        progress(start + len(some))
    moved = [i for i in matched if source.shapes[i] is not None and i not in source.misplaced]
    blank: list[tuple[dict[str, Any], Any]] = [({}, source.shapes[i]) for i in moved]
    for i, outcome in zip(moved, check_rows(session, actor, layer, blank, creating=False), strict=True):
        checked[i] = outcome
        problem = place_problem(source.shapes[i], choices, source.reasons.get(i))
        _bar(reports[i], problem or outcome.refusal)
    return checked


def _bar(report: RowReport, refusal: Any) -> None:
    if refusal is not None:
        report.bar(refusal, RowState.OUTSIDE if isinstance(refusal, NotAllowed) else RowState.REFUSED)


def _note_repairs(reports: list[RowReport], checked: Sequence[Checked | None]) -> None:
    for report, outcome in zip(reports, checked, strict=True):
        repair = outcome.repair if outcome is not None else None
        if repair is None or not repair.changed or report.state in BARRED:
            continue
        report.repaired = True
        report.area_before = round(repair.area_before_ha, 4)
        report.area_after = round(repair.area_after_ha, 4)
        if repair.reason is not None:
            report.reason, report.reason_facts = repair.reason.message, dict(repair.reason.facts)


def _note_changes(
    session: Session,
    actor: Actor,
    layer: Layer,
    source: Source,
    reports: list[RowReport],
    checked: Sequence[Checked | None],
    matched: dict[int, Any],
) -> None:
    rules = Rules(session, actor, layer)
    for i, record in matched.items():
        report, outcome = reports[i], checked[i]
        if report.state != RowState.UPDATE:
            continue
        shape = outcome.row.geom if outcome is not None else None
        try:
            report.changes = changes(rules, layer, record, source.properties[i], shape)
        except Invalid as error:
            report.bar(error)
            continue
        report.name = report.name or str(getattr(record, layer.name_field, "") or "")
        if not report.changes:
            report.state = RowState.SAME


def _note_neighbours(
    session: Session,
    actor: Actor,
    layer: Layer,
    reports: list[RowReport],
    shapes: Shapes,
    matched: dict[int, Any],
    choices: Choices,
) -> None:
    looked_at = shapes.copy()
    for i, report in enumerate(reports):
        if report.state in BARRED:
            looked_at[i] = None
    updated = {i: int(record.id) for i, record in matched.items()}
    found = neighbours(session, actor, layer, [r.name for r in reports], looked_at, updated)
    for i, row in found.same_row.items():
        reports[i].same_row = reports[row].number
    for i, record in found.same_record.items():
        reports[i].same_record = record
    for i, overlaps in found.overlaps.items():
        reports[i].overlaps = [
            (round(ha, 4), reports[row].number if row is not None else None, record)
            for ha, row, record in overlaps[:5]
        ]
    for report in reports:
        repeats = report.same_row is not None or report.same_record is not None
        if repeats and report.state == RowState.ADD and choices.skip_duplicates:
            report.state = RowState.DUPLICATE
