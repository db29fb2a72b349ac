"""Lots and their dossiers in the office: begin a lot in a minute, record step by step, release, print, hand out."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, abort, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.programme import papers
from data.traceability import balance, checklist, clocks, heads, lotlists, lotnumbers, recording, schemas
from data.traceability.blockevents import ZONE
from data.traceability.dossier import OPEN, Dossier, dossier_of, lot_seen
from data.traceability.measures import name_of as unit_name
from data.traceability.profiles import NoLots, blocks, profile_for
from gis.errors import Refusal, Sentence
from layers import lots as acts
from services import context, lotdossier
from services.documents import lotcard, to_pdf
from services.errors import said, status_of
from webmap.pages import record_facts
from webmap.programme.common import day, done, number, today, words
from webmap.trace import lotforms

blueprint = Blueprint("dossiers_of_lots", __name__)
PER_PAGE = 30


@blueprint.app_template_filter("told")
def told(sentence: Sentence | Refusal) -> str:
    """Write a sentence in the reader's language."""
    return said(sentence.message, sentence.facts)


@blueprint.app_template_filter("uom")
def uom(code: str | None, each: str | None = None) -> str:
    """Write a unit code as people do."""
    return unit_name(code, each)


# ---- lists


@blueprint.get("/office/lots")
@login_required
def index() -> str:
    """List the lots of one's own producer or territory, with what each still needs."""
    session, actor = context.session(), context.actor()
    text, state = request.args.get("q", "").strip(), request.args.get("state") or None
    product, page = request.args.get("product", type=int), max(request.args.get("page", 1, type=int), 1)
    rows, total = lotlists.search(
        session,
        actor,
        text=text,
        state=state,
        product_id=product,
        first=(page - 1) * PER_PAGE,
        limit=PER_PAGE,
    )
    known = {lot.id: dossier for lot, dossier in lotlists.with_dossiers(session, actor, rows)}
    return render_template(
        "trace/dossiers.html",
        rows=rows,
        dossiers=known,
        missing={
            key: checklist.release_obstacles(d, today()) for key, d in known.items() if not d.is_released
        },
        total=total,
        page=page,
        pages=-(-total // PER_PAGE),
        text=text,
        state=state,
        product=product,
        states=codes.code_list("lot_status"),
        may_open=bool(lotlists.products(session, actor, limit=1)),
    )


@blueprint.get("/office/lots/calendar")
@login_required
def calendar() -> str:
    """Show what falls due: retained samples, tests, expiries, certificates."""
    found = clocks.calendar(context.session(), context.actor(), today())
    return render_template("trace/dossier_calendar.html", found=found, ahead=clocks.AHEAD)


# ---- a new lot


@blueprint.get("/office/lots/new")
@login_required
def new() -> str:
    """Show the form of a new lot, filled in as far as the last one tells."""
    return _new()


def _new(error: Refusal | None = None) -> str:
    session, actor = context.session(), context.actor()
    products = lotlists.products(session, actor)
    chosen = request.values.get("product", type=int) or lotlists.last_product(session, actor)
    product = next((p for p in products if p.id == chosen), products[0] if products else None)
    values: dict[str, Any] = {}
    areas: list[tuple[int, str]] = []
    if product is not None:
        last, before = acts.like_last(session, actor, product.id)
        values = _new_values(product, last, before)
        areas = lotlists.areas(session, actor, product, last)
        values["areas"] = lotlists.area_ids(session, last) if last else []
    if error is not None:
        values |= {k: v for k, v in request.form.items() if k != "areas"}
        values["areas"] = request.form.getlist("areas", type=int)
    return render_template(
        "trace/dossier_new.html",
        products=products,
        product=product,
        values=values,
        areas=areas,
        units=_units(product, values),
        error=error,
        faults=getattr(error, "faults", {}),
        entry=words("entry") or uuid.uuid4(),
    )


def _new_values(product: Any, last: Any, before: Dossier | None) -> dict[str, Any]:
    """What the last lot says, with today's date and the next number."""
    now = today()
    values: dict[str, Any] = {
        "lot_number": lotnumbers.propose(context.session(), product.id, now),
        "produced_on": now.isoformat(),
        "packaging": product.packaging or "",
    }
    shelf = None
    try:
        shelf = profile_for(product.product_set, product.name, now).shelf_days
    except NoLots:
        values["no_lots"] = True
    if last is not None:
        values |= {"quantity": last.quantity, "unit": last.unit, "last": last}
        if last.expires_on and last.produced_on:
            shelf = (last.expires_on - last.produced_on).days
        if before is not None and before.identity is not None:
            told = before.identity.values
            values |= {name: told[name] for name in ("shift", "packaging", "facility") if told.get(name)}
    if shelf:
        values["expires_on"] = (now + dt.timedelta(days=shelf)).isoformat()
        values["shelf"] = shelf
    return values


def _units(product: Any, values: dict[str, Any]) -> list[str]:
    units: list[str] = []
    if product is not None:
        try:
            units = list(profile_for(product.product_set, product.name, today()).units)
        except NoLots:
            units = []
    return list(dict.fromkeys(filter(None, [values.get("unit"), *units, "kg", "lít", "cái"])))


@blueprint.post("/office/lots/new")
@login_required
def open_() -> Any:
    """Begin a lot."""
    session_actor = context.actor()
    try:
        facts = acts.NewLot(
            product_id=number("product") or 0,
            lot_number=words("lot_number"),
            produced_on=day("produced_on") or today(),
            expires_on=day("expires_on"),
            quantity=lotforms.decimal(words("quantity"), _("Số lượng")) or 0,
            unit=words("unit"),
            area_ids=tuple(request.form.getlist("areas", type=int)),
            shift=words("shift"),
            packaging=words("packaging"),
            facility=words("facility"),
        )
        with context.store().writing() as session:
            made = acts.open_lot(session, session_actor, facts, today=today(), entry=lotforms.entry_number())
            same = ", ".join(lot.product.name for lot in made.same_number)
    except Refusal as error:
        context.renew_session()
        return _new(error), status_of(error)
    message = _("Đã mở lô.")
    if same:
        message += " " + _("Lưu ý: số lô này cũng dùng cho %(names)s trong năm nay.", names=same)
    return done(message, f"/office/lots/{made.lot_id}")


# ---- one lot


@blueprint.get("/office/lots/<int:lot_id>")
@login_required
def show(lot_id: int) -> str:
    """Show a dossier: what is there, what is missing, and what may be done now."""
    return _show(lot_id)


def _dossier(lot_id: int) -> Dossier:
    session, actor = context.session(), context.actor()
    return dossier_of(session, actor, lot_seen(session, actor, lot_id))


def _show(lot_id: int, error: Refusal | None = None) -> str:
    session, actor = context.session(), context.actor()
    dossier = _dossier(lot_id)
    points = checklist.checklist(dossier, today())
    return render_template(
        "trace/dossier.html",
        dossier=dossier,
        lot=dossier.lot,
        points=points,
        obstacles=[p for p in points if p.blocks_release],
        balance=balance.balance(dossier),
        blocks=blocks(),
        results=checklist.latest_results(dossier),
        may_write=recording.may_write(session, actor, dossier.lot),
        may_record={b for b in blocks() if recording.may_record(session, actor, dossier.lot, b)},
        gone={e.uri for e in dossier.of("sample_disposal")},
        error=error,
        typed=request.form,
        entry=uuid.uuid4(),
        open=OPEN,
    )


@blueprint.post("/office/lots/<int:lot_id>/<any(release,withdraw):act>")
@login_required
def decide(lot_id: int, act: str) -> Any:
    """Release a lot, or take the release back."""

    def work(session: Any) -> str:
        if act == "release":
            acts.release_lot(
                session,
                context.actor(),
                lot_id,
                remark=words("remark"),
                today=today(),
                entry=lotforms.entry_number(),
            )
            return _("Lô đã được xuất xưởng; từ nay chỉ đính chính có lý do.")
        acts.withdraw_release(session, context.actor(), lot_id, reason=words("reason"))
        return _("Đã rút quyết định xuất xưởng; lô trở lại đang làm.")

    return _act(work, lambda error: _show(lot_id, error), f"/office/lots/{lot_id}")


# ---- entries


@blueprint.route("/office/lots/<int:lot_id>/steps/<code>", methods=["GET", "POST"])
@login_required
def step(lot_id: int, code: str) -> Any:
    """Record a step of the process; the address is on the printed card."""
    return _entry_page(lot_id, "step", code)


@blueprint.route("/office/lots/<int:lot_id>/record/<block>", methods=["GET", "POST"])
@login_required
def record(lot_id: int, block: str) -> Any:
    """Record an entry of another block."""
    if block == "step":
        abort(404)
    return _entry_page(lot_id, block, None)


def _entry_page(lot_id: int, block: str, code: str | None) -> Any:
    dossier = _dossier(lot_id)
    _must_hold(dossier, block, code)
    if request.method == "GET":
        return _entry_form(dossier, block, code)
    file, ticket = None, ""
    try:
        file, ticket = lotforms.taken_file()
        values = lotforms.typed(block, dossier, code, file)
        at, entry = lotforms.moment("at"), lotforms.entry_number()
        with context.store().writing() as session:
            recording.record(session, context.actor(), lot_id, block, values, step=code, at=at, entry=entry)
    except Refusal as error:
        context.renew_session()
        return _entry_form(_dossier(lot_id), block, code, error, ticket=ticket), status_of(error)
    return done(_("Đã ghi vào hồ sơ lô."), f"/office/lots/{lot_id}#{code or block}")


def _must_hold(dossier: Dossier, block: str, code: str | None) -> None:
    known = code is None or code in {s.code for s in dossier.profile.steps}
    if block not in blocks() or block == "identity" or not dossier.profile.holds(block) or not known:
        abort(404)


def _entry_form(
    dossier: Dossier,
    block: str,
    code: str | None,
    error: Refusal | None = None,
    *,
    ticket: str = "",
    corrected: Any = None,
) -> str:
    session, actor = context.session(), context.actor()
    before = None
    if error is not None:
        values: dict[str, Any] = dict(request.form)
    elif corrected is not None:
        values = lotforms.full_form_values(corrected, dossier)
        ticket = lotforms.ticket_of(corrected.file)
    else:
        before = lotlists.dossier_before(session, actor, dossier.lot)
        values = lotforms.first_values(dossier, block, code, before, actor.name, today())
    described = blocks()[block]
    moment = corrected.at if corrected is not None else dt.datetime.now(dt.UTC)
    return render_template(
        "trace/dossier_entry.html",
        dossier=dossier,
        lot=dossier.lot,
        block=described,
        step=dossier.profile.step(code) if code else None,
        values=values,
        before=before if before is not None and before.last(block, code) else None,
        areas=lotlists.areas(session, actor, dossier.lot.product, dossier.lot) if block == "input" else [],
        source_lots=lotlists.sources(session, actor, dossier.lot) if block == "input" else [],
        sale_points=lotlists.sale_points(session, actor) if block == "dispatch" else [],
        samples=_samples(dossier) if block == "sample_disposal" else [],
        units=lotforms.uom_choices(dossier, block),
        may_record=recording.may_record(session, actor, dossier.lot, block),
        corrected=corrected,
        at=words("at") or moment.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"),
        entry=words("entry") or uuid.uuid4(),
        ticket=ticket,
        error=error,
        faults=getattr(error, "faults", {}),
        free=range(lotforms.FREE_RESULTS),
    )


def _samples(dossier: Dossier) -> list[tuple[str, str]]:
    gone = {e.uri for e in dossier.of("sample_disposal")}
    return [
        (e.uri, f"{e.uri.replace(':', '/').rsplit('/', 1)[-1]} · {e.values.get('place', '')}")
        for e in dossier.of("sample")
        if e.uri and e.uri not in gone
    ]


@blueprint.route("/office/lots/<int:lot_id>/entries/<int:row_id>/correct", methods=["GET", "POST"])
@login_required
def correct(lot_id: int, row_id: int) -> Any:
    """Declare an entry wrong, and put what is right in its place."""
    dossier = _dossier(lot_id)
    entry = next((e for e in dossier.entries if e.row.id == row_id), None)
    if entry is None or entry.is_wrong or entry.block not in blocks() or entry.block == "identity":
        abort(404)
    if request.method == "GET":
        return _entry_form(dossier, entry.block, entry.step, corrected=entry)
    ticket = ""
    try:
        values = None
        if words("how") != "remove":
            file, ticket = lotforms.taken_file()
            values = lotforms.typed(entry.block, dossier, entry.step, file)
        with context.store().writing() as session:
            recording.correct(
                session, context.actor(), lot_id, row_id, reason=words("reason"), values=values,
                at=lotforms.moment("at"), entry=lotforms.entry_number(),
            )  # fmt: skip
    except Refusal as error:
        context.renew_session()
        page = _entry_form(_dossier(lot_id), entry.block, entry.step, error, ticket=ticket, corrected=entry)
        return page, status_of(error)
    return done(
        _("Đã đính chính; mục cũ vẫn còn và được đánh dấu sai."), f"/office/lots/{lot_id}#{entry.block}"
    )


@blueprint.route("/office/lots/<int:lot_id>/identity", methods=["GET", "POST"])
@login_required
def identity(lot_id: int) -> Any:
    """Correct what a lot says of itself."""
    if request.method == "GET":
        return _identity(lot_id)
    try:
        changed: dict[str, Any] = {ask.name: words(ask.name) for ask in blocks()["identity"].fields}
        changed["quantity"] = lotforms.decimal(words("quantity"), _("Số lượng"))
        for name in ("productionDate", "expirationDate"):
            told_day = day(name)
            changed[name] = told_day.isoformat() if told_day else ""
        with context.store().writing() as session:
            acts.correct_identity(
                session, context.actor(), lot_id, changed, reason=words("reason"), today=today(),
                entry=lotforms.entry_number(),
            )  # fmt: skip
    except Refusal as error:
        context.renew_session()
        return _identity(lot_id, error), status_of(error)
    return done(_("Đã đính chính nhận diện lô."), f"/office/lots/{lot_id}")


def _identity(lot_id: int, error: Refusal | None = None) -> str:
    session, dossier = context.session(), _dossier(lot_id)
    if dossier.identity is None:
        abort(404)
    values = dict(request.form) if error else dict(dossier.identity.values)
    return render_template(
        "trace/dossier_identity.html", dossier=dossier, lot=dossier.lot, block=blocks()["identity"], values=values,
        error=error, faults=getattr(error, "faults", {}), entry=words("entry") or uuid.uuid4(),
        may_record=recording.may_write(session, context.actor(), dossier.lot),
    )  # fmt: skip


# ---- papers


@blueprint.get("/office/lots/<int:lot_id>/files/<sha256>")
@login_required
def file(lot_id: int, sha256: str) -> Any:
    """Give out a photo or paper to those who see the dossier."""
    known = _dossier(lot_id).files()
    path = papers.path_of(lotforms.folder(), sha256) if sha256 in known else None
    if path is None or not path.is_file():
        abort(404)
    kind = str(known[sha256].get("mediaType"))
    kind = kind if kind in lotforms.PICTURES else "application/octet-stream"
    return send_file(path, mimetype=kind, download_name=str(known[sha256].get("name") or sha256))


@blueprint.get("/office/lots/<int:lot_id>/card.pdf")
@login_required
def card(lot_id: int) -> Response:
    """Print the card that goes with the lot: a code for each step, lines to write on."""
    dossier = _dossier(lot_id)
    made = lotcard.card(
        dossier,
        address=request.host_url.rstrip("/") + f"/office/lots/{lot_id}",
        demo=record_facts().get("demo") == "1",
        head=heads.short_head(context.session()),
    )
    return _pdf(made, f"lot-{lot_id}.pdf")


@blueprint.get("/office/lots/<int:lot_id>/inspection")
@login_required
def inspection(lot_id: int) -> str:
    """Show the inspector's list of a lot, from the same profile as the forms."""
    dossier = _dossier(lot_id)
    return render_template(
        "trace/dossier_check.html", dossier=dossier, lot=dossier.lot, points=checklist.checklist(dossier, today()),
        results=checklist.latest_results(dossier), balance=balance.balance(dossier),
    )  # fmt: skip


@blueprint.get("/office/lots/<int:lot_id>/inspection.pdf")
@login_required
def inspection_pdf(lot_id: int) -> Response:
    """Print the inspector's list."""
    dossier = _dossier(lot_id)
    made = lotcard.inspection_list(
        dossier,
        checklist.checklist(dossier, today()),
        demo=record_facts().get("demo") == "1",
        head=heads.short_head(context.session()),
    )
    return _pdf(made, f"lot-{lot_id}-check.pdf")


@blueprint.get("/lots/<int:lot_id>/dossier.<any(json,csv):form>")
def exported(lot_id: int, form: str) -> Response:
    """Give out the dossier to programs of those who see it."""
    dossier = _dossier(lot_id)
    if form == "csv":
        return Response(
            lotdossier.to_csv(dossier),
            mimetype="text/csv",
            headers={"Content-Disposition": f"attachment; filename=lot-{lot_id}.csv"},
        )
    points = checklist.checklist(dossier, today())
    return Response(
        lotdossier.to_json(dossier, points, balance.balance(dossier)), mimetype="application/json"
    )


@blueprint.get("/lots/<int:lot_id>/dossier.schema.json")
def schema(lot_id: int) -> Response:
    """Give out the JSON Schema that the dossier's entries are checked by."""
    made = schemas.schema_document(_dossier(lot_id).profile)
    return Response(orjson.dumps(made, option=orjson.OPT_INDENT_2), mimetype="application/schema+json")


# ---- details


def _pdf(made: Any, name: str) -> Response:
    return send_file(io.BytesIO(to_pdf(made)), mimetype="application/pdf", download_name=name)


def _act(work: Callable[[Any], str], again: Callable[[Refusal], str], address: str) -> Any:
    try:
        with context.store().writing() as session:
            message = work(session)
    except Refusal as error:
        context.renew_session()
        return again(error), status_of(error)
    return done(message, address)
