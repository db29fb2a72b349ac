"""The page of a lot on a phone of 360 px, with and without script."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.conftest import PHONE, Site
from tests.web.test_accessibility import serious

STATES = ("released", "held", "recalled")


def lot_of(site: Site, state: str) -> int:
    """The first published lot in a state."""
    with sqlite3.connect(f"file:{site.server.instance / 'province.gpkg'}?mode=ro", uri=True) as record:
        query = "SELECT min(id) FROM lots WHERE status = 'published' AND lot_status = ?"
        found: int = record.execute(query, (state,)).fetchone()[0]
    return found


@pytest.mark.parametrize("state", STATES)
def test_the_first_screen_says_what_matters(phone: Site, state: str) -> None:
    page = phone.open(f"/lots/{lot_of(phone, state)}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    must_see = [page.locator("h1"), page.locator(".star-block")]
    if state != "released":
        must_see.append(page.locator(f"[data-warning={state}]"))
    for one in must_see:
        expect(one).to_be_in_viewport()
    assert serious(phone) == []


def test_the_page_is_whole_without_script(make_site: Callable[..., Site]) -> None:
    site = make_site(PHONE, java_script_enabled=False)
    page = site.open(f"/lots/{lot_of(site, 'released')}")
    for heading in ("Từ vùng nguyên liệu đến tay bạn", "Kiểm nghiệm", "Thông tin truy xuất", "Lượt quét"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator(".journey-map svg").first).to_be_visible()
    page.get_by_role("link", name="Báo vấn đề").click()
    page.select_option("#kind", "quality")
    page.fill("#text", "Gói bị hở, tôm ỉu")
    page.get_by_role("button", name="Gửi báo cáo").click()
    expect(page.locator("h1")).to_contain_text("VD-")
    expect(page.locator("main")).to_contain_text("Gói bị hở, tôm ỉu")


@pytest.mark.parametrize("path", ["/lots/1/report", "/lots", "/report?code=x"])
def test_forms_fit_and_are_accessible(phone: Site, path: str) -> None:
    page = phone.open(path.replace("/1/", f"/{lot_of(phone, 'released')}/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious(phone) == []


def test_officers_pages_fit_and_are_accessible(phone: Site) -> None:
    phone.sign_in()
    for path in ("/office/problems", "/office/alarms"):
        page = phone.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert serious(phone) == []
    first = phone.open("/office/problems").locator("tbody th a").first
    if first.count():
        first.click()
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert serious(phone) == []
