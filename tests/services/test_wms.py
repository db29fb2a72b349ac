"""The web map service: its description, negotiation, refusals and legends, as its two standards ask."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyproj
import pytest
from flask.testing import FlaskClient
from PIL import Image

from data.accounts import add_account, make_api_key
from data.store import Store
from layers import catalogue
from layers.catalogue import CROP_COLORS
from tests.services.wms_client import application, ask, code_of, get_map, picture, tree
from tests.xmlschemas import schema

WMS, SLD = "http://www.opengis.net/wms", "http://www.opengis.net/sld"
HREF = "{http://www.w3.org/1999/xlink}href"
CAPABILITIES_SCHEMAS = {
    WMS: "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd",
    SLD: "http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd",
}


@pytest.fixture(scope="module")
def app(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with application(record, tmp_path_factory.mktemp("wms")) as made:
        yield made


@pytest.fixture
def client(app: Any) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def officer(record: Store) -> dict[str, str]:
    """The header of an officer of the province, who sees drafts and the fields for staff."""
    with record.writing() as session:
        account = add_account(session, "map-officer", "province_officer", password=None)
        return {"Authorization": f"Bearer {make_api_key(session, account, 'thử')}"}


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
