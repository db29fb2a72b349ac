"""A product's way through the cycle of a year: registered, planned, moved from status to status, late or in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import Actor
from data.admin_units import Commune, District
from data.base import now
from data.products import Product
from data.programme.cycle import TransitionRefused, cycle
from data.programme.rights import row_acted_on, seen
from data.programme.tables import CycleStep, Participation, Round, StatusChange
from gis.errors import Refusal

SOURCE = "programme"


class Outdated(Refusal):
    """Somebody else changed the row since it was read."""


class ParticipationError(Refusal):
    """A product cannot take part like this."""


@dataclass(frozen=True)
class Late:
    """Something that should have been done: which step, since when, and whose turn it is."""

    participation: Participation
    what: str
    due_on: dt.date
    roles: frozenset[str]


def register(
    session: Session,
    actor: Actor,
    product_id: int,
    year: int,
    *,
    idea: str | None = None,
    status: str = "idea",
) -> Participation:
    """Let a product take part in a year's cycle. Raises ParticipationError, NotYours or TransitionRefused."""
    product = session.get(Product, product_id)
    if product is None:
        raise ParticipationError("Không có sản phẩm số %(id)s.", id=product_id)
    if session.scalar(
        sa.select(Participation.id).where(Participation.product_id == product_id, Participation.year == year)
    ):
        raise ParticipationError(
            "Sản phẩm “%(name)s” đã có trong chu trình năm %(year)s.", name=product.name, year=year
        )
    cycle().move(None, status, actor, reason=None, by="person")
    row = Participation(
        product_id=product_id,
        producer_id=product.producer_id,
        commune_id=product.commune_id,
        year=year,
        status=status,
        idea=idea,
        owner_id=actor.account_id,
        steps=[CycleStep(step=s.number) for s in cycle().steps],
    )
    session.add(row)
    session.flush()
    row_acted_on(session, actor, Participation, row.id)
    _enter(row, None, status, actor, None)
    session.flush()
    audit.write(session, actor, SOURCE, "participations", row.id, "insert", after=audit.snapshot(row))
    return row


def move(
    session: Session,
    actor: Actor,
    participation_id: int,
    to: str,
    *,
    reason: str | None = None,
    version: int | None = None,
    by: str = "person",
) -> Participation:
    """Move a product to another status, leaving the trail. Raises NotYours, Outdated or TransitionRefused.

    `by` is "system" where the move follows from an act, such as a submission, that has its own checks.
    """
    row = row_acted_on(session, actor, Participation, participation_id)
    check_version(row, version)
    before = audit.snapshot(row)
    transition = cycle().move(row.status, to, actor, reason=reason, by=by)
    if by == "person" and transition.by == "system":
        raise TransitionRefused("“%(action)s” được ghi khi việc đó được làm.", action=transition.title["vi"])
    _enter(row, row.status, to, actor, reason)
    touch(session, actor, row, before, reason=reason)
    return row


def plan(
    session: Session,
    actor: Actor,
    participation_id: int,
    step: int,
    *,
    planned_from: dt.date | None,
    planned_to: dt.date | None,
    responsible: str | None = None,
    note: str | None = None,
    documents: Sequence[object] | None = None,
    version: int | None = None,
) -> Participation:
    """Set when a step is planned and who sees to it. Raises NotYours, Outdated or ParticipationError."""
    row = row_acted_on(session, actor, Participation, participation_id)
    check_version(row, version)
    if planned_from and planned_to and planned_to < planned_from:
        raise ParticipationError("Ngày kết thúc dự kiến phải sau ngày bắt đầu.")
    found = next((s for s in row.steps if s.step == step), None)
    if found is None:
        raise ParticipationError("Chu trình không có bước %(step)s.", step=step)
    before = audit.snapshot(found)
    found.planned_from, found.planned_to = planned_from, planned_to
    found.responsible, found.note = responsible, note
    if documents is not None:
        found.documents = list(documents)
    row.version += 1
    session.flush()
    old, new = audit.difference(before, audit.snapshot(found))
    if new:
        audit.write(session, actor, SOURCE, "cycle_steps", found.id, "update", before=old, after=new)
    return row


def overdue(session: Session, actor: Actor, today: dt.date, *, year: int | None = None) -> list[Late]:
    """List what is late among the rows that the actor sees, the oldest first, with the roles whose turn it is."""
    query = sa.select(Participation).where(seen(actor, Participation))
    if year is not None:
        query = query.where(Participation.year == year)
    found: list[Late] = []
    for row in session.scalars(query):
        status = cycle().statuses[row.status]
        if status.kind != "open":
            continue
        turn = frozenset().union(*(t.roles for t in cycle().next_of(row.status)))
        if row.due_on is not None and row.due_on < today:
            found.append(Late(row, status.title["vi"], row.due_on, turn))
            continue
        for step in row.steps:
            if step.planned_to is not None and step.planned_to < today and step.actual_to is None:
                title = cycle().steps[step.step - 1].title["vi"]
                found.append(Late(row, title, step.planned_to, turn))
                break
    return sorted(found, key=lambda late: (late.due_on, late.participation.id))


def is_late(day: dt.date) -> sa.ColumnElement[bool]:
    """Say in SQL which participations `overdue` lists on a day."""
    statuses = [s.status for s in cycle().statuses.values() if s.kind == "open"]
    behind = sa.select(CycleStep.id).where(
        CycleStep.participation_id == Participation.id,
        CycleStep.planned_to < day,
        CycleStep.actual_to.is_(None),
    )
    return sa.and_(Participation.status.in_(statuses), sa.or_(Participation.due_on < day, behind.exists()))


def of_product(session: Session, actor: Actor, product_id: int) -> list[Participation]:
    """List the years of a product in the cycle that the actor sees, newest first."""
    query = sa.select(Participation).where(Participation.product_id == product_id, seen(actor, Participation))
    return list(session.scalars(query.order_by(Participation.year.desc())))


def board(
    session: Session,
    actor: Actor,
    *,
    year: int | None = None,
    round_id: int | None = None,
    commune_id: int | None = None,
    district_id: int | None = None,
) -> dict[str, list[Participation]]:
    """Group the rows that the actor sees by status, in the order of the cycle."""
    query = sa.select(Participation).where(seen(actor, Participation))
    if year is not None:
        query = query.where(Participation.year == year)
    if round_id is not None:
        query = query.where(Participation.round_id == round_id)
    if commune_id is not None:
        query = query.where(Participation.commune_id == commune_id)
    if district_id is not None:
        inside = sa.select(Commune.id).where(Commune.district_id == district_id)
        query = query.where(Participation.commune_id.in_(inside))
    columns: dict[str, list[Participation]] = {status: [] for status in cycle().statuses}
    for row in session.scalars(query.order_by(Participation.since, Participation.id)):
        columns[row.status].append(row)
    return columns


def places(session: Session, actor: Actor, *, year: int) -> tuple[list[District], list[Commune]]:
    """List the districts and communes in which products of a year are that the actor sees."""
    here = sa.select(Participation.commune_id).where(seen(actor, Participation), Participation.year == year)
    communes = list(session.scalars(sa.select(Commune).where(Commune.id.in_(here)).order_by(Commune.name)))
    districts = {c.district_id: c.district for c in communes if c.district is not None}
    return sorted(districts.values(), key=lambda d: d.name), communes


def counts_by_commune(session: Session, actor: Actor, *, year: int) -> dict[int | None, dict[str, int]]:
    """Count products by commune and status among the rows that the actor sees."""
    query = (
        sa.select(Participation.commune_id, Participation.status, sa.func.count())
        .where(seen(actor, Participation), Participation.year == year)
        .group_by(Participation.commune_id, Participation.status)
    )
    found: dict[int | None, dict[str, int]] = {}
    for commune_id, status, number in session.execute(query):
        found.setdefault(commune_id, {})[status] = number
    return found


def open_rounds(session: Session, day: dt.date, level: str = "province") -> list[Round]:
    """List the rounds that still receive dossiers on a day, the nearest first."""
    query = sa.select(Round).where(Round.level == level, Round.state == "open", Round.receive_before >= day)
    return list(session.scalars(query.order_by(Round.receive_before)))


def check_version(row: Any, version: int | None) -> None:
    """Refuse a change that was made from an older state. Raises Outdated."""
    if version is not None and version != row.version:
        raise Outdated(
            "Hồ sơ đã được người khác sửa trong lúc bạn xem; chưa có gì bị ghi đè. Hãy tải lại rồi làm tiếp."
        )


def touch(
    session: Session, actor: Actor, row: Any, before: dict[str, Any], *, reason: str | None = None
) -> None:
    """Raise a row's version and leave the audit row of what changed."""
    row.version += 1
    session.flush()
    old, new = audit.difference(before, audit.snapshot(row))
    audit.write(
        session, actor, SOURCE, row.__tablename__, row.id, "update", before=old, after=new, reason=reason
    )


def _enter(row: Participation, start: str | None, to: str, actor: Actor, reason: str | None) -> None:
    """Write the trail and the actual dates of the steps that begin and end."""
    moment = now()
    status = cycle().statuses[to]
    row.status, row.since = to, moment
    row.due_on = row.round.decide_before if row.round is not None and status.kind == "open" else None
    row.changes.append(
        StatusChange(
            from_status=start,
            to_status=to,
            at=moment,
            actor=actor.name,
            account_id=actor.account_id,
            reason=reason,
        )
    )
    if status.kind == "ended":
        return
    for step in row.steps:
        if step.step < status.step and step.actual_from is not None and step.actual_to is None:
            step.actual_to = moment.date()
        if step.step == status.step:
            step.actual_from = step.actual_from or moment.date()
            step.actual_to = None
