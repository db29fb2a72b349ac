"""The things of a trace as an actor may see them: what they are, whose, and where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EVERYTHING, Actor, own_rows, visible
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product
from data.programme.rights import seen
from data.traceability.identifiers import own_parts
from data.traceability.items import Item, chunks
from data.traceability.lots import Lot
from data.traceability.tables import TraceEvent, TraceEventItem


@dataclass(frozen=True)
class Known:
    """What the record says of a thing; `lon` and `lat` in degrees, of the lot, its maker or the growing area."""

    name: str | None = None
    lot_number: str | None = None
    product: str | None = None
    producer: str | None = None
    area_id: int | None = None
    lon: float | None = None
    lat: float | None = None


def area_id_of(uri: str) -> int | None:
    """Return the row of the growing area that a name is of; None for another name."""
    own = own_parts(uri) if uri.startswith("urn:ocop:area:") else None
    return int(own[1]) if own and own[1].isdecimal() else None


def open_items(
    session: Session, actor: Actor, items: Collection[Item], sources: Collection[int]
) -> frozenset[int]:
    """Return the items of which the actor may know what and whose they are.

    These are their own, those in events that they see, and, of `sources` (what something was made of), published
    lots and growing areas. Who bought something shows only to those who see the buyer's events.
    """
    if actor.role in EVERYTHING:
        return frozenset(item.id for item in items)
    found = _own(session, actor, items) | _in_events(session, actor, {item.id for item in items})
    back = [item for item in items if item.id in sources and item.id not in found]
    lots = _rows_that(session, Lot, {i.lot_id for i in back if i.lot_id is not None}, visible(actor, Lot))
    keys = {item.id: area_id_of(item.uri) for item in back}
    areas = _rows_that(
        session, GrowingArea, {key for key in keys.values() if key is not None}, visible(actor, GrowingArea)
    )
    return frozenset(found | {i.id for i in back if i.lot_id in lots or keys[i.id] in areas})


def _own(session: Session, actor: Actor, items: Collection[Item]) -> set[int]:
    rule = own_rows(actor, Producer)
    producers = {item.producer_id for item in items if item.producer_id is not None}
    own = set() if rule is None else _rows_that(session, Producer, producers, rule)
    return {item.id for item in items if item.producer_id in own}


def _rows_that(session: Session, model: Any, ids: Collection[int], rule: sa.ColumnElement[bool]) -> set[int]:
    return {
        key
        for part in chunks(ids)
        for key in session.scalars(sa.select(model.id).where(model.id.in_(part), rule))
    }


def _in_events(session: Session, actor: Actor, ids: Collection[int]) -> set[int]:
    query = (
        sa.select(TraceEventItem.item_id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(seen(actor, TraceEvent))
        .distinct()
    )
    return {
        key for part in chunks(ids) for key in session.scalars(query.where(TraceEventItem.item_id.in_(part)))
    }


def describe(session: Session, items: Collection[Item]) -> dict[int, Known]:
    """Return what the record says of N items, by item; those that it says nothing of are left out."""
    areas = {item.id: key for item in items if (key := area_id_of(item.uri)) is not None}
    lots = _rows(session, Lot, {i.lot_id for i in items if i.lot_id}, Lot.lot_number, Lot.geom)
    products = _rows(session, Product, {i.product_id for i in items if i.product_id}, Product.name)
    producers = _rows(
        session, Producer, {i.producer_id for i in items if i.producer_id}, Producer.name, Producer.geom
    )
    places = _rows(session, GrowingArea, set(areas.values()), GrowingArea.name, GrowingArea.geom)
    found = {}
    for item in items:
        if item.id in areas:
            name, shape = places.get(areas[item.id], (None, None))
            found[item.id] = Known(name=name, area_id=areas[item.id], **_point(shape))
        elif item.product_id is not None or item.lot_id is not None:
            found[item.id] = _of_lot(item, lots, products, producers)
    return found


def _of_lot(
    item: Item,
    lots: Mapping[int, tuple[Any, ...]],
    products: Mapping[int, tuple[Any, ...]],
    producers: Mapping[int, tuple[Any, ...]],
) -> Known:
    number, spot = lots.get(item.lot_id or 0, (None, None))
    producer, seat = producers.get(item.producer_id or 0, (None, None))
    product = products.get(item.product_id or 0, (None,))[0]
    return Known(
        name=product, lot_number=number, product=product, producer=producer, **_point(spot if spot else seat)
    )


def _rows(session: Session, model: Any, ids: Collection[int], *columns: Any) -> dict[int, tuple[Any, ...]]:
    found: dict[int, tuple[Any, ...]] = {}
    for part in chunks(ids):
        for row in session.execute(sa.select(model.id, *columns).where(model.id.in_(part))):
            found[row[0]] = tuple(row[1:])
    return found


def _point(shape: Any) -> dict[str, Any]:
    """Return a point of a geometry, inside it."""
    if shape is None or shape.is_empty:
        return {"lon": None, "lat": None}
    point = shape if shape.geom_type == "Point" else shape.representative_point()
    return {"lon": point.x, "lat": point.y}
