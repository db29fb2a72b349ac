"""`/export/…`: files at once, jobs for large ones, the page that makes the choices, and what nobody may see."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pyogrio
import pytest
from flask.testing import FlaskClient

from data.accounts import PUBLIC, SYSTEM
from data.store import Store
from data.tables import RecordFact
from layers import catalogue, read
from services import exports, jobs
from services.exports.views import ROWS_FACT
from services.exports.wish import parse
from services.jobqueue import home_of

AREAS = catalogue.layer("growing_areas")
PRODUCTS = catalogue.layer("products")
BROWSER = {"Accept": "text/html"}


def count(store: Store, layer: Any = AREAS, actor: Any = PUBLIC, **asked: str) -> int:
    with store.reading() as session:
        return read.count(session, parse(layer, "csv", asked, actor).query(actor))


@pytest.fixture
def desk(app: Any) -> Store:
    """The application's own store, which knows where its jobs have their folders."""
    found: Store = app.extensions["ocop_store"]
    return found


def fewer_at_once(store: Store, rows: int) -> None:
    with store.writing() as session:
        session.add(RecordFact(key=ROWS_FACT, value=str(rows)))


@pytest.mark.parametrize("form", list(exports.FORMATS))
def test_every_format_has_an_address(client: FlaskClient, form: str) -> None:
    layer = "growing_areas" if form == "eudr" else "sale_points"
    answer = client.get(f"/export/{layer}.{form}")
    assert answer.status_code == 200 and len(answer.data) > 100
    assert answer.content_type.startswith(exports.FORMATS[form].media_type)
    named = answer.headers["Content-Disposition"]
    assert named.startswith(f'attachment; filename="{layer}') and named.endswith(
        f'.{exports.FORMATS[form].extension}"'
    )


def test_an_address_takes_the_choices(client: FlaskClient, demo_store: Store) -> None:
    wanted = count(demo_store, crop="rice", filter="area_ha > 5")
    answer = client.get(
        "/export/growing_areas.shp",
        query_string={"crop": "rice", "filter": "area_ha > 5", "crs": "EPSG:9207", "encoding": "TCVN3"},
    )
    assert answer.headers["OGC-NumberMatched"] == str(wanted)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        assert packed.read("growing_areas.cpg") == b"TCVN3"
        assert b"104.5" in packed.read("growing_areas.prj")
    assert client.get("/export/products.xlsx", query_string={"fields": "name,stars"}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/export/products.csv?filter=stars+%3E%3E",
        "/export/products.csv?nothing=1",
        "/export/products.csv?crs=EPSG:1",
        "/export/products.csv?fields=email",
        "/export/products.csv?crop=rice",
        "/export/products.dwg",
        "/export/products.eudr",
        "/export/growing_areas.csv?owner_phone=0900",
        "/export/growing_areas.csv?filter=owner_phone+IS+NOT+NULL",
        "/export/products.csv?stars=4&stars=5",
    ],
)
def test_a_wrong_choice_is_one_sentence(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400 and answer.mimetype == "application/problem+json"
    assert "\n" not in answer.json["detail"]
    assert client.get(address, headers=BROWSER).mimetype == "text/html"


def test_a_file_holds_the_layer_as_of_a_date(client: FlaskClient) -> None:
    today = list(csv.reader(io.StringIO(client.get("/export/growing_areas.csv").text)))
    before = client.get("/export/growing_areas.csv?asof=1990-01-01")
    assert before.headers["OGC-NumberMatched"] == "0"
    assert list(csv.reader(io.StringIO(before.text))) == today[:1]
    later = client.get("/export/growing_areas.csv?asof=2099-01-01")
    assert list(csv.reader(io.StringIO(later.text))) == today


def test_an_unknown_layer_is_missing(client: FlaskClient) -> None:
    assert client.get("/export/nothing.csv").status_code == 404


def test_rows_and_columns_follow_who_asks(client: FlaskClient, demo_store: Store, header_of: Any) -> None:
    public = client.get("/export/growing_areas.xlsx").data
    staff = client.get("/export/growing_areas.xlsx", headers=header_of("province_officer")).data

    def seen(body: bytes) -> tuple[int, set[Any]]:
        sheet = openpyxl.load_workbook(io.BytesIO(body), read_only=True).worksheets[0]
        head, *rows = sheet.iter_rows(values_only=True)
        return len(rows), set(head)

    phone = AREAS.field("owner_phone").title.vi
    assert seen(public)[0] == count(demo_store) and phone not in seen(public)[1]
    assert seen(staff)[0] == count(demo_store, actor=SYSTEM) and phone in seen(staff)[1]


# ---- large ones


def test_a_large_export_becomes_a_job_with_a_link(
    client: FlaskClient, demo_store: Store, desk: Store
) -> None:
    fewer_at_once(demo_store, 10)
    answer = client.get("/export/growing_areas.gpkg?crop=rice")
    assert answer.status_code == 202
    key = answer.json["job"].rpartition("/")[2]
    again = client.get("/export/growing_areas.gpkg?crop=rice", headers=BROWSER)
    assert again.status_code == 303 and again.location == f"/jobs/{key}"
    jobs.run_now(desk, key)
    status = client.get(answer.json["status"]).json
    wanted = count(demo_store, crop="rice")
    assert (status["state"], status["done"], status["total"]) == ("done", wanted, wanted)
    assert status["result"] == {"rows": wanted, "cut": []}
    file = client.get(status["file"])
    assert file.status_code == 200 and file.data[:15] == b"SQLite format 3"
    assert pyogrio.read_info(io.BytesIO(file.data), layer="growing_areas")["features"] == wanted
    assert client.get("/export/sale_points.csv?ids=1").status_code == 200


def test_a_job_that_was_cut_off_starts_over_and_leaves_nothing_half(
    client: FlaskClient, demo_store: Store, desk: Store
) -> None:
    fewer_at_once(demo_store, 10)
    key = client.get("/export/products.shp").json["job"].rpartition("/")[2]
    folder = home_of(desk).folder(key)
    (folder / ".export-999999999-x").mkdir()
    (folder / ".export-999999999-x" / "file").write_bytes(b"half")
    done = jobs.run_now(desk, key)
    assert done.state == "done" and done.file == "products.zip"
    assert not list(folder.glob(".export-*"))


def test_a_job_has_the_rights_of_who_asked(
    client: FlaskClient, demo_store: Store, desk: Store, header_of: Any
) -> None:
    fewer_at_once(demo_store, 10)
    header = header_of("province_officer")
    mine = client.get("/export/growing_areas.csv", headers=header).json["job"]
    public = client.get("/export/growing_areas.csv").json["job"]
    assert mine != public
    job = jobs.run_now(desk, mine.rpartition("/")[2])
    assert job.result["rows"] == count(demo_store, actor=SYSTEM)
    assert client.get(f"{mine}/file").status_code == 404
    body = client.get(f"{mine}/file", headers=header).data
    assert "owner_phone" in body.decode("utf-8-sig").splitlines()[0]


# ---- the page


def test_the_page_counts_rows_and_leads_to_the_file(client: FlaskClient, demo_store: Store) -> None:
    assert 'href="/export?layer=growing_areas"' in client.get("/export", headers=BROWSER).text
    page = client.get("/export?layer=growing_areas&crop=rice", headers=BROWSER).text
    shown = f"{count(demo_store, crop='rice'):,}".replace(",", ".")
    assert f"<strong>{shown} dòng</strong>" in page
    taken = client.get(
        "/export/file?layer=growing_areas&format=shp&crop=rice&crs=EPSG:9207&filter=&field=name&field=crop",
        headers=BROWSER,
    )
    assert taken.status_code == 303
    parts = urlsplit(taken.location)
    assert parts.path == "/export/growing_areas.shp"
    asked = {"crop": ["rice"], "crs": ["EPSG:9207"], "fields": ["name,crop"], "lang": ["vi"]}
    assert parse_qs(parts.query) == asked
    assert client.get(taken.location).status_code == 200


def test_a_wrong_filter_is_shown_beside_what_was_typed(client: FlaskClient) -> None:
    for path in ("/export", "/export/file"):
        page = client.get(f"{path}?layer=products&format=csv&filter=stars+%3E%3E+4", headers=BROWSER).text
        assert 'role="alert"' in page and "stars &gt;&gt; 4" in page


def test_lists_lead_to_the_export_of_what_they_show(client: FlaskClient) -> None:
    page = client.get("/products?stars=4&district_code=", headers=BROWSER).text
    assert "/export?layer=products&amp;stars=4" in page


def test_the_office_page_wants_a_signed_in_person(client: FlaskClient) -> None:
    assert client.get("/office/export", headers=BROWSER).status_code == 302
