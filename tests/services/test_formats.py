"""Every output format of every layer, read back by GDAL, the standard library and the schemas of the OGC."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from lxml import etree

from data.accounts import PUBLIC, SYSTEM
from gis import srsname
from gis.geometry import promote_multi
from layers import catalogue, read
from layers.fields import FieldType
from services.formats import FORMATS, Context, Features, gml
from services.formats.shapefile import short_names
from services.formats.xmlschema import feature_type_schema
from tests.conftest import lacking
from tests.xmlschemas import schema

LAYERS = [pytest.param(layer, id=layer.id) for layer in catalogue.LAYERS]
AREAS = catalogue.layer("growing_areas")
PRODUCTS = catalogue.layer("products")
VERSIONS: tuple[gml.Version, ...] = ("3.2", "3.1", "2.1")
XSD = {"xsd": "http://www.w3.org/2001/XMLSchema"}
WFS = {
    "3.2": ("http://www.opengis.net/wfs/2.0", "http://schemas.opengis.net/wfs/2.0/wfs.xsd", "wfs:member"),
    "3.1": (
        "http://www.opengis.net/wfs",
        "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd",
        "gml:featureMember",
    ),
    "2.1": (
        "http://www.opengis.net/wfs",
        "http://schemas.opengis.net/wfs/1.0.0/WFS-basic.xsd",
        "gml:featureMember",
    ),
}
LAT_LON = srsname.of("EPSG:4326")


def whole(name: str, features: Features, **wanted: Any) -> bytes:
    return b"".join(FORMATS[name].encode(features, Context(**wanted)))


def page_of(store, layer, limit: int = 40, actor=PUBLIC) -> read.Rows:
    with store.reading() as session:
        return read.rows(session, read.Query(layer, actor, limit=limit))


def features_of(layer, page: read.Rows) -> Features:
    return Features(layer, page.fields, [page])


def made_up(layer=AREAS, shapes: list[Any] | None = None, **columns: list[Any]) -> Features:
    """Rows that no database keeps, for the values that tempt a format into trouble."""
    count = len(next(iter(columns.values())))
    fields = tuple(layer.field(name) for name in columns)
    wkb = np.empty(count, dtype=object)
    wkb[:] = [None if s is None else shapely.to_wkb(s) for s in shapes or [shapely.Point(105, 9)] * count]
    page = read.Rows(fields, np.arange(1, count + 1), wkb, list(columns.values()))
    return Features(layer, fields, [page])


def saved(tmp_path: Path, name: str, body: bytes) -> Path:
    path = tmp_path / f"out.{FORMATS[name].extension}"
    path.write_bytes(body)
    return path


def plain(value: Any) -> Any:
    """A value as GDAL gives it, in the words of the record."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is np.datetime64("NaT"):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value


def columns_by_gdal(
    path: Path, layer_name: str | None = None
) -> tuple[dict[str, list[Any]], Any, dict[str, Any]]:
    meta, _, geometry, data = pyogrio.raw.read(str(path), layer=layer_name)
    names = meta["fields"].tolist()
    return {n: [plain(v) for v in c] for n, c in zip(names, data, strict=True)}, geometry, meta


# ---- every layer in every format


@pytest.mark.parametrize("layer", LAYERS)
def test_gdal_reads_every_row_and_shape_of_every_layer(demo_store, tmp_path, layer) -> None:
    page = page_of(demo_store, layer)
    for name in ("flatgeobuf", "gpkg", "shapefile", "geojson", "gml32", "gml31", "gml2"):
        # WGS84 by its number: GDAL then turns the axes of GML by itself, which proves their order.
        target = LAT_LON if name.startswith("gml") else srsname.of(srsname.CRS84)
        path = saved(tmp_path, name, whole(name, features_of(layer, page), target=target, text_ids=False))
        if name.startswith("gml"):
            version = VERSIONS[["gml32", "gml31", "gml2"].index(name)]
            path.with_suffix(".xsd").write_bytes(feature_type_schema(layer, PUBLIC, version))
            path.with_suffix(".gfs").unlink(missing_ok=True)
        columns, geometry, _ = columns_by_gdal(path)
        assert len(geometry) == len(page) > 0
        theirs = shapely.from_wkb(geometry)
        if layer.geometry == "MULTIPOLYGON":  # A shapefile does not tell polygons from multipolygons.
            theirs = promote_multi(theirs)
        ours = shapely.normalize(shapely.from_wkb(page.wkb))
        assert shapely.equals_exact(shapely.normalize(theirs), ours, tolerance=1e-6).all(), name
        _same_values(page, columns, name)


def _same_values(page: read.Rows, columns: dict[str, list[Any]], name: str) -> None:
    shown = short_names(["id", *page.names])[1:] if name == "shapefile" else page.names
    for field, called, column in zip(page.fields, shown, page.columns, strict=True):
        if all(value is None for value in column) and called not in columns:
            continue
        if name == "geojson" and field.name == "opening_hours":
            continue  # GDAL guesses clock times from plain GeoJSON.
        if field.type in (FieldType.STRING, FieldType.INTEGER) and name != "shapefile":
            assert columns[called] == list(column), (name, field.name)
        elif field.type == FieldType.NUMBER:
            assert columns[called] == pytest.approx(list(column), nan_ok=True), (name, field.name)


@pytest.mark.parametrize("layer", LAYERS)
def test_features_are_valid_in_the_collections_of_wfs(demo_store, real_data, layer) -> None:
    page = page_of(demo_store, layer, 20)
    for version in VERSIONS:
        namespace, address, member = WFS[version]
        texts = gml.feature_texts(layer, page, version=version, target=LAT_LON, bounded_by=True)
        head = f'<wfs:FeatureCollection xmlns:wfs="{namespace}" xmlns:gml="{gml.NAMESPACES[version]}"'
        head += f' xmlns:app="{gml.NAMESPACE}"'
        if version == "3.2":
            head += ' numberMatched="20" numberReturned="20" timeStamp="2026-06-30T00:00:00Z"'
        start = "<gml:boundedBy><gml:null>unknown</gml:null></gml:boundedBy>" if version == "2.1" else ""
        body = "".join(f"<{member}>{text.decode()}</{member}>" for text in texts)
        document = etree.fromstring(f"{head}>{start}{body}</wfs:FeatureCollection>")
        own = "http://localhost/own.xsd"
        known = schema(
            real_data,
            {namespace: address, gml.NAMESPACE: own},
            {own: feature_type_schema(layer, PUBLIC, version)},
        )
        known.assertValid(document)
        ids = document.xpath("//@gml:id | //@fid", namespaces={"gml": gml.NAMESPACES[version]})
        assert len(ids) == len(set(ids)) >= len(page)
        assert f"{layer.id}.{page.ids[0]}" in ids


@pytest.mark.parametrize("layer", LAYERS)
def test_csv_has_a_line_for_every_row(demo_store, layer) -> None:
    page = page_of(demo_store, layer)
    text = whole("csv", features_of(layer, page)).decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["id"] for row in found] == [f"{layer.id}.{i}" for i in page.ids]
    place = ["longitude", "latitude"] if layer.geometry == "POINT" else ["wkt"]
    assert list(found[0]) == ["id", *page.names, *place]
    shapes = [
        shapely.Point(float(r["longitude"]), float(r["latitude"]))
        if len(place) == 2
        else shapely.from_wkt(r["wkt"])
        for r in found
    ]
    assert shapely.equals_exact(shapes, shapely.from_wkb(page.wkb), tolerance=1e-7).all()


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_writes_an_answer_without_rows(demo_store, tmp_path, name) -> None:
    query = read.Query(AREAS, box=(0.0, 0.0, 1.0, 1.0))
    body = b"".join(FORMATS[name].write(demo_store, query))
    if name in ("flatgeobuf", "gpkg", "shapefile"):
        columns, geometry, meta = columns_by_gdal(saved(tmp_path, name, body))
        assert len(geometry) == 0 and "name" in columns
        assert meta["geometry_type"] in ("MultiPolygon", "Polygon")
    elif name in ("geojson", "jsonfg"):
        assert json.loads(body)["features"] == []
    elif name == "csv":
        assert body.decode().splitlines() == [
            "id," + ",".join([f.name for f in AREAS.readable_fields(PUBLIC)] + ["wkt"])
        ]
    else:
        assert len(etree.fromstring(body)) <= 1


def test_what_the_caller_may_not_read_is_in_no_format(demo_store) -> None:
    secret = {f.name for f in AREAS.fields} - {f.name for f in AREAS.readable_fields(PUBLIC)}
    assert "owner_phone" in secret
    for found in FORMATS.values():
        body = b"".join(found.write(demo_store, read.Query(AREAS, limit=30)))
        if found.extension == "zip":
            with zipfile.ZipFile(io.BytesIO(body)) as packed:
                body = packed.read(f"{AREAS.id}.dbf")
        assert b"owner_phon" not in body, found.name
    assert b"owner_phone" in b"".join(
        FORMATS["geojson"].write(demo_store, read.Query(AREAS, SYSTEM, limit=3))
    )


def test_a_stream_tells_how_many_it_wrote_and_where_the_next_page_begins(demo_store) -> None:
    def tail(written: int, cursor: str | None) -> dict[str, Any]:
        return {"numberReturned": written, "next": cursor}

    first = json.loads(
        b"".join(FORMATS["geojson"].write(demo_store, read.Query(PRODUCTS, limit=7), Context(tail=tail)))
    )
    query = read.Query(PRODUCTS, limit=7, after=first["next"])
    second = json.loads(b"".join(FORMATS["geojson"].write(demo_store, query, Context(tail=tail))))
    ids = [f["id"] for page in (first, second) for f in page["features"]]
    assert first["numberReturned"] == second["numberReturned"] == 7 and len(set(ids)) == 14
    everything = json.loads(b"".join(FORMATS["geojson"].write(demo_store, read.Query(PRODUCTS))))
    assert [f["id"] for f in everything["features"]][:14] == ids


@pytest.mark.parametrize("name", ["geojson", "jsonfg", "csv", "gml32", "gml31", "gml2"])
def test_text_is_sent_as_it_is_read(name) -> None:
    asked = []

    def pages():
        for number in range(5):
            asked.append(number)
            yield next(iter(made_up(name=[f"vùng {number}"]).pages))

    features = replace(made_up(name=["x"]), pages=pages())
    stream = FORMATS[name].encode(features, Context())
    next(stream)
    assert len(asked) <= 1
    assert b"4" in b"".join(stream) and len(asked) == 5


def test_many_pages_of_a_file_are_all_in_it(tmp_path) -> None:
    page = next(iter(made_up(name=["ao tôm", "ruộng"], shapes=[shapely.box(105, 9, 105.1, 9.1)] * 2).pages))
    pages = [replace(page, ids=page.ids + 2 * i) for i in range(5)]
    for name in ("flatgeobuf", "gpkg", "shapefile"):
        features = Features(AREAS, page.fields, pages)
        columns, geometry, meta = columns_by_gdal(
            saved(tmp_path, name, whole(name, features, text_ids=False))
        )
        assert sorted(columns["id"]) == list(range(1, 11)), name
        assert columns["name"].count("ruộng") == 5 and len(geometry) == 10
        assert pyproj.CRS(meta["crs"]) == pyproj.CRS("EPSG:4326")


# ---- reference systems


@pytest.mark.parametrize(
    "code", ["EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648", "EPSG:3857", "EPSG:4756"]
)
def test_coordinates_stand_in_the_system_that_was_asked_for(tmp_path, code) -> None:
    """PROJ's own pipeline is asked, with the published shift EPSG:6960 wherever the datum is VN-2000."""
    target = srsname.of(code)
    features = made_up(name=["a"], layer=PRODUCTS, shapes=[shapely.Point(105.15, 9.18)])
    lat, lon = 9.18, 105.15
    if code not in ("EPSG:32648", "EPSG:3857"):
        shift = pyproj.Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::6960")
        lat, lon = shift.transform(lat, lon, direction="INVERSE")
    base = "EPSG:4756" if code not in ("EPSG:32648", "EPSG:3857") else "EPSG:4326"
    x, y = pyproj.Transformer.from_crs(base, code, always_xy=True).transform(lon, lat)
    pair = [y, x] if code == "EPSG:4756" else [x, y]
    tolerance = 2e-7 if code == "EPSG:4756" else 2e-3
    found = json.loads(whole("geojson", features, target=target))["features"][0]["geometry"]["coordinates"]
    assert found == pytest.approx(pair, abs=tolerance, rel=0)
    position = etree.fromstring(whole("gml32", features, target=target)).find(".//{*}pos").text
    assert [float(v) for v in position.split()] == pytest.approx(pair, abs=tolerance, rel=0)
    for name in ("flatgeobuf", "gpkg", "shapefile"):
        _, geometry, meta = columns_by_gdal(saved(tmp_path, name, whole(name, features, target=target)))
        point = shapely.from_wkb(geometry[0])
        assert [point.x, point.y] == pytest.approx([x, y], abs=1e-3, rel=0), name
        if name != "shapefile":
            assert pyproj.CRS(meta["crs"]).to_epsg() == int(code[5:])
    row = next(csv.DictReader(io.StringIO(whole("csv", features, target=target).decode())))
    assert [float(v) for v in list(row.values())[-2:]] == pytest.approx([x, y], abs=tolerance, rel=0)


def test_the_order_of_axes_follows_the_form_of_the_name() -> None:
    features = made_up(name=["a"], layer=PRODUCTS, shapes=[shapely.Point(105.15, 9.18)])
    for name, pair in {
        "http://www.opengis.net/def/crs/EPSG/0/4326": [9.18, 105.15],
        "urn:ogc:def:crs:EPSG::4326": [9.18, 105.15],
        "EPSG:4326": [105.15, 9.18],
        "http://www.opengis.net/gml/srs/epsg.xml#4326": [105.15, 9.18],
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84": [105.15, 9.18],
    }.items():
        target = srsname.parse(name)
        tree = etree.fromstring(whole("gml32", features, target=target))
        assert [float(v) for v in tree.find(".//{*}pos").text.split()] == pair
        assert tree.find(".//{*}Point").get("srsName") == name
        assert (
            json.loads(whole("geojson", features, target=target))["features"][0]["geometry"]["coordinates"]
            == pair
        )
    assert Context(target=LAT_LON).content_crs == "<http://www.opengis.net/def/crs/EPSG/0/4326>"


# ---- JSON-FG


def test_json_fg_in_wgs84_is_plain_geojson_with_its_type_and_time() -> None:
    days = [dt.date(2025, 1, 2), None, dt.date(2025, 1, 2), None]
    ends = [dt.date(2028, 1, 2), dt.date(2028, 1, 2), None, None]
    units = replace(catalogue.layer("communes"), geometry="POINT")
    document = json.loads(whole("jsonfg", made_up(units, valid_from=days, valid_to=ends)))
    assert "http://www.opengis.net/spec/json-fg-1/0.3/conf/core" in document["conformsTo"]
    assert document["featureType"] == "communes" and document["geometryDimension"] == 0
    assert document["coordRefSys"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert [f["time"] for f in document["features"]] == [
        {"interval": ["2025-01-02", "2028-01-02"]},
        {"interval": ["..", "2028-01-02"]},
        {"interval": ["2025-01-02", ".."]},
        None,
    ]
    for feature in document["features"]:
        assert feature["place"] is None and feature["geometry"]["type"] == "Point"
    certified = json.loads(whole("jsonfg", made_up(PRODUCTS, certified_on=days)))
    assert certified["features"][0]["time"] == {"date": "2025-01-02"}


def test_json_fg_in_another_system_keeps_its_shape_in_place(tmp_path) -> None:
    moment = dt.datetime(2026, 6, 30, 8, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))
    producers = catalogue.layer("producers")
    features = made_up(producers, updated_at=[moment], shapes=[shapely.Point(105.15, 9.18)])
    # The short form of the name would mean lon/lat elsewhere; `coordRefSys` is a URI and means lat/lon.
    document = json.loads(whole("jsonfg", features, target=srsname.parse("EPSG:4326")))
    feature = document["features"][0]
    assert document["coordRefSys"] == "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert feature["geometry"] is None and feature["place"]["coordinates"] == [9.18, 105.15]
    assert feature["time"] == {"timestamp": "2026-06-30T01:00:00Z"}
    both = json.loads(whole("jsonfg", features, target=srsname.of("EPSG:9207"), fallback=True))["features"][0]
    assert both["geometry"]["coordinates"] == [105.15, 9.18] and both["place"]["coordinates"][0] > 500_000
    path = saved(tmp_path, "jsonfg", whole("jsonfg", features, target=srsname.of("EPSG:9207")))
    _, geometry, meta = columns_by_gdal(Path(f"JSONFG:{path}"))
    assert pyproj.CRS(meta["crs"]).to_epsg() == 9207
    assert shapely.from_wkb(geometry[0]).x > 500_000


# ---- GML


def test_a_feature_has_its_fields_in_order_and_its_geometry_last_and_no_missing_values() -> None:
    features = made_up(
        name=["A & B < C > D \x07\x00 “ơ”", None],
        declared_area_ha=[1.5, float("nan")],
        households=[3, None],
        updated_at=[dt.datetime(2026, 6, 30, 1, 2, 3, tzinfo=dt.UTC), None],
        shapes=[shapely.from_wkt("MULTIPOLYGON (((105 9, 106 9, 106 10, 105 9)))"), None],
    )
    (page,) = features.pages
    first, second = gml.feature_texts(AREAS, page, target=LAT_LON)
    assert first.decode() == (
        '<app:growing_areas gml:id="growing_areas.1"><app:name>A &amp; B &lt; C &gt; D  “ơ”</app:name>'
        "<app:declared_area_ha>1.5</app:declared_area_ha><app:households>3</app:households>"
        "<app:updated_at>2026-06-30T01:02:03Z</app:updated_at>"
        '<app:geom><gml:MultiSurface gml:id="growing_areas.1.geom" srsName="urn:ogc:def:crs:EPSG::4326">'
        '<gml:surfaceMember><gml:Polygon gml:id="growing_areas.1.geom.1"><gml:exterior><gml:LinearRing>'
        "<gml:posList>9.0 105.0 9.0 106.0 10.0 106.0 9.0 105.0</gml:posList></gml:LinearRing></gml:exterior>"
        "</gml:Polygon></gml:surfaceMember></gml:MultiSurface></app:geom></app:growing_areas>"
    )
    assert second == b'<app:growing_areas gml:id="growing_areas.2"></app:growing_areas>'
    assert gml.feature_texts(AREAS, page, version="2.1", target=LAT_LON)[1].startswith(
        b'<app:growing_areas fid="'
    )


def test_booleans_dates_and_small_numbers_are_those_of_xml_schema() -> None:
    points = catalogue.layer("craft_village_points")
    features = made_up(points, hands_on=[True, False, None], checked_on=[dt.date(2026, 1, 2), None, None])
    (page,) = features.pages
    texts = gml.feature_texts(points, page, target=LAT_LON, geometry=False)
    assert b"<app:hands_on>true</app:hands_on><app:checked_on>2026-01-02</app:checked_on>" in texts[0]
    assert b"<app:hands_on>false</app:hands_on>" in texts[1] and b"hands_on" not in texts[2]
    (tiny,) = gml.feature_texts(
        AREAS, next(iter(made_up(area_ha=[1e-9]).pages)), target=LAT_LON, geometry=False
    )
    assert float(etree.fromstring(tiny.replace(b"app:", b"").replace(b"gml:", b""))[0].text) == 1e-9


def test_titles_and_references_in_place_of_codes_are_text_in_every_format(tmp_path) -> None:
    references = [{"href": "http://localhost/ogc/collections/producers/items/producers.7", "title": "7"}]
    features = made_up(PRODUCTS, product_set=["Gạo, nếp & <khác>"], price_vnd=references)
    (page,) = features.pages
    (text,) = gml.feature_texts(PRODUCTS, page, target=LAT_LON, geometry=False)
    assert "<app:product_set>Gạo, nếp &amp; &lt;khác&gt;</app:product_set>" in text.decode()
    assert f"<app:price_vnd>{references[0]['href']}</app:price_vnd>" in text.decode()
    row = next(csv.DictReader(io.StringIO(whole("csv", features).decode())))
    assert (row["product_set"], row["price_vnd"]) == ("Gạo, nếp & <khác>", references[0]["href"])
    for name in ("flatgeobuf", "gpkg", "shapefile"):
        columns, _, _ = columns_by_gdal(saved(tmp_path, name, whole(name, features)))
        assert "Gạo, nếp & <khác>" in columns.get("product_set", columns.get("product_se", [])), name


def test_a_single_polygon_is_written_as_the_multi_kind_that_the_schema_promises() -> None:
    (page,) = made_up(name=["a", "b"], shapes=[shapely.box(105, 9, 106, 10), None]).pages
    text, empty = gml.feature_texts(AREAS, page, target=LAT_LON)
    assert b"<gml:MultiSurface" in text and b"geom" not in empty


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_is_plain_enough_for_old_readers(version) -> None:
    """services-contract §1: prefixes `gml:` and `xsd:`, element and `<Name>Type`, no nillable, no inline types."""
    text = feature_type_schema(catalogue.LAYERS, PUBLIC, version)
    tree = etree.fromstring(text)
    assert b"nillable" not in text and b"simpleType" not in text
    for layer in catalogue.LAYERS:
        (element,) = tree.findall(f"xsd:element[@name='{layer.id}']", XSD)
        assert element.get("type") == f"app:{layer.id}Type"
        (kind,) = tree.findall(f"xsd:complexType[@name='{layer.id}Type']", XSD)
        parts = kind.findall(".//xsd:element", XSD)
        assert [p.get("name") for p in parts] == [*(f.name for f in layer.readable_fields(PUBLIC)), "geom"]
        assert all(p.get("minOccurs") == "0" and p.get("type") for p in parts)
        multi = "MultiSurface" if version == "3.2" else "MultiPolygon"
        wanted = "Point" if layer.geometry == "POINT" else multi
        assert parts[-1].get("type") == f"gml:{wanted}PropertyType"
        assert {p.get("type").partition(":")[0] for p in parts[:-1]} == {"xsd"}


def test_gdal_takes_the_types_from_the_schema(demo_store, tmp_path) -> None:
    """An .xsd beside the file is what GDAL trusts instead of guessing."""
    page = page_of(demo_store, PRODUCTS)
    path = tmp_path / "products.gml"
    path.write_bytes(whole("gml32", features_of(PRODUCTS, page), target=LAT_LON))
    path.with_suffix(".xsd").write_bytes(feature_type_schema(PRODUCTS, PUBLIC, "3.2"))
    meta = pyogrio.read_info(path, layer="products")
    types = dict(zip(meta["fields"].tolist(), meta["ogr_types"], strict=True))
    assert types["price_vnd"] == "OFTInteger64" and types["certified_on"] == "OFTDate"
    assert types["updated_at"] == "OFTDateTime" and types["name"] == "OFTString"
    assert meta["geometry_type"] == "Point"


# ---- CSV


def test_spreadsheets_take_no_cell_for_a_formula() -> None:
    texts = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "a=1",
        "-5",
        "+84 900 000 123",
        'câu "dẫn", phẩy\nxuống dòng',
    ]
    features = made_up(name=texts, declared_area_ha=[-1.5] * len(texts))
    body = whole("csv", features, marked=True)
    assert body.startswith(b"\xef\xbb\xbfid,name,declared_area_ha,wkt\r\n")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))[1:]
    assert [r[1] for r in rows] == [
        "'=1+1",
        "'+cmd|' /C calc'!A0",
        "'-2+3",
        "'@SUM(A1)",
        "'\t=1",
        "a=1",
        "-5",
        "+84 900 000 123",
        'câu "dẫn", phẩy\nxuống dòng',
    ]
    assert {r[2] for r in rows} == {"-1.5"}


def test_the_place_of_a_shape_in_two_columns_lies_inside_it() -> None:
    crescent = shapely.Point(105, 9).buffer(0.2).difference(shapely.Point(105.1, 9).buffer(0.2))
    row = next(
        csv.DictReader(
            io.StringIO(whole("csv", made_up(name=["a"], shapes=[crescent]), lonlat=True).decode())
        )
    )
    assert crescent.contains(shapely.Point(float(row["longitude"]), float(row["latitude"])))


# ---- shapefile


def test_a_shapefile_keeps_short_different_names_and_whole_letters(tmp_path) -> None:
    long = "ữ" * 300
    body = whole(
        "shapefile",
        made_up(
            PRODUCTS,
            name=[long, "a" * 253 + "ữ"],
            craft_village_name=["🦀" * 80, "y"],
            certificate_number=["1", None],
            certified_on=[dt.date(2026, 1, 2), None],
            certified_by=["z", None],
            updated_at=[dt.datetime(2026, 6, 30, tzinfo=dt.UTC), None],
            price_vnd=[12_000_000_000, None],
        ),
        text_ids=False,
    )
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert {n.rpartition(".")[2] for n in packed.namelist()} >= {"shp", "shx", "dbf", "prj", "cpg"}
        assert packed.read("products.cpg") == b"UTF-8"
        table = packed.read("products.dbf")
    assert "🦀".encode() * 63 in table and "🦀".encode() * 64 not in table
    assert "ữ".encode() * 84 in table and "ữ".encode() * 85 not in table
    columns, _, meta = columns_by_gdal(saved(tmp_path, "shapefile", body))
    assert columns["name"] == ["ữ" * 84, "a" * 253]
    assert columns["price_vnd"] == [12_000_000_000, None]
    names = meta["fields"].tolist()
    assert len({n.lower() for n in names}) == len(names) and all(len(n) <= 10 for n in names)
    assert columns["updated_at"][0].startswith("2026-06-30T00:00:00")


@pytest.mark.parametrize("layer", LAYERS)
def test_short_names_of_every_layer_are_different(layer) -> None:
    names = short_names(["id", *(f.name for f in layer.fields)])
    assert len({n.lower() for n in names}) == len(names)
    assert all(1 <= len(n) <= 10 for n in names)


# ---- an older GDAL outside this process


@pytest.mark.parametrize("name", ["flatgeobuf", "gpkg", "shapefile", "gml32", "geojson"])
def test_the_gdal_of_the_system_reads_the_files(demo_store, tmp_path, name) -> None:
    if which("ogrinfo") is None:
        lacking("ogrinfo (Debian: gdal-bin)")
    page = page_of(demo_store, AREAS)
    path = saved(
        tmp_path,
        name,
        whole(name, features_of(AREAS, page), target=LAT_LON.always_xy() if name == "geojson" else LAT_LON),
    )
    place = f"/vsizip/{path}" if name == "shapefile" else str(path)
    done = subprocess.run(["ogrinfo", "-ro", "-al", "-so", place], capture_output=True, text=True, check=True)
    assert f"Feature Count: {len(page)}" in done.stdout, done.stdout + done.stderr
    assert "ERROR" not in done.stderr and "Warning" not in done.stderr


# ---- GeoPackage


def test_a_geopackage_tells_the_titles_of_its_fields_and_codes(demo_store, tmp_path) -> None:
    if which("ogrinfo") is None:
        lacking("ogrinfo (Debian: gdal-bin)")
    page = page_of(demo_store, AREAS)
    path = saved(tmp_path, "gpkg", whole("gpkg", features_of(AREAS, page)))
    # What GDAL takes for the alternative name of a field, it writes into the head of a FlatGeobuf.
    copied = tmp_path / "copied.fgb"
    with pyogrio.raw.open_arrow(path) as (meta, reader):
        pyogrio.raw.write_arrow(
            reader,
            copied,
            driver="FlatGeobuf",
            geometry_name=meta["geometry_name"],
            geometry_type="MultiPolygon",
            crs="EPSG:4326",
        )
    head = copied.read_bytes()
    assert all(field.title.vi.encode() in head for field in page.fields)
    domain = subprocess.run(
        ["ogrinfo", "-ro", "-fielddomain", "crop", str(path)], capture_output=True, text=True, check=True
    )
    code_list = AREAS.field("crop").code_list or {}
    assert all(f"{value}: {code.vi}" in domain.stdout for value, code in code_list.items())
    assert not domain.stderr
