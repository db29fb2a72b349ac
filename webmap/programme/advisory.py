"""The advisory group: dossiers given to its members, and their reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data.accounts import EDITORS_OF_ALL
from data.programme import advice, dossiers
from data.programme.tables import AdvisoryReport
from services import context
from services.documents import WRITERS
from services.documents import advisory as sheets
from webmap.pages import record_facts
from webmap.programme.common import FormRefused, act, day, number, words

blueprint = Blueprint("advisory", __name__, url_prefix="/programme")
SPARE_TESTS = 2


@blueprint.get("/advisory")
@login_required
def index() -> str:
    """List the dossiers given to the caller, or all for those who give them out."""
    session, actor = context.session(), context.actor()
    return render_template(
        "programme/advisory.html",
        rows=advice.reports(session, actor),
        may_manage=actor.role in EDITORS_OF_ALL,
    )


@blueprint.post("/dossiers/<int:row_id>/advisers")
@login_required
def assign(row_id: int) -> Any:
    """Give a dossier to a member of the advisory group."""
    address = f"/programme/dossiers/{row_id}"

    def work(session: Any) -> str:
        row = advice.assign(session, context.actor(), row_id, number("member") or 0)
        return _("Đã giao hồ sơ cho %(name)s.", name=row.member.name)

    def again(sentence: str) -> str:
        return render_template("programme/refused.html", sentence=sentence, address=address)

    return act(work, again, f"{address}#advisory")


@blueprint.get("/advisory/<int:row_id>")
@login_required
def show(row_id: int) -> str:
    """Show a report, to be written by its author."""
    return _show(row_id)


def _show(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = advice.report_seen(session, actor, row_id)
    return render_template(
        "programme/advisory_report.html",
        row=row,
        set_=dossiers.product_set(session, row.dossier),
        evidence=_evidence(row),
        editable=row.finished_at is None and row.account_id == actor.account_id,
        may_manage=actor.role in EDITORS_OF_ALL,
        tests=[*row.tests, *({} for _spare in range(SPARE_TESTS))],
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/advisory/<int:row_id>")
@login_required
def save(row_id: int) -> Any:
    """Keep the report, and finish it where that was asked."""
    finishing = words("then") == "finish"

    def work(session: Any) -> None:
        row = advice.save(
            session,
            context.actor(),
            row_id,
            survey=words("survey"),
            surveyed_on=day("surveyed_on"),
            remarks={k[2:]: v.strip() for k, v in request.form.items() if k.startswith("r:")},
            choices=_choices(),
            tests=_tests(),
            conclusion=words("conclusion"),
            version=number("version"),
        )
        if finishing:
            advice.finish(session, context.actor(), row.id)

    return _act(row_id, work, _("Đã hoàn thành báo cáo thẩm tra.") if finishing else _("Đã lưu báo cáo."))


@blueprint.post("/advisory/<int:row_id>/reopen")
@login_required
def reopen(row_id: int) -> Any:
    """Let a finished report be changed again."""
    return _act(
        row_id,
        lambda session: advice.reopen(session, context.actor(), row_id, words("reason")),
        _("Đã mở lại báo cáo."),
    )


@blueprint.get("/advisory/<int:row_id>/report.<any(docx,pdf):form>")
@login_required
def paper(row_id: int, form: str) -> Response:
    """Give out the report as Word or PDF."""
    session = context.session()
    row = advice.report_seen(session, context.actor(), row_id)
    facts = record_facts()
    made = sheets.report(
        row,
        dossiers.product_set(session, row.dossier),
        province=f"UBND {facts.get('province_name') or _('Tỉnh')}",
        demo=facts.get("demo") == "1",
    )
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)),
        mimetype=media,
        as_attachment=True,
        download_name=f"advisory-{row.id}.{form}",
    )


# ---- details


def _choices() -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for key, value in request.form.items():
        if not key.startswith("c:"):
            continue
        if value and not value.isdigit():
            raise FormRefused("“%(text)s” không phải số.", text=value)
        found[key[2:]] = int(value) if value else None
    return found


def _tests() -> list[dict[str, str]]:
    columns = {fact: request.form.getlist(f"test_{fact}") for fact in advice.TEST_FACTS}
    rows = max((len(values) for values in columns.values()), default=0)
    return [
        {fact: values[place] if place < len(values) else "" for fact, values in columns.items()}
        for place in range(rows)
    ]


def _evidence(row: AdvisoryReport) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in row.dossier.evidence:
        if one.withdrawn_at is None:
            found.setdefault(one.criterion or "", []).append(one)
    return found


def _act(row_id: int, work: Callable[[Any], Any], said: str) -> Any:
    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/advisory/{row_id}", said)
