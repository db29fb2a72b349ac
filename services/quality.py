"""Quality reports: kept per record and layer, brought up to date where the layer changed, made by a job when big."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from data.accounts import SYSTEM, Actor
from data.store import Store
from gis.crs import transform
from gis.errors import Refusal
from gis.quality import Kind, as_array
from gis.vectorfile import open_vector
from layers import catalogue, read
from layers.fields import Layer
from layers.quality.check import Progress, caught_up, check_layer, check_shapes, province_shape
from layers.quality.report import Report, Rules, moment, rules_of
from services.jobqueue import home_of
from services.jobs import Outcome, Work, runner, submit

BIG = 20_000
"""A layer of more rows is checked by a job, not while somebody waits for a page."""


def present(store: Store, session: Session, layer: Layer, rules: Rules) -> Report | None:
    """The report of a layer as it is now, or None when it takes a job to make it."""
    known = kept(store, layer, rules)
    report = caught_up(session, layer, known) if known is not None else None
    if report is None:
        if read.count(session, read.Query(layer, SYSTEM)) > BIG:
            return None
        report = check_layer(session, layer, rules)
    if report is not known:
        keep(store, layer, report)
    return report


def kept(store: Store, layer: Layer, rules: Rules) -> Report | None:
    """The report that was made last, however old, or None."""
    try:
        return Report.from_dict(orjson.loads(_path(store, layer, rules).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(store: Store, layer: Layer, report: Report) -> None:
    """Write a report where other processes find it, whole or not at all."""
    path = _path(store, layer, report.rules)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, young = tempfile.mkstemp(dir=path.parent, suffix=".young")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(report.as_dict()))
        Path(young).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(young).unlink()
        raise


def order(store: Store, actor: Actor, layer: Layer, rules: Rules, *, language: str = "vi") -> str:
    """Ask for a job that makes the report; return its key."""
    parameters = {"layer": layer.id, "minimum_m2": rules.minimum_m2, "width_m": rules.width_m}
    title = _("Kiểm tra chất lượng hình: %(layer)s", layer=layer.title[language])
    return submit(store, actor, "quality", title, parameters, language=language)


@runner("quality")
def run(work: Work) -> Outcome:
    """Make the report of a layer and keep it; it can be begun again at any time."""
    layer = catalogue.layer(work.parameters["layer"])
    rules = rules_of(
        layer, minimum_m2=work.parameters.get("minimum_m2"), width_m=work.parameters.get("width_m")
    )

    def tell(done: int, total: int, title: str) -> None:
        work.progress(done, total, _(title))

    with work.store.reading() as session:
        report = check_layer(session, layer, rules, progress=tell)
    keep(work.store, layer, report)
    counts = {kind.value: count for kind, count in report.counts().items()}
    result = {"layer": layer.id, "rows": report.rows, "counts": counts, "seconds": report.seconds}
    return Outcome({**result, "link": f"/office/quality/{layer.id}"})


def check_file(
    path: Path,
    rules: Rules,
    *,
    layer: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Report:
    """Look at the polygons of a file; rows are numbered from 1. With a store, also against its province.

    Raises Refusal (VectorFileError) for a file that cannot be read, has no polygons or does not say its CRS.
    """
    with open_vector(path, layer=layer) as file:
        crs, records = file.crs, list(file)
    numbers = [r.number for r in records if r.geometry is None or "Polygon" in r.geometry.geom_type]
    shapes: Any = [r.geometry for r in records if r.geometry is None or "Polygon" in r.geometry.geom_type]
    if not any(shape is not None for shape in shapes):
        raise Refusal("Tệp %(file)s không có hình vùng nào.", file=path.name)
    if crs is None:
        raise Refusal("Tệp %(file)s không ghi hệ tọa độ; hãy bổ sung tệp .prj.", file=path.name)
    if crs != "EPSG:4326":
        shapes = transform(as_array(shapes), crs, "OGC:CRS84")
    province = None
    if store is not None and store.exists():
        with store.reading() as session:
            province = province_shape(session)
    homes = None if province is None else {Kind.ABROAD: [province] * len(shapes)}
    started = time.monotonic()
    findings = check_shapes(shapes, rules, ids=numbers, homes=homes, progress=progress)
    return Report(path.name, len(shapes), rules, findings, round(time.monotonic() - started, 2), moment(), {})


def _path(store: Store, layer: Layer, rules: Rules) -> Path:
    record = hashlib.sha256(store.url.render_as_string().encode()).hexdigest()[:8]
    folder = home_of(store).jobs.parent / "cache" / "quality"
    return folder / f"{layer.id}-{rules.key}-{record}.json"
