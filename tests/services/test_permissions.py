"""A hidden row or field leaks through no tile, GeoJSON, search, count, statistic or page."""

from __future__ import annotations

import gzip
import json
from typing import Any

import mapbox_vector_tile
import pytest
import sqlalchemy as sa

from data.growing_areas import GrowingArea
from data.products import Product
from data.store import Store, bump
from data.text import search_text
from gis import tilegrid
from layers import catalogue
from layers.fields import Layer

SECRET = "Zyxwv Bí Mật"


def hide(store: Store, model: Any, **values: Any) -> tuple[int, tuple[float, float], str]:
    """Turn a published row into a draft with a name that occurs nowhere else; return id, place and commune."""
    with store.writing() as session:
        row = session.scalars(
            sa.select(model)
            .where(model.status == "published", model.commune_id.is_not(None))
            .order_by(model.id)
        ).first()
        row.status = "draft"
        row.name = SECRET
        row.search = search_text(SECRET)
        for name, value in values.items():
            setattr(row, name, value)
        point = row.geom if row.geom.geom_type == "Point" else row.geom.representative_point()
        bump(session, model.__tablename__)
        return row.id, (point.x, point.y), row.commune.code


def tile_address(layer: str, lon: float, lat: float, zoom: int) -> str:
    x, y, _, _ = tilegrid.tile_range((lon, lat, lon, lat), zoom)
    return f"/tiles/{layer}/{zoom}/{x}/{y}.mvt"


def tile_features(response: Any, layer: str) -> list[dict[str, Any]]:
    if response.status_code == 204:
        return []
    body = response.data
    if response.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return mapbox_vector_tile.decode(body)[layer]["features"]


@pytest.mark.parametrize(("layer", "model"), [("growing_areas", GrowingArea), ("products", Product)])
def test_a_draft_is_seen_by_nobody_outside(client, demo_store, layer, model) -> None:
    published_before = client.get(f"/layers/{layer}.geojson?limit=1").json["numberMatched"]
    row_id, (lon, lat), _ = hide(demo_store, model)

    collection = client.get(f"/layers/{layer}.geojson?limit=100000")
    assert collection.json["numberMatched"] == published_before - 1
    assert SECRET not in collection.get_data(as_text=True)
    assert row_id not in {f["id"] for f in collection.json["features"]}
    assert client.get(f"/layers/{layer}/{row_id}.geojson").status_code == 404
    assert client.get(f"/{layer}/{row_id}").status_code == 404
    assert client.get(f"/{layer}?q=zyxwv").get_data(as_text=True).count(SECRET) == 0
    assert client.get("/search?q=zyxwv&f=json").json["results"] == []
    assert SECRET not in client.get("/search?q=zyxwv&f=html").get_data(as_text=True)
    for zoom in (6, 10, 13):
        response = client.get(tile_address(layer, lon, lat, zoom))
        names = {f["properties"].get("name") for f in tile_features(response, layer)}
        assert SECRET not in names
    layers = {entry["id"]: entry for entry in client.get("/layers.json").json["layers"]}
    assert layers[layer]["count"] == published_before - 1


def test_the_province_officer_sees_the_draft_everywhere(client, demo_store, header_of) -> None:
    row_id, (lon, lat), _ = hide(demo_store, GrowingArea)
    officer = header_of("province_officer")

    assert (
        client.get(f"/layers/growing_areas/{row_id}.geojson", headers=officer).json["properties"]["name"]
        == SECRET
    )
    response = client.get(tile_address("growing_areas", lon, lat, 13), headers=officer)
    assert SECRET in {f["properties"].get("name") for f in tile_features(response, "growing_areas")}
    found = client.get("/search?q=zyxwv&f=json", headers=officer).json["results"]
    assert [(hit["layer"], hit["id"]) for hit in found] == [("growing_areas", row_id)]


def test_a_commune_officer_sees_drafts_of_the_own_commune_only(client, demo_store, header_of) -> None:
    row_id, _, commune = hide(demo_store, GrowingArea)
    others = [c for c in ("31999", "32248") if c != commune]

    assert client.get(
        f"/layers/growing_areas/{row_id}.geojson", headers=header_of("commune_officer", commune)
    ).json
    refused = client.get(
        f"/layers/growing_areas/{row_id}.geojson", headers=header_of("commune_officer", others[0])
    )
    assert refused.status_code == 404


def test_a_draft_producer_is_not_named_by_its_published_products(client, demo_store, header_of) -> None:
    with demo_store.writing() as session:
        product = session.scalars(
            sa.select(Product).where(Product.status == "published", Product.producer_id.is_not(None))
        ).first()
        product.producer.status = "draft"
        product.producer.name = SECRET
        bump(session, "producers")
        product_id = product.id
    public = client.get(f"/layers/products/{product_id}.geojson").json
    assert public["properties"]["producer_name"] is None
    assert SECRET not in client.get(f"/products/{product_id}").get_data(as_text=True)
    filtered = client.get("/layers/products.geojson", query_string={"producer_name": SECRET}).json
    assert filtered["numberMatched"] == 0
    officer = client.get(f"/layers/products/{product_id}.geojson", headers=header_of("province_officer")).json
    assert officer["properties"]["producer_name"] == SECRET


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_no_answer_for_the_public_has_a_field_meant_for_staff(client, layer: Layer) -> None:
    hidden = {f.name for f in layer.fields if f.audience}
    collection = client.get(f"/layers/{layer.id}.geojson?limit=3").json
    for feature in collection["features"]:
        assert not hidden & set(feature["properties"])
        single = client.get(f"/layers/{layer.id}/{feature['id']}.geojson").json
        assert not hidden & set(single["properties"])
    described = client.get(f"/tiles/{layer.id}.json").json["vector_layers"][0]["fields"]
    assert not hidden & set(described)
    for name in hidden:
        assert client.get(f"/layers/{layer.id}.geojson?{name}=1").status_code == 400
        assert client.get(f"/layers/{layer.id}.geojson?sortby={name}").status_code == 400
        assert client.get(f"/layers/{layer.id}.geojson?properties={name}").status_code == 400


def test_a_commune_officer_reads_telephones_of_the_own_commune_only(client, demo_store, header_of) -> None:
    with demo_store.reading() as session:
        area = session.scalars(
            sa.select(GrowingArea).where(
                GrowingArea.owner_phone.is_not(None), GrowingArea.status == "published"
            )
        ).first()
        area_id, commune, phone = area.id, area.commune.code, area.owner_phone
    other = "32248" if commune != "32248" else "31999"
    at_home = client.get(
        f"/layers/growing_areas/{area_id}.geojson", headers=header_of("commune_officer", commune)
    )
    assert at_home.json["properties"]["owner_phone"] == phone
    stranger = header_of("commune_officer", other)
    abroad = client.get(f"/layers/growing_areas/{area_id}.geojson", headers=stranger)
    assert abroad.json["properties"]["owner_phone"] is None
    guessed = client.get(
        "/layers/growing_areas.geojson", query_string={"owner_phone": phone}, headers=stranger
    )
    assert area_id not in {f["id"] for f in guessed.json["features"]}
    planner = client.get(f"/layers/growing_areas/{area_id}.geojson", headers=header_of("planner")).json
    assert planner["properties"]["owner_phone"] == phone
    assert "owner_id_number" not in planner["properties"]


def test_cached_tiles_of_staff_are_not_given_to_the_public(client, demo_store, header_of) -> None:
    _, (lon, lat), _ = hide(demo_store, GrowingArea)
    address = tile_address("growing_areas", lon, lat, 13)
    officer = client.get(address, headers=header_of("province_officer"))
    assert SECRET in {f["properties"].get("name") for f in tile_features(officer, "growing_areas")}
    public = client.get(address)
    assert SECRET not in {f["properties"].get("name") for f in tile_features(public, "growing_areas")}
    assert officer.headers["ETag"] != public.headers["ETag"]
    assert "private" in officer.headers["Cache-Control"]


def test_a_wrong_password_is_refused_and_does_not_become_an_anonymous_call(client) -> None:
    response = client.get("/layers/products.geojson", headers={"Authorization": "Basic eDp5"})
    assert response.status_code == 401
    assert json.loads(response.data)["status"] == 401
