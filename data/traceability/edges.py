"""Edges of the trace graph, drawn from events: what was made of what, packed into what, and sampled from what.

Inputs and outputs that are logged at different hours under one `transformationID` meet in a run, an item of its own:
input → run → output. Which input went into which output is decided by time when the graph is read (see `flow`), so
that an event that comes later, or is declared wrong, changes nothing but its own edges. An event that joins many
inputs with many outputs gets a run as well, which keeps a hundred by a hundred at two hundred edges.

Packing is an interval: from the ADD to the DELETE that takes the thing, or everything, out again. A jar or sample
is part of its lot. Observations never make an edge, except that a sample is drawn from a lot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import things
from data.traceability.items import chunks, lot_name_of, run_uri
from data.traceability.tables import TraceEdge, TraceEvent, TraceEventItem
from data.traceability.things import Thing

MADE, PACKED, SAMPLE, PART = "made", "packed", "sample", "part"
#: From how many pairs of input and output on an event is drawn through a run.
MANY_PAIRS = 64


@dataclass(frozen=True)
class Link:
    """An edge between two names, with how much went in at the source and came out at the target."""

    source: str
    target: str
    kind: str
    quantity_in: float | None = None
    uom_in: str | None = None
    quantity_out: float | None = None
    uom_out: str | None = None


def run_of(event: Mapping[str, Any], named: Sequence[Thing], event_id: str) -> str | None:
    """Return the name by which an event's inputs and outputs meet, None where they meet directly."""
    if event.get("type") != "TransformationEvent":
        return None
    run = event.get("transformationID")
    if isinstance(run, str):
        return run
    inputs = sum(thing.role == things.INPUT for thing in named)
    outputs = sum(thing.role == things.OUTPUT for thing in named)
    return event_id if inputs * outputs > MANY_PAIRS else None


def links_of(event: Mapping[str, Any], named: Sequence[Thing], run: str | None) -> list[Link]:
    """List the edges that an event draws between the things that it names."""
    kind, action = event.get("type"), event.get("action")
    if kind == "TransformationEvent":
        return _transformed(merged(named, things.INPUT), merged(named, things.OUTPUT), run)
    if kind == "AggregationEvent" and action == "ADD":
        parents = merged(named, things.PARENT)
        children = merged(named, things.CHILD)
        return [
            Link(c.uri, p.uri, PACKED, c.quantity, c.uom) for p in parents for c in children if c.uri != p.uri
        ]
    if kind == "ObjectEvent" and action != "DELETE":
        return _sampled(event, named)
    return []


def _transformed(inputs: Sequence[Thing], outputs: Sequence[Thing], run: str | None) -> list[Link]:
    outputs = _with_lots(outputs)
    if run is None:
        return [
            Link(i.uri, o.uri, MADE, i.quantity, i.uom, o.quantity, o.uom)
            for i in inputs for o in outputs if i.uri != o.uri
        ]  # fmt: skip
    middle = run_uri(run)
    into = [Link(i.uri, middle, MADE, i.quantity, i.uom) for i in inputs]
    return into + [Link(middle, o.uri, MADE, None, None, o.quantity, o.uom) for o in outputs]


def _with_lots(outputs: Sequence[Thing]) -> list[Thing]:
    """Add the lots whose jars came out, since what is known of a jar's making is known of its lot."""
    there = {thing.uri for thing in outputs}
    lots = {name: None for thing in outputs if (name := lot_name_of(thing.uri)) and name not in there}
    return [*outputs, *(Thing(name, things.OUTPUT) for name in lots)]


def _sampled(event: Mapping[str, Any], named: Sequence[Thing]) -> list[Link]:
    if event.get("bizStep") != "sampling" and "ocop:sample" not in event:
        return []
    epcs = {uri for uri in event.get("epcList") or () if isinstance(uri, str)}
    samples = [t for t in named if t.role == things.EPC and lot_name_of(t.uri)] if epcs else []
    lots = {t.uri: t for t in named if t.role == things.EPC}
    found = []
    for sample in samples:
        lot = lot_name_of(sample.uri)
        if lot is not None:
            taken = lots.get(lot)
            found.append(Link(lot, sample.uri, SAMPLE, *((taken.quantity, taken.uom) if taken else ())))
    return found


def merged(named: Iterable[Thing], role: str) -> list[Thing]:
    """Return the things of a role, each once, with its quantities added up where the unit is the same."""
    found: dict[str, Thing] = {}
    for thing in named:
        if thing.role != role:
            continue
        before = found.get(thing.uri)
        if before is None:
            found[thing.uri] = thing
        elif before.quantity is not None and thing.quantity is not None and before.uom == thing.uom:
            found[thing.uri] = Thing(thing.uri, role, before.quantity + thing.quantity, thing.uom)
    return list(found.values())


# ---- in the record


@dataclass(frozen=True)
class Removal:
    """A taking-out of a parent: when, by which event row, and which things (None: all; a quantity: that much)."""

    at: dt.datetime
    event_id: int
    children: Mapping[int, float | None] | None


def settle(session: Session, parents: Collection[int]) -> None:
    """Write anew when the things in some parents (item ids) were taken out again, by all that is known now."""
    removals = _removals(session, parents)
    edge = TraceEdge.__table__.c
    columns = (
        edge.id,
        edge.source_id,
        edge.target_id,
        edge.event_id,
        edge.quantity_in,
        edge.starts_at,
        edge.ends_at,
    )
    changed = []
    for part in chunks(parents):
        query = sa.select(*columns).where(edge.target_id.in_(part), edge.kind == PACKED)
        if not removals:
            query = query.where(edge.ends_at.is_not(None))
        for row in session.execute(query):
            end = end_of(
                row.source_id, row.quantity_in, (row.starts_at, row.event_id), removals.get(row.target_id, ())
            )
            if end != row.ends_at:
                changed.append({"edge": row.id, "end": end})
    if changed:
        statement = sa.update(TraceEdge).where(edge.id == sa.bindparam("edge"))
        session.connection().execute(statement.values(ends_at=sa.bindparam("end")), changed)


def end_of(
    child: int, quantity: float | None, start: tuple[dt.datetime, int], removals: Iterable[Removal]
) -> dt.datetime | None:
    """Return when a thing that was packed at a start was out; what is taken out bit by bit stays till the last."""
    left = quantity
    for removal in sorted(removals, key=lambda r: (r.at, r.event_id)):
        if (removal.at, removal.event_id) <= start:
            continue
        if removal.children is None:
            return removal.at
        if child not in removal.children:
            continue
        taken = removal.children[child]
        if taken is None or left is None:
            return removal.at
        left -= taken
        if left <= 0:
            return removal.at
    return None


def _removals(session: Session, parents: Collection[int]) -> dict[int, list[Removal]]:
    event = TraceEvent.__table__.c
    parent, child = sa.alias(TraceEventItem.__table__), sa.alias(TraceEventItem.__table__)
    found: dict[tuple[int, int], tuple[dt.datetime, dict[int, float | None]]] = {}
    inside = sa.and_(child.c.event_id == event.id, child.c.role == things.CHILD)
    for part in chunks(parents):
        query = (
            sa.select(parent.c.item_id, event.id, event.event_time, child.c.item_id, child.c.quantity)
            .select_from(
                parent.join(TraceEvent.__table__, event.id == parent.c.event_id).outerjoin(child, inside)
            )
            .where(
                parent.c.item_id.in_(part),
                parent.c.role == things.PARENT,
                event.type == "AggregationEvent",
                event.action == "DELETE",
                event.declared_wrong_at.is_(None),
                event.is_declaration.is_(False),
            )
        )
        for parent_id, event_id, at, child_id, quantity in session.execute(query):
            _, children = found.setdefault((parent_id, event_id), (at, {}))
            if child_id is not None:
                children[child_id] = quantity
    removals: dict[int, list[Removal]] = {}
    for (parent_id, event_id), (at, children) in found.items():
        removals.setdefault(parent_id, []).append(Removal(at, event_id, children or None))
    return removals


def withdraw(session: Session, event_ids: Collection[int]) -> None:
    """Take away the edges of events that were declared wrong; that a jar is part of its lot stays true."""
    edge = TraceEdge.__table__.c
    packed: set[int] = set()
    for part in chunks(event_ids):
        of_these = edge.event_id.in_(part)
        session.execute(sa.delete(TraceEdge).where(of_these, edge.kind != PART))
        item = TraceEventItem.__table__.c
        packed |= set(
            session.scalars(
                sa.select(item.item_id).where(item.event_id.in_(part), item.role == things.PARENT)
            )
        )
    if packed:
        settle(session, packed)
