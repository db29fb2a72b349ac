"""The export page in a browser: choosing, counting, downloading; usable by everybody, also on a phone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["/export", "/export?layer=growing_areas&filter=area_ha+%3E+1", "/views"])
def test_pages_have_no_serious_barrier(
    make_site: Callable[..., Site], path: str, viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    page = site.open(path)
    assert serious(site) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_shapefile_of_one_crop_is_downloaded(site: Site) -> None:
    page = site.open("/growing_areas?crop=rice")
    page.get_by_role("link", name="dòng này về tệp").click()
    expect(page.locator("#filter-crop")).to_have_value("rice")
    rows = site.json("/layers/growing_areas.geojson?limit=1&crop=rice")["numberMatched"]
    expect(page.get_by_role("status")).to_contain_text(f"{rows} dòng")
    page.locator("#format-shp").check()
    page.locator("#filter-crs").select_option("EPSG:9207")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Tải về").click()
    assert taken.value.suggested_filename.startswith("growing_areas-")
    with zipfile.ZipFile(taken.value.path()) as packed:
        assert {"growing_areas.shp", "growing_areas.prj", "tu_dien_du_lieu.txt"} <= set(packed.namelist())


def test_an_officer_finds_the_page_from_the_office(site: Site) -> None:
    site.sign_in()
    page = site.open("/office")
    page.get_by_role("link", name="Xuất dữ liệu").first.click()
    page.get_by_role("link", name="Vùng trồng, vùng nuôi").click()
    expect(page.locator("#filter-status")).to_be_visible()
