"""Decisions and certificates: recording, the register with what ends soon, revoking, extending, printing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.programme import certificates, ministry
from data.programme.rights import row_seen
from data.programme.tables import Certificate, Dossier
from layers import catalogue
from layers.edit import Edits, editing
from services import context
from services.documents import WRITERS
from services.documents import council as sheets
from webmap.pages import record_facts
from webmap.programme.common import FormRefused, act, day, done, number, today, words

blueprint = Blueprint("certificates", __name__, url_prefix="/programme")
SOURCE = "programme"


# ---- deciding


@blueprint.get("/dossiers/<int:row_id>/decision")
@login_required
def decision(row_id: int) -> str:
    """Show the result of a dossier and ask for the decision."""
    return decision_page(row_id)


def decision_page(row_id: int, sentence: str | None = None) -> str:
    """The page of a decision, with what was refused."""
    session, actor = context.session(), context.actor()
    row = row_seen(session, actor, Dossier, row_id)
    facts = record_facts()
    return render_template(
        "programme/decision.html",
        row=row,
        result=certificates.result_of(session, row_id),
        issuer=f"UBND {facts.get('province_name') or _('Tỉnh')}",
        ministry=ministry.facts(row),
        central_stars=ministry.central_stars(row),
        wanted=ministry.wanted(row),
        may_decide=_decides(),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/dossiers/<int:row_id>/decision")
@login_required
def decide(row_id: int) -> Any:
    """Record a decision, decline, or send on to the ministry."""
    deed = words("act")

    def work(edits: Edits) -> str:
        session, actor = edits.session, context.actor()
        if deed == "ministry":
            certificates.send_to_ministry(session, actor, row_id)
            return _("Đã trình Trung ương.")
        if deed == "decline":
            certificates.decline(session, actor, row_id, reason=words("reason") or None)
            return _("Đã ghi kết quả không công nhận.")
        decided_on = day("decision_date")
        if decided_on is None:
            raise FormRefused("Hãy ghi ngày quyết định.")
        row, facts = certificates.decide(
            session,
            actor,
            row_id,
            decision_number=words("decision_number"),
            decision_date=decided_on,
            issued_by=words("issued_by"),
            number=words("number") or None,
            issued_on=day("issued_on"),
            stars=number("stars"),
        )
        _show_on_product(edits, row, facts)
        return _("Đã ghi quyết định; bản đồ và trang sản phẩm đã đổi.")

    return _act(work, lambda sentence: decision_page(row_id, sentence), f"/programme/dossiers/{row_id}")


# ---- the register


@blueprint.get("/certificates")
@login_required
def index() -> str:
    """List certificates, those that end first first."""
    session, state = context.session(), request.args.get("state") or None
    rows = certificates.register(session, context.actor(), today(), state=state)
    return render_template(
        "programme/certificates.html",
        rows=rows,
        states=codes.code_list("certificate_state"),
        state=state,
        due=certificates.due_reminders(session, today()) if _decides() else [],
        may_decide=_decides(),
    )


@blueprint.post("/certificates/reminders")
@login_required
def remind() -> Any:
    """Note that the reminders that are due were sent."""
    if not _decides():
        raise certificates.CertificateError("Nhắc hết hạn do cán bộ tỉnh ghi nhận.")
    with context.store().writing() as session:
        due = certificates.due_reminders(session, today())
        certificates.note_reminders(session, context.actor(), due)
    return done(_("Đã ghi %(n)s lần nhắc.", n=len(due)), "/programme/certificates")


@blueprint.get("/certificates/<int:row_id>")
@login_required
def show(row_id: int) -> str:
    """Show a certificate and what may be done with it."""
    return _show(row_id)


def _show(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = certificates.certificate_seen(session, actor, row_id)
    return render_template(
        "programme/certificate.html",
        row=row,
        state=certificates.state_of(row, today()),
        reasons=codes.code_list("revocation_reason"),
        others=[c for c in certificates.of_product(session, actor, row.product_id) if c.id != row.id],
        may_decide=_decides(),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/certificates/<int:row_id>/revoke")
@login_required
def revoke(row_id: int) -> Any:
    """Revoke a certificate; product page and map change at once."""

    def work(edits: Edits) -> str:
        concluded = day("concluded_on")
        if concluded is None:
            raise FormRefused("Hãy ghi ngày kết luận vi phạm.")
        row, facts, in_time = certificates.revoke(
            edits.session,
            context.actor(),
            row_id,
            reason=words("reason"),
            note=words("note"),
            decision=words("decision"),
            concluded_on=concluded,
            today=today(),
        )
        _show_on_product(edits, row, facts)
        late = "" if in_time else " " + _("Quyết định chậm hơn 15 ngày kể từ kết luận.")
        return _("Đã thu hồi; bản đồ và trang sản phẩm đã đổi.") + late

    return _act(work, lambda sentence: _show(row_id, sentence), f"/programme/certificates/{row_id}")


@blueprint.post("/certificates/<int:row_id>/extend")
@login_required
def extend(row_id: int) -> Any:
    """Extend a certificate while its re-evaluation is pending."""

    def work(edits: Edits) -> str:
        until = day("until")
        if until is None:
            raise FormRefused("Hãy ghi ngày gia hạn đến.")
        row, facts = certificates.extend(
            edits.session, context.actor(), row_id, to=until, reason=words("reason"), today=today()
        )
        _show_on_product(edits, row, facts)
        return _("Đã gia hạn.")

    return _act(work, lambda sentence: _show(row_id, sentence), f"/programme/certificates/{row_id}")


@blueprint.post("/certificates/<int:row_id>/stop")
@login_required
def stop(row_id: int) -> Any:
    """Note that a product is no longer made."""

    def work(edits: Edits) -> str:
        row, facts = certificates.stop_production(
            edits.session, context.actor(), row_id, day=day("day") or today(), today=today()
        )
        _show_on_product(edits, row, facts)
        return _("Đã ghi dừng sản xuất.")

    return _act(work, lambda sentence: _show(row_id, sentence), f"/programme/certificates/{row_id}")


@blueprint.get("/certificates/<int:row_id>.<any(docx,pdf):form>")
@login_required
def paper(row_id: int, form: str) -> Response:
    """Give out the certificate as Word or PDF."""
    row = certificates.certificate_seen(context.session(), context.actor(), row_id)
    facts = record_facts()
    producer = row.product.producer
    made = sheets.certificate(
        row,
        producer.name if producer else "",
        producer.address or "" if producer else "",
        place=(facts.get("province_name") or "").removeprefix("Tỉnh "),
        demo=facts.get("demo") == "1",
    )
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)),
        mimetype=media,
        as_attachment=True,
        download_name=f"certificate-{row.id}.{form}",
    )


# ---- details


def _show_on_product(edits: Edits, row: Certificate, facts: dict[str, Any]) -> None:
    edits.update(catalogue.layer("products"), row.product_id, {}, decided=facts)


def _decides() -> bool:
    return context.actor().role in ("province_officer", "administrator")


def _act(work: Callable[[Edits], str], again: Callable[[str], str], address: str) -> Any:
    return act(work, again, address, within=editing(context.store(), context.actor(), SOURCE))
