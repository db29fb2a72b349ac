"""Every layer through every format of the data desk and back, read by other programs; what may be asked of it."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import mapbox_vector_tile
import numpy as np
import openpyxl
import pyogrio
import pyproj
import pytest
import shapely
from lxml import etree
from pmtiles.reader import MmapSource, Reader, all_tiles

from data.accounts import PUBLIC, SYSTEM
from data.store import Store
from gis import kml as kml_reader
from gis.errors import Refusal
from layers import catalogue, read
from layers.edit import editing
from layers.fields import FieldType, Layer
from services import exports
from services.exports.wish import parse
from services.formats import Context, Features, eudr, shapefile
from services.formats.xlsx import titles
from tests.conftest import ROOT

LAYERS = [pytest.param(layer, id=layer.id) for layer in catalogue.LAYERS]
AREAS = catalogue.layer("growing_areas")
PRODUCTS = catalogue.layer("products")
POINTS = catalogue.layer("sale_points")
DEGREES_OF_1_CM = 9e-8
Read = dict[int, tuple[dict[str, Any], Any]]


@pytest.fixture(scope="module")
def embedded(demo_gpkg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("exports") / "province.gpkg"
    shutil.copy(demo_gpkg, path)
    store = Store(f"gpkg:///{path}")
    yield store
    store.dispose()


def rows_of(store: Store, layer: Layer, **asked: str) -> read.Rows:
    with store.reading() as session:
        return read.rows(session, parse(layer, "csv", asked, SYSTEM).query(SYSTEM))


def exported(store: Store, layer: Layer, form: str, folder: Path, actor: Any = SYSTEM, **asked: str) -> Path:
    wish = parse(layer, form, asked, actor)
    path = folder / wish.file_name()
    exports.export_wish(store, wish, path, actor)
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []
    return path


# ---- what other programs find in the files


def plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value != value or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    return value


def with_gdal(path: Path, **options: Any) -> Read:
    meta, _, bodies, data = pyogrio.raw.read(str(path), datetime_as_string=True, **options)
    names = meta["fields"].tolist()
    shapes = shapely.from_wkb(bodies)
    found: Read = {}
    for number, shape in enumerate(shapes):
        values = {n: plain(c[number]) for n, c in zip(names, data, strict=True)}
        found[int(values.pop("id"))] = (values, shape)
    assert len(found) == len(shapes)
    return found


def shapefile_read(path: Path) -> Read:
    with zipfile.ZipFile(path) as packed:
        text = packed.read(f"{shapefile.DICTIONARY}.csv").decode("utf-8-sig")
    full = {row["Tên trong tệp"]: row["Tên đầy đủ"] for row in csv.DictReader(io.StringIO(text))}
    return {i: ({full[n]: v for n, v in values.items()}, g) for i, (values, g) in with_gdal(path).items()}


def csv_read(path: Path) -> Read:
    found: Read = {}
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")):
        if "wkt" in row:
            shape = shapely.from_wkt(row.pop("wkt") or None)
        else:
            x, y = (row.pop("longitude"), row.pop("latitude"))
            shape = shapely.Point(float(x), float(y)) if x else None
        found[int(row.pop("id"))] = ({n: v or None for n, v in row.items()}, shape)
    return found


def xlsx_read(path: Path) -> Read:
    book = openpyxl.load_workbook(path, read_only=True)
    main, *others = book.worksheets
    head, *rows = main.iter_rows(values_only=True)
    by_title = {sheet.title: sheet for sheet in others}
    described = {row[0]: row[1] for row in by_title["Từ điển"].iter_rows(min_row=2, values_only=True)}
    pieces: dict[int, str] = {}
    if "Hình dạng" in by_title:
        for row_id, number, text in by_title["Hình dạng"].iter_rows(min_row=2, values_only=True):
            assert len(text) <= 32_767 and (number > 1) == (row_id in pieces)
            pieces[row_id] = pieces.get(row_id, "") + text
    found: Read = {}
    for row in rows:
        values = dict(zip((described.get(title, title) for title in head), row, strict=True))
        x, y, row_id = values.pop("Kinh độ"), values.pop("Vĩ độ"), values.pop("id")
        point = None if x is None else shapely.Point(x, y)
        found[row_id] = (values, shapely.from_wkt(pieces[row_id]) if row_id in pieces else point)
    return found


def parquet_read(path: Path) -> Read:
    frame = geopandas.read_parquet(path)
    assert frame.crs.to_epsg() in (None, 4326)
    return {
        int(row.pop("id")): ({n: plain(v) for n, v in row.items()}, row.pop("geometry"))
        for row in frame.to_dict("records")
    }


def kml_read(path: Path) -> Read:
    found: Read = {}
    for mark in kml_reader.read_placemarks(path):
        values = dict(mark.properties)
        found[int(values.pop("id") or 0)] = (values, mark.geometry)
    return found


def geojson_read(path: Path) -> Read:
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        int(str(f["id"]).rpartition(".")[2]): (
            f["properties"],
            None if f["geometry"] is None else shapely.geometry.shape(f["geometry"]),
        )
        for f in document["features"]
    }


READERS: dict[str, Callable[[Path], Read]] = {
    "gpkg": lambda path: with_gdal(path, layer=path.stem),
    "flatgeobuf": with_gdal,
    "geojson": geojson_read,
    "jsonfg": geojson_read,
    "shp": shapefile_read,
    "csv": csv_read,
    "xlsx": xlsx_read,
    "parquet": parquet_read,
    "kml": kml_read,
}
EXACT = {"gpkg", "flatgeobuf", "parquet"}


def same_value(kind: FieldType, ours: Any, theirs: Any) -> bool:
    """Whether a format gave back what the record holds, in whatever words it has for it."""
    if ours in (None, "") or theirs is None:
        return ours in (None, "") and theirs in (None, "")
    match kind:
        case FieldType.INTEGER:
            return int(theirs) == ours
        case FieldType.NUMBER:
            return bool(abs(float(theirs) - float(ours)) <= 1e-9 * max(1.0, abs(float(ours))))
        case FieldType.BOOLEAN:
            return str(theirs).lower() in (("true", "1") if ours else ("false", "0"))
        case FieldType.DATE:
            return str(theirs)[:10] == ours.isoformat()
        case FieldType.DATETIME:
            return abs((_moment(theirs) - ours).total_seconds()) < 0.0011
    return str(theirs) == ours


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    return value


@pytest.mark.parametrize("form", list(READERS))
@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_comes_back_from_every_format(
    embedded: Store, tmp_path: Path, layer: Layer, form: str
) -> None:
    _comes_back(embedded, tmp_path, layer, form)


@pytest.mark.parametrize("form", ["gpkg", "shp", "xlsx", "parquet"])
def test_growing_areas_come_back_from_either_database(record: Store, tmp_path: Path, form: str) -> None:
    _comes_back(record, tmp_path, AREAS, form)


def _comes_back(store: Store, folder: Path, layer: Layer, form: str) -> None:
    ours = rows_of(store, layer)
    wish = parse(layer, form, {}, SYSTEM)
    path = folder / wish.file_name()
    told = exports.export_wish(store, wish, path, SYSTEM)
    found = READERS[form](path)
    assert told.rows == len(found) == len(ours) > 0
    shapes = shapely.normalize(shapely.from_wkb(ours.wkb))
    theirs = shapely.normalize(_as_declared([found[i][1] for i in ours.ids.tolist()], layer))
    tolerance = 0 if form in EXACT else DEGREES_OF_1_CM
    assert shapely.equals_exact(theirs, shapes, tolerance=tolerance).all()
    for field, column in zip(ours.fields, ours.columns, strict=True):
        for row_id, value in zip(ours.ids.tolist(), column, strict=True):
            given = found[row_id][0].get(field.name)
            if form == "xlsx" and field.type == FieldType.DATETIME and given is not None:
                given = given.replace(tzinfo=dt.timezone(dt.timedelta(hours=7)))
                value = value.replace(microsecond=0)
                given = given.replace(microsecond=0)
            if field.name in told.cut and value:
                assert form == "shp" and len(given.encode()) <= 254 and value.startswith(given)
            else:
                text = value.replace("\r\n", "\n") if isinstance(value, str) else value
                assert same_value(field.type, text, given), (field.name, row_id, value, given)


def _as_declared(shapes: list[Any], layer: Layer) -> Any:
    array = np.array(shapes, dtype=object)
    if layer.geometry != "MULTIPOLYGON":
        return array
    single = shapely.get_type_id(array) == 3
    array[single] = [shapely.MultiPolygon([shape]) for shape in array[single]]
    return array


# ---- formats that keep less


@pytest.mark.parametrize("layer", LAYERS)
def test_a_drawing_has_every_ring_in_metres_of_vn2000(embedded: Store, tmp_path: Path, layer: Layer) -> None:
    ours = rows_of(embedded, layer)
    path = exported(embedded, layer, "dxf", tmp_path)
    assert path.read_bytes().isascii()
    meta, _, bodies, data = pyogrio.raw.read(str(path))
    texts = np.array([isinstance(t, str) for t in data[meta["fields"].tolist().index("Text")]])
    lines = shapely.from_wkb(bodies)[~texts]
    mover = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv " + _tm3() + " +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 +step "
        "+proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 +rx=-0.00928836 +ry=0.01975479 "
        "+rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame +step +inv +proj=cart +ellps=WGS84 +step "
        "+proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    shapes = shapely.from_wkb(ours.wkb)
    expected = shapely.get_coordinates(shapes)
    points = shapely.get_coordinates(lines)
    lon, lat = mover.transform(points[:, 0], points[:, 1])
    tree = shapely.STRtree(shapely.points(expected))
    _, distance = tree.query_nearest(shapely.points(lon, lat), return_distance=True, all_matches=False)
    assert distance.max() < DEGREES_OF_1_CM * 1.5
    rings = int(shapely.get_num_interior_rings(shapely.get_parts(shapes)).sum())
    assert len(lines) == len(shapely.get_parts(shapes)) + rings
    text = path.read_text(encoding="ascii")
    assert {f"id={row_id}" for row_id in ours.ids.tolist()} <= set(text.splitlines())


def _tm3() -> str:
    return "+proj=tmerc +lat_0=0 +lon_0=104.5 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"


@pytest.mark.parametrize("layer", LAYERS)
def test_gml_and_kml_are_read_by_gdal(embedded: Store, tmp_path: Path, layer: Layer) -> None:
    count = len(rows_of(embedded, layer))
    for form in ("gml", "kml"):
        path = exported(embedded, layer, form, tmp_path)
        found = sum(
            pyogrio.read_info(path, layer=name, force_feature_count=True)["features"]
            for name, _ in pyogrio.list_layers(path)
        )
        assert found == count, form


@pytest.mark.parametrize("layer", LAYERS)
def test_tile_archives_hold_every_row_on_their_deepest_level(
    embedded: Store, tmp_path: Path, layer: Layer
) -> None:
    ours = rows_of(embedded, layer)
    archive = exported(embedded, layer, "pmtiles", tmp_path)
    with archive.open("rb") as file:
        source = MmapSource(file)
        reader = Reader(source)
        header, metadata = reader.header(), reader.metadata()
        tiles = {zxy: gzip.decompress(body) for zxy, body in all_tiles(source)}
    deepest = header["max_zoom"]
    ids: set[int] = set()
    for (z, _, _), body in tiles.items():
        if z == deepest:
            ids |= {f["id"] for f in mapbox_vector_tile.decode(body)[layer.id]["features"]}
    assert ids == set(ours.ids.tolist())
    described = metadata["vector_layers"][0]
    assert described["id"] == layer.id and described["maxzoom"] == deepest
    assert set(described["fields"]) == {f.name for f in ours.fields if f.in_tiles}
    west, _, _, north = shapely.total_bounds(shapely.from_wkb(ours.wkb)).tolist()
    assert header["min_lon_e7"] / 1e7 == pytest.approx(west, abs=1e-6)
    assert header["max_lat_e7"] / 1e7 == pytest.approx(north, abs=1e-6)
    twin = exported(embedded, layer, "mbtiles", tmp_path)
    with closing(sqlite3.connect(twin)) as connection:
        told = dict(connection.execute("SELECT name, value FROM metadata"))
        theirs = {
            (z, x, (1 << z) - 1 - y): gzip.decompress(body)
            for z, x, y, body in connection.execute("SELECT * FROM tiles")
        }
    assert theirs == tiles
    assert json.loads(told["json"])["vector_layers"] == metadata["vector_layers"] and told["format"] == "pbf"
    assert int(told["maxzoom"]) == deepest
    assert layer.id in {name for name, _ in pyogrio.list_layers(twin)}


def test_plots_for_the_deforestation_regulation_are_as_it_wants_them(embedded: Store, tmp_path: Path) -> None:
    ours = rows_of(embedded, AREAS)
    text = exported(embedded, AREAS, "eudr", tmp_path).read_text(encoding="utf-8")
    features = json.loads(text, parse_float=str)["features"]
    total = 0.0
    for feature in features:
        properties, geometry = feature["properties"], feature["geometry"]
        assert set(properties) == {"ProducerName", "ProducerCountry", "ProductionPlace", "Area"}
        assert properties["ProducerCountry"] == "VN" and properties["ProducerName"]
        assert geometry["type"] == "Polygon" and len(geometry["coordinates"]) == 1
        ring = geometry["coordinates"][0]
        assert ring[0] == ring[-1] and all(len(n.partition(".")[2]) >= 6 for xy in ring for n in xy)
        total += float(properties["Area"])
    geod = pyproj.Geod(ellps="WGS84")
    measured = sum(abs(geod.geometry_area_perimeter(s)[0]) for s in shapely.from_wkb(ours.wkb)) / 10_000
    assert total == pytest.approx(measured, rel=1e-3)


def test_a_plot_with_a_hole_becomes_pieces_without_and_a_small_point_stays_a_point() -> None:
    ring = shapely.box(105, 9, 105.02, 9.02).difference(shapely.box(105.005, 9.005, 105.01, 9.01))
    pieces = eudr.without_holes(ring)
    assert len(pieces) > 1 and not any(p.interiors for p in pieces)
    assert shapely.union_all(pieces).symmetric_difference(ring).area < 1e-12
    shapes = [ring, shapely.Point(105, 9), shapely.Point(105, 9)]
    document = json.loads(
        b"".join(eudr.write(made_up(shapes, area_ha=[400.0, 3.5, 4.5], name=["a", "b", "c"]), Context()))
    )
    kinds = [f["geometry"]["type"] for f in document["features"]]
    assert kinds == ["Polygon"] * len(pieces) + ["Point"]
    assert document["features"][-1]["properties"]["Area"] == 3.5


# ---- shapefile


def made_up(shapes: list[Any], layer: Layer = AREAS, **columns: list[Any]) -> Features:
    wkb = np.empty(len(shapes), dtype=object)
    wkb[:] = [None if s is None else shapely.to_wkb(s) for s in shapes]
    fields = tuple(layer.field(name) for name in columns)
    page = read.Rows(fields, np.arange(1, len(shapes) + 1), wkb, list(columns.values()))
    return Features(layer, fields, [page])


def unpacked(features: Features, folder: Path, **wanted: Any) -> Path:
    context = Context(text_ids=False, companions=True, **wanted)
    path = folder / "x.zip"
    path.write_bytes(b"".join(shapefile.write(features, context)))
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder / "out")
    return folder / "out"


def test_kinds_of_shapes_are_split_into_files_and_collections_are_taken_apart(tmp_path: Path) -> None:
    square, point = shapely.box(105, 9, 105.1, 9.1), shapely.Point(105, 9)
    line = shapely.LineString([(105, 9), (105.1, 9.1)])
    shapes = [square, point, line, None, shapely.GeometryCollection([square, line])]
    folder = unpacked(made_up(shapes, name=list("abcde")), tmp_path)
    kinds = {"": "Polygon", "_point": "Point", "_line": "LineString"}
    names = {"": ["a", "d", "e"], "_point": ["b"], "_line": ["c", "e"]}
    for suffix, kind in kinds.items():
        path = folder / f"growing_areas{suffix}.shp"
        meta, _, bodies, data = pyogrio.raw.read(path)
        assert meta["geometry_type"] == kind and pyproj.CRS(meta["crs"]).to_epsg() == 4326
        assert sorted(data[meta["fields"].tolist().index("name")].tolist()) == names[suffix]
        assert len(bodies) == len(names[suffix])
    told = (folder / f"{shapefile.DICTIONARY}.txt").read_text(encoding="utf-8-sig")
    assert "growing_areas_line.shp" in told and "growing_areas_point.shp" in told


def test_tcvn3_is_written_in_its_own_bytes_and_said_so(tmp_path: Path) -> None:
    text = "Vùng nuôi tôm – ấp Đất Mũi"
    shapes = [shapely.Point(105, 9)] * 2
    folder = unpacked(
        made_up(shapes, PRODUCTS, name=[text, "ữ" * 300], story=["漢", None]), tmp_path, encoding="TCVN3"
    )
    table = (folder / "products.dbf").read_bytes()
    # The bytes of the TCVN3 chart: ù EF, «ô» AB and so on; the dash and capitals with tones have none.
    assert b"V\xefng nu\xabi t\xabm - \xcap \xa7\xcat M\xf2i" in table
    assert b"\xf7" * 254 in table and b"\xf7" * 255 not in table
    assert table[29] == 0 and (folder / "products.cpg").read_text() == "TCVN3"
    described = (folder / f"{shapefile.DICTIONARY}.csv").read_text(encoding="utf-8-sig")
    notes = {row["Tên đầy đủ"]: row["Ghi chú"] for row in csv.DictReader(io.StringIO(described))}
    assert notes["name"] and notes["story"] and not notes["id"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * 254, "a" * 254),
        ("a" * 253 + "ữ", "a" * 253),
        ("a" * 251 + "ữữ", "a" * 251 + "ữ"),
        ("a" * 253 + "e\u0302\u0301", "a" * 253),
        ("x" * 250 + "🦀" + "y", "x" * 250 + "🦀"),
    ],
)
def test_a_cut_never_parts_a_letter(text: str, kept: str) -> None:
    assert shapefile.cut_text(text) == kept


@pytest.mark.parametrize("code", ["EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648"])
def test_projected_shapefiles_come_back_within_a_centimetre(
    embedded: Store, tmp_path: Path, code: str
) -> None:
    from gis import crs

    ours = rows_of(embedded, AREAS)
    path = exported(embedded, AREAS, "shp", tmp_path, crs=code)
    meta, _, bodies, data = pyogrio.raw.read(str(path))
    assert pyproj.CRS(meta["crs"]).is_exact_same(pyproj.CRS(meta["crs"]))
    back = crs.transform(shapely.from_wkb(bodies), meta["crs"], "OGC:CRS84")
    order = np.argsort(data[meta["fields"].tolist().index("id")])
    distance = shapely.hausdorff_distance(back[order], shapely.from_wkb(ours.wkb))
    assert distance.max() < DEGREES_OF_1_CM


# ---- GeoPackage


def test_a_geopackage_brings_its_style_and_its_code_lists(embedded: Store, tmp_path: Path) -> None:
    path = exported(embedded, AREAS, "gpkg", tmp_path)
    layers = dict(pyogrio.list_layers(path))
    assert {"growing_areas", "layer_styles", "codes_crop", "codes_farming_system"} <= set(layers)
    with closing(sqlite3.connect(path)) as connection:
        qml, sld, default = connection.execute(
            "SELECT styleQML, styleSLD, useAsDefault FROM layer_styles WHERE f_table_name = 'growing_areas'"
        ).fetchone()
        names = dict(connection.execute("SELECT code, vi FROM codes_crop"))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert etree.fromstring(qml.encode()).tag == "qgis" and default == 1
    assert etree.fromstring(sld.encode()).tag.endswith("StyledLayerDescriptor")
    assert names["rice"] == "lúa"
    narrow = exported(embedded, AREAS, "gpkg", tmp_path, fields="name,households")
    assert "codes_crop" not in dict(pyogrio.list_layers(narrow))


# ---- spreadsheets


def test_workbooks_start_no_formula_and_keep_types(tmp_path: Path) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-5", "a\x00b", "ữ" * 40_000]
    features = made_up(
        [shapely.Point(105, 9)] * len(texts),
        PRODUCTS,
        name=texts,
        price_vnd=[-1] * len(texts),
        certified_on=[dt.date(2026, 6, 30)] * len(texts),
        updated_at=[dt.datetime(2026, 6, 30, 18, 0, tzinfo=dt.UTC)] * len(texts),
    )
    from services.formats import xlsx

    path = tmp_path / "x.xlsx"
    context = Context(text_ids=False)
    path.write_bytes(b"".join(xlsx.write(features, context)))
    sheet = openpyxl.load_workbook(path).worksheets[0]
    head = [cell.value for cell in sheet[1]]
    assert head[1:5] == titles(features.fields, "vi") and sheet.freeze_panes == "B2"
    cells = [row[1] for row in sheet.iter_rows(min_row=2)]
    assert all(cell.data_type == "s" for cell in cells)
    shown = [cell.value for cell in cells]
    assert [s[0] for s in shown[:6]] == ["'"] * 6 and shown[6:8] == ["-5", "ab"]
    assert len(shown[8]) == 32_767 and context.cut == {"name"}
    assert sheet["C2"].value == -1 and sheet["C2"].number_format == "0"
    assert sheet["D2"].value == dt.datetime(2026, 6, 30) and sheet["D2"].number_format == "dd/mm/yyyy"
    assert sheet["E2"].value == dt.datetime(2026, 7, 1, 1, 0)


# ---- what may be asked


def test_rows_are_chosen_by_place_value_filter_box_and_number(embedded: Store) -> None:
    everything = rows_of(embedded, PRODUCTS)
    columns = everything.by_name()
    commune, district = columns["commune_code"][0], columns["district_code"][0]
    assert set(rows_of(embedded, PRODUCTS, commune=commune).by_name()["commune_code"]) == {commune}
    assert set(rows_of(embedded, PRODUCTS, district=district).by_name()["district_code"]) == {district}
    assert set(rows_of(embedded, PRODUCTS, stars="4,5").by_name()["stars"]) == {4, 5}
    assert min(rows_of(embedded, PRODUCTS, filter="stars >= 4").by_name()["stars"]) == 4
    chosen = everything.ids[:3].tolist()
    assert rows_of(embedded, PRODUCTS, ids=",".join(map(str, chosen))).ids.tolist() == chosen
    first = shapely.from_wkb(everything.wkb[0])
    box = ",".join(str(v) for v in (first.x - 1e-9, first.y - 1e-9, first.x + 1e-9, first.y + 1e-9))
    assert everything.ids[0] in rows_of(embedded, PRODUCTS, bbox=box).ids
    assert rows_of(embedded, PRODUCTS, fields="name,stars").names == ["name", "stars"]
    communes = catalogue.layer("communes")
    assert len(rows_of(embedded, communes, commune=commune)) == 1
    assert len(rows_of(embedded, communes, district=district)) > 1


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("dwg", {}),
        ("eudr", {}),
        ("kml", {"crs": "EPSG:9207"}),
        ("pmtiles", {"crs": "EPSG:5897"}),
        ("csv", {"crs": "EPSG:999999"}),
        ("csv", {"encoding": "TCVN3"}),
        ("shp", {"encoding": "latin1"}),
        ("csv", {"bbox": "1,2,3"}),
        ("csv", {"bbox": "105,9,104,10"}),
        ("csv", {"ids": "1;DROP"}),
        ("csv", {"fields": "name,nothing"}),
        ("csv", {"nothing": "1"}),
        ("csv", {"filter": "stars >>"}),
        ("csv", {"asof": "hôm qua"}),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_sentence(form: str, asked: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        parse(PRODUCTS, form, asked, PUBLIC)
    assert "\n" not in str(refused.value)


def test_a_layer_leaves_as_it_was_on_a_date(demo_store: Store, tmp_path: Path) -> None:
    before = {i: v["name"] for i, (v, _) in csv_read(exported(demo_store, POINTS, "csv", tmp_path)).items()}
    moment = dt.datetime.now(dt.UTC).isoformat()
    gone, changed = sorted(before)[:2]
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.update(POINTS, changed, {"name": "Tên mới"})
        edits.delete(POINTS, gone)
    now = csv_read(exported(demo_store, POINTS, "csv", tmp_path))
    assert gone not in now and now[changed][0]["name"] == "Tên mới"
    then = csv_read(exported(demo_store, POINTS, "csv", tmp_path, asof=moment))
    assert {i: v["name"] for i, (v, _) in then.items()} == before


def test_columns_and_rows_follow_the_role(embedded: Store, tmp_path: Path) -> None:
    public = csv_read(exported(embedded, AREAS, "csv", tmp_path, PUBLIC))
    staff = csv_read(exported(embedded, AREAS, "csv", tmp_path, SYSTEM))
    assert len(public) < len(staff)
    assert "owner_phone" not in next(iter(public.values()))[0]
    assert "owner_phone" in next(iter(staff.values()))[0]
    with pytest.raises(Refusal):
        parse(AREAS, "csv", {"fields": "owner_phone"}, PUBLIC)
    with pytest.raises(Refusal):
        parse(AREAS, "csv", {"owner_phone": "0900"}, PUBLIC)


# ---- whole or not at all


def test_an_export_that_breaks_leaves_what_was_there(embedded: Store, tmp_path: Path) -> None:
    path = tmp_path / "growing_areas.gpkg"
    path.write_bytes(b"before")
    wish = parse(AREAS, "gpkg", {}, SYSTEM)

    class Stop(Exception):
        pass

    def stop(rows: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        exports.export_wish(embedded, wish, path, SYSTEM, progress=stop)
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


SLOW = """
import sys, time
from pathlib import Path
from data.accounts import SYSTEM
from data.store import Store
from layers import catalogue
from services import exports

def wait(rows):
    print("ready", flush=True)
    time.sleep(60)

wish = exports.parse(catalogue.layer("growing_areas"), sys.argv[3], {}, SYSTEM)
exports.export_wish(Store(sys.argv[1]), wish, Path(sys.argv[2]), SYSTEM, progress=wait)
"""


@pytest.mark.parametrize("form", ["shp", "xlsx", "kml", "geojson"])
def test_an_export_that_is_killed_leaves_no_half_file(embedded: Store, tmp_path: Path, form: str) -> None:
    path = tmp_path / parse(AREAS, form, {}, SYSTEM).file_name()
    url = embedded.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, url, str(path), form], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    assert not path.exists()
    assert all(p.name.startswith(".export-") for p in tmp_path.iterdir())
    exported(embedded, AREAS, form, tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_export_left_is_cleared_by_the_next(embedded: Store, tmp_path: Path) -> None:
    (tmp_path / ".export-999999999-abc").mkdir()
    (tmp_path / ".export-999999999-abc" / "file").write_bytes(b"half")
    path = exported(embedded, PRODUCTS, "csv", tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_titles_of_columns_are_in_the_language_that_was_asked_for(embedded: Store, tmp_path: Path) -> None:
    path = exported(embedded, PRODUCTS, "xlsx", tmp_path, lang="en")
    sheet = openpyxl.load_workbook(path, read_only=True).worksheets[0]
    assert sheet.title == "OCOP products" and "Stars" in next(sheet.iter_rows(values_only=True))
    assert replace(parse(PRODUCTS, "xlsx", {}, SYSTEM)).language == "vi"
