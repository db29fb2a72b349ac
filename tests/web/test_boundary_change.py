"""The assistant for boundary changes in a browser: choose, decree, draw, name, look, apply, find again, undo."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from data import people
from data.store import Store
from tests.conftest import PASSWORD, Server, start_server
from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious

CHANGES = "/office/boundaries/changes"


@pytest.fixture(scope="module")
def live_server(demo_gpkg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: a changed boundary is seen by every other page."""
    instance = tmp_path_factory.mktemp("boundaries")
    shutil.copy(demo_gpkg, instance / "province.gpkg")
    url = f"gpkg:///{instance / 'province.gpkg'}"
    store = Store(url)
    people.add_person(store, "province_officer", "province_officer", password=PASSWORD, display_name="Lan")
    people.add_person(store, "xa77", "commune_officer", password=PASSWORD, territory="32077")
    store.dispose()
    server = start_server(url, instance, workers=1)
    server.accounts = {"province_officer": "province_officer"}
    yield server
    server.stop()
    assert "Traceback" not in server.log(), server.log()


def choose(page: Page, kind: str, *codes: str) -> None:
    page.check(f"input[name=kind][value={kind}]")
    for code in codes:
        page.fill("#unit-filter", code)
        page.locator(f"label[data-find$='{code}'] input").check()
    page.get_by_role("button", name="Tiếp tục").click()


def give_decree(page: Page, number: str, day: str) -> None:
    page.fill("#decree", number)
    page.fill("#decree_date", "2026-10-01")
    page.fill("#effective_on", day)
    page.get_by_role("button", name="Tiếp tục").click()


def draw_line_down(page: Page) -> None:
    """Draw a line by mouse through the middle of the map, from top to bottom."""
    expect(page.locator("#boundary-map")).to_have_attribute("data-draw-ready", "1")
    expect(page.locator("#boundary-map")).to_have_attribute("data-map-ready", "1")
    page.locator("#boundary-map").scroll_into_view_if_needed()
    box = page.locator("#boundary-map").bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    for down in (12, box["height"] / 2, box["height"] - 40, box["height"] - 40):
        page.mouse.move(x, box["y"] + down)
        page.mouse.click(x, box["y"] + down)
    expect(page.locator("#drawn")).to_contain_text("1 đường chia")


def test_a_split_from_the_choice_of_the_unit_to_its_undoing(site: Site) -> None:
    site.sign_in()
    page = site.open(f"{CHANGES}/new")
    page.fill("#unit-filter", "thoi binh")
    expect(page.locator("label[data-find]:visible")).to_have_count(2)
    choose(page, "split", "32077")
    give_decree(page, "25/NQ-HĐND", "2026-11-01")
    draw_line_down(page)
    page.get_by_role("button", name="Lấy ranh giới này").click()
    expect(page.locator(".new-unit")).to_have_count(2)
    page.fill("#name-2", "Xã Thới Bình Đông")
    page.fill("#code-2", "31999")
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_text("Mã 31999 đang là mã của Phường 9.")).to_be_visible()
    expect(page.get_by_role("button", name="Áp dụng ngay")).to_have_count(0)
    page.get_by_role("link", name="Ranh giới và tên").click()
    page.fill("#code-2", "99901")
    page.get_by_role("button", name="Xem trước").click()
    cells = page.locator("tr[data-table=growing_areas] td").all_text_contents()
    assert int(cells[0]) > 0 and int(cells[1]) > 0
    page.get_by_label("xa77").first.select_option("1")
    page.get_by_role("button", name="Lưu địa bàn").click()
    expect(page.get_by_label("xa77").first).to_have_value("1")
    page.get_by_role("button", name="Áp dụng ngay").click()
    expect(page.get_by_text("Đã áp dụng thay đổi địa giới.")).to_be_visible()
    applied = page.url.removeprefix(site.server.url)

    new = next(h for h in site.json("/search?q=99901")["results"] if h["layer"] == "communes")
    assert new["title"] == "Xã Thới Bình Đông"
    (meaning, former) = site.json("/units.json?code=32077")["units"]
    assert meaning["in_use"] and {n["code"] for n in former["now"]} == {"32077", "99901"}
    site.open(former["url"])
    expect(page.locator("#now")).to_contain_text("Xã Thới Bình Đông")
    page.locator("#now").get_by_role("link", name="Xã Thới Bình Đông").click()
    expect(page.locator("#formerly")).to_contain_text("Trước đây là: Xã Thới Bình")

    site.open(applied)
    page.get_by_role("button", name="Hoàn tác thay đổi này").click()
    expect(page.get_by_text("Đã hoàn tác thay đổi địa giới")).to_be_visible()
    assert [u["in_use"] for u in site.json("/units.json?code=32077")["units"]] == [True]
    assert site.json("/units.json?code=99901")["units"] == []


def test_a_merger_chosen_on_the_map_is_scheduled_and_taken_off_the_schedule(site: Site) -> None:
    site.sign_in()
    page = site.open(f"{CHANGES}/new")
    page.check("input[name=kind][value=merge]")
    for unit in ("1", "2"):
        page.locator(f"#pick-map [data-unit='{unit}']").click()
    expect(page.locator("#chosen-units")).to_have_text("Đã chọn: Phường 4 32002, Phường 9 31999")
    page.get_by_role("button", name="Tiếp tục").click()
    give_decree(page, "26/NQ-HĐND", "2099-01-01")
    page.fill("#name-1", "Phường Hợp Nhất")
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_role("button", name="Áp dụng ngay")).to_have_count(0)
    page.get_by_role("button", name="Lên lịch áp dụng ngày 1/1/2099").click()
    expect(page.locator("#what .badge")).to_have_text("Chờ đến ngày")
    site.open(CHANGES)
    expect(page.get_by_role("row", name="26/NQ-HĐND")).to_contain_text("Chờ đến ngày")
    page.get_by_role("link", name="26/NQ-HĐND").click()
    page.get_by_role("button", name="Hủy lịch").click()
    page.get_by_role("button", name="Bỏ bản nháp").click()
    expect(page.get_by_text("Đã bỏ bản nháp.")).to_be_visible()


def test_a_line_that_cuts_nothing_is_explained_and_what_was_drawn_is_kept(site: Site) -> None:
    site.allowed.append("Failed to load resource")
    site.sign_in()
    page = site.open(f"{CHANGES}/new")
    choose(page, "split", "32077")
    give_decree(page, "27/NQ-HĐND", "2026-11-01")
    text = '{"type":"LineString","coordinates":[[105.1,9.3],[105.11,9.31]]}'
    page.fill("#geometry", text)
    expect(page.locator("#boundary-map")).to_have_attribute("data-draw-ready", "1")
    page.fill("#geometry", text)
    page.get_by_role("button", name="Lấy ranh giới này").click()
    expect(page.get_by_role("alert")).to_contain_text("chưa cắt hết đơn vị")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_step_fits_the_screen_and_has_no_serious_barrier(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    site.sign_in()

    def look() -> None:
        assert serious(site) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]

    page = site.open(f"{CHANGES}/new")
    look()
    choose(page, "border", "31999", "32002")
    look()
    give_decree(page, "28/NQ-HĐND", "2026-11-01")
    draw_line_down(page)
    page.get_by_role("button", name="Lấy ranh giới này").click()
    expect(page.locator(".new-unit")).to_have_count(2)
    look()
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_role("button", name="Áp dụng ngay")).to_be_visible()
    look()
    site.open(CHANGES)
    look()
