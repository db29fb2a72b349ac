"""Things that events speak of, each under one name, and the lots of the record that they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.bulk import table_of
from data.products import Product
from data.traceability import identifiers
from data.traceability.lots import Lot
from data.traceability.tables import FREE, TraceItem

LOT, INSTANCE, RUN = "lot", "instance", "run"

#: How many values one statement may list; both databases take more.
CHUNK = 5_000
_RUN = "urn:ocop:run:"
_GTIN = re.compile(
    r"https://id\.gs1\.org/01/(?P<gtin>\d{14})(?:/22/[^/]+)?(?:/10/(?P<lot>[^/]+))?(?:/21/(?P<serial>[^/]+))?"
)
_OWN_LOT = re.compile(r"urn:ocop:lot:(?P<product>\d{1,18}):(?P<lot>[^:]+)(?::(?P<serial>[^:]+))?")


@dataclass(frozen=True)
class LotName:
    """What a name says of a lot: the product by GTIN or number, and the lot number if it says one."""

    gtin: str | None
    product_id: int | None
    lot_number: str | None


@dataclass(frozen=True)
class Found:
    """What of the record a name stands for."""

    lot_id: int | None
    product_id: int | None
    producer_id: int | None


@dataclass
class Item:
    """A row of `trace_items`, as plain values."""

    id: int
    uri: str
    kind: str
    lot_id: int | None
    product_id: int | None
    producer_id: int | None
    state: str
    is_new: bool = False


ITEM_COLUMNS = tuple(
    TraceItem.__table__.c[name]
    for name in ("id", "uri", "kind", "lot_id", "product_id", "producer_id", "state")
)


def run_uri(transformation_id: str) -> str:
    """Return the name of the run that joins the events of one transformation."""
    return _RUN + transformation_id


def lot_name_of(uri: str) -> str | None:
    """Return the canonical name of the lot that a canonical name of a jar or sample is of; None for any other."""
    own = _OWN_LOT.fullmatch(uri)
    if own:
        return uri.rpartition(":")[0] if own["serial"] else None
    link = _GTIN.fullmatch(uri)
    if link and link["lot"] and link["serial"]:
        return uri.rpartition("/21/")[0]
    return None


def named_lot(uri: str) -> LotName | None:
    """Read product and lot number from a canonical name; None for a name of another kind."""
    own = _OWN_LOT.fullmatch(uri)
    if own:
        return LotName(None, int(own["product"]), unquote(own["lot"]))
    link = _GTIN.fullmatch(uri)
    if link:
        return LotName(link["gtin"], None, unquote(link["lot"]) if link["lot"] else None)
    return None


def find_lots(session: Session, uris: Iterable[str]) -> dict[str, Found]:
    """Return what of the record each canonical name stands for; names of nothing known are left out."""
    names = {uri: name for uri in uris if (name := named_lot(uri)) is not None}
    if not names:
        return {}
    products = _products_of(session, names.values())
    lots = _lots_of(session, {key for keys in products.values() for key, _ in keys}, names.values())
    found = {}
    for uri, name in names.items():
        candidates = products.get(name.gtin or name.product_id or 0, [])
        lot = next(
            (lots[key, name.lot_number] for key, _ in candidates if (key, name.lot_number) in lots), None
        )
        if lot is not None:
            found[uri] = lot
        elif candidates:
            product_id, producer_id = candidates[0]
            found[uri] = Found(None, product_id, producer_id)
    return found


def _products_of(
    session: Session, names: Collection[LotName]
) -> dict[str | int, list[tuple[int, int | None]]]:
    """Return the products (id and producer) by GTIN of 14 digits and by number, the oldest first."""
    found: dict[str | int, list[tuple[int, int | None]]] = {}
    columns = (Product.id, Product.producer_id, Product.gtin)
    numbers = {name.product_id for name in names if name.product_id is not None}
    for part in chunks(numbers):
        for key, producer_id, _ in session.execute(sa.select(*columns).where(Product.id.in_(part))):
            found[key] = [(key, producer_id)]
    written = {form for name in names if name.gtin for form in _ways_to_write(name.gtin)}
    for part in chunks(written):
        query = sa.select(*columns).where(Product.gtin.in_(part)).order_by(Product.id)
        for key, producer_id, gtin in session.execute(query):
            found.setdefault(str(gtin).zfill(14), []).append((key, producer_id))
    return found


def _ways_to_write(gtin: str) -> Iterator[str]:
    yield gtin
    for length in (13, 12, 8):
        if gtin[:-length].strip("0") == "":
            yield gtin[-length:]


def _lots_of(
    session: Session, products: Collection[int], names: Iterable[LotName]
) -> dict[tuple[int, str | None], Found]:
    numbers = {name.lot_number for name in names if name.lot_number}
    if not products or not numbers:
        return {}
    columns = (Lot.id, Lot.product_id, Lot.producer_id, Lot.lot_number)
    found: dict[tuple[int, str | None], Found] = {}
    for part in chunks(numbers):
        query = sa.select(*columns).where(Lot.lot_number.in_(part), Lot.product_id.in_(products))
        for key, product_id, producer_id, number in session.execute(query):
            found[product_id, number] = Found(key, product_id, producer_id)
    return found


def lot_of_uri(session: Session, uri: str) -> Lot | None:
    """Return the lot that a name stands for, also when it is of a jar or sample of it; None when there is none."""
    name = identifiers.canonical(uri)
    found = find_lots(session, [name]).get(name)
    return None if found is None or found.lot_id is None else session.get(Lot, found.lot_id)


def item_of_lot(session: Session, lot: Lot) -> TraceItem:
    """Return the item of a lot of the record, made if there is none; a lot keeps the name it was first given."""
    session.flush()
    query = sa.select(TraceItem).where(TraceItem.lot_id == lot.id, TraceItem.kind == LOT)
    item = session.scalar(query.order_by(TraceItem.id).limit(1))
    if item is not None:
        return item
    product = session.get_one(Product, lot.product_id)
    uri = identifiers.lot_uri(product.gtin, product.id, lot.lot_number)
    made = ensure_items(session, [uri])[uri]
    if made.lot_id is None:
        values = {"lot_id": lot.id, "product_id": lot.product_id, "producer_id": lot.producer_id}
        session.execute(sa.update(TraceItem).where(TraceItem.id == made.id).values(values))
    return session.get_one(TraceItem, made.id, populate_existing=True)


def items_named(session: Session, uris: Iterable[str]) -> dict[str, TraceItem]:
    """Return the items behind names in any notation, by the name as it was given; unknown names are left out.

    A name that is not known itself but stands for a lot that is known under another name leads to that item.
    """
    canonical = {uri: identifiers.canonical(uri) for uri in uris}
    known = _items_by_uri(session, set(canonical.values()))
    for name, item in _other_names(session, set(canonical.values()) - set(known)).items():
        known[name] = item
    rows = _rows(session, {item.id for item in known.values()})
    return {uri: rows[known[name].id] for uri, name in canonical.items() if name in known}


def _rows(session: Session, ids: Collection[int]) -> dict[int, TraceItem]:
    found: dict[int, TraceItem] = {}
    for part in chunks(ids):
        found |= {row.id: row for row in session.scalars(sa.select(TraceItem).where(TraceItem.id.in_(part)))}
    return found


def ensure_items(session: Session, uris: Iterable[str], *, runs: Iterable[str] = ()) -> dict[str, Item]:
    """Return the item of every canonical name (and of every run by its transformation id), made where missing.

    Items whose lot has come into the record since are joined to it.
    """
    wanted = set(uris)
    wanted |= {lot for uri in wanted if (lot := lot_name_of(uri)) is not None}
    run_names = {run_uri(run) for run in runs}
    known = _items_by_uri(session, wanted | run_names)
    loose = [uri for uri, item in known.items() if item.lot_id is None and item.kind != RUN]
    missing = wanted - set(known)
    found = find_lots(session, [*missing, *loose])
    _join(session, {uri: known[uri] for uri in loose}, found)
    aliases = _other_names(session, missing, found)
    known |= aliases
    rows = [
        _new_item(uri, identifiers.kind_of(uri), found.get(uri)) for uri in sorted(missing - set(aliases))
    ]
    rows += [_new_item(uri, RUN, None) for uri in sorted(run_names - set(known))]
    if rows:
        insert_new(session, rows)
        made = _items_by_uri(session, {row["uri"] for row in rows})
        for item in made.values():
            item.is_new = True
        known |= made
    return known


def _new_item(uri: str, kind: str, found: Found | None) -> dict[str, Any]:
    return {
        "uri": uri,
        "kind": kind,
        "lot_id": found.lot_id if found else None,
        "product_id": found.product_id if found else None,
        "producer_id": found.producer_id if found else None,
        "state": FREE,
    }


def insert_new(session: Session, rows: list[dict[str, Any]]) -> None:
    """Insert items, leaving alone what somebody else has inserted in the meantime."""
    table = table_of(TraceItem)
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        session.execute(insert(table).on_conflict_do_nothing(index_elements=["uri"]), rows)
    else:
        session.execute(sa.insert(table), rows)


def _items_by_uri(session: Session, uris: Collection[str]) -> dict[str, Item]:
    found = {}
    for part in chunks(uris):
        for row in session.execute(sa.select(*ITEM_COLUMNS).where(TraceItem.uri.in_(part))):
            found[row.uri] = Item(*row)
    return found


def _other_names(
    session: Session, uris: Collection[str], found: Mapping[str, Found] | None = None
) -> dict[str, Item]:
    """Return the items of lots that are known under another name, such as the one from before they had a GTIN."""
    found = find_lots(session, uris) if found is None else found
    whole = {uri: found[uri].lot_id for uri in uris if uri in found and lot_name_of(uri) is None}
    by_lot: dict[int | None, Item] = {}
    for part in chunks({lot for lot in whole.values() if lot is not None}):
        query = sa.select(*ITEM_COLUMNS).where(TraceItem.lot_id.in_(part), TraceItem.kind == LOT)
        for row in session.execute(query.order_by(TraceItem.id.desc())):
            by_lot[row.lot_id] = Item(*row)
    return {uri: by_lot[lot] for uri, lot in whole.items() if lot in by_lot}


def _join(session: Session, loose: Mapping[str, Item], found: Mapping[str, Found]) -> None:
    for uri, item in loose.items():
        now = found.get(uri)
        if now is None or (now.lot_id, now.product_id, now.producer_id) == (
            item.lot_id, item.product_id, item.producer_id,
        ):  # fmt: skip
            continue
        item.lot_id, item.product_id, item.producer_id = now.lot_id, now.product_id, now.producer_id
        values = {"lot_id": now.lot_id, "product_id": now.product_id, "producer_id": now.producer_id}
        session.execute(sa.update(TraceItem).where(TraceItem.id == item.id).values(values))


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """Part values into lists that one statement can take, in a fixed order."""
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def item_of_lot_seen(session: Session, actor: Actor, lot_id: int) -> TraceItem | None:
    """Return the thing that a lot is in the trace record, when the actor may see the lot; else None."""
    query = (
        sa.select(TraceItem)
        .join(Lot, Lot.id == TraceItem.lot_id)
        .where(Lot.id == lot_id, TraceItem.kind == LOT, visible(actor, Lot))
    )
    return session.scalars(query.order_by(TraceItem.id).limit(1)).first()
