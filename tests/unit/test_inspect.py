"""What is told of a file before it is imported: letters, reference system, layers, tracks and drawings."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import fiona
import numpy as np
import orjson
import pytest
import shapely

from gis.crs import transform
from gis.errors import Refusal
from gis.inspect import Inspection, LayerReport, inspect
from gis.vectorfile import VectorFileError, list_layers, open_vector

CA_MAU = (104.52, 8.38, 105.42, 9.57)
TEXTS = ["xã đất mũi", "huyện ngọc hiển", "ấp nguyễn việt khái", "vùng nuôi tôm sú", "thị trấn sông đốc"]

#: Squares of some kilometres side by side, as communes are.
COMMUNES = [
    shapely.box(104.8 + 0.06 * i, 8.9 + 0.05 * j, 104.86 + 0.06 * i, 8.95 + 0.05 * j)
    for i in range(4)
    for j in range(4)
]


def written(
    path: Path,
    driver: str,
    shapes: list[Any],
    texts: list[str],
    *,
    crs: str | None = "EPSG:4326",
    **options: Any,
) -> Path:
    schema = {"geometry": shapes[0].geom_type, "properties": {"ten": "str:60"}}
    with fiona.open(path, "w", driver=driver, crs=crs, schema=schema, **options) as sink:
        for shape, text in zip(shapes, texts, strict=True):
            sink.write({"geometry": shapely.geometry.mapping(shape), "properties": {"ten": text}})
    return path


def shapefile(folder: Path, code: str, *, mark: int = 87, page: str | None = None) -> Path:
    """A shapefile whose table is written in any code; the mark and the .cpg say what they want."""
    points = [shapely.Point(105 + n / 100, 9) for n in range(len(TEXTS))]
    plain = [f"{n}" * 40 for n in range(len(TEXTS))]
    path = written(folder / "a.shp", "ESRI Shapefile", points, plain)
    table = bytearray((folder / "a.dbf").read_bytes())
    table[29] = mark
    for text, stand_in in zip(TEXTS, plain, strict=True):
        table = table.replace(stand_in.encode(), text.encode(code).ljust(40))
    (folder / "a.dbf").write_bytes(table)
    (folder / "a.cpg").unlink(missing_ok=True)
    if page is not None:
        (folder / "a.cpg").write_text(page)
    return path


def only(found: Inspection) -> LayerReport:
    [report] = found.layers
    return report


@pytest.mark.parametrize(
    ("code", "mark", "page", "evidence"),
    [
        ("utf-8", 87, None, "letters"),
        ("tcvn3", 87, None, "letters"),
        ("vni", 0, None, "letters"),
        ("viscii", 87, None, "letters"),
        ("utf-8", 0, "UTF-8", "cpg"),
        ("tcvn3", 0, "TCVN3", "cpg"),
        ("tcvn3", 3, None, "letters"),
        ("vni", 0, "1252", "letters"),
        ("utf-8", 3, "ISO-8859-1", "letters"),
        ("vni", 87, "UTF-8", "letters"),
    ],
)
def test_the_letters_of_a_shapefile_are_read_right_or_the_choice_is_explained(
    tmp_path, code, mark, page, evidence
):
    path = shapefile(tmp_path, code, mark=mark, page=page)
    report = only(inspect(path))
    assert (report.encoding.chosen, report.encoding.evidence) == (code, evidence)
    assert {row["ten"] for row in report.samples} == set(TEXTS)
    assert report.encoding.alternatives[0].encoding == code
    assert all(3 <= len(one.samples) <= 5 for one in report.encoding.alternatives)
    # A file that says one thing and holds another is not certain.
    assert report.encoding.certain == (not ((mark == 3 or page is not None) and evidence == "letters"))
    with open_vector(path) as file:
        assert [r.properties["ten"] for r in file] == TEXTS


def test_an_explicit_choice_comes_before_everything(tmp_path):
    path = shapefile(tmp_path, "tcvn3", page="UTF-8")
    assert only(inspect(path, encoding="vni")).encoding.evidence == "explicit"
    with open_vector(path, encoding="tcvn3") as file:
        assert [r.properties["ten"] for r in file] == TEXTS


@pytest.mark.parametrize("charset", ["WindowsLatin1", "Neutral", "WindowsVietnamese"])
@pytest.mark.parametrize("code", ["tcvn3", "vni"])
def test_mapinfo_tables_of_old_fonts_are_read(tmp_path, code, charset):
    points = [shapely.Point(105, 9 + n / 100) for n in range(len(TEXTS))]
    plain = [f"{n}" * 40 for n in range(len(TEXTS))]
    path = written(tmp_path / "a.tab", "MapInfo File", points, plain, encoding="ISO-8859-1")
    table = (tmp_path / "a.dat").read_bytes()
    for text, stand_in in zip(TEXTS, plain, strict=True):
        table = table.replace(stand_in.encode(), text.encode(code).ljust(40))
    (tmp_path / "a.dat").write_bytes(table)
    path.write_text(path.read_text().replace("ISO8859_1", charset))
    with open_vector(path) as file:
        assert file.encoding.chosen == code
        assert [r.properties["ten"].strip() for r in file] == TEXTS


def test_texts_of_an_old_font_in_geojson_are_noticed(tmp_path):
    seen = [text.encode("tcvn3").decode("cp1252") for text in TEXTS]
    path = written(tmp_path / "a.geojson", "GeoJSON", [shapely.Point(105, 9)] * len(seen), seen)
    report = only(inspect(path))
    assert report.encoding.chosen == "tcvn3" and not report.encoding.certain
    assert {row["ten"] for row in report.samples} == set(TEXTS)
    with open_vector(path, encoding="utf-8") as file:
        assert [r.properties["ten"] for r in file] == seen


def test_a_file_in_good_order_is_certain(tmp_path):
    path = written(tmp_path / "a.gpkg", "GPKG", COMMUNES, ["xã đất mũi"] * 16)
    found = inspect(path, territory=CA_MAU, known=COMMUNES)
    report = only(found)
    assert report.crs.best is not None and report.crs.best.crs == report.crs.declared == "EPSG:4326"
    assert report.crs.best.certain and not report.crs.warnings and report.crs.datum_shift is None
    assert (report.count, report.without_place, report.geometry_type) == (16, 0, "Polygon")
    assert orjson.loads(orjson.dumps(found.as_dict()))["layers"][0]["format"] == "gpkg"


def carried(shapes: list[Any], crs: str) -> list[Any]:
    return list(transform(np.array(shapes, dtype=object), "OGC:CRS84", crs))


@pytest.mark.parametrize("crs", ["EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648"])
def test_metres_without_a_system_are_proposed_by_place_and_settled_by_known_outlines(tmp_path, crs):
    path = written(tmp_path / "a.gpkg", "GPKG", carried(COMMUNES, crs), ["x"] * 16, crs=None)
    guess = only(inspect(path, territory=CA_MAU)).crs
    assert guess.declared is None
    assert {"EPSG:9207", "EPSG:5897"} <= {one.crs for one in guess.proposals}
    right = next(one for one in guess.proposals if one.crs == crs)
    assert right.bounds == pytest.approx(shapely.total_bounds(COMMUNES), abs=1e-4) and right.plausible
    known = only(inspect(path, territory=CA_MAU, known=COMMUNES)).crs
    assert known.best is not None and known.best.crs == crs and known.best.matched


def test_the_two_meridians_lie_half_a_degree_apart(tmp_path):
    point = shapely.Point(571235.382, 1015233.261)
    path = written(tmp_path / "a.gpkg", "GPKG", [point], ["x"], crs=None)
    bounds = {one.crs: one.bounds for one in only(inspect(path, territory=CA_MAU)).crs.proposals}
    assert bounds["EPSG:9207"][:2] == pytest.approx((105.15, 9.18), abs=1e-5)
    assert bounds["EPSG:5897"][:2] == pytest.approx((105.65, 9.18), abs=1e-3)
    # The same numbers in the other zone lie outside the province.
    proposals = {one.crs: one.plausible for one in only(inspect(path, territory=CA_MAU)).crs.proposals}
    assert proposals["EPSG:9207"] and not proposals["EPSG:5897"]


@pytest.mark.parametrize("driver", ["GeoJSON", "ESRI Shapefile"])
def test_vn2000_that_claims_to_be_wgs84_is_told_by_the_known_outlines(tmp_path, driver):
    name = "a.geojson" if driver == "GeoJSON" else "a.shp"
    path = written(tmp_path / name, driver, carried(COMMUNES, "EPSG:4756"), ["x"] * 16)
    guess = only(inspect(path, territory=CA_MAU, known=COMMUNES)).crs
    shift = guess.datum_shift
    assert shift is not None and shift.is_vn2000 and shift.crs == "EPSG:4756"
    # Published at Cà Mau: 195.9 m west, 111.5 m north.
    assert (shift.east_m, shift.north_m) == pytest.approx((-195.9, 111.5), abs=3)
    assert guess.best is not None and guess.best.crs == "EPSG:4756" and not guess.best.certain
    assert any("sai hệ tọa độ" in str(warning) for warning in guess.warnings)
    with open_vector(path, crs="EPSG:4756") as file:
        moved = transform(np.array([r.geometry for r in file], dtype=object), "EPSG:4756", "OGC:CRS84")
    assert shapely.hausdorff_distance(shapely.multipolygons(moved), shapely.multipolygons(COMMUNES)) < 1e-6


def test_the_datum_shift_shows_also_in_parcels_along_the_boundaries(tmp_path):
    parcels = [
        shapely.box(x, y, x + 0.01, y + 0.01)
        for west, south, east, north in (c.bounds for c in COMMUNES)
        for x in np.arange(west, east - 0.005, 0.01)
        for y in np.arange(south, north - 0.005, 0.01)
    ]
    for crs, code in (("EPSG:4756", "EPSG:4756"), ("OGC:CRS84", None)):
        path = written(tmp_path / f"{code}.geojson", "GeoJSON", carried(parcels, crs), ["x"] * len(parcels))
        shift = only(inspect(path, known=COMMUNES)).crs.datum_shift
        assert (shift.crs if shift else None) == code


def test_a_shift_that_is_no_datum_is_reported_as_that(tmp_path):
    moved = [shapely.transform(c, lambda xy: np.add(xy, (0.003, 0))) for c in COMMUNES]
    path = written(tmp_path / "a.geojson", "GeoJSON", moved, ["x"] * 16)
    guess = only(inspect(path, territory=CA_MAU, known=COMMUNES)).crs
    assert guess.datum_shift is not None and not guess.datum_shift.is_vn2000
    assert guess.datum_shift.east_m == pytest.approx(0.003 * 111_320 * np.cos(np.radians(9)), rel=0.01)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:9207", None])
def test_exchanged_axes_are_told_and_put_right(tmp_path, crs):
    turned = [shapely.transform(c, lambda xy: xy[:, ::-1]) for c in carried(COMMUNES, crs or "EPSG:5897")]
    path = written(tmp_path / "a.gpkg", "GPKG", turned, ["x"] * 16, crs=crs)
    guess = only(inspect(path, territory=CA_MAU, known=COMMUNES)).crs
    best = guess.best
    assert best is not None and best.swapped and best.crs == (crs or "EPSG:5897")
    if crs is not None:
        assert any("đổi chỗ" in str(warning) for warning in guess.warnings)
    with open_vector(path, crs=best.crs, swapped=True) as file:
        moved = transform(np.array([r.geometry for r in file], dtype=object), best.crs, "OGC:CRS84")
    assert shapely.total_bounds(moved) == pytest.approx(shapely.total_bounds(COMMUNES), abs=1e-6)


KML = """<kml xmlns="http://earth.google.com/kml/2.1"><Document><name>Điện thoại</name>
<Folder><name>Huyện Đầm Dơi</name><Folder><name>Xã Tân Tiến</name>
<Placemark><name>Ao 1</name><TimeStamp><when>2026-05-01T01:02:03Z</when></TimeStamp>
<description><![CDATA[<table><tr><td>Chủ hộ</td><td>Nguyễn A</td></tr></table>]]></description>
<MultiGeometry><Point><coordinates>105.1, 9.1, 3</coordinates></Point>
<Polygon><outerBoundaryIs><LinearRing><coordinates>105.1,9.1,2 105.2,9.1,2 105.2,9.2,2 105.1,9.1,2
</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry></Placemark></Folder>
<Placemark><name>Vết</name><gx:Track><when>2026-05-01T01:02:03Z</when><gx:coord>105.10 9.10 1</gx:coord>
<gx:coord>105.11 9.10 1</gx:coord><gx:coord>105.11 9.11 1</gx:coord><gx:coord>105.1001 9.1001 1</gx:coord>
</gx:Track></Placemark></Folder><Placemark><name>Ngoài</name></Placemark></Document></kml>"""


def test_a_kml_of_a_phone_gives_folders_times_tables_and_tracks(tmp_path):
    (tmp_path / "a.kml").write_text(KML, encoding="utf-8")
    report = only(inspect(tmp_path / "a.kml", territory=CA_MAU))
    assert (report.count, report.without_place, report.track_outline) == (3, 1, True)
    with open_vector(tmp_path / "a.kml") as file:
        pond, track, empty = file
    assert pond.properties["folder"] == "Huyện Đầm Dơi / Xã Tân Tiến"
    assert track.properties["folder"] == "Huyện Đầm Dơi" and empty.properties["folder"] is None
    assert pond.properties["Chủ hộ"] == "Nguyễn A" and pond.properties["time"] == "2026-05-01T01:02:03Z"
    assert pond.geometry.geom_type == "GeometryCollection" and not pond.geometry.has_z
    assert track.geometry.geom_type == "LineString" and len(track.geometry.coords) == 4
    assert empty.geometry is None and str(empty.reason) == "Đối tượng không có hình."
    with open_vector(tmp_path / "a.kml", outline_of_track=True) as file:
        assert [r.geometry.geom_type for r in file if r.geometry] == ["GeometryCollection", "Polygon"]


def test_a_kml_with_latitude_first_is_told(tmp_path):
    text = KML.replace("105.1, 9.1, 3", "9.1,105.1").replace("105.", "9.").replace(",9.", ",105.")
    text = (
        text.replace("9.10 9.10", "9.10 105.10")
        .replace("9.11 9.1", "9.11 105.1")
        .replace("9.1001 9", "9.1001 105")
    )
    (tmp_path / "a.kml").write_text(text, encoding="utf-8")
    best = only(inspect(tmp_path / "a.kml", territory=CA_MAU)).crs.best
    assert best is not None and best.swapped


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "'
    + "a" * 100
    + '">'
    + "".join(f'<!ENTITY {b} "' + f"&{a};" * 100 + '">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
    + "]>"
)


@pytest.mark.parametrize("kind", ["kml", "gpx"])
def test_nested_entities_do_not_swell(tmp_path, kind):
    inner = (
        "<Placemark><name>&h;</name><Point><coordinates>105,9</coordinates></Point></Placemark>"
        if kind == "kml"
        else '<wpt lat="9" lon="105"><name>&h;</name></wpt>'
    )
    (tmp_path / f"a.{kind}").write_text(f'<?xml version="1.0"?>{BOMB}<{kind}>{inner}</{kind}>')
    try:
        report = only(inspect(tmp_path / f"a.{kind}"))
        assert len(str(report.samples)) < 1_000
    except VectorFileError as error:
        assert "hỏng" in str(error)


@pytest.mark.parametrize("tag", ["Folder", "MultiGeometry"])
def test_deep_nesting_is_refused(tmp_path, tag):
    inner = f"{f'<{tag}>' * 5_000}{f'</{tag}>' * 5_000}"
    (tmp_path / "a.kml").write_text(f"<kml><Document><Placemark>{inner}</Placemark></Document></kml>")
    with pytest.raises(VectorFileError):
        inspect(tmp_path / "a.kml")
    (tmp_path / "a.geojson").write_text('{"type":"Feature","geometry":' + "[" * 100_000)
    with pytest.raises(VectorFileError):
        inspect(tmp_path / "a.geojson")


GPX = """<?xml version="1.0"?><gpx version="1.1" creator="GPS" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="9.1" lon="105.1"><ele>1.5</ele><name>Cống số 1</name></wpt>
<rte><name>Tuyến</name><rtept lat="9.1" lon="105.1"/><rtept lat="9.2" lon="105.2"/></rte>
<trk><name>Bờ ao</name><trkseg><trkpt lat="9.1" lon="105.1"><time>2026-05-01T00:00:00Z</time></trkpt>
<trkpt lat="9.1" lon="105.101"/><trkpt lat="9.101" lon="105.101"/></trkseg><trkseg>
<trkpt lat="9.101" lon="105.1"/><trkpt lat="9.10001" lon="105.10001"/></trkseg></trk>
<trk><name>Đường đi</name><trkseg><trkpt lat="9.1" lon="105.1"/><trkpt lat="9.3" lon="105.3"/>
<trkpt lat="9.35" lon="105.3"/></trkseg></trk></gpx>"""


def test_gpx_gives_waypoints_routes_and_tracks_and_closed_tracks_become_areas(tmp_path):
    (tmp_path / "a.gpx").write_text(GPX, encoding="utf-8")
    found = inspect(tmp_path / "a.gpx", territory=CA_MAU)
    assert [(r.name, r.count, r.track_outline) for r in found.layers] == [
        ("waypoints", 1, False),
        ("routes", 1, False),
        ("tracks", 2, True),
    ]
    assert found.layer("waypoints").samples[0] == {"name": "Cống số 1", "ele": "1.5"}
    with open_vector(tmp_path / "a.gpx", layer="tracks", outline_of_track=True) as file:
        pond, road = file
    assert pond.geometry.geom_type == "Polygon" and pond.properties["time"] == "2026-05-01T00:00:00Z"
    # A field of about 110 by 111 m.
    hectares = pond.geometry.area * 111_320 * 110_600 * np.cos(np.radians(9.1)) / 10_000
    assert hectares == pytest.approx(1.21, rel=0.02)
    assert road.geometry.geom_type == "LineString" and "không khép kín" in str(road.reason)


DXF = """  0
SECTION
  2
HEADER
  9
$ACADVER
  1
AC1015
  9
$DWGCODEPAGE
  3
ANSI_1252
  0
ENDSEC
  0
SECTION
  2
ENTITIES
  0
LWPOLYLINE
  8
RANH THUA
 90
4
 70
1
 10
571000.0
 20
1015000.0
 10
571100.0
 20
1015000.0
 10
571100.0
 20
1015100.0
 10
571000.0
 20
1015100.0
  0
LINE
  8
DUONG
 10
571000.0
 20
1015000.0
 30
2.0
 11
571500.0
 21
1015500.0
 31
2.0
  0
ENDSEC
  0
EOF
"""


def test_a_drawing_gives_areas_of_closed_polylines_and_lines_with_their_layer(tmp_path):
    (tmp_path / "a.dxf").write_text(DXF)
    report = only(inspect(tmp_path / "a.dxf", territory=CA_MAU))
    assert report.format == "dxf" and report.crs.best is not None and report.crs.best.crs == "EPSG:9207"
    with open_vector(tmp_path / "a.dxf") as file:
        area, line = file
    assert area.properties["Layer"] == "RANH THUA" and line.properties["Layer"] == "DUONG"
    assert area.geometry.geom_type == "Polygon" and area.geometry.area == pytest.approx(10_000)
    assert line.geometry.geom_type == "LineString" and not line.geometry.has_z


def test_several_shapefiles_in_one_zip_are_several_layers(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as sink:
        for name, code in {"tôm": "tcvn3", "rừng": "vni"}.items():
            folder = tmp_path / name
            folder.mkdir()
            shapefile(folder, code)
            for part in folder.iterdir():
                sink.write(part, f"dữ liệu/{name}{part.suffix}")
    found = inspect(tmp_path / "a.zip")
    assert {r.name: r.encoding.chosen for r in found.layers} == {"tôm": "tcvn3", "rừng": "vni"}


def test_one_broken_layer_does_not_hide_the_others(tmp_path):
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [105, 9]}}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as sink:
        sink.writestr("a.geojson", json.dumps(point))
        sink.writestr("b.kml", "<kml><Document>")
    found = inspect(tmp_path / "a.zip")
    assert [r.name for r in found.layers] == ["a"] and "hỏng" in str(found.warnings[0])


def test_symbolic_links_in_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("a.geojson")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as sink:
        sink.writestr(link, "/etc/passwd")
    with pytest.raises(Refusal, match="liên kết"):
        list_layers(tmp_path / "a.zip")


def test_a_projection_on_wgs84_with_our_meridian_is_traced_to_its_vn2000_zone(tmp_path):
    local = "+proj=tmerc +lat_0=0 +lon_0=104.5 +k=0.9999 +x_0=500000 +y_0=0 +datum=WGS84 +units=m"
    path = written(tmp_path / "a.gpkg", "GPKG", carried(COMMUNES, "EPSG:9207"), ["x"] * 16, crs=local)
    guess = only(inspect(path, territory=CA_MAU, known=COMMUNES)).crs
    assert guess.datum_shift is not None and guess.datum_shift.crs == "EPSG:9207"
    assert guess.best is not None and guess.best.crs == "EPSG:9207"


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="gdal-bin is not installed")
@pytest.mark.parametrize("driver", ["MapInfo File", "DXF", "GPX", "KML", "CSV", "XLSX", "FlatGeobuf"])
def test_what_another_gdal_writes_is_read(tmp_path, driver):
    suffix = {"MapInfo File": "mif", "FlatGeobuf": "fgb"}.get(driver, driver.lower())
    points = [shapely.Point(105 + n / 100, 9) for n in range(len(TEXTS))]
    source = written(tmp_path / "a.gpkg", "GPKG", points, TEXTS)
    extra = {
        "GPX": ["-sql", "SELECT geom, ten AS name FROM a"],
        "DXF": ["-sql", "SELECT geom, ten AS Text FROM a"],
        "CSV": ["-lco", "GEOMETRY=AS_WKT"],
        "XLSX": ["-sql", "SELECT ten, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM a", "-dialect", "SQLITE"],
    }.get(driver, [])
    target = tmp_path / f"b.{suffix}"
    subprocess.run(
        ["ogr2ogr", "-f", driver, str(target), str(source), *extra], check=True, capture_output=True
    )
    with open_vector(target) as file:
        records = list(file)
    assert {(round(r.geometry.x, 5), round(r.geometry.y, 5)) for r in records} == {(p.x, p.y) for p in points}
    if driver != "DXF":
        assert {text for r in records for text in r.properties.values() if text in TEXTS} == set(TEXTS)
