"""Uploads in every format, written by GDAL or by hand as other programs write them, and the bad ones."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import struct
import tempfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import fiona
import pytest
import shapely

from gis import archive
from gis.errors import Refusal
from gis.vectorfile import VectorFileError, list_layers, open_vector

FIELDS = {"ma": "str:10", "ten": "str:60", "ho": "int32", "dt": "float", "ngay": "date"}
ROWS = [
    ("32002", "Xã Nguyễn Việt Khái", 120, 12.5, "2024-05-01"),
    ("32248", "Xã Đất Mũi", 80, 3.25, "2024-06-02"),
]
SHAPES = [shapely.box(105.0, 9.0, 105.1, 9.1), shapely.box(104.7, 8.6, 104.8, 8.7)]


def write(
    path: Path, driver: str, *, crs: str = "EPSG:4326", layer: str | None = None, **options: Any
) -> Path:
    """The two communes as one more file of that driver, written by GDAL."""
    fields = {
        name: "str" if driver == "FlatGeobuf" and kind == "date" else kind for name, kind in FIELDS.items()
    }
    schema = {"geometry": "Polygon", "properties": fields}
    if layer:
        options["layer"] = layer
    with fiona.open(path, "w", driver=driver, crs=crs, schema=schema, **options) as sink:
        for row, geometry in zip(ROWS, SHAPES, strict=True):
            properties = dict(zip(FIELDS, row, strict=True))
            sink.write({"geometry": shapely.geometry.mapping(geometry), "properties": properties})
    return path


def zipped(path: Path, files: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as sink:
        for name, content in files.items():
            sink.writestr(name, content)
    return path


def shapefile_parts(folder: Path, stem: str = "ranh", **options: Any) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    write(folder / f"{stem}.shp", "ESRI Shapefile", encoding="UTF-8", **options)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def assert_two_communes(path: Path, **options: Any) -> None:
    with open_vector(path, **options) as source:
        records = list(source)
        assert source.count == len(source) == 2
        assert source.crs == "EPSG:4326"
        assert source.geometry_type == "Polygon"
        assert [source.fields[name] for name in FIELDS][:4] == ["str", "str", "int", "float"]
        assert [record.number for record in records] == [1, 2]
        assert [record.properties["ten"] for record in records] == [row[1] for row in ROWS]
        assert [record.properties["ma"] for record in records] == ["32002", "32248"]
        assert [record.properties["ho"] for record in records] == [120, 80]
        for record, geometry in zip(records, SHAPES, strict=True):
            assert shapely.equals(record.geometry, geometry)
        assert [record.number for record in source] == [1, 2]


def refusal(path: str | Path, **options: Any) -> str:
    """The sentence that refuses the file, after checking that it is one sentence with all its facts."""
    with pytest.raises(VectorFileError) as caught, open_vector(path, **options) as source:
        list(source)
    assert isinstance(caught.value, Refusal)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "%(" not in sentence and "\n" not in sentence
    assert not any(name in sentence for name in ("Error", "Exception", "/tmp"))
    return sentence


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("ranh.geojson", "GeoJSON"),
        ("ranh.gpkg", "GPKG"),
        ("ranh.fgb", "FlatGeobuf"),
        ("ranh.geojsonl", "GeoJSONSeq"),
    ],
)
def test_single_files_are_read_with_fields_and_reference_system(tmp_path, name, driver):
    path = write(tmp_path / name, driver)
    if driver != "FlatGeobuf":
        assert_two_communes(path)
        return
    # FlatGeobuf stores features along a space-filling curve.
    with open_vector(path) as source:
        assert {record.properties["ten"] for record in source} == {row[1] for row in ROWS}


def test_a_shapefile_is_read_beside_its_files_and_from_a_zip(tmp_path):
    parts = shapefile_parts(tmp_path / "shp")
    assert_two_communes(tmp_path / "shp" / "ranh.shp")
    assert_two_communes(zipped(tmp_path / "a.zip", parts))


def test_a_zip_may_hold_folders_capital_suffixes_and_the_litter_of_macos(tmp_path):
    parts = shapefile_parts(tmp_path / "shp")
    loud = {f"Ranh giới/{name.split('.')[0]}.{name.split('.')[1].upper()}": c for name, c in parts.items()}
    litter = {"__MACOSX/Ranh giới/._ranh.SHP": b"\x00\x05\x16\x07", "Ranh giới/đọc.txt": b"xin chao"}
    assert_two_communes(zipped(tmp_path / "a.zip", {**loud, **litter}))


def test_mapinfo_tables_are_read(tmp_path):
    write(tmp_path / "ranh.tab", "MapInfo File", encoding="UTF-8")
    with open_vector(tmp_path / "ranh.tab") as source:
        assert [record.properties["ten"] for record in source] == [row[1] for row in ROWS]
        assert source.count == 2
    parts = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with open_vector(zipped(tmp_path / "tab.zip", parts)) as source:
        assert source.layers == ["ranh"]


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Tài liệu</name>
<Schema name="ranh" id="ranh"><SimpleField name="MA_XA" type="string"/></Schema>
<Folder><name>Xã</name>
<Placemark><name>Xã Đất Mũi</name><ExtendedData><SchemaData schemaUrl="#ranh">
<SimpleData name="MA_XA">32248</SimpleData></SchemaData></ExtendedData>
<MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>
104.7,8.6,0 104.8,8.6,0 104.8,8.7,0 104.7,8.7,0 104.7,8.6,0</coordinates></LinearRing></outerBoundaryIs>
<innerBoundaryIs><LinearRing><coordinates>104.72,8.62 104.74,8.62 104.74,8.64 104.72,8.62
</coordinates></LinearRing></innerBoundaryIs></Polygon></MultiGeometry></Placemark>
<Placemark><name>Trụ sở</name><ExtendedData><Data name="điện thoại"><value>0290</value></Data></ExtendedData>
<Point><coordinates>104.75,8.65,3</coordinates></Point></Placemark>
</Folder><NetworkLink><Link><href>http://example.com/more.kml</href></Link></NetworkLink></Document></kml>"""


def test_kml_and_kmz_give_all_placemarks_with_their_extended_data(tmp_path):
    (tmp_path / "a.kml").write_text(KML, encoding="utf-8")
    for path in (tmp_path / "a.kml", zipped(tmp_path / "a.kmz", {"doc.kml": KML.encode()})):
        with open_vector(path) as source:
            commune, office = source
            assert source.crs == "EPSG:4326" and source.count == 2 and source.geometry_type == "Unknown"
            assert list(source.fields) == ["name", "description", "MA_XA", "folder", "điện thoại"]
        assert commune.properties["folder"] == "Xã"
        assert commune.properties["MA_XA"] == "32248" and commune.properties["điện thoại"] is None
        hole = [(104.72, 8.62), (104.74, 8.62), (104.74, 8.64)]
        assert shapely.equals(commune.geometry, shapely.Polygon(SHAPES[1].exterior.coords, [hole]))
        assert office.geometry == shapely.Point(104.75, 8.65) and not office.geometry.has_z


def test_kml_entities_are_not_resolved(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("mật khẩu", encoding="utf-8")
    head = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    text = KML.replace("<kml ", head + "<kml ", 1).replace("Xã Đất Mũi", "&x;")
    (tmp_path / "a.kml").write_text(text, encoding="utf-8")
    with open_vector(tmp_path / "a.kml") as source:
        assert "mật khẩu" not in str([record.properties for record in source])


def test_a_kml_ring_without_coordinates_names_the_placemark(tmp_path):
    text = KML.replace("<coordinates>104.75,8.65,3</coordinates>", "<coordinates></coordinates>")
    (tmp_path / "a.kml").write_text(text, encoding="utf-8")
    assert "thứ 2" in refusal(tmp_path / "a.kml")


def test_texts_and_field_names_come_in_nfc(tmp_path):
    decomposed = unicodedata.normalize("NFD", "Xã Nguyễn Phích")
    feature = {
        "type": "Feature",
        "properties": {unicodedata.normalize("NFD", "tên"): decomposed, "ds": ["Cá lóc", decomposed]},
        "geometry": {"type": "Point", "coordinates": [105, 9, 7]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False)
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")
    with open_vector(tmp_path / "a.geojson") as source:
        [record] = source
        assert source.fields == {"tên": "str", "ds": "list"}
    assert record.properties == {"tên": "Xã Nguyễn Phích", "ds": ["Cá lóc", "Xã Nguyễn Phích"]}
    assert not record.geometry.has_z


def test_a_feature_without_geometry_is_a_record_without_geometry(tmp_path):
    feature = {"type": "Feature", "properties": {"a": 1}, "geometry": None}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with open_vector(tmp_path / "a.geojson") as source:
        assert [record.geometry for record in source] == [None]


def test_vn2000_is_told_by_its_number_or_its_wkt(tmp_path):
    with open_vector(write(tmp_path / "a.gpkg", "GPKG", crs="EPSG:9210")) as source:
        assert source.crs == "EPSG:9210"
    local = (
        "+proj=tmerc +lat_0=0 +lon_0=104.5 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 "
        "+towgs84=-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278"
    )
    with open_vector(write(tmp_path / "b.gpkg", "GPKG", crs=local)) as source:
        assert source.crs is not None and ("104.5" in source.crs or source.crs.startswith("EPSG:"))


def test_a_shapefile_without_prj_has_no_reference_system(tmp_path):
    parts = shapefile_parts(tmp_path / "shp")
    del parts["ranh.prj"]
    with open_vector(zipped(tmp_path / "a.zip", parts)) as source:
        assert source.crs is None


def test_a_shapefile_in_utf8_that_does_not_say_so_is_read_right(tmp_path):
    parts = shapefile_parts(tmp_path / "shp")
    del parts["ranh.cpg"]
    # Byte 29 of the table is the code page mark; 0 means that nobody set it.
    parts["ranh.dbf"] = parts["ranh.dbf"][:29] + b"\x00" + parts["ranh.dbf"][30:]
    assert_two_communes(zipped(tmp_path / "a.zip", parts))


def test_a_shapefile_in_a_single_byte_code_page_is_read_as_told(tmp_path):
    folder = tmp_path / "shp"
    folder.mkdir()
    schema = {"geometry": "Point", "properties": {"ten": "str:20"}}
    with fiona.open(folder / "a.shp", "w", driver="ESRI Shapefile", schema=schema, encoding="CP1252") as sink:
        point = {"type": "Point", "coordinates": [105, 9]}
        sink.write({"geometry": point, "properties": {"ten": "Hòn Khoai là đảo"[:9]}})
    (folder / "a.cpg").unlink()
    with open_vector(folder / "a.shp", encoding="CP1252") as source:
        assert [record.properties["ten"] for record in source] == ["Hòn Khoai"]
    assert "CP-không-có" in refusal(folder / "a.shp", encoding="CP-không-có")


def test_a_geopackage_with_several_layers_asks_for_one(tmp_path):
    path = write(tmp_path / "a.gpkg", "GPKG", layer="xã")
    write(path, "GPKG", layer="huyện")
    assert list_layers(path) == ["huyện", "xã"]
    sentence = refusal(path)
    assert "huyện" in sentence and "xã" in sentence
    assert "tỉnh" in refusal(path, layer="tỉnh")
    assert_two_communes(path, layer=unicodedata.normalize("NFD", "xã"))


def test_a_zip_with_several_shapefiles_asks_for_one(tmp_path):
    parts = {**shapefile_parts(tmp_path / "a", "xa"), **shapefile_parts(tmp_path / "b", "huyen")}
    path = zipped(tmp_path / "a.zip", parts)
    assert list_layers(path) == ["huyen", "xa"]
    assert "huyen, xa" in refusal(path)
    assert_two_communes(path, layer="xa")


def test_what_was_unpacked_is_removed_when_the_file_is_closed_or_refused(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = zipped(tmp_path / "a.zip", shapefile_parts(tmp_path / "shp"))
    with open_vector(path):
        assert list(scratch.iterdir())
    assert not list(scratch.iterdir())
    refusal(path, layer="khác")
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    "address",
    [
        "/vsicurl/http://127.0.0.1:1/a.geojson",
        "/vsizip//vsicurl/http://127.0.0.1:1/a.zip",
        "https://example.com/a.geojson",
        "zip+https://example.com/a.zip",
        "s3://bucket/a.gpkg",
        "PG:host=127.0.0.1 dbname=x",
        "WFS:http://127.0.0.1:1/wfs",
        "GeoJSON:{}",
    ],
)
def test_addresses_and_virtual_paths_are_refused(address):
    assert "trên máy này" in refusal(address)


def test_files_that_point_elsewhere_are_no_map_files(tmp_path):
    vrt = '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://127.0.0.1:1/a.geojson'
    vrt += "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    for name in ("a.vrt", "a.geojson", "a.kml"):
        (tmp_path / name).write_text(vrt)
        assert "không phải là tệp bản đồ" in refusal(tmp_path / name)
    (tmp_path / "b.tab").write_text(
        '!table\n!version 300\nOpen Table "/etc/x" Hide\nCreate View b As Select *\n'
    )
    for suffix in ("dat", "map", "id"):
        (tmp_path / f"b.{suffix}").write_bytes(b"\x00")
    assert "trỏ sang tệp khác" in refusal(tmp_path / "b.tab")


@pytest.mark.parametrize(
    "content",
    [
        b"xin chao",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"<html><kmlx></html>",
        b"\xff\xfe{\x00",
        random.Random(1).randbytes(4000),
    ],
    ids=["text", "image", "pdf", "page", "utf-16", "noise"],
)
@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "zip", "kml", "fgb"])
def test_what_is_no_map_is_refused_whatever_it_is_called(tmp_path, content, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    assert "không phải là tệp bản đồ" in refusal(path)


@pytest.mark.parametrize(
    "text",
    ['{"type":"FeatureCollection","features":[{"type":"Fea', "{}", '{"a": 1}', '{"type": "Topology"}'],
)
def test_json_that_is_no_geojson_is_refused(tmp_path, text):
    (tmp_path / "a.geojson").write_text(text)
    assert "a.geojson" in refusal(tmp_path / "a.geojson")


def test_a_missing_an_empty_and_a_too_large_file_are_refused(tmp_path):
    assert "Không thấy" in refusal(tmp_path / "none.geojson")
    assert "Không thấy" in refusal(tmp_path)
    (tmp_path / "empty.geojson").write_bytes(b"")
    assert "trống" in refusal(tmp_path / "empty.geojson")
    path = write(tmp_path / "a.gpkg", "GPKG")
    assert "quá mức cho phép" in refusal(path, limit_bytes=1000)


def test_a_file_without_features_is_refused(tmp_path):
    (tmp_path / "a.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    assert "không có đối tượng nào" in refusal(tmp_path / "a.geojson")
    (tmp_path / "a.kml").write_text('<kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>')
    assert "không có đối tượng nào" in refusal(tmp_path / "a.kml")


def test_a_database_that_is_no_geopackage_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "a.gpkg") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert "bị hỏng" in refusal(tmp_path / "a.gpkg")
    whole = write(tmp_path / "b.gpkg", "GPKG").read_bytes()
    (tmp_path / "c.gpkg").write_bytes(whole[:5000])
    assert "bị hỏng" in refusal(tmp_path / "c.gpkg")


def test_half_a_shapefile_names_what_is_missing(tmp_path):
    parts = shapefile_parts(tmp_path / "shp")
    del parts["ranh.dbf"], parts["ranh.shx"]
    sentence = refusal(zipped(tmp_path / "a.zip", parts))
    assert ".shx, .dbf" in sentence and "ranh" in sentence


def test_a_ring_of_two_points_names_the_record(tmp_path):
    rings = [[[105, 9], [105.1, 9], [105.1, 9.1], [105, 9]], [[105, 9], [105.1, 9]]]
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for ring in rings
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert "thứ 2" in refusal(tmp_path / "a.geojson")


def test_a_self_crossing_polygon_is_handed_over_as_it_is(tmp_path):
    ring = [[105, 9], [105.1, 9.1], [105.1, 9], [105, 9.1], [105, 9]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "a.geojson").write_text(json.dumps(feature))
    with open_vector(tmp_path / "a.geojson") as source:
        [record] = source
    assert not record.geometry.is_valid


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    bomb = zipped(tmp_path / "a.zip", {"a.geojson": b"{" + b" " * 30_000_000})
    assert bomb.stat().st_size < 100_000
    monkeypatch.setattr(archive, "_write", lambda *_: pytest.fail("it was unpacked"))
    assert "quá lớn khi giải nén" in refusal(bomb)


def test_a_zip_larger_than_the_limit_is_refused_even_if_it_packs_badly(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAXIMUM_BYTES", 1_000_000)
    path = zipped(
        tmp_path / "a.zip",
        {"a.json": random.Random(1).randbytes(600_000), "b.json": random.Random(2).randbytes(600_000)},
    )
    assert "quá lớn khi giải nén" in refusal(path)


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.geojson": b" " * 5_000_000})
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    for place in (22, directory + 24):
        content[place : place + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(content))
    assert "a.zip" in refusal(path)


@pytest.mark.parametrize(
    "name", ["../a.geojson", "x/../../a.geojson", "/etc/a.geojson", "C:\\a.geojson", "..\\a.geojson"]
)
def test_paths_that_leave_the_folder_are_refused(tmp_path, name):
    assert "không an toàn" in refusal(zipped(tmp_path / "a.zip", {name: b"{}"}))


def test_names_that_no_disk_can_hold_are_refused(tmp_path):
    assert "không an toàn" in refusal(zipped(tmp_path / "a.zip", {"a" * 300 + ".geojson": b"{}"}))


def test_too_many_entries_are_refused(tmp_path):
    assert "1000" in refusal(zipped(tmp_path / "a.zip", {f"{k}.txt": b"" for k in range(1001)}))


def test_a_broken_or_locked_or_pointless_zip_is_refused(tmp_path):
    good = zipped(tmp_path / "a.zip", {"a.geojson": random.Random(1).randbytes(20_000)})
    (tmp_path / "cut.zip").write_bytes(good.read_bytes()[:9000])
    assert "bị hỏng" in refusal(tmp_path / "cut.zip")
    flipped = bytearray(good.read_bytes())
    flipped[10_000] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(bytes(flipped))
    assert "bị hỏng" in refusal(tmp_path / "flipped.zip")
    locked = bytearray(good.read_bytes())
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(locked))
    assert "mật khẩu" in refusal(tmp_path / "locked.zip")
    assert "không có tệp bản đồ" in refusal(zipped(tmp_path / "b.zip", {"đọc.txt": b"chao"}))


def test_a_zip_inside_a_zip_stays_packed(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as sink:
        sink.writestr("a.geojson", "{}")
    for name in ("inner.zip", "inner.geojson"):
        path = zipped(tmp_path / "a.zip", {name: inner.getvalue()})
        assert "không có tệp bản đồ" in refusal(path)


def test_a_name_twice_in_a_zip_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "a.zip", "w") as sink:
        sink.writestr("a.geojson", "{}")
        sink.writestr("a.geojson", "{}")
    assert "bị hỏng" in refusal(tmp_path / "a.zip")
