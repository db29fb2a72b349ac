"""The trace screen: one lot with all that it came from and all that came of it, as picture, table and map."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data import codes
from data.accounts import Actor
from data.store import Session
from data.traceability import decisions, graph, lookup, tree
from data.traceability.described import Described, describe
from data.traceability.graph import Trace
from data.traceability.identifiers import IdentifierError
from data.traceability.joining import Edge
from data.traceability.lookup import Named
from data.traceability.measures import BASES, amount, name_of
from data.traceability.sheet import sheet
from data.traceability.tables import FREE
from services import context
from services.errors import sentence_of
from services.trace import seen_events
from webmap.pages import number
from webmap.trace import placemap
from webmap.trace.diagram import HEIGHT, WIDTH, Arrow, Line, lay_out

blueprint = Blueprint("tracegraph", __name__)
HERE = "/office/trace"
MOST_BOXES = 30
DEEPEST, USUAL_DEPTH = 50, 12
MOST_ROWS = 2_000
#: How many characters of a size fit into a box, and how wide a letter of a flag is.
LONGEST, FLAG_LETTER = 23, 8.0


@dataclass(frozen=True)
class Text:
    """A line of a box, with its distance from the box's top."""

    text: str
    style: str
    y: int


@dataclass(frozen=True)
class Box:
    """A box of the picture."""

    x: float
    y: float
    kind: str
    classes: str
    href: str
    full: str
    texts: tuple[Text, ...]
    flag: str
    is_here: bool

    @property
    def flag_width(self) -> float:
        """How wide the flag of a held or recalled thing is."""
        return len(self.flag) * FLAG_LETTER + 4


@dataclass(frozen=True)
class Drawn:
    """An arrow of the picture; the one into the dot of an event has no tip."""

    path: str
    x: float
    y: float
    label: str
    kind: str
    back: bool
    has_tip: bool


@dataclass(frozen=True)
class Picture:
    """The picture as the template draws it."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Drawn, ...]
    dots: tuple[Any, ...]
    box_width: float = WIDTH
    box_height: float = HEIGHT


@dataclass(frozen=True)
class Told:
    """A row of the folding table."""

    level: int
    node: Described
    href: str
    kind: str
    at: Any
    quantity: float | None
    uom: str | None
    unit: str | None
    share: str
    again: bool
    is_misdated: bool


@dataclass(frozen=True)
class Total:
    """How many things of a kind there are."""

    kind: str
    count: int
    held: int
    recalled: int


@blueprint.get("/office/trace")
@login_required
def show() -> Any:
    """Show the trace of a lot, or what the words that were typed may mean."""
    session, actor = context.session(), context.actor()
    text = request.args.get("lot", "").strip()
    if not text:
        return _page(asked="")
    try:
        named = lookup.named(session, actor, text)
    except (lookup.NoSuchLot, IdentifierError) as error:
        hits = lookup.search(session, actor, text)
        if len(hits) == 1:
            return redirect(f"{HERE}?lot={hits[0].id}")
        page = _page(asked=text, hits=hits, sentence=None if hits else sentence_of(error))
        return page if hits else (page, 404)
    if named.item is None:
        return _page(asked=text, named=named)
    try:
        return _page(asked=_written(named), named=named, **_trace(session, actor, named))
    except graph.Unknown as error:
        return _page(asked=text, sentence=sentence_of(error)), 404


def _written(named: Named) -> str:
    """What stands in the search field once a lot is found."""
    return named.lot.lot_number if named.lot is not None else named.uri


def _page(**facts: Any) -> str:
    return render_template(
        "trace/trace.html", **{"most_boxes": MOST_BOXES, "most_depth": DEEPEST, "named": None, **facts}
    )


def _trace(session: Session, actor: Actor, named: Named) -> dict[str, Any]:
    """What the page shows of a lot that events speak of."""
    item = named.item
    assert item is not None
    direction = request.args.get("dir", "both")
    direction = direction if direction in ("back", "forward", "both") else "both"
    depth = min(max(request.args.get("depth", USUAL_DEPTH, type=int), 1), DEEPEST)
    found = graph.trace(session, actor, item.uri, direction=direction, depth=depth, most_nodes=MOST_ROWS)
    told = seen_events(session, actor, found)
    edges = tuple(edge if edge.event_id in told else _without_amounts(edge) for edge in found.edges)
    found = replace(found, edges=edges)
    things = _things(session, actor, found)
    whole = sheet(session, actor, item)
    small = len(found.nodes) <= MOST_BOXES
    may = decisions.may_decide(session, actor, item)
    return {
        "here": things[found.start],
        "direction": direction,
        "depth": depth,
        "truncated": found.truncated,
        "count": len(found.nodes),
        "picture": _picture(found, things) if small and found.edges else None,
        "totals": None if small else _totals(found, things),
        "sums": () if small else _sums(whole.shipped),
        "back_rows": _rows(found, things, "back"),
        "forward_rows": _rows(found, things, "forward"),
        "maps": _maps(session, actor, found, things, [one.sale_point_id for one in whole.shipped]),
        "acts": decisions.open_acts(session, item.id) if may else [],
        "may_decide": may,
        "sheet": whole if whole.is_insider and may else None,
    }


def _without_amounts(edge: Edge) -> Edge:
    return replace(edge, quantity_in=None, uom_in=None, quantity_out=None, uom_out=None)


def _things(session: Session, actor: Actor, found: Trace) -> dict[int, Described]:
    """The things of a trace by their rows; of those that are not open to the caller only the kind is told."""
    known = describe(session, actor, [node.id for node in found.nodes])
    return {
        node.id: known[node.id] if node.is_open else Described(node.id, "", node.kind, FREE, False, "")
        for node in found.nodes
    }


# ---- the picture


def _picture(found: Trace, things: Mapping[int, Described]) -> Picture:
    arrows = [_arrow(edge, things) for edge in found.edges]
    layout = lay_out(list(things), arrows)
    boxes = tuple(
        _box(place.x, place.y, thing, found.start)
        for place, thing in zip(layout.places, things.values(), strict=True)
    )
    lines = tuple(_line(line, set(things)) for line in layout.lines)
    return Picture(layout.width, layout.height, boxes, lines, layout.dots)


def _arrow(edge: Edge, things: Mapping[int, Described]) -> Arrow:
    share = _share(edge)
    into = _amount(edge.quantity_in, edge.uom_in, things[edge.source])
    out = _amount(edge.quantity_out, edge.uom_out, things[edge.target])
    label = " · ".join(filter(None, (into, share)))
    return Arrow(edge.source, edge.target, label, out, kind=edge.kind, event=edge.event_id)


def _share(edge: Edge) -> str:
    """The part of a thing that came from one source; ≈ where units differ and it was only divided equally."""
    if edge.share is None:
        return ""
    about = "" if edge.share_by_quantity or edge.share == 1 else "≈ "
    return f"{about}{number(edge.share * 100, 0)} %"


def _amount(quantity: float | None, uom: str | None, thing: Described) -> str:
    if quantity is None:
        return ""
    return f"{number(quantity, None if float(quantity).is_integer() else 2)} {name_of(uom, thing.unit)}"


def _line(line: Line, boxes: set[int]) -> Drawn:
    has_tip = line.back or line.arrow.target in boxes
    return Drawn(line.path, line.x, line.y, line.arrow.label, line.arrow.kind, line.back, has_tip)


def _box(x: float, y: float, thing: Described, start: int) -> Box:
    kind = "sample" if thing.serial and thing.serial.startswith("MAU-") else thing.kind
    title = _title(thing)
    lines = [title, thing.product or "", thing.producer or ""]
    flag = "" if thing.state == FREE else codes.label("trace_state", thing.state, context.language())
    flag = flag[:1].upper() + flag[1:]
    texts = tuple(
        Text(_short(text), style, 24 + 20 * place)
        for place, (text, style) in enumerate(
            (text, style) for text, style in zip(lines, ("title", "", "soft"), strict=True) if text
        )
    )
    classes = " ".join(filter(None, (kind, thing.state, "here" if thing.id == start else "")))
    full = ", ".join(filter(None, (*lines, flag)))
    return Box(x, y, kind, classes, _href(thing), full, texts, flag, thing.id == start)


def _title(thing: Described) -> str:
    if not thing.is_open:
        return codes.label("trace_kind", thing.kind, context.language())
    return _("Lô %(name)s", name=thing.name) if thing.number else thing.name


def _href(thing: Described) -> str:
    """The address of a thing's own trace."""
    if not thing.is_open:
        return ""
    own_lot = thing.kind == "lot" and thing.lot_id
    return f"{HERE}?lot={thing.lot_id if own_lot else quote(thing.uri, safe=':/')}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


# ---- the table


def _rows(found: Trace, things: Mapping[int, Described], direction: str) -> list[Told]:
    rows = []
    for row in tree.rows(found, direction):
        edge, thing = row.edge, things[row.node.id]
        quantity, uom, measured = _amount_of(edge, direction)
        rows.append(
            Told(
                level=row.level,
                node=thing,
                href=_href(thing),
                kind="" if edge is None else edge.kind,
                at=None if edge is None else edge.starts_at,
                quantity=quantity,
                uom=uom,
                unit=None if measured is None else things[measured].unit,
                share="" if edge is None else _share(edge),
                again=row.again,
                is_misdated=edge is not None and edge.out_of_order,
            )
        )
    return rows


def _amount_of(edge: Edge | None, direction: str) -> tuple[float | None, str | None, int | None]:
    """How much went in of a source, or came out of what was made of it, or else went into that; and of which thing."""
    if edge is None:
        return None, None, None
    if direction == "forward" and edge.quantity_out is not None:
        return edge.quantity_out, edge.uom_out, edge.target
    return edge.quantity_in, edge.uom_in, edge.source


def _totals(found: Trace, things: Mapping[int, Described]) -> list[Total]:
    kinds = Counter(thing.kind for thing in things.values())
    states = Counter((thing.kind, thing.state) for thing in things.values())
    return [Total(k, n, states[k, "held"], states[k, "recalled"]) for k, n in kinds.most_common()]


def _sums(shipped: Sequence[Any]) -> list[tuple[str, float, str]]:
    """How much was sent out in all, by unit."""
    sums: dict[str, float] = defaultdict(float)
    for one in shipped:
        value = amount(one.quantity, one.uom)
        if value is not None:
            sums[BASES[value.dimension]] += value.value
    return [(_("Đã gửi đi"), value, uom) for uom, value in sums.items()]


def _maps(
    session: Session, actor: Actor, found: Trace, things: Mapping[int, Described], shops: Sequence[int | None]
) -> list[placemap.PlaceMap]:
    """The map of all places, and a nearer one of the growing areas where those are too small on it to be seen."""
    open_ = [things[node.id] for node in found.nodes]
    areas = {one.area_id for one in open_ if one.area_id is not None}
    lots = {one.lot_id for one in open_ if one.lot_id is not None}
    sold = {key for key in shops if key is not None}
    whole = placemap.draw(session, actor, areas=areas, lots=lots, shops=sold)
    if whole is None:
        return []
    seen_well = all(spot.outline for spot in whole.spots if spot.kind == "area")
    near = None if seen_well else placemap.draw(session, actor, areas=areas, narrowest=placemap.NEAR)
    return [whole] if near is None else [whole, near]
