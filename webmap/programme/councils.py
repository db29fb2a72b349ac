"""Councils: setting up, sessions with agenda and ballots that arrive, results, papers."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.programme import assemblies, ballots, councils, criteria, dossiers, rounds
from data.programme.tables import AgendaItem, CouncilMember
from services import context
from services.documents import WRITERS
from services.documents import council as sheets
from webmap.pages import TIME_ZONE, record_facts
from webmap.programme.common import FormRefused, act, day, number, today, words

blueprint = Blueprint("councils", __name__, url_prefix="/programme")


# ---- councils


@blueprint.get("/councils")
@login_required
def index() -> str:
    """List the councils, and offer to set one up."""
    return _index()


def _index(sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    return render_template(
        "programme/councils.html",
        councils=assemblies.councils_of(session, actor),
        compositions=councils.compositions(),
        rounds=rounds.all_of(session, today().year),
        may_manage=ballots.sees_ballots(actor),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/councils")
@login_required
def create() -> Any:
    """Set up a council."""

    def work(session: Any) -> int:
        row = councils.create(
            session,
            context.actor(),
            name=words("name"),
            composition=words("composition"),
            decision_number=words("decision_number") or None,
            decision_date=day("decision_date"),
            round_id=number("round"),
            rules=_rules(),
        )
        return row.id

    return act(work, _index, lambda key: f"/programme/councils/{key}", _("Đã thành lập Hội đồng."))


def _rules() -> dict[str, Any]:
    """What the council's regulation says, as far as it was filled in."""
    bounds = {key: value for key in ("quorum", "spread", "note_over") if (value := number(key)) is not None}
    permitted = {key: True for key in ("show_advice", "show_own_scores") if request.form.get(key)}
    return {**bounds, **permitted}


@blueprint.get("/councils/<int:row_id>")
@login_required
def show(row_id: int) -> str:
    """Show who sits on a council, and its sessions."""
    return _show(row_id)


def _show(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = assemblies.council_seen(session, actor, row_id)
    return render_template(
        "programme/council.html",
        row=row,
        rule=councils.compositions()[row.composition],
        faults=councils.faults(row),
        sessions=assemblies.sessions_of(session, row),
        waiting=assemblies.waiting_dossiers(session),
        accounts=assemblies.possible_members(session),
        roles=codes.code_list("council_role"),
        quorum=councils.bound(row, "quorum", today()),
        spread=councils.bound(row, "spread", today()),
        may_manage=ballots.sees_ballots(actor),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/councils/<int:row_id>/members")
@login_required
def add_member(row_id: int) -> Any:
    """Seat somebody."""

    def work(session: Any) -> None:
        councils.add_member(
            session,
            context.actor(),
            row_id,
            name=words("name"),
            agency=words("agency"),
            role=words("role"),
            title=words("title") or None,
            account_id=number("account"),
        )

    return _on_council(row_id, work, _("Đã thêm thành viên."))


@blueprint.post("/councils/<int:row_id>/members/<int:member_id>/leave")
@login_required
def remove_member(row_id: int, member_id: int) -> Any:
    """Let a member leave."""
    return _on_council(
        row_id,
        lambda session: councils.remove_member(session, context.actor(), member_id, today()),
        _("Đã ghi thành viên thôi tham gia."),
    )


# ---- sessions


@blueprint.post("/councils/<int:row_id>/sessions")
@login_required
def plan_session(row_id: int) -> Any:
    """Plan a session with its agenda."""

    def work(session: Any) -> int:
        chosen = [int(v) for v in request.form.getlist("dossier") if v.isdigit()]
        row = councils.plan_session(
            session,
            context.actor(),
            row_id,
            starts_at=_starts_at(),
            place=words("place") or None,
            mode=words("mode") or councils.MEETING,
            dossier_ids=chosen,
        )
        return row.id

    return act(
        work,
        lambda sentence: _show(row_id, sentence),
        lambda key: f"/programme/sessions/{key}",
        _("Đã lập chương trình họp."),
    )


@blueprint.get("/sessions/<int:row_id>")
@login_required
def session_page(row_id: int) -> str:
    """Show the agenda of a session and how the ballots stand."""
    return _session(row_id)


def _session(row_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    row = assemblies.session_seen(session, actor, row_id)
    manages = ballots.sees_ballots(actor)
    items = []
    for item in row.items:
        result = ballots.result_of(session, item) if manages else None
        items.append(
            {
                "item": item,
                "awaited": ballots.awaited(session, item),
                "submitted": len(ballots.submitted(item)),
                "papers": ballots.submitted(item) if manages else [],
                "result": result,
                "second": result is not None and ballots.needs_second_turn(item, result),
                "differ": row.mode == councils.WRITTEN and ballots.opinions_differ(session, item),
                "away": councils.excluded(session, item.dossier_id),
                "own": next(
                    (m for m in councils.voters(row.council) if m.account_id == actor.account_id), None
                ),
            }
        )
    return render_template(
        "programme/session.html",
        row=row,
        items=items,
        faults=councils.faults(row.council),
        short_notice=councils.short_notice(row, today()),
        may_manage=manages,
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/sessions/<int:row_id>/open")
@login_required
def open_session(row_id: int) -> Any:
    """Open a session with those present."""
    there = [int(v) for v in request.form.getlist("present") if v.isdigit()]
    return _on_session(
        row_id,
        lambda session: councils.open_session(
            session, context.actor(), row_id, there, version=number("version")
        ),
        _("Phiên họp đã mở."),
    )


@blueprint.post("/sessions/<int:row_id>/meeting")
@login_required
def call_meeting(row_id: int) -> Any:
    """Call a meeting because the written opinions differ."""

    def work(session: Any) -> None:
        ballots.call_meeting(
            session,
            context.actor(),
            row_id,
            starts_at=_starts_at(),
            place=words("place") or None,
            reason=words("reason"),
        )

    return _on_session(row_id, work, _("Đã chuyển sang họp Hội đồng; hãy điểm danh khi họp."))


@blueprint.post("/sessions/<int:row_id>/conflicts")
@login_required
def declare_conflict(row_id: int) -> Any:
    """Keep a member away from a product."""
    return _on_session(
        row_id,
        lambda session: councils.declare_conflict(
            session, context.actor(), number("member") or 0, number("dossier") or 0, words("reason")
        ),
        _("Đã ghi xung đột lợi ích."),
    )


@blueprint.post("/sessions/<int:row_id>/items/<int:item_id>/second")
@login_required
def second_turn(row_id: int, item_id: int) -> Any:
    """Begin the second ballot after a discussion."""
    return _on_session(
        row_id,
        lambda session: ballots.second_turn(session, context.actor(), item_id, words("discussion")),
        _("Đã mở chấm lại."),
    )


@blueprint.post("/sessions/<int:row_id>/items/<int:item_id>/close")
@login_required
def close_item(row_id: int, item_id: int) -> Any:
    """Count the ballots of a product for good."""
    return _on_session(
        row_id,
        lambda session: ballots.close_item(session, context.actor(), item_id, version=number("version")),
        _("Đã chốt kết quả."),
    )


@blueprint.post("/sessions/<int:row_id>/ballots/<int:ballot_id>/reopen")
@login_required
def reopen(row_id: int, ballot_id: int) -> Any:
    """Let a member change a ballot again."""
    return _on_session(
        row_id,
        lambda session: ballots.reopen(session, context.actor(), ballot_id, words("reason")),
        _("Đã mở lại phiếu."),
    )


@blueprint.post("/sessions/<int:row_id>/close")
@login_required
def close_session(row_id: int) -> Any:
    """End a session."""
    return _on_session(
        row_id,
        lambda session: ballots.close_session(session, context.actor(), row_id, {"text": words("text")}),
        _("Phiên họp đã kết thúc."),
    )


# ---- papers


@blueprint.get("/sessions/<int:row_id>/<any(minutes,summary,proposal,decision):paper>.<any(docx,pdf):form>")
@login_required
def session_paper(row_id: int, paper: str, form: str) -> Response:
    """Give out the papers of a session as Word or PDF."""
    session, actor = context.session(), context.actor()
    row = assemblies.session_seen(session, actor, row_id)
    councils.must_manage(actor)
    province, place, demo = _letterhead()
    if paper == "minutes":
        made = sheets.minutes(row, province=province, place=place, demo=demo)
    elif paper == "summary":
        made = sheets.summary(row, province=province, demo=demo)
    elif paper == "proposal":
        agency = _("Sở Nông nghiệp và Môi trường")
        made = sheets.proposal(row, province=province, agency=agency, place=place, demo=demo)
    else:
        edition = (
            criteria.edition(row.items[0].dossier.edition) if row.items else criteria.edition_at(today())
        )
        made = sheets.draft_decision(row.items, edition, province=province, place=place, demo=demo)
    return _file(made, f"{paper}-{row.id}", form)


@blueprint.get("/items/<int:item_id>/<any(ballot,blank):paper>.<any(docx,pdf):form>")
@login_required
def ballot_paper(item_id: int, paper: str, form: str) -> Response:
    """Give out the caller's ballot, or a blank one, as Word or PDF."""
    session, actor = context.session(), context.actor()
    item: AgendaItem = ballots.item_of(session, item_id)
    assemblies.session_seen(session, actor, item.session_id)
    dossier = item.dossier
    row, member = None, ""
    if paper == "ballot":
        seat: CouncilMember = ballots.seat_of(session, actor, item)
        row, member = ballots.own_ballot(session, actor, item_id), seat.name
    made = sheets.ballot_paper(
        dossier,
        dossiers.product_set(session, dossier),
        criteria.edition(dossier.edition),
        ballot=row,
        member=member,
        demo=_letterhead()[2],
    )
    return _file(made, f"{paper}-{item.id}", form)


def _letterhead() -> tuple[str, str, bool]:
    facts = record_facts()
    name = facts.get("province_name") or _("Tỉnh")
    return f"UBND {name}", name.removeprefix("Tỉnh "), facts.get("demo") == "1"


def _file(made: Any, name: str, form: str) -> Response:
    media, write = WRITERS[form]
    return send_file(
        io.BytesIO(write(made)), mimetype=media, as_attachment=True, download_name=f"{name}.{form}"
    )


# ---- details


def _starts_at() -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(words("starts_at")).replace(tzinfo=TIME_ZONE)
    except ValueError:
        raise FormRefused("Hãy ghi ngày giờ của phiên họp.") from None


def _on_council(row_id: int, work: Callable[[Any], Any], said: str) -> Any:
    return act(work, lambda sentence: _show(row_id, sentence), f"/programme/councils/{row_id}", said)


def _on_session(row_id: int, work: Callable[[Any], Any], said: str) -> Any:
    return act(work, lambda sentence: _session(row_id, sentence), f"/programme/sessions/{row_id}", said)
