"""The desk for programs: a file is sent, looked into, matched, tried out and kept, step by step, over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Blueprint, Response, request, send_file
from werkzeug.exceptions import Unauthorized

from data.accounts import PUBLIC
from gis.errors import Refusal
from gis.inspect import LayerReport, Notice
from services import context
from services.errors import BadRequest, sentence_of
from services.imports import desk as desks
from services.imports import preview, work
from services.imports.desk import Desk
from services.imports.folder import LARGEST_UPLOAD
from services.imports.refusals import NotReady, NoUpload
from services.imports.rows import STATE_TITLES, Report, RowReport

blueprint = Blueprint("imports", __name__)
ROWS_SHOWN = 1_000


def allow_large_requests(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let requests to the desk be as large as the desk takes; run before anything reads the body."""
    request.max_content_length = LARGEST_UPLOAD + 1024 * 1024


blueprint.url_value_preprocessor(allow_large_requests)


@blueprint.before_request
def require_caller() -> None:
    """The desk is for those who may edit; who they are must be proven."""
    if context.actor() == PUBLIC:
        raise Unauthorized


def current(key: str) -> Desk:
    """Return the caller's upload."""
    return desks.desk_of(context.session(), work.instance_of(context.store()), context.actor(), key)


@blueprint.post("/imports/<layer_id>")
def send(layer_id: str) -> Response:
    """Take in the file (multipart, field `file`, several for the parts of a shapefile); its address is in Location."""
    files = [(f.filename or "tep", f.stream) for f in request.files.getlist("file") if f.filename]
    given = _document(request.form.get("choices", "{}"))
    store = context.store()
    key = desks.receive(store, work.instance_of(store), context.actor(), layer_id, files, given)
    context.renew_session()
    response = _answer(_shown(current(key)), 201)
    response.headers["Location"] = f"/imports/{key}"
    return response


@blueprint.get("/imports/<key>.json")
@blueprint.get("/imports/<key>")
def show(key: str) -> Response:
    """Show the file, what was found in it, the choices, and what the last dry run said."""
    return _answer(_shown(current(key)))


@blueprint.patch("/imports/<key>")
def choose(key: str) -> Response:
    """Make some of the choices anew."""
    desks.choose(
        context.store(),
        work.instance_of(context.store()),
        context.actor(),
        key,
        _document(request.get_data()),
    )
    context.renew_session()
    return _answer(_shown(current(key)))


@blueprint.post("/imports/<key>/dry-run")
def try_out(key: str) -> Response:
    """Judge every row: the report at once, or 202 with the job of a large file."""
    job = work.submit_check(context.store(), context.actor(), current(key), language=context.language())
    if job is not None:
        return _accepted(job)
    context.renew_session()
    return _answer(_shown(current(key)))


@blueprint.post("/imports/<key>/commit")
def commit(key: str) -> Response:
    """Keep the rows, all or none, as a job: 202 with its address."""
    job = work.submit_commit(context.store(), context.actor(), current(key), language=context.language())
    return _accepted(job)


@blueprint.delete("/imports/<key>")
def remove(key: str) -> Response:
    """Throw the file away."""
    desks.remove(context.store(), work.instance_of(context.store()), context.actor(), key)
    return Response(status=204)


@blueprint.get("/imports/<key>/preview.geojson")
def rows_on_map(key: str) -> Response:
    """The shapes of the last dry run, each with what becomes of it."""
    path = current(key).folder.preview
    if not path.is_file():
        raise NoUpload("Chưa chạy thử nên chưa có gì để vẽ.")
    return send_file(path.resolve(), mimetype="application/geo+json", max_age=0)


@blueprint.get("/imports/<key>/places.geojson")
def places(key: str) -> Response:
    """Where the file would lie in each proposed reference system."""
    desk = current(key)
    document = preview.places(desk.folder.file, _layer_report(desk), desk.choices)
    return _answer(document, kind="application/geo+json")


@blueprint.get("/imports/<key>/report.csv")
def report_as_table(key: str) -> Response:
    """The report of the last dry run as a table for spreadsheets."""
    found = tried(current(key))
    name = f"bao-cao-{key[:8]}.csv"
    response = Response(_csv(found), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def tried(desk: Desk) -> Report:
    """Return the report of the last dry run. Raises NoUpload when there is none that still holds."""
    found = desks.tried_out(context.session(), desk)
    if found is None:
        raise NoUpload("Chưa chạy thử với các lựa chọn hiện tại; hãy chạy thử lại.")
    return found


# ---- answers


def _layer_report(desk: Desk) -> LayerReport:
    return desks.report_of(
        desks.inspected(context.session(), desk.folder, desk.choices.encoding), desk.choices
    )


def _shown(desk: Desk) -> dict[str, Any]:
    inspection = desks.inspected(context.session(), desk.folder, desk.choices.encoding)
    upload, found = desk.upload, desks.tried_out(context.session(), desk)
    return {
        "key": desk.key,
        "layer": desk.layer.id,
        "file": {"name": upload.file_name, "size": upload.size, "sha256": upload.sha256},
        "inspection": inspection.as_dict(),
        "choices": desk.choices.as_dict(),
        "missing": missing(desk),
        "report": _report(found) if found is not None else None,
        "job": f"/jobs/{desk.facts['job']['key']}" if desk.facts.get("job") else None,
        "batch": upload.standing_batch_id,
        "imported_before": [
            {"batch": b.id, "at": b.created_at, "layer": b.table_name, "rows": b.rows}
            for b in desks.earlier_imports(context.session(), desk)
        ],
    }


def missing(desk: Desk) -> dict[str, str] | None:
    """Return the step and the sentence of what still has to be chosen, or None when the file can be tried out."""
    try:
        desks.check_ready(desk, _layer_report(desk))
    except NotReady as error:
        return {"step": error.step, "field": error.field, "detail": sentence_of(error)}
    except Refusal as error:
        return {"step": "crs", "field": "", "detail": sentence_of(error)}
    return None


def _report(report: Report) -> dict[str, Any]:
    wanted = request.args.get("state")
    rows = [row for row in report.rows if wanted in (None, str(row.state))]
    shown = [{**row.as_dict(), "sentence": sentence_of_row(row)} for row in rows[:ROWS_SHOWN]]
    return {"counts": report.counts, "crs": report.crs, "rows": shown, "left_out": len(rows) - len(shown)}


def sentence_of_row(row: RowReport) -> str:
    """Why a row is barred, in the caller's language."""
    return sentence_of(Refusal(row.message, **row.facts)) if row.message else ""


def sentence_of_notice(notice: Notice) -> str:
    """A notice of the file reader in the caller's language."""
    return sentence_of(Refusal(notice.message, **notice.facts))


def _csv(report: Report) -> Iterator[str]:
    heads = ("dòng", "kết quả", "tên", "lý do", "diện tích trước (ha)", "diện tích sau (ha)")
    more = ("trùng với dòng", "trùng với bản ghi", "chồng lấn lớn nhất (ha)", "bản ghi", "thay đổi")
    yield "\ufeff" + _line((*heads, *more))
    for row in report.rows:
        changed = "; ".join(f"{n}: {old} → {new}" for n, (old, new) in row.changes.items())
        overlap = row.overlaps[0][0] if row.overlaps else None
        areas = (row.area_before, row.area_after)
        same = (row.same_row, row.same_record)
        why = sentence_of_row(row)
        yield _line(
            (row.number, STATE_TITLES[row.state], row.name, why, *areas, *same, overlap, row.record, changed)
        )


def _line(values: tuple[Any, ...]) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\r\n").writerow([_harmless(value) for value in values])
    return sink.getvalue()


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _accepted(job: str) -> Response:
    response = _answer({"job": f"/jobs/{job}"}, 202)
    response.headers["Location"] = f"/jobs/{job}"
    return response


def _answer(document: Any, status: int = 200, kind: str = "application/json") -> Response:
    response = Response(orjson.dumps(document, default=str), status, mimetype=kind)
    response.headers["Cache-Control"] = "no-store"
    return response


def _document(text: str | bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(text or "{}")
    except ValueError as error:
        raise BadRequest("Nội dung phải là JSON.", parameter="choices") from error
    if not isinstance(document, dict):
        raise BadRequest("Nội dung phải là một đối tượng JSON.", parameter="choices")
    return document
