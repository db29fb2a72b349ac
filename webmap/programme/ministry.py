"""The ministry's level: what is sent for five stars, its receipt, and what comes back."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data.programme import ministry
from data.programme.rights import row_seen
from data.programme.tables import Dossier
from services import context
from services.documents import WRITERS
from services.documents import ministry as sheets
from webmap.pages import record_facts
from webmap.programme import certificates
from webmap.programme.common import FormRefused, act, day, number, today, words

blueprint = Blueprint("ministry", __name__, url_prefix="/programme")


@blueprint.post("/dossiers/<int:row_id>/ministry/sent")
@login_required
def sent(row_id: int) -> Any:
    """Keep which documents are sent."""
    return _act(
        row_id,
        lambda session: ministry.keep_sent(
            session,
            context.actor(),
            row_id,
            sent=request.form.getlist("sent"),
            letter_number=words("letter_number"),
            sent_on=day("sent_on"),
            version=number("version"),
        ),
        _("Đã lưu danh mục trình Trung ương."),
    )


@blueprint.post("/dossiers/<int:row_id>/ministry/received")
@login_required
def received(row_id: int) -> Any:
    """Note that the ministry received the dossier."""
    return _act(
        row_id,
        lambda session: ministry.receive(
            session,
            context.actor(),
            row_id,
            day("received_on") or today(),
            number=words("received_number"),
        ),
        _("Đã ghi Trung ương tiếp nhận."),
    )


@blueprint.post("/dossiers/<int:row_id>/ministry/returned")
@login_required
def returned(row_id: int) -> Any:
    """Note that the ministry returned the dossier."""
    return _act(
        row_id,
        lambda session: ministry.send_back(
            session,
            context.actor(),
            row_id,
            reason=words("reason"),
            returned_on=day("returned_on") or today(),
            stars=number("central_stars"),
            points=_points(),
        ),
        _("Đã ghi Trung ương trả về tỉnh."),
    )


@blueprint.post("/dossiers/<int:row_id>/ministry/again")
@login_required
def again(row_id: int) -> Any:
    """Put a returned dossier before the province's council again."""
    return _act(
        row_id,
        lambda session: ministry.evaluate_again(session, context.actor(), row_id, words("reason")),
        _("Đã đưa hồ sơ ra Hội đồng tỉnh đánh giá lại; kết quả trước được giữ."),
    )


@blueprint.get("/dossiers/<int:row_id>/ministry.<any(docx,pdf):form>")
@login_required
def paper(row_id: int, form: str) -> Response:
    """Give out the list of what is sent as Word or PDF."""
    row = row_seen(context.session(), context.actor(), Dossier, row_id)
    facts = record_facts()
    name = facts.get("province_name") or _("Tỉnh")
    made = sheets.sent_list(
        row,
        province=f"UBND {name}",
        place=name.removeprefix("Tỉnh "),
        demo=facts.get("demo") == "1",
    )
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)),
        mimetype=media,
        as_attachment=True,
        download_name=f"ministry-{row.id}.{form}",
    )


def _points() -> float | None:
    text = words("central_points").replace(",", ".")
    try:
        points = float(text) if text else None
    except ValueError:
        points = -1.0
    if points is not None and not 0 <= points <= 100:
        raise FormRefused("“%(text)s” không phải số điểm.", text=text)
    return points


def _act(row_id: int, work: Callable[[Any], Any], said: str) -> Any:
    address = f"/programme/dossiers/{row_id}/decision"
    return act(work, lambda sentence: certificates.decision_page(row_id, sentence), address, said)
