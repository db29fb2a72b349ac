"""The desk in a browser: dirty files are read, matched, tried out and kept, by mouse and by keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from playwright.sync_api import Page, expect

from data.codes import code_list
from tests import dirtyfiles
from tests.web.conftest import Site
from tests.web.test_accessibility import serious

SHOTS = os.environ.get("OCOP_SHOTS")
AT = (105.15, 9.18)


def square(number: int) -> shapely.Geometry:
    x, y = AT[0] + number * 0.004, AT[1]
    return shapely.box(x, y, x + 0.002, y + 0.002)


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    rows = [
        ({"TEN": "Vùng tôm sú ấp Xẻo Đước", "CAY_TRONG": "Tôm sú", "DIEN_TICH": 4.5}, square(0)),
        ({"TEN": "Vùng lúa kênh Hai Thước", "CAY_TRONG": "Lúa", "DIEN_TICH": 12.25}, square(1)),
        ({"TEN": "Vườn chuối rừng Nguyễn Phích", "CAY_TRONG": "chuối xiêm", "DIEN_TICH": 3.0}, square(2)),
    ]
    return dirtyfiles.shapefile(tmp_path / "gui", rows)


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def bring(site: Site, layer: str, path: Path) -> Page:
    page = site.open("/office/import")
    page.select_option("#layer", layer)
    page.set_input_files("#file", path)
    page.get_by_role("button", name="Tải lên và xem").click()
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("Đọc tệp")
    return page


def ready(page: Page) -> None:
    expect(page.locator("#import-map [data-import-ready]")).to_be_visible()


def test_a_shapefile_in_old_letters_without_a_place_comes_in(site: Site, shapefile: Path) -> None:
    site.sign_in()
    page = bring(site, "growing_areas", shapefile)
    expect(page.get_by_role("radio", name="tcvn3")).to_be_checked()
    expect(page.locator("main")).to_contain_text("Vùng tôm sú ấp Xẻo Đước")
    expect(page.locator("main")).to_contain_text("Chưa rõ tệp dùng hệ tọa độ nào")
    ready(page)
    page.locator("input[name=crs][value='EPSG:9207']").check()
    shot(page, "import-read")
    page.get_by_role("button", name="Tiếp: ghép cột").click()
    expect(page.get_by_label("Cột cho Tên vùng")).to_have_value("TEN")
    shot(page, "import-fields")
    page.get_by_label("“chuối xiêm” là").select_option("banana")
    page.get_by_role("button", name="Chạy thử").click()
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    ready(page)
    page.get_by_role("button", name="Xem dòng 2 trên bản đồ").click()
    expect(page.locator("tr.chosen")).to_contain_text("Vùng lúa kênh Hai Thước")
    shot(page, "import-check")
    page.get_by_role("button", name="Nhập 3 dòng").click()
    expect(page.get_by_role("status").filter(has_text="Đã nhập xong")).to_contain_text("Thêm 3")
    shot(page, "import-done")
    west, south, east, north = square(0).bounds
    found = site.json(f"/layers/growing_areas.geojson?bbox={west},{south},{east},{north}&limit=50")[
        "features"
    ]
    assert any(f["properties"]["name"] == "Vùng tôm sú ấp Xẻo Đước" for f in found)


def test_a_workbook_comes_in_on_a_phone_without_a_mouse(phone: Site, tmp_path: Path) -> None:
    kind = next(iter(code_list("sale_point_kind").values()))
    rows = [
        ({"Tên điểm": f"Điểm bán thử {i}", "Loại điểm bán": kind.vi}, AT[0] + i / 500, AT[1])
        for i in range(3)
    ]
    path = dirtyfiles.workbook(tmp_path / "diem ban.xlsx", rows)
    phone.sign_in()
    page = bring(phone, "sale_points", path)
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    radio = page.locator("input[name=crs][value='EPSG:9207']")
    radio.focus()
    page.keyboard.press("Space")
    shot(page, "import-read-phone")
    page.get_by_role("button", name="Tiếp: ghép cột").press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "import-fields-phone")
    page.get_by_role("button", name="Chạy thử").press("Enter")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "import-check-phone")
    page.get_by_role("button", name="Nhập 3 dòng").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Đã nhập xong")).to_be_visible()


def test_the_steps_work_without_scripts(make_site: Callable[..., Site], shapefile: Path) -> None:
    site = make_site(java_script_enabled=False)
    site.sign_in()
    page = bring(site, "growing_areas", shapefile)
    page.locator("input[name=crs][value='EPSG:9207']").check()
    page.get_by_role("button", name="Tiếp: ghép cột").click()
    page.get_by_role("button", name="Chạy thử").click()
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    expect(page.locator("#rows")).to_contain_text("Vườn chuối rừng Nguyễn Phích")
    page.get_by_role("button", name="Bỏ tệp này").click()
    expect(page.get_by_role("status")).to_contain_text("bản ghi không thay đổi")


def test_the_steps_are_free_of_what_axe_finds(site: Site, shapefile: Path) -> None:
    site.sign_in()
    site.open("/office/import")
    assert serious(site) == []
    page = bring(site, "growing_areas", shapefile)
    ready(page)
    assert serious(site) == []
    page.locator("input[name=crs][value='EPSG:9207']").check()
    page.get_by_role("button", name="Tiếp: ghép cột").click()
    assert serious(site) == []
    page.get_by_role("button", name="Chạy thử").click()
    ready(page)
    assert serious(site) == []
