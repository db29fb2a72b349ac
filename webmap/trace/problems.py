"""What buyers report: the form, the reporter's own page with the answer, and the officers' desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data import audit, codes
from data.media import LARGEST_BYTES, Photo, folder_of, store_photo
from data.products import Product
from data.traceability import problems
from data.traceability.lots import Lot
from data.traceability.problems import ProblemError
from gis.errors import Refusal
from layers import catalogue, read
from services import context
from services.errors import sentence_of, status_of
from webmap.programme.common import done, number, words
from webmap.security import limiter
from webmap.settings import Settings
from webmap.trace.lotfacts import uri_of
from webmap.trace.scanning import must_handle, path_of

blueprint = Blueprint("problems", __name__)

REPORT_LIMIT = "5 per minute; 30 per hour"
#: A field that people do not see; what fills it in is no person.
TRAP = "website"
SHOWN_WIDTH = 640
LONGEST_CODE = 200


# ---- reporting


@blueprint.get("/lots/<int:row_id>/report")
def of_lot(row_id: int) -> str:
    """Show the form for a lot."""
    return _form("lots", row_id)


@blueprint.get("/products/<int:row_id>/report")
def of_product(row_id: int) -> str:
    """Show the form for a product."""
    return _form("products", row_id)


@blueprint.post("/lots/<int:row_id>/report")
@limiter.limit(REPORT_LIMIT)
def send_for_lot(row_id: int) -> Any:
    """Take a report of a lot."""
    return _send("lots", row_id)


@blueprint.post("/products/<int:row_id>/report")
@limiter.limit(REPORT_LIMIT)
def send_for_product(row_id: int) -> Any:
    """Take a report of a product."""
    return _send("products", row_id)


@blueprint.get("/report")
def of_code() -> str:
    """Show the form for a code that leads nowhere."""
    return _form(None, 0)


@blueprint.post("/report")
@limiter.limit(REPORT_LIMIT)
def send_for_code() -> Any:
    """Take a report of a code that leads nowhere."""
    return _send(None, 0)


def _form(layer_id: str | None, row_id: int, sentence: str | None = None) -> str:
    record = read.one(context.session(), catalogue.layer(layer_id), row_id) if layer_id else {}
    if record is None:
        abort(404)
    return render_template(
        "trace/report.html",
        layer_id=layer_id,
        record=record,
        serial=(request.values.get("serial") or "")[:20],
        code=(request.values.get("code") or "")[:LONGEST_CODE],
        kinds=codes.code_list("problem_kind"),
        trap=TRAP,
        most_photos=problems.MOST_PHOTOS,
        sentence=sentence,
        typed=request.form,
    )


def _send(layer_id: str | None, row_id: int) -> Any:
    if words(TRAP):
        return render_template("trace/reported.html", row=None, answer_path=None)
    lot = context.session().get(Lot, row_id) if layer_id == "lots" else None
    serial = words("serial")[:20]
    uri = uri_of(lot, serial or None) if lot is not None else words("code")[:LONGEST_CODE] or None
    about = {"lots": {"lot_id": row_id}, "products": {"product_id": row_id}}.get(layer_id or "", {})
    try:
        photos = _photos()
        with context.store().writing() as session:
            row = problems.report(
                session,
                kind=words("kind"),
                text=words("text"),
                contact=words("contact"),
                uri=uri,
                photos=photos,
                **about,
            )
            name = row.number
    except Refusal as error:
        context.renew_session()
        return _form(layer_id, row_id, sentence_of(error)), status_of(error)
    return done(_("Đã nhận báo cáo của bạn."), f"/reports/{name}/{problems.key_of(name, _secret())}")


def _photos() -> list[Photo]:
    """Keep the pictures that were sent, as the record keeps photos. Raises PhotoError or ProblemError."""
    uploads = [file for file in request.files.getlist("photos") if file.filename]
    if len(uploads) > problems.MOST_PHOTOS:
        raise ProblemError("Nhận không quá %(most)s ảnh.", most=problems.MOST_PHOTOS)
    return [store_photo(_media(), file.stream.read(LARGEST_BYTES + 1)) for file in uploads]


@blueprint.get("/reports/<number>/<key>")
def own(number: str, key: str) -> Response:
    """Show a reporter what became of the report; only who has its key sees it."""
    row = problems.by_key(context.session(), number, key, _secret())
    if row is None:
        abort(404)
    page = Response(render_template("trace/reported.html", row=row, answer_path=request.path))
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


# ---- the officers' desk


@blueprint.get("/office/problems")
@login_required
def desk() -> str:
    """List the reports of the actor's territory."""
    must_handle()
    state = request.args.get("state") or None
    rows = problems.all_of(context.session(), context.actor(), state=state)
    return render_template(
        "trace/problems.html", rows=rows, about=_about(rows), state=state, due_on=problems.due_on
    )


@blueprint.get("/office/problems/<int:report_id>")
@login_required
def show(report_id: int) -> str:
    """Show a report with what can be done about it."""
    return _show(report_id)


def _show(report_id: int, sentence: str | None = None) -> str:
    must_handle()
    session = context.session()
    row = problems.seen(session, context.actor(), report_id)
    return render_template(
        "trace/problem.html",
        row=row,
        about=_about([row]),
        photos=problems.photos_of(session, row),
        trail=audit.history(session, problems.TABLE, row.id),
        due=problems.due_on(row),
        code_path=path_of(row.uri) if row.uri else None,
        proposes_hold=row.kind == problems.FOOD_SAFETY
        and row.lot_id is not None
        and row.state in problems.OPEN,
        hold_path=f"/office/recalls/new?lot={row.lot_id}",
        writes=context.actor().may_edit_something,
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/office/problems/<int:report_id>/<any(take,answer,close,complaint):act>")
@login_required
def handle(report_id: int, act: str) -> Any:
    """Take a report up, answer it, close it, or write it into the lot's dossier."""
    must_handle()
    actor, version = context.actor(), number("version")
    try:
        with context.store().writing() as session:
            if act == "take":
                problems.take(session, actor, report_id, version=version)
            elif act == "answer":
                problems.answer(session, actor, report_id, words("text"), version=version)
            elif act == "close":
                problems.close(session, actor, report_id, reason=words("text"), version=version)
            else:
                problems.write_into_dossier(session, actor, report_id)
    except Refusal as error:
        context.renew_session()
        return _show(report_id, sentence_of(error)), status_of(error)
    return done(_("Đã ghi."), f"/office/problems/{report_id}")


@blueprint.get("/office/problems/<int:report_id>/photos/<int:position>.webp")
@login_required
def photo(report_id: int, position: int) -> BaseResponse:
    """Show a reporter's picture to the officers of the place alone."""
    must_handle()
    session = context.session()
    pictures = problems.photos_of(session, problems.seen(session, context.actor(), report_id))
    found = next((one for one in pictures if one.position == position), None)
    file = folder_of(_media(), found.sha256) / f"{SHOWN_WIDTH}.webp" if found else None
    if file is None or not file.is_file():
        abort(404)
    response = send_file(file, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _about(rows: list[Any]) -> dict[int, tuple[str, str]]:
    """Name what each report is about, with its address."""
    session = context.session()
    found: dict[int, tuple[str, str]] = {}
    for row in rows:
        product = session.get(Product, row.product_id) if row.product_id else None
        lot = session.get(Lot, row.lot_id) if row.lot_id else None
        if lot is not None and product is not None:
            found[row.id] = (
                f"{product.name}, {_('lô %(number)s', number=lot.lot_number)}",
                f"/lots/{lot.id}",
            )
        elif product is not None:
            found[row.id] = (product.name, f"/products/{product.id}")
    return found


def _settings() -> Settings:
    found: Settings = current_app.extensions["ocop_settings"]
    return found


def _media() -> Path:
    return _settings().media


def _secret() -> str:
    return _settings().secret_key
