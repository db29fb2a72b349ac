"""Lot numbers: what they may look like, the next one of a product, and numbers used before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.text import normal
from data.traceability.lots import Lot
from gis.errors import Refusal

#: Capitals keep the code on the label small, and the other signs of GS1 would have to be escaped in addresses.
PATTERN = re.compile(r"[A-Z0-9.-]{1,20}")


class LotNumberError(Refusal):
    """A lot cannot have this number."""


def lot_number(text: str) -> str:
    """Return a lot number as it is kept. Raises LotNumberError."""
    number = normal(text).upper()
    if not PATTERN.fullmatch(number):
        raise LotNumberError(
            "Số lô gồm 1 đến 20 chữ cái không dấu, chữ số, dấu chấm và gạch ngang; “%(text)s” không dùng được.",
            text=text,
        )
    return number


def free_number(session: Session, product_id: int, text: str) -> str:
    """Return a lot number that the product has not used. Raises LotNumberError."""
    number = lot_number(text)
    if session.scalar(sa.select(Lot.id).where(Lot.product_id == product_id, Lot.lot_number == number)):
        raise LotNumberError("Sản phẩm này đã có lô số %(number)s; hãy dùng số khác.", number=number)
    return number


def propose(session: Session, product_id: int, day: dt.date) -> str:
    """Propose the next number of a product for a day: L260610-01, L260610-02 …"""
    start = f"L{day:%y%m%d}-"
    query = sa.select(Lot.lot_number).where(Lot.product_id == product_id, Lot.lot_number.startswith(start))
    used = set(session.scalars(query))
    return next(f"{start}{n:02d}" for n in range(1, len(used) + 2) if f"{start}{n:02d}" not in used)


def used_by_producer(session: Session, lot: Lot) -> Sequence[Lot]:
    """List other lots of the same producer and year with the same number: allowed, but easily mixed up."""
    if lot.producer_id is None or lot.produced_on is None:
        return []
    year = lot.produced_on.year
    query = sa.select(Lot).where(
        Lot.producer_id == lot.producer_id,
        Lot.lot_number == lot.lot_number,
        Lot.id != lot.id,
        Lot.produced_on.between(dt.date(year, 1, 1), dt.date(year, 12, 31)),
    )
    return list(session.scalars(query.order_by(Lot.id)))
