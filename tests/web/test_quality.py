"""The pages of quality in a browser: the list, one fault with its map, fixing it, and the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from playwright.sync_api import expect

from data.accounts import SYSTEM
from data.admin_units import Commune
from data.growing_areas import GrowingArea
from data.store import Store
from layers import catalogue
from layers.edit import editing
from tests.conftest import Server
from tests.web.conftest import PHONE, Site
from tests.web.test_accessibility import serious

AREAS = catalogue.layer("growing_areas")
METRE = 1 / 111_320


@pytest.fixture
def overlaps(live_server: Server) -> Iterator[str]:
    """Four areas in a row, each of which overlaps the next by ten metres; they go after the test.

    Other tests leave overlaps elsewhere, so the code of the commune in which these lie comes with them.
    """
    store = Store(live_server.environment["OCOPMAP_DATABASE_URL"])
    code, lon, lat = _free_place(store)
    with editing(store, SYSTEM, "test") as edits:
        ids = [
            edits.insert(
                AREAS,
                {"name": f"Vùng thử {k + 1}", "crop": "rice"},
                shapely.box(lon + 90 * k * METRE, lat, lon + (90 * k + 100) * METRE, lat + 100 * METRE),
            )
            for k in range(4)
        ]
    yield code
    with editing(store, SYSTEM, "test") as edits:
        for row_id in ids:
            edits.delete(AREAS, row_id)
    store.dispose()


def _free_place(store: Store) -> tuple[str, float, float]:
    """A commune with little drawn in it, and a place there that is far from every area."""
    with store.reading() as session:
        shapes = list(session.scalars(sa.select(GrowingArea.geom)))
        taken = shapely.union_all(shapes)
        communes = session.execute(
            sa.select(Commune.code, Commune.geom).where(Commune.edition == "2020")
        ).all()
        crowd = {code: int(shapely.intersects(shape, shapes).sum()) for code, shape in communes}
        for code, shape in sorted(communes, key=lambda unit: (crowd[unit[0]], unit[0])):
            free = shapely.difference(shapely.buffer(shape, -0.01), shapely.buffer(taken, 0.005))
            if shapely.area(free) > 1e-4:
                lon, lat = shapely.maximum_inscribed_circle(free).coords[0]
                return str(code), float(lon), float(lat)
    raise AssertionError("no free place")


def _open_overlaps(site: Site, commune: str) -> Any:
    page = site.open(f"/office/quality/growing_areas?commune={commune}&kind=overlap")
    page.locator(".quality-faults a").first.click()
    expect(page.locator("#quality-map[data-map-ready='1']")).to_be_visible()
    return page


def test_a_fault_is_found_seen_on_the_map_and_fixed_with_one_click(site: Site, overlaps: str) -> None:
    site.sign_in()
    page = site.open("/office/quality")
    page.select_option("#filter-layer", "growing_areas")
    page.select_option("#filter-commune", overlaps)
    page.locator("main form button[type=submit]").click()
    page.get_by_role("link", name="Chồng lấn").first.click()
    expect(page.locator(".quality-faults > li")).to_have_count(3)
    page = _open_overlaps(site, overlaps)
    expect(page.locator("#fix-form input[name=fix]")).to_have_count(2)
    expect(page.locator(".facts")).to_contain_text("m²")
    page.locator("#fix-form button[type=submit]").click()
    expect(page.locator(".notice.ok")).to_contain_text("diện tích giảm")
    page = site.open(f"/office/quality/growing_areas?commune={overlaps}&kind=overlap")
    expect(page.locator(".quality-faults > li")).to_have_count(2)


def test_j_and_k_go_to_the_next_and_the_last_fault_but_not_while_typing(site: Site, overlaps: str) -> None:
    site.sign_in()
    page = _open_overlaps(site, overlaps)
    expect(page.locator(".section-head .here")).to_have_text("1/3")
    page.keyboard.press("j")
    expect(page.locator(".section-head .here")).to_have_text("2/3")
    page.keyboard.press("j")
    expect(page.locator(".section-head .here")).to_have_text("3/3")
    page.keyboard.press("k")
    expect(page.locator(".section-head .here")).to_have_text("2/3")
    page.get_by_text("Giữ nguyên như hiện trạng").click()
    page.locator("#reason").press_sequentially("kj lúa xen tôm")
    expect(page.locator(".section-head .here")).to_have_text("2/3")
    page.get_by_role("button", name="Giữ nguyên").click()
    expect(page.locator(".notice.ok")).to_contain_text("chấp nhận")


def test_the_pages_fit_a_phone_and_have_no_serious_barrier(make_site: Any, overlaps: str) -> None:
    site = make_site(PHONE, has_touch=True, bypass_csp=True)
    site.sign_in()
    for path in ("/office/quality", "/office/quality/growing_areas", "/office/quality/communes"):
        site.open(path)
        _fits(site)
    _open_overlaps(site, overlaps)
    _fits(site)


def _fits(site: Site) -> None:
    assert site.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert serious(site) == []


def test_without_webgl_the_drawing_shows_the_fault(make_site: Any, overlaps: str) -> None:
    site = make_site(
        script="HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext,"
        "{apply: (f, self, a) => a[0].startsWith('webgl') ? null : Reflect.apply(f, self, a)});"
    )
    site.allowed += ["WebGL", "webgl"]
    site.sign_in()
    page = site.open(f"/office/quality/growing_areas?commune={overlaps}&kind=overlap")
    page.locator(".quality-faults a").first.click()
    expect(page.locator(".fault-drawing .fault")).to_be_visible()
    expect(page.locator("#quality-map")).to_be_hidden()
