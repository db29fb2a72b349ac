"""The planner's map without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.web.conftest import Site


def test_the_listbox_selects_with_enter_and_escape_returns(site: Site) -> None:
    page = site.open_map("#layers=products,communes")
    page.locator("#tab-layers").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-list")).to_be_focused()
    page.select_option("#list-layer", "products")
    listbox = page.locator("#list")
    expect(listbox.locator("[role=option]").first).to_be_visible()
    listbox.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = listbox.locator("[role=option]").nth(1)
    expect(listbox).to_have_attribute("aria-activedescendant", str(second.get_attribute("id")))
    name = second.locator("strong").inner_text()
    page.keyboard.press("Enter")
    popup = page.locator(".maplibregl-popup")
    expect(popup.locator("h2")).to_have_text(name)
    expect(popup.locator("a.button")).to_be_focused()
    expect(page.locator("#announcements")).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    expect(listbox).to_be_focused()


def test_rows_of_the_table_are_walked_with_arrows_and_opened_with_enter(site: Site) -> None:
    page = site.open_map("#layers=craft_villages,communes")
    page.locator("#twin-button").press("Enter")
    page.select_option("#twin-layer", "craft_villages")
    rows = page.locator("#table tbody tr")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".maplibregl-popup a.button")).to_be_focused()
    page.keyboard.press("Escape")
    chosen = page.locator("#table tbody tr[aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(chosen).to_be_focused()


def test_a_chosen_row_stays_chosen_and_focused_when_the_table_is_drawn_anew(site: Site) -> None:
    page = site.open_map("#layers=craft_villages,communes")
    page.locator("#twin-button").press("Enter")
    page.select_option("#twin-layer", "craft_villages")
    rows = page.locator("#table tbody tr")
    rows.first.focus()
    page.keyboard.press("Space")
    chosen = page.locator("#table tbody tr[aria-selected=true]")
    expect(chosen).to_have_count(1)
    identity = chosen.get_attribute("data-id")
    page.evaluate("document.querySelector('#table tbody tr').dataset.old = '1'")
    page.locator(".maplibregl-ctrl-zoom-out").dispatch_event("click")
    expect(page.locator("#table tbody tr[data-old]")).to_have_count(0)
    expect(chosen).to_have_attribute("data-id", str(identity))
    expect(chosen).to_be_focused()


def test_the_map_itself_is_steered_and_asked_with_keys(site: Site) -> None:
    product = site.first("products")
    lon, lat = product["geometry"]["coordinates"]
    page = site.open_map(f"#map=16/{lat}/{lon}&layers=products,communes")
    canvas = page.locator(".maplibregl-canvas")
    canvas.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".maplibregl-popup a.button")).to_be_focused()
    page.keyboard.press("Escape")
    expect(canvas).to_be_focused()
    page.keyboard.press("=")
    expect(page).to_have_url(re.compile(r"/map#map=17/"))


def test_search_is_a_combobox(site: Site) -> None:
    page = site.open_map()
    page.locator("#search").press_sequentially("tom")
    box = page.locator("#search")
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "result-0")
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_be_focused()
