"""What of the record stands behind a scanned code, as far as the caller may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor, visible
from data.producers import Producer
from data.products import Product
from data.traceability.digitallinks import GTIN, DigitalLink, link_of
from data.traceability.identifiers import own_parts
from data.traceability.lots import Lot
from data.traceability.tables import FREE, TraceEdge, TraceItem

LOT, SERIAL = "10", "21"
PLACES = frozenset({"414", "417"})
PACKED = "packed"
MOST_LOTS_IN_CARTON = 20


@dataclass(frozen=True)
class Target:
    """What a code leads to: product and lot, a producer, or the lots in a carton.

    `lot_number` is what the code says, also where there is no such lot; `serial` names one jar of the lot.
    """

    uri: str
    product: Product | None = None
    lot: Lot | None = None
    lot_number: str | None = None
    serial: str | None = None
    producer: Producer | None = None
    packed: tuple[Lot, ...] = ()
    state: str | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether there is anything at all to lead to."""
        return bool(self.product or self.lot or self.producer or self.packed)


def resolve(session: Session, actor: Actor, uri: str) -> Target:
    """Return what a canonical name leads to; its parts are None where the caller sees nothing."""
    own = own_parts(uri)
    if own and own[0] == "lot":
        serial = own[3] if len(own) > 3 else None
        condition = Product.id == int(own[1]) if own[1].isdecimal() else sa.false()
        return _product_target(session, actor, uri, condition, own[2], serial)
    link = link_of(uri, tolerant=True)
    if link.key == GTIN:
        return _of_gtin(session, actor, uri, link)
    return _of_item(session, actor, uri, link)


def has_lot(session: Session, actor: Actor, product_id: int, number: str) -> bool:
    """Tell whether the caller sees a lot of a product by its number."""
    return _lot(session, actor, [product_id], number) is not None


def ways_to_write(gtin: str) -> list[str]:
    """List a GTIN of 14 digits as it may be kept: with 14, 13, 12 or 8."""
    return [gtin[14 - n :] for n in (14, 13, 12, 8) if not gtin[: 14 - n].strip("0")]


def _of_gtin(session: Session, actor: Actor, uri: str, link: DigitalLink) -> Target:
    qualifiers = dict(link.qualifiers)
    number, serial = qualifiers.get(LOT), qualifiers.get(SERIAL)
    if number is None and serial is not None:
        number = session.scalar(
            sa.select(Lot.lot_number).join(TraceItem, TraceItem.lot_id == Lot.id).where(TraceItem.uri == uri)
        )
    condition = Product.gtin.in_(ways_to_write(link.value))
    return _product_target(session, actor, uri, condition, number, serial)


def _product_target(
    session: Session, actor: Actor, uri: str, condition: Any, number: str | None, serial: str | None
) -> Target:
    query = sa.select(Product).options(joinedload(Product.producer))
    products = list(session.scalars(query.where(condition, visible(actor, Product)).order_by(Product.id)))
    lot = _lot(session, actor, [p.id for p in products], number) if number and products else None
    product = lot.product if lot else products[0] if products else None
    return Target(
        uri, product, lot, number, serial, _producer(session, actor, lot, product), (), _state(session, lot)
    )


def _lot(session: Session, actor: Actor, products: list[int], number: str) -> Lot | None:
    query = sa.select(Lot).where(Lot.product_id.in_(products), Lot.lot_number == number, visible(actor, Lot))
    return session.scalar(query.options(joinedload(Lot.product)).order_by(Lot.id).limit(1))


def _producer(session: Session, actor: Actor, lot: Lot | None, product: Product | None) -> Producer | None:
    owner = (lot.producer_id if lot else None) or (product.producer_id if product else None)
    return _seen_producer(session, actor, owner)


def _seen_producer(session: Session, actor: Actor, producer_id: int | None) -> Producer | None:
    if producer_id is None:
        return None
    query = sa.select(Producer).where(Producer.id == producer_id, visible(actor, Producer))
    return session.scalar(query)


def _state(session: Session, lot: Lot | None) -> str | None:
    """Return the state of a lot for the count of readings: what a decision says, else its status."""
    if lot is None:
        return None
    query = sa.select(TraceItem.state).where(TraceItem.lot_id == lot.id, TraceItem.state != FREE)
    return session.scalar(query.limit(1)) or lot.lot_status


def _of_item(session: Session, actor: Actor, uri: str, link: DigitalLink) -> Target:
    """Find a carton, place or party that events have spoken of; a longer name of a place falls back to its GLN."""
    names = [uri, *(level.canonical for level in link.levels)] if link.key in PLACES else [uri]
    query = (
        sa.select(TraceItem).where(TraceItem.uri.in_(names)).order_by(sa.func.length(TraceItem.uri).desc())
    )
    item = session.scalar(query.limit(1))
    if item is None:
        return Target(uri)
    packed = _packed(session, actor, item)
    return Target(uri, producer=_seen_producer(session, actor, item.producer_id), packed=packed)


def _packed(session: Session, actor: Actor, carton: TraceItem) -> tuple[Lot, ...]:
    query = (
        sa.select(Lot)
        .options(joinedload(Lot.product))
        .join(TraceItem, TraceItem.lot_id == Lot.id)
        .join(TraceEdge, TraceEdge.source_id == TraceItem.id)
        .where(TraceEdge.target_id == carton.id, TraceEdge.kind == PACKED, visible(actor, Lot))
    )
    return tuple(session.scalars(query.distinct().order_by(Lot.id).limit(MOST_LOTS_IN_CARTON)))
