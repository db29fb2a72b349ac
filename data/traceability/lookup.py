"""Finding what somebody means: a lot by its number, its row, its code, its address, or by its product."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor, visible
from data.products import Product
from data.text import fold
from data.traceability import items
from data.traceability.identifiers import (
    IdentifierError,
    canonical,
    from_public_path,
    lot_uri,
)
from data.traceability.lots import Lot
from data.traceability.tables import TraceItem
from gis.errors import Refusal

#: A text of at most so many digits is the number of a row; a longer one is a GTIN.
ROW_DIGITS = 9
OWN_PATH = "/lo/"


class NoSuchLot(Refusal):
    """Nothing that the actor sees goes by this name."""


@dataclass(frozen=True)
class Named:
    """What a text stands for: its canonical name, and the lot and the item of the record where there are any."""

    uri: str
    lot: Lot | None = None
    item: TraceItem | None = None


def named(session: Session, actor: Actor, text: str) -> Named:
    """Return what a text stands for: a name, a public path or address, the number of a lot's row, or a lot number.

    A lot that the actor does not see is not found. Raises NoSuchLot, or IdentifierError for a wrong code.
    """
    text = text.strip()
    if not text:
        raise NoSuchLot("Hãy cho biết lô: số lô, mã truy xuất hoặc đường dẫn.")
    if text.isdecimal() and len(text) <= ROW_DIGITS:
        lot = session.scalar(_lots(actor).where(Lot.id == int(text)))
        if lot is not None:
            return of_lot(session, lot)
    uri = uri_of(text)
    return _of_number(session, actor, text) if uri is None else _of_uri(session, actor, uri)


def uri_of(text: str) -> str | None:
    """Return the canonical name that a text holds, None for a text that is no name. Raises IdentifierError."""
    if text.startswith("urn:"):
        return canonical(text)
    if text.startswith("/"):
        return from_public_path(text)
    if text[:4].lower() == "http":
        path = urlsplit(text).path
        return from_public_path(path[path.index(OWN_PATH) :]) if OWN_PATH in path else canonical(text)
    return None


def of_lot(session: Session, lot: Lot) -> Named:
    """Return a lot with its name, and its item where events speak of it."""
    item = session.scalar(sa.select(TraceItem).where(TraceItem.lot_id == lot.id, TraceItem.kind == items.LOT))
    uri = item.uri if item is not None else lot_uri(lot.product.gtin, lot.product_id, lot.lot_number)
    return Named(uri, lot, item)


def search(session: Session, actor: Actor, text: str, *, limit: int = 20) -> list[Lot]:
    """List the lots that a text may mean, by lot number, product or code, the newest first."""
    folded = fold(text)
    if not folded:
        return []
    uri = _uri_or_none(text)
    if uri is not None:
        found = session.scalar(sa.select(TraceItem.lot_id).where(TraceItem.uri == uri))
        return [] if found is None else list(session.scalars(_lots(actor).where(Lot.id == found)))
    wanted = [Lot.search.contains(folded, autoescape=True), Product.search.contains(folded, autoescape=True)]
    if text.strip().isdecimal():
        digits = text.strip()
        wanted += [Product.gtin == digits, Product.gtin == digits.lstrip("0")]
    query = _lots(actor).where(sa.or_(*wanted)).order_by(Lot.produced_on.desc(), Lot.id.desc()).limit(limit)
    return list(session.scalars(query))


def _lots(actor: Actor) -> sa.Select[Lot]:
    return (
        sa.select(Lot)
        .join(Product, Product.id == Lot.product_id)
        .options(joinedload(Lot.product), joinedload(Lot.producer))
        .where(visible(actor, Lot))
    )


def _of_number(session: Session, actor: Actor, text: str) -> Named:
    query = _lots(actor).where(sa.func.lower(Lot.lot_number) == text.lower()).limit(2)
    found = list(session.scalars(query))
    if len(found) == 1:
        return of_lot(session, found[0])
    if found:
        raise NoSuchLot(
            "Có nhiều lô mang số “%(text)s”; hãy dùng mã truy xuất hoặc tìm theo sản phẩm.", text=text
        )
    raise NoSuchLot("Không có lô “%(text)s”; hãy kiểm tra lại số lô hoặc mã truy xuất.", text=text)


def _of_uri(session: Session, actor: Actor, uri: str) -> Named:
    item = session.scalar(sa.select(TraceItem).where(TraceItem.uri == uri))
    if item is None:
        found = items.find_lots(session, [uri]).get(uri)
        item = items.items_named(session, [uri]).get(uri)
        key = found.lot_id if found is not None else None
    else:
        key = item.lot_id
    if key is None and item is None:
        raise NoSuchLot("Không có lô “%(text)s”; hãy kiểm tra lại số lô hoặc mã truy xuất.", text=uri)
    lot = None if key is None else session.scalar(_lots(actor).where(Lot.id == key))
    if key is not None and lot is None:
        raise NoSuchLot("Không có lô “%(text)s”; hãy kiểm tra lại số lô hoặc mã truy xuất.", text=uri)
    return Named(uri, lot, item)


def _uri_or_none(text: str) -> str | None:
    try:
        return uri_of(text.strip())
    except IdentifierError:
        return None
