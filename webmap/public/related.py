"""Rows that belong to a record, as far as the caller may see them, with the fields that lists show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data.accounts import visible
from data.admin_units import Commune, CommuneSuccession
from data.craft_villages import CraftVillage, CraftVillagePoint
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product, ProductGrowingArea, ProductSalePoint, SalePoint
from data.traceability.lots import Lot
from services import context

SHOWN = 12

Describe = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Related:
    """The first rows of a relation and how many there are."""

    rows: list[dict[str, Any]]
    total: int


def products(condition: Any, limit: int = SHOWN) -> Related:
    """Return products by falling star."""
    order = (sa.nulls_last(Product.stars.desc()), Product.name, Product.id)
    return _find(Product, condition, order, _product, limit)


def products_from_area(area_id: int) -> Related:
    """Return the products whose material comes from a growing area."""
    links = sa.select(ProductGrowingArea.product_id).where(ProductGrowingArea.growing_area_id == area_id)
    return products(Product.id.in_(links))


def growing_areas(condition: Any, limit: int = SHOWN) -> Related:
    """Return growing areas, the largest first."""
    order = (sa.nulls_last(GrowingArea.area_ha.desc()), GrowingArea.id)
    return _find(GrowingArea, condition, order, _area, limit)


def areas_of_product(product_id: int) -> Related:
    """Return the growing areas that a product's material comes from."""
    links = sa.select(ProductGrowingArea.growing_area_id).where(ProductGrowingArea.product_id == product_id)
    return growing_areas(GrowingArea.id.in_(links))


def villages(condition: Any, limit: int = SHOWN) -> Related:
    """Return craft villages by name."""
    return _find(CraftVillage, condition, (CraftVillage.name, CraftVillage.id), _village, limit)


def village_points(village_id: int) -> Related:
    """Return the places of a village that receive visitors."""
    condition = CraftVillagePoint.village_id == village_id
    return _find(CraftVillagePoint, condition, (CraftVillagePoint.id,), _visitor_point, SHOWN)


def producers(condition: Any, limit: int = SHOWN) -> Related:
    """Return producers by name."""
    return _find(Producer, condition, (Producer.name, Producer.id), _producer, limit)


def sale_points(product_id: int) -> Related:
    """Return where a product is sold."""
    links = sa.select(ProductSalePoint.sale_point_id).where(ProductSalePoint.product_id == product_id)
    return _find(SalePoint, SalePoint.id.in_(links), (SalePoint.name, SalePoint.id), _sale_point, SHOWN)


def lots(condition: Any) -> Related:
    """Return lots, the latest first."""
    return _find(Lot, condition, (sa.nulls_last(Lot.produced_on.desc()), Lot.id.desc()), _lot, SHOWN)


def successors(commune_id: int) -> list[dict[str, Any]]:
    """Return the communes that took over parts of this one, the largest share first."""
    query = sa.select(CommuneSuccession).where(CommuneSuccession.old_id == commune_id)
    rows = context.session().scalars(query.order_by(CommuneSuccession.share_of_old.desc()))
    return [_step(row.new, row.share_of_old, row.decree) for row in rows]


def predecessors(commune_id: int) -> list[dict[str, Any]]:
    """Return the communes that this one was made from, the largest share first."""
    query = sa.select(CommuneSuccession).where(CommuneSuccession.new_id == commune_id)
    rows = context.session().scalars(query.order_by(CommuneSuccession.share_of_new.desc()))
    return [_step(row.old, row.share_of_old, row.decree) for row in rows]


def seen(model: Any, row_id: int | None) -> Any:
    """Return a row by its id if the caller may see it, else None."""
    if row_id is None:
        return None
    query = sa.select(model).where(model.id == row_id, visible(context.actor(), model))
    return context.session().scalar(query)


def _find(model: Any, condition: Any, order: tuple[Any, ...], describe: Describe, limit: int) -> Related:
    session = context.session()
    wanted = sa.and_(condition, visible(context.actor(), model))
    total = session.scalar(sa.select(sa.func.count()).select_from(model).where(wanted)) or 0
    rows = session.scalars(sa.select(model).where(wanted).order_by(*order).limit(limit))
    return Related([describe(row) for row in rows], total)


def _place(row: Any) -> dict[str, Any]:
    commune = row.commune
    return {
        "commune_id": commune.id if commune else None,
        "commune_name": commune.name if commune else None,
        "district_name": commune.district.name if commune and commune.district else None,
    }


def _product(row: Product) -> dict[str, Any]:
    producer = seen(Producer, row.producer_id)
    english = row.name_en if context.language() == "en" else None
    return {
        "id": row.id,
        "name": english or row.name,
        "stars": row.stars,
        "producer_name": producer.name if producer else None,
        **_place(row),
    }


def _area(row: GrowingArea) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "crop": row.crop, "area_ha": row.area_ha, **_place(row)}


def _village(row: CraftVillage) -> dict[str, Any]:
    english = row.name_en if context.language() == "en" else None
    return {"id": row.id, "name": english or row.name, "kind": row.kind, "craft": row.craft, **_place(row)}


def _producer(row: Producer) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "kind": row.kind, **_place(row)}


VISITOR_FACTS = (
    "kind",
    "opening_hours",
    "visit_minutes",
    "capacity",
    "price_vnd",
    "hands_on",
    "homestay",
    "step_free",
    "toilet",
    "coach_parking",
    "languages",
    "visitor_phone",
    "checked_on",
    "checked_by",
)


def _visitor_point(row: CraftVillagePoint) -> dict[str, Any]:
    english = row.name_en if context.language() == "en" else None
    return {"id": row.id, "name": english or row.name, **{name: getattr(row, name) for name in VISITOR_FACTS}}


def _sale_point(row: SalePoint) -> dict[str, Any]:
    names = ("id", "name", "kind", "address", "opening_hours", "shop_phone")
    return {**{name: getattr(row, name) for name in names}, **_place(row)}


def _lot(row: Lot) -> dict[str, Any]:
    names = ("id", "lot_number", "produced_on", "expires_on", "quantity", "unit", "lot_status")
    return {name: getattr(row, name) for name in names}


def _step(unit: Commune, share: float, decree: str | None) -> dict[str, Any]:
    return {"id": unit.id, "name": unit.full_name, "edition": unit.edition, "share": share, "decree": decree}
