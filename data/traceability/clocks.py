"""What falls due with lots: retained samples to be disposed of, tests and certificates near their end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor
from data.growing_areas import Certification, GrowingArea
from data.products import Product
from data.programme.rights import seen
from data.traceability.dossier import block_of
from data.traceability.lots import Lot
from data.traceability.tables import TraceEvent, TraceEventItem, TraceItem

#: So many days ahead something is told.
AHEAD: Final = 60
#: So many of the newest events are looked through.
MOST: Final = 5_000


@dataclass(frozen=True)
class Due:
    """Something with a day: `kind` is sample, test, expiry, certificate or area."""

    day: dt.date
    kind: str
    title: str
    lot_id: int | None = None
    product_id: int | None = None
    area_id: int | None = None
    detail: str = ""

    def is_late(self, today: dt.date) -> bool:
        """Tell whether the day has passed."""
        return self.day < today


def calendar(session: Session, actor: Actor, today: dt.date, *, ahead: int = AHEAD) -> list[Due]:
    """List what falls due within so many days for what the actor sees, and what is late, by day."""
    until = today + dt.timedelta(days=ahead)
    found = [
        *_samples_and_tests(session, actor, until),
        *_expiries(session, actor, today, until),
        *_certificates(session, actor, today, until),
        *_areas(session, actor, today, until),
    ]
    return sorted(found, key=lambda due: (due.day, due.kind, due.title))


def _samples_and_tests(session: Session, actor: Actor, until: dt.date) -> Iterator[Due]:
    query = (
        sa.select(TraceItem.lot_id, TraceItem.uri, TraceEvent.document)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(
            TraceItem.lot_id.is_not(None),
            TraceEvent.biz_step.in_(("sampling", "inspecting", "destroying")),
            TraceEvent.declared_wrong_at.is_(None),
            TraceEvent.is_declaration.is_(False),
            seen(actor, TraceEvent),
        )
        .order_by(TraceEvent.id.desc())
        .limit(MOST)
    )
    samples: dict[str, tuple[int, dict[str, Any]]] = {}
    tests: dict[int, tuple[str, str]] = {}
    gone: set[str] = set()
    for lot_id, uri, document in session.execute(query):
        block = block_of(document)
        if block == "sample_disposal":
            gone.add(uri)
        elif block == "sample" and uri in (document.get("epcList") or ()):
            samples[uri] = (lot_id, document["ocop:sample"])
        elif block == "test" and (document.get("ocop:test") or {}).get("validUntil"):
            told = document["ocop:test"]
            tests[lot_id] = max(tests.get(lot_id, ("", "")), (told["validUntil"], told.get("report", "")))
    lots = _titles(session, {lot_id for lot_id, _ in samples.values()} | set(tests))
    for uri, (lot_id, told) in samples.items():
        day = _day(told.get("retainUntil"))
        if uri not in gone and day is not None and day <= until:
            yield Due(
                day, "sample", lots.get(lot_id, uri), lot_id=lot_id, detail=str(told.get("place") or "")
            )
    for lot_id, (text, report) in tests.items():
        day = _day(text)
        if day is not None and day <= until:
            yield Due(day, "test", lots.get(lot_id, ""), lot_id=lot_id, detail=report)


def _expiries(session: Session, actor: Actor, today: dt.date, until: dt.date) -> Iterator[Due]:
    query = (
        sa.select(Lot)
        .options(joinedload(Lot.product))
        .where(Lot.expires_on.between(today, until), Lot.lot_status != "recalled", seen(actor, Lot))
    )
    for lot in session.scalars(query):
        if lot.expires_on is not None:
            yield Due(lot.expires_on, "expiry", f"{lot.product.name} · {lot.lot_number}", lot_id=lot.id)


def _certificates(session: Session, actor: Actor, today: dt.date, until: dt.date) -> Iterator[Due]:
    made = sa.select(Lot.product_id).where(seen(actor, Lot))
    query = sa.select(Product).where(
        Product.id.in_(made),
        seen(actor, Product),
        Product.expires_on.between(today - dt.timedelta(AHEAD), until),
    )
    for product in session.scalars(query):
        if product.expires_on is not None:
            number = product.certificate_number or ""
            yield Due(product.expires_on, "certificate", product.name, product_id=product.id, detail=number)


def _areas(session: Session, actor: Actor, today: dt.date, until: dt.date) -> Iterator[Due]:
    query = (
        sa.select(Certification, GrowingArea.name)
        .join(GrowingArea, GrowingArea.id == Certification.area_id)
        .where(seen(actor, GrowingArea),
               Certification.expires_on.between(today - dt.timedelta(AHEAD), until))
    )  # fmt: skip
    for row, name in session.execute(query):
        detail = " ".join(filter(None, (row.scheme, row.number)))
        if row.expires_on is not None:
            yield Due(row.expires_on, "area", name, area_id=row.area_id, detail=detail)


def _titles(session: Session, lots: set[int]) -> dict[int, str]:
    query = sa.select(Lot.id, Product.name, Lot.lot_number).join(Product, Product.id == Lot.product_id)
    rows = session.execute(query.where(Lot.id.in_(lots)))
    return {key: f"{name} · {number}" for key, name, number in rows}


def _day(text: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        return None
