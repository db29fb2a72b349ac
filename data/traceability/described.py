"""Things of a trace as people know them: the lot with its product and maker, the pond by its name, the carton."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product
from data.programme.rights import seen
from data.traceability.identifiers import own_parts
from data.traceability.items import chunks
from data.traceability.lots import Lot
from data.traceability.tables import TraceEvent, TraceEventItem, TraceItem

INPUT = "ocop:input"


@dataclass(frozen=True)
class Described:
    """One thing; what the actor may not know of it is None, and `is_open` says whether they may know its name."""

    id: int
    uri: str
    kind: str
    state: str
    is_open: bool
    name: str
    lot_id: int | None = None
    number: str | None = None
    serial: str | None = None
    product_id: int | None = None
    product: str | None = None
    producer_id: int | None = None
    producer: str | None = None
    commune_id: int | None = None
    produced_on: dt.date | None = None
    expires_on: dt.date | None = None
    unit: str | None = None
    area_id: int | None = None


def describe(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Described]:
    """Return what the actor may know of N items, by their rows; unknown rows are left out."""
    rows = [
        row
        for part in chunks(ids)
        for row in session.scalars(sa.select(TraceItem).where(TraceItem.id.in_(part)))
    ]
    lots = _lots(session, actor, {row.lot_id for row in rows if row.lot_id is not None})
    areas = _areas(session, actor, {key for row in rows if (key := area_of(row.uri)) is not None})
    named = {row.id for row in rows if row.lot_id in lots or area_of(row.uri) in areas}
    known = _seen_in_events(session, actor, {row.id for row in rows} - named)
    return {row.id: _one(row, lots, areas, known) for row in rows}


def area_of(uri: str) -> int | None:
    """Return the row of the growing area that a name is of; None for another name."""
    own = own_parts(uri)
    return int(own[1]) if own and own[0] == "area" and own[1].isdecimal() else None


def short_name(uri: str) -> str:
    """Return the last part of a name, which is what is printed on the thing: the lot number, the serial, the SSCC."""
    own = own_parts(uri)
    return own[-1] if own else unquote(uri.rstrip("/").rpartition("/")[2].rpartition(":")[2])


def _one(
    row: TraceItem,
    lots: Mapping[int, Any],
    areas: Mapping[int, Any],
    known: Mapping[int, str],
) -> Described:
    lot = lots.get(row.lot_id or 0)
    if lot is not None:
        number = short_name(row.uri) if row.kind != "lot" else None
        name = f"{lot.lot_number} · {number}" if number else lot.lot_number
        return Described(
            row.id, row.uri, row.kind, row.state, True, name,
            lot_id=lot.id, number=lot.lot_number, serial=number, product_id=lot.product_id, product=lot.product,
            producer_id=lot.producer_id, producer=lot.producer, commune_id=lot.commune_id,
            produced_on=lot.produced_on, expires_on=lot.expires_on, unit=lot.unit,
        )  # fmt: skip
    area = areas.get(area_of(row.uri) or 0)
    if area is not None:
        return Described(
            row.id, row.uri, row.kind, row.state, True, area.name, area_id=area.id,
            commune_id=area.commune_id, producer_id=area.producer_id,
        )  # fmt: skip
    if row.id in known:
        name = known[row.id] or short_name(row.uri)
        return Described(row.id, row.uri, row.kind, row.state, True, name, producer_id=row.producer_id)
    return Described(row.id, row.uri, row.kind, row.state, False, "")


def _lots(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Any]:
    columns = (
        Lot.id, Lot.lot_number, Lot.product_id, Product.name.label("product"), Lot.producer_id,
        Producer.name.label("producer"), Lot.commune_id, Lot.produced_on, Lot.expires_on, Lot.unit,
    )  # fmt: skip
    query = (
        sa.select(*columns)
        .join(Product, Product.id == Lot.product_id)
        .outerjoin(Producer, Producer.id == Lot.producer_id)
        .where(visible(actor, Lot))
    )
    return {row.id: row for part in chunks(ids) for row in session.execute(query.where(Lot.id.in_(part)))}


def _areas(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Any]:
    columns = (GrowingArea.id, GrowingArea.name, GrowingArea.commune_id, GrowingArea.producer_id)
    query = sa.select(*columns).where(visible(actor, GrowingArea))
    return {
        row.id: row for part in chunks(ids) for row in session.execute(query.where(GrowingArea.id.in_(part)))
    }


def _seen_in_events(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The things that the actor knows from an event that they see, with the name that was written for them."""
    found: dict[int, str] = {}
    query = (
        sa.select(TraceEventItem.item_id, TraceEvent.document)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(seen(actor, TraceEvent))
        .order_by(TraceEvent.id)
    )
    for part in chunks(ids):
        for item_id, document in session.execute(query.where(TraceEventItem.item_id.in_(part))):
            said = document.get(INPUT) if document.get("type") == "ObjectEvent" else None
            found[item_id] = (said or {}).get("name") or found.get(item_id, "")
    return found
