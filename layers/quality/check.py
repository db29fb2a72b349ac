"""Checking a layer of the record, or any polygons: every kind of fault, step by step, with progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data.accounts import SYSTEM, is_boundary
from data.admin_units import Commune, Province, edition_in_use
from data.spatial import Box
from data.store import revisions
from data.tables import LayerChange
from gis import narrowgaps, vertices
from gis import quality as faults
from gis.errors import Refusal, marked
from gis.quality import Fault, Kind
from layers import read
from layers.fields import Layer
from layers.quality.report import Finding, Report, Rules, findings_of, moment, ordered

Progress = Callable[[int, int, str], None]
Objects = NDArray[np.object_]

POLYGONS = ("POLYGON", "MULTIPOLYGON")
MOST_BOXES = 100
"""After more changes than this a layer is checked anew, not only where it changed."""
_AROUND = 1e-5

_STEPS: tuple[str, ...] = (
    marked("Đọc hình"),
    marked("Hình hợp lệ"),
    marked("Đỉnh và gai"),
    marked("Chồng lấn và trùng"),
    marked("Mảnh vụn"),
    marked("Khoảng hở"),
    marked("Ranh giới xã và tỉnh"),
)


def may_check(layer: Layer) -> bool:
    """Tell whether a layer holds polygons."""
    return layer.geometry in POLYGONS


def check_layer(session: Session, layer: Layer, rules: Rules, *, progress: Progress | None = None) -> Report:
    """Look at all rows of a layer, of the edition in use, whoever may see them; nothing is written.

    Raises Refusal for a layer that has no polygons.
    """
    if not may_check(layer):
        raise Refusal("Lớp “%(layer)s” không phải lớp hình vùng.", layer=layer.title)
    started = time.monotonic()
    known = watched(session, layer)
    rows, found = _checked(session, layer, rules, None, progress)
    return Report(layer.id, rows, rules, found, round(time.monotonic() - started, 2), moment(), known)


def check_shapes(
    geoms: Sequence[Any] | Objects,
    rules: Rules,
    *,
    ids: Sequence[int] | None = None,
    homes: Mapping[Kind, Sequence[Any]] | None = None,
    declared_ha: Sequence[float | None] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Look at N polygons (lon/lat); `ids` name them, by default from 1.

    `homes` gives for OUTSIDE and ABROAD the polygon that each one should lie in, or None.
    """
    tell = progress or (lambda done, total, title: None)
    array = faults.as_array(geoms)
    found: list[Fault] = []
    steps: list[Callable[[], Iterable[Fault]]] = [
        lambda: faults.shape_faults(array),
        lambda: vertices.vertex_faults(array),
        lambda: faults.pair_faults(array, rules.minimum_m2),
        lambda: faults.part_faults(array, rules.width_m),
        lambda: _gap_faults(array, rules),
        lambda: _home_faults(array, homes or {}, rules),
    ]
    for number, step in enumerate(steps, start=1):
        tell(number, len(_STEPS), _STEPS[number])
        found += step()
    if declared_ha is not None:
        found += faults.declared_faults(array, declared_ha)
    tell(len(_STEPS), len(_STEPS), _STEPS[-1])
    return findings_of(found, range(1, len(array) + 1) if ids is None else ids)


def province_shape(session: Session) -> Any:
    """The polygon of the province in use, from its communes where it has none of its own, or None."""
    edition = edition_in_use(session)
    for model in (Province, Commune):
        query = sa.select(model.geom).where(model.edition == edition, model.geom.is_not(None))
        shapes = list(session.scalars(query))
        if shapes:
            return shapely.union_all(faults.usable(shapes))
    return None


# ---- only what changed


def watched(session: Session, layer: Layer) -> dict[str, int]:
    """The revisions that a report of the layer depends on, by table."""
    known = revisions(session)
    return {table: known.get(table, 0) for table in dict.fromkeys((layer.table, "communes", "provinces"))}


def caught_up(session: Session, layer: Layer, report: Report) -> Report | None:
    """A report brought up to the present by looking only where the layer changed since, or None if that is too much.

    Every change of a row leaves a box; faults that meet one are looked for anew among the rows that meet it.
    """
    known = watched(session, layer)
    if known == dict(report.revisions):
        return report
    if any(known[t] != report.revisions.get(t) for t in known if t != layer.table):
        return None
    since, until = report.revisions[layer.table], known[layer.table]
    boxes = _changed(session, layer, since, until)
    if boxes is None:
        return None
    started = time.monotonic()
    findings, rows = list(report.findings), report.rows
    for box in boxes:
        zone = shapely.box(*box)
        touched = [f for f in findings if _meets(f, zone)]
        shapes = [f.geometry for f in touched if f.geometry is not None]
        wide = shapely.union_all([zone, *shapely.envelope(shapes)]) if shapes else zone
        rows, fresh = _checked(session, layer, report.rules, wide.bounds, None)
        area = shapely.box(*wide.bounds)
        left = [f for f in findings if not _meets(f, area)]
        findings = left + [f for f in fresh if _meets(f, area)]
    rows = _count(session, layer)
    seconds = round(time.monotonic() - started, 2)
    return Report(report.subject, rows, report.rules, ordered(findings), seconds, moment(), known)


def _changed(session: Session, layer: Layer, since: int, until: int) -> list[Box] | None:
    query = sa.select(LayerChange).where(
        LayerChange.table_name == layer.table, LayerChange.revision > since, LayerChange.revision <= until
    )
    changes = session.scalars(query.limit(MOST_BOXES + 1)).all()
    told = {change.revision for change in changes}
    if len(changes) > MOST_BOXES or len(told) < until - since:
        return None
    return [(c.west - _AROUND, c.south - _AROUND, c.east + _AROUND, c.north + _AROUND) for c in changes]


def _meets(finding: Finding, zone: Any) -> bool:
    """Whether a fault lies in a zone; one without a shape always does."""
    return finding.geometry is None or bool(shapely.intersects(zone, finding.geometry))


def _count(session: Session, layer: Layer) -> int:
    return read.count(session, read.Query(layer, SYSTEM))


# ---- the rows of a layer


def _checked(
    session: Session, layer: Layer, rules: Rules, box: Box | None, progress: Progress | None
) -> tuple[int, list[Finding]]:
    if progress is not None:
        progress(0, len(_STEPS), _STEPS[0])
    fields = (layer.declared_area,) if layer.declared_area else ()
    found = read.rows(session, read.Query(layer, SYSTEM, fields=fields, box=box, exact=False))
    ids = found.ids
    geoms: Objects = shapely.from_wkb(found.wkb)
    declared = found.columns[0] if fields else None
    if box is not None and len(ids) == 0:
        return 0, []
    homes = _homes(session, layer, ids)
    findings = check_shapes(
        geoms, rules, ids=ids.tolist(), homes=homes, declared_ha=declared, progress=progress
    )
    if box is not None:
        blank = _blank(session, layer)
        findings = [f for f in findings if f.kind != Kind.EMPTY] + findings_of(
            faults.shape_faults([None] * len(blank)), blank
        )
    return len(ids), findings


def _blank(session: Session, layer: Layer) -> list[int]:
    """The rows without a shape, which no box finds."""
    query = sa.select(layer.model.id).where(layer.model.geom.is_(None))
    if layer.by_edition:
        query = query.where(layer.model.edition == edition_in_use(session))
    return list(session.scalars(query))


def _homes(session: Session, layer: Layer, ids: NDArray[np.int64]) -> dict[Kind, Sequence[Any]]:
    province = province_shape(session)
    homes: dict[Kind, Sequence[Any]] = {}
    if layer.id != "provinces":
        homes[Kind.ABROAD] = [province] * len(ids)
    if is_boundary(layer.model) or not hasattr(layer.model, "commune_id"):
        return homes
    query = sa.select(Commune.id, Commune.geom).where(Commune.geom.is_not(None))
    shapes: dict[Any, Any] = {row_id: geometry for row_id, geometry in session.execute(query)}
    of_row = commune_ids(session, layer)
    homes[Kind.OUTSIDE] = [shapes.get(of_row.get(int(i))) for i in ids]
    return homes


def commune_ids(session: Session, layer: Layer) -> dict[int, Any]:
    """The commune of each row of a layer: {row id: commune id or None}; a commune is its own."""
    model = layer.model
    if model is Commune:
        return {i: i for i in session.scalars(sa.select(Commune.id))}
    if not hasattr(model, "commune_id"):
        return {}
    query = sa.select(model.id, model.commune_id)
    return {row_id: commune_id for row_id, commune_id in session.execute(query)}


# ---- faults that depend on the rules


def _gap_faults(array: Objects, rules: Rules) -> list[Fault]:
    narrow = narrowgaps.narrow_gaps(array, rules.width_m, rules.minimum_m2) if rules.width_m > 0 else []
    if not rules.coverage:
        return narrow
    closed = narrowgaps.closed_gaps(array, rules.minimum_m2)
    if not closed or not narrow:
        return closed + narrow
    tree = shapely.STRtree([gap.geometry for gap in closed])
    return closed + [f for f in narrow if not _told(f, closed, tree)]


def _told(fault: Fault, closed: list[Fault], tree: shapely.STRtree) -> bool:
    """Whether a narrow gap is part of a closed one, which is told already."""
    near = [closed[k].geometry for k in tree.query(fault.geometry, predicate="intersects")]
    if not near:
        return False
    common = shapely.intersection(fault.geometry, shapely.union_all(near))
    return bool(shapely.area(common) > 0.5 * shapely.area(fault.geometry))


def _home_faults(array: Objects, homes: Mapping[Kind, Sequence[Any]], rules: Rules) -> list[Fault]:
    return [
        fault
        for kind, places in homes.items()
        for fault in faults.home_faults(array, places, rules.minimum_m2, kind)
    ]
