"""OGC API – Features Part 1: resources, links, forms, languages, methods, and refusals in one sentence."""

from __future__ import annotations

import datetime as dt
import json
import re

import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from data.tables import RecordFact
from layers import catalogue

API = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"
LAYERS = [layer.id for layer in catalogue.LAYERS]


def links_of(document: dict, rel: str) -> list[dict]:
    return [link for link in document["links"] if link["rel"] == rel]


def path_of(href: str) -> str:
    return href.removeprefix("http://localhost")


# ---- landing page, conformance


def test_the_landing_page_leads_to_description_conformance_and_data(client) -> None:
    page = client.get("/ogc", headers={"Accept": "application/json"})
    assert page.status_code == 200
    assert page.mimetype == "application/json"
    for rel in ("self", "service-desc", "service-doc", "conformance", "data"):
        assert links_of(page.json, rel), rel
    assert links_of(page.json, "service-desc")[0]["type"] == API
    data = links_of(page.json, "data")[0]["href"]
    assert path_of(data) == "/ogc/collections"
    tilesets = links_of(page.json, "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector")[0]["href"]
    assert "/tiles" in tilesets


@pytest.mark.parametrize("address", ["/ogc", "/ogc/collections", "/ogc/collections/products", "/ogc/tiles"])
def test_every_link_answers_with_exactly_the_type_that_it_states(client, address) -> None:
    followed = 0
    for link in client.get(f"{address}?f=json").json["links"]:
        if "type" not in link or link.get("templated"):
            continue
        answer = client.get(path_of(link["href"]), headers={"Accept": link["type"]})
        assert answer.status_code == 200, link
        stated = (
            link["type"] if "json" in link["type"] or "xml" in link["type"] else link["type"].split(";")[0]
        )
        assert answer.content_type.startswith(stated), (link, answer.content_type)
        followed += 1
    assert followed >= 2


def test_the_conformance_classes_are_uris_of_the_standards(client) -> None:
    declared = client.get("/ogc/conformance").json["conformsTo"]
    assert len(declared) == len(set(declared))
    assert all(re.fullmatch(r"http://www\.opengis\.net/spec/[\w./-]+/conf/[\w-]+", uri) for uri in declared)
    for wanted in (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/gmlsf0",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/gmlsf2",
        "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
        "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
        "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
        "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    ):
        assert wanted in declared


# ---- collections


def test_the_collections_are_the_catalogue(client) -> None:
    document = client.get("/ogc/collections").json
    assert [entry["id"] for entry in document["collections"]] == LAYERS
    assert len(links_of(document, "license")) == 1
    for entry in document["collections"]:
        assert len(links_of(entry, "license")) == 1
        for rel in ("self", "items"):
            assert links_of(entry, rel)
            assert all("type" in link for link in links_of(entry, rel))


@pytest.mark.parametrize("name", LAYERS)
def test_a_collection_says_where_when_and_in_which_systems_it_is(client, name) -> None:
    document = client.get(f"/ogc/collections/{name}").json
    west, south, east, north = document["extent"]["spatial"]["bbox"][0]
    assert 104 < west < east < 106 and 8 < south < north < 10
    assert document["extent"]["spatial"]["crs"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert document["storageCrs"] in document["crs"]
    assert "http://www.opengis.net/def/crs/OGC/1.3/CRS84" in document["crs"]
    for bound in document["extent"]["temporal"]["interval"][0]:
        assert bound is None or dt.datetime.fromisoformat(bound).tzinfo
    assert document["itemCount"] == client.get(f"/ogc/collections/{name}/items?limit=1").json["numberMatched"]
    assert document["keywords"] and all(isinstance(word, str) for word in document["keywords"])
    (licence,) = links_of(document, "license")
    assert licence["href"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    (schema,) = links_of(document, SCHEMA_REL)
    assert schema["type"] == "application/schema+json"
    assert path_of(schema["href"]) == f"/ogc/collections/{name}/schema"
    for suffix in ("/items", "/queryables", "/schema"):
        base = path_of(links_of(document, "self")[0]["href"])
        assert client.get(base + suffix).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/ogc/collections/no_such",
        "/ogc/collections/no_such/items",
        "/ogc/collections/no_such/items/1",
        "/ogc/collections/no_such/schema",
        "/ogc/collections/no_such/queryables",
        "/ogc/collections/products/items/999999999",
        "/ogc/collections/products/items/communes.1",
        "/ogc/collections/products/items/99999999999999999999999",
        "/ogc/collections/products/items/unknown_id",
        "/ogc/no_such",
    ],
)
def test_what_is_not_there_is_404(client, address) -> None:
    answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_no_licence_is_invented_and_a_change_of_it_shows(client, demo_store) -> None:
    address = "/ogc/collections/products?f=json"
    before = client.get(address)
    for value, shown in (("javascript:alert(1)", []), ("https://example.org/by", ["https://example.org/by"])):
        with demo_store.writing() as session:
            fact = session.scalar(sa.select(RecordFact).where(RecordFact.key == "data_licence_url"))
            fact.value = value
        after = client.get(address, headers={"If-None-Match": before.headers["ETag"]})
        assert after.status_code == 200
        assert [link["href"] for link in links_of(after.json, "license")] == shown


# ---- features


def test_items_are_a_feature_collection_with_counts_time_and_links(client) -> None:
    answer = client.get("/ogc/collections/growing_areas/items?limit=10")
    document = answer.json
    assert answer.mimetype == "application/geo+json"
    assert document["type"] == "FeatureCollection"
    assert document["numberReturned"] == len(document["features"]) == 10
    assert document["numberMatched"] > 1_000
    assert answer.headers["OGC-NumberMatched"] == str(document["numberMatched"])
    moment = dt.datetime.fromisoformat(document["timeStamp"])
    assert abs((dt.datetime.now(dt.UTC) - moment).total_seconds()) < 120
    assert links_of(document, "self")[0]["type"] == "application/geo+json"
    assert links_of(document, "next")[0]["type"] == "application/geo+json"
    assert {link["type"] for link in links_of(document, "alternate")} >= {
        "text/html",
        "application/flatgeobuf",
        "text/csv",
    }


@pytest.mark.parametrize("more", ["", "&sortby=-households", "&sortby=crop,-name&crop=rice,banana"])
def test_following_next_gives_every_feature_once(client, more) -> None:
    address, seen, matched = f"/ogc/collections/growing_areas/items?limit=400{more}", [], set()
    while address:
        document = client.get(address).json
        seen += [feature["id"] for feature in document["features"]]
        matched.add(document["numberMatched"])
        following = links_of(document, "next")
        address = path_of(following[0]["href"]) if following else None
    assert matched == {len(seen)} == {len(set(seen))}


def test_a_page_longer_than_a_chunk_is_whole(client) -> None:
    document = client.get("/ogc/collections/growing_areas/items?limit=1500&properties=name").json
    assert document["numberReturned"] == 1500 == len({f["id"] for f in document["features"]})
    rest = client.get(path_of(links_of(document, "next")[0]["href"])).json
    assert rest["numberReturned"] == document["numberMatched"] - 1500
    assert not links_of(rest, "next")


def test_more_than_the_largest_page_is_the_largest_page(client) -> None:
    assert client.get("/ogc/collections/products/items?limit=1000000").status_code == 200


def test_a_feature_has_the_same_id_as_in_the_page_and_in_the_other_services(client) -> None:
    feature = client.get("/ogc/collections/products/items?limit=1").json["features"][0]
    assert re.fullmatch(r"products\.\d+", feature["id"])
    alone = client.get(f"/ogc/collections/products/items/{feature['id']}")
    assert alone.mimetype == "application/geo+json"
    assert alone.json["id"] == feature["id"]
    assert alone.json["properties"] == feature["properties"]
    assert alone.json["geometry"] == feature["geometry"]
    for rel in ("self", "alternate", "collection"):
        assert links_of(alone.json, rel)
    number = feature["id"].split(".")[1]
    assert client.get(f"/ogc/collections/products/items/{number}").json["id"] == feature["id"]


def test_a_box_gives_just_what_meets_it(client) -> None:
    everything = client.get("/ogc/collections/growing_areas/items?limit=10000").json["features"]
    window = shapely.box(104.9, 8.9, 105.1, 9.1)
    expected = {
        f["id"] for f in everything if shapely.from_geojson(json.dumps(f["geometry"])).intersects(window)
    }
    for box in ("104.9,8.9,105.1,9.1", "104.9,8.9,-100,105.1,9.1,1000"):
        found = client.get(f"/ogc/collections/growing_areas/items?limit=10000&bbox={box}").json
        assert {f["id"] for f in found["features"]} == expected
        assert found["numberMatched"] == len(expected)


def test_a_box_across_the_180th_meridian_is_understood(client) -> None:
    every = client.get("/ogc/collections/products/items?limit=1").json["numberMatched"]
    asked = "/ogc/collections/products/items?limit=1&bbox="
    assert client.get(f"{asked}100,-10,-170,20").json["numberMatched"] == every
    assert client.get(f"{asked}170,-10,-170,20").json["numberMatched"] == 0


@pytest.mark.parametrize(
    ("moment", "edition"),
    [("2021-01-01", "2020"), ("2021-01-01T00:00:00Z", "2020"), ("2020-02-10/2020-03-01", "2020")],
)
def test_a_moment_chooses_the_boundaries_that_were_in_force(client, moment, edition) -> None:
    document = client.get(f"/ogc/collections/communes/items?limit=1000&datetime={moment}").json
    assert document["numberMatched"] == 101
    assert {f["properties"]["edition"] for f in document["features"]} == {edition}


def test_open_and_closed_intervals_cut_the_products_by_their_certificates(client) -> None:
    address = "/ogc/collections/products/items?limit=1000&datetime="
    every = client.get("/ogc/collections/products/items?limit=1000").json["features"]
    days = [f["properties"]["certified_on"] for f in every if f["properties"]["certified_on"]]
    middle = sorted(days)[len(days) // 2]
    after = client.get(f"{address}{middle}/..").json["numberMatched"]
    assert after == sum(day >= middle for day in days)
    assert client.get(f"{address}{middle}/9999-12-31T00:00:00Z").json["numberMatched"] == after
    assert client.get(f"{address}{middle}/").json["numberMatched"] == after
    assert client.get(f"{address}../{middle}").json["numberMatched"] == sum(day <= middle for day in days)
    assert client.get(f"{address}{middle}").json["numberMatched"] == days.count(middle)


def test_fields_sorting_and_missing_shapes_are_as_asked(client) -> None:
    document = client.get(
        "/ogc/collections/products/items?limit=500&sortby=-stars,name&properties=name,stars&skipGeometry=true"
    ).json
    assert all(set(f["properties"]) == {"name", "stars"} for f in document["features"])
    assert all(f["geometry"] is None for f in document["features"])
    stars = [f["properties"]["stars"] for f in document["features"]]
    known = [s for s in stars if s is not None]
    assert known == sorted(known, reverse=True)
    assert stars == known + [None] * (len(stars) - len(known))


def test_a_field_is_a_parameter(client) -> None:
    found = client.get("/ogc/collections/products/items?limit=1000&stars=3,4").json["features"]
    assert {f["properties"]["stars"] for f in found} == {3, 4}
    name = found[0]["properties"]["name"]
    same = client.get("/ogc/collections/products/items", query_string={"name": name}).json["features"]
    assert {f["properties"]["name"] for f in same} == {name}


def test_codes_are_titled_and_references_are_addresses_on_request(client) -> None:
    plain = client.get("/ogc/collections/craft_village_points/items?limit=1").json["features"][0][
        "properties"
    ]
    answer = client.get(
        "/ogc/collections/craft_village_points/items?limit=1&profile=val-as-title,rel-as-link,unknown"
    )
    titled = answer.json["features"][0]["properties"]
    codes = client.get("/ogc/collections/craft_village_points/schema").json["properties"]["kind"]["oneOf"]
    assert {"const": plain["kind"], "title": titled["kind"]} in codes
    assert titled["village_id"]["href"].endswith(f"/items/craft_villages.{plain['village_id']}")
    assert client.get(path_of(titled["village_id"]["href"])).status_code == 200
    assert 'rel="profile"' in answer.headers["Link"]
    assert "OGC/0/val-as-title" in answer.headers["Link"]
    uri = client.get("/ogc/collections/craft_village_points/items?limit=1&profile=rel-as-uri").json[
        "features"
    ][0]
    assert uri["properties"]["village_id"] == titled["village_id"]["href"]


# ---- what is refused


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "unknownQueryParameter=1",
        "Limit=5",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=",
        "bbox=1,2,3",
        "bbox=1,2,3,4,5",
        "bbox=a,b,c,d",
        "bbox=105,9,106,nan",
        "bbox=105,9,106,inf",
        "bbox=105,10,106,9",
        "bbox=",
        "bbox=1000,0,2000,1",
        "bbox=0,0,1e300,1e-300&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857",
        "bbox=1e300,1e300,1e301,1e301&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/32648",
        "datetime=yesterday",
        "datetime=2026-13-01",
        "datetime=2026-02-30T00:00:00Z",
        "datetime=2026-01-02/2026-01-01",
        "datetime=2026/2027/2028",
        "crs=http://www.opengis.net/def/crs/0/unsupported",
        "crs=EPSG:4326",
        "bbox-crs=http://www.opengis.net/def/crs/0/unsupported",
        "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/2154",
        "filter-crs=http://www.opengis.net/def/crs/0/unsupported",
        "sortby=geom",
        "sortby=owner_phone",
        "properties=owner_phone",
        "households=many",
        "skipGeometry=maybe",
        "filter-lang=ecql",
        "filter=name+=",
        "filter=no_such_field=1",
        "filter=owner_phone='1'",
        "filter=households='many'",
        "filter-lang=cql2-json&filter={",
        "after=drop table",
        "f=shape",
        "lang=fr",
    ],
)
def test_a_wrong_parameter_is_400_with_one_sentence(client, query) -> None:
    answer = client.get(
        f"/ogc/collections/growing_areas/items?{query}", headers={"Accept": "application/json"}
    )
    assert answer.status_code == 400, answer.get_data(as_text=True)[:300]
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 400
    assert answer.json["detail"].strip()
    assert "%(" not in answer.json["detail"] and "\n" not in answer.json["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "/ogc",
        "/ogc/conformance",
        "/ogc/api",
        "/ogc/collections",
        "/ogc/collections/products",
        "/ogc/collections/products/items/1",
        "/ogc/collections/products/schema",
        "/ogc/collections/products/queryables",
        "/ogc/tiles",
        "/ogc/styles",
    ],
)
def test_an_unknown_parameter_is_400_everywhere(client, address) -> None:
    assert client.get(f"{address}?foo=1").status_code == 400
    assert client.get(f"{address}?f=nonsense").status_code == 400


# ---- forms, languages, methods


@pytest.mark.parametrize(
    "address",
    [
        "/ogc",
        "/ogc/conformance",
        "/ogc/api",
        "/ogc/collections",
        "/ogc/collections/products",
        "/ogc/collections/products/items",
        "/ogc/collections/products/items/products.1",
        "/ogc/collections/products/schema",
        "/ogc/collections/products/queryables",
        "/ogc/collections/products/sortables",
        "/ogc/collections/growing_areas/items?crop=rice",
        "/ogc/tiles",
        "/ogc/tiles/WebMercatorQuad",
        "/ogc/tileMatrixSets",
        "/ogc/tileMatrixSets/WorldCRS84Quad",
        "/ogc/styles",
        "/ogc/styles/ocop/metadata",
    ],
)
def test_people_get_pages_and_programs_get_documents(client, address) -> None:
    join = "&" if "?" in address else "?"
    browser = client.get(address, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    asked = client.get(f"{address}{join}f=html")
    for page in (browser, asked):
        assert page.status_code == 200
        assert page.mimetype == "text/html"
        text = page.get_data(as_text=True)
        assert "<h1" in text and " style=" not in text and " onclick=" not in text
        assert "%(" not in text
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert "json" in client.get(address, headers=headers).mimetype
    assert client.head(address).status_code == 200
    assert not client.head(address).data
    slash = address.replace("?", "/?") if "?" in address else f"{address}/"
    assert client.get(slash, follow_redirects=True).status_code == 200


def test_a_slash_at_the_end_keeps_the_question(client) -> None:
    document = client.get("/ogc/collections/products/items/?limit=3", follow_redirects=True).json
    assert document["numberReturned"] == 3


def test_what_cannot_be_given_is_406(client) -> None:
    answer = client.get("/ogc/collections", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert client.get("/ogc/collections", headers={"Accept": "image/png, */*;q=0.1"}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/geo+json", "application/geo+json"),
        ("application/json", "application/geo+json"),
        ("application/flatgeobuf", "application/flatgeobuf"),
        ("text/csv", "text/csv"),
        ("application/gml+xml", "application/gml+xml"),
        ("text/html;q=0.1, application/vnd.ogc.fg+json", "application/vnd.ogc.fg+json"),
    ],
)
def test_accept_chooses_the_form_of_items(client, accept, expected) -> None:
    answer = client.get("/ogc/collections/products/items?limit=2", headers={"Accept": accept})
    assert answer.mimetype == expected


@pytest.mark.parametrize(
    "address", ["/ogc/collections/products/items?limit=2", "/ogc/collections/products/items/1"]
)
def test_gml_has_the_two_media_types_of_the_standard(client, address) -> None:
    """OGC 17-069r4 §8.4 names them; the profile is a URI without quotes there, and with quotes in HTTP."""
    kind, profile = (
        "application/gml+xml;version=3.2;profile=",
        "http://www.opengis.net/def/profile/ogc/2.0/gml-",
    )
    bodies = {}
    for level, forms in (("sf0", ("gml", "gmlsf0")), ("sf2", ("gmlsf2",))):
        accepts = [f"{kind}{profile}{level}", f'{kind}"{profile}{level}";q=0.9, application/json;q=0.5']
        answers = [client.get(address, headers={"Accept": accept}) for accept in accepts]
        between = "&" if "?" in address else "?"
        answers += [client.get(f"{address}{between}f={form}") for form in forms]
        assert {answer.content_type for answer in answers} == {f"{kind}{profile}{level}"}
        bodies[level] = re.sub(rb'timeStamp="[^"]*"', b"", answers[0].data)
        links = client.get(address).json["links"]
        assert [link["type"] for link in links if link["href"].endswith(f"f={forms[0]}")] == [
            kind + profile + level
        ]
    assert bodies["sf0"] == bodies["sf2"]
    for accept in ("application/gml+xml", "application/gml+xml; version=3.2"):
        assert client.get(address, headers={"Accept": accept}).content_type == f"{kind}{profile}sf0"
    described = client.get("/ogc/api?f=json").json["paths"]["/collections/products/items"]["get"]
    assert {f"{kind}{profile}sf0", f"{kind}{profile}sf2"} <= set(described["responses"]["200"]["content"])


def test_what_is_liked_best_comes_before_what_is_named_exactly(client) -> None:
    address = "/ogc/collections/products/items?limit=2"
    answer = client.get(address, headers={"Accept": "text/csv;header=present;q=0.1, application/geo+json"})
    assert answer.mimetype == "application/geo+json"


@pytest.mark.parametrize("form", ["flatgeobuf", "csv", "gml"])
def test_forms_without_links_tell_count_and_next_page_in_headers(client, form) -> None:
    answer = client.get(f"/ogc/collections/growing_areas/items?limit=1200&f={form}")
    matched = client.get("/ogc/collections/growing_areas/items?limit=1").json["numberMatched"]
    assert answer.headers["OGC-NumberMatched"] == str(matched)
    following = re.search(r'<([^>]+)>; rel="next"; type="([^"]+)"', answer.headers["Link"])
    assert following is not None
    assert answer.content_type.startswith(following[2])
    rest = client.get(path_of(following[1]))
    assert rest.status_code == 200
    assert 'rel="next"' not in rest.headers["Link"]
    if form == "csv":
        lines = answer.data.count(b"\r\n") or answer.data.count(b"\n")
        assert lines >= 1_200


@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_links_are_addresses_whatever_was_asked(client, form) -> None:
    """Headers hold no letters beyond ASCII and no control characters, and the next page is of the same question."""
    asked = {"name": 'Đ\x10“<>"\r\n', "lang": "vi", "f": form}
    answer = client.get("/ogc/collections/products/items", query_string=asked)
    assert answer.status_code == 200
    text = answer.headers.get("Link") or "".join(link["href"] for link in answer.json["links"])
    assert text.isascii() and text.isprintable()
    more = client.get(
        "/ogc/collections/communes/items", query_string={"filter": "name LIKE '%ư%'", "limit": 1}
    )
    following = links_of(more.json, "next")[0]["href"]
    assert following.isascii()
    assert client.get(path_of(following)).json["numberMatched"] == more.json["numberMatched"]


def test_flatgeobuf_items_are_read_by_gdal(client, tmp_path) -> None:
    path = tmp_path / "areas.fgb"
    path.write_bytes(client.get("/ogc/collections/growing_areas/items?limit=1100&f=flatgeobuf").data)
    info = pyogrio.read_info(path)
    assert info["features"] == 1_100
    assert "name" in info["fields"]


def test_the_language_follows_the_parameter_and_then_the_header(client) -> None:
    vietnamese = client.get("/ogc/collections/products")
    english = client.get("/ogc/collections/products", headers={"Accept-Language": "en-GB,en;q=0.9"})
    asked = client.get("/ogc/collections/products?lang=en", headers={"Accept-Language": "vi"})
    assert vietnamese.json["title"] == "Sản phẩm OCOP"
    assert english.json["title"] == asked.json["title"] == "OCOP products"
    assert vietnamese.headers["Content-Language"] == "vi"
    assert english.headers["Content-Language"] == "en"
    assert "Accept-Language" in english.headers["Vary"]
    assert english.headers["ETag"] != vietnamese.headers["ETag"]


def test_what_has_not_changed_is_answered_304(client) -> None:
    for address in (
        "/ogc",
        "/ogc/collections",
        "/ogc/collections/communes/items?limit=2",
        "/ogc/collections/communes/items/1",
        "/ogc/collections/communes/schema",
        "/ogc/api",
        "/ogc/tiles/WebMercatorQuad",
        "/ogc/styles/ocop",
    ):
        first = client.get(address)
        assert first.status_code == 200
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304, address
        assert not again.data


def test_other_sites_may_read(client) -> None:
    answer = client.get("/ogc/collections")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    asked = client.options("/ogc/collections/products/items", headers={"Origin": "https://example.org"})
    assert asked.status_code == 200
    assert "GET" in asked.headers["Access-Control-Allow-Methods"]


def test_pages_tell_search_engines_what_they_show(client) -> None:
    for address, kind in (
        ("/ogc", "DataCatalog"),
        ("/ogc/collections/products", "Dataset"),
        ("/ogc/collections/products/items/1", "Product"),
        ("/ogc/collections/communes/items/1", "AdministrativeArea"),
    ):
        page = client.get(f"{address}?f=html").get_data(as_text=True)
        found = re.search(r'<script type="application/ld\+json" nonce="[^"]+">(.*?)</script>', page, re.S)
        assert found is not None
        document = json.loads(found[1])
        assert document["@context"] == "https://schema.org/"
        assert document["@type"] == kind


def test_a_mistake_of_a_person_is_shown_as_a_page(client) -> None:
    answer = client.get("/ogc/collections/products/items?f=html&limit=x")
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
