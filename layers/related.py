"""What belongs to a record: its parts, and the rows that point to it as far as the caller may see them.

A part (code, certificate, year, artisan) is seen with the row that it belongs to; every other row is read through
`data.accounts.visible`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.admin_units import Commune, CommuneSuccession, Edition, edition_in_use
from data.craft_villages import Artisan, CraftVillage, CraftVillagePoint, CraftVillageYear
from data.growing_areas import Certification, GrowingArea, GrowingAreaCode, GrowingAreaStatus
from data.lineage import Heir, heirs, steps_back, steps_forward
from data.producers import Producer, ProducerUpgrade
from data.products import Product, ProductGrowingArea, ProductSalePoint, SalePoint
from data.traceability.lots import Lot

OWNED = 8
LINKED = 12


@dataclass(frozen=True)
class Related:
    """The first rows of a relation, each a dictionary of what lists show, and how many there are."""

    rows: list[dict[str, Any]]
    total: int


@dataclass(frozen=True)
class Step:
    """A commune that another one became or was made from, with the share of the old one's area."""

    id: int
    name: str
    edition: str
    share: float
    decree: str | None


@dataclass(frozen=True)
class AroundCommune:
    """What a commune has, came from and became."""

    full_name: str
    district: str | None
    edition: Edition | None
    products: Related
    areas: Related
    villages: Related
    producers: Related
    successors: list[Step]
    predecessors: list[Step]
    now: tuple[Heir, ...]


@dataclass(frozen=True)
class AroundGrowingArea:
    """The parts of a growing area, who works it and what is made from it."""

    commune_id: int | None
    season_calendar: list[Any]
    producer: Producer | None
    codes: list[GrowingAreaCode]
    certifications: list[Certification]
    changes: list[GrowingAreaStatus]
    products: Related


@dataclass(frozen=True)
class AroundCraftVillage:
    """The parts of a craft village, where it receives visitors and what it makes."""

    commune_id: int | None
    artisans: list[Artisan]
    years: list[CraftVillageYear]
    points: Related
    products: Related


@dataclass(frozen=True)
class AroundProduct:
    """Who makes a product, from what, in which lots, and where it is sold."""

    commune_id: int | None
    producer: Producer | None
    village: CraftVillage | None
    areas: Related
    sale_points: Related
    lots: Related


@dataclass(frozen=True)
class AroundProducer:
    """The steps up of a producer, with products and growing areas."""

    commune_id: int | None
    upgrades: list[ProducerUpgrade]
    products: Related
    areas: Related


@dataclass(frozen=True)
class _Kind:
    """Which fields lists show of a model's rows, and in which order."""

    model: Any
    fields: tuple[str, ...]
    order: tuple[Any, ...]
    placed: bool = True


_PRODUCTS = _Kind(
    Product,
    ("id", "name", "name_en", "stars", "producer_id"),
    (sa.nulls_last(Product.stars.desc()), Product.name, Product.id),
)
_AREAS = _Kind(
    GrowingArea,
    ("id", "name", "crop", "area_ha"),
    (sa.nulls_last(GrowingArea.area_ha.desc()), GrowingArea.id),
)
_VILLAGES = _Kind(
    CraftVillage, ("id", "name", "name_en", "kind", "craft"), (CraftVillage.name, CraftVillage.id)
)
_PRODUCERS = _Kind(Producer, ("id", "name", "kind"), (Producer.name, Producer.id))
_SALE_POINTS = _Kind(
    SalePoint,
    ("id", "name", "kind", "address", "opening_hours", "shop_phone"),
    (SalePoint.name, SalePoint.id),
)
_LOTS = _Kind(
    Lot,
    ("id", "lot_number", "produced_on", "expires_on", "quantity", "unit", "lot_status"),
    (sa.nulls_last(Lot.produced_on.desc()), Lot.id.desc()),
    placed=False,
)
_POINTS = _Kind(
    CraftVillagePoint,
    (
        "id",
        "name",
        "name_en",
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
    ),
    (CraftVillagePoint.id,),
    placed=False,
)


@dataclass(frozen=True)
class Relations:
    """The relations of the record as one caller sees them."""

    session: Session
    actor: Actor

    def of_commune(self, row_id: int) -> AroundCommune | None:
        """Return what belongs to a commune, or None when there is none to be seen."""
        unit = self._seen(Commune, row_id)
        if unit is None:
            return None
        return AroundCommune(
            full_name=unit.full_name,
            district=unit.district.full_name if unit.district else None,
            edition=self.session.scalar(sa.select(Edition).where(Edition.code == unit.edition)),
            products=self._products(Product.commune_id == row_id, OWNED),
            areas=self._find(_AREAS, GrowingArea.commune_id == row_id, OWNED),
            villages=self._find(_VILLAGES, CraftVillage.commune_id == row_id, OWNED),
            producers=self._find(_PRODUCERS, Producer.commune_id == row_id, OWNED),
            successors=self._successors(row_id),
            predecessors=self._predecessors(row_id),
            now=() if unit.edition == edition_in_use(self.session) else heirs(self.session, row_id),
        )

    def of_growing_area(self, row_id: int) -> AroundGrowingArea | None:
        """Return what belongs to a growing area, or None when there is none to be seen."""
        area = self._seen(GrowingArea, row_id)
        if area is None:
            return None
        links = sa.select(ProductGrowingArea.product_id).where(ProductGrowingArea.growing_area_id == row_id)
        return AroundGrowingArea(
            commune_id=area.commune_id,
            season_calendar=area.season_calendar or [],
            producer=self._seen(Producer, area.producer_id),
            codes=area.codes,
            certifications=area.certifications,
            changes=area.status_changes,
            products=self._products(Product.id.in_(links), LINKED),
        )

    def of_craft_village(self, row_id: int) -> AroundCraftVillage | None:
        """Return what belongs to a craft village, or None when there is none to be seen."""
        village = self._seen(CraftVillage, row_id)
        if village is None:
            return None
        return AroundCraftVillage(
            commune_id=village.commune_id,
            artisans=village.artisans,
            years=village.years,
            points=self._find(_POINTS, CraftVillagePoint.village_id == row_id, LINKED),
            products=self._products(Product.craft_village_id == row_id, OWNED),
        )

    def of_product(self, row_id: int) -> AroundProduct | None:
        """Return what belongs to a product, or None when there is none to be seen."""
        product = self._seen(Product, row_id)
        if product is None:
            return None
        areas = sa.select(ProductGrowingArea.growing_area_id).where(ProductGrowingArea.product_id == row_id)
        shops = sa.select(ProductSalePoint.sale_point_id).where(ProductSalePoint.product_id == row_id)
        return AroundProduct(
            commune_id=product.commune_id,
            producer=self._seen(Producer, product.producer_id),
            village=self._seen(CraftVillage, product.craft_village_id),
            areas=self._find(_AREAS, GrowingArea.id.in_(areas), LINKED),
            sale_points=self._find(_SALE_POINTS, SalePoint.id.in_(shops), LINKED),
            lots=self._find(_LOTS, Lot.product_id == row_id, LINKED),
        )

    def of_producer(self, row_id: int) -> AroundProducer | None:
        """Return what belongs to a producer, or None when there is none to be seen."""
        producer = self._seen(Producer, row_id)
        if producer is None:
            return None
        return AroundProducer(
            commune_id=producer.commune_id,
            upgrades=producer.upgrades,
            products=self._products(Product.producer_id == row_id, OWNED),
            areas=self._find(_AREAS, GrowingArea.producer_id == row_id, OWNED),
        )

    # ---- statements

    def _seen(self, model: Any, row_id: int | None) -> Any:
        if row_id is None:
            return None
        return self.session.scalar(sa.select(model).where(model.id == row_id, visible(self.actor, model)))

    def _find(self, kind: _Kind, condition: Any, limit: int) -> Related:
        wanted = sa.and_(condition, visible(self.actor, kind.model))
        total = self.session.scalar(sa.select(sa.func.count()).select_from(kind.model).where(wanted)) or 0
        query = sa.select(kind.model).where(wanted).order_by(*kind.order).limit(limit)
        return Related([_shown(kind, row) for row in self.session.scalars(query)], total)

    def _products(self, condition: Any, limit: int) -> Related:
        found = self._find(_PRODUCTS, condition, limit)
        names = self._producer_names(row["producer_id"] for row in found.rows)
        for row in found.rows:
            row["producer_name"] = names.get(row.pop("producer_id"))
        return found

    def _producer_names(self, ids: Iterable[int | None]) -> dict[int, str]:
        wanted = {row_id for row_id in ids if row_id is not None}
        query = sa.select(Producer.id, Producer.name)
        found = self.session.execute(query.where(Producer.id.in_(wanted), visible(self.actor, Producer)))
        return {row_id: name for row_id, name in found}

    def _successors(self, commune_id: int) -> list[Step]:
        return [_step(row, row.new) for row in steps_forward(self.session, commune_id)]

    def _predecessors(self, commune_id: int) -> list[Step]:
        return [_step(row, row.old) for row in steps_back(self.session, commune_id)]


def _shown(kind: _Kind, row: Any) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in kind.fields}
    return {**values, **_place(row.commune)} if kind.placed else values


def _place(commune: Commune | None) -> dict[str, Any]:
    return {
        "commune_id": commune.id if commune else None,
        "commune_name": commune.name if commune else None,
        "district_name": commune.district.name if commune and commune.district else None,
    }


def _step(row: CommuneSuccession, unit: Commune) -> Step:
    return Step(unit.id, unit.full_name, unit.edition, row.share_of_old, row.decree)
