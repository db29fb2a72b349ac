"""A member's ballot for one product: shown, kept as a draft, submitted."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data.programme import advice, assemblies, ballots, councils, criteria, dossiers, scoring
from data.programme.scoresheet import sheet
from data.programme.tables import BallotPaper
from gis.errors import Refusal
from services import context
from services.errors import sentence_of, status_of
from webmap.programme.common import done, number, words

blueprint = Blueprint("voting", __name__, url_prefix="/programme")


@blueprint.get("/items/<int:item_id>/ballot")
@login_required
def ballot(item_id: int) -> str:
    """Show the caller's ballot for a product."""
    return _ballot(item_id)


def _ballot(item_id: int, sentence: str | None = None) -> str:
    session, actor = context.session(), context.actor()
    item = ballots.item_of(session, item_id)
    seat = ballots.seat_of(session, actor, item)
    row = ballots.own_ballot(session, actor, item_id)
    dossier = item.dossier
    product_set = dossiers.product_set(session, dossier)
    evidence: dict[str, list[Any]] = {}
    for paper in dossier.evidence:
        if paper.withdrawn_at is None:
            evidence.setdefault(paper.criterion or "", []).append(paper)
    council, sent_in = item.session.council, row is not None and row.state == ballots.SUBMITTED
    live = None
    if row is not None and row.choices:
        live = scoring.count(criteria.edition(dossier.edition), product_set, [_as_ballot(row)])
    return render_template(
        "programme/ballot.html",
        item=item,
        seat=seat,
        row=row,
        set_=product_set,
        evidence=evidence,
        live=live,
        locked=live.marks[0].locked if live else frozenset(),
        missing=live.marks[0].missing if live else tuple(product_set.criteria),
        case=_case_of(product_set, row),
        advice=advice.advice(session, dossier) if sent_in or councils.permits(council, "show_advice") else {},
        own_scores=dossier.choices if sent_in or councils.permits(council, "show_own_scores") else {},
        note_over=council.rules.get("note_over") if councils.permits(council, "show_advice") else None,
        outlier=ballots.outlier(session, item, seat),
        written=item.session.mode == councils.WRITTEN,
        declared=[r for r in product_set.rules if r.kind in ("reject", "stop") and r.when == "declared"],
        earlier=assemblies.earlier_results(session, dossier),
        editable=item.state == "open" and (row is None or row.state in ballots.EDITABLE),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/items/<int:item_id>/ballot")
@login_required
def save_ballot(item_id: int) -> Any:
    """Keep a draft, or submit it; a program gets the running result as JSON."""
    asked_by_script = request.headers.get("Accept", "").startswith("application/json")
    try:
        with context.store().writing() as session:
            row = ballots.save(
                session, context.actor(), item_id, **_typed_ballot(), version=number("version")
            )
            if words("then") == "submit":
                row = ballots.submit(session, context.actor(), item_id)
            told = _told(session, row)
    except Refusal as error:
        context.renew_session()
        if asked_by_script:
            return jsonify({"sentence": sentence_of(error)}), status_of(error)
        return _ballot(item_id, sentence_of(error)), status_of(error)
    if asked_by_script:
        return jsonify(told)
    if words("then") == "submit":
        return done(
            _("Đã nộp phiếu; mã nhận %(code)s.", code=told["receipt"]), f"/programme/items/{item_id}/ballot"
        )
    return done(_("Đã lưu nháp."), f"/programme/items/{item_id}/ballot")


def _typed_ballot() -> dict[str, Any]:
    choices = {
        key[2:]: int(value) if value.isdigit() else None
        for key, value in request.form.items()
        if key.startswith("c:")
    }
    notes = {key[2:]: value.strip() for key, value in request.form.items() if key.startswith("n:")}
    return {
        "choices": choices,
        "notes": notes,
        "rejected": request.form.getlist("rejected"),
        "stopped": request.form.getlist("stopped"),
        "opinion": words("opinion"),
        "case": words("case") or None,
    }


def _told(session: Any, row: BallotPaper) -> dict[str, Any]:
    dossier = row.item.dossier
    product_set = dossiers.product_set(session, dossier)
    result = sheet(scoring.count(criteria.edition(dossier.edition), product_set, [_as_ballot(row)]))
    shown = ("parts", "average", "band", "ceiling", "stars", "blockers")
    own = result["ballots"][0]
    return {
        **{name: result[name] for name in shown},
        "missing": own["missing"],
        "locked": own["locked"],
        "version": row.version,
        "state": row.state,
        "receipt": (row.sha256 or "")[:12],
    }


def _case_of(product_set: criteria.ProductSet, row: BallotPaper | None) -> str | None:
    """The case of the options that were chosen, where the set knows cases."""
    if request.form.get("case"):
        return words("case")
    for code, index in (row.choices if row else {}).items():
        if key := product_set.criteria[code].options[index].case_key:
            return key
    return None


def _as_ballot(row: BallotPaper) -> scoring.Ballot:
    return scoring.Ballot(row.choices, frozenset(row.rejected), frozenset(row.stopped))
