"""The standards that a product is made by: declared, and replaced by newer ones over time."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import Actor
from data.products import Product
from data.programme.participations import SOURCE, check_version, touch
from data.programme.rights import acts, row_acted_on, row_seen
from data.programme.tables import ProductStandard
from gis.errors import Refusal


class StandardError(Refusal):
    """A standard cannot be recorded like this."""


def of_product(session: Session, actor: Actor, product_id: int) -> list[ProductStandard]:
    """List a product's standards, those in force first, then the newest. Raises NotYours."""
    row_seen(session, actor, Product, product_id)
    query = sa.select(ProductStandard).where(ProductStandard.product_id == product_id)
    rows = session.scalars(query.order_by(ProductStandard.id.desc()))
    return sorted(rows, key=lambda row: row.replaced_on is not None)


def in_use(session: Session, product_id: int) -> list[ProductStandard]:
    """List the standards that a product is made by now, as its label names them."""
    query = sa.select(ProductStandard).where(
        ProductStandard.product_id == product_id, ProductStandard.replaced_on.is_(None)
    )
    return list(session.scalars(query.order_by(ProductStandard.id)))


def may_change(session: Session, actor: Actor, product_id: int) -> bool:
    """Tell whether the actor records standards of a product."""
    return (
        session.scalar(sa.select(Product.id).where(Product.id == product_id, acts(actor, Product)))
        is not None
    )


def add(
    session: Session,
    actor: Actor,
    product_id: int,
    *,
    code: str,
    title: str,
    kind: str,
    version_label: str | None = None,
    issued_on: dt.date | None = None,
    expires_on: dt.date | None = None,
    file: tuple[str, str] | None = None,
) -> ProductStandard:
    """Record a standard; `file` is (name, SHA-256) of the paper. Raises NotYours or StandardError."""
    row_acted_on(session, actor, Product, product_id)
    if not code.strip() or not title.strip():
        raise StandardError("Hãy ghi số hiệu và tên tiêu chuẩn.")
    if kind not in codes.code_list("standard_kind"):
        raise StandardError("Hãy chọn loại tiêu chuẩn.")
    if issued_on and expires_on and expires_on <= issued_on:
        raise StandardError("Ngày hết hạn phải sau ngày ban hành.")
    row = ProductStandard(
        product_id=product_id,
        code=code.strip(),
        title=title.strip(),
        kind=kind,
        version_label=version_label,
        issued_on=issued_on,
        expires_on=expires_on,
        file_name=file[0] if file else None,
        sha256=file[1] if file else None,
    )
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "product_standards", row.id, "insert", after=audit.snapshot(row))
    return row


def replace(
    session: Session, actor: Actor, standard_id: int, *, day: dt.date, version: int | None = None
) -> ProductStandard:
    """Note that a standard is no longer used from a day, as when a newer one took its place.

    Raises NotYours, Outdated or StandardError.
    """
    row = session.get(ProductStandard, standard_id, with_for_update=True)
    if row is None:
        raise StandardError("Không có tiêu chuẩn số %(id)s.", id=standard_id)
    row_acted_on(session, actor, Product, row.product_id)
    check_version(row, version)
    if row.replaced_on is not None:
        raise StandardError("Tiêu chuẩn này đã được thay thế.")
    if row.issued_on and day < row.issued_on:
        raise StandardError("Ngày thay thế không thể trước ngày ban hành.")
    before = audit.snapshot(row)
    row.replaced_on = day
    touch(session, actor, row, before)
    return row


def upgrade(
    session: Session,
    actor: Actor,
    standard_id: int,
    *,
    code: str,
    title: str,
    kind: str,
    version_label: str | None,
    issued_on: dt.date,
    expires_on: dt.date | None = None,
    version: int | None = None,
) -> ProductStandard:
    """Put a newer standard in the place of one in force; both stay in the record."""
    old = replace(session, actor, standard_id, day=issued_on, version=version)
    return add(
        session,
        actor,
        old.product_id,
        code=code,
        title=title,
        kind=kind,
        version_label=version_label,
        issued_on=issued_on,
        expires_on=expires_on,
    )
