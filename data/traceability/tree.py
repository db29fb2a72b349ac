"""A trace told as two trees: what the start was made of, and what was made of it, each thing unfolded once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from data.traceability.graph import BACK, Node, Trace
from data.traceability.joining import Edge


@dataclass(frozen=True)
class Row:
    """One line of a tree: a thing, how deep it stands, and the edge to the thing above it.

    `again` says that the thing was unfolded further up.
    """

    level: int
    node: Node
    edge: Edge | None
    again: bool = False


def rows(trace: Trace, direction: str) -> list[Row]:
    """Tell one side of a trace as lines, `direction` being back or forward; the start itself comes first.

    Empty where nothing lies on that side.
    """
    nodes = {node.id: node for node in trace.nodes}
    near = defaultdict(list)
    for edge in trace.edges:
        one, other = (edge.target, edge.source) if direction == BACK else (edge.source, edge.target)
        if {nodes[one].direction, nodes[other].direction} <= {"start", "both", direction}:
            near[one].append((other, edge))
    if not near[trace.start]:
        return []
    return list(_walk(trace.start, nodes, near))


def _walk(start: int, nodes: dict[int, Node], near: dict[int, list[tuple[int, Edge]]]) -> Iterator[Row]:
    told: set[int] = set()
    stack: list[tuple[int, int, Edge | None]] = [(0, start, None)]
    while stack:
        level, key, edge = stack.pop()
        again = key in told
        yield Row(level, nodes[key], edge, again and bool(near[key]))
        if again:
            continue
        told.add(key)
        below = sorted(near[key], key=lambda pair: (-(pair[1].share or 0.0), pair[1].starts_at, pair[0]))
        stack += [(level + 1, other, way) for other, way in reversed(below)]
