"""The legacy register: merged cells, two products in one cell, #REF!, old communes; nothing half-imported."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from data.accounts import SYSTEM, add_account
from data.admin_units import EDITION_IN_USE, Commune, edition_in_use
from data.batches import Batch
from data.boundaries import import_boundaries
from data.boundaries.write import set_fact
from data.producers import Producer
from data.products import Product
from data.programme.tables import Certificate, Reminder
from data.register import RegisterError, read_register
from data.store import Store
from layers import batches
from services.imports.register import import_register

HEAD = [
    "TT",
    "Tên sản phẩm",
    "Nhóm",
    "Loại hình",
    "Chủ thể",
    "Xã",
    "Địa chỉ",
    "Đại diện",
    "ĐT",
    "Hạng",
    "Hết hạn",
]
PARTS = ["Sao", "Ngày", "Năm", "Số QĐ", "Cơ quan"]


def row(
    number: Any, name: str, commune: str, *more: Any, producer: str = "HTX Hoà Thành (MST 2001234567)"
) -> list[Any]:
    cells = [
        number,
        name,
        "Đồ ăn nhanh",
        "HTX",
        producer,
        commune,
        "ấp 1",
        "Lê A",
        "0900000000",
        "4 sao",
        "30/6/2027",
    ]
    return cells + list(more) + [None] * (22 - len(cells) - len(more))


@pytest.fixture
def commune(demo_store: Store) -> Commune:
    with demo_store.reading() as session:
        names = session.execute(
            sa.select(Commune.name, sa.func.count())
            .where(Commune.edition == edition_in_use(session))
            .group_by(Commune.name)
        )
        name = next(name for name, count in names if count == 1)
        return session.scalar(sa.select(Commune).where(Commune.name == name))


def register(path: Path, commune: str, *, broken: bool = False) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["SỔ ĐĂNG KÝ SẢN PHẨM OCOP"])
    sheet.append([*HEAD, "Lần 1", None, None, None, None, "Lần 2", None, None, None, None, "Ghi chú"])
    sheet.append([None] * 11 + PARTS + PARTS)
    first = (3, dt.datetime(2021, 5, 4), 2021, "12/QĐ-UBND", "UBND huyện")
    second = ("4 sao", "30/6/2024", "2024", "99/QĐ-UBND", "UBND tỉnh")
    sheet.append(row(1, "Tôm khô loại 1", commune, *first))
    sheet.append(row(None, "", commune, *second))
    sheet.append(
        row(
            2,
            "Chả cá thác lác\nChả tôm",
            commune,
            3,
            "1.7.2024",
            2024,
            "100/QĐ-UBND",
            "UBND tỉnh",
            producer="HTX Hòa Thành",
        )
    )
    sheet.append(
        row(
            3,
            "Mắm ba khía" if not broken else "#REF!",
            commune,
            4,
            "30/6/2024",
            2024,
            "101/QĐ-UBND",
            "UBND tỉnh",
            producer="Hộ kinh doanh Minh Hoạ",
        )
    )
    for column in range(1, 12):
        sheet.merge_cells(start_row=4, end_row=5, start_column=column, end_column=column)
    book.save(path)
    return path


def listed(path: Path, rows: list[list[Any]]) -> Path:
    """A register of a head and rows."""
    book = openpyxl.Workbook()
    for cells in ([*HEAD, *PARTS, *PARTS, "Ghi chú"], *rows):
        book.active.append(cells)
    book.save(path)
    return path


def count(store: Store, model: Any) -> int:
    with store.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)


def test_merged_rows_are_one_product_and_one_cell_may_hold_two(tmp_path: Path) -> None:
    entries = read_register(register(tmp_path / "so.xlsx", "Xã X"))
    assert [e.product for e in entries] == ["Tôm khô loại 1", "Chả cá thác lác", "Chả tôm", "Mắm ba khía"]
    assert [(r.stars, r.day, r.decision) for r in entries[0].recognitions] == [
        (3, dt.date(2021, 5, 4), "12/QĐ-UBND"),
        (4, dt.date(2024, 6, 30), "99/QĐ-UBND"),
    ]
    assert entries[0].tax_number == "2001234567" and entries[0].producer == "HTX Hoà Thành"
    assert entries[0].expires_on == dt.date(2027, 6, 30)


def test_a_register_comes_in_with_producers_products_and_recognitions(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    path = register(tmp_path / "so.xlsx", commune.name)
    tried = import_register(demo_store, path, dry_run=True)
    assert tried.barred == [] and tried.batch_id is None
    with demo_store.reading() as session:
        assert session.scalar(sa.select(Product.id).where(Product.name == "Tôm khô loại 1")) is None
    report = import_register(demo_store, path)
    assert report.barred == [] and report.producers_added == 2
    with demo_store.reading() as session:
        product = session.scalar(sa.select(Product).where(Product.name == "Tôm khô loại 1"))
        assert (product.stars, product.expires_on, product.commune_id) == (
            4,
            dt.date(2027, 6, 30),
            commune.id,
        )
        known = session.scalars(
            sa.select(Certificate).where(Certificate.product_id == product.id).order_by(Certificate.issued_on)
        ).all()
        assert [c.stars for c in known] == [3, 4] and known[0].replaced_by_id == known[1].id
        other = session.scalar(sa.select(Product).where(Product.name == "Chả tôm"))
        assert other.producer_id == product.producer_id, "hoà and hòa are one name"
        maker = session.get(Producer, product.producer_id)
        assert (maker.kind, maker.registration_number) == ("cooperative", "2001234567")
        assert session.scalar(sa.select(sa.func.count()).select_from(Batch)) == 1
    again = import_register(demo_store, path)
    assert again.count("same") == 4 and again.producers_added == 0


def test_one_broken_row_keeps_the_whole_register_out(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    known = sa.select(sa.func.count()).select_from(Certificate)
    with demo_store.reading() as session:
        before = session.scalar(known)
    report = import_register(demo_store, register(tmp_path / "so.xlsx", commune.name, broken=True))
    assert [line.row for line in report.barred] == [7] and "tên sản phẩm" in report.barred[0].problems[0]
    with demo_store.reading() as session:
        assert session.scalar(sa.select(Product.id).where(Product.name == "Tôm khô loại 1")) is None
        assert session.scalar(known) == before


def test_a_register_that_is_undone_takes_its_recognitions_along_and_comes_back_with_them(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    def held() -> list[tuple[Any, ...]]:
        with demo_store.reading() as session:
            rows = session.scalars(sa.select(Certificate).order_by(Certificate.id))
            return [(c.id, c.product_id, c.decision_number, c.expires_on, c.replaced_by_id) for c in rows]

    before, products = held(), count(demo_store, Product)
    report = import_register(demo_store, register(tmp_path / "so.xlsx", commune.name))
    kept = held()
    assert len(kept) == len(before) + 5
    undoing = batches.undo(demo_store, SYSTEM, report.batch_id)
    assert held() == before and count(demo_store, Product) == products
    batches.undo(demo_store, SYSTEM, undoing)
    assert held() == kept and count(demo_store, Product) == products + 4
    again = import_register(demo_store, register(tmp_path / "so.xlsx", commune.name))
    assert again.count("same") == 4


def test_a_later_recognition_is_taken_back_and_the_earlier_one_holds_again(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    first = (3, "4/5/2021", 2021, "12/QĐ-UBND", "UBND huyện")
    second = (4, "30/6/2024", 2024, "99/QĐ-UBND", "UBND tỉnh")
    import_register(demo_store, listed(tmp_path / "a.xlsx", [row(1, "Tôm khô", commune.name, *first)]))
    later = listed(tmp_path / "b.xlsx", [row(1, "Tôm khô", commune.name, *first, *second)])
    report = import_register(demo_store, later)
    assert report.count("completed") == 1
    with demo_store.reading() as session:
        product = session.scalar(sa.select(Product).where(Product.name == "Tôm khô"))
        known = sa.select(Certificate).where(Certificate.product_id == product.id)
        assert [c.stars for c in session.scalars(known.where(Certificate.replaced_by_id.is_(None)))] == [4]
    batches.undo(demo_store, SYSTEM, report.batch_id)
    with demo_store.reading() as session:
        (left,) = session.scalars(known)
        assert (left.stars, left.replaced_by_id) == (3, None)


def test_a_recognition_that_something_depends_on_keeps_the_batch(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    report = import_register(demo_store, register(tmp_path / "so.xlsx", commune.name))
    with demo_store.writing() as session:
        last = session.scalar(sa.select(sa.func.max(Certificate.id)))
        session.add(Reminder(certificate_id=last, days_before=30))
    known = count(demo_store, Certificate)
    with pytest.raises(batches.NotUndone):
        batches.undo(demo_store, SYSTEM, report.batch_id)
    assert count(demo_store, Certificate) == known


def test_what_contradicts_itself_is_said_and_doubles_are_kept_once(
    demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    told = (3, "4/5/2026", 2024, "12/QĐ-UBND", "UBND tỉnh")
    rows = [row(n, "Khô cá lóc", commune.name, *told) for n in (1, 2)]
    for cells in rows:
        cells[10] = "1/1/2020"
    report = import_register(demo_store, listed(tmp_path / "so.xlsx", rows))
    assert report.barred == [] and report.producers_added == 1
    words = " ".join(report.doubtful[0].warnings)
    assert all(said in words for said in ("năm 2024", "01/01/2020", "4 sao khác"))
    assert "Trùng với sản phẩm ở dòng 2" in report.doubtful[1].warnings[-1]
    with demo_store.reading() as session:
        (product,) = session.scalars(sa.select(Product).where(Product.name == "Khô cá lóc"))
        (kept,) = session.scalars(sa.select(Certificate).where(Certificate.product_id == product.id))
        assert kept.expires_on == dt.date(2029, 5, 4)


def test_communes_of_the_older_edition_lead_to_those_of_today(
    gpkg_store: Store, real_data: Path, tmp_path: Path
) -> None:
    crosswalk = real_data / "crosswalk_legacy_2025.csv"
    import_boundaries(gpkg_store, real_data / "communes_legacy.geojson", edition="2020")
    import_boundaries(gpkg_store, real_data / "communes_2025.geojson", edition="2025", crosswalk=crosswalk)
    with gpkg_store.writing() as session:
        set_fact(session, EDITION_IN_USE, "2025")
    with crosswalk.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    names = Counter(line["name"] for line in lines)
    whole = [n for n in lines if names[n["name"]] == 1 and float(n["share_of_legacy"]) == 1]
    told = (3, "4/5/2024", 2024, "12/QĐ-UBND", "UBND tỉnh")
    rows = [
        row(n, f"Mắm {n} {by}", text, *told)
        for n, line in enumerate(whole)
        for by, text in (("tên", line["name"]), ("mã", f"{line['name']} ({line['code']})"))
    ]
    report = import_register(gpkg_store, listed(tmp_path / "so.xlsx", rows))
    assert len(whole) > 30 and report.barred == []
    with gpkg_store.reading() as session:
        found = sa.select(Product.name, Commune.code).join(Commune, Commune.id == Product.commune_id)
        today = {name: code for name, code in session.execute(found)}
    # A name that another commune bears today means that one, unless the old code stands beside it.
    borne = {line["name_2025"].partition(" ")[2] for line in lines}
    for n, line in enumerate(whole):
        assert today[f"Mắm {n} mã"] == line["code_2025"], line
        if line["name"].partition(" ")[2] not in borne:
            assert today[f"Mắm {n} tên"] == line["code_2025"], line


def test_a_workbook_that_swells_or_declares_entities_is_no_register(tmp_path: Path) -> None:
    whole = listed(tmp_path / "so.xlsx", [row(1, "Tôm", "Xã X")])
    swelling, declaring = tmp_path / "bom.xlsx", tmp_path / "xml.xlsx"
    for path in (swelling, declaring):
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as sink:
            for name in source.namelist():
                text = source.read(name)
                if path == declaring and name == "xl/workbook.xml":
                    text = b'<!DOCTYPE x [<!ENTITY a "b">]>' + text.split(b"?>", 1)[-1]
                sink.writestr(name, text)
            if path == swelling:
                sink.writestr("xl/media/a.xml", b"<a>" + b" " * (300 * 2**20))
        with pytest.raises(RegisterError):
            read_register(path)


def test_an_unknown_commune_is_named(demo_store: Store, tmp_path: Path) -> None:
    report = import_register(demo_store, register(tmp_path / "so.xlsx", "Xã Không Có Ở Đâu"))
    assert len(report.barred) == 4 and "Không Có Ở Đâu" in report.barred[0].problems[0]


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(tmp_path / "khac.xlsx")
    with pytest.raises(RegisterError):
        read_register(tmp_path / "khac.xlsx")


def test_the_page_tries_a_register_out_and_keeps_it(
    client, demo_store: Store, commune: Commune, tmp_path: Path
) -> None:
    with demo_store.writing() as session:
        add_account(session, "to", "province_officer", password="mot-mat-khau-dai")
    client.application.config["WTF_CSRF_ENABLED"] = False
    client.post("/login", data={"username": "to", "password": "mot-mat-khau-dai"})
    assert client.get("/office/import/register").status_code == 200
    path = register(tmp_path / "so.xlsx", commune.name)

    def sent(button: str) -> str:
        data = {"file": (io.BytesIO(path.read_bytes()), "sổ 2024.xlsx"), button: "1"}
        return client.post("/office/import/register", data=data).text

    assert "Chạy thử nên chưa có gì thay đổi" in sent("try")
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Batch)) == 0
    assert "Đã nhập." in sent("keep")
    with demo_store.reading() as session:
        assert session.scalar(sa.select(Batch.file_name)) == "sổ 2024.xlsx"
