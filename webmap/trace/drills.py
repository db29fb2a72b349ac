"""Recall drills: who was drilled last, a drill with its stopwatch, and how it went."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data.accounts import Actor
from data.base import now
from data.programme.calendar import deadline
from data.store import Session
from data.traceability import decisions, drills, items, lookup
from data.traceability.described import describe
from data.traceability.drills import Line
from data.traceability.measures import uom_of
from data.traceability.tables import TraceItem
from gis.errors import Refusal
from services import context
from services.errors import sentence_of, status_of
from webmap.programme.common import FormRefused, day_of, done, quantity_of, today, words
from webmap.trace.recalls import may_act

blueprint = Blueprint("drills", __name__, url_prefix="/office/recalls/drills")
HERE = "/office/recalls/drills"
#: So many empty lines an answer begins with; a script adds more.
LINES = 5


@blueprint.get("")
@login_required
def index() -> str:
    """List the producers with their last drill, and the drills."""
    return _index()


def _index(sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    rows = drills.drills_of_actor(session, actor)
    return render_template(
        "trace/drills.html",
        rows=rows,
        things=describe(session, actor, {row.item_id for row in rows}),
        standings=drills.standings(session, actor),
        minutes_of=drills.minutes_of,
        passed=drills.passed,
        may_start=may_act(actor),
        is_authority=decisions.is_authority(actor),
        rules=(deadline("recall_drill", today()), deadline("recall_drill_score", today())),
        typed=request.values,
        sentence=sentence,
    )


@blueprint.post("")
@login_required
def start() -> Any:
    """Begin a drill: of a lot that was named, or of one drawn by chance."""
    actor = context.actor()
    try:
        with context.store().writing() as session:
            row = drills.start(
                session, actor, item_id=_item_id(session, actor), producer_id=request.form.get("producer", type=int),
                direction=words("direction") or drills.BOTH,
            )  # fmt: skip
            address = f"{HERE}/{row.id}"
    except Refusal as error:
        context.renew_session()
        return _index(sentence_of(error)), status_of(error)
    return done(_("Đồng hồ đã chạy."), address)


def _item_id(session: Session, actor: Actor) -> int | None:
    text = words("lot")
    if not text:
        return None
    named = lookup.named(session, actor, text)
    if named.item is not None:
        return named.item.id
    return None if named.lot is None else items.item_of_lot(session, named.lot).id


@blueprint.get("/<int:drill_id>")
@login_required
def show(drill_id: int) -> str:
    """Show a drill: the stopwatch and the lines to fill in, or how it went."""
    return _show(drill_id)


def _show(drill_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = drills.drill_seen(session, actor, drill_id)
    item = session.get_one(TraceItem, row.item_id)
    return render_template(
        "trace/drill.html",
        row=row,
        thing=describe(session, actor, [item.id])[item.id],
        result=drills.result_of(row) if row.finished_at else None,
        minutes=drills.minutes_of(row),
        passed=drills.passed(row),
        seconds=round((now() - row.started_at).total_seconds()),
        rules=(
            deadline("recall_drill", row.started_at.date()),
            deadline("recall_drill_score", row.started_at.date()),
        ),
        may_answer=row.finished_at is None and decisions.may_decide(session, actor, item),
        forward=_typed("forward"),
        back=_typed("back"),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/<int:drill_id>")
@login_required
def answer(drill_id: int) -> Any:
    """Stop the clock."""
    actor = context.actor()
    try:
        with context.store().writing() as session:
            drills.answer(
                session,
                actor,
                drill_id,
                forward=_lines("forward"),
                back=_lines("back"),
                remark=words("remark"),
            )
    except Refusal as error:
        context.renew_session()
        return _show(drill_id, sentence_of(error)), status_of(error)
    return done(_("Đồng hồ đã dừng; đây là kết quả."), f"{HERE}/{drill_id}")


# ---- the lines


def _typed(side: str) -> list[dict[str, str]]:
    """What was typed into the lines of one side, with empty ones to go on."""
    names = ("who", "day", "quantity", "unit")
    columns = [request.form.getlist(f"{side}_{name}") for name in names]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=False)]
    rows = [row for row in rows if _is_filled(row)]
    return rows + [dict.fromkeys(names, "") for _n in range(max(LINES - len(rows), 1))]


def _lines(side: str) -> list[Line]:
    """Read the lines that were filled in. Raises FormRefused for a day or quantity that cannot be read."""
    found = []
    for row in _typed(side):
        if not _is_filled(row):
            continue
        if not row["who"].strip():
            raise FormRefused("Mỗi dòng cần tên: ai nhận, hoặc ai cung cấp.")
        found.append(
            Line(row["who"].strip(), day_of(row["day"]), quantity_of(row["quantity"]), uom_of(row["unit"]))
        )
    return found


def _is_filled(row: dict[str, str]) -> bool:
    """Tell whether something was typed into a line; its unit is there from the start."""
    return any(row[name].strip() for name in ("who", "day", "quantity"))
