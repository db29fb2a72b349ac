"""QR labels as files: what the code holds, how large it is printed, who may have it, and refusals in one sentence."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
import segno
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image

from data.accounts import add_account
from data.base import PUBLISHED
from data.products import Product
from data.store import Store
from data.traceability.lots import Lot
from services.labels.asked import link_text
from services.labels.layout import LabelError, Size, code_of, fit, grid

PASSWORD = "mot-mat-khau-dai"
GTIN = "8938505974194"
MM_PER_POINT = 25.4 / 72
GS1_SMALLEST_MODULE_MM = 0.396
#: The next larger module that is a whole number of dots at 300 an inch, and the height of a row of text.
WHOLE_DOTS_MM, ROW = 5 / 300 * 25.4, 1.6
Ask = Callable[..., Any]


@pytest.fixture
def lot(demo_store: Store) -> tuple[int, int]:
    """A published lot of a product with a GTIN: its number and its producer's."""
    with demo_store.writing() as session:
        row = session.scalars(
            sa.select(Lot)
            .join(Product)
            .where(Lot.status == PUBLISHED, Lot.lot_status == "released", Lot.producer_id.is_not(None))
            .order_by(Lot.id)
        ).first()
        assert row is not None and row.producer_id is not None
        row.product.gtin, row.lot_number = GTIN, "L261123-01"
        return row.id, row.producer_id


@pytest.fixture
def ask(client: FlaskClient, header_of: Any, lot: tuple[int, int]) -> Ask:
    """Ask for labels as the producer of the lot."""
    header = header_of("producer", producer_id=lot[1])

    def get(form: str = "svg", query: str = "") -> Any:
        return client.get(f"/labels/{lot[0]}.{form}?{query}", headers=header)

    return get


def modules_of(picture: Image.Image, code: segno.QRCode) -> tuple[list[list[bool]], float]:
    """Read the modules of a symbol from a picture, and the width of one in pixels."""
    grey = picture.convert("L").point(lambda value: 0 if value < 128 else 255)
    count = code.symbol_size(border=0)[0]
    top = next(y for y in range(grey.height) if _finder(grey, y) is not None)
    left, wide = _finder(grey, top) or (0, 0)
    size = wide / 7
    dark = [
        [
            grey.getpixel((int(left + (column + 0.5) * size), int(top + (row + 0.5) * size))) == 0
            for column in range(count)
        ]
        for row in range(count)
    ]
    return dark, size


def _finder(grey: Image.Image, y: int) -> tuple[int, int] | None:
    """The first run of dark pixels of a row that is as long as the top of a finder pattern."""
    start = None
    for x in range(grey.width):
        dark = grey.getpixel((x, y)) == 0
        if dark and start is None:
            start = x
        if not dark and start is not None:
            if x - start >= 7 * 9:
                return start, x - start
            start = None
    return None


@pytest.mark.parametrize("size", ["40x30", "30x30", "60x40", "100x60"])
def test_the_printed_modules_are_the_link_of_the_lot(ask: Ask, size: str) -> None:
    answer = ask("png", f"size={size}")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.data))
    width, height = map(int, size.split("x"))
    assert picture.size == (round(width / 25.4 * 600), round(height / 25.4 * 600))
    code = segno.make(f"HTTP://LOCALHOST/01/0{GTIN}/10/L261123-01", error="m", micro=False)
    dark, pixels = modules_of(picture, code)
    assert dark == [[bool(cell) for cell in row] for row in code.matrix]
    assert pixels == int(pixels), "a module is a whole number of dots"
    assert pixels / 600 * 25.4 >= GS1_SMALLEST_MODULE_MM


def test_a_vector_label_has_the_size_it_was_asked_for(ask: Ask) -> None:
    answer = ask("svg", "size=40x30")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    found = re.search(rb'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"', answer.data)
    assert found is not None
    assert [float(x) * MM_PER_POINT for x in found.groups()] == pytest.approx([40, 30], abs=0.01)
    assert b"<script" not in answer.data and b"http://localhost" not in answer.data.lower()


def test_a_sheet_holds_the_labels_asked_for_with_what_people_read(
    ask: Ask, demo_store: Store, lot: tuple[int, int]
) -> None:
    answer = ask("pdf", "size=40x30&copies=28")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert "nhan-L261123-01.pdf" in answer.headers["Content-Disposition"]
    document = pypdf.PdfReader(io.BytesIO(answer.data))
    assert len(document.pages) == 1
    box = document.pages[0].mediabox
    assert [float(box.width) * MM_PER_POINT, float(box.height) * MM_PER_POINT] == pytest.approx(
        [210, 297], abs=0.1
    )
    text = document.pages[0].extract_text()
    with demo_store.reading() as session:
        row = session.get_one(Lot, lot[0])
        name, made, ends = row.product.name, row.produced_on, row.expires_on
    assert text.count("L261123-01") == 28
    assert re.sub(r"\s+", " ", text).count(name) == 28
    assert made is not None and text.count(f"{made:%d/%m/%Y}") >= 28
    assert ends is not None and text.count(f"{ends:%d/%m/%Y}") >= 28
    assert text.count("DỮ LIỆU MINH HOẠ") == 28


def test_more_labels_than_fit_go_on_the_next_sheet(ask: Ask) -> None:
    columns, rows = grid(Size(40, 30))
    document = pypdf.PdfReader(io.BytesIO(ask("pdf", f"copies={columns * rows + 1}").data))
    assert len(document.pages) == 2


def test_a_roll_has_a_page_for_every_jar_with_its_own_code(ask: Ask) -> None:
    answer = ask("pdf", "paper=label&size=40x30&serial_from=MAU-08&serial_to=mau-11&copies=2")
    document = pypdf.PdfReader(io.BytesIO(answer.data))
    serials = [re.search(r"MAU-\d\d", page.extract_text()) for page in document.pages]
    assert [found[0] for found in serials if found] == [f"MAU-{n:02d}" for n in (8, 8, 9, 9, 10, 10, 11, 11)]
    box = document.pages[0].mediabox
    assert [float(box.width) * MM_PER_POINT, float(box.height) * MM_PER_POINT] == pytest.approx(
        [40, 30], abs=0.1
    )
    jar = ask("png", "serial_from=0007")
    code = segno.make(f"HTTP://LOCALHOST/01/0{GTIN}/10/L261123-01/21/0007", error="m", micro=False)
    assert modules_of(Image.open(io.BytesIO(jar.data)), code)[0] == [
        [bool(c) for c in row] for row in code.matrix
    ]


def test_a_code_on_a_label_leads_to_the_lot(
    client: FlaskClient, lot: tuple[int, int], demo_store: Store
) -> None:
    assert client.get(f"/01/0{GTIN}/10/L261123-01").headers["Location"].endswith(f"/lots/{lot[0]}")
    with demo_store.writing() as session:
        row = session.get_one(Lot, lot[0])
        row.product.gtin = None
        product = row.product_id
    text = link_text(f"urn:ocop:lot:{product}:L261123-01", "http://localhost")
    assert text == f"HTTP://LOCALHOST/LO/{product}/L261123-01"
    answer = client.get(text.removeprefix("HTTP://LOCALHOST"))
    assert answer.headers["Location"].endswith(f"/lots/{lot[0]}")


@pytest.mark.parametrize(
    ("query", "form", "status"),
    [
        ("size=40", "svg", 400),
        ("size=5x5", "svg", 400),
        ("size=999x40", "svg", 400),
        ("size=20x20", "svg", 422),
        ("size=150x15", "svg", 422),
        ("copies=0", "pdf", 400),
        ("copies=1001", "pdf", 400),
        ("copies=x", "pdf", 400),
        ("copies=2", "png", 400),
        ("paper=a4", "svg", 400),
        ("paper=a3", "pdf", 400),
        ("serial_from=A", "pdf", 400),
        ("serial_from=0010&serial_to=0001", "pdf", 400),
        ("serial_from=A1&serial_to=B2", "pdf", 400),
        ("serial_from=1&serial_to=900000000", "pdf", 400),
        ("serial_from=1&serial_to=600&copies=2", "pdf", 400),
        ("serial_from=%3Cscript%3E1", "pdf", 400),
        ("colour=red", "pdf", 400),
    ],
)
def test_what_cannot_be_printed_is_refused_in_one_sentence(
    ask: Ask, query: str, form: str, status: int
) -> None:
    answer = ask(form, query)
    assert answer.status_code == status
    assert answer.json["detail"].endswith(".") and "%(" not in answer.json["detail"]


@pytest.mark.parametrize("state", ["held", "recalled"])
def test_no_labels_for_a_lot_that_is_stopped(
    ask: Ask, demo_store: Store, lot: tuple[int, int], state: str
) -> None:
    with demo_store.writing() as session:
        session.get_one(Lot, lot[0]).lot_status = state
    assert ask("pdf").status_code == 422


def test_labels_are_for_those_who_see_the_dossier(
    client: FlaskClient, header_of: Any, lot: tuple[int, int], ask: Ask
) -> None:
    address = f"/labels/{lot[0]}.svg"
    assert client.get(address).status_code == 404
    assert ask("svg").status_code == 200
    assert client.get(address, headers=header_of("province_officer")).status_code == 200
    administrator = header_of("administrator")
    assert client.get(address, headers=administrator).status_code == 200
    assert client.get("/labels/99999999.svg", headers=administrator).status_code == 404


def test_labels_of_others_are_not_given_out(
    client: FlaskClient, header_of: Any, lot: tuple[int, int]
) -> None:
    other = header_of("producer", producer_id=lot[1] + 1)
    for form in ("svg", "png", "pdf"):
        assert client.get(f"/labels/{lot[0]}.{form}", headers=other).status_code == 404


def sign_in(client: FlaskClient, store: Store, producer_id: int) -> FlaskClient:
    with store.writing() as session:
        add_account(session, f"chu-{producer_id}", "producer", password=PASSWORD, producer_id=producer_id)
    page = client.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    form = {"username": f"chu-{producer_id}", "password": PASSWORD, "csrf_token": token[1]}
    assert client.post("/login", data=form).status_code == 303
    return client


def test_the_page_shows_the_label_and_keeps_what_was_typed(
    client: FlaskClient, demo_store: Store, lot: tuple[int, int]
) -> None:
    address = f"/office/lots/{lot[0]}/labels"
    assert client.get(address).status_code == 302
    sign_in(client, demo_store, lot[1])
    page = client.get(address).get_data(as_text=True)
    assert f"/labels/{lot[0]}.svg?size=40x30" in page
    assert f"/01/0{GTIN}/10/L261123-01" in page
    assert "OCOPMAP_BASE_URL" in page
    wrong = client.get(address + "?serial_from=A&copies=7&do=file")
    assert wrong.status_code == 400
    assert 'value="7"' in wrong.get_data(as_text=True)
    assert 'role="alert"' in wrong.get_data(as_text=True)
    file = client.get(address + "?output=label&copies=3&do=file&size=60x40&serial_from=&serial_to=")
    assert file.mimetype == "application/pdf"
    assert len(pypdf.PdfReader(io.BytesIO(file.data)).pages) == 3


def test_the_page_of_others_is_not_there(
    client: FlaskClient, demo_store: Store, lot: tuple[int, int]
) -> None:
    sign_in(client, demo_store, lot[1] + 1)
    assert client.get(f"/office/lots/{lot[0]}/labels").status_code == 404


# ---- sizes


@pytest.mark.parametrize("modules", [21, 25, 29, 33, 37, 41, 57])
@pytest.mark.parametrize("size", [Size(40, 30), Size(30, 30), Size(60, 40), Size(100, 60), Size(25, 25)])
def test_a_code_is_never_smaller_than_gs1_allows_and_never_larger_than_its_label(
    modules: int, size: Size
) -> None:
    try:
        placed = fit(modules, size, 2)
    except LabelError as refused:
        assert str(refused).endswith(".")
        least = (modules + 8) * WHOLE_DOTS_MM
        assert least > size.width or least > size.height - 3 * 5.5 * ROW * MM_PER_POINT
        return
    assert placed.module_mm >= GS1_SMALLEST_MODULE_MM
    assert placed.block_mm <= size.width
    assert placed.block_mm + (2 + placed.name_rows) * placed.points * MM_PER_POINT <= size.height
    assert placed.points >= 5.5


def test_capitals_make_the_symbol_smaller_where_addresses_allow_them() -> None:
    uri = f"https://id.gs1.org/01/0{GTIN}/10/L261123-01"
    short, long = link_text(uri, "https://ocop.example.vn"), link_text(uri, "https://ocop.example.vn/Ca-Mau")
    assert short == f"HTTPS://OCOP.EXAMPLE.VN/01/0{GTIN}/10/L261123-01"
    assert long == f"https://ocop.example.vn/Ca-Mau/01/0{GTIN}/10/L261123-01"
    plain = segno.make(short.lower(), error="m", micro=False)
    assert code_of(short).version < plain.version
    small = link_text(f"https://id.gs1.org/01/0{GTIN}/10/l1", "https://ocop.example.vn")
    assert small.endswith("/10/l1") and small.startswith("https://ocop")
