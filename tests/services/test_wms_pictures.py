"""The pictures of the web map service, what it tells of a point, and to whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from flask.testing import FlaskClient

from data.accounts import add_account, make_api_key
from data.store import Store
from layers import catalogue
from layers.catalogue import CROP_COLORS
from tests.services.wms_client import (
    WORLD,
    application,
    around,
    ask,
    code_of,
    get_info,
    get_map,
    one_area,
    picture,
    text_of,
    tree,
)

WMS = "http://www.opengis.net/wms"


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
