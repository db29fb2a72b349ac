"""OCOP products, where they are sold, and what they are made from."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.admin_units import Commune
from data.base import Base, Published
from data.columns import Geometry
from data.craft_villages import CraftVillage
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.text import search_text


class Product(Published, Base):
    """A product or service of the programme, with the star and certificate it holds now."""

    name: Mapped[str]
    name_en: Mapped[str | None]
    product_set: Mapped[int]
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    craft_village_id: Mapped[int | None] = mapped_column(sa.ForeignKey("craft_villages.id"), index=True)
    stars: Mapped[int | None]
    certificate_number: Mapped[str | None]
    decision_number: Mapped[str | None]
    certified_on: Mapped[dt.date | None]
    expires_on: Mapped[dt.date | None]
    certified_by: Mapped[str | None]
    packaging: Mapped[str | None]
    price_vnd: Mapped[int | None]
    gtin: Mapped[str | None]
    story: Mapped[str | None]
    story_en: Mapped[str | None]
    description: Mapped[str | None]
    annual_revenue_million: Mapped[float | None]
    geom: Mapped[object | None] = mapped_column(Geometry("POINT"), sort_order=99)
    producer: Mapped[Producer | None] = relationship()
    commune: Mapped[Commune | None] = relationship()
    craft_village: Mapped[CraftVillage | None] = relationship()
    growing_areas: Mapped[list[GrowingArea]] = relationship(secondary="product_growing_areas")
    sale_points: Mapped[list[SalePoint]] = relationship(
        secondary="product_sale_points", back_populates="products"
    )

    def search_parts(self) -> str:
        """What the product is found by."""
        return search_text(self.name, self.name_en, self.certificate_number)


class SalePoint(Published, Base):
    """A shop, market stall or OCOP centre that sells products."""

    name: Mapped[str]
    kind: Mapped[str]
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    address: Mapped[str | None]
    opening_hours: Mapped[str | None]
    shop_phone: Mapped[str | None]
    geom: Mapped[object | None] = mapped_column(Geometry("POINT"), sort_order=99)
    commune: Mapped[Commune | None] = relationship()
    producer: Mapped[Producer | None] = relationship()
    products: Mapped[list[Product]] = relationship(
        secondary="product_sale_points", back_populates="sale_points"
    )

    def search_parts(self) -> str:
        """What the sale point is found by."""
        return search_text(self.name, self.address)


class ProductGrowingArea(Base):
    """A growing area that a product's material comes from."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id", ondelete="CASCADE"), index=True)
    growing_area_id: Mapped[int] = mapped_column(
        sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), index=True
    )

    __table_args__ = (sa.UniqueConstraint("product_id", "growing_area_id"), {"sqlite_autoincrement": True})


class ProductSalePoint(Base):
    """A sale point that offers a product."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id", ondelete="CASCADE"), index=True)
    sale_point_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sale_points.id", ondelete="CASCADE"), index=True
    )

    __table_args__ = (sa.UniqueConstraint("product_id", "sale_point_id"), {"sqlite_autoincrement": True})
