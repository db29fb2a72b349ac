"""Drafts: what was typed and drawn survives a reload, a closed tab and a lost session, and goes when it is saved."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.web.conftest import Site
from tests.web.test_conflict import went_to
from tests.web.test_editing import SQUARE, open_new, paste

KEYS = """() => new Promise((resolve, reject) => { const open = indexedDB.open("ocopmap", 1);
    open.onsuccess = () => { const ask = open.result.transaction("drafts").objectStore("drafts").getAllKeys();
        ask.onsuccess = () => { open.result.close(); resolve(ask.result); }; };
    open.onerror = () => reject(open.error); })"""


def fill(page: Page, name: str) -> None:
    paste(page, SQUARE)
    page.fill("#field-name", name)
    expect(page.locator("#edit-form")).to_have_attribute("data-draft-kept", "1")
    for _ in range(50):
        if page.evaluate(KEYS):
            break
        page.evaluate("() => new Promise((r) => requestAnimationFrame(r))")


def reopened(page: Page) -> None:
    page.reload()
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")


def test_a_draft_of_fields_and_outline_survives_a_reload_and_is_offered_with_its_date(site: Site) -> None:
    page = open_new(site)
    fill(page, "Vùng nháp")
    reopened(page)
    notice = page.locator("#draft-notice")
    expect(notice).to_contain_text("bản nháp chưa lưu lúc")
    expect(page.locator("#field-name")).to_have_value("")
    notice.get_by_role("button", name="Dùng bản nháp").click()
    expect(page.locator("#field-name")).to_have_value("Vùng nháp")
    expect(page.locator("#measure")).to_contain_text("ha (")
    assert json.loads(page.input_value("#geometry"))["type"] == "MultiPolygon"


def test_a_draft_can_be_thrown_away(site: Site) -> None:
    page = open_new(site)
    fill(page, "Vùng bỏ")
    reopened(page)
    page.get_by_role("button", name="Bỏ bản nháp").click()
    expect(page.locator("#draft-notice")).to_be_hidden()
    reopened(page)
    expect(page.locator("#edit-form")).to_have_attribute("data-draft-ready", "1")
    expect(page.locator("#draft-notice")).to_be_hidden()


def test_a_saved_form_leaves_no_draft(site: Site) -> None:
    page = open_new(site)
    fill(page, "Vùng đã lưu")
    page.select_option("#field-crop", "rice")
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator("h1")).to_have_text("Vùng đã lưu")
    assert page.evaluate(KEYS) == []


def test_a_lost_session_loses_nothing(site: Site) -> None:
    page = open_new(site)
    fill(page, "Vùng giữ qua phiên")
    page.select_option("#field-crop", "rice")
    page.context.clear_cookies()
    site.allowed.append("400")
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator("#save-message")).to_contain_text("Bản nháp vẫn được giữ")
    expect(page.locator("#field-name")).to_have_value("Vùng giữ qua phiên")
    site.sign_in()
    page = site.open("/edit/growing_areas/new")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    page.get_by_role("button", name="Dùng bản nháp").click()
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator("h1")).to_have_text("Vùng giữ qua phiên")


def test_a_lost_line_keeps_the_form_and_the_draft(site: Site) -> None:
    page = open_new(site)
    fill(page, "Vùng ngoài vùng phủ sóng")
    page.select_option("#field-crop", "rice")
    site.allowed.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator("#save-message")).to_contain_text("Không nối được")
    page.context.set_offline(False)
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator("h1")).to_have_text("Vùng ngoài vùng phủ sóng")


def test_a_draft_of_an_older_version_is_not_written_over_what_others_saved(site: Site, make_site) -> None:  # type: ignore[no-untyped-def]
    site.allowed.append("409")
    number = site.json("/layers/craft_villages.geojson?limit=6")["features"][5]["id"]
    site.sign_in()
    page = site.open(f"/edit/craft_villages/{number}")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    page.fill("#field-workers", "15")
    expect(page.locator("#edit-form")).to_have_attribute("data-draft-kept", "1")
    other = make_site()
    other.sign_in()
    there = other.open(f"/edit/craft_villages/{number}")
    expect(there.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    there.fill("#field-workers", "16")
    there.get_by_role("button", name="Lưu", exact=True).click()
    went_to(there, "craft_villages", number)
    page.reload()
    page.get_by_role("button", name="Dùng bản nháp").click()
    page.get_by_role("button", name="Lưu", exact=True).click()
    conflict = page.locator("#conflict-section tr", has_text="Lao động")
    expect(conflict).to_contain_text("15")
    expect(conflict).to_contain_text("16")
