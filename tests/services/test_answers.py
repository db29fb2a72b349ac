"""Tiles, TileJSON, styles, GeoJSON, search and health as their specifications say."""

from __future__ import annotations

import gzip
import json
import unicodedata

import mapbox_vector_tile
import pytest
import shapely

from gis import tilegrid
from layers import catalogue


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_every_layer_answers_in_every_form(client, layer) -> None:
    """The contract that each declaration is held to."""
    described = client.get(f"/tiles/{layer.id}.json").json
    assert described["tilejson"] == "3.0.0"
    assert described["tiles"][0].endswith("?v=" + described["tiles"][0].rsplit("=", 1)[1])
    assert {v["id"] for v in described["vector_layers"]} == {layer.id, layer.style.label_layer(layer.id)}
    west, south, east, north = described["bounds"]
    assert 104 < west < east < 106 and 8 < south < north < 10

    style = client.get(f"/styles/{layer.id}.json").json
    assert style["version"] == 8
    assert {part["source-layer"] for part in style["layers"]} <= {v["id"] for v in described["vector_layers"]}
    assert all(part["id"].startswith(layer.id) for part in style["layers"])

    collection = client.get(f"/layers/{layer.id}.geojson?limit=20")
    assert collection.mimetype == "application/geo+json"
    document = collection.json
    assert document["numberReturned"] == len(document["features"]) <= 20
    assert document["numberMatched"] >= document["numberReturned"] > 0
    for feature in document["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.is_valid(shape)
        assert shape.geom_type.upper() == layer.geometry
        if shape.geom_type == "MultiPolygon":
            assert all(part.exterior.is_ccw for part in shape.geoms)


def test_a_tile_has_the_public_fields_and_the_ids_of_the_record(client) -> None:
    feature = client.get("/layers/products.geojson?limit=1").json["features"][0]
    lon, lat = feature["geometry"]["coordinates"]
    x, y, _, _ = tilegrid.tile_range((lon, lat, lon, lat), 14)
    response = client.get(f"/tiles/products/14/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    decoded = mapbox_vector_tile.decode(gzip.decompress(response.data))["products"]
    found = {f["id"]: f["properties"] for f in decoded["features"]}
    assert found[feature["id"]]["name"] == feature["properties"]["name"]


def test_a_tile_is_204_inside_and_404_outside_the_limits(client) -> None:
    assert client.get("/tiles/growing_areas/9/0/0.mvt").status_code == 404
    assert client.get("/tiles/growing_areas/3/6/3.mvt").status_code == 404
    assert client.get("/tiles/growing_areas/30/0/0.mvt").status_code == 404
    assert client.get("/tiles/no_such_layer/9/405/243.mvt").status_code == 404
    west, south, east, north = client.get("/tiles/sale_points.json").json["bounds"]
    x, y, _, _ = tilegrid.tile_range(((west + east) / 2, (south + north) / 2, east, north), 16)
    statuses = {client.get(f"/tiles/sale_points/16/{x + i}/{y}.mvt").status_code for i in range(20)}
    assert 204 in statuses and statuses <= {200, 204}


def test_what_has_not_changed_is_answered_304(client) -> None:
    for address in (
        "/layers.json",
        "/layers/communes.geojson",
        "/tiles/communes.json",
        "/styles/communes.json",
        "/tiles/communes/9/405/243.mvt",
        "/statistics/products_by_star.json",
    ):
        first = client.get(address)
        assert first.status_code == 200, address
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304, address
        assert not again.data


def test_pages_of_a_layer_hold_every_row_once(client) -> None:
    address, seen = "/layers/growing_areas.geojson?limit=137&sortby=-households&properties=households", []
    matched = client.get(address).json["numberMatched"]
    values = []
    while address:
        document = client.get(address).json
        seen += [f["id"] for f in document["features"]]
        values += [f["properties"]["households"] for f in document["features"]]
        address = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    assert len(seen) == len(set(seen)) == matched
    known = [v for v in values if v is not None]
    assert known == sorted(known, reverse=True)


def test_a_box_gives_just_what_meets_it(client) -> None:
    box = (104.9, 8.9, 105.1, 9.1)
    inside = client.get(f"/layers/growing_areas.geojson?limit=100000&bbox={','.join(map(str, box))}").json
    everything = client.get("/layers/growing_areas.geojson?limit=100000").json
    window = shapely.box(*box)
    expected = {
        f["id"]
        for f in everything["features"]
        if shapely.from_geojson(json.dumps(f["geometry"])).intersects(window)
    }
    assert {f["id"] for f in inside["features"]} == expected
    assert inside["numberMatched"] == len(expected)


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "bbox=106,9,105,10",
        "bbox=105,9,106,nan",
        "limit=0",
        "limit=-5",
        "limit=x",
        "sortby=geom",
        "sortby=password",
        "after=%00",
        "after=drop table",
        "households=many",
        "skipGeometry=maybe",
        "properties=owner_phone",
    ],
)
def test_a_wrong_parameter_is_400_with_one_sentence(client, query) -> None:
    response = client.get(f"/layers/growing_areas.geojson?{query}")
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert response.json["detail"].endswith(".") or response.json["detail"].endswith(")")
    assert "%(" not in response.json["detail"]


def test_refusals_are_english_for_who_asks_in_english(client) -> None:
    vietnamese = client.get("/layers/growing_areas.geojson?foo=1").json["detail"]
    english = client.get("/layers/growing_areas.geojson?foo=1&lang=en").json["detail"]
    assert vietnamese != english
    assert english.isascii() or "“" in english


@pytest.mark.parametrize(
    "typed", ["Đầm Dơi", "dam doi", "DAM DOI", unicodedata.normalize("NFD", "Đầm Dơi"), "đầm dơi"]
)
def test_search_ignores_accents_case_and_normal_form(client, typed) -> None:
    hits = client.get("/search", query_string={"q": typed, "f": "json"}).json["results"]
    assert any(hit["title"].endswith("Đầm Dơi") for hit in hits)


def test_search_puts_exact_accents_first(client) -> None:
    hits = client.get("/search", query_string={"q": "Tân Hưng", "f": "json"}).json["results"]
    units = [hit["title"] for hit in hits if hit["layer"] == "communes"]
    assert units[0] == "Xã Tân Hưng"


def test_statistics_put_every_unit_in_one_class_or_without_data(client) -> None:
    listing = client.get("/statistics.json").json
    assert {"products_by_star", "growing_area_ha", "craft_villages"} <= {
        i["id"] for i in listing["indicators"]
    }
    for indicator in listing["indicators"]:
        for level, units in (("communes", 101), ("districts", 9)):
            document = client.get(f"/statistics/{indicator['id']}.json?level={level}").json
            assert len(document["values"]) == units
            counted = sum(c["count"] for c in document["classes"]) + document["no_data"]["count"]
            assert counted == units


def test_communes_sum_to_their_districts(client) -> None:
    by_commune = client.get("/statistics/products_by_star.json?level=communes").json["values"]
    by_district = client.get("/statistics/products_by_star.json?level=districts").json["values"]
    assert sum(v["value"] for v in by_commune) == sum(v["value"] for v in by_district)
    products = client.get("/layers/products.geojson?limit=100000").json["features"]
    rated = [p for p in products if (p["properties"]["stars"] or 0) >= 3 and p["properties"]["commune_code"]]
    assert sum(v["value"] for v in by_commune) == len(rated)


def test_health_and_metrics_answer(client) -> None:
    assert client.get("/health/live").json == {"status": "ok"}
    assert client.get("/health/ready").json["checks"] == {"record": True, "schema": True}
    client.get("/layers.json")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'ocopmap_requests_total{rule="/layers.json",status="200"}' in text


def test_every_page_has_a_strict_policy_and_no_inline_code(client) -> None:
    for address in ("/", "/map", "/products", "/craft_villages", "/login", "/search?q=ca"):
        response = client.get(address, headers={"Accept": "text/html"})
        assert response.status_code == 200, address
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "script-src 'self' 'nonce-" in policy
        page = response.get_data(as_text=True)
        assert " style=" not in page and " onclick=" not in page, address
