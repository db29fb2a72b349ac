"""The recall sheet of a lot: whom it reached, what can still be stopped, what is on hand, and who supplied it.

It covers all that was made of the lot or packed with it. Buyers, phones and quantities are given only from events
that the actor sees (`data.programme.rights.seen`); of other producers' lots it says how many there are.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import SYSTEM, Actor
from data.base import now
from data.products import SalePoint
from data.programme.calendar import deadline
from data.programme.rights import seen
from data.traceability.described import Described, area_of, describe
from data.traceability.graph import Trace, trace
from data.traceability.identifiers import own_parts
from data.traceability.items import chunks
from data.traceability.stock import Stock, stock_of
from data.traceability.tables import RecallAct, RecallNotice, TraceEdge, TraceEvent, TraceEventItem, TraceItem

SHIPPING, SELLING, RECEIVING = "shipping", "retail_selling", "receiving"
ON_THE_WAY, AT_SHOP, DELIVERED, SOLD = "on_the_way", "at_shop", "delivered", "sold"
DISPATCH, INPUT = "ocop:dispatch", "ocop:input"
#: So many things a sheet covers; a lot with more is told to be cut short.
MOST_ITEMS = 20_000


@dataclass(frozen=True)
class Shipment:
    """One sending of one thing to somebody; `event` is the row of the event, `place` where the goods are now."""

    event: int
    item: int
    name: str
    product: str | None
    sent_at: dt.datetime
    customer: str | None
    phone: str | None
    address: str | None
    vehicle: str | None
    document: str | None
    quantity: float | None
    uom: str | None
    unit: str | None
    place: str
    sale_point_id: int | None = None
    informed_at: dt.datetime | None = None
    returned: float | None = None
    remark: str | None = None

    @property
    def may_be_stopped(self) -> bool:
        """Tell whether the goods have not reached those who eat them."""
        return self.place in (ON_THE_WAY, AT_SHOP)


@dataclass(frozen=True)
class Supplier:
    """Where something that went in came from."""

    item: int
    material: str
    name: str | None
    household: str | None
    area_id: int | None
    received_on: str | None
    quantity: float | None
    uom: str | None
    document: str | None

    @property
    def who(self) -> str:
        """The supplier, the household, or else the place or material itself."""
        return self.name or self.household or self.material


@dataclass(frozen=True)
class Sheet:
    """The sheet; `things` are all that are affected, the lot itself first; `hidden` are those of others.

    `is_insider` says whether the actor sees any event of the chain."""

    item: int
    things: tuple[Described, ...]
    shipped: tuple[Shipment, ...]
    lots: tuple[Stock, ...]
    on_hand: Stock | None
    suppliers: tuple[Supplier, ...]
    hidden: int
    truncated: bool
    is_insider: bool = True

    @property
    def stoppable(self) -> tuple[Shipment, ...]:
        """What was sent and can still be stopped."""
        return tuple(one for one in self.shipped if one.may_be_stopped)

    @property
    def informed(self) -> int:
        """How many sendings were told of the recall."""
        return sum(one.informed_at is not None for one in self.shipped)

    @property
    def reached(self) -> float | None:
        """The share of sendings that were told, in percent; None when nothing was sent."""
        return None if not self.shipped else 100 * self.informed / len(self.shipped)


def sheet(session: Session, actor: Actor, item: TraceItem, *, act: RecallAct | None = None) -> Sheet:
    """Draw up the sheet of a thing; with the notices of a recall where one is given."""
    forward = trace(session, SYSTEM, item.uri, direction="forward", most_nodes=MOST_ITEMS)
    back = trace(session, SYSTEM, item.uri, direction="back", most_nodes=MOST_ITEMS)
    ids = _with_singles(session, [item.id, *(node.id for node in forward.nodes if node.id != item.id)])
    things = describe(session, actor, ids)
    shipped = _shipments(session, actor, things)
    if act is not None:
        shipped = _with_notices(session, act, shipped)
    own = _own(session, actor, ids)
    stocks = stock_of(session, [key for key in ids if key in own])
    main = stocks.get(item.id)
    others = [s for key, s in stocks.items() if key != item.id and s.is_left and things[key].kind == "lot"]
    lots = [key for key in ids if things[key].kind == "lot" or things[key].lot_id is not None]
    return Sheet(
        item=item.id,
        things=tuple(things[key] for key in ids),
        shipped=tuple(shipped),
        lots=tuple(replace(s, name=things[s.item].name) for s in others),
        on_hand=None if main is None else replace(main, name=things[item.id].name),
        suppliers=tuple(_suppliers(session, actor, back)),
        hidden=sum(key not in own for key in lots),
        truncated=forward.truncated or back.truncated,
        is_insider=bool(own) or bool(_own(session, actor, [node.id for node in back.nodes])),
    )


# ---- what is affected


def _with_singles(session: Session, ids: list[int]) -> list[int]:
    """The things of a trace with the single pieces of its lots, which are events' own but no step of the way."""
    found = dict.fromkeys(ids)
    query = sa.select(TraceItem.lot_id).where(TraceItem.kind == "lot", TraceItem.lot_id.is_not(None))
    lots = {key for part in chunks(ids) for key in session.scalars(query.where(TraceItem.id.in_(part)))}
    single = sa.select(TraceItem.id).where(TraceItem.kind == "instance").order_by(TraceItem.id)
    for part in chunks(lots):
        found |= dict.fromkeys(session.scalars(single.where(TraceItem.lot_id.in_(part))))
    return list(found)


def _own(session: Session, actor: Actor, ids: Collection[int]) -> set[int]:
    """The things of which the actor sees an event."""
    query = (
        sa.select(TraceEventItem.item_id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(seen(actor, TraceEvent))
        .distinct()
    )
    return {
        key for part in chunks(ids) for key in session.scalars(query.where(TraceEventItem.item_id.in_(part)))
    }


# ---- where it went


def _shipments(session: Session, actor: Actor, things: Mapping[int, Described]) -> list[Shipment]:
    arrived, sold = _later(session, set(things))
    inside = _packed(session, things)
    found = []
    for event, item_id, quantity, uom in _sendings(session, actor, set(things)):
        thing, said = things[item_id], event.document.get(DISPATCH) or {}
        content = inside.get(item_id)
        if quantity is None and content is not None:
            quantity, uom = content.quantity, content.uom
        shop = _shop_of(event.document)
        found.append(
            Shipment(
                event=event.id, item=item_id, name=thing.name,
                product=content.product if content else thing.product, sent_at=event.event_time,
                customer=said.get("customer") or _destination(event.document), phone=said.get("phone"),
                address=said.get("address"), vehicle=said.get("vehicle"), document=said.get("document"),
                quantity=quantity, uom=uom, unit=content.unit if content else thing.unit, sale_point_id=shop,
                place=_place(event, shop, arrived.get(item_id), sold.get(item_id)),
            )
        )  # fmt: skip
    return _with_shops(session, found)


def _sendings(
    session: Session, actor: Actor, ids: Collection[int]
) -> Iterator[tuple[TraceEvent, int, float | None, str | None]]:
    query = (
        sa.select(TraceEvent, TraceEventItem.item_id, TraceEventItem.quantity, TraceEventItem.uom)
        .join(TraceEventItem, TraceEventItem.event_id == TraceEvent.id)
        .where(TraceEvent.biz_step.in_((SHIPPING, SELLING)), *_standing(), seen(actor, TraceEvent))
        .order_by(TraceEvent.event_time, TraceEvent.id)
    )
    known: set[tuple[int, int]] = set()
    for part in chunks(ids):
        for event, item_id, quantity, uom in session.execute(query.where(TraceEventItem.item_id.in_(part))):
            if (event.id, item_id) not in known:
                known.add((event.id, item_id))
                yield event, item_id, quantity, uom


def _standing() -> tuple[sa.ColumnElement[bool], ...]:
    """Events that were not declared wrong, without the declarations."""
    return TraceEvent.declared_wrong_at.is_(None), TraceEvent.is_declaration.is_(False)


def _later(
    session: Session, ids: Collection[int]
) -> tuple[dict[int, list[dt.datetime]], dict[int, list[dt.datetime]]]:
    """When each thing arrived somewhere (and did not come back), and when it was sold."""
    arrived: dict[int, list[dt.datetime]] = defaultdict(list)
    sold: dict[int, list[dt.datetime]] = defaultdict(list)
    query = (
        sa.select(TraceEventItem.item_id, TraceEvent.biz_step, TraceEvent.disposition, TraceEvent.event_time)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceEvent.biz_step.in_((RECEIVING, SELLING)), *_standing())
    )
    for part in chunks(ids):
        for item_id, step, disposition, moment in session.execute(
            query.where(TraceEventItem.item_id.in_(part))
        ):
            if step == SELLING:
                sold[item_id].append(moment)
            elif disposition != "returned":
                arrived[item_id].append(moment)
    return arrived, sold


def _place(
    event: TraceEvent, shop: int | None, arrived: list[dt.datetime] | None, sold: list[dt.datetime] | None
) -> str:
    """Where the goods of a sending are now, as far as the events tell."""
    if event.biz_step == SELLING:
        return SOLD
    if any(moment > event.event_time for moment in sold or ()):
        return SOLD
    if shop is not None:
        return AT_SHOP
    age = now() - event.event_time
    young = age <= dt.timedelta(days=deadline("in_transit", event.event_time.date()).number)
    return DELIVERED if not young or any(m > event.event_time for m in arrived or ()) else ON_THE_WAY


@dataclass(frozen=True)
class _Content:
    """What of the affected lots is in a carton: how much, where it is in one unit, and of what."""

    quantity: float | None
    uom: str | None
    product: str | None
    unit: str | None


def _packed(session: Session, things: Mapping[int, Described]) -> dict[int, _Content]:
    packed: dict[int, list[tuple[Described, float | None, str | None]]] = defaultdict(list)
    cartons = [key for key, thing in things.items() if thing.kind == "sscc"]
    query = sa.select(TraceEdge.source_id, TraceEdge.target_id, TraceEdge.quantity_in, TraceEdge.uom_in)
    for part in chunks(cartons):
        for source, target, quantity, uom in session.execute(
            query.where(TraceEdge.kind == "packed", TraceEdge.target_id.in_(part))
        ):
            if source in things:
                packed[target].append((things[source], quantity, uom))
    return {key: _content(own) for key, own in packed.items()}


def _content(packed: Sequence[tuple[Described, float | None, str | None]]) -> _Content:
    products = {thing.product for thing, _q, _u in packed}
    units = {(uom, thing.unit) for thing, _q, uom in packed}
    amounts = [quantity for _t, quantity, _u in packed if quantity is not None]
    same = len(units) == 1 and len(amounts) == len(packed)
    uom, unit = next(iter(units)) if same else (None, None)
    return _Content(sum(amounts) if same else None, uom, products.pop() if len(products) == 1 else None, unit)


def _destination(document: Mapping[str, Any]) -> str | None:
    """The name of who got the goods, in a document that is not of our own making."""
    for entry in document.get("destinationList") or ():
        uri = str(entry.get("destination") or "")
        if uri and not uri.startswith("urn:uuid:") and own_parts(uri) is None:
            return uri
    return None


def _shop_of(document: Mapping[str, Any]) -> int | None:
    for entry in document.get("destinationList") or ():
        own = own_parts(str(entry.get("destination") or ""))
        if own and own[0] == "salepoint" and own[1].isdecimal():
            return int(own[1])
    return None


def _with_shops(session: Session, shipped: list[Shipment]) -> list[Shipment]:
    """Name the shop and its phone where a sending went to one of the record."""
    ids = {one.sale_point_id for one in shipped if one.sale_point_id is not None}
    rows = {row.id: row for part in chunks(ids) for row in session.scalars(
        sa.select(SalePoint).where(SalePoint.id.in_(part)))}  # fmt: skip
    found = []
    for one in shipped:
        shop = rows.get(one.sale_point_id or 0)
        if shop is not None:
            one = replace(
                one, customer=one.customer or shop.name, phone=one.phone or shop.shop_phone,
                address=one.address or shop.address,
            )  # fmt: skip
        found.append(one)
    return found


def _with_notices(session: Session, act: RecallAct, shipped: list[Shipment]) -> list[Shipment]:
    root = act.part_of_id or act.id
    query = sa.select(RecallNotice).where(RecallNotice.recall_id == root)
    notices = {row.dispatch_id: row for row in session.scalars(query)}
    return [
        replace(one, informed_at=n.informed_at, returned=n.returned, remark=n.remark)
        if (n := notices.get(one.event))
        else one
        for one in shipped
    ]


# ---- where it came from


def _suppliers(session: Session, actor: Actor, back: Trace) -> list[Supplier]:
    """What came in from outside for a lot and all that it was made of, as its events tell."""
    ids = [node.id for node in back.nodes]
    things = describe(session, actor, ids)
    query = (
        sa.select(TraceEvent, TraceEventItem.item_id, TraceEventItem.quantity, TraceEventItem.uom)
        .join(TraceEventItem, TraceEventItem.event_id == TraceEvent.id)
        .where(TraceEventItem.role.in_(("epc", "input")), *_standing(), seen(actor, TraceEvent))
        .order_by(TraceEvent.event_time, TraceEvent.id)
    )
    rows = [
        row for part in chunks(ids) for row in session.execute(query.where(TraceEventItem.item_id.in_(part)))
    ]
    made = _outputs(session, {event.id for event, *_rest in rows})
    found = []
    told: set[int] = set()
    for event, item_id, quantity, uom in rows:
        said = event.document.get(INPUT)
        outputs = made.get(event.id, set())
        # What was made of one of these things for somebody else's lot is no source of this one.
        elsewhere = (
            not outputs & set(ids) if outputs else item_id == back.start and event.type != "ObjectEvent"
        )
        if said and event.id not in told and not elsewhere:
            told.add(event.id)
            found.append(_supplier(item_id, things[item_id].name, said, quantity, uom))
    known = {one.area_id for one in found}
    for thing in things.values():
        if thing.area_id is not None and thing.area_id not in known:
            found.append(Supplier(thing.id, thing.name, None, None, thing.area_id, None, None, None, None))
    return found


def _outputs(session: Session, events: Collection[int]) -> dict[int, set[int]]:
    """What came out of each event."""
    found: dict[int, set[int]] = defaultdict(set)
    query = sa.select(TraceEventItem.event_id, TraceEventItem.item_id).where(TraceEventItem.role == "output")
    for part in chunks(events):
        for event, item_id in session.execute(query.where(TraceEventItem.event_id.in_(part))):
            found[event].add(item_id)
    return found


def _supplier(
    item_id: int, name: str, said: Mapping[str, Any], quantity: float | None, uom: str | None
) -> Supplier:
    area = area_of(str(said.get("area") or ""))
    return Supplier(
        item_id, said.get("name") or name, said.get("supplier"), said.get("household"), area,
        said.get("receivedOn"), quantity, uom, said.get("document"),
    )  # fmt: skip
