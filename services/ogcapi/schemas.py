"""JSON Schemas of a collection: what is returned, what is taken, what may be asked and sorted by.

Sources: OGC 23-058r2 (schemas), OGC 19-079r2 (queryables). The geometry of queryables also has a `$ref`, by which
map clients know it, and that of the schema has none, as the standard asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from layers import read
from layers.edit import may_edit
from layers.fields import Field, FieldType, Layer
from services import context
from services.errors import BadRequest
from services.formats import xmlschema
from services.ogcapi import profiles
from services.ogcapi.forms import HTML, SCHEMA, Form, address, answer, choose, own_links
from services.ogcapi.site import blueprint, is_written
from services.parameters import refuse_unknown
from services.tiles import layer_or_missing

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID, GEOMETRY = "id", "geom"
GEOJSON_NAMES = {"POINT": "Point", "MULTIPOLYGON": "MultiPolygon"}
XSD = Form("xsd", "application/xml", title="XML Schema")
FORMS = (SCHEMA, HTML)
#: Units of our declarations in the case-sensitive code of UCUM, where it has them.
UCUM = {"ha": "har", "t": "t", "%": "%", "minutes": "min"}
KINDS = ("create", "replace", "update")
_JSON_TYPES: dict[FieldType, dict[str, str]] = {
    FieldType.STRING: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
}


# ---- resources


@blueprint.get("/collections/<collection_id>/schema", strict_slashes=False)
def schema(collection_id: str) -> Response:
    """Serve the schema of what is returned, or with `type` of what is taken to create, replace or update."""
    layer = layer_or_missing(collection_id)
    form = choose((*FORMS, XSD))
    refuse_unknown({"type", "profile"})
    kind = request.args.get("type")
    if kind is not None and kind not in KINDS:
        raise BadRequest("Tham số “%(parameter)s” nhận: %(known)s.", parameter="type", known=", ".join(KINDS))
    if form is XSD:
        return Response(
            xmlschema.feature_type_schema(layer, context.actor(), "3.2"), content_type=XSD.media_type
        )
    return _serve(layer, form, lambda: receivables(layer, kind) if kind else returnables(layer), "schema")


@blueprint.get("/collections/<collection_id>/queryables", strict_slashes=False)
def queryables(collection_id: str) -> Response:
    """Serve the schema of what filters and parameters may name."""
    layer = layer_or_missing(collection_id)
    form = choose(FORMS)
    refuse_unknown({"profile"})
    return _serve(layer, form, lambda: queryables_of(layer), "queryables")


@blueprint.get("/collections/<collection_id>/sortables", strict_slashes=False)
def sortables(collection_id: str) -> Response:
    """Serve the schema of what features may be sorted by."""
    layer = layer_or_missing(collection_id)
    form = choose(FORMS)
    refuse_unknown({"profile"})
    return _serve(layer, form, lambda: sortables_of(layer), "sortables")


def _serve(layer: Layer, form: Form, make: Callable[[], dict[str, Any]], name: str) -> Response:
    response = answer(
        form,
        make,
        "ogc/schema.html",
        read.revision(context.session(), layer),
        page=lambda: {"layer": layer, "name": name, "links": own_links(FORMS, form)},
    )
    response.headers["Link"] = profiles.link_value([profiles.CODES_INLINE])
    return response


# ---- documents


def returnables(layer: Layer) -> dict[str, Any]:
    """Return the schema of a feature as it is served; fields that nobody writes are read-only."""
    actor = context.actor()
    editor = may_edit(actor, layer)
    properties: dict[str, Any] = {ID: _id_schema(), GEOMETRY: geometry_schema(layer, 2)}
    roles = roles_of(layer)
    for number, field in enumerate(layer.readable_fields(actor), 3):
        made = field_schema(field)
        if not field.writable or not editor:
            made["readOnly"] = True
        made.update(roles.get(field.name, {}))
        made.update(_reference(layer, field))
        properties[field.name] = {**made, "x-ogc-propertySeq": number}
    required = [f.name for f in layer.readable_fields(actor) if f.required]
    return _document(layer, "schema", properties, required=required)


def receivables(layer: Layer, kind: str) -> dict[str, Any]:
    """Return the schema of what is taken: only fields that are written, and those that must be there."""
    actor = context.actor()
    properties: dict[str, Any] = {GEOMETRY: geometry_schema(layer, 1)}
    written = [f for f in layer.readable_fields(actor) if f.writable and is_written(layer)]
    for number, field in enumerate(written, 2):
        properties[field.name] = {
            **field_schema(field),
            **_reference(layer, field),
            "x-ogc-propertySeq": number,
        }
    required = [] if kind == "update" else [f.name for f in written if f.required]
    return _document(layer, "schema", properties, required=required)


def queryables_of(layer: Layer) -> dict[str, Any]:
    """Return the schema of the fields that a filter may name, with the geometry."""
    fields = [f for f in layer.readable_fields(context.actor()) if f.queryable]
    geometry = {"$ref": f"https://geojson.org/schema/{GEOJSON_NAMES[layer.geometry]}.json"}
    properties = {GEOMETRY: {**geometry, **geometry_schema(layer)}, **_plain(layer, fields)}
    return _document(layer, "queryables", properties)


def sortables_of(layer: Layer) -> dict[str, Any]:
    """Return the schema of the fields that features may be sorted by."""
    fields = [f for f in layer.readable_fields(context.actor()) if f.sortable]
    return _document(layer, "sortables", _plain(layer, fields))


def _plain(layer: Layer, fields: Iterable[Field]) -> dict[str, Any]:
    roles = roles_of(layer)
    return {f.name: {**field_schema(f), **roles.get(f.name, {})} for f in fields}


def _document(
    layer: Layer, name: str, properties: dict[str, Any], required: list[str] | None = None
) -> dict[str, Any]:
    lang = context.language()
    made: dict[str, Any] = {
        "$schema": DRAFT,
        "$id": address("collections", layer.id, name),
        "type": "object",
        "title": layer.title[lang],
        "description": layer.description[lang],
        "properties": properties,
    }
    if required:
        made["required"] = required
    return {**made, "additionalProperties": False}


# ---- properties


def field_schema(field: Field) -> dict[str, Any]:
    """Describe one field: its type, titles, unit, limits and codes."""
    lang = context.language()
    title = field.title[lang]
    unit = field.unit.en if field.unit else ""
    if field.unit is not None and unit not in UCUM:
        title = f"{title} ({field.unit[lang]})"
    made: dict[str, Any] = {"title": title, **_JSON_TYPES[field.type]}
    if field.help is not None:
        made["description"] = field.help[lang]
    if unit in UCUM:
        made["x-ogc-unit"] = UCUM[unit]
        made["x-ogc-unitLang"] = "UCUM"
    if field.minimum is not None:
        made["minimum"] = field.minimum
    if field.maximum is not None:
        made["maximum"] = field.maximum
    if field.code_list:
        number = field.type == FieldType.INTEGER
        values = {int(v) if number else v: code.label(lang) for v, code in field.code_list.items()}
        made["enum"] = list(values)
        made["oneOf"] = [{"const": value, "title": label} for value, label in values.items()]
    return made


def geometry_schema(layer: Layer, sequence: int | None = None) -> dict[str, Any]:
    """Describe the geometry of a layer."""
    made: dict[str, Any] = {
        "title": _("Hình"),
        "x-ogc-role": "primary-geometry",
        "format": f"geometry-{layer.geometry.lower()}",
    }
    return made if sequence is None else {**made, "x-ogc-propertySeq": sequence}


def _id_schema() -> dict[str, Any]:
    return {"title": _("Mã"), "type": "string", "readOnly": True, "x-ogc-role": "id", "x-ogc-propertySeq": 1}


def roles_of(layer: Layer) -> dict[str, dict[str, str]]:
    """Return which fields say when a feature is."""
    if layer.temporal_field is None:
        return {}
    if layer.temporal_end is None:
        return {layer.temporal_field: {"x-ogc-role": "primary-instant"}}
    return {
        layer.temporal_field: {"x-ogc-role": "primary-interval-start"},
        layer.temporal_end: {"x-ogc-role": "primary-interval-end"},
    }


def _reference(layer: Layer, field: Field) -> dict[str, str]:
    target = profiles.reference_of(layer, field)
    if target is None:
        return {}
    template = address("collections", target.id, "items", "{resourceId}")
    return {"x-ogc-role": "reference", "x-ogc-uriTemplate": template}
