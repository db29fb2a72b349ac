"""Lists of lots for those who keep or look at dossiers, and what the forms of a dossier offer to choose from."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor, visible
from data.growing_areas import GrowingArea
from data.products import Product, ProductGrowingArea, SalePoint
from data.programme.rights import acts, seen
from data.text import fold
from data.traceability.blockevents import uri_of
from data.traceability.dossier import Dossier, dossier_of, dossiers_of
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.profiles import NoLots, profile_for

#: So many are offered to choose from.
MOST = 300
TOURISM_SET = 26


def search(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    state: str | None = None,
    product_id: int | None = None,
    first: int = 0,
    limit: int = 30,
) -> tuple[list[Lot], int]:
    """Return a page of the lots whose dossiers the actor sees, those being made first, and how many there are."""
    query = sa.select(Lot).join(Product, Product.id == Lot.product_id).where(seen(actor, Lot))
    if text:
        folded = fold(text)
        query = query.where(
            sa.or_(
                Lot.search.contains(folded, autoescape=True), Product.search.contains(folded, autoescape=True)
            )
        )
    if state:
        query = query.where(Lot.lot_status == state)
    if product_id is not None:
        query = query.where(Lot.product_id == product_id)
    total = session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    order = (sa.case((Lot.lot_status == "open", 0), else_=1), Lot.produced_on.desc(), Lot.id.desc())
    page = query.options(joinedload(Lot.product), joinedload(Lot.producer)).order_by(*order)
    return list(session.scalars(page.offset(first).limit(limit))), total


def with_dossiers(session: Session, actor: Actor, lots: Sequence[Lot]) -> list[tuple[Lot, Dossier]]:
    """Return lots with their dossiers, but for goods that are not made in lots."""
    made = []
    for lot in lots:
        try:
            profile_for(lot.product.product_set, lot.product.name, lot.produced_on or lot.created_at.date())  # type: ignore[union-attr]
        except NoLots:
            continue
        made.append(lot)
    found = dossiers_of(session, actor, made) if made else {}
    return [(lot, found[lot.id]) for lot in made]


def products(session: Session, actor: Actor, *, limit: int = MOST) -> list[Product]:
    """List the products of which the actor begins lots, by name."""
    query = sa.select(Product).where(acts(actor, Product), Product.product_set != TOURISM_SET)
    return list(session.scalars(query.order_by(Product.name, Product.id).limit(limit)))


def shows_dossiers(session: Session, actor: Actor, product_id: int) -> bool:
    """Tell whether the actor keeps or looks at the dossiers of a product's lots."""
    if actor.account_id is None:
        return False
    own = sa.select(Product.id).where(Product.id == product_id, Product.product_set != TOURISM_SET)
    return session.scalar(own.where(seen(actor, Product))) is not None


def last_product(session: Session, actor: Actor) -> int | None:
    """Return the product of the lot that was begun last."""
    query = sa.select(Lot.product_id).where(seen(actor, Lot)).order_by(Lot.id.desc())
    return session.scalars(query.limit(1)).first()


def area_ids(session: Session, lot: Lot) -> list[int]:
    """List the growing areas of a lot."""
    query = sa.select(LotGrowingArea.growing_area_id).where(LotGrowingArea.lot_id == lot.id)
    return list(session.scalars(query.order_by(LotGrowingArea.id)))


def areas(session: Session, actor: Actor, product: Product, lot: Lot | None) -> list[tuple[int, str]]:
    """List the growing areas that material may come from: of the last lot, the product and the producer."""
    known = [
        sa.select(ProductGrowingArea.growing_area_id).where(ProductGrowingArea.product_id == product.id),
        sa.select(GrowingArea.id).where(
            GrowingArea.producer_id == product.producer_id, GrowingArea.producer_id.is_not(None)
        ),
    ]
    if lot is not None:
        known.append(sa.select(LotGrowingArea.growing_area_id).where(LotGrowingArea.lot_id == lot.id))
    query = sa.select(GrowingArea.id, GrowingArea.name, GrowingArea.code_summary).where(
        GrowingArea.id.in_(sa.union(*known)), visible(actor, GrowingArea)
    )
    rows = session.execute(query.order_by(GrowingArea.name).limit(MOST))
    return [(key, f"{name} ({code})" if code else name) for key, name, code in rows]


def sources(session: Session, actor: Actor, lot: Lot) -> list[tuple[str, str]]:
    """List the lots that may go into a lot, by their names: those of the same people, made before it."""
    query = (
        sa.select(Lot)
        .options(joinedload(Lot.product))
        .where(
            seen(actor, Lot),
            Lot.id != lot.id,
            Lot.producer_id == lot.producer_id,
            Lot.lot_status != "recalled",
        )
    )
    if lot.produced_on is not None:
        query = query.where(Lot.produced_on <= lot.produced_on)
    rows = session.scalars(query.order_by(Lot.produced_on.desc(), Lot.id.desc()).limit(MOST))
    return [(uri_of(row), f"{row.product.name} · {row.lot_number}") for row in rows]


def sale_points(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """List the shops that goods may go to."""
    query = sa.select(SalePoint.id, SalePoint.name).where(visible(actor, SalePoint))
    return [(key, name) for key, name in session.execute(query.order_by(SalePoint.name).limit(MOST))]


def dossier_before(session: Session, actor: Actor, lot: Lot) -> Dossier | None:
    """Return the dossier of the product's lot before this one, whose values a form takes over."""
    query = sa.select(Lot).where(Lot.product_id == lot.product_id, Lot.id < lot.id, seen(actor, Lot))
    row = session.scalars(query.order_by(Lot.id.desc()).limit(1)).first()
    return dossier_of(session, actor, row) if row is not None else None
