"""OGC API – Features Part 4: create, replace, update and delete, with rights, preconditions and reference systems."""

from __future__ import annotations

import json
from typing import Any

import pyproj
import pytest
import shapely
import sqlalchemy as sa

from data import audit
from data.accounts import Actor, Role
from data.admin_units import Commune
from data.growing_areas import GrowingArea
from layers import catalogue, locks, read
from layers.filters import Ids

ITEMS = "/ogc/collections/growing_areas/items"
GEOJSON = "application/geo+json"
PATCH = "application/merge-patch+json"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
READING = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def places(demo_store) -> list[tuple[str, float, float]]:
    """A commune code with a point inside it, for some communes."""
    with demo_store.reading() as session:
        units = session.scalars(sa.select(Commune).where(Commune.edition == "2020").order_by(Commune.code))
        points = [(unit.code, shapely.point_on_surface(unit.geom)) for unit in units]
        return [(code, point.x, point.y) for code, point in points]


@pytest.fixture
def officer(header_of) -> dict[str, str]:
    return header_of("province_officer")


def square(x: float, y: float, side: float = 0.0005) -> dict[str, Any]:
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: dict[str, Any], **properties: Any) -> str:
    values = {"name": "Vùng thử OGC", "crop": "rice", **properties}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": values})


def created(client, officer, places, **properties: Any) -> str:
    _, x, y = places[10]
    answer = client.post(
        ITEMS, data=feature(square(x, y), **properties), content_type=GEOJSON, headers=officer
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.headers["Location"].removeprefix("http://localhost")


# ---- create


def test_a_feature_is_created_where_location_says(client, officer, places, demo_store) -> None:
    code, x, y = places[10]
    answer = client.post(ITEMS, data=feature(square(x, y)), content_type=GEOJSON, headers=officer)
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert location.startswith(f"http://localhost{ITEMS}/growing_areas.")
    found = client.get(location.removeprefix("http://localhost"), headers=officer).json
    assert location.endswith(f"/items/{found['id']}")
    assert found["geometry"]["type"] == "MultiPolygon"
    assert found["properties"]["commune_code"] == code
    assert found["properties"]["area_ha"] > 0
    number = int(found["id"].split(".")[1])
    with demo_store.reading() as session:
        entry = audit.history(session, "growing_areas", number)[0]
        assert (entry.action, entry.source) == ("insert", "ogcapi")


@pytest.mark.parametrize("form", ["{}", "<{}>"])
@pytest.mark.parametrize("code", [4326, 3857, 9207])
def test_the_body_may_be_in_any_system_with_or_without_brackets(client, officer, places, form, code) -> None:
    _, x, y = places[20]
    plain = shapely.geometry.shape(square(x, y))
    to = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=False)
    moved = shapely.transform(plain, lambda xy: list(zip(*to.transform(xy[:, 0], xy[:, 1]), strict=True)))
    answer = client.post(
        ITEMS,
        data=feature(json.loads(shapely.to_geojson(moved))),
        content_type=GEOJSON,
        headers={**officer, "Content-Crs": form.format(f"{EPSG}{code}")},
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    stored = client.get(answer.headers["Location"].removeprefix("http://localhost"), headers=officer).json
    shape = shapely.from_geojson(json.dumps(stored["geometry"]))
    tolerance = 1e-6 if code != 9207 else 0.003  # pyproj by itself does not shift VN-2000
    assert shape.hausdorff_distance(plain) < tolerance


def test_a_box_of_latitudes_first_without_saying_so_is_refused(client, officer, places) -> None:
    _, x, y = places[20]
    answer = client.post(ITEMS, data=feature(square(y, x)), content_type=GEOJSON, headers=officer)
    assert answer.status_code == 422
    assert answer.json["field"] == "geometry"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", GEOJSON, 400),
        ("[]", GEOJSON, 400),
        ('{"type":"FeatureCollection","features":[]}', GEOJSON, 400),
        ('{"type":"Feature","geometry":null,"properties":[]}', GEOJSON, 400),
        ('{"type":"Feature","geometry":{"type":"Circle"},"properties":{}}', GEOJSON, 400),
        ('{"type":"Feature","geometry":{"type":"Polygon","coordinates":[1]},"properties":{}}', GEOJSON, 400),
        ("[" * 100_000, GEOJSON, 400),
        ('{"type":"Feature"}', "text/plain", 415),
        ('{"type":"Feature"}', "application/xml", 415),
        ('{"type":"Feature","geometry":null,"properties":{"name":"x","crop":"kryptonite"}}', GEOJSON, 422),
        ('{"type":"Feature","geometry":null,"properties":{"name":"","crop":"rice"}}', GEOJSON, 422),
        ('{"type":"Feature","geometry":null,"properties":{"name":"x","crop":"rice","nope":1}}', GEOJSON, 422),
        ('{"type":"Feature","geometry":null,"properties":{"name":{"a":1},"crop":"rice"}}', GEOJSON, 422),
        (
            '{"type":"Feature","geometry":null,"properties":{"name":"x","crop":"rice","households":-1}}',
            GEOJSON,
            422,
        ),
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_kept(client, officer, body, content_type, status) -> None:
    before = client.get(f"{ITEMS}?limit=1", headers=officer).json["numberMatched"]
    answer = client.post(ITEMS, data=body, content_type=content_type, headers=officer)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]
    assert client.get(f"{ITEMS}?limit=1", headers=officer).json["numberMatched"] == before


def test_an_unsupported_system_of_the_body_is_400(client, officer, places) -> None:
    _, x, y = places[20]
    headers = {**officer, "Content-Crs": "<http://www.opengis.net/def/crs/0/unsupported>"}
    answer = client.post(ITEMS, data=feature(square(x, y)), content_type=GEOJSON, headers=headers)
    assert answer.status_code == 400


# ---- update


def test_a_patch_of_properties_keeps_the_geometry(client, officer, places) -> None:
    address = created(client, officer, places, variety="ST24", hamlet="Ấp 3")
    before = client.get(address, headers=officer).json
    answer = client.patch(
        address,
        data=json.dumps({"properties": {"variety": "ST25", "hamlet": None}}),
        content_type=PATCH,
        headers=officer,
    )
    assert answer.status_code == 204 and not answer.data
    after = client.get(address, headers=officer).json
    assert after["geometry"] == before["geometry"]
    assert after["properties"]["variety"] == "ST25"
    assert after["properties"]["hamlet"] is None
    assert after["properties"]["version"] == before["properties"]["version"] + 1


def test_a_patch_of_the_geometry_keeps_the_properties(client, officer, places) -> None:
    address = created(client, officer, places)
    code, x, y = places[40]
    answer = client.patch(
        address, data=json.dumps({"geometry": square(x, y)}), content_type=PATCH, headers=officer
    )
    assert answer.status_code == 204
    after = client.get(address, headers=officer).json
    assert after["properties"]["name"] == "Vùng thử OGC"
    assert after["properties"]["commune_code"] == code


def test_the_id_cannot_be_patched(client, officer, places) -> None:
    address = created(client, officer, places)
    body = json.dumps({"id": "growing_areas.1", "properties": {"variety": "x"}})
    answer = client.patch(address, data=body, content_type=PATCH, headers=officer)
    assert answer.status_code == 422
    assert client.get(address, headers=officer).json["properties"]["variety"] is None


def test_what_a_map_client_read_it_may_send_back(client, officer, places) -> None:
    """Map clients show the id as a field and send every field, computed ones too."""
    address = created(client, officer, places)
    known = client.get(address, headers=officer).json
    known["properties"] |= {"id": known["id"], "variety": "ST25"}
    answer = client.put(address, data=json.dumps(known), content_type=GEOJSON, headers=officer)
    assert answer.status_code == 204
    assert client.get(address, headers=officer).json["properties"]["variety"] == "ST25"


def test_a_row_under_a_lock_is_not_changed(client, officer, places, demo_store) -> None:
    address = created(client, officer, places)
    number = int(address.rsplit(".", 1)[1])
    areas = catalogue.layer("growing_areas")
    actor = Actor(role=Role.PROVINCE_OFFICER, name="Người khác")
    query = read.Query(areas, actor, where=Ids((number,)))
    locks.lock(demo_store, actor, [query], 300, all_or_none=True)
    body = json.dumps({"properties": {"variety": "x"}})
    assert client.patch(address, data=body, content_type=PATCH, headers=officer).status_code == 423
    assert client.delete(address, headers=officer).status_code == 423
    assert client.get(address, headers=officer).json["properties"]["variety"] is None


def test_put_replaces_every_field(client, officer, places) -> None:
    address = created(client, officer, places, variety="ST24")
    _, x, y = places[10]
    answer = client.put(
        address, data=feature(square(x, y), name="Khác"), content_type=GEOJSON, headers=officer
    )
    assert answer.status_code == 204
    after = client.get(address, headers=officer).json["properties"]
    assert (after["name"], after["variety"]) == ("Khác", None)


def test_put_and_null_do_not_publish_a_draft(client, officer, places) -> None:
    address = created(client, officer, places, status="draft")
    _, x, y = places[10]
    assert (
        client.put(address, data=feature(square(x, y)), content_type=GEOJSON, headers=officer).status_code
        == 204
    )
    body = json.dumps({"properties": {"status": None}})
    assert client.patch(address, data=body, content_type=PATCH, headers=officer).status_code == 204
    assert client.get(address, headers=officer).json["properties"]["status"] == "draft"


def test_the_new_state_comes_back_for_who_prefers_it(client, officer, places) -> None:
    address = created(client, officer, places)
    headers = {**officer, "Prefer": "return=representation"}
    body = json.dumps({"properties": {"variety": "ST25"}})
    answer = client.patch(address, data=body, content_type=PATCH, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert answer.json["properties"]["variety"] == "ST25"


def test_unknown_fields_are_left_out_for_who_prefers_lenience(client, officer, places) -> None:
    _, x, y = places[10]
    body = feature(square(x, y), nope=1)
    strict = client.post(ITEMS, data=body, content_type=GEOJSON, headers=officer)
    lenient = client.post(
        ITEMS, data=body, content_type=GEOJSON, headers={**officer, "Prefer": "handling=lenient"}
    )
    assert (strict.status_code, lenient.status_code) == (422, 201)
    computed = feature(square(x, y), area_ha=1)
    refused = client.post(
        ITEMS, data=computed, content_type=GEOJSON, headers={**officer, "Prefer": "handling=strict"}
    )
    assert refused.status_code == 422


def test_delete_removes_and_the_id_is_not_used_again(client, officer, places) -> None:
    address = created(client, officer, places)
    assert client.delete(address, headers=officer).status_code == 204
    assert client.get(address, headers=officer).status_code == 404
    assert client.delete(address, headers=officer).status_code == 404
    assert created(client, officer, places) != address


# ---- preconditions


def test_if_match_lets_only_the_first_of_two_edits_through(client, officer, places) -> None:
    address = created(client, officer, places)
    seen = client.get(address, headers=officer)
    tag = seen.headers["ETag"]
    assert not tag.startswith("W/")

    def edit(variety: str) -> Any:
        return client.patch(
            address,
            data=json.dumps({"properties": {"variety": variety}}),
            content_type=PATCH,
            headers={**officer, "If-Match": tag},
        )

    assert edit("đầu").status_code == 204
    second = edit("sau")
    assert second.status_code == 412
    assert second.json["current"] == seen.json["properties"]["version"] + 1
    assert client.get(address, headers=officer).json["properties"]["variety"] == "đầu"
    assert client.delete(address, headers={**officer, "If-Match": tag}).status_code == 412
    fresh = client.get(address, headers=officer).headers["ETag"]
    assert fresh != tag
    assert client.delete(address, headers={**officer, "If-Match": fresh}).status_code == 204


def test_a_compressed_answer_has_a_tag_that_may_be_used(client, officer, places) -> None:
    address = created(client, officer, places, description="dài " * 500)
    seen = client.get(address, headers={**officer, "Accept-Encoding": "gzip"})
    assert seen.headers["Content-Encoding"] == "gzip"
    body = json.dumps({"properties": {"variety": "x"}})
    headers = {**officer, "If-Match": seen.headers["ETag"]}
    assert client.patch(address, data=body, content_type=PATCH, headers=headers).status_code == 204


def test_the_tag_of_an_edit_serves_for_the_next(client, officer, places) -> None:
    address = created(client, officer, places)
    body = json.dumps({"properties": {"variety": "một"}})
    first = client.patch(address, data=body, content_type=PATCH, headers=officer)
    body = json.dumps({"properties": {"variety": "hai"}})
    headers = {**officer, "If-Match": first.headers["ETag"]}
    assert client.patch(address, data=body, content_type=PATCH, headers=headers).status_code == 204


@pytest.mark.parametrize("tag", ['"nonsense"', 'W/"v1-abc"', '"v999-0000"'])
def test_a_tag_that_is_not_of_the_row_fails(client, officer, places, tag) -> None:
    address = created(client, officer, places)
    _, x, y = places[10]
    headers = {**officer, "If-Match": tag}
    answer = client.put(address, data=feature(square(x, y)), content_type=GEOJSON, headers=headers)
    assert answer.status_code == 412
    assert answer.json["current"] == 1


def test_if_match_on_what_is_not_there_is_412_and_without_it_404(client, officer, places) -> None:
    _, x, y = places[10]
    body = feature(square(x, y))
    for name in ("growing_areas.99999999", "unknown_id"):
        for tag in ('"v1-abc"', "*"):
            headers = {**officer, "If-Match": tag}
            answer = client.put(f"{ITEMS}/{name}", data=body, content_type=GEOJSON, headers=headers)
            assert answer.status_code == 412
        answer = client.put(f"{ITEMS}/{name}", data=body, content_type=GEOJSON, headers=officer)
        assert answer.status_code == 404


def test_any_state_will_do_for_a_star(client, officer, places) -> None:
    address = created(client, officer, places)
    headers = {**officer, "If-Match": "*"}
    body = json.dumps({"properties": {"variety": "x"}})
    assert client.patch(address, data=body, content_type=PATCH, headers=headers).status_code == 204
    _, x, y = places[10]
    refused = client.put(
        address, data=feature(square(x, y)), content_type=GEOJSON, headers={**officer, "If-None-Match": "*"}
    )
    assert refused.status_code == 412


def test_the_version_among_the_properties_guards_too(client, officer, places) -> None:
    address = created(client, officer, places)

    def edit(version: Any, variety: str) -> Any:
        body = json.dumps({"properties": {"version": version, "variety": variety}})
        return client.patch(address, data=body, content_type=PATCH, headers=officer)

    assert edit(1, "một").status_code == 204
    stale = edit(1, "hai")
    assert stale.status_code == 409
    assert stale.json["current"] == 2
    assert "2" in stale.json["detail"]
    assert edit("một", "ba").status_code == 422
    assert client.get(address, headers=officer).json["properties"]["variety"] == "một"


# ---- rights


def allowed(client, address: str, headers: dict[str, str] | None = None) -> set[str]:
    answer = client.options(address, headers=headers or {})
    assert answer.status_code == 200
    return {name.strip() for name in answer.headers["Allow"].split(",")}


def test_allow_tells_the_truth_to_each_caller(client, officer, places, header_of, demo_store) -> None:
    item = created(client, officer, places)
    code, other = places[10][0], places[40][0]
    home, away = header_of("commune_officer", code), header_of("commune_officer", other)
    assert allowed(client, ITEMS) == READING
    assert allowed(client, item) == READING
    assert allowed(client, ITEMS, header_of("planner")) == READING
    assert allowed(client, ITEMS, officer) == READING | {"POST"}
    assert allowed(client, item, officer) == READING | {"PUT", "PATCH", "DELETE"}
    assert allowed(client, f"{ITEMS}/unknown_id", officer) == READING | {"PUT", "PATCH", "DELETE"}
    assert allowed(client, f"{ITEMS}/unknown_id") == READING
    assert allowed(client, item, home) == READING | {"PUT", "PATCH", "DELETE"}
    assert allowed(client, item, away) == READING
    assert allowed(client, "/ogc/collections/communes/items", officer) == READING
    asked = client.options(ITEMS, headers=officer)
    assert GEOJSON in asked.headers["Accept-Post"]
    for address in ("/ogc", "/ogc/collections", "/ogc/collections/products", "/ogc/api", "/ogc/tiles"):
        assert allowed(client, address, officer) == READING


def test_who_may_not_edit_is_refused(client, officer, places, header_of) -> None:
    address = created(client, officer, places)
    _, x, y = places[10]
    body = feature(square(x, y))
    anonymous = client.post(ITEMS, data=body, content_type=GEOJSON)
    assert anonymous.status_code == 401
    assert "Basic" in anonymous.headers["WWW-Authenticate"]
    for role in ("planner", "inspector", "council_member"):
        headers = header_of(role)
        assert client.post(ITEMS, data=body, content_type=GEOJSON, headers=headers).status_code == 403
        assert client.put(address, data=body, content_type=GEOJSON, headers=headers).status_code == 403
        assert client.delete(address, headers=headers).status_code == 403
    assert client.delete(address).status_code == 401
    assert client.get(address, headers=officer).status_code == 200


def test_an_officer_edits_the_own_commune_only(client, officer, places, header_of) -> None:
    address = created(client, officer, places)
    (home, x, y), (_, far_x, far_y) = places[10], places[40]
    mine, theirs = header_of("commune_officer", home), header_of("commune_officer", places[40][0])
    body = json.dumps({"properties": {"variety": "x"}})
    assert client.patch(address, data=body, content_type=PATCH, headers=theirs).status_code == 403
    assert client.patch(address, data=body, content_type=PATCH, headers=mine).status_code == 204
    away = json.dumps({"geometry": square(far_x, far_y)})
    assert client.patch(address, data=away, content_type=PATCH, headers=mine).status_code == 403
    assert (
        client.post(ITEMS, data=feature(square(x, y)), content_type=GEOJSON, headers=mine).status_code == 201
    )
    outside = client.post(ITEMS, data=feature(square(far_x, far_y)), content_type=GEOJSON, headers=mine)
    assert outside.status_code == 403


def test_boundaries_are_not_edited_here(client, officer) -> None:
    answer = client.post("/ogc/collections/communes/items", data="{}", content_type=GEOJSON, headers=officer)
    assert answer.status_code == 405
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == READING


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_method_that_is_not_there_is_refused_with_those_that_are(client, officer, accept) -> None:
    """RFC 9110 §15.5.6: 405 comes with Allow; what it lists is what OPTIONS lists for the same caller."""
    missing = (
        (ITEMS, "PUT"),
        (ITEMS, "DELETE"),
        (f"{ITEMS}/1", "POST"),
        ("/ogc", "POST"),
        ("/ogc/api", "PATCH"),
    )
    for headers in ({}, officer):
        for address, method in missing:
            answer = client.open(address, method=method, headers={**headers, "Accept": accept})
            assert answer.status_code == 405, (address, method)
            assert answer.mimetype == "application/problem+json"
            assert answer.json["status"] == 405 and answer.json["detail"]
            assert {n.strip() for n in answer.headers["Allow"].split(",")} == allowed(
                client, address, headers
            )
    assert (
        client.put("/ogc/collections/no_such/items", headers={"Accept": "application/json"}).status_code
        == 404
    )
    assert client.post("/ogc/no_such", headers={"Accept": "application/json"}).status_code == 404


def test_a_draft_is_seen_by_nobody_outside(client, officer, places, demo_store) -> None:
    address = created(client, officer, places, name="Zyxwv Bí Mật", status="draft")
    number = address.rsplit("/", 1)[1]
    public = client.get(f"{ITEMS}?limit=10000")
    assert "Zyxwv" not in public.get_data(as_text=True)
    assert client.get(address).status_code == 404
    assert client.get(address, headers=officer).json["id"] == number
    for form in ("html", "csv", "jsonfg", "gml", "flatgeobuf"):
        body = client.get(f"{ITEMS}?limit=10000&f={form}").data
        assert b"Zyxwv" not in body
    assert client.get(ITEMS, query_string={"filter": "name='Zyxwv Bí Mật'"}).json["numberMatched"] == 0
    matched = client.get(f"{ITEMS}?limit=1").json["numberMatched"]
    with demo_store.reading() as session:
        rule = GrowingArea.status == "published"
        assert matched == session.scalar(sa.select(sa.func.count()).where(rule))
    assert client.get(f"{address}?f=html").status_code == 404


def test_an_edit_shows_at_once_in_counts_and_tags(client, officer, places) -> None:
    before = client.get(f"{ITEMS}?limit=1")
    created(client, officer, places)
    again = client.get(f"{ITEMS}?limit=1", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 200
    assert again.json["numberMatched"] == before.json["numberMatched"] + 1
    assert client.get("/ogc/collections/growing_areas").json["itemCount"] == again.json["numberMatched"]
