"""The parts that the OpenAPI document is put together from: parameters, schemas, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from data.accounts import Actor
from gis.tilegrid import GRIDS, MAX_ZOOM
from layers import catalogue
from layers.fields import Field, FieldType, Layer
from services.context import LANGUAGES, language
from services.ogcapi import references
from services.ogcapi.asked import DEFAULT_LIMIT, FILTER_LANGUAGES, LARGEST_LIMIT
from services.ogcapi.forms import Form
from services.ogcapi.profiles import FEATURE_PROFILES
from services.ogcapi.styling import DATASET

Part = dict[str, Any]

#: What an edit may be refused with, besides what any request may.
ERRORS = ("401", "403", "409", "412", "415", "422", "423")
FEATURE_ID: Part = {
    "name": "featureId",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}
CONTENT_CRS: Part = {
    "name": "Content-Crs",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
}
_TYPES: dict[FieldType, Part] = {
    FieldType.STRING: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
}


def reference(kind: str, name: str) -> Part:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def parameter_refs(*names: str) -> list[Part]:
    """Return references to parameters."""
    return [reference("parameters", name) for name in names]


def operation(
    name: str,
    summary: str,
    tag: str,
    parameters: Sequence[Part],
    made: Part,
    success: str = "200",
) -> Part:
    """Return an operation; `made` is the content of its good answer."""
    good: Part = {"description": summary}
    if made:
        good["content"] = made
    answers = {success: good, **{code: reference("responses", code) for code in ("400", "404", "406", "500")}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": list(parameters),
        "responses": answers,
    }


def content(forms: Sequence[Form], schema: str) -> Part:
    """Return the content of an answer in several forms; `schema` is that of the JSON ones."""
    made: Part = {}
    for form in forms:
        if "json" in form.media_type and schema != "object":
            made[form.media_type] = {"schema": reference("schemas", schema)}
        elif "json" in form.media_type:
            made[form.media_type] = {"schema": {"type": "object"}}
        elif form.media_type.startswith("text/") or "xml" in form.media_type:
            made[form.media_type] = {"schema": {"type": "string"}}
        else:
            made[form.media_type] = {"schema": {"type": "string", "format": "binary"}}
    return made


def queryable_parameters(layer: Layer, actor: Actor) -> list[Part]:
    """Return a parameter for each field that may be asked for by its value."""
    return [
        _query(field.name, _TYPES[field.type], field.title[language()])
        for field in layer.readable_fields(actor)
        if field.queryable
    ]


def body_schema(layer: Layer, actor: Actor, *, patch: bool) -> Part:
    """Return the schema of a feature that is sent in, or of a patch of one."""
    written = [field for field in layer.readable_fields(actor) if field.writable]
    values: Part = {field.name: _value_schema(field) for field in written}
    geometry: Part = {"nullable": True, "allOf": [reference("schemas", "geometryGeoJSON")]}
    if patch:
        return _object([], geometry=geometry, properties=_object([], **values))
    properties = _object([field.name for field in written if field.required], **values)
    kind: Part = {"type": "string", "enum": ["Feature"]}
    return _object(["type", "geometry", "properties"], type=kind, geometry=geometry, properties=properties)


def _value_schema(field: Field) -> Part:
    made: Part = {"title": field.title[language()], **_TYPES[field.type], "nullable": not field.required}
    if field.minimum is not None:
        made["minimum"] = field.minimum
    if field.maximum is not None:
        made["maximum"] = field.maximum
    if field.code_list:
        number = field.type == FieldType.INTEGER
        codes: list[Any] = [int(value) if number else value for value in field.code_list]
        made["enum"] = codes if field.required else [*codes, None]
    return made


def path_parameters() -> Mapping[str, Part]:
    """Return the parameters that stand in paths."""
    layers = [layer.id for layer in catalogue.LAYERS]
    level: Part = {"type": "integer", "minimum": 0, "maximum": MAX_ZOOM}
    place: Part = {"type": "integer", "minimum": 0}
    return {
        "collectionId": _path("collectionId", {"type": "string", "enum": layers}),
        "styleId": _path("styleId", {"type": "string", "enum": [DATASET, *layers]}),
        "tileMatrixSetId": _path("tileMatrixSetId", {"type": "string", "enum": list(GRIDS)}),
        "tileMatrix": _path("tileMatrix", level),
        "tileRow": _path("tileRow", place),
        "tileCol": _path("tileCol", place),
    }


def components() -> Part:
    """Return everything that the document refers to."""
    return {
        "parameters": _parameters(),
        "schemas": _schemas(),
        "responses": {code: _error(sentence) for code, sentence in _sentences().items()},
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic"},
            "bearer": {"type": "http", "scheme": "bearer"},
        },
    }


# ---- parameters


def _query(name: str, schema: Part, text: str, *, explode: bool = False) -> Part:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "style": "form",
        "explode": explode,
        "schema": schema,
    }


def _path(name: str, schema: Part) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters() -> Part:
    system: Part = {"type": "string", "format": "uri", "enum": list(references.SUPPORTED)}
    default = {**system, "default": references.CRS84}
    strings: Part = {"type": "array", "items": {"type": "string"}}
    limit: Part = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}
    boxed: Part = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    profile = {**strings, "items": {"type": "string", "enum": list(FEATURE_PROFILES)}}
    layers = {**strings, "items": {"type": "string", "enum": [layer.id for layer in catalogue.LAYERS]}}
    languages: Part = {"type": "string", "enum": list(FILTER_LANGUAGES), "default": FILTER_LANGUAGES[0]}
    made = [
        _query("limit", limit, _("Số bản ghi nhiều nhất trong một trang.")),
        _query("bbox", boxed, _("Khung bao: bốn hoặc sáu số theo thứ tự trục của bbox-crs.")),
        _query("datetime", {"type": "string"}, _("Thời điểm hoặc khoảng thời gian (RFC 3339), .. là để mở.")),
        _query("crs", default, _("Hệ tọa độ của câu trả lời.")),
        _query("bbox-crs", default, _("Hệ tọa độ của bbox.")),
        _query("filter-crs", default, _("Hệ tọa độ trong bộ lọc.")),
        _query("filter", {"type": "string"}, _("Bộ lọc CQL2.")),
        _query("filter-lang", languages, _("Ngôn ngữ của bộ lọc.")),
        _query("sortby", strings, _("Trường để sắp xếp; dấu - là giảm dần.")),
        _query("properties", strings, _("Các trường cần trả về.")),
        _query("skipGeometry", {"type": "boolean", "default": False}, _("Không trả về hình.")),
        _query("profile", profile, _("Mã hay tên, khóa hay địa chỉ.")),
        _query("after", {"type": "string"}, _("Dấu trang, lấy từ liên kết next.")),
        _query("collections", layers, _("Các lớp trong ô bản đồ.")),
        _query("lang", {"type": "string", "enum": list(LANGUAGES)}, _("Ngôn ngữ của câu trả lời.")),
    ]
    found = {part["name"]: part for part in made}
    match: Part = {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": _("ETag của bản ghi như đã đọc."),
        "schema": {"type": "string"},
    }
    return {**found, "If-Match": match}


# ---- schemas and answers


def _object(required: Sequence[str], **properties: Any) -> Part:
    made: Part = {"type": "object", "properties": properties}
    return {**made, "required": list(required)} if required else made


def _schemas() -> Part:
    text: Part = {"type": "string"}
    links: Part = {"type": "array", "items": reference("schemas", "link")}
    texts: Part = {"type": "array", "items": text}
    geometry: Part = {"nullable": True, "allOf": [reference("schemas", "geometryGeoJSON")]}
    properties: Part = {"type": "object", "nullable": True, "additionalProperties": True}
    feature: Part = {"type": "string", "enum": ["Feature"]}
    count: Part = {"type": "integer", "minimum": 0}
    return {
        "link": _object(["href", "rel"], href=text, rel=text, type=text, hreflang=text, title=text),
        "landingPage": _object(["links"], title=text, description=text, links=links),
        "confClasses": _object(["conformsTo"], conformsTo=texts, links=links),
        "collections": _object(
            ["links", "collections"],
            links=links,
            collections={"type": "array", "items": reference("schemas", "collection")},
        ),
        "collection": _object(
            ["id", "links"],
            id=text,
            title=text,
            description=text,
            links=links,
            extent=_object([], spatial={"type": "object"}, temporal={"type": "object"}),
            itemType=text,
            itemCount=count,
            crs=texts,
            storageCrs=text,
        ),
        "geometryGeoJSON": _object(
            ["type"],
            type={"type": "string", "enum": ["Point", "MultiPoint", "Polygon", "MultiPolygon", "LineString"]},
            coordinates={"type": "array", "items": {}},
        ),
        "featureGeoJSON": _object(
            ["type", "geometry", "properties"],
            type=feature,
            id={"oneOf": [{"type": "string"}, {"type": "integer"}]},
            geometry=geometry,
            properties=properties,
            links=links,
        ),
        "featureCollectionGeoJSON": _object(
            ["type", "features"],
            type={"type": "string", "enum": ["FeatureCollection"]},
            features={"type": "array", "items": reference("schemas", "featureGeoJSON")},
            links=links,
            timeStamp={"type": "string", "format": "date-time"},
            numberMatched=count,
            numberReturned=count,
        ),
        "problem": _object(
            ["title", "status"],
            type=text,
            title=text,
            status={"type": "integer"},
            detail=text,
            instance=text,
            parameter=text,
            field=text,
            current={"type": "integer", "nullable": True},
        ),
    }


def _sentences() -> dict[str, str]:
    return {
        "400": _("Tham số hoặc nội dung không đúng."),
        "401": _("Cần đăng nhập."),
        "403": _("Không có quyền."),
        "404": _("Không có gì ở địa chỉ này."),
        "406": _("Không có dạng được yêu cầu."),
        "409": _("Bản ghi đã được người khác sửa; current là phiên bản hiện tại."),
        "412": _("Điều kiện If-Match không thỏa; current là phiên bản hiện tại."),
        "415": _("Loại nội dung không nhận được."),
        "422": _("Giá trị hoặc hình không nhận được; field nói trường nào."),
        "423": _("Bản ghi đang bị khóa."),
        "500": _("Máy chủ gặp lỗi."),
    }


def _error(text: str) -> Part:
    return {
        "description": text,
        "content": {
            "application/problem+json": {"schema": reference("schemas", "problem")},
            "text/html": {"schema": {"type": "string"}},
        },
    }
