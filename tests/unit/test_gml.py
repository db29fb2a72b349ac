"""GML geometries and names of reference systems, against GDAL's writer and reader and the schemas of the OGC."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from lxml import etree

from gis import crs, gml, srsname
from gis.crs import UnknownCrs
from gis.gml import GmlError
from tests.xmlschemas import schema

KINDS = [
    "POINT (105.15 9.18)",
    "MULTIPOINT ((105 9), (105.5 9.5))",
    "LINESTRING (105 9, 105.1 9.1, 105.2 9)",
    "MULTILINESTRING ((105 9, 105.1 9.1), (105.3 9, 105.4 9.2, 105.5 9))",
    "POLYGON ((105 9, 105.2 9, 105.2 9.2, 105 9.2, 105 9),"
    " (105.05 9.05, 105.05 9.1, 105.1 9.1, 105.1 9.05, 105.05 9.05))",
    "MULTIPOLYGON (((105 9, 105.1 9, 105.1 9.1, 105 9)), ((106 9, 106.2 9, 106.2 9.2, 106 9.2, 106 9),"
    " (106.05 9.05, 106.05 9.1, 106.1 9.1, 106.05 9.05)))",
    "MULTIPOLYGON (((105 9, 105.1 9, 105.1 9.1, 105 9)))",
    "GEOMETRYCOLLECTION (POINT (105 9), POLYGON ((105 9, 105.1 9, 105.1 9.1, 105 9)))",
]
VERSIONS: tuple[gml.Version, ...] = ("3.2", "3.1", "2.1")
SCHEMAS = {
    "3.2": "http://schemas.opengis.net/gml/3.2.1/gml.xsd",
    "3.1": "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd",
    "2.1": "http://schemas.opengis.net/gml/2.1.2/feature.xsd",
}
LAT_LON = "urn:ogc:def:crs:EPSG::4326"


def element(text: str | bytes, version: gml.Version = "3.2"):
    body = text if isinstance(text, bytes) else text.encode()
    return etree.fromstring(b'<x xmlns:gml="%b">%b</x>' % (gml.NAMESPACES[version].encode(), body))[0]


def written(shapes, version: gml.Version = "3.2", srs: str = LAT_LON):
    name = srsname.parse(srs)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    ids = [f"a.{i}" for i in range(len(shapes))]
    return gml.geometry_texts(array, version=version, srs_name=srs, swap=name.swapped, ids=ids)


# ---- names of reference systems (services-contract §1)


@pytest.mark.parametrize(
    ("name", "code", "swapped"),
    [
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG:6.9:4326", "EPSG:4326", True),
        ("urn:x-ogc:def:crs:EPSG:4326", "EPSG:4326", True),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326", True),
        ("https://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326", True),
        ("<http://www.opengis.net/def/crs/EPSG/0/4326>", "EPSG:4326", True),
        ("EPSG:4326", "EPSG:4326", False),
        ("4326", "EPSG:4326", False),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "EPSG:4326", False),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", False),
        ("urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84", False),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84", False),
        ("CRS:84", "OGC:CRS84", False),
        ("CRS84", "OGC:CRS84", False),
        ("urn:ogc:def:crs:EPSG::4756", "EPSG:4756", True),
        ("EPSG:4756", "EPSG:4756", False),
        *(
            (f"urn:ogc:def:crs:EPSG::{n}", f"EPSG:{n}", False)
            for n in (3405, 3406, 5896, 5897, 5898, 5899, 9205, 9207, 9218, 32648, 32649, 3857)
        ),
    ],
)
def test_the_form_of_a_name_says_which_axis_comes_first(name, code, swapped) -> None:
    found = srsname.parse(name)
    assert (found.crs, found.swapped) == (code, swapped)


def test_names_are_written_in_the_forms_of_the_registers() -> None:
    assert srsname.of("EPSG:4326").text == "urn:ogc:def:crs:EPSG::4326"
    assert srsname.of("EPSG:4326").uri == "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert srsname.of("OGC:CRS84").text == "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert srsname.of("OGC:CRS84").uri == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert srsname.of("EPSG:4326").decimals == 7 and srsname.of("EPSG:9207").decimals == 3
    assert not srsname.of("EPSG:4326").always_xy().swapped


@pytest.mark.parametrize(
    "name",
    [
        "",
        "EPSG:",
        "EPSG:0",
        "EPSG:999999",
        "EPSG:4979",
        "EPSG:CRS84",
        "http://www.opengis.net/def/crs/0/unsupported",
        "urn:ogc:def:crs:OGC:1.3:CRS27",
        "+proj=longlat",
        "/etc/passwd",
        "WGS 84",
        "4326" * 100,
    ],
)
def test_other_names_are_refused(name) -> None:
    with pytest.raises(UnknownCrs):
        srsname.parse(name)


# ---- writing


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("srs", [LAT_LON, "EPSG:4326"])
def test_what_is_written_is_read_back_in_every_version_and_order(version, srs) -> None:
    shapes = [shapely.from_wkt(wkt) for wkt in KINDS]
    for source, text in zip(shapes, written(shapes, version, srs), strict=True):
        assert shapely.equals_exact(gml.parse(element(text, version)), shapely.orient_polygons(source), 1e-9)


@pytest.mark.parametrize("version", VERSIONS)
def test_kinds_alone_and_mixed_give_the_same_texts(version) -> None:
    shapes = [shapely.from_wkt(wkt) for wkt in KINDS]
    mixed = written(shapes, version)
    for i, shape in enumerate(shapes):
        ids = [f"a.{i}"]
        name = srsname.parse(LAT_LON)
        alone = gml.geometry_texts(
            np.array([shape], dtype=object), version=version, srs_name=LAT_LON, swap=name.swapped, ids=ids
        )
        assert alone == [mixed[i]]


@pytest.mark.parametrize("version", VERSIONS)
def test_geometries_are_valid_by_the_schema(real_data: Path, version) -> None:
    known = schema(real_data, {gml.NAMESPACES[version]: SCHEMAS[version]})
    for text in written([shapely.from_wkt(wkt) for wkt in KINDS], version):
        known.assertValid(etree.ElementTree(etree.fromstring(etree.tostring(element(text, version)))))


def test_the_schema_is_really_asked(real_data: Path) -> None:
    known = schema(real_data, {gml.NAMESPACES["3.2"]: SCHEMAS["3.2"]})
    text = written([shapely.Point(105, 9)])[0].replace(b"gml:pos>", b"gml:position>")
    assert not known.validate(etree.fromstring(etree.tostring(element(text))))


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (
            "3.2",
            '<gml:Point gml:id="a.0" srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>9.18 105.15</gml:pos></gml:Point>',
        ),
        (
            "3.1",
            '<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>9.18 105.15</gml:pos></gml:Point>',
        ),
        (
            "2.1",
            '<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:coordinates>9.18,105.15</gml:coordinates>'
            "</gml:Point>",
        ),
    ],
)
def test_a_point_is_written_in_the_words_of_each_version(version, text) -> None:
    assert written([shapely.Point(105.15, 9.18)], version) == [text.encode()]


def test_missing_and_empty_geometries_are_empty_texts() -> None:
    assert written([None, shapely.Polygon(), shapely.Point(1, 2), shapely.MultiPolygon()])[::3] == [b"", b""]


def test_third_coordinates_and_far_decimals_are_left_out() -> None:
    text = written([shapely.Point(105.123456789, 9.000000049, 12.0)])[0]
    assert b"<gml:pos>9.0 105.1234568</gml:pos>" in text


def test_infinite_coordinates_are_told() -> None:
    with pytest.raises(ValueError, match="finite"):
        written([shapely.LineString([(0, 0), (float("inf"), 1)])])


def test_a_reference_name_cannot_break_out_of_its_attribute() -> None:
    array = np.array([shapely.Point(1, 2)], dtype=object)
    text = gml.geometry_texts(array, srs_name='"><evil/>&', swap=False, ids=["a"])[0]
    assert element(text).get("srsName") == '"><evil/>&'


@pytest.mark.parametrize("version", VERSIONS)
def test_envelopes_are_read_back(version) -> None:
    text = gml.envelope_text((105, 8.5, 105.5, 9.5), version=version, srs_name=LAT_LON, swap=True)
    assert gml.parse(element(text, version)).bounds == (105, 8.5, 105.5, 9.5)


# ---- reading


@pytest.mark.parametrize("form", ["GML2", "GML3", "GML3.2"])
@pytest.mark.parametrize("kind", range(7))
def test_what_gdal_writes_is_read(tmp_path: Path, form, kind) -> None:
    shape = shapely.from_wkt(KINDS[kind])
    path = tmp_path / "out.gml"
    frame = geopandas.GeoDataFrame({"a": [1]}, geometry=[shape], crs="EPSG:4326")
    pyogrio.write_dataframe(frame, path, driver="GML", FORMAT=form)
    tree = etree.parse(path)
    for found in tree.iter("{*}*"):
        if gml.is_geometry(found) and etree.QName(found.getparent()).localname == "geometryProperty":
            assert shapely.equals(gml.parse(found), shape)
            return
    pytest.fail("GDAL wrote no geometry")


SQUARE = shapely.box(105, 9, 106, 10)
RING = "<gml:LinearRing><gml:posList>9 105 9 106 10 106 10 105 9 105</gml:posList></gml:LinearRing>"
POLYGON = f"<gml:Polygon><gml:exterior>{RING}</gml:exterior></gml:Polygon>"
PATCH = f"<gml:PolygonPatch><gml:exterior>{RING}</gml:exterior></gml:PolygonPatch>"


def in_lat_lon(kind: str, body: str) -> str:
    return f'<gml:{kind} srsName="{LAT_LON}">{body}</gml:{kind}>'


@pytest.mark.parametrize(
    "text",
    [
        in_lat_lon("Polygon", f"<gml:exterior>{RING}</gml:exterior>"),
        in_lat_lon("Surface", f"<gml:patches>{PATCH}</gml:patches>"),
        in_lat_lon("MultiSurface", f"<gml:surfaceMember>{POLYGON}</gml:surfaceMember>"),
        in_lat_lon("MultiSurface", f"<gml:surfaceMembers>{POLYGON}</gml:surfaceMembers>"),
        in_lat_lon(
            "MultiSurface",
            f"<gml:surfaceMember><gml:Surface><gml:patches>{PATCH}</gml:patches></gml:Surface></gml:surfaceMember>",
        ),
        in_lat_lon("MultiPolygon", f"<gml:polygonMember>{POLYGON}</gml:polygonMember>"),
        in_lat_lon("CompositeSurface", f"<gml:surfaceMember>{POLYGON}</gml:surfaceMember>"),
        in_lat_lon("OrientableSurface", f"<gml:baseSurface>{POLYGON}</gml:baseSurface>"),
        in_lat_lon(
            "Polygon",
            "<gml:exterior><gml:LinearRing>"
            + "".join(f"<gml:pos>{p}</gml:pos>" for p in ("9 105", "9 106", "10 106", "10 105", "9 105"))
            + "</gml:LinearRing></gml:exterior>",
        ),
        in_lat_lon(
            "Polygon",
            '<gml:exterior><gml:LinearRing><gml:posList srsDimension="3">9 105 0 9 106 0 10 106 0 10 105 0 9 105 0'
            "</gml:posList></gml:LinearRing></gml:exterior>",
        ),
        in_lat_lon(
            "Polygon",
            "<gml:exterior><gml:Ring><gml:curveMember><gml:LineString><gml:posList>9 105 9 106 10 106</gml:posList>"
            "</gml:LineString></gml:curveMember><gml:curveMember><gml:Curve><gml:segments><gml:LineStringSegment>"
            "<gml:posList>10 106 10 105 9 105</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve>"
            "</gml:curveMember></gml:Ring></gml:exterior>",
        ),
        in_lat_lon(
            "Envelope", "<gml:lowerCorner>9 105</gml:lowerCorner><gml:upperCorner>10 106</gml:upperCorner>"
        ),
        in_lat_lon("Envelope", "<gml:pos>9 105</gml:pos><gml:pos>10 106</gml:pos>"),
        '<gml:Box srsName="EPSG:4326"><gml:coordinates>105,9 106,10</gml:coordinates></gml:Box>',
        '<gml:Box srsName="EPSG:4326"><gml:coordinates>105, 9\n 106, 10\n</gml:coordinates></gml:Box>',
        '<gml:Box srsName="http://www.opengis.net/gml/srs/epsg.xml#4326"><gml:coord><gml:X>105</gml:X>'
        "<gml:Y>9</gml:Y></gml:coord><gml:coord><gml:X>106</gml:X><gml:Y>10</gml:Y></gml:coord></gml:Box>",
        '<gml:Box srsName="EPSG:4326"><gml:coordinates decimal="," cs=";" ts="|">105,0;9,0|106,0;10,0'
        "</gml:coordinates></gml:Box>",
    ],
)
def test_every_form_that_clients_send_is_the_same_square(text) -> None:
    assert shapely.equals(gml.parse(element(text)), SQUARE)


@pytest.mark.parametrize(
    ("text", "wkt"),
    [
        (in_lat_lon("Point", "<gml:pos>9 105</gml:pos>"), "POINT (105 9)"),
        (in_lat_lon("Point", "<gml:pos>9 105 3</gml:pos>"), "POINT (105 9)"),
        (
            in_lat_lon("LineString", "<gml:pos>9 105</gml:pos><gml:pos>9 106</gml:pos>"),
            "LINESTRING (105 9, 106 9)",
        ),
        (
            in_lat_lon(
                "LineString",
                "".join(
                    f"<gml:pointProperty><gml:Point><gml:pos>{p}</gml:pos></gml:Point></gml:pointProperty>"
                    for p in ("9 105", "9 106")
                ),
            ),
            "LINESTRING (105 9, 106 9)",
        ),
        (
            in_lat_lon(
                "MultiCurve",
                "<gml:curveMember><gml:Curve><gml:segments><gml:LineStringSegment><gml:posList>9 105 9 106"
                "</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve></gml:curveMember>",
            ),
            "MULTILINESTRING ((105 9, 106 9))",
        ),
        (
            in_lat_lon(
                "MultiPoint",
                "<gml:pointMembers><gml:Point><gml:pos>9 105</gml:pos></gml:Point>"
                "<gml:Point><gml:pos>10 105</gml:pos></gml:Point></gml:pointMembers>",
            ),
            "MULTIPOINT ((105 9), (105 10))",
        ),
        (
            in_lat_lon(
                "OrientableCurve",
                "<gml:baseCurve><gml:LineString><gml:posList>9 105 9 106</gml:posList></gml:LineString>"
                "</gml:baseCurve>",
            ).replace("<gml:OrientableCurve ", '<gml:OrientableCurve orientation="-" '),
            "LINESTRING (106 9, 105 9)",
        ),
    ],
)
def test_points_and_lines_are_read(text, wkt) -> None:
    assert gml.parse(element(text)).equals_exact(shapely.from_wkt(wkt), 0)


def test_without_a_name_the_default_stands_and_wfs_1_0_is_always_lon_lat() -> None:
    bare = element("<gml:Point><gml:pos>9 105</gml:pos></gml:Point>")
    assert gml.parse(bare, default_srs=LAT_LON).coords[0] == (105, 9)
    assert gml.parse(bare, default_srs="EPSG:4326").coords[0] == (9, 105)
    named = element(in_lat_lon("Point", "<gml:pos>105 9</gml:pos>"))
    assert gml.parse(named, always_xy=True).coords[0] == (105, 9)


def test_the_name_may_stand_on_a_part() -> None:
    inner = in_lat_lon("Polygon", f"<gml:exterior>{RING}</gml:exterior>")
    text = f"<gml:MultiSurface><gml:surfaceMember>{inner}</gml:surfaceMember></gml:MultiSurface>"
    assert shapely.equals(gml.parse(element(text)), SQUARE)


def test_vn_2000_metres_are_carried_to_degrees() -> None:
    """A point that PROJ gives for EPSG:9207 with the published shift EPSG:6960."""
    x, y = crs.vn2000(105.15, 9.18)
    text = f'<gml:Point srsName="urn:ogc:def:crs:EPSG::9207"><gml:pos>{float(x)} {float(y)}</gml:pos></gml:Point>'
    assert gml.parse(element(text)).distance(shapely.Point(105.15, 9.18)) < 1e-7


@pytest.mark.parametrize(
    "text",
    [
        "<gml:Nothing/>",
        "<gml:Point/>",
        "<gml:Point><gml:pos>9</gml:pos></gml:Point>",
        "<gml:Point><gml:pos>chín một</gml:pos></gml:Point>",
        "<gml:Point><gml:pos>nan 9</gml:pos></gml:Point>",
        "<gml:Point><gml:pos>1e999 9</gml:pos></gml:Point>",
        "<gml:LineString><gml:posList>9 105 9</gml:posList></gml:LineString>",
        "<gml:LineString><gml:posList>9 105</gml:posList></gml:LineString>",
        "<gml:Polygon/>",
        "<gml:Polygon><gml:exterior/></gml:Polygon>",
        "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>9 105 9 106</gml:posList></gml:LinearRing>"
        "</gml:exterior></gml:Polygon>",
        "<gml:MultiSurface/>",
        "<gml:MultiPolygon><gml:polygonMember><gml:Point><gml:pos>9 105</gml:pos></gml:Point></gml:polygonMember>"
        "</gml:MultiPolygon>",
        "<gml:Envelope><gml:lowerCorner>10 106</gml:lowerCorner><gml:upperCorner>9 105</gml:upperCorner>"
        "</gml:Envelope>",
        "<gml:Curve><gml:segments><gml:Arc><gml:posList>0 0 1 1 2 0</gml:posList></gml:Arc></gml:segments></gml:Curve>",
        '<gml:Point srsName="EPSG:4326" srsDimension="9"><gml:coordinates>9,105,1,2</gml:coordinates></gml:Point>',
        '<gml:LineString srsDimension="x"><gml:posList>9 105 9 106</gml:posList></gml:LineString>',
        '<gml:MultiPoint srsName="EPSG:4326"><gml:pointMember><gml:Point srsName="EPSG:3857"><gml:pos>1 2</gml:pos>'
        "</gml:Point></gml:pointMember></gml:MultiPoint>",
        "<gml:MultiGeometry><gml:geometryMember>" * 40
        + "<gml:Point><gml:pos>9 105</gml:pos></gml:Point>"
        + "</gml:geometryMember></gml:MultiGeometry>" * 40,
    ],
)
def test_what_is_no_geometry_is_refused_in_one_sentence(text) -> None:
    with pytest.raises(GmlError) as refused:
        gml.parse(element(text))
    assert str(refused.value).endswith(".")
