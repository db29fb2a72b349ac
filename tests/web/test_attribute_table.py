"""The attribute table: sort, filter, columns, cells, many rows at once, and the map in step."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious

TABLE = "/office/table/growing_areas"


def opened(site: Site, query: str = "", role: str = "province_officer", path: str = TABLE) -> Page:
    site.sign_in(role)
    page = site.open(path + query)
    expect(page.locator("#table-side")).to_have_attribute("data-ready", "1")
    return page


def ids(page: Page) -> list[int]:
    return [
        int(n)
        for n in page.locator("tbody tr[data-id]").evaluate_all("rows => rows.map((r) => r.dataset.id)")
    ]


def column(page: Page, name: str) -> list[str]:
    values: list[str] = page.locator(f'tbody [data-field="{name}"]').evaluate_all(
        "cells => cells.map((c) => c.dataset.value)"
    )
    return values


def test_rows_are_sorted_filtered_and_turned_by_page_with_the_state_in_the_address(site: Site) -> None:
    page = opened(site)
    page.locator('a[data-sort="name"]').click()
    expect(page.locator('th[aria-sort="ascending"]')).to_be_visible()
    first = ids(page)
    page.get_by_role("link", name="Trang sau").click()
    expect(page.locator(".pager .here")).to_contain_text("51–100")
    assert not set(first) & set(ids(page))
    page.select_option("#filter-crop", "rice")
    expect(page).to_have_url(re.compile("f.crop=rice"))
    expect(page.locator(".pager .here")).to_contain_text(re.compile("^1–"))
    assert set(column(page, "crop")) == {"rice"}
    counted = site.json("/layers/growing_areas.geojson?crop=rice&limit=1")["numberMatched"]
    shown = page.locator(".pager .here").inner_text().split("trong ")[1].replace(".", "")
    assert int(shown) >= counted
    page.go_back()
    expect(page.locator(".pager .here")).to_contain_text("51–100")


def test_cql2_and_a_range_filter_agree(site: Site) -> None:
    page = opened(site, "?f.households=2..3&col=name&col=households")
    by_box = page.locator(".pager .here").inner_text().split("trong ")[1]
    assert set(column(page, "households")) <= {"2", "3"}
    page.fill("#filter-households", "")
    page.fill("#cql", "households BETWEEN 2 AND 3")
    page.keyboard.press("Enter")
    expect(page.locator(".pager .here")).to_contain_text(f"trong {by_box}")


def test_a_filter_that_cannot_be_read_is_said_in_one_sentence_and_kept(site: Site) -> None:
    site.allowed.append("400")
    page = opened(site, "?cql=area_ha%20%3E%3E&col=name")
    expect(page.locator("#table-side [role=alert]").first).to_be_visible()
    expect(page.locator("#cql")).to_have_value("area_ha >>")


def test_a_cell_is_changed_by_keyboard_and_a_wrong_value_is_refused_at_the_cell(site: Site) -> None:
    site.allowed.append("422")
    page = opened(site, "?col=name&col=households")
    cell = page.locator('tbody [data-field="households"]').first
    number = ids(page)[0]
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("-5")
    page.keyboard.press("Enter")
    expect(page.locator("#table-message")).to_contain_text("giới hạn")
    expect(cell.locator("input")).to_have_value("-5")
    cell.locator("input").fill("41")
    page.keyboard.press("Enter")
    expect(cell).to_have_text("41")
    assert site.json(f"/layers/growing_areas/{number}.geojson")["properties"]["households"] == 41


def test_a_cell_that_somebody_else_changed_is_not_overwritten(make_site: Callable[..., Site]) -> None:
    first, second = make_site(), make_site()
    second.allowed.append("409")
    pages = [opened(site, "?col=name&col=households&page=3") for site in (first, second)]
    cells = [page.locator('tbody [data-field="households"]').first for page in pages]
    for page, cell, value in zip(pages, cells, ("51", "52"), strict=True):
        cell.dblclick()
        cell.locator("input").fill(value)
        page.keyboard.press("Enter")
    expect(cells[0]).to_have_text("51")
    expect(pages[1].locator("#table-message")).to_contain_text("người khác sửa")
    expect(cells[1].locator("input")).to_have_value("52")
    pages[1].keyboard.press("Enter")
    expect(cells[1]).to_have_text("52")


def test_many_rows_are_changed_in_one_batch_after_a_preview(site: Site) -> None:
    page = opened(site, "?col=name&col=variety&page=4")
    rows = page.locator("tbody tr[data-id]")
    rows.nth(0).locator("[data-field=variety]").click()
    rows.nth(4).locator("[data-field=variety]").click(modifiers=["Shift"])
    rows.nth(6).locator("[data-field=variety]").click(modifiers=["Control"])
    expect(page.locator("#selection-count")).to_contain_text("6")
    chosen = [n for i, n in enumerate(ids(page)[:7]) if i != 5]
    page.locator("#bulk-open").click()
    page.select_option("#bulk [data-which]", "variety")
    page.fill("#bulk [data-value]", "giống sửa hàng loạt")
    page.locator("#bulk-apply").click()
    expect(page.locator("#bulk-count")).to_contain_text("Sẽ ghi 6 dòng")
    page.locator("#bulk-apply").click()
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("#selection-count")).to_contain_text("6")
    for number in chosen:
        kept = site.json(f"/layers/growing_areas/{number}.geojson")["properties"]
        assert kept["variety"] == "giống sửa hàng loạt"


def test_the_selection_is_kept_over_pages_and_goes_into_the_export_link(site: Site) -> None:
    page = opened(site)
    page.locator("tbody tr[data-id] .pick input").first.check()
    first = ids(page)[0]
    page.get_by_role("link", name="Trang sau").click()
    expect(page.locator(".pager .here")).to_contain_text("51–100")
    page.locator("tbody tr[data-id] .pick input").first.check()
    expect(page.locator("#selection-count")).to_contain_text("2")
    expect(page.locator("#export-link")).to_have_attribute(
        "href", f"/export/growing_areas.xlsx?ids={first},{ids(page)[0]}"
    )


def test_a_selected_row_is_drawn_on_the_map_and_a_click_on_the_map_selects_its_row(site: Site) -> None:
    page = opened(site)
    expect(page.locator("#table-map")).to_have_attribute("data-table-ready", "1")
    number = ids(page)[0]
    page.locator("tbody tr[data-id]").first.locator("[data-field]").nth(1).click()
    expect(page.locator("#table-map")).to_have_attribute("data-selected", "1")
    page.locator("#zoom-selected").click()
    page.locator("#select-none").click()
    expect(page.locator("#table-map")).to_have_attribute("data-selected", "0")
    box = page.locator("#table-map").bounding_box()
    assert box is not None
    row = page.locator(f'tbody tr[data-id="{number}"]')
    for _ in range(20):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if row.get_attribute("aria-selected") == "true":
            break
        page.evaluate("() => new Promise((r) => requestIdleCallback(r))")
    expect(row).to_have_attribute("aria-selected", "true")


def test_a_box_on_the_map_selects_what_lies_in_it(site: Site) -> None:
    page = opened(site, path="/office/table/craft_villages")
    expect(page.locator("#table-map")).to_have_attribute("data-table-ready", "1")
    page.locator("#box-select").click()
    page.locator("#table-map").scroll_into_view_if_needed()
    box = page.locator("#table-map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=5)
    page.mouse.up()
    features = page.request.get(f"{site.server.url}/layers/craft_villages.geojson?limit=1000").json()[
        "features"
    ]
    drawn = [f for f in features if f["geometry"]]
    expect(page.locator("#selection-count")).to_contain_text(str(len(drawn)))


def test_an_officer_of_a_commune_edits_only_rows_of_the_commune(site: Site) -> None:
    page = opened(site, "?col=name&col=households", role="commune_officer")
    assert page.locator("tbody tr[data-id]:not([data-editable])").count() > 0
    cell = page.locator('tbody tr:not([data-editable]) [data-field="households"]').first
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#table-message")).to_contain_text("không sửa được")
    expect(cell.locator("input")).to_have_count(0)


def test_the_public_does_not_see_the_table(site: Site) -> None:
    page = site.open(TABLE)
    expect(page.locator("#username")).to_be_visible()


def test_the_table_reads_without_javascript(make_site: Callable[..., Site]) -> None:
    site = make_site(java_script_enabled=False)
    site.sign_in()
    page = site.open(TABLE)
    page.select_option("#filter-crop", "rice")
    page.get_by_role("button", name="Lọc", exact=True).click()
    assert set(column(page, "crop")) == {"rice"} if page.locator("tbody tr[data-id]").count() else True
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_table_has_no_serious_barrier_and_does_not_overflow(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    page = opened(site)
    expect(page.locator("#table-map")).to_have_attribute("data-map-ready", "1")
    assert serious(site) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
