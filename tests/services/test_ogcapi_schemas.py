"""OGC API – Features Part 5: schemas of what is returned and taken, and the OpenAPI document."""

from __future__ import annotations

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from layers import catalogue

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_the_schema_is_what_map_clients_read(client, layer) -> None:
    answer = client.get(f"/ogc/collections/{layer.id}/schema", headers={"Accept": "application/schema+json"})
    assert answer.mimetype == "application/schema+json"
    document = answer.json
    assert document["$schema"] == DRAFT
    assert document["$id"] == f"http://localhost/ogc/collections/{layer.id}/schema"
    jsonschema.Draft202012Validator.check_schema(document)
    properties = document["properties"]
    geometry = [p for p in properties.values() if p.get("x-ogc-role") == "primary-geometry"]
    assert len(geometry) == 1
    assert geometry[0]["format"] == f"geometry-{layer.geometry.lower()}"
    assert "type" not in geometry[0] and "$ref" not in geometry[0]
    assert [name for name, p in properties.items() if p.get("x-ogc-role") == "id"] == ["id"]
    numbers = [p["x-ogc-propertySeq"] for p in properties.values()]
    assert len(numbers) == len(set(numbers)) and all(isinstance(n, int) for n in numbers)
    for name, schema in properties.items():
        if name != "geom":
            assert isinstance(schema["type"], str)
            assert schema["title"]
            assert schema["readOnly"] is True, "the public may write nothing"
        assert all(k.startswith("x-ogc-") or not k.startswith("x-") for k in schema)
    roles = [p["x-ogc-role"] for p in properties.values() if p.get("x-ogc-role", "").startswith("primary-i")]
    assert roles in (["primary-instant"], ["primary-interval-start", "primary-interval-end"])


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_features_keep_to_the_schema(client, layer) -> None:
    schema = client.get(f"/ogc/collections/{layer.id}/schema").json
    fields = {k: v for k, v in schema["properties"].items() if k not in ("id", "geom")}
    validator = jsonschema.Draft202012Validator({"type": "object", "properties": fields})
    for feature in client.get(f"/ogc/collections/{layer.id}/items?limit=50").json["features"]:
        assert set(feature["properties"]) == set(fields)
        present = {k: v for k, v in feature["properties"].items() if v is not None}
        validator.validate(present)


def test_codes_units_and_references_are_told(client) -> None:
    areas = client.get("/ogc/collections/growing_areas/schema").json["properties"]
    assert {"const": "rice", "title": "lúa"} in areas["crop"]["oneOf"]
    assert areas["area_ha"]["x-ogc-unit"] == "har"
    english = client.get("/ogc/collections/growing_areas/schema?lang=en").json["properties"]
    assert english["area_ha"]["title"] == "Mapped area"
    points = client.get("/ogc/collections/craft_village_points/schema").json["properties"]
    assert points["village_id"]["x-ogc-role"] == "reference"
    template = points["village_id"]["x-ogc-uriTemplate"]
    assert client.get(template.format(resourceId=1).removeprefix("http://localhost")).status_code == 200


@pytest.mark.parametrize("kind", ["create", "replace", "update"])
def test_what_is_taken_has_only_fields_that_are_written(client, header_of, kind) -> None:
    officer = header_of("province_officer")
    document = client.get(f"/ogc/collections/products/schema?type={kind}", headers=officer).json
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["$id"].startswith("http") and "?" not in document["$id"]
    assert {"name", "product_set", "producer_id"} <= set(document["properties"])
    assert not {"producer_name", "stars", "version", "updated_at"} & set(document["properties"])
    assert set(document.get("required", [])) == (set() if kind == "update" else {"name", "product_set"})
    assert client.get("/ogc/collections/products/schema?type=nonsense").status_code == 400


def test_an_editor_reads_which_fields_may_be_written(client, header_of) -> None:
    properties = client.get(
        "/ogc/collections/growing_areas/schema", headers=header_of("province_officer")
    ).json["properties"]
    assert "readOnly" not in properties["name"]
    assert properties["area_ha"]["readOnly"] is True
    assert "owner_phone" in properties


# ---- OpenAPI


@pytest.fixture
def api(client) -> dict:
    answer = client.get("/ogc/api", headers={"Accept": "application/vnd.oai.openapi+json;version=3.0"})
    assert answer.content_type == "application/vnd.oai.openapi+json;version=3.0"
    return answer.json


def test_the_document_is_openapi_3_0(api, client, header_of) -> None:
    OpenAPIV30SpecValidator(api).validate()
    officer = client.get("/ogc/api", headers=header_of("province_officer")).json
    OpenAPIV30SpecValidator(officer).validate()


def resolved(api: dict, part: dict) -> dict:
    if "$ref" not in part:
        return part
    found = api
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_items_have_the_parameters_that_suites_and_clients_look_for(api, layer) -> None:
    get = api["paths"][f"/collections/{layer.id}/items"]["get"]
    parameters = {p["name"]: p for p in (resolved(api, part) for part in get["parameters"])}
    limit, box, moment = parameters["limit"], parameters["bbox"], parameters["datetime"]
    for parameter in (limit, box, moment):
        assert parameter["in"] == "query" and parameter["style"] == "form"
        assert parameter["explode"] is False and parameter["required"] is False
    assert limit["schema"]["type"] == "integer"
    assert limit["schema"]["minimum"] >= 0 and limit["schema"]["default"] >= 0
    assert limit["schema"]["maximum"] == 10_000
    assert box["schema"]["type"] == "array" and box["schema"]["items"]["type"] == "number"
    assert (box["schema"]["minItems"], box["schema"]["maxItems"]) == (4, 6)
    assert moment["schema"]["type"] == "string"
    public = {f.name for f in layer.fields if f.queryable and not f.audience}
    assert public <= set(parameters)
    for name in public:
        assert parameters[name]["style"] == "form" and parameters[name]["explode"] is False
    assert not {f.name for f in layer.fields if f.audience} & set(parameters)


def test_the_page_size_stands_where_map_clients_read_it(api) -> None:
    schema = api["components"]["parameters"]["limit"]["schema"]
    assert schema["maximum"] == 10_000 and schema["default"] >= 10


def test_every_path_of_the_document_answers(api, client) -> None:
    values = {
        "featureId": "1",
        "collectionId": "communes",
        "styleId": "communes",
        "tileMatrixSetId": "WebMercatorQuad",
        "tileMatrix": "9",
        "tileRow": "243",
        "tileCol": "405",
    }
    for path, item in api["paths"].items():
        assert set(item) <= {"get", "parameters"}, "the public is told of no edits"
        address = path
        for name, value in values.items():
            address = address.replace(f"{{{name}}}", value)
        answer = client.get("/ogc" + ("" if address == "/" else address))
        assert answer.status_code == 200, path
        kinds = item["get"]["responses"]["200"]["content"]
        assert answer.content_type in kinds, (path, answer.content_type)


def test_only_who_may_edit_is_told_of_edits(api, client, header_of) -> None:
    officer = client.get("/ogc/api", headers=header_of("province_officer")).json["paths"]
    assert "post" in officer["/collections/products/items"]
    assert {"put", "patch", "delete"} <= set(officer["/collections/products/items/{featureId}"])
    assert "post" not in officer["/collections/communes/items"]
    assert "post" not in api["paths"]["/collections/products/items"]
