"""Labels as files: `GET /labels/{lot}.{svg|png|pdf}?size=40x30&paper=a4&copies=24&serial_from=0001&serial_to=0024`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.programme import rights
from data.record_facts import all_facts
from data.traceability.lots import Lot
from services import context
from services.labels import asked as asking
from services.labels.drawing import MARK, draw
from services.labels.layout import LabelError
from services.parameters import refuse_unknown
from services.wms.fonts import font_file

blueprint = Blueprint("labels", __name__)

MEDIA = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
PARAMETERS = frozenset({"size", "paper", "copies", "serial_from", "serial_to"})
STOPPED = frozenset({"held", "recalled"})


@blueprint.get("/labels/<int:lot_id>.<any(svg,png,pdf):form>")
def labels(lot_id: int, form: str) -> Response:
    """Give out labels of a lot to those who see its dossier: one as a picture, many as PDF.

    400 for a parameter that cannot be used, 404 for a lot of others, 422 for a code that does not fit its label.
    """
    refuse_unknown(PARAMETERS)
    lot = lot_of(context.session(), context.actor(), lot_id)
    return answer(lot, form, request.args)


def lot_of(session: Session, actor: Actor, lot_id: int) -> Lot:
    """Return a lot whose dossier the actor sees. Raises NotYours."""
    return rights.row_seen(session, actor, Lot, lot_id)


def answer(lot: Lot, form: str, values: Mapping[str, str]) -> Response:
    """Make labels and wrap them as a file. Raises BadRequest or LabelError."""
    response = Response(made(lot, form, values), mimetype=MEDIA[form])
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in lot.lot_number)
    kind = "attachment" if form == "pdf" else "inline"
    response.headers["Content-Disposition"] = f'{kind}; filename="nhan-{name}.{form}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def made(lot: Lot, form: Any, values: Mapping[str, str]) -> bytes:
    """Return labels of a lot as bytes of a format. Raises BadRequest or LabelError."""
    asked = asking.read(values, form)
    if lot.lot_status in STOPPED:
        raise LabelError("Lô đang bị tạm giữ hoặc thu hồi nên không in nhãn.")
    is_demo = all_facts(context.session()).get("demo") == "1"
    return draw(
        asking.labels_of(lot, asked, public_root()),
        asked.size,
        form,
        paper=asked.paper,
        mark=MARK if is_demo else "",
        font=font_file(),
    )


def public_root() -> str:
    """Return the address that codes lead to: the operator's setting, else where this request came to."""
    settings = current_app.extensions.get("ocop_settings")
    given = getattr(settings, "base_url", None)
    return str(given or request.url_root).rstrip("/")
