"""Production lots and the growing areas that their material comes from."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.admin_units import Commune
from data.base import Base, Published
from data.columns import Geometry
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product
from data.text import search_text


class Lot(Published, Base):
    """A quantity of one product made under the same conditions."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    lot_number: Mapped[str]
    produced_on: Mapped[dt.date | None]
    expires_on: Mapped[dt.date | None]
    quantity: Mapped[float | None]
    unit: Mapped[str | None]
    lot_status: Mapped[str] = mapped_column(default="open")
    note: Mapped[str | None]
    geom: Mapped[object | None] = mapped_column(Geometry("POINT"), sort_order=99)
    product: Mapped[Product] = relationship()
    producer: Mapped[Producer | None] = relationship()
    commune: Mapped[Commune | None] = relationship()
    growing_areas: Mapped[list[GrowingArea]] = relationship(secondary="lot_growing_areas")

    __table_args__ = (sa.UniqueConstraint("product_id", "lot_number"), {"sqlite_autoincrement": True})

    def search_parts(self) -> str:
        """What the lot is found by."""
        return search_text(self.lot_number)


class LotGrowingArea(Base):
    """The share of a lot's material that came from a growing area."""

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id", ondelete="CASCADE"), index=True)
    growing_area_id: Mapped[int] = mapped_column(sa.ForeignKey("growing_areas.id"), index=True)
    share: Mapped[float | None]

    __table_args__ = (sa.UniqueConstraint("lot_id", "growing_area_id"), {"sqlite_autoincrement": True})
