"""What is left of things: made and returned, less what was sent, used, kept as samples and destroyed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability.items import chunks
from data.traceability.lots import Lot
from data.traceability.measures import BASES, amount, in_uom, uom_of
from data.traceability.measures import Amount as Measured
from data.traceability.tables import TraceEdge, TraceEvent, TraceEventItem, TraceItem

MADE, RETURNED, SENT, USED, SAMPLED, DESTROYED = "made", "returned", "sent", "used", "sampled", "destroyed"
OUTPUT, SOLD = "output", "sold"
COMES = (MADE, RETURNED)
#: A difference below this share of what was made is rounding.
SLACK = 1e-6


@dataclass(frozen=True)
class Stock:
    """What is left of a thing in a unit (UN/ECE code; `unit` is what the lot's people call a piece), and by what."""

    item: int
    left: float | None
    uom: str | None
    unit: str | None = None
    name: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_left(self) -> bool:
        """Tell whether something is there, or nobody knows."""
        return self.left is None or self.left > SLACK * max(self.parts.get(MADE, 1.0), 1.0)


def stock_of(session: Session, ids: Collection[int]) -> dict[int, Stock]:
    """Return what is left of N things, by their rows. What was made is the larger of what two kinds of events tell."""
    sums: dict[int, dict[tuple[str, str], float]] = {key: defaultdict(float) for key in ids}
    for item_id, part, value in _moves(session, ids):
        sums[item_id][part, value.dimension] += value.value
    for item_id, value in _in_cartons_sent(session, ids):
        sums[item_id][SENT, value.dimension] += value.value
    lots = _lots(session, ids)
    return {key: _stock(key, own, lots.get(key)) for key, own in sums.items()}


def _stock(item: int, sums: Mapping[tuple[str, str], float], lot: Any) -> Stock:
    unit = None if lot is None else lot.unit
    outputs = {d: v for (part, d), v in sums.items() if part == OUTPUT}
    made = {d: v for (part, d), v in sums.items() if part == MADE}
    for dimension, value in outputs.items():
        made[dimension] = max(made.get(dimension, 0.0), value)
    if not made and lot is not None and lot.quantity is not None:
        told = amount(lot.quantity, uom_of(lot.unit))
        made = {} if told is None else {told.dimension: told.value}
    if not made:
        return Stock(item, None, None, unit)
    dimension = max(made, key=lambda d: made[d])
    uom = uom_of(unit) if unit else BASES[dimension]
    parts = {MADE: made[dimension]}
    for name in (RETURNED, SENT, USED, SAMPLED, DESTROYED):
        value = sums.get((name, dimension), 0.0)
        if name == SENT and not value:
            # A shop sells what was sent to it, so what is sold counts only where nothing was sent.
            value = sums.get((SOLD, dimension), 0.0)
        if value:
            parts[name] = value
    left = sum(v if name in COMES else -v for name, v in parts.items())
    scaled = in_uom(Measured(left, dimension), uom)
    if scaled is None:
        return Stock(item, left, BASES[dimension], unit, parts=parts)
    factor = 1.0 if not left else scaled / left
    return Stock(item, scaled, uom, unit, parts={name: v * factor for name, v in parts.items()})


def _moves(session: Session, ids: Collection[int]) -> list[tuple[int, str, Measured]]:
    columns = (
        TraceEventItem.item_id, TraceEventItem.role, TraceEventItem.quantity, TraceEventItem.uom,
        TraceEvent.type, TraceEvent.action, TraceEvent.biz_step, TraceEvent.disposition,
    )  # fmt: skip
    query = (
        sa.select(*columns)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceEvent.declared_wrong_at.is_(None), TraceEvent.is_declaration.is_(False))
        .where(TraceEventItem.quantity.is_not(None))
    )
    found = []
    for part in chunks(ids):
        for row in session.execute(query.where(TraceEventItem.item_id.in_(part))):
            value = amount(row.quantity, row.uom)
            name = _part_of(row)
            if value is not None and name is not None:
                found.append((row.item_id, name, value))
    return found


def _part_of(row: Any) -> str | None:
    """What an event does to the stock of a thing in it; None where it only looks at it."""
    if row.role == "input":
        return USED
    if row.role == "output":
        return OUTPUT
    if row.role != "epc" or row.type != "ObjectEvent":
        return None
    if row.action == "ADD":
        return MADE
    if row.action == "DELETE":
        return DESTROYED
    if row.biz_step == "receiving" and row.disposition == "returned":
        return RETURNED
    return {"shipping": SENT, "retail_selling": SOLD, "sampling": SAMPLED}.get(row.biz_step or "")


def _in_cartons_sent(session: Session, ids: Collection[int]) -> list[tuple[int, Measured]]:
    """How much of each thing left in cartons that were sent."""
    sent = (
        sa.select(TraceEventItem.item_id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceEvent.biz_step == "shipping", TraceEvent.declared_wrong_at.is_(None))
        .where(TraceEvent.is_declaration.is_(False))
    )
    query = sa.select(TraceEdge.source_id, TraceEdge.quantity_in, TraceEdge.uom_in).where(
        TraceEdge.kind == "packed", TraceEdge.target_id.in_(sent)
    )
    found = []
    for part in chunks(ids):
        for item_id, quantity, uom in session.execute(query.where(TraceEdge.source_id.in_(part))):
            value = amount(quantity, uom)
            if value is not None:
                found.append((item_id, value))
    return found


def _lots(session: Session, ids: Collection[int]) -> dict[int, Any]:
    query = sa.select(TraceItem.id, Lot.quantity, Lot.unit).join(Lot, Lot.id == TraceItem.lot_id)
    query = query.where(TraceItem.kind == "lot")
    return {
        row.id: row for part in chunks(ids) for row in session.execute(query.where(TraceItem.id.in_(part)))
    }
