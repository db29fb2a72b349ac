"""Holds and recalls: the list of a territory, the acts, the recall sheet on screen, on paper and as a file."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.accounts import Actor, Role
from data.programme.calendar import deadline
from data.programme.rights import NotYours
from data.store import Session
from data.traceability import decisions, items, lookup, recall
from data.traceability.described import Described, describe
from data.traceability.measures import name_of
from data.traceability.sheet import Sheet, sheet
from data.traceability.tables import RecallAct, TraceItem
from gis.errors import Refusal
from layers import acts
from services import context
from services.documents import to_pdf
from services.documents.recall import notice_text, sheet_csv, sheet_paper
from services.errors import sentence_of, status_of
from webmap.pages import TIME_ZONE, date_, record_facts
from webmap.programme.common import FormRefused, done, quantity_of, today, words

blueprint = Blueprint("recalls", __name__, url_prefix="/office/recalls")
HERE = "/office/recalls"
LAYER = "lots"


@blueprint.app_template_filter("unit_name")
def unit_name(uom: str | None, each: str | None = None) -> str:
    """Write a unit by what people call it."""
    return name_of(uom, each)


@blueprint.app_template_filter("iso_day")
def iso_day(text: str | None) -> str:
    """Write a day that an event holds as ISO text."""
    return date_(dt.date.fromisoformat(text[:10])) if text else "—"


# ---- the list


@blueprint.get("")
@login_required
def index() -> str:
    """List the holds and recalls of the caller's territory, the open ones first."""
    session, actor = context.session(), context.actor()
    kind, only_open = request.args.get("kind") or None, request.args.get("state") != "all"
    rows = decisions.acts_of_actor(session, actor, kind=kind, only_open=only_open)
    things = describe(session, actor, {row.item_id for row in rows})
    return render_template(
        "trace/recalls.html",
        rows=rows,
        things=things,
        clocks={row.id: decisions.hours_taken(session, row) for row in rows if row.is_mandatory},
        kind=kind,
        only_open=only_open,
        may_act=may_act(actor),
        is_authority=decisions.is_authority(actor),
    )


# ---- a new act


@blueprint.get("/new")
@login_required
def new() -> Any:
    """Show the form of a hold or recall of a lot, with what was made of it."""
    return _new()


def _new(sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    text = request.values.get("lot", "")
    named = lookup.named(session, actor, text)
    item = named.item
    found = None if item is None else sheet(session, actor, item)
    thing = None if item is None else describe(session, actor, [item.id])[item.id]
    if item is not None and not decisions.may_decide(session, actor, item):
        raise NotYours("Lô này không thuộc phần việc của bạn.")
    return render_template(
        "trace/recall_new.html",
        uri=named.uri,
        lot=named.lot,
        thing=thing,
        sheet=found,
        others=[] if found is None else _others(session, actor, found),
        is_authority=decisions.is_authority(actor),
        clock=deadline("recall_decision", today()),
        chosen=set(request.form.getlist("also", type=int)),
        typed=request.values,
        sentence=sentence,
    )


def _others(session: Session, actor: Actor, found: Sheet) -> list[Described]:
    """What was made of the lot and can be held or recalled with it: lots and cartons, not single pieces."""
    rows = {thing.id: session.get_one(TraceItem, thing.id) for thing in found.things}
    return [
        thing
        for thing in found.things
        if thing.id != found.item
        and thing.kind in ("lot", "sscc")
        and decisions.may_decide(session, actor, rows[thing.id])
    ]


@blueprint.post("")
@login_required
def create() -> Any:
    """Hold or recall a lot, with the other things that were ticked."""
    actor = context.actor()
    try:
        with context.store().writing() as session:
            named = lookup.named(session, actor, words("lot"))
            item = named.item or (items.item_of_lot(session, named.lot) if named.lot is not None else None)
            if item is None:
                raise FormRefused("Hãy chọn lô.")
            also = request.form.getlist("also", type=int)
            if words("act") == decisions.RECALL:
                outcome = recall.recall(
                    session, actor, item.id, reason=words("reason"), document=words("document"),
                    known_at=_moment("known_at"), also=also,
                )  # fmt: skip
                _write_notice(session, actor, outcome.acts[0], item)
                said = _(
                    "Đã ra quyết định thu hồi %(n)s lô; trang công khai của lô đã đổi.", n=len(outcome.acts)
                )
            else:
                outcome = recall.hold(
                    session, actor, item.id, reason=words("reason"), document=words("document"), also=also
                )
                said = _("Đã tạm giữ %(n)s lô.", n=len(outcome.acts))
            acts.show(session, actor, LAYER, outcome.lots, source=recall.SOURCE, reason=words("reason"))
            address = f"{HERE}/{outcome.acts[0].id}"
    except Refusal as error:
        context.renew_session()
        return _new(sentence_of(error)), status_of(error)
    return done(said, address)


def _write_notice(session: Session, actor: Actor, act: RecallAct, item: TraceItem) -> None:
    """Keep the notice that buyers get: what was typed, or what the record makes of it."""
    thing = describe(session, actor, [item.id])[item.id]
    act.notice = words("notice") or notice_text(thing, act)
    session.flush()


def _moment(name: str) -> dt.datetime | None:
    """Read a moment of the form, in the province's time. Raises FormRefused."""
    text = words(name)
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=TIME_ZONE)
    except ValueError:
        raise FormRefused("“%(text)s” không phải thời điểm; hãy ghi ngày và giờ.", text=text) from None


# ---- an act and its sheet


@blueprint.get("/<int:act_id>")
@login_required
def show(act_id: int) -> str:
    """Show a hold or recall: its sheet, whom it reached, and how to end it."""
    return _show(act_id)


def _show(act_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    act = decisions.act_seen(session, actor, act_id)
    item = session.get_one(TraceItem, act.item_id)
    thing = describe(session, actor, [item.id])[item.id]
    parts = decisions.parts_of(session, act)
    return render_template(
        "trace/recall.html",
        act=act,
        thing=thing,
        sheet=sheet(session, actor, item, act=act),
        parts=parts,
        things=describe(session, actor, {part.item_id for part in parts}),
        notices={lang: notice_text(thing, act, lang) for lang in context.LANGUAGES},
        handlings=codes.code_list("recall_handling"),
        clock=decisions.hours_taken(session, act),
        rule=deadline("recall_decision", act.decided_at.date()),
        may_end=_may_end(session, actor, act, item),
        may_decide=decisions.may_decide(session, actor, item),
        sentence=sentence,
        typed=request.form,
    )


def _may_end(session: Session, actor: Actor, act: RecallAct, item: TraceItem) -> bool:
    own = act.closed_at is None and act.part_of_id is None and act.kind != decisions.RELEASE
    allowed = decisions.is_authority(actor) or not act.is_mandatory
    return own and allowed and decisions.may_decide(session, actor, item)


@blueprint.post("/<int:act_id>/<any(release,close,inform):step>")
@login_required
def end(act_id: int, step: str) -> Any:
    """Lift a hold, close a recall, or note that a buyer was told."""
    actor = context.actor()

    def work(session: Session) -> str:
        if step == "inform":
            dispatch = request.form.get("dispatch", 0, type=int)
            recall.inform(
                session, actor, act_id, dispatch, returned=quantity_of(words("returned")), uom=words("uom"),
                remark=words("remark"),
            )  # fmt: skip
            return _("Đã ghi.")
        if step == "release":
            outcome = recall.release(
                session, actor, act_id, reason=words("reason"), document=words("document")
            )
            said = _("Đã bỏ tạm giữ.")
        else:
            outcome = recall.close(session, actor, act_id, handling=words("handling"), report=words("report"))
            said = _("Đã kết thúc thu hồi.")
        acts.show(
            session,
            actor,
            LAYER,
            outcome.lots,
            source=recall.SOURCE,
            reason=words("reason") or words("report"),
        )
        return said

    return _act(work, lambda sentence: _show(act_id, sentence), f"{HERE}/{act_id}")


@blueprint.get("/sheet.<any(pdf,csv):form>")
@login_required
def download(form: str) -> Response:
    """Give out the recall sheet of an act or of a lot, as PDF or as a sortable file."""
    session, actor = context.session(), context.actor()
    act_id = request.args.get("act", type=int)
    act = None if act_id is None else decisions.act_seen(session, actor, act_id)
    item = _item_asked(session, actor, act)
    found = sheet(session, actor, item, act=act)
    thing = describe(session, actor, [item.id])[item.id]
    name = f"recall-{item.id}.{form}"
    if form == "csv":
        body = io.BytesIO(sheet_csv(found).encode())
        return send_file(body, mimetype="text/csv; charset=utf-8", as_attachment=True, download_name=name)
    facts = record_facts()
    province = facts.get("province_name") or _("Tỉnh")
    paper = sheet_paper(
        found, thing, act, province=f"UBND {province}", place=province.removeprefix("Tỉnh "),
        demo=facts.get("demo") == "1",
    )  # fmt: skip
    body = io.BytesIO(to_pdf(paper))
    return send_file(body, mimetype="application/pdf", as_attachment=True, download_name=name)


def _item_asked(session: Session, actor: Actor, act: RecallAct | None) -> TraceItem:
    """The thing of an act, or the one that was named and that the actor may recall."""
    if act is not None:
        return session.get_one(TraceItem, act.item_id)
    item = lookup.named(session, actor, request.args.get("lot", "")).item
    if item is None:
        raise lookup.NoSuchLot("Lô này chưa có sự kiện nào.")
    if not decisions.may_decide(session, actor, item):
        raise NotYours("Lô này không thuộc phần việc của bạn.")
    return item


# ---- details


def may_act(actor: Actor) -> bool:
    """Tell whether there is anything that the actor could hold or recall."""
    return decisions.is_authority(actor) or (actor.role == Role.PRODUCER and actor.producer_id is not None)


def _act(work: Callable[[Session], str], again: Callable[[str], str], address: str) -> Any:
    try:
        with context.store().writing() as session:
            said = work(session)
    except Refusal as error:
        context.renew_session()
        return again(sentence_of(error)), status_of(error)
    return done(said, address)
