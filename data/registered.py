"""What the record already knows of the producers, products and recognitions that a register names."""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.producers import Producer
from data.products import Product
from data.programme.tables import Certificate


def known_producers(
    session: Session, key: Callable[[str], str]
) -> tuple[dict[str, int], dict[tuple[str, int | None], int]]:
    """Return the ids of producers by tax number, and by key of the name and commune."""
    by_tax: dict[str, int] = {}
    by_name: dict[tuple[str, int | None], int] = {}
    columns = sa.select(Producer.id, Producer.name, Producer.commune_id, Producer.registration_number)
    for row_id, name, commune, number in session.execute(columns.order_by(Producer.id)):
        tax = re.search(r"(?<!\d)\d{10}(?:-\d{3})?(?!\d)", number or "")
        if tax:
            by_tax.setdefault(tax[0], row_id)
        by_name.setdefault((key(name), commune), row_id)
    return by_tax, by_name


def known_products(session: Session, key: Callable[[str], str]) -> dict[tuple[str, int | None], int]:
    """Return the ids of products by key of the name and producer."""
    columns = sa.select(Product.id, Product.name, Product.producer_id).order_by(Product.id)
    found: dict[tuple[str, int | None], int] = {}
    for row_id, name, producer in session.execute(columns):
        found.setdefault((key(name), producer), row_id)
    return found


def certificates_of(session: Session, product_id: int) -> list[Certificate]:
    """List the recognitions of a product."""
    return list(session.scalars(sa.select(Certificate).where(Certificate.product_id == product_id)))
