"""The planner's map at 360 px."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.web.conftest import Site


def test_the_map_fills_the_phone_and_the_panel_is_a_drawer(phone: Site) -> None:
    page = phone.open_map()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.scrollHeight") <= 740
    panel = page.locator("#panel")
    expect(panel).to_be_hidden()
    page.locator("#panel-open").tap()
    expect(panel).to_be_visible()
    expect(page.locator("#panel-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#panel-open")).to_be_focused()


def test_a_record_is_chosen_from_the_list_on_a_phone(phone: Site) -> None:
    page = phone.open_map()
    page.locator("#panel-open").tap()
    page.locator("#tab-list").tap()
    page.select_option("#list-layer", "craft_villages")
    first = page.locator("#list [role=option]").first
    expect(first).to_be_visible()
    name = first.locator("strong").inner_text()
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".maplibregl-popup h2")).to_have_text(name)


def test_the_popup_of_a_record_does_not_cover_it(phone: Site) -> None:
    product = phone.first("products")
    lon, lat = product["geometry"]["coordinates"]
    north = lat + 0.003
    page = phone.open_map(f"#map=15/{north}/{lon}&layers=products,communes&selected=products/{product['id']}")
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    expect(page).not_to_have_url(re.compile(f"#map=15/{north:.4f}"))
    _zoom, middle, _lon = map(float, phone.view()["map"].split("/"))
    assert middle < lat


def test_targets_are_large_enough_to_touch(phone: Site) -> None:
    """WCAG 2.2, 2.5.8: at least 24 by 24 CSS pixels."""
    page = phone.open_map()
    page.locator("#panel-open").tap()
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input, summary')]"
        ".filter((n) => n.checkVisibility({visibilityProperty: true}))"
        ".map((n) => [n.id || n.className || n.outerHTML.slice(0, 80), n.closest('label') ? null : n])"
        ".filter(([, n]) => n && n.type !== 'checkbox')"
        ".filter(([, n]) => { const b = n.getBoundingClientRect(); return b.width < 24 || b.height < 24; })"
        ".map(([name]) => name)"
    )
    assert small == []
