"""Two products of a session side by side: a member sees their own ballots, who runs the session all of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flask import Blueprint, render_template, request
from flask_login import login_required

from data.programme import assemblies, ballots, councils, dossiers, scoring
from data.programme.criteria import Criterion, ProductSet
from data.programme.tables import AgendaItem, BallotPaper
from services import context

blueprint = Blueprint("compare", __name__, url_prefix="/programme")


@dataclass(frozen=True)
class Side:
    """One of the two products, and what its ballots give it."""

    item: AgendaItem
    product_set: ProductSet
    papers: tuple[BallotPaper, ...]
    marks: tuple[scoring.Marks, ...]

    @property
    def total(self) -> float | None:
        """The mean of the totals, or None before the first ballot."""
        return float(Fraction(sum(m.total for m in self.marks), len(self.marks))) if self.marks else None

    def cell(self, code: str) -> dict[str, object] | None:
        """The points of a criterion, with the option's label where there is one ballot."""
        criterion = self.product_set.criteria.get(code)
        if criterion is None:
            return None
        given = [m.points[code] for m in self.marks if code in m.points]
        if not given:
            return None
        return {
            "points": float(Fraction(sum(given), len(given))),
            "max": criterion.max,
            "label": self._label(criterion),
        }

    def _label(self, criterion: Criterion) -> str:
        if len(self.papers) != 1 or criterion.code not in self.papers[0].choices:
            return ""
        return criterion.options[self.papers[0].choices[criterion.code]].label


@blueprint.get("/sessions/<int:row_id>/compare")
@login_required
def compare(row_id: int) -> str:
    """Show two products of a session side by side."""
    session, actor = context.session(), context.actor()
    row = assemblies.session_seen(session, actor, row_id)
    sides = [_side(row.items, name, place) for place, name in enumerate("ab")]
    a, b = sides
    lines = []
    if a is not None and b is not None:
        for code in dict.fromkeys([*a.product_set.criteria, *b.product_set.criteria]):
            known = a.product_set.criteria.get(code) or b.product_set.criteria[code]
            cells = [side.cell(code) for side in (a, b)]
            points = [cell["points"] if cell else None for cell in cells]
            lines.append(
                {"code": code, "name": known.name, "cells": cells, "differs": points[0] != points[1]}
            )
    return render_template(
        "programme/compare.html", row=row, a=a, b=b, lines=lines, may_manage=ballots.sees_ballots(actor)
    )


def _side(items: list[AgendaItem], name: str, place: int) -> Side | None:
    wanted = request.args.get(name, "")
    item = next((i for i in items if str(i.id) == wanted), items[place] if len(items) > place else None)
    if item is None:
        return None
    session, actor = context.session(), context.actor()
    if ballots.sees_ballots(actor):
        papers = ballots.submitted(item)
    else:
        seat = next(
            (m for m in councils.voters(item.session.council) if m.account_id == actor.account_id), None
        )
        papers = [p for p in item.ballots if seat and p.member_id == seat.id and p.turn == item.turn]
    marks = tuple(ballots.marks_of(session, item, p) for p in papers)
    return Side(item, dossiers.product_set(session, item.dossier), tuple(papers), marks)
