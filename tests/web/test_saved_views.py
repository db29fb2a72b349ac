"""The button of the map that keeps what it shows: a short address, and the map as a file."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious


def keep_by_keyboard(page: Page, title: str) -> str:
    page.locator("#keep-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#keep-name")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    link = page.locator("#keep-view [data-address]")
    expect(link).to_be_focused()
    return link.inner_text()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_view_kept_by_keyboard_opens_with_the_same_state_at_its_address(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport)
    village = site.first("craft_villages")["id"]
    page = site.open_map(
        "#map=10.5/9.1/105.05&layers=communes:50,craft_villages"
        f"&choropleth=craft_villages&level=districts&selected=craft_villages/{village}"
    )
    expect(page.locator("#choropleth-legend")).to_be_visible()
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    address = keep_by_keyboard(page, "Cảnh thử")
    assert re.fullmatch(re.escape(site.server.url) + "/views/[0-9a-f]{10}", address)
    kept = site.view()
    page.keyboard.press("Escape")
    expect(page.locator("#keep-button")).to_be_focused()
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#map")).to_have_attribute("data-map-ready", "1")
    expect(page.locator("#choropleth-legend")).to_contain_text("làng nghề")
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    shown = site.view()
    assert {name: shown[name] for name in ("layers", "choropleth", "level", "selected")} == {
        name: kept[name] for name in ("layers", "choropleth", "level", "selected")
    }
    if site.is_wide:
        assert shown["map"] == kept["map"]


def test_the_file_of_a_kept_theme_has_its_classes_and_their_colours(site: Site) -> None:
    page = site.open_map("#map=8/9.1/105.05&layers=communes&choropleth=craft_villages&level=districts")
    expect(page.locator("#choropleth-legend")).to_be_visible()
    address = keep_by_keyboard(page, "Chuyên đề")
    expect(page.locator("#keep-view [data-file]")).to_have_attribute(
        "href", f"{address.removeprefix(site.server.url)}.html"
    )
    with urllib.request.urlopen(f"{address}.html", timeout=60) as answer:
        text = answer.read().decode()
    told = site.json("/statistics/craft_villages.json?level=districts")
    legend = text.split('<ul class="theme">')[1].split("</ul>")[0]
    assert re.findall("background:(#[0-9a-f]{6})", legend)[: len(told["classes"])] == [
        entry["color"] for entry in told["classes"]
    ]
    assert told["method"]["vi"] in text


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_dialog_has_no_serious_barrier_and_fits(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    page = site.open_map("#map=9/9.1/105&layers=products,communes")
    keep_by_keyboard(page, "Vừa màn hình")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert serious(site) == []


def test_the_table_leads_to_a_file_of_what_is_in_view_or_chosen(site: Site) -> None:
    page = site.open_map("#map=9/9.1/105&layers=craft_villages,communes")
    page.locator("#twin-button").click()
    page.select_option("#twin-layer", "craft_villages")
    link = page.locator("#twin-export")
    expect(link).to_have_attribute("href", re.compile(r"^/export/craft_villages\.xlsx\?bbox="))
    page.select_option("#twin-format", "geojson")
    page.locator("#table tbody tr").first.click()
    expect(link).to_have_attribute("href", re.compile(r"^/export/craft_villages\.geojson\?ids=\d+$"))
    number = str(link.get_attribute("href")).rpartition("=")[2]
    found = site.json(str(link.get_attribute("href")))["features"]
    assert [str(feature["id"]) for feature in found] == [number]
