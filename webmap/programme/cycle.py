"""The cycle's pages: what waits for me, the board of all products, one product's way, new ideas, rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data.programme import calendar, participations, rounds, worklist
from data.programme import cycle as rules
from data.programme.dossiers import current_of
from data.programme.rights import row_seen
from data.programme.tables import Participation
from layers import catalogue, read, statistics
from services import context
from webmap.programme.common import act, day, number, today, words

blueprint = Blueprint("programme", __name__, url_prefix="/programme")
MOST_PRODUCTS = 400


@blueprint.get("")
@login_required
def queue() -> str:
    """Show what waits for the caller, late things first."""
    actor, session = context.actor(), context.session()
    waiting = worklist.tasks(session, actor, today())
    counts = {k: sum(t.urgency == k for t in waiting) for k in ("late", "soon", "open")}
    return render_template(
        "programme/queue.html", tasks=waiting, counts=counts, cycle=rules.cycle(), year=today().year
    )


@blueprint.get("/board")
@login_required
def board() -> str:
    """Show where every product stands that the caller sees, as columns and as a table."""
    actor, session = context.actor(), context.session()
    year = request.args.get("year", today().year, type=int)
    chosen = {name: request.args.get(name, type=int) for name in ("round", "commune", "district")}
    columns = participations.board(
        session,
        actor,
        year=year,
        round_id=chosen["round"],
        commune_id=chosen["commune"],
        district_id=chosen["district"],
    )
    late = {
        entry.participation.id: entry for entry in participations.overdue(session, actor, today(), year=year)
    }
    districts, communes = participations.places(session, actor, year=year)
    return render_template(
        "programme/board.html",
        columns=columns,
        late=late,
        cycle=rules.cycle(),
        year=year,
        rounds=rounds.all_of(session, year),
        districts=districts,
        communes=communes,
        chosen=chosen,
        as_table=request.args.get("view") == "table",
        on_map=year == today().year and statistics.indicator("cycle_products").readable(actor),
    )


@blueprint.get("/participations/<int:row_id>")
@login_required
def participation(row_id: int) -> str:
    """Show one product's way: the six steps, the moves that may be made, the trail."""
    return _participation(row_id)


def _participation(row_id: int, sentence: str | None = None) -> str:
    actor, session = context.actor(), context.session()
    row = row_seen(session, actor, Participation, row_id)
    return render_template(
        "programme/participation.html",
        row=row,
        cycle=rules.cycle(),
        moves=rules.cycle().next_of(row.status, actor),
        dossier=current_of(session, row_id),
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/participations/<int:row_id>/move")
@login_required
def move(row_id: int) -> Any:
    """Move a product to another status."""

    def work(session: Any) -> str:
        row = participations.move(
            session,
            context.actor(),
            row_id,
            words("to"),
            reason=words("reason") or None,
            version=number("version"),
        )
        title = rules.cycle().statuses[row.status].title[context.language()]
        return _("Đã chuyển sang “%(status)s”.", status=title)

    return _act(row_id, work)


@blueprint.post("/participations/<int:row_id>/steps/<int:step>")
@login_required
def plan(row_id: int, step: int) -> Any:
    """Set when a step is planned and who sees to it."""

    def work(session: Any) -> str:
        participations.plan(
            session,
            context.actor(),
            row_id,
            step,
            planned_from=day("planned_from"),
            planned_to=day("planned_to"),
            responsible=words("responsible") or None,
            note=words("note") or None,
            version=number("version"),
        )
        return _("Đã lưu kế hoạch của bước.")

    return _act(row_id, work)


@blueprint.get("/new")
@login_required
def new() -> str:
    """Ask which product takes part, and with what idea."""
    return _new()


def _new(sentence: str | None = None) -> str:
    actor, session = context.actor(), context.session()
    layer = catalogue.layer("products")
    names = ("name", "producer_name", "commune_name")
    query = read.Query(
        layer, actor, fields=names, sort=(("name", False),), limit=MOST_PRODUCTS, geometry=False
    )
    own = rounds.own_products(session, actor)
    products = [r for r in read.rows(session, query).records() if own is None or r["id"] in own]
    return render_template(
        "programme/new.html", products=products, year=today().year, sentence=sentence, typed=request.form
    )


@blueprint.post("/new")
@login_required
def register() -> Any:
    """Let a product take part in the cycle."""

    def work(session: Any) -> int:
        row = participations.register(
            session,
            context.actor(),
            number("product") or 0,
            number("year") or today().year,
            idea=words("idea") or None,
        )
        return row.id

    return act(work, _new, lambda key: f"/programme/participations/{key}", _("Đã đăng ký ý tưởng."))


@blueprint.get("/rounds")
@login_required
def rounds_page() -> str:
    """List the rounds of a year, with the dates that the law names."""
    return _rounds()


def _rounds(sentence: str | None = None) -> str:
    year = request.values.get("year", today().year, type=int)
    session = context.session()
    return render_template(
        "programme/rounds.html",
        rounds=rounds.all_of(session, year),
        counts=rounds.counts(session, year),
        by_law=calendar.rounds_of(year, "province"),
        year=year,
        may_open=context.actor().role in rounds.MANAGERS,
        sentence=sentence,
        typed=request.form,
    )


@blueprint.post("/rounds")
@login_required
def open_round() -> Any:
    """Open a round."""

    def work(session: Any) -> str:
        row = rounds.open_round(
            session,
            context.actor(),
            name=words("name"),
            level="province",
            year=number("year") or today().year,
            receive_before=day("receive_before"),
            decide_before=day("decide_before"),
        )
        return _("Đã mở %(name)s.", name=row.name)

    return act(work, _rounds, f"/programme/rounds?year={words('year')}")


@blueprint.post("/rounds/<int:row_id>/state")
@login_required
def round_state(row_id: int) -> Any:
    """Move a round on: closed, being checked, meeting, deciding, published."""

    def work(session: Any) -> int:
        row = rounds.set_state(session, context.actor(), row_id, words("state"), version=number("version"))
        return row.year

    return act(work, _rounds, lambda year: f"/programme/rounds?year={year}", _("Đã đổi trạng thái của đợt."))


def _act(row_id: int, work: Callable[[Any], str]) -> Any:
    return act(work, lambda sentence: _participation(row_id, sentence), f"/programme/participations/{row_id}")
