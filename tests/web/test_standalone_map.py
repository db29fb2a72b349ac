"""A map as one file: it opens in a browser without a network, with popups, legend and switches for layers."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Server
from tests.web.conftest import Site


@pytest.fixture
def kept(site: Site) -> str:
    """The address of a view that was kept with the form."""
    page = site.open("/views")
    page.fill("#title", "Sản phẩm <b>năm 2026</b>")
    page.fill("#address", f"{site.server.url}/map#map=8.5/9.1/105.1&layers=products,growing_areas:60")
    page.get_by_role("button", name="Lưu bản đồ").click()
    expect(page.locator("h1")).to_have_text("Sản phẩm <b>năm 2026</b>")
    return page.url.removesuffix("/about")


def test_a_kept_view_leads_back_to_the_map(site: Site, kept: str) -> None:
    link = site.page.get_by_role("link", name="Mở bản đồ")
    expect(link).to_have_attribute("href", kept.removeprefix(site.server.url))
    link.click()
    expect(site.page.locator("#map")).to_have_attribute("data-map-ready", "1")
    assert site.view()["layers"] == "products,growing_areas:60"


def test_the_file_opens_without_a_network(browser: Browser, kept: str, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    with urllib.request.urlopen(f"{kept}.html", timeout=60) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        path.write_bytes(answer.read())
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']?https?:", text)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(path.as_uri())
    expect(page.locator(".panel h1")).to_have_text("Sản phẩm <b>năm 2026</b>")
    expect(page.locator(".panel .demo")).to_contain_text("Dữ liệu minh hoạ")
    expect(page.locator(".panel")).to_contain_text("5 sao")
    switches = page.locator(".leaflet-control-layers-overlays label")
    expect(switches).to_contain_text(["Tỉnh", "Huyện, thành phố", "Vùng trồng, vùng nuôi", "Sản phẩm OCOP"])
    canvas = page.locator("canvas.leaflet-zoom-animated")
    before = canvas.evaluate("node => node.toDataURL()")
    switches.filter(has_text="Sản phẩm OCOP").locator("input").uncheck()
    page.wait_for_function(
        "b => document.querySelector('canvas.leaflet-zoom-animated').toDataURL() !== b", arg=before
    )
    name = page.evaluate(
        "() => { const map = Object.values(window).find((v) => v instanceof L.Map); let found;"
        " map.eachLayer((l) => { if (l.feature?.properties?.crop) found ??= l; });"
        " found.fire('click', {latlng: found.getBounds().getCenter()}, true); return found.feature.properties.name; }"
    )
    expect(page.locator(".leaflet-popup-content")).to_contain_text(name)
    assert complaints == []
    context.close()


def test_wrong_input_is_told_in_one_sentence_and_kept(site: Site) -> None:
    page = site.open("/views")
    page.fill("#title", "Bản đồ")
    page.fill("#address", "https://example.org/nothing")
    site.allowed.append("status of 422")
    page.get_by_role("button", name="Lưu bản đồ").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#title")).to_have_value("Bản đồ")


def test_a_view_that_nobody_kept_is_missing(live_server: Server) -> None:
    for path in ("/views/0123456789", "/views/0123456789.html"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(live_server.url + urllib.parse.quote(path), timeout=20)
        assert refused.value.code == 404
