"""Producers: the enterprises, cooperatives, groups and households that take part in the programme."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.admin_units import Commune
from data.base import Base, Published
from data.columns import Geometry
from data.text import search_text


class Producer(Published, Base):
    """Somebody who makes products and may own growing areas."""

    name: Mapped[str]
    kind: Mapped[str]
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    address: Mapped[str | None]
    registration_number: Mapped[str | None]
    registered_on: Mapped[dt.date | None]
    founded_year: Mapped[int | None]
    workers: Mapped[int | None]
    women_led: Mapped[bool | None]
    website: Mapped[str | None]
    representative: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    id_number: Mapped[str | None]
    description: Mapped[str | None]
    geom: Mapped[object | None] = mapped_column(Geometry("POINT"), sort_order=99)
    commune: Mapped[Commune | None] = relationship()
    upgrades: Mapped[list[ProducerUpgrade]] = relationship(
        back_populates="producer", order_by="ProducerUpgrade.upgraded_on", cascade="all, delete-orphan"
    )

    def search_parts(self) -> str:
        """What the producer is found by."""
        return search_text(self.name)


class ProducerUpgrade(Base):
    """A step up in form: household to enterprise, group to cooperative, cooperative to joint-stock company."""

    producer_id: Mapped[int] = mapped_column(sa.ForeignKey("producers.id", ondelete="CASCADE"), index=True)
    from_kind: Mapped[str]
    to_kind: Mapped[str]
    upgraded_on: Mapped[dt.date]
    document: Mapped[str | None]
    producer: Mapped[Producer] = relationship(back_populates="upgrades")
