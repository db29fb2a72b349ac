"""Edges between things for people to read: what went into a run and what came out of it put together."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from data.traceability import flow, shares
from data.traceability.edges import MADE, PACKED
from data.traceability.flow import Flow, Network
from data.traceability.items import RUN
from data.traceability.measures import amount, in_uom
from data.traceability.shares import Share, Way

Quantity = tuple[float | None, str | None]
NO_QUANTITY: Quantity = (None, None)


@dataclass(frozen=True)
class Edge:
    """What became of what: `source` and `target` are ids of nodes, `event_id` the row of the event.

    `kind` is made, packed, sample or part. `quantity_in` of the source went in, `quantity_out` of the target came
    out, over all outputs and inputs of the event. `share` is the source's part in the target, in a trace back.
    `out_of_order` says that by its dates the source was used before there was any.
    """

    source: int
    target: int
    kind: str
    event_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    quantity_in: float | None = None
    uom_in: str | None = None
    quantity_out: float | None = None
    uom_out: str | None = None
    share: float | None = None
    share_by_quantity: bool | None = None
    out_of_order: bool = False

    def without_quantities(self) -> Edge:
        """Return the edge for somebody who may not know how much."""
        return replace(
            self, quantity_in=None, uom_in=None, quantity_out=None, uom_out=None, share=None,
            share_by_quantity=None,
        )  # fmt: skip


Drawn = tuple[Edge, Way]


def drawn(one: Flow, runs: Collection[int]) -> Iterator[Drawn]:
    """Give the edges of a flow between things, each with what it says of shares."""
    into: dict[int, list[flow.Edge]] = defaultdict(list)
    out_of: dict[int, list[flow.Edge]] = defaultdict(list)
    for edge in one.edges.values():
        if edge.target_id in runs:
            into[edge.target_id].append(edge)
        elif edge.source_id in runs:
            out_of[edge.source_id].append(edge)
        else:
            yield _direct(edge, edge.id in one.out_of_order)
    for run, incoming in into.items():
        yield from _through(run, incoming, out_of[run], one.out_of_order)


def _direct(edge: flow.Edge, out_of_order: bool) -> Drawn:
    shown = Edge(
        edge.source_id, edge.target_id, edge.kind, edge.event_id, edge.starts_at, edge.ends_at,
        edge.quantity_in, edge.uom_in, edge.quantity_out, edge.uom_out, out_of_order=out_of_order,
    )  # fmt: skip
    return shown, _way(shown, (edge.kind, edge.event_id if edge.kind == MADE else 0))


def _way(edge: Edge, making: tuple[str, int]) -> Way:
    amounts = edge.quantity_in, edge.uom_in, edge.quantity_out, edge.uom_out
    return Way(edge.source, edge.target, making, *amounts)


def _through(
    run: int, incoming: Sequence[flow.Edge], outgoing: Sequence[flow.Edge], out_of_order: set[int]
) -> Iterator[Drawn]:
    """Join what went into a run with what came out of it, each pair of things once."""
    network = Network([*incoming, *outgoing])
    pairs: dict[tuple[int, int], tuple[dict[int, flow.Edge], dict[int, flow.Edge]]] = {}
    for one in incoming:
        for other in outgoing:
            if one.source_id != other.target_id and network.fits(one, other, None):
                ins, outs = pairs.setdefault((one.source_id, other.target_id), ({}, {}))
                ins[one.id], outs[other.id] = one, other
    for (source, target), (ins, outs) in pairs.items():
        first = min(e.starts_at for e in ins.values())
        last = max(outs.values(), key=lambda e: (e.starts_at, e.id))
        shown = Edge(
            source, target, MADE, last.event_id, first, None,
            *total((e.quantity_in, e.uom_in) for e in ins.values()),
            *total((e.quantity_out, e.uom_out) for e in outs.values()),
            out_of_order=first > last.starts_at or not out_of_order.isdisjoint(ins),
        )  # fmt: skip
        yield shown, _way(shown, (RUN, run))


def total(amounts: Iterable[Quantity]) -> Quantity:
    """Add quantities up in the unit of the first; nothing where one is of another kind or none is told."""
    told = [(quantity, uom) for quantity, uom in amounts if quantity is not None]
    if not told:
        return NO_QUANTITY
    uom, added = told[0][1], 0.0
    for quantity, other in told:
        same: float | None = quantity
        if other != uom:
            value = amount(quantity, other)
            same = None if value is None else in_uom(value, uom or "EA")
        if same is None:
            return NO_QUANTITY
        added += same
    return added, uom


def with_shares(
    start: int, joined: Sequence[Drawn], depths: Mapping[int, int]
) -> tuple[dict[int, Share], list[Edge]]:
    """Return the share of every item in the start, and the edges with the share of each in its target."""
    ways = [way for _, way in joined]
    parts = shares.of_ways(ways)
    edges = [
        replace(edge, share=part.part, share_by_quantity=part.by_quantity)
        for (edge, _), part in zip(joined, parts, strict=True)
    ]
    return shares.of_items(start, ways, parts, depths), edges


def amounts(edges: Iterable[flow.Edge]) -> dict[int, Quantity]:
    """Return how much was made of things, or where that is not told how much of them went in, each event once."""
    made: dict[int, dict[int, Quantity]] = defaultdict(dict)
    used: dict[int, dict[int, Quantity]] = defaultdict(dict)
    for edge in edges:
        if edge.kind == MADE and edge.quantity_out is not None:
            made[edge.target_id][edge.event_id] = edge.quantity_out, edge.uom_out
        if edge.kind in (MADE, PACKED) and edge.quantity_in is not None:
            used[edge.source_id][edge.event_id] = edge.quantity_in, edge.uom_in
    return {key: total(each.values()) for key, each in (used | made).items()}
