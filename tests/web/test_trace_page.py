"""The trace screen in a browser: no barrier, no page wider than a phone, and all of it by the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious

FITS = "document.documentElement.scrollWidth <= innerWidth"


def a_traced_lot(site: Site) -> int:
    """A lot of the demonstration that something was made of and that was made of something."""
    for feature in site.json("/layers/lots.geojson?limit=300")["features"]:
        answer = site.json(f"/trace?lot={feature['id']}")
        if 4 < len(answer["nodes"]) <= 30:
            return int(feature["id"])
    raise AssertionError("the demonstration has no lot with a chain")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_trace_recalls_and_drills_have_no_serious_barrier(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    site.sign_in()
    lot = a_traced_lot(site)
    paths = (f"/office/trace?lot={lot}", "/office/trace", f"/office/recalls/new?lot={lot}", "/office/recalls",
             "/office/recalls/1", "/office/recalls/drills", "/office/recalls/drills/1")  # fmt: skip
    for path in paths:
        page = site.open(path)
        expect(page.locator("h1")).to_be_visible()
        assert serious(site) == [], path
        assert page.evaluate(FITS), path


def test_the_picture_is_walked_through_with_the_keyboard(site: Site) -> None:
    site.sign_in()
    page = site.open(f"/office/trace?lot={a_traced_lot(site)}")
    boxes = page.locator(".trace-diagram a")
    assert boxes.count() > 3
    page.locator(".trace-diagram").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('svg') !== null")
    stroke = page.evaluate("getComputedStyle(document.activeElement.querySelector('.box')).strokeWidth")
    assert stroke == "5px"
    name = page.evaluate("document.activeElement.querySelector('title').textContent")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    expect(page.locator("[aria-current=true] title").first).to_have_text(name)


def test_rows_fold_and_unfold_with_the_keyboard(phone: Site) -> None:
    phone.sign_in()
    page = phone.open(f"/office/trace?lot={a_traced_lot(phone)}")
    rows = page.locator("table[data-tree]").first.locator("tr[data-level]")
    fold = rows.first.locator("[data-fold]")
    expect(rows.nth(1)).to_be_visible()
    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(rows.nth(1)).to_be_hidden()
    page.keyboard.press("Enter")
    expect(rows.nth(1)).to_be_visible()


def test_the_asked_lot_is_in_sight_on_a_phone(phone: Site) -> None:
    phone.sign_in()
    page = phone.open(f"/office/trace?lot={a_traced_lot(phone)}")
    box = page.locator(".trace-diagram [aria-current] rect").bounding_box()
    assert box is not None and 0 <= box["x"] and box["x"] + box["width"] <= PHONE["width"]


def test_a_drill_runs_grows_and_is_scored_in_the_browser(site: Site) -> None:
    site.sign_in()
    page = site.open("/office/recalls/drills")
    expect(page.get_by_text("không lô nào bị thu hồi thật")).to_be_visible()
    page.get_by_role("button", name="Bấm giờ").click()
    expect(page.locator("[data-time]")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    lines = page.locator("[data-lines]").first
    before = lines.locator(".drill-line").count()
    lines.get_by_role("button", name="Thêm dòng").click()
    expect(lines.locator(".drill-line")).to_have_count(before + 1)
    page.keyboard.type("Chợ A")
    page.get_by_role("button", name="Dừng đồng hồ, chấm điểm").click()
    expect(page.locator(".drill-score")).to_be_visible()
