"""The desk's pages: a file arrives, is read, matched to fields, tried out and kept, one page per step."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers.response import Response as BaseResponse

from data import uploads
from gis.errors import Refusal
from layers.edit import may_edit
from services import context, jobs
from services.errors import sentence_of, status_of
from services.imports import desk as desks
from services.imports import views as programs
from services.imports import work
from services.imports.choices import ROW_ID
from services.imports.desk import Desk
from services.imports.folder import LARGEST_UPLOAD, kept_name, shown_name
from services.imports.refusals import ImportRefused, NotReady
from services.imports.register import RegisterReport, import_register
from services.imports.rows import STATE_TITLES, RowState
from services.imports.views import current, missing, sentence_of_notice, sentence_of_row
from webmap.office import importforms as forms
from webmap.office.jobs import BADGES, STATES
from webmap.pages import static, vendor
from webmap.planner.assets import import_map, map_config
from webmap.planner.strings import common_strings

blueprint = Blueprint("office_imports", __name__)
blueprint.url_value_preprocessor(programs.allow_large_requests)
ROWS_PER_PAGE = 100
STEPS = ("read", "fields", "check")


@blueprint.get("/office/import")
@login_required
def start() -> BaseResponse:
    """Show the layers that take files, and the caller's files that are still on the desk."""
    return _start_page()


@blueprint.post("/office/import")
@login_required
def send() -> BaseResponse:
    """Take in the file and go on to what was found in it."""
    store, layer_id = context.store(), request.form.get("layer", "")
    files = [(f.filename or "tep", f.stream) for f in request.files.getlist("file") if f.filename]
    try:
        key = desks.receive(store, work.instance_of(store), context.actor(), layer_id, files)
    except Refusal as error:
        return _start_page(error)
    return redirect(f"/office/import/{key}/read", 303)


@blueprint.route("/office/import/register", methods=["GET", "POST"])
@login_required
def register() -> BaseResponse:
    """Take in the legacy register of products: tried out, or kept whole."""
    desks.layer_for(context.actor(), "products")
    error: Refusal | None = None
    report = None
    file = request.files.get("file")
    if request.method == "POST":
        try:
            report = _registered(file)
        except Refusal as refused:
            error = refused
    return _page("office/import_register.html", error, report=report)


def _registered(file: FileStorage | None) -> RegisterReport:
    if file is None or not file.filename:
        raise ImportRefused("Chưa có tệp nào; hãy chọn một tệp.")
    groups = dict(line.split("=", 1) for line in request.form.get("groups", "").splitlines() if "=" in line)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / kept_name(file.filename)
        file.save(path)
        return import_register(
            context.store(),
            path,
            actor=context.actor(),
            file_name=shown_name(file.filename),
            groups={group.strip(): number.strip() for group, number in groups.items()},
            dry_run="keep" not in request.form,
        )


@blueprint.get("/office/import/<key>")
@login_required
def resume(key: str) -> BaseResponse:
    """Go to the step where the file is now."""
    desk = current(key)
    lacking = missing(desk)
    step = "check" if desk.upload.standing_batch_id is not None or lacking is None else "fields"
    if lacking is not None and lacking["step"] in ("crs", "layer"):
        step = "read"
    return redirect(f"/office/import/{key}/{step}")


@blueprint.post("/office/import/<key>/delete")
@login_required
def delete(key: str) -> BaseResponse:
    """Throw the file away."""
    desks.remove(context.store(), work.instance_of(context.store()), context.actor(), key)
    flash(_("Đã bỏ tệp; bản ghi không thay đổi."), "ok")
    return redirect("/office/import", 303)


@blueprint.get("/office/import/<key>/read")
@login_required
def reading(key: str) -> BaseResponse:
    """Show how the file was read: layer, letters, coordinates."""
    return _reading_page(current(key))


@blueprint.post("/office/import/<key>/read")
@login_required
def choose_reading(key: str) -> BaseResponse:
    """Keep how the file is to be read."""
    desk = current(key)
    try:
        chosen = _choose(desk, forms.reading(request.form))
    except Refusal as error:
        return _reading_page(desk, error)
    lacking = missing(chosen)
    again = "again" in request.form or (lacking is not None and lacking["step"] in ("crs", "layer"))
    return redirect(f"/office/import/{key}/{'read' if again else 'fields'}", 303)


@blueprint.get("/office/import/<key>/fields")
@login_required
def fields(key: str) -> BaseResponse:
    """Show which column fills which field."""
    return _fields_page(current(key))


@blueprint.post("/office/import/<key>/fields")
@login_required
def choose_fields(key: str) -> BaseResponse:
    """Keep which column fills which field, and try the file out unless something is missing."""
    desk = current(key)
    try:
        desk = _choose(desk, forms.fields(desk.layer, request.form))
        if "again" in request.form:
            return redirect(f"/office/import/{key}/fields", 303)
        work.submit_check(context.store(), context.actor(), desk, language=context.language())
    except NotReady as error:
        if error.step in ("crs", "layer"):
            flash(sentence_of(error), "warn")
            return redirect(f"/office/import/{key}/read", 303)
        return _fields_page(desk, error)
    except Refusal as error:
        return _fields_page(desk, error)
    return redirect(f"/office/import/{key}/check", 303)


@blueprint.get("/office/import/<key>/check")
@login_required
def check(key: str) -> BaseResponse:
    """Show what would become of every row."""
    return _check_page(current(key))


@blueprint.post("/office/import/<key>/check")
@login_required
def try_out(key: str) -> BaseResponse:
    """Try the file out once more."""
    desk = current(key)
    try:
        work.submit_check(context.store(), context.actor(), desk, language=context.language())
    except Refusal as error:
        return _check_page(desk, error)
    return redirect(f"/office/import/{key}/check", 303)


@blueprint.post("/office/import/<key>/commit")
@login_required
def commit(key: str) -> BaseResponse:
    """Ask for the rows to be kept."""
    desk = current(key)
    try:
        desk = _choose(desk, {"skip_refused": "skip_refused" in request.form})
        work.submit_commit(context.store(), context.actor(), desk, language=context.language())
    except Refusal as error:
        return _check_page(desk, error)
    return redirect(f"/office/import/{key}/check", 303)


# ---- pages


def _choose(desk: Desk, changes: dict[str, Any]) -> Desk:
    store = context.store()
    chosen = desks.choose(store, work.instance_of(store), context.actor(), desk.key, changes)
    context.renew_session()
    return chosen


def _start_page(error: Refusal | None = None) -> BaseResponse:
    actor = context.actor()
    listed = uploads.uploads_of(context.session(), actor.account_id)
    layers = desks.layers_for(actor)
    titles = {layer.table: layer.title[context.language()] for layer in layers}
    facts = {
        "layers": layers,
        "chosen": request.values.get("layer", ""),
        "uploads": [u for u in listed if u.table_name in titles],
        "titles": titles,
        "limit": LARGEST_UPLOAD // 2**20,
        "kept_days": desks.KEPT_DAYS,
        "register": any(layer.id == "products" for layer in layers),
    }
    return _page("office/import.html", error, **facts)


def _reading_page(desk: Desk, error: Refusal | None = None) -> BaseResponse:
    inspection = desks.inspected(context.session(), desk.folder, desk.choices.encoding)
    report = desks.report_of(inspection, desk.choices)
    proposal = None
    if report.bounds is not None:
        proposal = forms.chosen_proposal(report, desk.choices)
    facts = {
        "inspection": inspection,
        "report": report,
        "encodings": forms.encodings(report, desk.choices),
        "proposals": forms.proposals(report, proposal),
        "columns": desk.choices.columns or forms.columns_of(report),
        "columns_of": sorted({name for sample in report.samples for name in sample} | set(report.fields)),
        "notices": [sentence_of_notice(n) for n in (*report.warnings, *report.crs.warnings)],
        "earlier": desks.earlier_imports(context.session(), desk),
    }
    return _page("office/import_read.html", error, desk=desk, step="read", **facts, **_map_facts())


def _fields_page(desk: Desk, error: Refusal | None = None) -> BaseResponse:
    inspection = desks.inspected(context.session(), desk.folder, desk.choices.encoding)
    report = desks.report_of(inspection, desk.choices)
    rows = forms.field_rows(desk, report, context.actor(), context.language())
    listed = forms.listed_rows(desk, report, context.language())
    facts = {
        "report": report,
        "rows": rows,
        "listed": listed,
        "columns": list(report.fields),
        "row_id": ROW_ID if forms.has_row_ids(report) else None,
        "unused": [c for c in report.fields if c not in set(desk.choices.fields.values())],
        "bad_field": error.facts.get("field") if error is not None else None,
    }
    return _page("office/import_fields.html", error, desk=desk, step="fields", **facts)


def _check_page(desk: Desk, error: Refusal | None = None) -> BaseResponse:
    session = context.session()
    found = desks.tried_out(session, desk)
    state = request.args.get("state", "")
    number = max(1, request.args.get("page", 1, type=int))
    rows = [row for row in found.rows if _wanted(row, state)] if found is not None else []
    first = (number - 1) * ROWS_PER_PAGE
    job = _job(desk)
    facts = {
        "report": found,
        "counts": found.counts if found is not None else {},
        "states": [(str(s), _(STATE_TITLES[s])) for s in RowState],
        "state": state,
        "rows": [
            (row, sentence_of_row(row), _(STATE_TITLES[row.state]))
            for row in rows[first : first + ROWS_PER_PAGE]
        ],
        "page_number": number,
        "pages": max(1, -(-len(rows) // ROWS_PER_PAGE)),
        "first": first + 1 if rows else 0,
        "last": min(len(rows), first + ROWS_PER_PAGE),
        "matching": len(rows),
        "job": job,
        "done": desk.upload.standing_batch_id,
        "has_page": desk.layer.has_page,
        "titles": {f.name: f.title[context.language()] for f in desk.layer.fields} | {"geom": _("Hình")},
        "may": may_edit(context.actor(), desk.layer),
        "lacking": missing(desk) if found is None and desk.upload.standing_batch_id is None else None,
    }
    return _page("office/import_check.html", error, desk=desk, step="check", **facts, **_map_facts())


def _wanted(row: Any, state: str) -> bool:
    if state == "repaired":
        return bool(row.repaired)
    if state == "overlapping":
        return bool(row.overlaps)
    return state in ("", str(row.state))


def _job(desk: Desk) -> dict[str, Any] | None:
    """How the job stands that is at work on the file, or was last."""
    known = desk.facts.get("job")
    if not known:
        return None
    try:
        job = jobs.find(context.session(), context.actor(), known["key"])
    except Refusal:
        return None
    shown = jobs.shown(context.store(), job)
    over = job.state not in ("waiting", "running")
    return {**shown, "over": over, "state_title": _(STATES[job.state]), "badge": BADGES.get(job.state, "")}


def _map_facts() -> dict[str, Any]:
    strings = common_strings() | {
        "row": _("Dòng %(number)s: %(name)s"),
        "meridian": _("kinh tuyến trục %(name)s"),
        **{f"state_{state}": _(title) for state, title in STATE_TITLES.items()},
    }
    return {"import_map": import_map(vendor, static), "strings": strings, "config": map_config()}


def _page(template: str, error: Refusal | None, **facts: Any) -> BaseResponse:
    sentence = sentence_of(error) if error is not None else None
    page = render_template(template, sentence=sentence, steps=STEPS, **facts)
    response = make_response(page, status_of(error) if error is not None else 200)
    response.headers["Cache-Control"] = "no-store"
    return response
