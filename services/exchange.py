"""The tables that the ministry exchanges: PTNT_OCOP with its lists of units, times, products and producers.

Source: Decision 5277/QĐ-BNNMT. Amounts are million đồng with two decimals and a decimal point; days are ISO 8601.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from openpyxl import Workbook
from sqlalchemy.orm import Session, joinedload

from data import codes
from data.accounts import Actor
from data.admin_units import Commune, District, Province, edition_in_use
from data.base import ARCHIVED
from data.producers import Producer
from data.products import Product
from data.programme import certificates
from data.programme.rights import seen
from data.programme.tables import Certificate
from gis.errors import Refusal
from services.formats.csv import harmless
from services.reporting import add_sheet, save

LEAST_STARS = 3
FORMATS = {
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Sheet:
    """One table of the exchange: its name, its columns and its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def tables(session: Session, actor: Actor, year: int, today: dt.date) -> list[Sheet]:
    """Return the five tables of a year: the products of 3 to 5 stars whose recognition held on a day of it.

    How a recognition stands is told for the end of the year, or for today while the year goes on.
    """
    day = min(today, dt.date(year, 12, 31))
    held = _held(session, actor, year, day)
    province = session.scalar(
        sa.select(Province.code).where(Province.edition == edition_in_use(session)).order_by(Province.id)
    )
    products = {product.id: product for product, _stars, _state in held}
    rows = tuple(
        (
            f"OCOP-{province or '00'}-{product.id:06d}-{year}",
            product.commune.code if product.commune else "",
            str(year),
            f"SP{product.id:06d}",
            product.name,
            f"{stars}*",
            product.producer.name if product.producer else "",
            _amount(product.annual_revenue_million),
            codes.label("certificate_state", state),
        )
        for product, stars, state in held
    )
    columns = ("MA_OCOP", "Ma_DonViHanhChinh", "Ma_ThoiGian", "Ma_SanPham", "TenSanPham", "XepHang",
               "ChuTheSXKD", "DoanhThuNam", "TrangThai")  # fmt: skip
    times = ((str(year), f"Năm {year}", f"{year}-01-01", f"{year}-12-31"),)
    return [
        Sheet("PTNT_OCOP", columns, rows),
        _units(session),
        Sheet("DM_KhoangThoiGian", ("Ma_ThoiGian", "Ten", "TuNgay", "DenNgay"), times),
        _products(list(products.values())),
        _producers(session, list(products.values())),
    ]


def as_zip(sheets: Sequence[Sheet]) -> bytes:
    """Return the tables as CSV files (UTF-8 with a mark, commas, CRLF) in an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in sheets:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\r\n")
            writer.writerow(sheet.columns)
            for row in sheet.rows:
                writer.writerow([harmless(v) if isinstance(v, str) else v for v in row])
            archive.writestr(f"{sheet.name}.csv", "\ufeff" + text.getvalue())
    return stream.getvalue()


def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Return the tables as sheets of a workbook; amounts are numbers."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        amount = sheet.columns.index("DoanhThuNam") if "DoanhThuNam" in sheet.columns else None
        rows = [[float(v) if i == amount and v else v for i, v in enumerate(row)] for row in sheet.rows]
        add_sheet(book, sheet.name, sheet.columns, rows)
    return save(book)


WRITERS = {"zip": as_zip, "xlsx": as_xlsx}


def write(session: Session, actor: Actor, year: int, today: dt.date, out: Path) -> int:
    """Write the tables to a .zip or .xlsx file and return the number of products. Raises Refusal."""
    form = WRITERS.get(out.suffix.lower().lstrip("."))
    if form is None:
        raise Refusal("Tệp trao đổi phải có đuôi .zip hoặc .xlsx.")
    sheets = tables(session, actor, year, today)
    out.write_bytes(form(sheets))
    return len(sheets[0].rows)


# ---- details


def _held(session: Session, actor: Actor, year: int, day: dt.date) -> list[tuple[Product, int, str]]:
    """Each product with the star it held in the year, and how its recognition stood on a day."""
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    query = (
        sa.select(Product)
        .options(joinedload(Product.producer), joinedload(Product.commune))
        .where(seen(actor, Product), Product.status != ARCHIVED)
        .order_by(Product.id)
    )
    kept: dict[int, list[Certificate]] = {}
    for row in session.scalars(sa.select(Certificate).order_by(Certificate.issued_on, Certificate.id)):
        kept.setdefault(row.product_id, []).append(row)
    found = []
    for product in session.scalars(query):
        mine = [c for c in kept.get(product.id, ()) if c.issued_on <= last and _end(c) >= first]
        if mine:
            newest = mine[-1]
            found.append((product, newest.stars, str(certificates.state_of(newest, day))))
        elif (
            product.id not in kept and product.stars and product.certified_on and product.certified_on <= last
        ):
            ends = product.expires_on
            if ends is None or ends >= first:
                found.append((product, product.stars, "expired" if ends and ends < day else "in_force"))
    return [entry for entry in found if entry[1] >= LEAST_STARS]


def _end(row: Certificate) -> dt.date:
    ends = row.extended_to or row.expires_on
    return min(ends, row.revoked_on) if row.revoked_on else ends


def _amount(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _units(session: Session) -> Sheet:
    edition, rows = edition_in_use(session), []
    levels: tuple[tuple[Any, str], ...] = ((Province, "tỉnh"), (District, "huyện"), (Commune, "xã"))
    for model, level in levels:
        for unit in session.scalars(sa.select(model).where(model.edition == edition).order_by(model.code)):
            parent = getattr(unit, "district", None) or getattr(unit, "province", None)
            since = unit.valid_from.isoformat() if unit.valid_from else ""
            rows.append((unit.code, unit.full_name, level, parent.code if parent else "", since))
    columns = ("Ma_DonViHanhChinh", "TenDonVi", "Cap", "Ma_Cha", "HieuLucTu")
    return Sheet("DM_DonViHanhChinh", columns, tuple(rows))


def _products(products: Sequence[Product]) -> Sheet:
    rows = tuple(
        (
            f"SP{p.id:06d}",
            p.name,
            str(p.product_set),
            codes.label("product_set", p.product_set),
            f"CS{p.producer_id:06d}" if p.producer_id else "",
        )
        for p in products
    )
    return Sheet("DM_SanPham", ("Ma_SanPham", "TenSanPham", "Ma_BoSanPham", "TenBoSanPham", "Ma_CoSo"), rows)


def _producers(session: Session, products: Sequence[Product]) -> Sheet:
    ids = {p.producer_id for p in products if p.producer_id}
    query = sa.select(Producer).options(joinedload(Producer.commune)).order_by(Producer.id)
    rows = tuple(
        (
            f"CS{row.id:06d}",
            row.name,
            codes.label("producer_kind", row.kind),
            row.registration_number or "",
            row.address or "",
            row.commune.code if row.commune else "",
        )
        for row in session.scalars(query)
        if row.id in ids
    )
    columns = ("Ma_CoSo", "TenCoSo", "LoaiHinh", "SoDKKD", "DiaChi", "Ma_DonViHanhChinh")
    return Sheet("DM_CoSo", columns, rows)
