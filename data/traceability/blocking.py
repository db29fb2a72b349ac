"""What held and recalled things may not be used for: nothing is made of them, packed from them or sent out.

They can still be tested, sampled, returned, released and destroyed. What lies in a carton counts with the carton,
and a jar with its lot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import edges, things
from data.traceability.items import chunks
from data.traceability.tables import FREE, TraceEdge, TraceItem
from data.traceability.things import Thing

#: Steps (CBV 2.0) in which a thing is used up, packed, or leaves.
USING_STEPS = frozenset(
    {
        "assembling",
        "consigning",
        "departing",
        "dispensing",
        "loading",
        "packing",
        "repackaging",
        "retail_selling",
        "shipping",
        "transporting",
    }
)
#: What goes out like this goes back or to its end, not to a buyer.
LEAVING_TRADE = frozenset({"destroyed", "disposed", "recalled", "returned"})


def used(event: Mapping[str, Any], named: Sequence[Thing]) -> list[str]:
    """List the names of the things that an event uses up, packs or sends out."""
    kind, action = event.get("type"), event.get("action")
    if kind == "TransformationEvent":
        roles = {things.INPUT}
    elif kind in ("AggregationEvent", "AssociationEvent") and action == "ADD":
        roles = {things.CHILD}
    elif action == "DELETE" or event.get("disposition") in LEAVING_TRADE:
        return []
    elif event.get("bizStep") in USING_STEPS:
        roles = {things.EPC, things.CHILD, things.PARENT}
    else:
        return []
    return [thing.uri for thing in named if thing.role in roles]


def stopped(session: Session, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return which of some items are held or recalled, or hold something that is: its name and state, by item id."""
    item, edge = TraceItem.__table__.c, TraceEdge.__table__.c
    found: dict[int, tuple[str, str]] = {}
    for part in chunks(ids):
        inside = sa.select(item.id.label("root"), item.id.label("id")).where(item.id.in_(part))
        tree = inside.cte("inside", recursive=True)
        lying = sa.or_(sa.and_(edge.kind == edges.PACKED, edge.ends_at.is_(None)), edge.kind == edges.PART)
        deeper = sa.select(tree.c.root, edge.source_id).where(edge.target_id == tree.c.id, lying)
        tree = tree.union(deeper)
        query = sa.select(tree.c.root, item.uri, item.state).where(item.id == tree.c.id, item.state != FREE)
        for root, uri, state in session.execute(query.order_by(item.id)):
            found.setdefault(root, (uri, state))
    return found
