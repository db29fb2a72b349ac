"""The work queue: what waits for the actor, what is due, what is late, across the whole programme."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import codes
from data.accounts import EDITORS_OF_ALL, Actor, Role
from data.products import Product
from data.programme import ballots, certificates, findings, inspections
from data.programme.cycle import cycle
from data.programme.rights import acts, seen
from data.programme.tables import AgendaItem, Certificate, CouncilSession, Dossier, Inspection, Participation
from data.traceability import problems

SOON_DAYS = 7

#: Which statuses wait for whom.
TURNS: dict[Role, frozenset[str]] = {
    Role.PRODUCER: frozenset(
        {"idea", "plan", "carrying_out", "preparing", "returned_by_commune", "returned_by_province"}
    ),
    Role.COMMUNE_OFFICER: frozenset({"informed", "idea", "plan", "at_commune"}),
    Role.PROVINCE_OFFICER: frozenset(
        {
            "proposed",
            "received",
            "advisory",
            "awaiting_council",
            "scored",
            "to_ministry",
            "returned_by_ministry",
        }
    ),
}


@dataclass(frozen=True)
class Task:
    """One thing to do: on what, by when, and where."""

    kind: Literal["participation", "ballot", "certificate", "inspection", "finding", "problem"]
    row_id: int
    title: str
    status: str
    due_on: dt.date | None
    today: dt.date

    @property
    def urgency(self) -> Literal["late", "soon", "open"]:
        """Tell whether it is late, due within days, or just open."""
        if self.due_on is None:
            return "open"
        if self.due_on < self.today:
            return "late"
        return "soon" if (self.due_on - self.today).days <= SOON_DAYS else "open"


def tasks(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    """List what waits for the actor: late things first, then by the day they are due."""
    found = [*_participations(session, actor, today), *_ballots(session, actor, today)]
    if actor.role in EDITORS_OF_ALL or actor.role == Role.PRODUCER:
        found += _certificates(session, actor, today)
    found += [*_inspections(session, actor, today), *_findings(session, actor, today)]
    found += _problems(session, actor, today)
    far = dt.date.max
    return sorted(found, key=lambda t: (t.due_on or far, t.kind, t.row_id))


def _participations(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    role = Role.PROVINCE_OFFICER if actor.role in EDITORS_OF_ALL else actor.role
    statuses = TURNS.get(role)
    if not statuses:
        return []
    query = (
        sa.select(Participation)
        .join(Product, Product.id == Participation.product_id)
        .where(acts(actor, Participation), Participation.status.in_(statuses))
    )
    return [
        Task(
            "participation",
            row.id,
            row.product.name,
            cycle().statuses[row.status].status,
            row.due_on or _planned(row),
            today,
        )
        for row in session.scalars(query)
    ]


def _planned(row: Participation) -> dt.date | None:
    return next((s.planned_to for s in row.steps if s.planned_to and s.actual_to is None), None)


def _ballots(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    if actor.role != Role.COUNCIL_MEMBER:
        return []
    query = (
        sa.select(AgendaItem)
        .join(CouncilSession, CouncilSession.id == AgendaItem.session_id)
        .join(Dossier, Dossier.id == AgendaItem.dossier_id)
        .where(CouncilSession.state == "open", AgendaItem.state == "open", seen(actor, Dossier))
    )
    return [
        Task("ballot", item.id, item.dossier.product.name, "open", item.session.starts_at.date(), today)
        for item in session.scalars(query)
        if any(m.account_id == actor.account_id for m in ballots.awaited(session, item))
    ]


def _certificates(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    horizon = today + dt.timedelta(days=180)
    query = (
        sa.select(Certificate)
        .join(Product, Product.id == Certificate.product_id)
        .where(Certificate.expires_on <= horizon, Certificate.expires_on >= today, acts(actor, Product))
    )
    watched = (certificates.CertificateState.EXPIRING, certificates.CertificateState.LATE)
    return [
        Task("certificate", row.id, row.product.name, state, row.expires_on, today)
        for row in session.scalars(query)
        if (state := certificates.state_of(row, today)) in watched
    ]


def _inspections(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    """Visits that the actor was given, and those that nobody was given yet."""
    if not inspections.inspects(actor):
        return []
    mine = sa.or_(Inspection.inspector_id == actor.account_id, Inspection.inspector_id.is_(None))
    query = sa.select(Inspection).where(Inspection.state.in_(("reported", *inspections.OPEN)), mine)
    return [
        Task("inspection", row.id, _visited(row), row.state, row.planned_on, today)
        for row in session.scalars(query)
    ]


def _findings(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    """What a producer must put right, and what an inspector must see to have been put right."""
    if actor.role == Role.PRODUCER:
        rows = [f for f in findings.unsettled(session, actor) if f.done_on is None]
    elif inspections.inspects(actor):
        rows = [
            f
            for f in findings.unsettled(session, actor)
            if f.done_on is not None and f.inspection.inspector_id in (None, actor.account_id)
        ]
    else:
        return []
    return [
        Task(
            "finding",
            row.inspection_id,
            _visited(row.inspection),
            "to_answer" if row.done_on is None else "to_verify",
            row.due_on,
            today,
        )
        for row in rows
    ]


def _problems(session: Session, actor: Actor, today: dt.date) -> list[Task]:
    """What buyers reported in the actor's territory and nobody has answered."""
    return [
        Task(
            "problem",
            row.id,
            f"{row.number}: {codes.label('problem_kind', row.kind)}",
            row.state,
            problems.due_on(row),
            today,
        )
        for row in problems.waiting(session, actor)
    ]


def _visited(row: Inspection) -> str:
    named = row.product or row.producer
    return named.name if named is not None else ""
