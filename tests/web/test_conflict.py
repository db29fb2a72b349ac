"""A stale save: mine, theirs and base side by side, by field and on the map; nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import mapping, shape

from tests.web.conftest import Site

Make = Callable[..., Site]


def opened(site: Site, layer: str, number: int) -> Page:
    page = site.open(f"/edit/{layer}/{number}")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Lưu", exact=True).click()


def went_to(page: Page, layer: str, number: int | None = None) -> None:
    """Wait until the record's own page is shown, not its form."""
    page.wait_for_url(re.compile(rf"//[^/]+/{layer}/{number or '[0-9]+'}$"))


def saved(page: Page, layer: str, number: int) -> dict[str, Any]:
    went_to(page, layer, number)
    answer: dict[str, Any] = page.request.get(
        f"{page.url.split(f'/{layer}/')[0]}/layers/{layer}/{number}.geojson"
    ).json()
    return answer


def put_outline(page: Page, outline: Any) -> None:
    if page.locator(".other-ways").get_attribute("open") is None:
        page.locator(".other-ways summary").click()
    page.fill("#geometry", json.dumps(mapping(outline)))
    page.locator("#geometry").blur()


def two_editors(make_site: Make) -> tuple[Site, Site]:
    first, second = make_site(), make_site()
    second.allowed.append("409")
    for site in (first, second):
        site.sign_in()
    return first, second


def test_neither_of_two_browsers_loses_what_the_other_did_not_touch(make_site: Make) -> None:
    first, second = two_editors(make_site)
    number = first.json("/layers/craft_villages.geojson?limit=2")["features"][1]["id"]
    one, other = (opened(site, "craft_villages", number) for site in (first, second))
    one.fill("#field-workers", "321")
    one.fill("#field-hamlet", "Ấp của người thứ nhất")
    save(one)
    went_to(one, "craft_villages", number)
    other.fill("#field-workers", "654")
    other.fill("#field-founder", "Tổ nghề của người thứ hai")
    save(other)
    section = other.locator("#conflict-section")
    expect(section.locator("tr", has_text="Lao động")).to_contain_text("cả hai cùng sửa")
    expect(section.locator("input[name=choice-hamlet][value=theirs]")).to_be_checked()
    expect(section.locator("input[name=choice-founder][value=mine]")).to_be_checked()
    expect(other.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    expect(other.locator("#field-hamlet")).to_have_value("Ấp của người thứ nhất")
    section.locator("input[name=choice-workers][value=theirs]").check()
    save(other)
    kept = saved(other, "craft_villages", number)["properties"]
    assert kept["workers"] == 321
    assert kept["hamlet"] == "Ấp của người thứ nhất"
    assert kept["founder"] == "Tổ nghề của người thứ hai"


def test_two_outlines_are_merged_so_that_both_additions_stay(make_site: Make) -> None:
    first, second = two_editors(make_site)
    feature = first.json("/layers/growing_areas.geojson?limit=40")["features"][33]
    number, base = feature["id"], shape(feature["geometry"])
    west, south, east, north = base.bounds
    tall, wide = north - south, east - west
    one, other = (opened(site, "growing_areas", number) for site in (first, second))
    left = base.union(shapely.box(west - wide / 3, south, west + wide / 2, north))
    right = base.union(shapely.box(west + wide / 2, south - tall / 3, east, north))
    put_outline(one, left)
    save(one)
    went_to(one, "growing_areas", number)
    put_outline(other, right)
    save(other)
    expect(other.locator("input[name=choice-geometry][value=merge]")).to_be_checked()
    expect(other.locator("[data-legend]")).to_be_visible()
    expect(other.locator("[data-outline]")).to_have_count(3)
    other.locator("[data-outline=theirs]").uncheck()
    save(other)
    kept = shape(saved(other, "growing_areas", number)["geometry"])
    assert kept.symmetric_difference(left.union(right)).area < 1e-10


def test_the_choice_by_field_works_without_javascript(make_site: Make) -> None:
    first = make_site()
    second = make_site(java_script_enabled=False)
    second.allowed.append("409")
    number = first.json("/layers/craft_villages.geojson?limit=3")["features"][2]["id"]
    for site in (first, second):
        site.sign_in()
    stale = second.open(f"/edit/craft_villages/{number}")
    one = opened(first, "craft_villages", number)
    one.fill("#field-workers", "77")
    one.fill("#field-hamlet", "Ấp mới")
    save(one)
    went_to(one, "craft_villages", number)
    stale.fill("#field-workers", "88")
    save(stale)
    expect(stale.locator("#conflict-section")).to_contain_text("Ấp mới")
    stale.locator("input[name=choice-workers][value=theirs]").check()
    save(stale)
    kept = saved(stale, "craft_villages", number)["properties"]
    assert (kept["workers"], kept["hamlet"]) == (77, "Ấp mới")


def test_a_record_that_was_deleted_meanwhile_can_be_kept_as_a_new_one(make_site: Make) -> None:
    first, second = two_editors(make_site)
    second.allowed.append("404")
    new = first.open("/edit/growing_areas/new")
    expect(new.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    put_outline(new, shapely.box(105.1, 9.1, 105.101, 9.101))
    new.fill("#field-name", "Vùng nhập trùng")
    new.select_option("#field-crop", "rice")
    save(new)
    went_to(new, "growing_areas")
    number = int(new.url.rsplit("/", 1)[1])
    page = opened(second, "growing_areas", number)
    gone = opened(first, "growing_areas", number)
    gone.locator(".delete summary").click()
    gone.fill("#reason", "nhập trùng")
    gone.locator(".delete button").click()
    gone.wait_for_url("**/office")
    page.fill("#field-name", "Vùng không muốn mất")
    save(page)
    expect(page.locator("#form-error")).to_contain_text("người khác xóa")
    expect(page.locator("#field-name")).to_have_value("Vùng không muốn mất")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    save(page)
    expect(page.locator("h1")).to_have_text("Vùng không muốn mất")
