"""Who may hold and recall, which holds and recalls there are, and what they said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EDITORS_OF_ALL, TERRITORIAL, Actor, Role, own_rows
from data.producers import Producer
from data.programme.calendar import deadline
from data.programme.rights import NotYours, seen
from data.traceability.lots import Lot
from data.traceability.tables import RecallAct, TraceEvent, TraceItem

AUTHORITIES = EDITORS_OF_ALL | TERRITORIAL | {Role.INSPECTOR}
HOLD, RELEASE, RECALL = "hold", "release", "recall"


# ---- who


def may_decide(session: Session, actor: Actor, item: TraceItem) -> bool:
    """Tell whether the actor may hold or recall a thing: producers their own, officers in their territory."""
    if actor.role in EDITORS_OF_ALL or actor.role == Role.INSPECTOR:
        return True
    if actor.role == Role.PRODUCER:
        return actor.producer_id is not None and item.producer_id == actor.producer_id
    model: Any = Lot if item.lot_id is not None else Producer
    key = item.lot_id if item.lot_id is not None else item.producer_id
    rule = own_rows(actor, model) if actor.role in TERRITORIAL else None
    if rule is None or key is None:
        return False
    return session.scalar(sa.select(model.id).where(model.id == key, rule)) is not None


def is_authority(actor: Actor) -> bool:
    """Tell whether the actor decides in the name of the authority."""
    return actor.role in AUTHORITIES


# ---- reading


def acts_of_actor(
    session: Session, actor: Actor, *, kind: str | None = None, only_open: bool = False
) -> list[RecallAct]:
    """List the holds and recalls that the actor sees, without those that are part of another, the newest first."""
    query = sa.select(RecallAct).where(seen(actor, RecallAct), RecallAct.part_of_id.is_(None))
    query = query.where(RecallAct.kind == kind if kind else RecallAct.kind.in_((HOLD, RECALL)))
    if only_open:
        query = query.where(RecallAct.closed_at.is_(None))
    return list(session.scalars(query.order_by(RecallAct.decided_at.desc(), RecallAct.id.desc())))


def act_seen(session: Session, actor: Actor, act_id: int) -> RecallAct:
    """Return an act that the actor sees. Raises NotYours."""
    row = session.scalar(sa.select(RecallAct).where(RecallAct.id == act_id, seen(actor, RecallAct)))
    if row is None:
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    return row


def parts_of(session: Session, act: RecallAct) -> list[RecallAct]:
    """List the acts on the other things that an act was spread to."""
    return list(
        session.scalars(sa.select(RecallAct).where(RecallAct.part_of_id == act.id).order_by(RecallAct.id))
    )


def open_acts(session: Session, item_id: int, *kinds: str) -> list[RecallAct]:
    """List the acts on a thing that are not closed, the newest first."""
    query = sa.select(RecallAct).where(RecallAct.item_id == item_id, RecallAct.closed_at.is_(None))
    query = query.where(RecallAct.kind.in_(kinds or (HOLD, RECALL)))
    return list(session.scalars(query.order_by(RecallAct.id.desc())))


def hours_taken(session: Session, act: RecallAct) -> tuple[float, bool] | None:
    """Return the hours from the finding to the decision and whether the law's bound was kept; None if not told."""
    known = said_by(session, act).get("knownAt")
    if not known:
        return None
    hours = (act.decided_at - dt.datetime.fromisoformat(known)).total_seconds() / 3600
    return hours, hours <= deadline("recall_decision", act.decided_at.date()).number


def said_by(session: Session, act: RecallAct) -> dict[str, Any]:
    """What an act said in its event: reason, document, decidedBy, and more by its kind."""
    event = None if act.event_id is None else session.get(TraceEvent, act.event_id)
    document = {} if event is None else event.document
    return dict(document.get(f"ocop:{act.kind}") or {})
