"""The pages of history, batches and jobs in a real browser: wide and narrow, with the keyboard."""

from __future__ import annotations

import re

import pytest
import shapely
from playwright.sync_api import Page, expect

from data.accounts import Actor, Role
from data.batches import Batch
from data.store import Store
from layers import catalogue
from layers.edit import editing
from services import jobs
from tests.web.conftest import Site
from tests.web.test_accessibility import AXE, RULES

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Trần Văn An")


def square(left: float) -> shapely.Geometry:
    return shapely.box(left, 9.1, left + 0.01, 9.11)


def store_of(site: Site) -> Store:
    store = Store(site.server.environment["OCOPMAP_DATABASE_URL"])
    jobs.install(store, site.server.instance)
    return store


def changed_area(site: Site) -> int:
    """An area that was renamed and redrawn."""
    store = store_of(site)
    with editing(store, OFFICER, "web") as edits:
        row_id = edits.insert(AREAS, {"name": "Vùng ban đầu", "crop": "rice"}, square(105.10))
    with editing(store, OFFICER, "web", "đo lại") as edits:
        edits.update(AREAS, row_id, {"name": "Vùng đo lại"}, square(105.104))
    store.dispose()
    return row_id


def imported(site: Site) -> tuple[int, list[int]]:
    store = store_of(site)
    batch = Batch(kind="import", title="xa_thu.zip", table_name="growing_areas", file_name="xa_thu.zip")
    with editing(store, OFFICER, "import", batch=batch) as edits:
        rows = [({"name": f"Thửa {i}", "crop": "rice"}, square(105.1 + i / 50)) for i in range(3)]
        ids = edits.insert_many(AREAS, rows)
        number = int(batch.id)
    store.dispose()
    return number, ids


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def clean(page: Page) -> None:
    """No complaint by axe-core about the page's own part under the rules of WCAG 2.2 AA."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "\nvoid 0")
    found = page.evaluate(
        "rules => axe.run('main', {runOnly: {type: 'tag', values: rules}})"
        ".then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))",
        RULES,
    )
    assert found == []


@pytest.mark.parametrize("kind", ["site", "phone"])
def test_a_record_tells_its_changes_and_an_earlier_version_comes_back(
    kind: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(kind)
    row_id = changed_area(site)
    site.sign_in()
    page = site.open(f"/history/growing_areas/{row_id}")
    newest = page.locator(".change").first
    expect(newest).to_contain_text("Trần Văn An đã sửa bản ghi")
    expect(newest).to_contain_text("Đổi “Tên vùng” từ “Vùng ban đầu” thành “Vùng đo lại”.")
    expect(newest).to_contain_text(re.compile(r"thêm 48,\d ha, bớt 48,\d ha"))
    expect(newest.locator("svg path.added")).to_be_visible()
    fits(page)
    clean(page)
    button = page.locator(".change").nth(1).get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.ok")).to_contain_text("Đã khôi phục")
    expect(page.locator("h1")).to_contain_text("Vùng ban đầu")


def test_a_deleted_record_is_found_and_comes_back(site: Site) -> None:
    row_id = changed_area(site)
    store = store_of(site)
    with editing(store, OFFICER, "web", "nhập trùng") as edits:
        edits.delete(AREAS, row_id)
    store.dispose()
    site.sign_in()
    page = site.open("/history/growing_areas")
    line = page.locator("tr", has_text="nhập trùng").first
    expect(line).to_contain_text("Vùng đo lại")
    clean(page)
    line.get_by_role("button").click()
    expect(page.locator(".notice.ok")).to_contain_text("Đã khôi phục")
    page.goto(f"{site.server.url}/growing_areas/{row_id}")
    expect(page.locator("h1")).to_contain_text("Vùng đo lại")


def test_a_layer_is_seen_as_of_a_date(phone: Site) -> None:
    phone.sign_in()
    today = phone.open("/history/growing_areas").locator("#asof").get_attribute("max")
    page = phone.open(f"/history/growing_areas?asof={today}")
    expect(page.locator("main")).to_contain_text("hiện nay có")
    expect(page.locator(".change-map svg path.shapes")).to_be_visible()
    fits(page)
    clean(page)


@pytest.mark.parametrize("kind", ["site", "phone"])
def test_a_batch_is_undone_and_done_again(kind: str, request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue(kind)
    number, ids = imported(site)
    site.sign_in()
    page = site.open("/office/batches")
    fits(page)
    clean(page)
    page.get_by_role("link", name=f"{number} · xa_thu.zip").click()
    expect(page.locator("main")).to_contain_text("thêm 3, sửa 0, xóa 0")
    fits(page)
    clean(page)
    page.get_by_role("button", name="Hoàn tác cả đợt").click()
    expect(page.locator(".notice.ok")).to_contain_text("Đã hoàn tác cả đợt")
    page.get_by_role("button", name="Làm lại cả đợt").click()
    expect(page.locator(".notice.ok")).to_be_visible()
    page.goto(f"{site.server.url}/growing_areas/{ids[0]}")
    expect(page.locator("h1")).to_contain_text("Thửa 0")


def test_a_batch_whose_rows_changed_says_by_whom_and_offers_nothing(site: Site) -> None:
    number, ids = imported(site)
    store = store_of(site)
    with editing(store, Actor(role=Role.ADMINISTRATOR, name="Lê Thị Bình"), "web") as edits:
        edits.update(AREAS, ids[1], {"name": "Thửa đã đổi tên"})
    store.dispose()
    site.sign_in()
    page = site.open(f"/office/batches/{number}")
    expect(page.locator("main")).to_contain_text("Thửa đã đổi tên: Lê Thị Bình đã sửa")
    expect(page.locator(".button.danger")).to_have_count(0)
    clean(page)


def test_a_job_page_follows_the_job_without_being_loaded_anew(site: Site) -> None:
    """The worker of the server knows no such work, and says so on the page."""
    store = store_of(site)
    site.sign_in("administrator")
    key = jobs.submit(store, OFFICER, "none-such", "Xuất lớp vùng trồng", {})
    page = site.open(f"/jobs/{key}")
    expect(page.locator("#job .badge")).to_contain_text("Không làm được")
    expect(page.get_by_role("button", name="Chạy lại")).to_be_visible()
    fits(page)
    clean(page)
    page.goto(f"{site.server.url}/jobs")
    expect(page.locator("main")).to_contain_text("Xuất lớp vùng trồng")
    clean(page)
    store.dispose()
