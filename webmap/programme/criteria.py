"""Criteria editions and sets, corrected revisions, and the self-check that needs no dossier."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data.accounts import Role
from data.programme import criteria, guidance, revisions, scoring
from data.programme.criteria import CriteriaError
from data.programme.scoresheet import sheet
from data.programme.tables import CriteriaRevision
from gis.errors import Refusal
from services import context
from services.errors import sentence_of, status_of
from webmap.programme.common import FormRefused, day, done, today, words

blueprint = Blueprint("criteria", __name__, url_prefix="/programme")
LARGEST_UPLOAD = 2 * 1024 * 1024


# ---- editions and sets


@blueprint.get("/criteria")
@login_required
def index() -> str:
    """List the editions with their decrees, validity, sets, and what is known to be wrong with them."""
    session = context.session()
    known = [criteria.edition(name) for name in reversed(criteria.editions())]
    return render_template(
        "programme/criteria.html",
        editions=known,
        day_of=dt.date.fromisoformat,
        current=criteria.edition_at(today()).edition,
        defects={e.edition: criteria.defects(e) for e in known},
        revised={e.edition: _newest(revisions.history(session, e.edition)) for e in known},
        crosswalk=guidance.crosswalk(),
        former={s.number: s.name for s in criteria.edition("2019").sets},
        present={s.number: s.name for s in criteria.edition("2026").sets},
    )


@blueprint.get("/criteria/<edition>/<int:number>")
@login_required
def show(edition: str, number: int) -> str:
    """Show one set with everything that the law says of it, as it stands or as it stood at a revision."""
    session = context.session()
    newest = revisions.latest(session, edition, number, today())
    asked = request.args.get("revision", "")
    revision = int(asked) if asked.isdigit() else newest
    one = revisions.product_set(session, edition, number, revision)
    law = criteria.edition(edition)
    return render_template(
        "programme/criteria_set.html",
        edition=law,
        set_=one,
        revision=revision,
        newest=newest,
        history=revisions.history(session, edition, number),
        changes=revisions.differences(law.set(number), one) if revision else [],
        begun=revisions.dossiers_by_revision(session, edition, number),
        remarks=_of_set(law, one),
        hints=guidance.hints(edition, one),
        may_revise=context.actor().role == Role.ADMINISTRATOR,
    )


@blueprint.get("/criteria/<edition>/<int:number>.json")
@login_required
def document(edition: str, number: int) -> Response:
    """Give out a set as JSON, in the form in which a corrected one is uploaded."""
    session = context.session()
    revision = request.args.get("revision", "")
    chosen = int(revision) if revision.isdigit() else revisions.latest(session, edition, number, today())
    text = orjson.dumps(revisions.document_of(session, edition, number, chosen), option=orjson.OPT_INDENT_2)
    name = f"criteria-{edition}-{number}-{chosen}.json"
    return Response(
        text,
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# ---- correcting


@blueprint.get("/criteria/<edition>/<int:number>/revise")
@login_required
def revise(edition: str, number: int) -> str:
    """Show the form in which options are corrected."""
    return _revise(edition, number)


def _revise(edition: str, number: int, sentence: str | None = None) -> str:
    if context.actor().role != Role.ADMINISTRATOR:
        raise CriteriaError("Chỉ người quản trị công bố được bản đính chính của bộ tiêu chí.")
    session = context.session()
    newest = revisions.latest(session, edition, number)
    return render_template(
        "programme/criteria_revise.html",
        edition=criteria.edition(edition),
        set_=revisions.product_set(session, edition, number, newest),
        newest=newest,
        begun=sum(revisions.dossiers_by_revision(session, edition, number).values()),
        sentence=sentence,
        typed=request.form,
        today=today(),
    )


@blueprint.post("/criteria/<edition>/<int:number>/revise")
@login_required
def publish(edition: str, number: int) -> Any:
    """Publish a corrected revision, from the form or from a file."""
    try:
        with context.store().writing() as session:
            upload = request.files.get("file")
            if upload is not None and upload.filename:
                corrected = _uploaded(upload.read(LARGEST_UPLOAD + 1), number)
            else:
                newest = revisions.latest(session, edition, number)
                corrected = _typed(revisions.document_of(session, edition, number, newest))
            row = revisions.publish(
                session,
                context.actor(),
                edition,
                corrected,
                words("reason"),
                day("valid_from") or today(),
            )
            revision = row.revision
    except Refusal as error:
        context.renew_session()
        return _revise(edition, number, sentence_of(error)), status_of(error)
    return done(
        _("Đã công bố bản đính chính %(n)s; hồ sơ đã lập giữ bản cũ.", n=revision),
        f"/programme/criteria/{edition}/{number}?revision={revision}",
    )


def _uploaded(content: bytes, number: int) -> dict[str, Any]:
    if len(content) > LARGEST_UPLOAD:
        raise FormRefused("Tệp bộ tiêu chí quá %(limit)s MB.", limit=LARGEST_UPLOAD // 2**20)
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise FormRefused("Tệp không phải JSON.") from None
    if not isinstance(found, dict) or found.get("number") != number:
        raise FormRefused("Tệp không phải bộ tiêu chí số %(set)s.", set=number)
    return found


def _typed(corrected: dict[str, Any]) -> dict[str, Any]:
    """The set with what was typed in its place; a criterion's maximum is its best option."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(corrected))
    for part in document["parts"]:
        for section in part["sections"]:
            for criterion in section["criteria"]:
                code = criterion["code"]
                for place, option in enumerate(criterion.get("options", ())):
                    _correct(option, f"{code}:{place}")
                if criterion.get("options"):
                    criterion["max"] = max(o["points"] for o in criterion["options"])
    return document


def _correct(option: dict[str, Any], key: str) -> None:
    points, label, star = (request.form.get(f"{letter}:{key}") for letter in "pls")
    if points is not None:
        if not points.strip().isdigit():
            raise FormRefused("“%(text)s” không phải số điểm.", text=points)
        option["points"] = int(points)
    if label is not None:
        option["label"] = label.strip()
    if star is not None:
        option.pop("min_star", None)
        if star.isdigit():
            option["min_star"] = int(star)


# ---- the self-check


@blueprint.get("/self-check")
@login_required
def self_check() -> str:
    """Let anybody choose options of a set and see what they come to."""
    return _self_check(None)


@blueprint.post("/self-check")
@login_required
def checked() -> Any:
    """Show what the chosen options come to, for browsers without scripts."""
    try:
        return _self_check(_result())
    except Refusal as error:
        return _self_check(None, sentence_of(error)), status_of(error)


@blueprint.post("/self-check.json")
@login_required
def self_check_json() -> Any:
    """Tell what the chosen options come to: points, parts, band, ceiling, blockers and the way to the next star."""
    try:
        result = _result()
    except Refusal as error:
        return jsonify({"sentence": sentence_of(error)}), status_of(error)
    told = sheet(result)
    names = {code: c.name for code, c in result.product_set.criteria.items()}
    own = told["ballots"][0]
    return jsonify(
        {
            **{k: told[k] for k in ("average", "parts", "sections", "band", "ceiling", "stars", "blockers")},
            "missing": own["missing"],
            "locked": own["locked"],
            "stopped": own["stopped"],
            "next_star": [{**step, "name": names[step["criterion"]]} for step in told["next_star"]],
        }
    )


def _self_check(result: scoring.Result | None, sentence: str | None = None) -> str:
    edition = criteria.edition_at(today())
    one = _chosen_set(edition)
    return render_template(
        "programme/self_check.html",
        edition=edition,
        set_=one,
        choices=_choices(),
        case=words("case"),
        expected=result,
        way=scoring.way_up(result) if result else [],
        locked=result.marks[0].locked if result else frozenset(),
        missing=result.marks[0].missing if result else (),
        hints=guidance.hints(edition.edition, one) if one else {},
        sentence=sentence,
    )


def _result() -> scoring.Result:
    edition = criteria.edition_at(today())
    one = _chosen_set(edition)
    if one is None:
        raise FormRefused("Hãy chọn bộ sản phẩm.")
    return scoring.count(edition, one, [scoring.Ballot(_choices())])


def _chosen_set(edition: criteria.Edition) -> criteria.ProductSet | None:
    wanted = request.values.get("set", "").strip()
    if not wanted:
        return None
    number = edition.set(wanted).number
    session = context.session()
    return revisions.product_set(
        session,
        edition.edition,
        number,
        revisions.latest(session, edition.edition, number, today()),
    )


def _choices() -> dict[str, int]:
    return {
        key[2:]: int(value) for key, value in request.form.items() if key.startswith("c:") and value.isdigit()
    }


# ---- details


def _newest(rows: list[CriteriaRevision]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in rows:
        found[row.set_number] = max(row.revision, found.get(row.set_number, 0))
    return found


def _of_set(edition: criteria.Edition, one: criteria.ProductSet) -> dict[str, list[criteria.Defect]]:
    """What is known of a set: corrections of the copy, doubts, and what its sums show."""
    return {
        "corrections": [d for d in edition.corrections if d.set in (None, one.number)],
        "doubts": [d for d in edition.doubts if d.set in (None, one.number)],
        "defects": criteria.defects_of_set(one),
    }
