"""Drawing tools of the edit form: holes, splitting, following a border, neighbours, coordinates, undo."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, expect
from pyproj import Geod, Transformer
from shapely.affinity import rotate
from shapely.geometry import shape
from shapely.ops import polygonize

from tests.web.conftest import Site
from tests.web.test_editing import SQUARE, draw_square, geometry, open_new, paste

GPX = """<?xml version="1.0"?><gpx version="1.1" creator="phone" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="9.10" lon="105.10"/><trkpt lat="9.10" lon="105.11"/><trkpt lat="9.11" lon="105.11"/>
<trkpt lat="9.11" lon="105.10"/><trkpt lat="9.100001" lon="105.100001"/></trkseg></trk></gpx>"""


def drawn(page: Page) -> Any:
    return shape(geometry(page))  # type: ignore[arg-type]


def area_m2(outline: Any) -> float:
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(outline)[0])


def tool(page: Page, name: str) -> None:
    page.locator(f"[data-tool={name}]").click()


def click_at(page: Page, points: list[tuple[float, float]]) -> None:
    """Click places of the map given as shares of its width and height."""
    page.locator("#edit-map").scroll_into_view_if_needed()
    box = page.locator("#edit-map").bounding_box()
    assert box is not None
    for across, down in points:
        x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
        page.mouse.move(x, y)
        page.mouse.click(x, y)


def no_snapping(page: Page) -> None:
    page.uncheck("#snap-on")


def open_with(site: Site, outline: dict[str, Any] = SQUARE) -> Page:
    page = open_new(site)
    paste(page, outline)
    expect(page.locator("#measure")).to_contain_text("ha (")
    no_snapping(page)
    return page


def test_a_hole_is_cut_changed_to_less_area_and_filled_again(site: Site) -> None:
    page = open_with(site)
    whole = area_m2(drawn(page))
    tool(page, "hole")
    click_at(page, [(0.48, 0.45), (0.52, 0.45), (0.52, 0.55), (0.48, 0.55), (0.48, 0.45)])
    expect(page.locator("#ring-choice option")).to_have_count(2)
    outline = drawn(page)
    assert len(outline.geoms[0].interiors) == 1
    assert area_m2(outline) < whole
    tool(page, "select")
    click_at(page, [(0.5, 0.5)])
    expect(page.locator("[data-tool=delete]")).to_be_enabled()
    tool(page, "delete")
    expect(page.locator("#ring-choice option")).to_have_count(1)
    assert area_m2(drawn(page)) == pytest.approx(whole, rel=1e-9)


def test_a_line_splits_an_area_into_parts_that_add_up(site: Site) -> None:
    page = open_with(site)
    whole = drawn(page)
    tool(page, "split")
    click_at(page, [(0.1, 0.4), (0.9, 0.55)])
    page.keyboard.press("Enter")
    expect(page.locator("#measure")).to_contain_text("2 phần")
    parts = drawn(page)
    assert len(parts.geoms) == 2
    assert shapely.union_all(parts.geoms).symmetric_difference(whole).area < 1e-12
    assert sum(area_m2(p) for p in parts.geoms) == pytest.approx(area_m2(whole), rel=1e-6)


def test_undo_takes_back_corners_while_drawing_and_operations_afterwards_and_redo_brings_them_again(
    site: Site,
) -> None:
    page = open_new(site)
    no_snapping(page)
    click_at(page, [(0.3, 0.3), (0.5, 0.3), (0.5, 0.6)])
    expect(page.locator("[data-tool=finish]")).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-tool=finish]")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("[data-tool=finish]")).to_be_enabled()
    tool(page, "finish")
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    before = geometry(page)
    page.keyboard.press("Control+z")
    expect(page.locator("#measure")).to_have_text("Chưa có hình nào.")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    assert geometry(page) == before


def test_a_polygon_is_drawn_with_the_keyboard_alone(site: Site) -> None:
    page = open_new(site)
    no_snapping(page)
    page.locator("#edit-map canvas").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press("Space")
        page.keyboard.press(key)
        expect(page.locator("#edit-map")).to_have_attribute("data-still", "1")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    assert len(drawn(page).geoms[0].exterior.coords) == 5


def test_an_outline_is_typed_in_vn2000_as_a_table_of_corners(site: Site) -> None:
    page = open_new(site)
    page.locator("#vertex-table summary").click()
    expect(page.locator("#vertex-system option").first).to_be_attached()
    labels = page.locator("#vertex-system option").all_inner_texts()
    code = next(
        page.locator("#vertex-system option").nth(i).get_attribute("value")
        for i, text in enumerate(labels)
        if "104°30" in text
    )
    assert code is not None
    page.select_option("#vertex-system", code)
    corners = [
        (1_006_000.0, 565_000.0),
        (1_006_000.0, 566_000.0),
        (1_007_000.0, 566_000.0),
        (1_007_000.0, 565_000.0),
    ]
    for north, east in corners:
        page.fill("#vertex-new-1", f"{north:.2f}".replace(".", ","))
        page.keyboard.press("Tab")
        page.keyboard.type(f"{east:.2f}".replace(".", ","))
        page.keyboard.press("Enter")
    expect(page.locator("#vertex-rows tr")).to_have_count(4)
    tool(page, "finish")
    to_degrees = Transformer.from_crs(f"EPSG:{code}", 4326, always_xy=True)
    expected = [to_degrees.transform(east, north) for north, east in corners]
    found = list(drawn(page).geoms[0].exterior.coords)[:-1]
    for corner in expected:
        metres = min(math.hypot(corner[0] - x, corner[1] - y) for x, y in found) * 111_195
        assert metres < 0.01
    first = page.locator('#vertex-rows input[data-index="0"][data-axis="0"]')
    first.fill("1005900")
    page.keyboard.press("Enter")
    expect(page.locator("#measure")).to_contain_text("Diện tích 105")


def test_a_pasted_column_of_coordinates_becomes_corners(site: Site) -> None:
    page = open_new(site)
    page.locator("#vertex-table summary").click()
    page.select_option("#vertex-system", "lonlat")
    rows = "105,10\t9,10\n105,11\t9,10\n105,11\t9,11"
    page.locator("#vertex-new-1").evaluate(
        """(input, text) => { const data = new DataTransfer(); data.setData("text", text);
        input.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""",
        rows,
    )
    expect(page.locator("#vertex-rows tr")).to_have_count(3)
    tool(page, "finish")
    assert drawn(page).bounds == pytest.approx((105.10, 9.10, 105.11, 9.11))


def test_a_gps_track_becomes_an_outline_at_once(site: Site, tmp_path: Path) -> None:
    page = open_new(site)
    track = tmp_path / "track.gpx"
    track.write_text(GPX, encoding="utf-8")
    page.locator(".other-ways summary").click()
    page.set_input_files("#geometry-file", track)
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    assert area_m2(drawn(page)) == pytest.approx(area_m2(shape(SQUARE)), rel=1e-3)
    assert page.locator("#geometry-file").input_value() == ""


def test_a_gps_track_is_closed_by_the_server_too(make_site, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    site = make_site(java_script_enabled=False)
    site.sign_in()
    page = site.open("/edit/growing_areas/new")
    track = tmp_path / "track.gpx"
    track.write_text(GPX, encoding="utf-8")
    page.locator(".other-ways summary").click()
    page.set_input_files("#geometry-file", track)
    page.fill("#field-name", "Vùng đi bằng GPS")
    page.select_option("#field-crop", "rice")
    page.get_by_role("button", name="Lưu").click()
    page.wait_for_url("**/growing_areas/*")
    hectares = area_m2(shape(SQUARE)) / 10_000
    expect(page.locator(".facts").first).to_contain_text(f"{hectares:.1f} ha".replace(".", ","))


# ---- with neighbours


def a_neighbour(site: Site) -> dict[str, Any]:
    """A growing area of one part that is some hundred metres wide."""
    for feature in site.json("/layers/growing_areas.geojson?limit=200")["features"]:
        outline = shape(feature["geometry"])
        west, _south, east, _north = outline.bounds
        if len(outline.geoms) == 1 and not outline.geoms[0].interiors and 0.002 < east - west < 0.05:
            return {**feature, "shape": outline}
    pytest.fail("the demonstration province has no such area")


def beside(outline: Any) -> dict[str, Any]:
    """A square that covers the eastern half of an outline and as much ground beside it."""
    west, south, east, north = outline.bounds
    middle, width = (west + east) / 2, east - west
    return json.loads(
        shapely.to_geojson(shapely.box(middle, south - width / 10, middle + width, north + width / 10))
    )


def open_beside(site: Site) -> tuple[Page, dict[str, Any], Any]:
    """A new area that overlaps a neighbour, in view with it."""
    neighbour = a_neighbour(site)
    mine = beside(neighbour["shape"])
    page = open_new(site)
    paste(page, mine)
    expect(page.locator("#edit-map")).not_to_have_attribute("data-neighbours", "0")
    return page, neighbour, shape(mine)


def click_inside(page: Page, outline: Any, view: Any) -> None:
    """Click the map at a point of an outline, the map showing `view` with 40 px around it."""
    page.locator("#edit-map").scroll_into_view_if_needed()
    box = page.locator("#edit-map").bounding_box()
    assert box is not None
    west, south, east, north = view.bounds
    mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    (x0, y0), (x1, y1) = mercator.transform(west, south), mercator.transform(east, north)
    scale = min((box["width"] - 80) / (x1 - x0), (box["height"] - 80) / (y1 - y0))
    point = outline.representative_point()
    x, y = mercator.transform(point.x, point.y)
    page.mouse.click(
        box["x"] + box["width"] / 2 + (x - (x0 + x1) / 2) * scale,
        box["y"] + box["height"] / 2 - (y - (y0 + y1) / 2) * scale,
    )


def test_a_neighbour_is_merged_and_removed_in_one_save(site: Site) -> None:
    page, neighbour, mine = open_beside(site)
    tool(page, "neighbour")
    click_inside(page, neighbour["shape"].difference(mine.buffer(0.0005)), mine)
    expect(page.locator("#neighbour-panel")).to_be_visible()
    page.locator("[data-takeover=merge]").click()
    expect(page.locator("#neighbour-plans")).to_contain_text("xóa hồ sơ")
    merged = drawn(page)
    assert merged.symmetric_difference(mine.union(neighbour["shape"])).area < 1e-10
    page.fill("#field-name", "Vùng gộp")
    page.select_option("#field-crop", "rice")
    page.get_by_role("button", name="Lưu").click()
    expect(page.locator("h1")).to_have_text("Vùng gộp")
    site.allowed.append("404")
    answer = page.request.get(f"{site.server.url}/layers/growing_areas/{neighbour['id']}.geojson")
    assert answer.status == 404


def test_the_overlap_is_trimmed_from_a_neighbour_in_one_save(site: Site) -> None:
    page, neighbour, mine = open_beside(site)
    tool(page, "neighbour")
    click_inside(page, neighbour["shape"].difference(mine.buffer(0.0005)), mine)
    page.locator("[data-takeover=trim]").click()
    expect(page.locator("#neighbour-plans")).to_contain_text("cắt phần chồng")
    page.fill("#field-name", "Vùng lấn")
    page.select_option("#field-crop", "rice")
    page.get_by_role("button", name="Lưu").click()
    expect(page.locator("h1")).to_have_text("Vùng lấn")
    answer = page.request.get(f"{site.server.url}/layers/growing_areas/{neighbour['id']}.geojson")
    left = shape(answer.json()["geometry"])
    assert left.intersection(mine).area < 1e-10
    assert left.symmetric_difference(neighbour["shape"].difference(mine)).area < 1e-10


# ---- the arithmetic, against shapely and PROJ


def in_page(page: Page, module: str, call: str, *values: Any) -> Any:
    """Call a function of one of our modules in the page."""
    return page.evaluate(
        "async ([module, call, values]) => (await import(module))[call](...values)",
        [f"/static/js/lib/{module}.js", call, list(values)],
    )


def test_pieces_of_a_split_cover_the_whole_whatever_the_line(site: Site) -> None:
    page = open_new(site)
    ring = [
        [105 + 0.01 * math.cos(a) * (1 + 0.4 * (i % 2)), 9 + 0.01 * math.sin(a) * (1 + 0.4 * (i % 2))]
        for i, a in enumerate(2 * math.pi * k / 24 for k in range(24))
    ]
    hole = [[105.002, 9.002], [105.002, 9.004], [105.004, 9.004], [105.004, 9.002], [105.002, 9.002]]
    polygon = [[*ring, ring[0]], hole]
    whole = shapely.Polygon(polygon[0], [polygon[1]])
    lines = [
        [[104.9, 9.003], [105.1, 9.003]],
        [[104.9, 8.9], [105.1, 9.1]],
        [[104.98, 9.02], [105.0, 8.985], [105.02, 9.02]],
        [[104.9, 9.001], [105.1, 9.001], [105.1, 9.0045], [104.9, 9.0045]],
    ]
    for line in lines:
        pieces = [shapely.Polygon(p[0], p[1:]) for p in in_page(page, "split", "splitPolygon", polygon, line)]
        assert all(p.is_valid for p in pieces)
        expected = polygonize(shapely.union_all([whole.boundary, shapely.LineString(line)]))
        expected = [p for p in expected if whole.contains(p.representative_point())]
        assert len(pieces) == len(expected)
        assert shapely.union_all(pieces).symmetric_difference(whole).area < 1e-15
        assert sum(p.area for p in pieces) == pytest.approx(whole.area, rel=1e-9)


def test_union_and_difference_agree_with_geos(site: Site) -> None:
    page = open_new(site)
    a = shapely.Point(105, 9).buffer(0.01, quad_segs=12)
    b = shapely.Point(105.008, 9.003).buffer(0.01, quad_segs=9)
    as_coordinates = [[[list(c) for c in p.exterior.coords]] for p in (a, b)]
    for call, expected in (("union", a.union(b)), ("difference", a - b), ("intersection", a & b)):
        found = in_page(page, "clip", call, [as_coordinates[0]], [as_coordinates[1]])
        polygons = shapely.union_all([shapely.Polygon(p[0], p[1:]) for p in found])
        assert polygons.symmetric_difference(expected).area < 1e-12


def test_areas_and_lengths_agree_with_proj_within_a_thousandth(site: Site) -> None:
    page = open_new(site)
    geod = Geod(ellps="WGS84")
    for size in (0.0005, 0.01, 0.2):
        outline = rotate(shapely.box(105, 9, 105 + size, 9 + size * 0.7), 23)
        ring = [list(c) for c in outline.exterior.coords]
        assert in_page(page, "geometry", "areaOf", [[ring]]) == pytest.approx(area_m2(outline), rel=1e-4)
        expected = geod.line_length(*zip(*ring, strict=True))
        assert in_page(page, "geometry", "lengthOf", ring) == pytest.approx(expected, rel=1e-4)


def test_the_way_along_a_border_is_the_shorter_one_and_keeps_its_corners(site: Site) -> None:
    page = open_new(site)
    ring = SQUARE["coordinates"][0]  # type: ignore[index]
    start = in_page(page, "rings", "nearestOnRings", [105.102, 9.0999], [ring], 50)
    end = in_page(page, "rings", "nearestOnRings", [105.1101, 9.104], [ring], 50)
    path = in_page(page, "rings", "pathAlong", ring, start, end)
    assert [pytest.approx(p) for p in path] == [[105.102, 9.10], [105.11, 9.10], [105.11, 9.104]]
    back = in_page(page, "rings", "pathAlong", ring, end, start)
    assert back == path[::-1]


def test_a_drawn_border_follows_its_neighbour_between_two_clicks(site: Site) -> None:
    page, neighbour, mine = open_beside(site)
    page.fill("#geometry", "")
    page.locator("#geometry").blur()
    expect(page.locator("#measure")).to_have_text("Chưa có hình nào.")
    tool(page, "trace")
    expect(page.locator("#tool-hint")).to_contain_text("bắt đầu")
    boundary = neighbour["shape"].boundary
    for share in (0.1, 0.4):
        spot = boundary.interpolate(share, normalized=True)
        click_inside(page, spot, mine)
    expect(page.locator("#tool-hint")).not_to_contain_text("rời khỏi")
    page.locator("[data-tool=finish]").click()
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    outline = drawn(page)
    followed = outline.boundary.intersection(boundary.buffer(1e-7))
    assert followed.length > 0.25 * boundary.length


def test_a_drawn_corner_snaps_to_the_corner_of_a_neighbour(site: Site) -> None:
    page, neighbour, mine = open_beside(site)
    corners = list(neighbour["shape"].geoms[0].exterior.coords)[:-1]
    page.fill("#geometry", "")
    page.locator("#geometry").blur()
    tool(page, "polygon")
    for index in (0, len(corners) // 3, 2 * len(corners) // 3):
        click_inside(page, shapely.Point(corners[index]), mine)
    page.locator("[data-tool=finish]").click()
    expect(page.locator("#measure")).to_contain_text("Diện tích")
    for x, y in drawn(page).geoms[0].exterior.coords:
        assert min(math.hypot(x - cx, y - cy) for cx, cy in corners) < 2e-9


def test_two_parts_are_drawn_beside_each_other(site: Site) -> None:
    page = open_new(site)
    no_snapping(page)
    draw_square(page, left=200, top=120)
    draw_square(page, left=380, top=120)
    expect(page.locator("#measure")).to_contain_text("2 phần")
