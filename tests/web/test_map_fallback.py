"""The planner's map in a browser that cannot draw it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.conftest import Site

NO_WEBGL = """
const draw = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : draw.call(this, kind, ...rest);
};
"""


def test_without_webgl_the_drawn_map_and_the_list_stand_in(make_site: Callable[..., Site]) -> None:
    site = make_site(script=NO_WEBGL)
    site.allowed.append("WebGL")
    page = site.open("/map")
    expect(page.locator("#map")).to_have_attribute("data-map-fallback", "1")
    expect(page.locator("#map .notice")).to_contain_text("không vẽ được bản đồ tương tác")
    expect(page.locator("#map svg a")).to_have_count(101)
    expect(page.locator("#list [role=option]").first).to_be_visible()
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/growing_areas/*")


def test_without_javascript_the_map_page_says_so_and_the_pages_work(make_site: Callable[..., Site]) -> None:
    site = make_site(java_script_enabled=False)
    page = site.open("/map")
    expect(page.locator("noscript p")).to_be_visible()
    page = site.open("/")
    expect(page.locator(".svg-map svg a")).to_have_count(101)
    expect(page.get_by_role("button", name="Mở bản đồ tương tác")).to_be_hidden()
