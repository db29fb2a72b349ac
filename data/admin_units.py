"""Administrative units: provinces, districts and communes with editions, validity dates and successors.

A code can mean different units in different editions (32002 does), so rows are joined by id, never by code.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column, relationship

from data.base import Base, Tracked
from data.columns import Geometry
from data.record_facts import get_fact
from data.text import search_text

EDITION_IN_USE = "edition_in_use"
FIRST_EDITION = "2020"


class Edition(Base):
    """A division of the territory that was in force for a time."""

    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    decree: Mapped[str | None]


class AdminUnit(Tracked):
    """What a province, a district and a commune have in common."""

    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    edition: Mapped[str] = mapped_column(index=True)
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    area_ha: Mapped[float | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return (sa.UniqueConstraint("edition", "code"), {"sqlite_autoincrement": True})

    @property
    def full_name(self) -> str:
        """The name with its kind, once."""
        return (
            self.name
            if self.name.lower().startswith(self.kind.lower())
            else f"{self.kind.capitalize()} {self.name}"
        )

    def search_parts(self) -> str:
        """What the unit is found by."""
        return search_text(self.name, self.code)


class Province(AdminUnit, Base):
    """A province."""

    geom: Mapped[object | None] = mapped_column(Geometry("MULTIPOLYGON"), sort_order=99)


class District(AdminUnit, Base):
    """A district, town or city under a province; there are none since 1 July 2025."""

    province_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provinces.id"), index=True)
    geom: Mapped[object | None] = mapped_column(Geometry("MULTIPOLYGON"), sort_order=99)
    province: Mapped[Province | None] = relationship()


class Commune(AdminUnit, Base):
    """A commune, ward or township."""

    province_id: Mapped[int | None] = mapped_column(sa.ForeignKey("provinces.id"), index=True)
    district_id: Mapped[int | None] = mapped_column(sa.ForeignKey("districts.id"), index=True)
    geom: Mapped[object | None] = mapped_column(Geometry("MULTIPOLYGON"), sort_order=99)
    province: Mapped[Province | None] = relationship()
    district: Mapped[District | None] = relationship()


class CommuneSuccession(Base):
    """How much of an old commune went to which new one."""

    old_id: Mapped[int] = mapped_column(sa.ForeignKey("communes.id", ondelete="CASCADE"), index=True)
    new_id: Mapped[int] = mapped_column(sa.ForeignKey("communes.id", ondelete="CASCADE"), index=True)
    area_ha: Mapped[float | None]
    share_of_old: Mapped[float]
    share_of_new: Mapped[float]
    decree: Mapped[str | None]
    old: Mapped[Commune] = relationship(foreign_keys=[old_id])
    new: Mapped[Commune] = relationship(foreign_keys=[new_id])


def edition_in_use(session: Session) -> str:
    """Return the code of the edition that the programme works on."""
    return get_fact(session, EDITION_IN_USE) or FIRST_EDITION


def find_unit(
    session: Session, code: str, edition: str | None = None
) -> Province | District | Commune | None:
    """Find the unit of a code within one edition: commune first, then district, then province."""
    edition = edition or edition_in_use(session)
    for model in (Commune, District, Province):
        unit: Any = session.scalar(sa.select(model).where(model.code == code, model.edition == edition))
        if unit is not None:
            return unit
    return None
