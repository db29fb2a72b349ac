"""Craft villages and the points where visitors are received. Source: Decree 52/2018/NĐ-CP, articles 4 and 5."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.admin_units import Commune
from data.base import Base, Published
from data.columns import Geometry
from data.text import search_text


class CraftVillage(Published, Base):
    """A traditional trade, a craft village or a traditional craft village."""

    code: Mapped[str | None]
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    trade_group: Mapped[str]
    craft: Mapped[str]
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    hamlet: Mapped[str | None]
    founded_year: Mapped[int | None]
    founder: Mapped[str | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[dt.date | None]
    decision_by: Mapped[str | None]
    households: Mapped[int | None]
    trade_households: Mapped[int | None]
    workers: Mapped[int | None]
    income_million: Mapped[float | None]
    environment: Mapped[str | None]
    story: Mapped[str | None]
    story_en: Mapped[str | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    area_ha: Mapped[float | None]
    geom: Mapped[object | None] = mapped_column(Geometry("MULTIPOLYGON"), sort_order=99)
    commune: Mapped[Commune | None] = relationship()
    points: Mapped[list[CraftVillagePoint]] = relationship(
        back_populates="village", order_by="CraftVillagePoint.id", cascade="all, delete-orphan"
    )
    years: Mapped[list[CraftVillageYear]] = relationship(
        back_populates="village", order_by="CraftVillageYear.year", cascade="all, delete-orphan"
    )
    artisans: Mapped[list[Artisan]] = relationship(
        back_populates="village", order_by="Artisan.id", cascade="all, delete-orphan"
    )

    @property
    def trade_share(self) -> float | None:
        """The trade's households in percent of all; the decree asks for at least 20."""
        return (
            self.trade_households * 100 / self.households
            if self.households and self.trade_households
            else None
        )

    def search_parts(self) -> str:
        """What the village is found by."""
        return search_text(self.name, self.name_en, self.craft, self.hamlet)


class CraftVillagePoint(Published, Base):
    """A place in a village where visitors are received: workshop, shop, visitor house, homestay."""

    village_id: Mapped[int] = mapped_column(
        sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), index=True
    )
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    opening_hours: Mapped[str | None]
    visit_minutes: Mapped[int | None]
    capacity: Mapped[int | None]
    price_vnd: Mapped[int | None]
    hands_on: Mapped[bool | None]
    homestay: Mapped[bool | None]
    step_free: Mapped[bool | None]
    toilet: Mapped[bool | None]
    coach_parking: Mapped[bool | None]
    languages: Mapped[str | None]
    visitor_phone: Mapped[str | None]
    checked_on: Mapped[dt.date | None]
    checked_by: Mapped[str | None]
    geom: Mapped[object | None] = mapped_column(Geometry("POINT"), sort_order=99)
    village: Mapped[CraftVillage] = relationship(back_populates="points")
    commune: Mapped[Commune | None] = relationship()

    def search_parts(self) -> str:
        """What the point is found by."""
        return search_text(self.name, self.name_en)


class CraftVillageYear(Base):
    """The village's size in one year."""

    village_id: Mapped[int] = mapped_column(
        sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), index=True
    )
    year: Mapped[int]
    households: Mapped[int | None]
    trade_households: Mapped[int | None]
    workers: Mapped[int | None]
    women: Mapped[int | None]
    income_million: Mapped[float | None]
    revenue_million: Mapped[float | None]
    village: Mapped[CraftVillage] = relationship(back_populates="years")

    __table_args__ = (sa.UniqueConstraint("village_id", "year"), {"sqlite_autoincrement": True})


class Artisan(Base):
    """A person whose skill the village is known for."""

    village_id: Mapped[int] = mapped_column(
        sa.ForeignKey("craft_villages.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    title: Mapped[str | None]
    awarded_year: Mapped[int | None]
    village: Mapped[CraftVillage] = relationship(back_populates="artisans")
