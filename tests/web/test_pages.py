"""The public pages: what they say, what they cost, where they lead."""

from __future__ import annotations

import gzip
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Site

PAGES = [
    "/",
    "/products",
    "/craft_villages",
    "/growing_areas",
    "/producers",
    "/communes",
    "/search?q=tom",
    "/products/1",
    "/craft_villages/1",
    "/growing_areas/1",
    "/producers/1",
    "/communes/1",
    "/login",
]
BUDGET = 60_000


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_a_title_and_the_demonstration_label(
    site: Site, path: str, language: str
) -> None:
    site.open(f"/login?lang={language}")
    page = site.open(_published(site, path))
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1")).to_have_count(1)
    assert len(page.title()) > 10
    expect(page.locator(".demo-banner")).to_be_visible()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_without_scrolling_sideways(phone: Site, path: str, language: str) -> None:
    phone.open(f"/login?lang={language}")
    page = phone.open(_published(phone, path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", ["/", "/products", "/products/1", "/craft_villages/1", "/communes"])
def test_html_css_and_scripts_before_interaction_stay_within_budget(site: Site, path: str) -> None:
    """Fonts and photos are not counted; the figure is gzip, as a browser would receive it."""
    weights: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if response.request.resource_type in ("document", "stylesheet", "script"):
            weights[response.url] = len(gzip.compress(response.body()))

    site.page.on("response", weigh)
    page = site.open(_published(site, path))
    page.wait_for_load_state("networkidle")
    assert not any("maplibre" in url for url in weights)
    assert sum(weights.values()) <= BUDGET, weights


def test_the_home_page_leads_to_every_commune_from_its_drawn_map(site: Site) -> None:
    page = site.open("/")
    links = page.locator(".svg-map svg a")
    expect(links).to_have_count(101)
    first = links.first
    name = first.locator("title").text_content() or ""
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(name.split(",")[0])


def test_the_interactive_map_opens_in_place_on_demand(site: Site) -> None:
    page = site.open("/")
    page.get_by_role("button", name="Mở bản đồ tương tác").click()
    expect(page.locator(".live-map")).to_have_attribute("data-map-ready", "1")
    expect(page.locator(".svg-map svg")).to_have_count(0)


def test_a_product_page_shows_star_certificate_and_producer(site: Site) -> None:
    product = site.first("products", sortby="-stars")
    facts = product["properties"]
    page = site.open(f"/products/{product['id']}")
    expect(page.locator("h1")).to_have_text(facts["name"])
    expect(page.locator(".star-block")).to_contain_text("5 sao")
    expect(page.locator("main")).to_contain_text(facts["certificate_number"])
    year, month, day = map(int, facts["expires_on"].split("-"))
    expect(page.locator("main")).to_contain_text(f"{day}/{month}/{year}")
    expect(page.locator(".record-head")).to_contain_text(facts["producer_name"])
    page.get_by_role("button", name="Mở bản đồ tại đây").click()
    expect(page.locator(".live-map")).to_have_attribute("data-map-ready", "1")


def test_a_growing_area_page_compares_the_declared_area_with_the_mapped_one(site: Site) -> None:
    area = site.first("growing_areas")
    facts = area["properties"]
    page = site.open(f"/growing_areas/{area['id']}")
    difference = (facts["area_ha"] - facts["declared_area_ha"]) / facts["declared_area_ha"] * 100
    written = f"{difference:+.1f}".replace(".", ",")
    expect(page.locator(".facts").first).to_contain_text(f"bản đồ {written} % so với kê khai")


def test_lists_are_filtered_and_paged(site: Site) -> None:
    page = site.open("/products")
    page.select_option("#filter-stars", "5")
    page.get_by_role("button", name="Lọc").click()
    matched = site.json("/layers/products.geojson?stars=5&limit=1")["numberMatched"]
    expect(page.locator(".pager .here")).to_contain_text(f"trong {matched}")
    for text in page.locator(".card .stars").all_inner_texts():
        assert "5 sao" in text
    page = site.open("/growing_areas")
    page.get_by_role("link", name="Trang sau").click()
    expect(page.locator(".pager .here")).to_contain_text("51–100")
    page.get_by_role("link", name="Về đầu").click()
    expect(page.locator(".pager .here")).to_contain_text("1–50")


def test_search_finds_without_accents(site: Site) -> None:
    page = site.open("/")
    page.locator("#home-q").fill("dam doi")
    page.locator("#home-q").press("Enter")
    expect(page.locator("main")).to_contain_text("Đầm Dơi")


def test_what_is_hidden_or_absent_is_not_found(site: Site) -> None:
    site.allowed.append("404")
    seen = {f["id"] for f in site.json("/layers/products.geojson?skipGeometry=true&limit=5000")["features"]}
    hidden = next(number for number in range(1, max(seen)) if number not in seen)
    for path in (f"/products/{hidden}", "/products/999999", "/nowhere"):
        answer = site.page.goto(site.server.url + path)
        assert answer is not None
        assert answer.status == 404
        expect(site.page.locator("h1")).to_have_text("Không có trang này")


def test_no_page_carries_inline_styles_or_handlers(site: Site) -> None:
    for path in [*PAGES, "/map"]:
        address = site.server.url + _published(site, path)
        request = urllib.request.Request(address, headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            html = answer.read().decode()
        assert not re.search(r"<[^>]+\sstyle=", html), path
        assert not re.search(r"<[^>]+\son[a-z]+=", html), path
        assert "<style" not in html, path


def _published(site: Site, path: str) -> str:
    """Turn the record of a page address into one that the public sees."""
    layer, _, number = path.strip("/").partition("/")
    return f"/{layer}/{site.first(layer)['id']}" if number else path
