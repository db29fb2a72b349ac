"""The trace graph: from any thing back to all that it was made of, and forward to all that was made of it.

The database finds what can be reached (recursively, with UNION, so that circles end, and with a bound); `flow`
keeps of it what fits in time; `joining` draws runs as the inputs and outputs that they join. Events that were
declared wrong have no edges, and an event that was sent several times under several ids counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.traceability import flow, joining, nodes
from data.traceability.flow import Flow, Network
from data.traceability.identifiers import canonical
from data.traceability.items import ITEM_COLUMNS, RUN, Item, chunks, items_named, lot_name_of
from data.traceability.joining import NO_QUANTITY, Edge
from data.traceability.shares import Share
from data.traceability.tables import TraceEdge, TraceEvent, TraceItem
from gis.errors import Refusal

BACK, FORWARD, BOTH = "back", "forward", "both"
DEPTH = 200
MOST_NODES = 5_000
#: How many edges are looked at for each node that may be shown.
EDGES_PER_NODE = 4

_WAYS = {BACK: (False,), "backward": (False,), FORWARD: (True,), BOTH: (False, True)}
_EDGE_COLUMNS = tuple(TraceEdge.__table__.c[name] for name in flow.Edge._fields)


class Unknown(Refusal):
    """There is no such thing in the record, or nothing that the actor may know of it."""


@dataclass(frozen=True)
class Node:
    """A thing in a trace. Of one that is not open to the actor, everything but kind and place in the graph is None.

    `direction` is start, back, forward or both; `depth` counts steps from the start. `share` (0 to 1, only of things
    back from the start) is how much of the start came from it, by quantity or else in equal parts. `quantity` is how
    much was made of it, or where that is not told, how much of it went in. `lon`, `lat` in degrees.
    """

    id: int
    kind: str
    direction: str
    depth: int
    is_open: bool
    uri: str | None = None
    state: str | None = None
    name: str | None = None
    lot_id: int | None = None
    lot_number: str | None = None
    product_id: int | None = None
    product: str | None = None
    producer_id: int | None = None
    producer: str | None = None
    area_id: int | None = None
    lon: float | None = None
    lat: float | None = None
    quantity: float | None = None
    uom: str | None = None
    share: float | None = None
    share_by_quantity: bool | None = None


@dataclass(frozen=True)
class Trace:
    """A trace: the start's id, nodes from near to far, edges; `truncated` says that there is more than is shown."""

    start: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    truncated: bool


@dataclass(frozen=True)
class _Found:
    """What one direction led to, with the items of all its edges; `cut` where the database was stopped."""

    flow: Flow
    items: Mapping[int, Item]
    cut: bool


def trace(
    session: Session,
    actor: Actor,
    uri: str,
    *,
    direction: str = BOTH,
    depth: int = DEPTH,
    most_nodes: int = MOST_NODES,
) -> Trace:
    """Trace a thing by its name in any notation: `direction` back, forward or both, `depth` in steps.

    At most `most_nodes` things are shown each way, the nearest first. A jar that no event names is traced as its
    lot. Raises Unknown for what is not in the record or not open to the actor.
    """
    if direction not in _WAYS:
        raise Unknown("Chiều truy xuất phải là back, forward hoặc both.")
    start = _start(session, uri)
    found = {way: _follow(session, start.id, depth, most_nodes, forward=way) for way in _WAYS[direction]}
    items = {start.id: Item(*(getattr(start, column.name) for column in ITEM_COLUMNS))}
    for one in found.values():
        items |= {key: one.items[key] for key in one.flow.depths if key != start.id}
    things = {key: item for key, item in items.items() if item.kind != RUN}
    behind = found[False].flow.depths if False in found else {}
    known = nodes.open_items(session, actor, things.values(), {start.id, *behind})
    if start.id not in known:
        raise _unknown(uri)
    parts, edges = _edges(start.id, found, items, known)
    shown = _nodes(session, start.id, found, things, known, parts)
    truncated = any(one.flow.truncated or one.cut for one in found.values())
    return Trace(start.id, tuple(shown), tuple(edges), truncated)


def _unknown(uri: str) -> Unknown:
    return Unknown("Không có %(uri)s trong hồ sơ truy xuất.", uri=uri)


def _start(session: Session, uri: str) -> TraceItem:
    lot = lot_name_of(canonical(uri))
    known = items_named(session, [uri] if lot is None else [uri, lot])
    item = known.get(uri) or known.get(lot or uri)
    if item is None or item.kind == RUN:
        raise _unknown(uri)
    return item


# ---- what can be reached


def _follow(session: Session, start: int, depth: int, most_nodes: int, *, forward: bool) -> _Found:
    """Follow the edges from an item in one direction."""
    edges, cut = _reachable(session, start, most_nodes * EDGES_PER_NODE, forward=forward)
    items = _items(session, {e.target_id for e in edges} | {e.source_id for e in edges})
    network = Network(_once(session, edges))
    if forward:
        network.add_ways_in(_ways_in(session, network.doubtful()))
    runs = {key for key, item in items.items() if item.kind == RUN}
    one = flow.follow(network, start, forward=forward, runs=runs, depth=depth, most_items=most_nodes)
    return _Found(one, items, cut)


def _reachable(session: Session, start: int, most: int, *, forward: bool) -> tuple[list[flow.Edge], bool]:
    """Return the edges that lead from (or to) all that can be reached, the nearest first, at most `most`."""
    edge = TraceEdge.__table__.c
    near, far = (edge.source_id, edge.target_id) if forward else (edge.target_id, edge.source_id)
    reached = sa.select(sa.literal(start, sa.Integer).label("id")).cte("reached", recursive=True)
    reached = reached.union(sa.select(far).where(near == reached.c.id))
    within = sa.select(reached.c.id).limit(most).subquery()
    query = sa.select(*_EDGE_COLUMNS).where(near == within.c.id).limit(most + 1)
    rows = [flow.Edge._make(row) for row in session.execute(query)]
    return rows[:most], len(rows) > most


def _once(session: Session, edges: Sequence[flow.Edge]) -> list[flow.Edge]:
    """Leave out edges of events that say the same as an earlier event between the same two things."""
    between: dict[tuple[int, int, str], list[flow.Edge]] = defaultdict(list)
    for edge in edges:
        between[edge.source_id, edge.target_id, edge.kind].append(edge)
    several = {e.event_id for group in between.values() if len(group) > 1 for e in group}
    if not several:
        return list(edges)
    row = TraceEvent.__table__.c
    hashes = {
        key: digest
        for part in chunks(several)
        for key, digest in session.execute(sa.select(row.id, row.hash).where(row.id.in_(part)))
    }
    kept: list[flow.Edge] = []
    for group in between.values():
        first: dict[str | int, flow.Edge] = {}
        for edge in sorted(group, key=lambda e: e.id):
            first.setdefault(hashes.get(edge.event_id, edge.id), edge)
        kept += first.values()
    return kept


def _ways_in(session: Session, items: Collection[int]) -> list[flow.Edge]:
    target = TraceEdge.__table__.c.target_id
    return [
        flow.Edge._make(row)
        for part in chunks(items)
        for row in session.execute(sa.select(*_EDGE_COLUMNS).where(target.in_(part)))
    ]


def _items(session: Session, ids: Collection[int]) -> dict[int, Item]:
    column = TraceItem.__table__.c.id
    return {
        row[0]: Item(*row)
        for part in chunks(ids)
        for row in session.execute(sa.select(*ITEM_COLUMNS).where(column.in_(part)))
    }


# ---- what is shown


def _edges(
    start: int, found: Mapping[bool, _Found], items: Mapping[int, Item], known: Collection[int]
) -> tuple[dict[int, Share], list[Edge]]:
    """Return the share of every item in the start, and the edges; how much is told only between open things."""
    runs = {key for key, item in items.items() if item.kind == RUN}
    parts: dict[int, Share] = {}
    edges: list[Edge] = []
    if False in found:
        behind = list(joining.drawn(found[False].flow, runs))
        parts, edges = joining.with_shares(start, behind, found[False].flow.depths)
    if True in found:
        edges += [edge for edge, _ in joining.drawn(found[True].flow, runs)]
    return parts, [e if e.source in known and e.target in known else e.without_quantities() for e in edges]


def _nodes(
    session: Session,
    start: int,
    found: Mapping[bool, _Found],
    things: Mapping[int, Item],
    known: Collection[int],
    parts: Mapping[int, Share],
) -> list[Node]:
    said = nodes.describe(session, [item for key, item in things.items() if key in known])
    amounts = joining.amounts(edge for one in found.values() for edge in one.flow.edges.values())
    shown = []
    for key, item in things.items():
        depths = {way: one.flow.depths[key] for way, one in found.items() if key in one.flow.depths}
        where = BOTH if len(depths) > 1 else FORWARD if True in depths else BACK
        place = (key, item.kind, "start" if key == start else where, min(depths.values(), default=0))
        if key not in known:
            shown.append(Node(*place, is_open=False))
            continue
        quantity, uom = amounts.get(key, NO_QUANTITY)
        share = None if key == start else parts.get(key)
        shown.append(
            Node(
                *place, is_open=True, uri=item.uri, state=item.state,
                lot_id=item.lot_id, product_id=item.product_id, producer_id=item.producer_id,
                quantity=quantity, uom=uom,
                share=share.part if share else None, share_by_quantity=share.by_quantity if share else None,
                **(vars(said[key]) if key in said else {}),
            )
        )  # fmt: skip
    return sorted(shown, key=lambda node: (node.depth, node.direction, node.uri or "", node.id))
