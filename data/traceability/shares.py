"""How much of a thing came from each of its sources: by quantity where the units agree, else in equal parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.traceability.measures import Amount, amount


@dataclass(frozen=True)
class Way:
    """A way into a thing: from where, by which making (what has the same came together), and the quantities."""

    source: int
    target: int
    making: tuple[str, int]
    quantity_in: float | None
    uom_in: str | None
    quantity_out: float | None
    uom_out: str | None


@dataclass(frozen=True)
class Share:
    """A part of a thing, from 0 to 1; `by_quantity` is False where it was only divided equally."""

    part: float
    by_quantity: bool


def of_ways(ways: Sequence[Way]) -> list[Share]:
    """Return the share that each way has in its target, in the order given."""
    shares: list[Share | None] = [None] * len(ways)
    into: dict[int, dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, way in enumerate(ways):
        into[way.target][way.making].append(place)
    for makings in into.values():
        groups = list(makings.values())
        outputs = [
            _largest([amount(ways[p].quantity_out, ways[p].uom_out) for p in group]) for group in groups
        ]
        for group, whole in zip(groups, _divided(outputs), strict=True):
            inputs = [amount(ways[p].quantity_in, ways[p].uom_in) for p in group]
            for place, inner in zip(group, _divided(inputs), strict=True):
                shares[place] = Share(whole.part * inner.part, whole.by_quantity and inner.by_quantity)
    return [share for share in shares if share is not None]


def _divided(amounts: Sequence[Amount | None]) -> list[Share]:
    known = [a for a in amounts if a is not None]
    total = sum(a.value for a in known)
    if len(amounts) == 1:
        return [Share(1.0, True)]
    if len(known) < len(amounts) or len({a.dimension for a in known}) > 1 or total <= 0:
        return [Share(1 / len(amounts), False)] * len(amounts)
    return [Share(a.value / total, True) for a in known]


def _largest(amounts: Iterable[Amount | None]) -> Amount | None:
    """Return what one making brought out; each of its ways tells the same."""
    known = [a for a in amounts if a is not None]
    return max(known, key=lambda a: a.value) if known else None


def of_items(
    start: int, ways: Sequence[Way], shares: Sequence[Share], depths: Mapping[int, int]
) -> dict[int, Share]:
    """Return the share that each item has in the start, added up over all ways to it.

    Items are taken when all that was made of them has been; where things go in a circle, the nearest goes first and
    what closes the circle is not counted again.
    """
    leaving: dict[int, list[int]] = defaultdict(list)
    waiting: dict[int, int] = defaultdict(int)
    for place, way in enumerate(ways):
        leaving[way.target].append(place)
        waiting[way.source] += 1
    found = {start: Share(1.0, True)}
    left = sorted(set(waiting) - {start}, key=lambda item: (depths.get(item, 0), item))
    ready, done = [start], set()
    while ready or left:
        if not ready:
            ready = [left[0]]
        item = ready.pop()
        if item in done:
            continue
        done.add(item)
        mine = found.get(item, Share(0.0, True))
        for place in leaving[item]:
            source = ways[place].source
            waiting[source] -= 1
            if source in done:
                continue
            before = found.get(source, Share(0.0, True))
            part = before.part + mine.part * shares[place].part
            known = before.by_quantity and mine.by_quantity and shares[place].by_quantity
            found[source] = Share(part, known)
            if waiting[source] == 0:
                ready.append(source)
        left = [other for other in left if other not in done] if not ready else left
    return found
