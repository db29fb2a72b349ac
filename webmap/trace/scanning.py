"""Readings of codes: where they were, as far as the reader says so, and the alarms that officers look at."""

from __future__ import annotations

from typing import Any

import shapely
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data.traceability import scans
from data.traceability.duties import HANDLERS
from data.traceability.identifiers import IdentifierError, public_path
from data.traceability.lots import Lot
from gis.errors import Refusal
from layers import catalogue, read
from layers.edit import NotAllowed
from services import context
from services.errors import sentence_of, status_of
from webmap.programme.common import done, number, words
from webmap.security import limiter
from webmap.trace.lotfacts import uri_of
from webmap.trace.lotpage import seen_lot

blueprint = Blueprint("scanning", __name__)

PLACE_LIMIT = "20 per minute; 200 per hour"


@blueprint.post("/lots/<int:lot_id>/place")
@limiter.limit(PLACE_LIMIT)
def place(lot_id: int) -> BaseResponse:
    """Note roughly where a code was read: as the device says, or by the district that was chosen."""
    facts = seen_lot(lot_id)
    serial = words("serial")
    uri = (uri_of(facts.lot, serial) if serial else facts.uri) or ""
    where = _told_place() or _district(number("district"))
    known = where is not None and scans.tell_place(context.store(), uri, lot_id, *where)
    if known:
        flash(_("Cảm ơn bạn; đã ghi nơi quét, làm tròn khoảng 11 km."), "ok")
    else:
        flash(_("Chưa có lượt quét nào vừa rồi để ghi nơi; hãy quét mã trên nhãn trước."), "warn")
    again = url_for("lotpage.page", lot_id=lot_id, serial=serial or None, _anchor="scans")
    return redirect(again, 303)


def _told_place() -> tuple[float, float] | None:
    try:
        return float(words("lon")), float(words("lat"))
    except ValueError:
        return None


def _district(row_id: int | None) -> tuple[float, float] | None:
    record = read.one(context.session(), catalogue.layer("districts"), row_id) if row_id else None
    if record is None or record["geometry"] is None:
        return None
    point = shapely.point_on_surface(record["geometry"])
    return float(point.x), float(point.y)


# ---- for officers


@blueprint.get("/office/alarms")
@login_required
def alarms() -> str:
    """Show what scans tell of the actor's territory."""
    return _alarms()


def _alarms(sentence: str | None = None) -> str:
    must_handle()
    session, actor = context.session(), context.actor()
    state = request.args.get("state") or None
    rows = scans.alarms(session, actor, state=state)
    lots = {row.lot_id: session.get(Lot, row.lot_id) for row in rows if row.lot_id is not None}
    return render_template(
        "trace/alarms.html",
        rows=rows,
        lots=lots,
        state=state,
        sentence=sentence,
        typed=request.form,
        path_of=path_of,
    )


@blueprint.post("/office/alarms/<int:alarm_id>")
@login_required
def handle(alarm_id: int) -> Any:
    """Note what was done about an alarm."""
    must_handle()
    try:
        with context.store().writing() as session:
            scans.handle(session, context.actor(), alarm_id, words("remark"), version=number("version"))
    except Refusal as error:
        context.renew_session()
        return _alarms(sentence_of(error)), status_of(error)
    return done(_("Đã ghi việc xử lý cảnh báo."), "/office/alarms")


def must_handle() -> None:
    """Refuse everybody whose work this is not. Raises NotAllowed."""
    if context.actor().role not in HANDLERS:
        raise NotAllowed("Việc này của cán bộ phụ trách địa bàn và thanh tra.")


def path_of(uri: str) -> str:
    """Return the public path of a code, or the name itself where it has none."""
    try:
        return public_path(uri)
    except IdentifierError:
        return uri
