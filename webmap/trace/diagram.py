"""A layered diagram, left to right: which box stands where, and how the arrows run between them.

Boxes get a layer by the longest way to them, are ordered within it so that few arrows cross, and are then pulled
towards their neighbours. An event that makes several things of several things is one dot with arrows in and out.
Lengths are pixels; y grows downwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

WIDTH, HEIGHT = 190.0, 74.0
DOT = 12.0
GAP_X, GAP_Y = 120.0, 22.0
MARGIN = 12.0
SWEEPS = 12
#: Of a label: the width of a character, its height, and where along an arrow it may stand, best first.
CHARACTER, LINE = 6.4, 17.0
PLACES = (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8)

Key: TypeAlias = Hashable
Layers: TypeAlias = list[list[Key]]


@dataclass(frozen=True)
class Arrow:
    """Something that became something: two boxes, with what is written on the arrow.

    `label_after` is for the second half, where the arrow runs through the dot of an event.
    """

    source: Key
    target: Key
    label: str = ""
    label_after: str = ""
    kind: str = "made"
    event: Key = None


@dataclass(frozen=True)
class Place:
    """Where a box stands: its left top corner."""

    key: Key
    x: float
    y: float
    layer: int


@dataclass(frozen=True)
class Line:
    """An arrow as path data, with its label's middle; `back` where it closes a circle."""

    arrow: Arrow
    path: str
    x: float
    y: float
    back: bool


@dataclass(frozen=True)
class Dot:
    """The dot of an event with several things on both sides."""

    event: Key
    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """The whole drawing."""

    width: int
    height: int
    places: tuple[Place, ...]
    lines: tuple[Line, ...]
    dots: tuple[Dot, ...] = ()

    def place_of(self, key: Key) -> Place:
        """Return where a box stands; KeyError for one that is not drawn."""
        for place in self.places:
            if place.key == key:
                return place
        raise KeyError(key)


@dataclass(frozen=True)
class _Joint:
    """A point that arrows run through: a dot, or a bend in a layer that an arrow only passes."""

    name: tuple[Key, ...]


@dataclass
class _Graph:
    """Boxes and joints in their layers, and the short arrows from one layer to the next."""

    layer: dict[Key, int]
    before: dict[Key, list[Key]] = field(default_factory=lambda: defaultdict(list))
    after: dict[Key, list[Key]] = field(default_factory=lambda: defaultdict(list))

    def join(self, source: Key, target: Key) -> None:
        """Add a short arrow."""
        self.after[source].append(target)
        self.before[target].append(source)


def lay_out(keys: Sequence[Key], arrows: Sequence[Arrow]) -> Layout:
    """Place N boxes and the arrows between them. Arrows whose ends are not among the boxes are left out."""
    known = set(keys)
    wanted = [a for a in arrows if a.source in known and a.target in known and a.source != a.target]
    parts, dots = _with_dots(wanted)
    every = [*keys, *dots]
    backs = _closing(every, parts)
    forward = [(a.target, a.source) if i in backs else (a.source, a.target) for i, a in enumerate(parts)]
    graph = _Graph(_layers(every, forward))
    chains = [_chain(graph, i, *ends) for i, ends in enumerate(forward)]
    layers = _ordered(graph, every)
    ys = _heights(graph, layers)
    xs = _columns(layers)
    lowest = min((ys[k] - _height(k) / 2 for k in ys), default=0.0)
    middles = {k: (xs[graph.layer[k]], ys[k] - lowest + MARGIN) for k in ys}
    lines = _lines(parts, chains, backs, middles, known)
    places = tuple(
        Place(k, middles[k][0] - WIDTH / 2, middles[k][1] - HEIGHT / 2, graph.layer[k]) for k in keys
    )
    width = max((p.x + WIDTH for p in places), default=0.0) + MARGIN
    height = max((middles[k][1] + _height(k) / 2 for k in middles), default=0.0) + MARGIN
    drawn = tuple(Dot(d.name[0], *middles[d]) for d in dots)
    return Layout(round(width), round(height), places, lines, drawn)


# ---- dots and circles


def _with_dots(arrows: Sequence[Arrow]) -> tuple[list[Arrow], list[_Joint]]:
    """Let the arrows of an event with several things on both sides run through one dot."""
    by_event: dict[Key, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        if arrow.event is not None and arrow.kind == "made":
            by_event[arrow.event].append(arrow)
    joints: dict[Key, _Joint] = {}
    for event, own in by_event.items():
        sources, targets = {a.source for a in own}, {a.target for a in own}
        if len(sources) > 1 and len(targets) > 1 and not sources & targets:
            joints[event] = _Joint((event,))
    parts: dict[tuple[Key, Key], Arrow] = {}
    plain: list[Arrow] = []
    for arrow in arrows:
        joint = joints.get(arrow.event) if arrow.kind == "made" else None
        if joint is None:
            plain.append(arrow)
            continue
        into = Arrow(arrow.source, joint, arrow.label, kind=arrow.kind, event=arrow.event)
        out = Arrow(joint, arrow.target, arrow.label_after, kind=arrow.kind, event=arrow.event)
        parts.setdefault((arrow.source, joint), into)
        parts.setdefault((joint, arrow.target), out)
    return [*plain, *parts.values()], list(joints.values())


def _closing(keys: Sequence[Key], arrows: Sequence[Arrow]) -> set[int]:
    """The arrows that close a circle, found by walking depth first; all others together have no circle."""
    after: dict[Key, list[tuple[int, Key]]] = defaultdict(list)
    for number, arrow in enumerate(arrows):
        after[arrow.source].append((number, arrow.target))
    found: set[int] = set()
    done: set[Key] = set()
    open_: set[Key] = set()
    targets = {a.target for a in arrows}
    for start in sorted(keys, key=lambda k: k in targets):
        if start in done:
            continue
        stack = [(start, iter(after[start]))]
        open_.add(start)
        while stack:
            key, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                open_.discard(key)
                done.add(key)
            elif step[1] in open_:
                found.add(step[0])
            elif step[1] not in done:
                open_.add(step[1])
                stack.append((step[1], iter(after[step[1]])))
    return found


# ---- layers


def _layers(keys: Sequence[Key], edges: Sequence[tuple[Key, Key]]) -> dict[Key, int]:
    """The layer of each box: after all that leads to it, and what nothing leads to just before what it leads to."""
    layer = dict.fromkeys(keys, 0)
    for _ in keys:
        moved = False
        for source, target in edges:
            if layer[target] < layer[source] + 1:
                layer[target], moved = layer[source] + 1, True
        if not moved:
            break
    targets = {t for _, t in edges}
    for key in keys:
        own = [layer[t] for s, t in edges if s == key]
        if key not in targets and own:
            layer[key] = min(own) - 1
    return layer


def _chain(graph: _Graph, number: int, source: Key, target: Key) -> list[Key]:
    """The points that an arrow runs through, a bend in each layer that it passes."""
    chain: list[Key] = [source]
    for layer in range(graph.layer[source] + 1, graph.layer[target]):
        bend = _Joint((number, layer))
        graph.layer[bend] = layer
        chain.append(bend)
    chain.append(target)
    for one, other in pairwise(chain):
        graph.join(one, other)
    return chain


def _ordered(graph: _Graph, keys: Sequence[Key]) -> Layers:
    """Order every layer by the middle of its neighbours, to and fro, and keep the order with the fewest crossings."""
    layers: Layers = [[] for _ in range(max(graph.layer.values(), default=-1) + 1)]
    for key in [*keys, *(k for k in graph.layer if k not in set(keys))]:
        layers[graph.layer[key]].append(key)
    best, fewest = [list(row) for row in layers], _crossings(graph, layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = graph.before if down else graph.after
        for row in layers if down else reversed(layers):
            rank = _ranks(layers)
            row.sort(key=lambda k: _mean([rank[n] for n in neighbours[k]], rank[k]))
        crossed = _crossings(graph, layers)
        if crossed < fewest:
            best, fewest = [list(row) for row in layers], crossed
    return best


def _ranks(layers: Layers) -> dict[Key, float]:
    return {key: position / max(len(row), 1) for row in layers for position, key in enumerate(row)}


def _mean(numbers: Iterable[float], otherwise: float) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed) if listed else otherwise


def _crossings(graph: _Graph, layers: Layers) -> int:
    """Count how often arrows between neighbouring layers cross."""
    total = 0
    for row, next_row in pairwise(layers):
        position = {key: i for i, key in enumerate(next_row)}
        ends = [position[t] for key in row for t in sorted(graph.after[key], key=position.__getitem__)]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


# ---- places


def _height(key: Key) -> float:
    return DOT if isinstance(key, _Joint) else HEIGHT


def _columns(layers: Layers) -> list[float]:
    """The middle of each layer; one that holds only dots and bends is narrow."""
    middles, x = [], MARGIN
    for row in layers:
        width = WIDTH if any(not isinstance(k, _Joint) for k in row) else DOT
        middles.append(x + width / 2)
        x += width + (GAP_X if width == WIDTH else GAP_X / 2)
    return middles


def _heights(graph: _Graph, layers: Layers) -> dict[Key, float]:
    """The middle of each box: near those of its neighbours, in the order of its layer, never overlapping."""
    ys: dict[Key, float] = {}
    for row in layers:
        y = 0.0
        for key in row:
            ys[key] = y + _height(key) / 2
            y += _height(key) + GAP_Y
    for sweep in range(SWEEPS):
        neighbours = graph.before if sweep % 2 == 0 else graph.after
        for row in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [_mean([ys[n] for n in neighbours[k]], ys[k]) for k in row]
            for key, y in zip(row, _spread(row, wanted), strict=True):
                ys[key] = y
    return ys


def _spread(row: Sequence[Key], wanted: Sequence[float]) -> list[float]:
    """The middles nearest to those wanted that keep the order and the gaps: isotonic regression by pooling."""
    offsets, y = [], 0.0
    for i, key in enumerate(row):
        if i:
            y += (_height(row[i - 1]) + _height(key)) / 2 + GAP_Y
        offsets.append(y)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            more, many = pools.pop()
            total, count = total + more, count + many
        pools.append((total, count))
    levels = [total / count for total, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


# ---- arrows


def _lines(
    arrows: Sequence[Arrow],
    chains: Sequence[list[Key]],
    backs: set[int],
    middles: Mapping[Key, tuple[float, float]],
    boxes: set[Key],
) -> tuple[Line, ...]:
    found = []
    taken: list[tuple[float, float, float]] = []
    for number, (arrow, chain) in enumerate(zip(arrows, chains, strict=True)):
        back = number in backs
        points = _points(chain, middles, boxes)
        path = _path(points[::-1] if back else points)
        x, y = _label_place(points, arrow.label, taken)
        found.append(Line(arrow, path, round(x, 1), round(y, 1), back))
    return tuple(found)


def _points(
    chain: Sequence[Key], middles: Mapping[Key, tuple[float, float]], boxes: set[Key]
) -> list[tuple[float, float]]:
    """The points of an arrow: the right side of a box, the bends, the left side of the next box."""
    reach = {key: (WIDTH if key in boxes else 0.0) / 2 for key in (chain[0], chain[-1])}
    (x0, y0), (x1, y1) = middles[chain[0]], middles[chain[-1]]
    bends = [middles[key] for key in chain[1:-1]]
    return [(x0 + reach[chain[0]], y0), *bends, (x1 - reach[chain[-1]], y1)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    pieces = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        pieces.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(pieces)


def _label_place(
    points: Sequence[tuple[float, float]], label: str, taken: list[tuple[float, float, float]]
) -> tuple[float, float]:
    """A place on the arrow's first piece that no other label has, or else its middle."""
    half = len(label) * CHARACTER / 2
    tries = [_along(points[0], points[1], t) for t in PLACES]
    for x, y in tries:
        if all(abs(x - u) >= half + h or abs(y - v) >= LINE for u, v, h in taken):
            break
    else:
        x, y = tries[0]
    if label:
        taken.append((x, y, half))
    return x, y


def _along(start: tuple[float, float], end: tuple[float, float], t: float) -> tuple[float, float]:
    """A point of the curve between two points of an arrow; both ends leave it level."""
    (x0, y0), (x1, y1), s = start, end, 1 - t
    middle = (x0 + x1) / 2
    x = s**3 * x0 + 3 * s * s * t * middle + 3 * s * t * t * middle + t**3 * x1
    y = s**3 * y0 + 3 * s * s * t * y0 + 3 * s * t * t * y1 + t**3 * y1
    return x, y
