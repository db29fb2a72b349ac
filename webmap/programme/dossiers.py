"""Dossiers: forms, own scores, evidence, submission; and what commune and province do with them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.programme import advice, criteria, dossiers, guidance, papers, participations, receiving, scoring
from data.programme import cycle as rules
from data.programme.forms import FormField, forms
from data.programme.rights import row_seen
from data.programme.tables import Dossier, Evidence, Participation
from data.traceability import scoringlinks
from gis.errors import Refusal
from services import context
from services.documents import WRITERS
from services.documents import forms as sheets
from services.errors import sentence_of, status_of
from webmap.pages import record_facts
from webmap.programme.common import FormRefused, act, day, done, number, today, words
from webmap.settings import Settings

blueprint = Blueprint("dossiers", __name__, url_prefix="/programme")


def folder() -> Path:
    """Where evidence is kept."""
    settings: Settings = current_app.extensions["ocop_settings"]
    return settings.media / "evidence"


# ---- beginning


@blueprint.get("/participations/<int:row_id>/dossier")
@login_required
def begin(row_id: int) -> str:
    """Ask for the kind of dossier and the product set."""
    return _begin(row_id)


def _begin(row_id: int, sentence: str | None = None) -> str:
    row = row_seen(context.session(), context.actor(), Participation, row_id)
    edition = criteria.edition_at(today())
    return render_template(
        "programme/dossier_new.html",
        row=row,
        edition=edition,
        kinds=codes.code_list("dossier_kind"),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/participations/<int:row_id>/dossier")
@login_required
def open_(row_id: int) -> Any:
    """Begin a dossier."""
    try:
        with context.store().writing() as session:
            row = dossiers.open_dossier(
                session, context.actor(), row_id, words("kind"), number("set") or 0, today()
            )
            key = row.id
    except Refusal as error:
        context.renew_session()
        return _begin(row_id, sentence_of(error)), status_of(error)
    return done(_("Đã lập hồ sơ."), f"/programme/dossiers/{key}")


# ---- the dossier


@blueprint.get("/dossiers/<int:row_id>")
@login_required
def show(row_id: int) -> str:
    """Show a dossier with all its parts."""
    return _show(row_id)


def _show(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = row_seen(session, actor, Dossier, row_id)
    product_set = dossiers.product_set(session, row)
    expected = dossiers.expected(session, row)
    return render_template(
        "programme/dossier.html",
        row=row,
        cycle=rules.cycle(),
        set_=product_set,
        forms=forms(),
        values={**row.forms, **(request.form if sentence else {})},
        expected=expected,
        way=scoring.way_up(expected) if expected else [],
        missing=dossiers.missing(session, row, today()),
        editable=row.participation.status in dossiers.OPEN_STATUSES and not _is_reader(),
        stage=_stage(row),
        hints=guidance.hints(row.edition, product_set),
        reports=advice.reports(session, actor, dossier_id=row.id),
        advisers=advice.advisers(session) if _stage(row) == "province" else [],
        sentence=sentence,
        typed=request.form,
        kinds=codes.code_list("dossier_kind"),
        links=dossiers.linkable(session, row),
        offers=scoringlinks.offers(session, row),
        code_list=codes.code_list,
    )


def _is_reader() -> bool:
    return context.actor().role in ("council_member", "planner", "inspector")


def _stage(row: Dossier) -> str | None:
    """Which office's turn it is, where the actor is of that office."""
    actor, status = context.actor(), row.participation.status
    if status == "at_commune" and actor.role in ("commune_officer", "province_officer", "administrator"):
        return "commune"
    if status in ("proposed", "received", "advisory") and actor.role in ("province_officer", "administrator"):
        return "province"
    return None


@blueprint.post("/dossiers/<int:row_id>/forms")
@login_required
def save_forms(row_id: int) -> Any:
    """Keep what was filled in into forms 01 and 02."""

    def save(session: Any) -> None:
        row = row_seen(session, context.actor(), Dossier, row_id)
        values = {f.name: _typed(f) for f in forms().fields(row.kind)}
        dossiers.save(session, context.actor(), row_id, forms=values, version=number("version"))

    return _act(row_id, save, _("Đã lưu biểu mẫu."))


@blueprint.post("/dossiers/<int:row_id>/scores")
@login_required
def save_scores(row_id: int) -> Any:
    """Keep the producer's own scores."""

    def save(session: Any) -> None:
        choices: dict[str, int | None] = {}
        for key, value in request.form.items():
            if key.startswith("c:"):
                choices[key[2:]] = int(value) if value.isdigit() else None
        dossiers.save(session, context.actor(), row_id, choices=choices, version=number("version"))

    return _act(row_id, save, _("Đã lưu điểm tự chấm."), anchor="scores")


@blueprint.post("/dossiers/<int:row_id>/evidence")
@login_required
def add_evidence(row_id: int) -> Any:
    """Add a paper or photo, or a link to something in the record."""

    def add(session: Any) -> None:
        upload = request.files.get("file")
        file = link = None
        if upload is not None and upload.filename:
            content = upload.read(papers.LARGEST_BYTES + 1)
            name = Path(upload.filename.replace("\\", "/")).name
            file = (name, papers.media_type(name, content), content)
        if words("link"):
            table, _slash, key = words("link").partition("/")
            row = row_seen(session, context.actor(), Dossier, row_id)
            link = (table, int(key) if key.isdigit() else 0)
            if link not in {known[:2] for known in dossiers.linkable(session, row)}:
                raise FormRefused("Bản ghi này không thuộc sản phẩm.")
        dossiers.add_evidence(
            session,
            context.actor(),
            row_id,
            kind=words("kind"),
            title=words("title"),
            criterion=words("criterion") or None,
            file=file,
            link=link,
            issued_by=words("issued_by") or None,
            issued_on=day("issued_on"),
            expires_on=day("expires_on"),
        )
        if file is not None:
            papers.keep(folder(), file[2])

    return _act(row_id, add, _("Đã thêm minh chứng."), anchor="evidence")


@blueprint.post("/dossiers/<int:row_id>/evidence/<int:evidence_id>/withdraw")
@login_required
def withdraw(row_id: int, evidence_id: int) -> Any:
    """Take a paper out of the next version."""
    return _act(
        row_id,
        lambda session: dossiers.withdraw_evidence(session, context.actor(), evidence_id),
        _("Đã rút minh chứng; các bản đã nộp vẫn giữ."),
        anchor="evidence",
    )


@blueprint.get("/evidence/<int:evidence_id>")
@login_required
def evidence(evidence_id: int) -> Any:
    """Give out a paper to those who see its dossier."""
    session = context.session()
    row = session.get(Evidence, evidence_id)
    if row is None or row.sha256 is None:
        abort(404)
    row_seen(session, context.actor(), Dossier, row.dossier_id)
    path = papers.path_of(folder(), row.sha256)
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype=row.media_type, as_attachment=True, download_name=row.file_name)


@blueprint.post("/dossiers/<int:row_id>/submit")
@login_required
def submit(row_id: int) -> Any:
    """Hand the dossier in."""
    return _act(
        row_id,
        lambda session: dossiers.submit(session, context.actor(), row_id, today(), version=number("version")),
        _("Đã nộp hồ sơ; bản nộp được khóa và có mã băm."),
    )


@blueprint.post("/dossiers/<int:row_id>/returns/<int:item_id>")
@login_required
def answer(row_id: int, item_id: int) -> Any:
    """Say what was done about something that was sent back."""
    return _act(
        row_id,
        lambda session: dossiers.answer_return(session, context.actor(), item_id, words("answer")),
        _("Đã ghi trả lời."),
        anchor="returns",
    )


# ---- the offices


@blueprint.post("/dossiers/<int:row_id>/receive")
@login_required
def receive(row_id: int) -> Any:
    """Take the dossier in under a number."""
    return _act(
        row_id,
        lambda session: receiving.receive(
            session, context.actor(), row_id, words("level"), today(), samples=number("samples")
        ),
        _("Đã tiếp nhận và cấp số phiếu."),
        anchor="office",
    )


@blueprint.post("/dossiers/<int:row_id>/return")
@login_required
def send_back(row_id: int) -> Any:
    """Return the dossier with what is to be completed, a line each."""

    def work(session: Any) -> None:
        items = []
        for line in words("items").splitlines():
            code, colon, text = line.partition(":")
            known = colon and code.strip().replace(".", "").isdigit()
            items.append((code.strip(), text) if known else (None, line))
        receiving.send_back(session, context.actor(), row_id, words("level"), items)

    return _act(row_id, work, _("Đã trả hồ sơ kèm nội dung cần bổ sung."), anchor="office")


@blueprint.post("/dossiers/<int:row_id>/check")
@login_required
def check(row_id: int) -> Any:
    """Keep the commune's findings, and propose the product where that was asked."""

    def work(session: Any) -> None:
        contents = {}
        for content in forms().contents:
            met = {"yes": True, "no": False}.get(words(f"met:{content}"))
            contents[content] = {"met": met, "remark": words(f"remark:{content}")}
        receiving.check_contents(
            session,
            context.actor(),
            row_id,
            contents,
            proposal=words("proposal"),
            letter_number=words("letter_number"),
        )
        if words("then") == "propose":
            receiving.propose(session, context.actor(), row_id, today())

    said = _("Đã đề nghị tỉnh.") if words("then") == "propose" else _("Đã lưu nhận xét.")
    return _act(row_id, work, said, anchor="office")


@blueprint.post("/dossiers/<int:row_id>/forward")
@login_required
def forward(row_id: int) -> Any:
    """Move the dossier on inside the province: to the advisory group, to the council."""

    def work(session: Any) -> None:
        row = row_seen(session, context.actor(), Dossier, row_id)
        participations.move(
            session, context.actor(), row.participation_id, words("to"), reason=words("reason") or None
        )

    return _act(row_id, work, _("Đã chuyển hồ sơ."), anchor="office")


# ---- papers


@blueprint.get("/dossiers/<int:row_id>/<any(form01,form02,form03):paper>.<any(docx,pdf):form>")
@login_required
def paper(row_id: int, paper: str, form: str) -> Response:
    """Give out forms 01, 02 and 03 as Word or PDF."""
    session = context.session()
    row = row_seen(session, context.actor(), Dossier, row_id)
    product_set = dossiers.product_set(session, row)
    demo = record_facts().get("demo") == "1"
    if paper == "form03":
        commune = row.participation.product.commune
        made = sheets.commune_report(
            row,
            row.checks[-1] if row.checks else None,
            province=f"UBND {record_facts().get('province_name') or _('Tỉnh')}",
            commune=commune.full_name if commune else "",
            demo=demo,
        )
    else:
        made = {"form01": sheets.registration, "form02": sheets.self_assessment}[paper](
            row, product_set, demo=demo
        )
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)), mimetype=media, as_attachment=True, download_name=f"{paper}-{row.id}.{form}"
    )


# ---- details


def _act(row_id: int, work: Any, said: str, *, anchor: str = "") -> Any:
    address = f"/programme/dossiers/{row_id}" + (f"#{anchor}" if anchor else "")
    return act(work, lambda sentence: _show(row_id, sentence), address, said)


def _typed(field: FormField) -> Any:
    if field.type == "tick":
        return field.name in request.form
    if field.type == "choices":
        return request.form.getlist(field.name)
    if field.type == "number":
        text = words(field.name).replace(".", "").replace(",", ".")
        try:
            return float(text) if text else None
        except ValueError:
            raise FormRefused("“%(title)s” phải là số.", title=field.title["vi"]) from None
    return words(field.name) or None
