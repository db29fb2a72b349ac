"""Growing areas: the fields, ponds and forests that products come from, with codes, certifications and status."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.admin_units import Commune
from data.base import Base, Published
from data.columns import Geometry
from data.producers import Producer
from data.text import search_text


class GrowingArea(Published, Base):
    """A growing area or group of ponds; its codes are rows of their own, since one area may hold several."""

    name: Mapped[str]
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    hamlet: Mapped[str | None]
    crop: Mapped[str]
    variety: Mapped[str | None]
    farming_system: Mapped[str | None]
    declared_area_ha: Mapped[float | None]
    area_ha: Mapped[float | None]
    households: Mapped[int | None]
    expected_output_t: Mapped[float | None]
    crops_per_year: Mapped[int | None]
    season_calendar: Mapped[list[Any] | None]
    code_summary: Mapped[str | None]
    coding_status: Mapped[str | None]
    coding_obstacle: Mapped[str | None]
    certification_summary: Mapped[str | None]
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    owner_name: Mapped[str | None]
    owner_phone: Mapped[str | None]
    owner_id_number: Mapped[str | None]
    description: Mapped[str | None]
    geom: Mapped[object | None] = mapped_column(Geometry("MULTIPOLYGON"), sort_order=99)
    commune: Mapped[Commune | None] = relationship()
    producer: Mapped[Producer | None] = relationship()
    codes: Mapped[list[GrowingAreaCode]] = relationship(
        back_populates="area", order_by="GrowingAreaCode.id", cascade="all, delete-orphan"
    )
    certifications: Mapped[list[Certification]] = relationship(
        back_populates="area", order_by="Certification.expires_on", cascade="all, delete-orphan"
    )
    status_changes: Mapped[list[GrowingAreaStatus]] = relationship(
        back_populates="area", order_by="GrowingAreaStatus.changed_on", cascade="all, delete-orphan"
    )

    def search_parts(self) -> str:
        """What the area is found by."""
        return search_text(self.name, self.code_summary, self.hamlet)


class GrowingAreaCode(Base):
    """A code of one scheme for one market; patterns differ per scheme and change, so it is text."""

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), index=True)
    scheme: Mapped[str]
    code: Mapped[str]
    market: Mapped[str | None]
    status: Mapped[str]
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    area: Mapped[GrowingArea] = relationship(back_populates="codes")

    __table_args__ = (sa.UniqueConstraint("scheme", "code"), {"sqlite_autoincrement": True})


class Certification(Base):
    """A certificate (VietGAP, ASC, organic …) that a growing area holds."""

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), index=True)
    scheme: Mapped[str]
    number: Mapped[str | None]
    body: Mapped[str | None]
    issued_on: Mapped[dt.date | None]
    expires_on: Mapped[dt.date | None]
    area_ha: Mapped[float | None]
    area: Mapped[GrowingArea] = relationship(back_populates="certifications")


class GrowingAreaStatus(Base):
    """A step in the life of an area's code, with the document it rests on."""

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("growing_areas.id", ondelete="CASCADE"), index=True)
    status: Mapped[str]
    changed_on: Mapped[dt.date]
    document: Mapped[str | None]
    reason: Mapped[str | None]
    area: Mapped[GrowingArea] = relationship(back_populates="status_changes")

    __tablename__ = "growing_area_status_changes"
