"""The events of a lot, in the order in which they must have happened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.programme.rights import seen
from data.traceability import things
from data.traceability.items import chunks
from data.traceability.tables import TraceEvent, TraceEventItem, TraceItem

#: An event of the run that made the lot which does not name the lot itself: what went in at another hour.
RUN = "run"


@dataclass(frozen=True)
class LotEvent:
    """An event of a lot: its row, and what the lot (or a jar or sample of it) did there, by item and role.

    `role` is run for an event that only belongs to the transformation that made the lot. `is_wrong` says that it was
    declared wrong since, `is_declaration` that it is itself such a declaration.
    """

    row: TraceEvent
    item_id: int
    role: str

    @property
    def is_wrong(self) -> bool:
        """Tell whether the event was declared wrong."""
        return self.row.declared_wrong_at is not None

    @property
    def is_declaration(self) -> bool:
        """Tell whether the event declares another one wrong."""
        return self.row.is_declaration


def events_of_lot(session: Session, actor: Actor, item: TraceItem) -> list[LotEvent]:
    """List the events of a lot and of its jars and samples that the actor sees, those declared wrong among them.

    What made the lot comes first, then the rest by time and order of recording: events are misdated, and a lot that
    was packed, by its dates, before it was made was still made first.
    """
    own = set(_items_of(session, item))
    found: dict[int, LotEvent] = {}
    query = (
        sa.select(TraceEvent, TraceEventItem.item_id, TraceEventItem.role)
        .join(TraceEventItem, TraceEventItem.event_id == TraceEvent.id)
        .where(seen(actor, TraceEvent))
        .order_by(TraceEventItem.id)
    )
    for part in chunks(own):
        for row, item_id, role in session.execute(query.where(TraceEventItem.item_id.in_(part))):
            before = found.get(row.id)
            if before is None or (role == things.OUTPUT and before.role != things.OUTPUT):
                found[row.id] = LotEvent(row, item_id, role)
    for row in _of_runs(session, actor, found.values()):
        found.setdefault(row.id, LotEvent(row, item.id, RUN))
    return sorted(found.values(), key=_order)


def _items_of(session: Session, item: TraceItem) -> Collection[int]:
    """Return the items that are a lot: itself, its jars and samples."""
    if item.kind != "lot":
        return [item.id]
    # Names of jars begin with the name of their lot; "0" is the character after "/", ";" the one after ":".
    inside = [
        sa.and_(TraceItem.uri >= f"{item.uri}{mark}", TraceItem.uri < f"{item.uri}{end}")
        for mark, end in (("/21/", "/210"), (":", ";"))
    ]
    same = [TraceItem.lot_id == item.lot_id] if item.lot_id is not None else []
    return [item.id, *session.scalars(sa.select(TraceItem.id).where(sa.or_(*inside, *same)))]


def _of_runs(session: Session, actor: Actor, found: Collection[LotEvent]) -> Collection[TraceEvent]:
    runs = {
        one.row.transformation_id for one in found if one.role == things.OUTPUT and one.row.transformation_id
    }
    return [
        row
        for part in chunks(runs)
        for row in session.scalars(
            sa.select(TraceEvent).where(TraceEvent.transformation_id.in_(part), seen(actor, TraceEvent))
        )
    ]


def _order(one: LotEvent) -> tuple[bool, object, int]:
    making = one.role in (things.OUTPUT, RUN) or (one.role == things.EPC and one.row.action == "ADD")
    return not making, one.row.event_time, one.row.id
