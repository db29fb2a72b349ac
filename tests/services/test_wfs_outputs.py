"""Formats, single features, GetPropertyValue and streams of the feature service."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pyogrio
import pytest
from lxml import etree

from data.accounts import SYSTEM
from layers import catalogue, read
from layers.filters import Comparison, all_of
from tests.services.wfs_client import GML_ID, NAMES, post

AREAS = catalogue.layer("growing_areas")
PRODUCTS = catalogue.layer("products")
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"
VERSIONS = {"2.0.0": "wfs:member", "1.1.0": "gml3:featureMember", "1.0.0": "gml3:featureMember"}


# ---- formats


def test_geojson_is_lon_lat_and_counts(wfs, rows) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="products", OUTPUTFORMAT="application/json", COUNT=10)
    assert answer.headers["Content-Type"].startswith("application/json")
    document = json.loads(answer.body)
    expected = rows(PRODUCTS, limit=10)
    assert [f["id"] for f in document["features"]] == [f"products.{i}" for i in expected.ids.tolist()]
    lon, lat = document["features"][0]["geometry"]["coordinates"]
    assert 104 < lon < 106 and 8 < lat < 10
    assert document["numberReturned"] == 10
    assert document["numberMatched"] == document["totalFeatures"] > 100
    (link,) = document["links"]
    assert len(json.loads(wfs.follow(link["href"]).body)["features"]) == 10
    latlon = wfs.get(
        "GetFeature",
        TYPENAMES="products",
        OUTPUTFORMAT="geojson",
        COUNT=1,
        SRSNAME="urn:ogc:def:crs:EPSG::4326",
    )
    assert json.loads(latlon.body)["features"][0]["geometry"]["coordinates"] == [lon, lat]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("application/flatgeobuf", ".fgb"),
        ("SHAPE-ZIP", ".zip"),
        ("application/geopackage+sqlite3", ".gpkg"),
    ],
)
def test_gdal_reads_the_files(wfs, rows, tmp_path: Path, name, suffix) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="app:growing_areas", OUTPUTFORMAT=name)
    assert answer.status == 200
    path = tmp_path / f"answer{suffix}"
    path.write_bytes(answer.body)
    if suffix == ".zip":
        assert zipfile.ZipFile(path).testzip() is None
    source = f"/vsizip/{path}" if suffix == ".zip" else str(path)
    info = pyogrio.read_info(source)
    assert info["features"] == len(rows(AREAS))


def test_csv_has_a_line_for_every_row(wfs, rows) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="products", OUTPUTFORMAT="text/csv")
    lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert len(lines) == len(rows(PRODUCTS)) + 1
    assert "name" in lines[0]


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("application/gml+xml; version=3.2", NAMES["wfs"]),
        ("application/gml xml; version=3.2", NAMES["wfs"]),
        ("text/xml; subtype=gml/3.2", NAMES["wfs"]),
        ("GML2", NAMES["wfs1"]),
        ("text/xml; subtype=gml/3.1.1", NAMES["wfs1"]),
    ],
)
def test_gml_of_any_version_may_be_asked_for(wfs, real_data, name, root) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="products", OUTPUTFORMAT=name, COUNT=2)
    assert etree.QName(wfs.valid(answer, real_data).root).namespace == root


def test_an_unknown_format_is_refused(wfs) -> None:
    wfs.get("GetFeature", TYPENAMES="products", OUTPUTFORMAT="application/gossip").shows(
        400, "InvalidParameterValue", "outputFormat"
    )


# ---- one feature


@pytest.mark.parametrize("query", [BY_ID, "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById"])
def test_a_feature_by_id_is_the_bare_feature(wfs, real_data, query) -> None:
    answer = wfs.valid(wfs.get("GetFeature", STOREDQUERY_ID=query, ID="products.3"), real_data)
    assert answer.root.tag == f"{{{NAMES['app']}}}products"
    assert answer.root.get(GML_ID) == "products.3"
    assert answer.text("/app:products/gml:name") == answer.text("/app:products/app:name")
    posted = wfs.post(
        post(
            f'<wfs:StoredQuery id="{query}"><wfs:Parameter name="id">products.3</wfs:Parameter></wfs:StoredQuery>'
        )
    )
    assert posted.root.get(GML_ID) == "products.3"


@pytest.mark.parametrize("unknown", ["products.99999999", "uuid-1f", "products.", "unicorns.1"])
def test_an_unknown_id_is_not_found(wfs, unknown) -> None:
    wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=unknown).shows(404, "NotFound")


def test_a_hidden_feature_is_not_found(wfs, header_of, demo_store) -> None:
    with demo_store.reading() as session:
        draft = read.rows(
            session, read.Query(AREAS, SYSTEM, where=all_of(Comparison("status", "=", "draft")))
        )
    hidden = f"growing_areas.{draft.ids[0]}"
    wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=hidden).shows(404, "NotFound")
    officer = wfs.acting(header_of("province_officer"))
    assert officer.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=hidden).root.get(GML_ID) == hidden


def test_a_feature_by_no_id_is_refused(wfs) -> None:
    wfs.get("GetFeature", STOREDQUERY_ID=BY_ID).shows(400, "MissingParameterValue", "id")


# ---- GetPropertyValue


@pytest.mark.parametrize(
    "reference", ["app:name", "name", "app:products/app:name", "app:name[1]", "gml:name"]
)
def test_the_values_of_a_property(wfs, real_data, rows, reference) -> None:
    answer = wfs.get("GetPropertyValue", TYPENAMES="app:products", VALUEREFERENCE=reference, COUNT=12)
    expected = rows(PRODUCTS, limit=12).by_name()["name"]
    assert answer.all("/wfs:ValueCollection/wfs:member/text()") == list(expected)
    wfs.valid(answer, real_data)


def test_values_that_are_missing_are_not_counted(wfs, demo_store) -> None:
    answer = wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="stars")
    with demo_store.reading() as session:
        every = read.rows(session, read.Query(PRODUCTS))
    stars = [str(v) for v in every.by_name()["stars"] if v is not None]
    assert len(stars) < len(every)
    assert answer.all("//wfs:member/text()") == stars
    assert answer.root.get("numberMatched") == answer.root.get("numberReturned") == str(len(stars))


def test_ids_dates_and_shapes_are_values_too(wfs, real_data) -> None:
    ids = wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="@gml:id", COUNT=3)
    assert all(text.startswith("products.") for text in ids.all("//wfs:member/text()"))
    dates = wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="certified_on", COUNT=3)
    assert all(len(t) == 10 for t in dates.all("//wfs:member/text()"))
    moments = wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="updated_at", COUNT=3)
    assert all(t.endswith("Z") for t in moments.all("//wfs:member/text()"))
    shapes = wfs.valid(
        wfs.get("GetPropertyValue", TYPENAMES="growing_areas", VALUEREFERENCE="app:geom", COUNT=3), real_data
    )
    assert len(shapes.all("//wfs:member/gml:MultiSurface")) == 3


def test_a_value_reference_that_is_empty_missing_or_unknown_is_refused(wfs) -> None:
    wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="").shows(
        400, "InvalidParameterValue", "valueReference"
    )
    wfs.get("GetPropertyValue", TYPENAMES="products").shows(400, "MissingParameterValue", "valueReference")
    wfs.get("GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="app:colour").shows(
        400, "InvalidParameterValue", "valueReference"
    )
    wfs.post(
        '<wfs:GetPropertyValue service="WFS" version="2.0.0" valueReference="" '
        'xmlns:wfs="http://www.opengis.net/wfs/2.0"><wfs:Query typeNames="products"/></wfs:GetPropertyValue>'
    ).shows(400, "InvalidParameterValue", "valueReference")


def test_values_page_like_features(wfs) -> None:
    hits = wfs.get(
        "GetPropertyValue", TYPENAMES="products", VALUEREFERENCE="name", RESULTTYPE="hits", COUNT=5
    )
    assert hits.root.get("numberReturned") == "0"
    first = wfs.follow(hits.root.get("next"))
    second = wfs.follow(first.root.get("next"))
    assert second.root.get("numberReturned") == "5"
    assert wfs.follow(second.root.get("previous")).all("//wfs:member/text()") == first.all(
        "//wfs:member/text()"
    )


# ---- streams


def test_a_large_answer_streams_whole(wfs, demo_store, monkeypatch) -> None:
    monkeypatch.setattr("services.wfs.results.PAGE", 7)
    answer = wfs.get("GetFeature", TYPENAMES="products", SORTBY="name")
    with demo_store.reading() as session:
        expected = read.rows(session, read.Query(PRODUCTS, sort=(("name", False),)))
    assert answer.ids == [f"products.{i}" for i in expected.ids.tolist()]
    assert answer.root.get("numberReturned") == str(len(expected))
    part = wfs.get("GetFeature", TYPENAMES="products", SORTBY="name", COUNT=20, STARTINDEX=5)
    assert part.ids == answer.ids[5:25]


def test_an_unchanged_answer_is_not_sent_again(wfs) -> None:
    first = wfs.get("GetFeature", TYPENAMES="products", COUNT=3)
    wfs.headers = {"If-None-Match": first.headers["ETag"]}
    assert wfs.get("GetFeature", TYPENAMES="products", COUNT=3).status == 304
