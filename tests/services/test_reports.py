"""Reports: the same numbers on the page, in the workbook, on paper, in the rows and in plain SQL."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from openpyxl import load_workbook

from data.accounts import SYSTEM, Actor, Role
from data.base import ARCHIVED
from data.producers import Producer
from data.products import Product
from data.programme import reports, targets
from data.programme.rights import NotYours
from data.programme.tables import Certificate
from data.store import Store
from services import exchange
from tests.services.test_documents import pdf_text
from tests.services.test_programme_pages import signed_in

__all__ = ["signed_in"]

TODAY = dt.date(2026, 6, 1)


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_lines_are_what_plain_sql_counts_and_add_up(demo_store: Store) -> None:
    with demo_store.reading() as session:
        found = reports.facts(session, SYSTEM, TODAY)
        live = Product.status != ARCHIVED
        star = sa.func.coalesce(Product.stars, 0)
        counted = session.execute(sa.select(star, sa.func.count()).where(live).group_by(star))
        by_star = {stars: number for stars, number in counted}
        women = session.scalar(
            sa.select(sa.func.count(Product.id)).join(Producer, Producer.id == Product.producer_id)
            .where(live, Producer.women_led.is_(True))
        )  # fmt: skip
        revenue = session.scalar(sa.select(sa.func.sum(Product.annual_revenue_million)).where(live))
    stars = reports.table(found, "stars")
    assert {int(line.key): line.products for line in stars.lines} == by_star
    assert {line.key: line.products for line in reports.table(found, "women").lines}["yes"] == women
    for table in reports.summary(found):
        assert sum(line.products for line in table.lines) == table.total.products == sum(by_star.values())
        assert sum(line.revenue for line in table.lines) == pytest.approx(revenue)
        assert sum(line.in_force for line in table.lines) == table.total.in_force


def test_figures_are_equal_on_the_page_in_the_workbook_on_paper_and_in_the_rows(
    signed_in: Callable[..., FlaskClient],
) -> None:
    client = signed_in("province_officer")
    page = client.get("/programme/reports?by=district&kind=cooperative").get_data(as_text=True)
    body = page[page.index("<caption>") : page.index("</table>", page.index("<caption>"))]
    shown = [plain(row).split("  ") for row in re.findall(r"<tr>.*?</tr>", body, re.S)]
    cells = [
        re.findall(r"<a href=\"([^\"]+)\">([^<]+)</a>", row)
        for row in re.findall(r"<tr>.*?</tr>", body, re.S)
    ]
    figures = [[text for _, text in row] for row in cells if row]
    assert len(figures) >= 3 and len(shown) > 3

    book = load_workbook(io.BytesIO(client.get("/programme/reports.xlsx?kind=cooperative").data))
    sheet = [[c.value for c in row] for row in book["Huyện, thành phố"].iter_rows(min_row=2)]
    written = [[_vi(v) for v in row[1:]] for row in sheet]
    assert [[_unpadded(t) for t in row] for row in figures] == written

    paper = pdf_text(client.get("/programme/reports.pdf?kind=cooperative").data)
    for row in written:
        assert " ".join(row) in paper

    for row in cells:
        for address, text in row:
            answer = client.get(html.unescape(address)).get_data(as_text=True)
            counted = plain(re.search(r'<p id="count">(.*?)</p>', answer, re.S).group(1))  # type: ignore[union-attr]
            assert text in counted, (address, text, counted)
            if parse_qs(urlsplit(html.unescape(address)).query)["measure"] == ["products"]:
                assert len(re.findall(r"/map#selected=products/", answer)) == int(text.replace(".", ""))


def _vi(value: Any) -> str:
    text = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    return text.translate(str.maketrans(",.", ".,"))


def _unpadded(text: str) -> str:
    return text.rstrip("0").rstrip(",") if "," in text else text


def test_where_the_public_list_has_the_filter_it_counts_the_same(
    signed_in: Callable[..., FlaskClient],
) -> None:
    client = signed_in("province_officer")
    page = client.get("/programme/reports/rows?stars=4&measure=products").get_data(as_text=True)
    assert "/products?stars=4" in page
    total = re.search(r"(\d+) sản phẩm", plain(page))
    listed = plain(client.get("/products?stars=4").get_data(as_text=True))
    assert total is not None and f"trong {total.group(1)}" in listed


def test_everybody_counts_only_what_they_see(
    demo_store: Store, signed_in: Callable[..., FlaskClient]
) -> None:
    with demo_store.reading() as session:
        product = session.scalars(sa.select(Product).where(Product.producer_id.is_not(None))).first()
        assert product is not None
        own = reports.facts(session, Actor(role=Role.PRODUCER, producer_id=product.producer_id), TODAY)
        assert own and {f.producer_id for f in own} == {product.producer_id}
        assert not reports.facts(session, Actor(role=Role.COUNCIL_MEMBER, account_id=1), TODAY)
        home = reports.facts(session, Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id), TODAY)
        assert 0 < len(home) < len(reports.facts(session, SYSTEM, TODAY))
    client = signed_in("council_member")
    assert client.get("/programme/reports").status_code == 200
    assert client.get("/programme/reports/exchange.zip").status_code == 403


def test_a_name_that_looks_like_a_formula_stays_text(
    demo_store: Store, signed_in: Callable[..., FlaskClient]
) -> None:
    with demo_store.writing() as session:
        product = session.scalars(sa.select(Product).where(Product.stars == 4)).first()
        assert product is not None
        product.name = "=1+1"
    client = signed_in("province_officer")
    book = load_workbook(io.BytesIO(client.get("/programme/reports.xlsx").data))
    assert "'=1+1" in [row[1].value for row in book["Sản phẩm"].iter_rows()]
    assert all(c.data_type != "f" for sheet in book for row in sheet.iter_rows() for c in row)


def test_targets_and_funding_are_those_of_the_programme(demo_store: Store) -> None:
    funding = [t.planned for t in targets.targets() if t.key == targets.FUNDING]
    assert funding == [93.505, 302.806, 297.541] and round(sum(funding), 3) == 693.852
    planned = {(t.key, t.period): t.planned for t in targets.targets()}
    assert [planned["standardised", p] for p in ("2020", "2025", "2030")] == [25, 47, 28]
    assert [planned["organisations", p] for p in ("2020", "2025", "2030")] == [22, 28, 21]
    with demo_store.writing() as session:
        with pytest.raises(NotYours):
            targets.enter(session, Actor(role=Role.INSPECTOR), "funding", "2020", 90)
        with pytest.raises(targets.TargetError):
            targets.enter(session, SYSTEM, "five_star", "2020", 90)
        targets.enter(session, SYSTEM, "funding", "2020", 46.7525)
        reached = {(p.target.key, p.target.period): p for p in targets.progress(session)}
        assert reached["funding", "2020"].percent == 50
        assert reached["trained_officers", "2025"].actual is None
        fives = session.scalars(
            sa.select(sa.func.count()).where(Product.stars == 5, Product.certified_on >= dt.date(2021, 1, 1),
                                             Product.certified_on <= dt.date(2025, 12, 31))
        ).one()  # fmt: skip
        assert (reached["five_star", "2025"].actual or 0) >= fives


def test_the_ministrys_tables_fit_together(demo_store: Store, tmp_path: Any) -> None:
    with demo_store.reading() as session:
        sheets = exchange.tables(session, SYSTEM, 2026, TODAY)
        count = exchange.write(session, SYSTEM, 2026, TODAY, tmp_path / "b.zip")
        exchange.write(session, SYSTEM, 2026, TODAY, tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        read = {
            name.removesuffix(".csv"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))
            )
            for name in archive.namelist()
        }
    assert list(read) == ["PTNT_OCOP", "DM_DonViHanhChinh", "DM_KhoangThoiGian", "DM_SanPham", "DM_CoSo"]
    rows = read["PTNT_OCOP"]
    assert list(rows[0]) == ["MA_OCOP", "Ma_DonViHanhChinh", "Ma_ThoiGian", "Ma_SanPham", "TenSanPham", "XepHang",
                             "ChuTheSXKD", "DoanhThuNam", "TrangThai"]  # fmt: skip
    assert count == len(rows) > 10 and {r["XepHang"] for r in rows} <= {"3*", "4*", "5*"}
    assert len({r["MA_OCOP"] for r in rows}) == len(rows)
    assert all(re.fullmatch(r"\d{1,12}\.\d\d|", r["DoanhThuNam"]) for r in rows)
    units = {u["Ma_DonViHanhChinh"] for u in read["DM_DonViHanhChinh"]}
    assert {r["Ma_DonViHanhChinh"] for r in rows} <= units
    assert {r["Ma_SanPham"] for r in rows} == {p["Ma_SanPham"] for p in read["DM_SanPham"]}
    assert {p["Ma_CoSo"] for p in read["DM_SanPham"]} - {""} == {p["Ma_CoSo"] for p in read["DM_CoSo"]}
    assert (
        {r["Ma_ThoiGian"] for r in rows} == {t["Ma_ThoiGian"] for t in read["DM_KhoangThoiGian"]} == {"2026"}
    )
    book = load_workbook(tmp_path / "b.xlsx")
    assert book.sheetnames == [s.name for s in sheets]
    assert [c.value for c in book["PTNT_OCOP"]["F"]][1:] == [r["XepHang"] for r in rows]


def test_a_revoked_certificate_counts_for_its_year_and_not_after(demo_store: Store) -> None:
    with demo_store.writing() as session:
        product = session.scalars(sa.select(Product).where(Product.stars == 4)).first()
        assert product is not None
        session.execute(sa.delete(Certificate).where(Certificate.product_id == product.id))
        session.add(
            Certificate(
                product_id=product.id, stars=3, decision_number="1", decision_date=dt.date(2024, 1, 1),
                issued_by="UBND", issued_on=dt.date(2024, 1, 1), expires_on=dt.date(2027, 1, 1),
                revoked_on=dt.date(2025, 5, 5),
            )
        )  # fmt: skip
        session.flush()
        key = f"SP{product.id:06d}"
        stars = {}
        for year in (2023, 2024, 2025, 2026):
            rows = {r[3]: (r[5], r[8]) for r in exchange.tables(session, SYSTEM, year, TODAY)[0].rows}
            stars[year] = rows.get(key)
    assert stars[2023] is None and stars[2026] is None
    assert stars[2024] is not None and stars[2025] is not None
    assert stars[2024][0] == "3*" and stars[2024][1] != stars[2025][1]
