"""OGC API – Tiles and Styles: tile matrix sets of the register, tile sets, tiles in both, and styles over them."""

from __future__ import annotations

import gzip
import math

import mapbox_vector_tile
import pytest

from layers import catalogue

REGISTER = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
GRIDS = ("WebMercatorQuad", "WorldCRS84Quad")
MVT = "application/vnd.mapbox-vector-tile"
#: Scale denominator and cell size of levels 0 and 1 (OGC 17-083r4, tables D.1 and D.2).
PUBLISHED = {
    "WebMercatorQuad": [
        (559082264.028717, 156543.033928041, 1, 1),
        (279541132.014358, 78271.5169640204, 2, 2),
    ],
    "WorldCRS84Quad": [(279541132.0143589, 0.703125, 2, 1), (139770566.0071794, 0.3515625, 4, 2)],
}


def path_of(href: str) -> str:
    return href.removeprefix("http://localhost")


def decoded(answer) -> dict:
    body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})


@pytest.mark.parametrize("grid", GRIDS)
def test_a_tile_matrix_set_is_that_of_the_register(client, grid) -> None:
    document = client.get(f"/ogc/tileMatrixSets/{grid}").json
    assert document["id"] == grid and document["uri"] == REGISTER + grid
    for level, (scale, cell, width, height) in enumerate(PUBLISHED[grid]):
        matrix = document["tileMatrices"][level]
        assert matrix["id"] == str(level)
        assert matrix["scaleDenominator"] == pytest.approx(scale, rel=1e-12)
        assert matrix["cellSize"] == pytest.approx(cell, rel=1e-12)
        assert (matrix["matrixWidth"], matrix["matrixHeight"]) == (width, height)
        assert (matrix["tileWidth"], matrix["tileHeight"]) == (256, 256)
    listed = client.get("/ogc/tileMatrixSets").json["tileMatrixSets"]
    assert [entry["id"] for entry in listed] == list(GRIDS)
    assert client.get("/ogc/tileMatrixSets/NoSuchQuad").status_code == 404


@pytest.mark.parametrize("base", ["/ogc/tiles", "/ogc/collections/products/tiles"])
def test_tile_sets_lead_to_their_tiles(client, base) -> None:
    entries = client.get(base).json["tilesets"]
    assert {entry["tileMatrixSetURI"] for entry in entries} == {REGISTER + grid for grid in GRIDS}
    for entry in entries:
        assert entry["dataType"] == "vector" and entry["crs"].startswith("http://www.opengis.net/def/crs/")
        (own,) = [link for link in entry["links"] if link["rel"] == "self"]
        (scheme,) = [link for link in entry["links"] if link["rel"].endswith("/tiling-scheme")]
        assert client.get(path_of(scheme["href"])).status_code == 200
        document = client.get(path_of(own["href"])).json
        (item,) = [link for link in document["links"] if link["rel"] == "item"]
        assert item["templated"] is True and item["type"] == MVT
        limits = {entry["tileMatrix"]: entry for entry in document["tileMatrixSetLimits"]}
        level = max(limits, key=int)
        limit = limits["9"]
        assert int(level) >= 14
        address = path_of(item["href"])
        for name, value in (
            ("tileMatrix", "9"),
            ("tileRow", limit["minTileRow"]),
            ("tileCol", limit["minTileCol"]),
        ):
            address = address.replace(f"{{{name}}}", str(value))
        answer = client.get(address)
        assert answer.status_code == 200 and answer.mimetype == MVT


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_every_collection_has_tiles_in_both_sets(client, layer) -> None:
    for grid in GRIDS:
        document = client.get(f"/ogc/collections/{layer.id}/tiles/{grid}").json
        assert [entry["id"] for entry in document["layers"]] == [layer.id]
        limit = next(entry for entry in document["tileMatrixSetLimits"] if entry["tileMatrix"] == "10")
        found = 0
        for row in range(limit["minTileRow"], limit["maxTileRow"] + 1):
            for column in range(limit["minTileCol"], limit["maxTileCol"] + 1):
                answer = client.get(f"/ogc/collections/{layer.id}/tiles/{grid}/10/{row}/{column}")
                assert answer.status_code == 200
                found += len(decoded(answer).get(layer.id, {}).get("features", [])) if answer.data else 0
        assert found


def test_a_tile_is_empty_inside_the_limits_and_missing_outside(client) -> None:
    document = client.get("/ogc/collections/sale_points/tiles/WebMercatorQuad").json
    limit = next(entry for entry in document["tileMatrixSetLimits"] if entry["tileMatrix"] == "16")
    base = "/ogc/collections/sale_points/tiles/WebMercatorQuad/16"
    inside = [
        client.get(f"{base}/{limit['minTileRow'] + 1}/{limit['minTileCol'] + step}") for step in range(20)
    ]
    assert {answer.status_code for answer in inside} == {200}
    assert any(not answer.data for answer in inside)
    assert {answer.mimetype for answer in inside} == {MVT}
    assert client.get(f"{base}/{limit['minTileRow'] - 1}/{limit['minTileCol']}").status_code == 404
    assert client.get(f"{base}/{limit['minTileRow']}/{limit['maxTileCol'] + 1}").status_code == 404
    for place in ("99/0/0", "0/5/5", "30/0/0", "2/0/0"):
        assert client.get(f"/ogc/tiles/WebMercatorQuad/{place}").status_code == 404
    assert client.get(f"{base}/x/y", headers={"Accept": "*/*"}).status_code == 404


@pytest.mark.parametrize("grid", GRIDS)
def test_a_point_lies_in_the_tile_where_the_formula_of_the_grid_puts_it(client, grid) -> None:
    feature = client.get("/ogc/collections/products/items?limit=1").json["features"][0]
    lon, lat = feature["geometry"]["coordinates"]
    level = 14
    if grid == "WebMercatorQuad":
        x = (lon + 180) / 360 * 2**level
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**level
    else:
        x, y = (lon + 180) / 180 * 2**level, (90 - lat) / 180 * 2**level
    answer = client.get(f"/ogc/collections/products/tiles/{grid}/{level}/{int(y)}/{int(x)}")
    found = {f["id"]: f for f in decoded(answer)["products"]["features"]}
    own = found[int(feature["id"].split(".")[1])]
    expected = [(x % 1) * 4096, (y % 1) * 4096]
    assert own["geometry"]["coordinates"] == pytest.approx(expected, abs=1)
    assert own["properties"]["name"] == feature["properties"]["name"]


def test_a_tile_of_the_record_holds_all_layers_or_those_that_are_named(client) -> None:
    (x, y), level = (405, 243), 9
    every = decoded(client.get(f"/ogc/tiles/WebMercatorQuad/{level}/{y}/{x}"))
    assert {"communes", "growing_areas", "products"} <= set(every)
    answer = client.get(f"/ogc/tiles/WebMercatorQuad/{level}/{y}/{x}?collections=products,communes")
    assert set(decoded(answer)) - {"communes_labels"} == {"communes", "products"}
    packed = client.get(
        f"/ogc/tiles/WebMercatorQuad/{level}/{y}/{x}?collections=products,communes",
        headers={"Accept-Encoding": "gzip"},
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert set(decoded(packed)) - {"communes_labels"} == {"communes", "products"}
    assert client.get("/ogc/tiles/WebMercatorQuad/9/243/405?collections=nope").status_code == 400


def test_the_tilejson_names_layers_fields_and_an_address_with_the_revision(client) -> None:
    document = client.get("/ogc/tiles/WebMercatorQuad?f=tilejson").json
    assert document["tilejson"] == "3.0.0"
    assert {layer.id for layer in catalogue.LAYERS} <= {entry["id"] for entry in document["vector_layers"]}
    (address,) = document["tiles"]
    answer = client.get(path_of(address.format(z=9, x=405, y=243)))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/ogc/tiles/WorldCRS84Quad?f=tilejson").status_code == 400


def test_tiles_of_staff_are_not_given_to_the_public(client, header_of) -> None:
    address = "/ogc/collections/products/tiles/WebMercatorQuad/9/243/405"
    officer = client.get(address, headers=header_of("province_officer"))
    public = client.get(address)
    count = [len(decoded(answer)["products"]["features"]) for answer in (officer, public)]
    assert count[0] > count[1]
    assert officer.headers["ETag"] != public.headers["ETag"]
    assert "private" in officer.headers["Cache-Control"]


def test_the_styles_draw_the_tiles(client) -> None:
    listed = client.get("/ogc/styles").json
    names = [entry["id"] for entry in listed["styles"]]
    assert listed["default"] in names and {layer.id for layer in catalogue.LAYERS} < set(names)
    for name in names:
        answer = client.get(f"/ogc/styles/{name}")
        assert answer.mimetype == "application/vnd.mapbox.style+json"
        style = answer.json
        assert style["version"] == 8
        (source,) = style["sources"].values()
        tiles = client.get(path_of(source["url"])).json
        known = {entry["id"] for entry in tiles["vector_layers"]}
        assert {part["source-layer"] for part in style["layers"]} == known
        assert len({part["id"] for part in style["layers"]}) == len(style["layers"])
        assert client.get(f"/ogc/styles/{name}/metadata").json["id"] == name
        for entry in client.get(f"/ogc/styles/{name}/metadata").json["stylesheets"]:
            answer = client.get(path_of(entry["link"]["href"]))
            assert answer.status_code == 200
            assert answer.content_type == entry["link"]["type"]
    assert client.get("/ogc/styles/nope").status_code == 404
    own = client.get("/ogc/collections/products/styles").json
    assert [entry["id"] for entry in own["styles"]] == ["products"]
    assert client.get("/ogc/collections/products/styles/products").status_code == 200
