"""The planner's map: layers, choropleth, selection, table, search, coordinates, address."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageColor
from playwright.sync_api import expect

from tests.web.conftest import Site, click_middle


def middle(bbox: list[float]) -> tuple[float, float]:
    west, south, east, north = bbox
    return (west + east) / 2, (south + north) / 2


def test_the_map_draws_itself_and_lists_every_layer_with_its_count(site: Site) -> None:
    page = site.open_map()
    layers = site.json("/layers.json")["layers"]
    expect(page.locator("#layers li.layer")).to_have_count(len(layers))
    for layer in layers:
        row = page.locator(f'[data-layer="{layer["id"]}"]')
        expect(row.locator("label").first).to_contain_text(layer["title"]["vi"])
        expect(row.locator("label .count")).to_have_text(f"{layer['count']:,}".replace(",", "."))
        expect(row.locator('input[type="checkbox"]')).to_be_checked(checked=layer["visible"])


def test_a_layer_can_be_hidden_and_made_paler_and_the_address_says_so(site: Site) -> None:
    page = site.open_map()
    page.locator("#show-growing_areas").uncheck()
    row = page.locator('[data-layer="communes"]')
    row.locator(".layer-open").click()
    row.locator('input[type="range"]').fill("40")
    expect(row.locator("output")).to_have_text("40 %")
    shown = site.view()["layers"].split(",")
    assert "communes:40" in shown
    assert "growing_areas" not in shown


def test_the_legend_of_a_layer_is_the_one_of_its_style(site: Site) -> None:
    page = site.open_map()
    legend = site.json("/styles/products.json")["metadata"]["legend"]
    row = page.locator('[data-layer="products"]')
    row.locator(".layer-open").click()
    expect(row.locator(".legend li")).to_have_text([entry["label"]["vi"] for entry in legend])


def test_the_counts_of_every_choropleth_legend_add_up_to_all_units(site: Site) -> None:
    page = site.open_map()
    page.locator("#tab-theme").click()
    legend = page.locator("#choropleth-legend")
    for indicator in site.json("/statistics.json")["indicators"]:
        page.select_option("#indicator", indicator["id"])
        for level, units, unit_name in (("communes", 101, "xã"), ("districts", 9, "huyện")):
            page.select_option("#level", level)
            expect(legend.locator("summary")).to_have_text(indicator["title"]["vi"])
            expect(legend.locator("[data-class-count]").first).to_contain_text(unit_name)
            counts = legend.locator("[data-class-count]").evaluate_all(
                "nodes => nodes.map((node) => Number(node.dataset.classCount))"
            )
            assert sum(counts) == units


def test_the_classes_of_a_theme_are_really_drawn_on_the_map(site: Site) -> None:
    page = site.open_map("#choropleth=products_by_star&level=communes")
    darkest = site.json("/statistics/products_by_star.json?level=communes")["classes"][-1]["color"]
    wanted = ImageColor.getrgb(darkest)

    def share() -> float:
        with Image.open(io.BytesIO(page.locator("#map").screenshot())) as picture:
            pixels = np.asarray(picture.convert("RGB"), dtype=int)
        return float((np.abs(pixels - wanted).max(axis=2) < 50).mean())

    for _ in range(60):
        if share() > 0.02:
            return
        page.wait_for_timeout(250)
    pytest.fail(f"the colour {darkest} is nowhere on the map")


def test_choosing_a_theme_clears_the_ground_and_dropping_it_brings_the_records_back(site: Site) -> None:
    page = site.open_map()
    page.locator("#tab-theme").click()
    page.select_option("#indicator", "growing_area_ha")
    expect(page.locator("#choropleth-legend")).to_be_visible()
    expect(page.locator("#show-products")).not_to_be_checked()
    assert site.view()["choropleth"] == "growing_area_ha"
    page.select_option("#indicator", "")
    expect(page.locator("#choropleth-legend")).to_be_hidden()
    expect(page.locator("#show-products")).to_be_checked()


def test_a_click_on_a_product_opens_a_popup_that_leads_to_its_page(site: Site) -> None:
    product = site.first("products", sortby="-stars")
    lon, lat = product["geometry"]["coordinates"]
    page = site.open_map(f"#map=17/{lat}/{lon}&layers=products")
    click_middle(page.locator(".maplibregl-canvas"))
    popup = page.locator(".maplibregl-popup")
    expect(popup).to_be_visible()
    address = popup.locator("a.button").get_attribute("href")
    assert address is not None
    assert re.fullmatch(r"/products/\d+", address)
    assert site.view()["selected"] == address.removeprefix("/")
    popup.locator("a.button").click()
    expect(page.locator("h1")).to_have_text(site.json(f"/layers{address}.geojson")["properties"]["name"])


def test_a_click_on_the_map_marks_the_row_and_a_click_on_a_row_marks_the_map(site: Site) -> None:
    village = site.first("craft_villages")
    feature = site.json(f"/layers/craft_villages/{village['id']}.geojson")
    lon, lat = middle(feature["bbox"])
    page = site.open_map(f"#map=15/{lat}/{lon}&layers=craft_villages")
    page.locator("#twin-button").click()
    row = page.locator(f'#table tr[data-id="{village["id"]}"]')
    expect(row).to_be_visible()
    row.click()
    expect(row).to_have_attribute("aria-selected", "true")
    assert site.view()["selected"] == f"craft_villages/{village['id']}"
    expect(page.locator(".maplibregl-popup")).to_have_count(0)
    row.dblclick()
    expect(page.locator(".maplibregl-popup")).to_be_visible()


def test_the_table_follows_the_frame_and_pages_through_the_server(site: Site) -> None:
    page = site.open_map()
    page.locator("#twin-button").click()
    page.select_option("#twin-layer", "growing_areas")
    total = next(x for x in site.json("/layers.json")["layers"] if x["id"] == "growing_areas")["count"]
    count = page.locator("#table-count")
    written = f"{total:,}".replace(",", ".")
    page.get_by_role("button", name="Toàn tỉnh").click()
    expect(count).to_have_text(f"1–50 trong {written}")
    page.locator("#table-next").click()
    expect(count).to_have_text(f"51–100 trong {written}")
    page.locator("#table-previous").click()
    expect(count).to_have_text(f"1–50 trong {written}")
    for _ in range(3):
        page.locator(".maplibregl-ctrl-zoom-in").click()
    expect(count).not_to_contain_text(written)


def test_a_column_can_be_sorted_both_ways(site: Site) -> None:
    page = site.open_map()
    page.locator("#twin-button").click()
    page.select_option("#twin-layer", "products")
    expect(page.locator("#table-count")).to_contain_text("trong")
    head = page.locator("#table thead th", has_text="Hạng sao")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    place = head.evaluate("node => node.cellIndex")
    expect(page.locator(f"#table tbody tr:first-child > :nth-child({place + 1})")).to_have_text("5 sao")


def test_search_without_accents_finds_a_commune_and_goes_there(site: Site) -> None:
    page = site.open_map()
    page.fill("#search", "dat mui")
    found = page.locator("#search-results [role=option]").filter(has_text="Xã Đất Mũi")
    found.first.click()
    expect(page.locator(".maplibregl-popup h2")).to_contain_text("Đất Mũi")
    selected = site.view()["selected"]
    assert selected.startswith("communes/")
    _zoom, lat, lon = map(float, site.view()["map"].split("/"))
    west, south, east, north = site.json(f"/layers/{selected}.geojson")["bbox"]
    assert west < lon < east and south < lat < north


def test_an_address_reproduces_the_view(site: Site) -> None:
    village = site.first("craft_villages")["id"]
    view = (
        "#map=10.5/9.1/105.05&layers=communes:50,craft_villages,products"
        f"&choropleth=craft_villages&level=districts&selected=craft_villages/{village}&lang=vi"
    )
    page = site.open_map(view)
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    expect(page.locator("#choropleth-legend")).to_contain_text("làng nghề")
    expect(page.locator("#show-growing_areas")).not_to_be_checked()
    expect(page.locator("#opacity-communes")).to_have_value("50")
    assert "#" + "&".join(f"{key}={value}" for key, value in site.view().items()) == view


def test_coordinates_are_read_out_in_wgs84_and_vn2000(site: Site) -> None:
    """The values are those of PROJ for WGS84 105.15, 9.18 with EPSG:6960."""
    page = site.open_map("#map=14/9.18/105.15&layers=communes")
    output = page.locator("#position")
    expect(output).to_have_text("9,18000; 105,15000")
    page.select_option("#system", "dms")
    expect(output).to_have_text("9°10′48″B 105°09′0″Đ")
    page.select_option("#system", "9207")
    expect(output).to_have_text("X 1.015.233,26 · Y 571.235,38")
    page.select_option("#system", "5897")
    expect(output).to_have_text("X 1.015.172,33 · Y 516.288,06")


@pytest.mark.parametrize(
    ("system", "typed"),
    [
        ("decimal", "9,18; 105,15"),
        ("decimal", "9.18 105.15"),
        ("decimal", "105.15, 9.18"),
        ("dms", "9°10'48\" 105°9'0\""),
        ("9207", "1015233,261; 571235,382"),
        ("9207", "571235.382 1015233.261"),
        ("5897", "X 1.015.172,326 Y 516.288,061"),
    ],
)
def test_typed_coordinates_lead_to_their_place(site: Site, system: str, typed: str) -> None:
    page = site.open_map("#map=9/8.8/104.9&layers=communes")
    page.select_option("#system", system)
    page.fill("#goto-input", typed)
    page.press("#goto-input", "Enter")
    expect(page.locator(".maplibregl-marker")).to_be_visible()
    zoom, lat, lon = map(float, site.view()["map"].split("/"))
    assert zoom >= 15
    assert (lat, lon) == pytest.approx((9.18, 105.15), abs=2e-6)


def test_what_is_no_coordinate_is_refused_with_a_sentence(site: Site) -> None:
    page = site.open_map("#map=9/8.8/104.9&layers=communes")
    page.fill("#goto-input", "Cà Mau")
    page.press("#goto-input", "Enter")
    expect(page.locator("#goto-error")).to_have_text("Chưa đọc được toạ độ này.")
    expect(page.locator("#goto-input")).to_have_attribute("aria-invalid", "true")


def test_the_map_speaks_the_language_of_the_page(site: Site) -> None:
    site.open("/?lang=en")
    page = site.open_map()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator('[data-layer="products"] label').first).to_contain_text("OCOP products")
    page.goto("about:blank")
    site.open("/map#map=10/9.1/105&layers=communes&lang=vi")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator('[data-layer="products"] label').first).to_contain_text("Sản phẩm OCOP")
    assert site.view()["map"] == "10/9.1/105"


def test_the_language_link_keeps_the_view(site: Site) -> None:
    page = site.open_map("#map=10/9.1/105&layers=communes")
    page.locator("a[data-language=en]").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#map")).to_have_attribute("data-map-ready", "1")
    assert site.view()["map"] == "10/9.1/105"
    assert site.view()["layers"] == "communes"
