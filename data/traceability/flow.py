"""Following edges through time: what a thing was made of then, not what was poured in later.

The rule. Of two edges that meet in a thing, one in and one out, the one in counts for the one out when it fits in
time: a making or a sampling counts for everything that left at the same moment or later; a packing counts for what
happened to the parent while the thing lay in it, and packings within packings only while all of them lasted.

Real events are misdated: goods are used before they were made, by their dates. So time only chooses among several
ways in. Where no way into a thing fits an edge that leaves it, the dates are wrong and every way in counts; that
edge is marked as out of order. A link is never lost by its date alone.

A jar has what its lot has, whatever the dates; but where an event made the jar itself, that is what counts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from data.traceability.edges import MADE, PACKED, PART

Interval = tuple[dt.datetime, dt.datetime | None]


class Edge(NamedTuple):
    """A row of `trace_edges`."""

    id: int
    source_id: int
    target_id: int
    kind: str
    event_id: int
    quantity_in: float | None
    uom_in: str | None
    quantity_out: float | None
    uom_out: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None


@dataclass
class Flow:
    """What was reached from a start: the depth of every item, and the edges that led there, by id."""

    depths: dict[int, int] = field(default_factory=dict)
    edges: dict[int, Edge] = field(default_factory=dict)
    out_of_order: set[int] = field(default_factory=set)
    truncated: bool = False


class Network:
    """Edges by what they lead from and to, with the rule of time between them."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.into: dict[int, list[Edge]] = defaultdict(list)
        self.out_of: dict[int, list[Edge]] = defaultdict(list)
        self._there: set[int] = set()
        self._only: dict[int, bool] = {}
        for edge in edges:
            self._there.add(edge.id)
            self.into[edge.target_id].append(edge)
            self.out_of[edge.source_id].append(edge)

    def add_ways_in(self, edges: Iterable[Edge]) -> None:
        """Add edges that matter only as other ways into things; they are not followed forward."""
        for edge in edges:
            if edge.id not in self._there:
                self._there.add(edge.id)
                self.into[edge.target_id].append(edge)
        self._only.clear()

    def doubtful(self) -> set[int]:
        """Return the items of which other ways in must be known before the rule of time can be used on them."""
        jars = {e.target_id for edges in self.out_of.values() for e in edges if e.kind == PART}
        return jars | {item for item, edges in self.out_of.items() if any(map(self.has_no_way_in, edges))}

    def fits(self, one: Edge, other: Edge, lasting: Interval | None) -> bool:
        """Tell whether an edge into an item counts for an edge out of it; `lasting` is the packing so far."""
        return _in_time(one, other, lasting) or self.has_no_way_in(other)

    def counts(self, edge: Edge) -> bool:
        """Tell whether an edge is one to follow: a jar goes by its lot only where it was not made by itself."""
        return edge.kind != PART or not any(other.kind == MADE for other in self.into.get(edge.target_id, ()))

    def is_out_of_order(self, edge: Edge) -> bool:
        """Tell whether an edge leaves an item that there was no way into yet, by the dates."""
        return bool(self.into.get(edge.source_id)) and self.has_no_way_in(edge)

    def has_no_way_in(self, edge: Edge) -> bool:
        """Tell whether no way into the item that an edge leaves fits it in time."""
        known = self._only.get(edge.id)
        if known is None:
            ways = self.into.get(edge.source_id, ())
            known = self._only[edge.id] = not any(_in_time(way, edge, None) for way in ways)
        return known


def _in_time(one: Edge, other: Edge, lasting: Interval | None) -> bool:
    if one.kind == PART or other.kind == PART:
        return True
    if one.kind != PACKED:
        return one.starts_at <= other.starts_at
    start, end = _common((one.starts_at, one.ends_at), lasting)
    if end is not None and end < start:
        return False
    if other.kind != PACKED:
        return start <= other.starts_at and (end is None or other.starts_at <= end)
    return (other.ends_at is None or start < other.ends_at) and (end is None or other.starts_at < end)


def _common(one: Interval, other: Interval | None) -> Interval:
    """Return the time that lies in both intervals; it ends before it starts where there is none."""
    if other is None:
        return one
    ends = [end for end in (one[1], other[1]) if end is not None]
    return max(one[0], other[0]), min(ends) if ends else None


def follow(
    network: Network, start: int, *, forward: bool, runs: Collection[int], depth: int, most_items: int
) -> Flow:
    """Follow edges from an item as far as `depth` things away, reaching at most `most_items` items.

    Runs, which join the inputs and outputs of a transformation, are no step of their own. Cycles end where they
    began: an edge is gone along again only if a packing leaves it more time than before.
    """
    flow = Flow({start: 0})
    things = 1
    queue: deque[tuple[int, int, Edge | None, Interval | None]] = deque([(0, start, None, None)])
    been: dict[int, list[Interval | None]] = {}
    while queue:
        steps, item, last, lasting = queue.popleft()
        for edge in (network.out_of if forward else network.into).get(item, ()):
            if not network.counts(edge) or not _follows(network, last, edge, lasting, forward=forward):
                continue
            span = _span(edge, last, lasting)
            if _been_there(been.setdefault(edge.id, []), span):
                continue
            reached = edge.target_id if forward else edge.source_id
            further = steps + (reached not in runs)
            if further > depth or (reached not in flow.depths and things >= most_items):
                flow.truncated = True
                continue
            if reached not in flow.depths:
                flow.depths[reached] = further
                things += reached not in runs
            been[edge.id].append(span)
            flow.edges[edge.id] = edge
            if network.is_out_of_order(edge):
                flow.out_of_order.add(edge.id)
            # A run costs no step, so what lies behind it comes before what is a step further away.
            entry = (further, reached, edge, span)
            queue.appendleft(entry) if reached in runs else queue.append(entry)
    return flow


def _follows(
    network: Network, last: Edge | None, edge: Edge, lasting: Interval | None, *, forward: bool
) -> bool:
    if last is None:
        return True
    if forward:
        return network.fits(last, edge, lasting)
    if edge.kind != PACKED or last.kind != PACKED or lasting is None:
        return network.fits(edge, last, None)
    # Going back, the packing so far is that of what lies outside.
    outside = last._replace(starts_at=lasting[0], ends_at=lasting[1])
    return _in_time(edge, outside, None) or network.has_no_way_in(last)


def _span(edge: Edge, last: Edge | None, lasting: Interval | None) -> Interval | None:
    """Return how long a chain of packings lasted that ends with this edge; None for other kinds of edges."""
    if edge.kind != PACKED:
        return None
    own = (edge.starts_at, edge.ends_at)
    if last is None or last.kind != PACKED:
        return own
    start, end = _common(own, lasting)
    return own if end is not None and end < start else (start, end)


def _been_there(spans: Sequence[Interval | None], span: Interval | None) -> bool:
    """Tell whether an edge was gone along before with at least as much time left."""
    if span is None:
        return bool(spans)
    return any(s is not None and s[0] <= span[0] and _at_least(s[1], span[1]) for s in spans)


def _at_least(one: dt.datetime | None, other: dt.datetime | None) -> bool:
    return one is None or (other is not None and one >= other)
