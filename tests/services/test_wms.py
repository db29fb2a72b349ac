"""The web map service: what its two standards and their conformance suites ask, and what one sees on the pictures."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from lxml import etree
from PIL import Image

from data.accounts import add_account, make_api_key
from data.store import Store
from layers import catalogue
from layers.catalogue import CROP_COLORS
from tests.services.conftest import ReadingClient
from tests.xmlschemas import schema
from webmap.app import create_app
from webmap.settings import Settings

WMS, OGC, SLD = "http://www.opengis.net/wms", "http://www.opengis.net/ogc", "http://www.opengis.net/sld"
HREF = "{http://www.w3.org/1999/xlink}href"
CAPABILITIES_SCHEMAS = {
    WMS: "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd",
    SLD: "http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd",
}
EXCEPTIONS_SCHEMA = {OGC: "http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"}
WORLD = (104.6, 8.5, 105.5, 9.6)


@pytest.fixture(scope="module")
def app(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One application for all questions: nothing here changes the record but the accounts."""
    settings = Settings.from_environment(
        {
            "OCOPMAP_DATABASE_URL": record.url.render_as_string(hide_password=False),
            "OCOPMAP_INSTANCE": str(tmp_path_factory.mktemp("wms")),
            "OCOPMAP_SECRET_KEY": "x" * 40,
        }
    )
    application = create_app(settings)
    application.config.update(TESTING=True)
    application.test_client_class = ReadingClient
    yield application
    application.extensions["ocop_store"].dispose()


@pytest.fixture
def client(app: Any) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def officer(record: Store) -> dict[str, str]:
    """The header of an officer of the province, who sees drafts and the fields for staff."""
    with record.writing() as session:
        account = add_account(session, "map-officer", "province_officer", password=None)
        return {"Authorization": f"Bearer {make_api_key(session, account, 'thử')}"}


def ask(
    client: FlaskClient, request: str, headers: dict[str, str] | None = None, **parameters: object
) -> Any:
    values = {"SERVICE": "WMS", "REQUEST": request, "VERSION": "1.3.0"} | parameters
    given = {name: str(value) for name, value in values.items() if value is not None}
    return client.get("/wms", query_string=given, headers=headers)


def get_map(client: FlaskClient, headers: dict[str, str] | None = None, **parameters: object) -> Any:
    usual = {
        "LAYERS": "growing_areas",
        "STYLES": "",
        "CRS": "CRS:84",
        "BBOX": ",".join(map(str, WORLD)),
        "WIDTH": 200,
        "HEIGHT": 200,
        "FORMAT": "image/png",
    }
    return ask(client, "GetMap", headers, **(usual | parameters))


def get_info(client: FlaskClient, headers: dict[str, str] | None = None, **parameters: object) -> Any:
    usual = {
        "LAYERS": "growing_areas",
        "QUERY_LAYERS": "growing_areas",
        "STYLES": "",
        "CRS": "CRS:84",
        "BBOX": ",".join(map(str, WORLD)),
        "WIDTH": 200,
        "HEIGHT": 200,
        "INFO_FORMAT": "application/json",
        "I": 100,
        "J": 100,
    }
    return ask(client, "GetFeatureInfo", headers, **(usual | parameters))


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))


def tree(answer: Any) -> etree._Element:
    return etree.fromstring(answer.data, etree.XMLParser(load_dtd=False, no_network=True))


def code_of(answer: Any, real_data: Path, status: int = 400) -> str:
    """Return the code of an exception after validating it and looking at its sentence."""
    assert answer.status_code == status and answer.mimetype == "text/xml"
    report = tree(answer)
    schema(real_data, EXCEPTIONS_SCHEMA).assertValid(report)
    assert report.get("version") == "1.3.0"
    entry = report.find(f"{{{OGC}}}ServiceException")
    assert entry.text.strip().endswith(".")
    return entry.get("code")


def one_area(record: Store, where: str = "status = 'published'") -> dict[str, Any]:
    """Return the largest growing area that meets a condition, straight from its table."""
    with record.reading() as session:
        row = session.execute(
            sa.text(
                f"SELECT id, name, crop, owner_name FROM growing_areas WHERE {where} ORDER BY area_ha DESC LIMIT 1"
            )
        ).one()
        shape = session.get(catalogue.layer("growing_areas").model, row.id).geom
    return {**row._mapping, "geom": shape, "inside": shapely.point_on_surface(shape)}


def around(point: shapely.Point, reach: float = 2e-5) -> tuple[float, float, float, float]:
    return point.x - reach, point.y - reach, point.x + reach, point.y + reach


def text_of(box: tuple[float, ...]) -> str:
    return ",".join(f"{value:.9f}" for value in box)


# ---- capabilities


def test_the_capabilities_of_1_3_0_keep_to_the_schema(client, real_data) -> None:
    answer = ask(client, "GetCapabilities")
    assert answer.status_code == 200 and answer.mimetype == "text/xml"
    schema(real_data, CAPABILITIES_SCHEMAS).assertValid(tree(answer))


def test_the_capabilities_of_1_1_1_have_their_type_and_the_order_of_the_dtd(client) -> None:
    answer = ask(client, "GetCapabilities", VERSION="1.1.1")
    assert answer.mimetype == "application/vnd.ogc.wms_xml"
    assert b"<!DOCTYPE WMT_MS_Capabilities SYSTEM" in answer.data
    root = tree(answer)
    assert root.tag == "WMT_MS_Capabilities" and root.get("version") == "1.1.1"
    order = [
        "Name",
        "Title",
        "Abstract",
        "KeywordList",
        "SRS",
        "LatLonBoundingBox",
        "BoundingBox",
        "Dimension",
        "Extent",
        "Attribution",
        "AuthorityURL",
        "Identifier",
        "MetadataURL",
        "DataURL",
        "FeatureListURL",
        "Style",
        "ScaleHint",
        "Layer",
    ]
    for layer in root.iter("Layer"):
        places = [order.index(child.tag) for child in layer]
        assert places == sorted(places)
    assert [child.tag for child in root.find("Capability")] == ["Request", "Exception", "Layer"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, "1.3.0"),
        ("1.3.0", "1.3.0"),
        ("1.1.1", "1.1.1"),
        ("1.2.0", "1.1.1"),
        ("1.0.0", "1.1.1"),
        ("0.0.0", "1.1.1"),
        ("1.3.1", "1.3.0"),
        ("100.0.0", "1.3.0"),
    ],
)
def test_the_version_is_negotiated(client, asked: str | None, given: str) -> None:
    assert tree(ask(client, "GetCapabilities", VERSION=asked)).get("version") == given


def test_every_layer_is_listed_once_with_title_style_and_extent(client) -> None:
    root = tree(ask(client, "GetCapabilities"))
    named = {
        node.findtext(f"{{{WMS}}}Name"): node
        for node in root.iter(f"{{{WMS}}}Layer")
        if node.find(f"{{{WMS}}}Name") is not None
    }
    assert set(named) == {layer.id for layer in catalogue.LAYERS} | {"map"}
    for layer in catalogue.LAYERS:
        node = named[layer.id]
        assert node.findtext(f"{{{WMS}}}Title") == layer.title.vi
        assert node.get("queryable") == "1"
        assert node.findtext(f"{{{WMS}}}Style/{{{WMS}}}Name") == "default"
    english = tree(client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities&lang=en"))
    assert "Growing areas" in [node.text for node in english.iter(f"{{{WMS}}}Title")]
    address = english.find(f".//{{{WMS}}}GetMap//{{{WMS}}}OnlineResource").get(HREF)
    assert address.endswith("/wms?lang=en&")


def test_boxes_are_written_in_the_order_of_the_axes_of_their_system(client) -> None:
    for version, space, attribute in (("1.3.0", f"{{{WMS}}}", "CRS"), ("1.1.1", "", "SRS")):
        root = tree(ask(client, "GetCapabilities", VERSION=version))
        for node in root.iter(f"{space}Layer"):
            boxes = {box.get(attribute): box for box in node.findall(f"{space}BoundingBox")}
            geographic = boxes["CRS:84"]
            lon = (float(geographic.get("minx")) + float(geographic.get("maxx"))) / 2
            lat = (float(geographic.get("miny")) + float(geographic.get("maxy"))) / 2
            for name, box in boxes.items():
                if not name.startswith("EPSG:"):
                    continue
                by_axes = version == "1.3.0"
                to = pyproj.Transformer.from_crs(
                    "EPSG:4326", name, always_xy=not by_axes, allow_ballpark=True
                )
                x, y = to.transform(lat, lon) if by_axes else to.transform(lon, lat)
                assert float(box.get("minx")) < x < float(box.get("maxx")), (version, name)
                assert float(box.get("miny")) < y < float(box.get("maxy")), (version, name)


def test_legend_and_data_addresses_answer_with_the_stated_type(client) -> None:
    root = tree(ask(client, "GetCapabilities"))
    for kind in ("LegendURL", "DataURL"):
        nodes = list(root.iter(f"{{{WMS}}}{kind}"))
        assert len(nodes) == len(catalogue.LAYERS)
        for node in nodes:
            address = node.find(f"{{{WMS}}}OnlineResource").get(HREF).removeprefix("http://localhost")
            answer = client.get(address)
            assert answer.status_code == 200
            assert answer.mimetype == node.findtext(f"{{{WMS}}}Format")
            if kind == "LegendURL":
                size = Image.open(io.BytesIO(answer.data)).size
                assert size == (int(node.get("width")), int(node.get("height")))


def test_the_update_sequence_saves_or_refuses_as_the_standard_says(client, real_data) -> None:
    current = int(tree(ask(client, "GetCapabilities")).get("updateSequence"))
    older = ask(client, "GetCapabilities", UPDATESEQUENCE=current - 1)
    assert tree(older).tag == f"{{{WMS}}}WMS_Capabilities"
    same = ask(client, "GetCapabilities", UPDATESEQUENCE=current)
    assert code_of(same, real_data) == "CurrentUpdateSequence"
    for ahead in (current + 1, "zzz"):
        answer = ask(client, "GetCapabilities", UPDATESEQUENCE=ahead)
        assert code_of(answer, real_data) == "InvalidUpdateSequence"


def test_names_are_read_in_any_case_and_unknown_parameters_are_ignored(client) -> None:
    plain = ask(client, "GetCapabilities")
    other = client.get("/wms?sErViCe=WMS&rEqUeSt=GetCapabilities&foo=1&TIME=now")
    assert other.status_code == 200 and other.data == plain.data
    assert picture(get_map(client, DPI=96, MAP_RESOLUTION=96, foo="bar")).shape == (200, 200, 4)


def test_what_has_not_changed_is_not_sent_again(client, officer) -> None:
    for first in (ask(client, "GetCapabilities"), get_map(client)):
        path = first.request.full_path
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304 and not again.data
        mine = client.get(path, headers={"If-None-Match": first.headers["ETag"], **officer})
        assert mine.status_code == 200


# ---- maps


@pytest.mark.parametrize(("width", "height"), [(8, 5), (100, 100), (1024, 768)])
def test_pictures_have_the_asked_size(client, width: int, height: int) -> None:
    assert picture(get_map(client, LAYERS="map", WIDTH=width, HEIGHT=height)).shape == (height, width, 4)


def test_an_area_has_the_colour_of_its_crop_where_it_lies(client, record) -> None:
    area = one_area(record)
    seen = picture(get_map(client, BBOX=text_of(around(area["inside"])), FORMAT="image/png; mode=24bit"))
    color = [int(CROP_COLORS[area["crop"]][i : i + 2], 16) for i in (1, 3, 5)]
    blended = [round(0.55 * part + 0.45 * 255) for part in color]
    assert np.abs(seen[20, 20, :3].astype(int) - blended).max() <= 2


@pytest.mark.parametrize(
    "crs", ["EPSG:4326", "EPSG:3857", "EPSG:4756", "EPSG:3405", "EPSG:5897", "EPSG:9207", "EPSG:32648"]
)
def test_every_system_shows_the_same_place(client, record, crs: str) -> None:
    area = one_area(record)
    west, south, east, north = area["geom"].bounds
    middle = shapely.box(west, south, east, north).centroid
    reach = max(east - west, north - south)
    shift = pyproj.Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::6960")

    def carried(lon: float, lat: float) -> tuple[float, float]:
        start = "EPSG:4326"
        if crs in ("EPSG:4756", "EPSG:3405", "EPSG:5897", "EPSG:9207"):
            lat, lon = shift.transform(lat, lon, direction="INVERSE")
            start = "EPSG:4756"
        if crs == start:
            return lat, lon
        return pyproj.Transformer.from_crs(start, crs, always_xy=True).transform(lon, lat)

    low, high = carried(middle.x - reach, middle.y - reach), carried(middle.x + reach, middle.y + reach)
    there = picture(get_map(client, CRS=crs, BBOX=text_of((*low, *high)), FORMAT="image/png; mode=24bit"))
    plain_box = (middle.x - reach, middle.y - reach, middle.x + reach, middle.y + reach)
    plain = picture(get_map(client, BBOX=text_of(plain_box), FORMAT="image/png; mode=24bit"))
    differing = (np.abs(there[:, :, :3].astype(int) - plain[:, :, :3]).max(axis=2) > 60).mean()
    drawn = (plain[:, :, :3] < 250).any(axis=2).mean()
    assert drawn > 0.02 and differing < 0.25 * drawn + 0.01


def test_1_1_1_writes_longitude_first_and_1_3_0_by_the_axes(client) -> None:
    west, south, east, north = WORLD
    plain = get_map(client, LAYERS="map").data
    by_axes = get_map(client, LAYERS="map", CRS="EPSG:4326", BBOX=text_of((south, west, north, east))).data
    old = {"VERSION": "1.1.1", "CRS": None, "SRS": "EPSG:4326", "BBOX": text_of(WORLD)}
    assert get_map(client, LAYERS="map", **old).data == by_axes == plain
    del old["VERSION"]
    assert get_map(client, LAYERS="map", VERSION=None, **old).data == plain


def test_the_ground_is_white_unless_it_is_to_be_clear_or_of_another_colour(client) -> None:
    nowhere = {"BBOX": "0,0,1,1"}
    assert (picture(get_map(client, **nowhere)) == 255).all()
    assert (picture(get_map(client, **nowhere, TRANSPARENT="FALSE")) == 255).all()
    assert (picture(get_map(client, **nowhere, TRANSPARENT="TRUE"))[:, :, 3] == 0).all()
    assert (picture(get_map(client, **nowhere, BGCOLOR="0x102030"))[0, 0] == (16, 32, 48, 255)).all()
    jpeg = get_map(client, **nowhere, FORMAT="image/jpeg", TRANSPARENT="TRUE")
    assert jpeg.mimetype == "image/jpeg" and (picture(jpeg)[:, :, :3] > 250).all()


@pytest.mark.parametrize(
    "box",
    ["-170,-80,-160,-70", "500,500,600,600", "-1e9,-1e9,1e9,1e9"],
)
@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:3857", "EPSG:9207"])
def test_a_box_anywhere_gives_a_picture(client, crs: str, box: str) -> None:
    assert picture(get_map(client, CRS=crs, BBOX=box)).shape == (200, 200, 4)


def test_layers_are_drawn_in_the_asked_order(client, record) -> None:
    area = one_area(record)
    box = text_of(around(area["inside"]))
    below = picture(get_map(client, LAYERS="communes,growing_areas", STYLES=",", BBOX=box))
    above = picture(get_map(client, LAYERS="growing_areas,communes", STYLES=",", BBOX=box))
    assert not np.array_equal(below[20, 20], above[20, 20])


@pytest.mark.parametrize("styles_text", ["", ",,", "default,,default", None])
def test_styles_may_be_left_empty_for_each_layer(client, styles_text: str | None) -> None:
    answer = get_map(client, LAYERS="communes,growing_areas,products", STYLES=styles_text)
    assert answer.mimetype == "image/png"


def test_small_scales_show_joined_areas_and_layers_keep_their_limit(client) -> None:
    world = {"CRS": "CRS:84", "BBOX": "95,0,115,20"}
    assert (picture(get_map(client, LAYERS="lots", **world)) == 255).all()
    assert (picture(get_map(client, LAYERS="growing_areas", **world)) != 255).any()
    root = tree(ask(client, "GetCapabilities"))
    lots = next(n for n in root.iter(f"{{{WMS}}}Layer") if n.findtext(f"{{{WMS}}}Name") == "lots")
    assert float(lots.findtext(f"{{{WMS}}}MaxScaleDenominator")) < 2_000_000


def test_names_are_written_in_vietnamese_with_a_halo(client, record) -> None:
    with record.reading() as session:
        west, south, east, north = session.get(catalogue.layer("communes").model, 1).geom.bounds
    box = text_of((west, south, east, north))
    seen = picture(get_map(client, LAYERS="communes", BBOX=box, WIDTH=600, HEIGHT=600))
    dark = np.abs(seen[:, :, :3].astype(int) - (0x12, 0x30, 0x2C)).max(axis=2) < 12
    assert dark.sum() > 40


# ---- refusals


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"LAYERS": "nope"}, "LayerNotDefined"),
        ({"LAYERS": "communes,nope"}, "LayerNotDefined"),
        ({"LAYERS": None}, "MissingParameterValue"),
        ({"STYLES": "nope"}, "StyleNotDefined"),
        ({"STYLES": "default,default"}, "StyleNotDefined"),
        ({"CRS": "EPSG:99999"}, "InvalidCRS"),
        ({"CRS": "CRS:83"}, "InvalidCRS"),
        ({"CRS": None}, "MissingParameterValue"),
        ({"FORMAT": "image/nope"}, "InvalidFormat"),
        ({"FORMAT": None}, "MissingParameterValue"),
        ({"BBOX": "105,9,105,10"}, "InvalidParameterValue"),
        ({"BBOX": "106,9,105,10"}, "InvalidParameterValue"),
        ({"BBOX": "105,10,106,10"}, "InvalidParameterValue"),
        ({"BBOX": "105,9,106"}, "InvalidParameterValue"),
        ({"BBOX": "a,b,c,d"}, "InvalidParameterValue"),
        ({"BBOX": "nan,0,inf,1"}, "InvalidParameterValue"),
        ({"WIDTH": "0"}, "InvalidParameterValue"),
        ({"WIDTH": "5000"}, "InvalidParameterValue"),
        ({"HEIGHT": "-3"}, "InvalidParameterValue"),
        ({"HEIGHT": "1e2"}, "InvalidParameterValue"),
        ({"TRANSPARENT": "maybe"}, "InvalidParameterValue"),
        ({"BGCOLOR": "red"}, "InvalidParameterValue"),
        ({"LAYERS": ",".join(["map"] * 9)}, "InvalidParameterValue"),
        ({"SERVICE": "WFS"}, "InvalidParameterValue"),
        ({"REQUEST": "GetNothing"}, "OperationNotSupported"),
        ({"REQUEST": None}, "MissingParameterValue"),
    ],
)
def test_wrong_requests_are_refused_with_the_code_of_the_standard(
    client, real_data, wrong: dict[str, Any], code: str
) -> None:
    assert code_of(get_map(client, **wrong), real_data) == code


def test_capabilities_need_the_service_to_be_named(client, real_data) -> None:
    assert code_of(ask(client, "GetCapabilities", SERVICE=None), real_data) == "MissingParameterValue"


def test_1_1_1_refuses_in_its_own_dialect(client) -> None:
    old = {"VERSION": "1.1.1", "CRS": None, "SRS": "EPSG:99999"}
    answer = get_map(client, **old)
    assert answer.mimetype == "application/vnd.ogc.se_xml"
    assert b"<!DOCTYPE ServiceExceptionReport SYSTEM" in answer.data
    assert tree(answer).find("ServiceException").get("code") == "InvalidSRS"


@pytest.mark.parametrize("prefix", ["", "application/vnd.ogc.se_"])
def test_exceptions_may_come_as_a_picture_or_a_blank_one(client, prefix: str) -> None:
    wrong = {"LAYERS": "nope", "WIDTH": 300, "HEIGHT": 120, "BGCOLOR": "0xFFFFFF"}
    blank = picture(get_map(client, **wrong, EXCEPTIONS=f"{prefix}BLANK"))
    assert blank.shape == (120, 300, 4) and (blank == 255).all()
    written = picture(get_map(client, **wrong, EXCEPTIONS=f"{prefix}INIMAGE"))
    assert written.shape == (120, 300, 4) and (written != 255).any()
    clear = picture(get_map(client, **wrong, EXCEPTIONS=f"{prefix}BLANK", TRANSPARENT="TRUE"))
    assert (clear[:, :, 3] == 0).all()


def test_where_no_picture_can_be_made_the_exception_comes_as_xml(client, real_data) -> None:
    assert code_of(get_map(client, WIDTH=0, EXCEPTIONS="INIMAGE"), real_data) == "InvalidParameterValue"


# ---- what lies at a point


def test_a_point_inside_an_area_names_it_in_every_form(client, record) -> None:
    area = one_area(record)
    place = {"BBOX": text_of(around(area["inside"], 1e-4)), "FEATURE_COUNT": 5}
    document = json.loads(get_info(client, **place).data)
    assert document["type"] == "FeatureCollection"
    feature = next(f for f in document["features"] if f["id"] == f"growing_areas.{area['id']}")
    assert feature["properties"]["name"] == area["name"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert "owner_name" not in feature["properties"]
    page = get_info(client, **place, INFO_FORMAT="text/html")
    assert page.mimetype == "text/html" and area["name"] in page.text
    assert f"/growing_areas/{area['id']}" in page.text and "<script" not in page.text
    plain = get_info(client, **place, INFO_FORMAT="text/plain")
    assert plain.mimetype == "text/plain" and area["name"] in plain.text and "Tên vùng" in plain.text


def test_1_1_1_asks_with_x_and_y(client, record) -> None:
    area = one_area(record)
    old = {"VERSION": "1.1.1", "CRS": None, "SRS": "EPSG:4326", "I": None, "J": None, "X": 100, "Y": 100}
    answer = get_info(client, **old, BBOX=text_of(around(area["inside"], 1e-4)))
    assert json.loads(answer.data)["features"][0]["id"] == f"growing_areas.{area['id']}"


def test_one_feature_is_told_of_unless_more_are_asked_for(client) -> None:
    everywhere = {"LAYERS": "communes", "QUERY_LAYERS": "communes", "WIDTH": 8, "HEIGHT": 8, "I": 4, "J": 4}
    assert len(json.loads(get_info(client, **everywhere).data)["features"]) == 1
    more = json.loads(get_info(client, **everywhere, FEATURE_COUNT=4).data)["features"]
    assert len(more) == 4


def test_nothing_at_a_point_is_said_in_one_sentence(client) -> None:
    nowhere = {"BBOX": "0,0,1,1"}
    assert json.loads(get_info(client, **nowhere).data)["features"] == []
    assert get_info(client, **nowhere, INFO_FORMAT="text/plain").text == "Không có gì ở đây.\n"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"I": 200}, "InvalidPoint"),
        ({"J": -1}, "InvalidPoint"),
        ({"J": "x"}, "InvalidPoint"),
        ({"I": None}, "MissingParameterValue"),
        ({"QUERY_LAYERS": "communes"}, "LayerNotDefined"),
        ({"QUERY_LAYERS": "nope"}, "LayerNotDefined"),
        ({"QUERY_LAYERS": None}, "MissingParameterValue"),
        ({"INFO_FORMAT": "text/nope"}, "InvalidFormat"),
        ({"FEATURE_COUNT": 0}, "InvalidParameterValue"),
    ],
)
def test_wrong_questions_about_a_point_are_refused(
    client, real_data, wrong: dict[str, Any], code: str
) -> None:
    assert code_of(get_info(client, **wrong), real_data) == code


# ---- rights


def test_a_draft_is_on_no_picture_and_in_no_answer_but_for_those_who_may_see_it(
    client, record, officer
) -> None:
    area = one_area(record, "status = 'draft'")
    point = area["inside"]
    place = {"BBOX": text_of(around(point, 1e-5)), "FEATURE_COUNT": 50}
    with_map = {key: value for key, value in place.items() if key == "BBOX"}
    hidden = json.loads(get_info(client, **place).data)["features"]
    shown = json.loads(get_info(client, headers=officer, **place).data)["features"]
    identity = f"growing_areas.{area['id']}"
    assert identity not in [f["id"] for f in hidden]
    mine = next(f for f in shown if f["id"] == identity)
    assert mine["properties"]["owner_name"] == area["owner_name"]
    public, staff = (
        picture(get_map(client, **with_map)),
        picture(get_map(client, headers=officer, **with_map)),
    )
    if not hidden:
        assert (public[100, 100] == 255).all()
    assert (staff[100, 100] != 255).any()
    assert get_map(client, **with_map).headers["Cache-Control"].startswith("public")
    assert get_map(client, headers=officer, **with_map).headers["Cache-Control"].startswith("private")


def test_joined_areas_of_a_small_scale_are_those_of_the_caller(client, record, officer) -> None:
    small = {"BBOX": "103,7,107,11", "WIDTH": 400, "HEIGHT": 400}
    public = get_map(client, **small).data
    assert get_map(client, headers=officer, **small).data != public
    assert get_map(client, **small).data == public


# ---- legends and styles


def test_a_legend_has_the_colours_of_the_layer_and_the_words_of_the_caller(client) -> None:
    legend = {"LAYER": "growing_areas", "FORMAT": "image/png", "VERSION": "1.3.0"}
    vi = ask(client, "GetLegendGraphic", **legend)
    en = ask(client, "GetLegendGraphic", **legend, lang="en")
    assert vi.data != en.data
    client.delete_cookie("lang")
    seen = picture(vi)[:, :, :3].reshape(-1, 3)
    for color in CROP_COLORS.values():
        blended = [round(0.55 * int(color[i : i + 2], 16) + 0.45 * 255) for i in (1, 3, 5)]
        assert (np.abs(seen.astype(int) - blended).max(axis=1) <= 3).any(), color


def test_legends_of_no_layer_or_of_another_style_are_refused(client, real_data) -> None:
    assert code_of(ask(client, "GetLegendGraphic"), real_data) == "MissingParameterValue"
    assert code_of(ask(client, "GetLegendGraphic", LAYER="nope"), real_data) == "LayerNotDefined"
    wrong = ask(client, "GetLegendGraphic", LAYER="communes", STYLE="nope")
    assert code_of(wrong, real_data) == "StyleNotDefined"


def test_a_single_symbol_is_drawn_as_large_as_asked(client) -> None:
    asked = {"LAYER": "products", "RULE": "products-5", "WIDTH": 24, "HEIGHT": 16, "FORMAT": "image/png"}
    assert picture(ask(client, "GetLegendGraphic", **asked)).shape == (16, 24, 4)


def test_get_styles_answers_with_the_layer_descriptor(client) -> None:
    answer = ask(client, "GetStyles", LAYERS="communes,products", VERSION="1.1.1")
    assert answer.mimetype == "application/vnd.ogc.sld+xml"
    names = re.findall(r"<NamedLayer>\s*<Name>(\w+)</Name>", answer.text)
    assert names == ["communes", "products"]
