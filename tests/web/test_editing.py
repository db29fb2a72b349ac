"""The edit form: drawing, pasting, uploading, saving, and two people at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pyproj import Geod

from tests.web.conftest import Site

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[105.10, 9.10], [105.11, 9.10], [105.11, 9.11], [105.10, 9.11], [105.10, 9.10]]],
}


def square_hectares() -> float:
    """The area of the square on the ellipsoid, as PROJ computes it."""
    lon, lat = zip(*SQUARE["coordinates"][0], strict=True)  # type: ignore[misc]
    return Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0] / 10_000


def open_new(site: Site, layer: str = "growing_areas") -> Page:
    site.sign_in()
    page = site.open(f"/edit/{layer}/new")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    expect(page.locator("#edit-map")).to_have_attribute("data-map-ready", "1")
    return page


def draw_square(page: Page, *, left: float, top: float, size: float = 90) -> None:
    """Draw a square by mouse, closing it on its first corner."""
    page.locator("#edit-map").scroll_into_view_if_needed()
    box = page.locator("#edit-map").bounding_box()
    assert box is not None
    x, y = box["x"] + left, box["y"] + top
    for dx, dy in ((0, 0), (size, 0), (size, size), (0, size), (0, 0)):
        page.mouse.move(x + dx, y + dy)
        page.mouse.click(x + dx, y + dy)


def paste(page: Page, document: object) -> None:
    page.locator(".other-ways summary").click()
    page.fill("#geometry", json.dumps(document))
    page.locator("#geometry").blur()


def geometry(page: Page) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(page.input_value("#geometry"))
    return parsed


def test_two_polygons_are_drawn_as_one_record_of_two_parts_and_undone(site: Site) -> None:
    page = open_new(site)
    draw_square(page, left=200, top=120)
    expect(page.locator("#measure")).to_contain_text("ha (")
    draw_square(page, left=380, top=120)
    expect(page.locator("#measure")).to_contain_text("2 phần")
    drawn = geometry(page)
    assert drawn["type"] == "MultiPolygon"
    assert len(drawn["coordinates"]) == 2  # type: ignore[arg-type]
    page.locator("[data-tool=undo]").click()
    expect(page.locator("#measure")).not_to_contain_text("phần")


def test_a_selected_part_is_removed(site: Site) -> None:
    page = open_new(site)
    paste(page, {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]})
    expect(page.locator("[data-tool=select]")).to_have_attribute("aria-pressed", "true")
    page.locator("#edit-map").scroll_into_view_if_needed()
    box = page.locator("#edit-map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("[data-tool=delete]").click()
    expect(page.locator("#measure")).to_have_text("Chưa có hình nào.")
    assert page.input_value("#geometry") == ""


def test_the_area_shown_while_drawing_is_the_one_on_the_ellipsoid(site: Site) -> None:
    page = open_new(site)
    paste(page, SQUARE)
    hectares = page.locator("#measure").inner_text().split("Diện tích ")[1].split(" ha")[0]
    assert float(hectares.replace(".", "").replace(",", ".")) == pytest.approx(square_hectares(), rel=1e-5)


def test_text_that_is_no_geojson_is_refused_at_once(site: Site) -> None:
    page = open_new(site)
    page.locator(".other-ways summary").click()
    page.fill("#geometry", "105.1, 9.1")
    page.locator("#geometry").blur()
    expect(page.locator("#geometry-error")).to_contain_text("Chưa đọc được GeoJSON")


def test_a_drawn_area_is_saved_and_shown_on_its_page(site: Site) -> None:
    page = open_new(site)
    paste(page, SQUARE)
    page.fill("#field-name", "Vùng thử vẽ tay")
    page.select_option("#field-crop", "rice")
    page.get_by_role("button", name="Lưu").click()
    expect(page.locator("h1")).to_have_text("Vùng thử vẽ tay")
    expect(page.locator(".facts").first).to_contain_text(f"{square_hectares():.1f} ha".replace(".", ","))


def test_a_file_is_uploaded_without_javascript(make_site, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    site = make_site(java_script_enabled=False)
    site.sign_in()
    page = site.open("/edit/craft_villages/new")
    file = tmp_path / "outline.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": SQUARE}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    page.locator(".other-ways summary").click()
    page.set_input_files("#geometry-file", file)
    page.fill("#field-name", "Làng nghề tải tệp")
    page.fill("#field-craft", "dệt chiếu")
    page.select_option("#field-kind", "craft_village")
    page.select_option("#field-trade_group", "handicraft")
    page.get_by_role("button", name="Lưu").click()
    expect(page.locator("h1")).to_have_text("Làng nghề tải tệp")


def test_the_second_of_two_editors_is_shown_what_the_first_saved(make_site) -> None:  # type: ignore[no-untyped-def]
    first, second = make_site(), make_site()
    second.allowed.append("409")
    number = first.first("craft_villages")["id"]
    pages = []
    for site in (first, second):
        site.sign_in()
        page = site.open(f"/edit/craft_villages/{number}")
        expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
        pages.append(page)
    pages[0].fill("#field-workers", "111")
    pages[0].get_by_role("button", name="Lưu").click()
    expect(pages[0].locator(".record-head h1")).to_be_visible()
    pages[1].fill("#field-workers", "222")
    pages[1].get_by_role("button", name="Lưu").click()
    conflict = pages[1].locator("section", has=pages[1].locator("#conflict"))
    expect(conflict).to_contain_text("222")
    expect(conflict).to_contain_text("111")
    pages[1].get_by_role("button", name="Lưu").click()
    expect(pages[1].locator(".record-head h1")).to_be_visible()
    expect(pages[1].locator("main")).to_contain_text("222")


def test_who_is_not_signed_in_is_sent_to_the_login_page_and_back(site: Site) -> None:
    page = site.open("/edit/growing_areas/new")
    expect(page.locator("#username")).to_be_visible()
    page.fill("#username", site.server.accounts["province_officer"])
    page.fill("#password", site.server.password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/edit/growing_areas/new")
