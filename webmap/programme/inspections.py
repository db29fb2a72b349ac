"""Inspection: the plan by risk, the visit on a phone, samples, faults and their answers, minutes, standards."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.accounts import TERRITORIAL
from data.products import Product
from data.programme import calendar, certificates, findings, inspections, papers, risk, standards
from data.programme.rights import row_seen
from services import context
from services.documents import WRITERS
from services.documents import inspection as sheets
from webmap.pages import date_, record_facts
from webmap.programme.common import FormRefused, act, day, number, today, words
from webmap.programme.dossiers import folder

blueprint = Blueprint("inspections", __name__, url_prefix="/programme")
PICTURES = ("image/jpeg", "image/png", "image/webp")
RISKY = 30


@blueprint.app_template_filter("written_day")
def written_day(text: str) -> str:
    """Write a day that is kept as ISO text."""
    return date_(dt.date.fromisoformat(text))


# ---- the plan


@blueprint.get("/inspections")
@login_required
def index() -> str:
    """List the visits of a year, what is still to be mended, and for those who inspect whom to visit next."""
    return _index()


def _index(sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    year = request.values.get("year", today().year, type=int)
    state = request.args.get("state") or None
    may_plan = inspections.inspects(actor)
    ranking = risk.ranking(session, actor, today()) if may_plan else []
    rows = inspections.all_of(session, actor, year=year, state=state)
    busy = {row.product_id for row in rows if row.state in inspections.OPEN}
    return render_template(
        "programme/inspections.html",
        rows=rows,
        unsettled=findings.unsettled(session, actor),
        ranking=[r for r in ranking if r.product.id not in busy][:RISKY],
        weights=risk.weights(),
        may_plan=may_plan,
        may_report=actor.role in TERRITORIAL,
        products=_own_products() if actor.role in TERRITORIAL else [],
        people=inspections.inspectors(session) if may_plan else [],
        kinds=codes.code_list("inspection_kind"),
        states=codes.code_list("inspection_state"),
        year=year,
        state=state,
        chosen=set(request.form.getlist("product", type=int)),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/inspections")
@login_required
def plan() -> Any:
    """Put the chosen products on the plan."""
    year = number("year") or today().year

    def work(session: Any) -> str:
        rows = inspections.plan(
            session,
            context.actor(),
            request.form.getlist("product", type=int),
            year=year,
            planned_on=day("planned_on"),
            today=today(),
            kind=words("kind") or "periodic",
            inspector_id=number("inspector"),
            team=words("team") or None,
        )
        return _("Đã lên kế hoạch %(n)s cuộc kiểm tra.", n=len(rows))

    return act(work, _index, f"/programme/inspections?year={year}")


@blueprint.post("/inspections/report")
@login_required
def report() -> Any:
    """Tell the inspectors of something noticed."""

    def work(session: Any) -> str:
        inspections.report(session, context.actor(), number("product") or 0, words("text"), today=today())
        return _("Đã gửi phản ánh tới thanh tra.")

    return act(work, _index, "/programme/inspections")


# ---- the visit


@blueprint.get("/inspections/<int:row_id>")
@login_required
def show(row_id: int) -> str:
    """Show a visit with what may be done now."""
    return _show(row_id)


def _show(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = inspections.inspection_seen(session, actor, row_id)
    held = certificates.in_force(session, row.product_id, today()) if row.product_id else None
    before = inspections.all_of(session, actor, product_id=row.product_id) if row.product_id else []
    return render_template(
        "programme/inspection.html",
        row=row,
        points=inspections.points(row),
        minutes=inspections.minutes_of(row),
        weights=risk.weights(),
        may_inspect=inspections.inspects(actor),
        shows_risk=actor.is_staff,
        may_answer=inspections.inspects(actor) or actor.role in (*TERRITORIAL, "producer"),
        certificate=held,
        clock=calendar.deadline("revocation", today()).number,
        others=[r for r in before if r.id != row.id],
        answers=codes.code_list("check_answer"),
        severities=codes.code_list("finding_severity"),
        reasons=codes.code_list("revocation_reason"),
        people=inspections.inspectors(session),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/inspections/<int:row_id>/<any(reschedule,cancel,begin,sign,propose):deed>")
@login_required
def step(row_id: int, deed: str) -> Any:
    """Move a visit on."""
    actor = context.actor()

    def work(session: Any) -> str:
        if deed == "reschedule":
            inspections.reschedule(
                session,
                actor,
                row_id,
                planned_on=day("planned_on"),
                inspector_id=number("inspector"),
                team=words("team") or None,
                version=number("version"),
            )
            return _("Đã đổi kế hoạch.")
        if deed == "cancel":
            inspections.cancel(session, actor, row_id, reason=words("reason"))
            return _("Đã hủy.")
        if deed == "begin":
            inspections.begin(session, actor, row_id, today=today(), place=_place())
            return _("Đã bắt đầu; bảng kiểm đã lập.")
        if deed == "propose":
            inspections.propose_revocation(session, actor, row_id, reason=words("reason"), text=words("text"))
            return _("Đã ghi đề nghị thu hồi.")
        inspections.sign(
            session,
            actor,
            row_id,
            conclusion=words("conclusion"),
            inspector_side=words("inspector_side"),
            producer_side=words("producer_side"),
            opinion=words("opinion"),
            today=today(),
            version=number("version"),
        )
        return _("Đã chốt biên bản.")

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}")


@blueprint.post("/inspections/<int:row_id>/checklist")
@login_required
def check(row_id: int) -> Any:
    """Keep the checklist, with a photo for one of its points."""

    def work(session: Any) -> str:
        actor = context.actor()
        answers = {
            key[2:]: (value or None, words(f"r:{key[2:]}"))
            for key, value in request.form.items()
            if key.startswith("a:")
        }
        inspections.check(session, actor, row_id, answers, version=number("version"))
        upload = request.files.get("photo")
        if upload is not None and upload.filename:
            content = upload.read(papers.LARGEST_BYTES + 1)
            name = Path(upload.filename.replace("\\", "/")).name
            kind = papers.media_type(name, content)
            if kind not in PICTURES:
                raise FormRefused("Tệp %(file)s không phải ảnh.", file=name)
            key = papers.keep(folder(), content)
            inspections.add_photo(
                session, actor, row_id, words("photo_of"), name=name, media_type=kind, sha256=key
            )
        return _("Đã lưu bảng kiểm.")

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}#checklist")


@blueprint.get("/inspections/<int:row_id>/photos/<sha256>")
@login_required
def photo(row_id: int, sha256: str) -> Any:
    """Give out a photo to those who see the visit."""
    row = inspections.inspection_seen(context.session(), context.actor(), row_id)
    known = {p["sha256"]: p for point in inspections.points(row) for p in point.photos}
    path = papers.path_of(folder(), sha256) if sha256 in known else None
    if path is None or not path.is_file():
        abort(404)
    return send_file(path, mimetype=known[sha256]["media_type"], download_name=known[sha256]["name"])


# ---- samples and faults


@blueprint.post("/inspections/<int:row_id>/samples")
@login_required
def take_sample(row_id: int) -> Any:
    """Take a sample."""

    def work(session: Any) -> str:
        taken = findings.take_sample(
            session,
            context.actor(),
            row_id,
            what=words("what"),
            quantity=words("quantity"),
            seal=words("seal"),
            today=today(),
        )
        return _("Đã lấy mẫu số %(number)s.", number=taken)

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}#samples")


@blueprint.post("/inspections/<int:row_id>/samples/<sample>/<any(handover,result):deed>")
@login_required
def sample(row_id: int, sample: str, deed: str) -> Any:
    """Hand a sample on, or enter its result."""

    def work(session: Any) -> str:
        if deed == "handover":
            findings.hand_on(
                session,
                context.actor(),
                row_id,
                sample,
                holder=words("holder"),
                note=words("note"),
                day=day("day") or today(),
            )
            return _("Đã ghi giao mẫu.")
        if words("conforms") not in ("yes", "no"):
            raise FormRefused("Hãy chọn mẫu đạt hay không đạt.")
        findings.enter_result(
            session,
            context.actor(),
            row_id,
            sample,
            laboratory=words("laboratory"),
            report_number=words("report_number"),
            conforms=words("conforms") == "yes",
            text=words("text"),
            day=day("day") or today(),
        )
        return _("Đã ghi kết quả mẫu.")

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}#samples")


@blueprint.post("/inspections/<int:row_id>/findings")
@login_required
def add_finding(row_id: int) -> Any:
    """Record a fault."""

    def work(session: Any) -> str:
        findings.add(
            session,
            context.actor(),
            row_id,
            severity=words("severity"),
            text=words("text"),
            criterion=words("criterion") or None,
            action=words("action") or None,
            due_on=day("due_on"),
        )
        return _("Đã ghi điều không phù hợp.")

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}#findings")


@blueprint.post("/inspections/<int:row_id>/findings/<int:finding_id>/<any(answer,accept,refuse):deed>")
@login_required
def finding(row_id: int, finding_id: int, deed: str) -> Any:
    """Answer a fault, or verify the answer."""

    def work(session: Any) -> str:
        actor, version = context.actor(), number("version")
        if deed == "answer":
            findings.answer(
                session, actor, finding_id, text=words("answer"), done_on=day("done_on"), today=today(),
                version=version,
            )  # fmt: skip
            return _("Đã ghi trả lời.")
        findings.verify(
            session,
            actor,
            finding_id,
            accepted=deed == "accept",
            today=today(),
            due_on=day("due_on"),
            version=version,
        )
        return _("Đã xác nhận khắc phục.") if deed == "accept" else _("Đã yêu cầu khắc phục lại.")

    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/inspections/{row_id}#findings")


@blueprint.get("/inspections/<int:row_id>/minutes.<any(docx,pdf):form>")
@login_required
def minutes(row_id: int, form: str) -> Response:
    """Give out the minutes as Word or PDF."""
    row = inspections.inspection_seen(context.session(), context.actor(), row_id)
    facts = record_facts()
    name = facts.get("province_name") or _("Tỉnh")
    made = sheets.minutes(
        row, province=f"UBND {name}", place=name.removeprefix("Tỉnh "), demo=facts.get("demo") == "1"
    )
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)),
        mimetype=media,
        as_attachment=True,
        download_name=f"inspection-{row.id}.{form}",
    )


# ---- standards of a product


@blueprint.get("/products/<int:product_id>/standards")
@login_required
def product_standards(product_id: int) -> str:
    """Show the standards of a product, in force and replaced."""
    return _standards(product_id)


def _standards(product_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    product = row_seen(session, actor, Product, product_id)
    return render_template(
        "programme/inspection_standards.html",
        product=product,
        rows=standards.of_product(session, actor, product_id),
        may_change=standards.may_change(session, actor, product_id),
        kinds=codes.code_list("standard_kind"),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/products/<int:product_id>/standards")
@login_required
def add_standard(product_id: int) -> Any:
    """Record a standard, alone or in the place of one in force."""

    def work(session: Any) -> str:
        facts: dict[str, Any] = {
            "code": words("code"),
            "title": words("title"),
            "kind": words("kind"),
            "version_label": words("version_label") or None,
            "expires_on": day("expires_on"),
        }
        old, issued = number("replaces"), day("issued_on")
        if old is None:
            standards.add(session, context.actor(), product_id, issued_on=issued, **facts)
            return _("Đã ghi tiêu chuẩn.")
        if issued is None:
            raise FormRefused("Nâng cấp tiêu chuẩn cần ngày ban hành.")
        standards.upgrade(session, context.actor(), old, issued_on=issued, **facts)
        return _("Đã nâng cấp tiêu chuẩn; bản cũ vẫn được giữ.")

    address = f"/programme/products/{product_id}/standards"
    return act(work, lambda sentence: _standards(product_id, sentence), address)


# ---- details


def _own_products() -> list[tuple[int, str]]:
    found = risk.products_seen(context.session(), context.actor())
    return [(p.id, p.name) for p in found]


def _place() -> tuple[float, float] | None:
    """Where the phone says it is, when it says so."""
    try:
        lon, lat = float(words("longitude")), float(words("latitude"))
    except ValueError:
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 else None
