"""The OpenAPI 3.0 document: every collection with its own parameters, and the edits that the caller may make."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_babel import gettext as _

from layers import catalogue
from layers.edit import may_edit
from layers.fields import Layer
from services import context
from services.ogcapi import core
from services.ogcapi.apiparts import (
    CONTENT_CRS,
    ERRORS,
    FEATURE_ID,
    body_schema,
    components,
    content,
    operation,
    parameter_refs,
    path_parameters,
    queryable_parameters,
    reference,
)
from services.ogcapi.features import ITEM, ITEMS
from services.ogcapi.forms import HTML, OPENAPI, PAGES, Form, answer, choose, root
from services.ogcapi.schemas import FORMS as SCHEMA_FORMS
from services.ogcapi.schemas import KINDS
from services.ogcapi.site import blueprint, is_written
from services.ogcapi.styling import STYLE
from services.ogcapi.tilesets import TILE, TILESET
from services.parameters import refuse_unknown

API = (OPENAPI, HTML)
VERSION = "1.0.0"


@blueprint.get("/api", strict_slashes=False)
def api() -> Response:
    """Serve the description of the API, for programs and for people."""
    form = choose(API)
    refuse_unknown(())
    return answer(form, document, "ogc/api.html", page=lambda: {"title": core.title()})


def document() -> dict[str, Any]:
    """Return the OpenAPI document for the caller."""
    paths: dict[str, Any] = {
        "/": _get("getLandingPage", _("Trang đầu"), PAGES, "landingPage", "Capabilities"),
        "/conformance": _get(
            "getConformance", _("Các chuẩn được tuân theo"), PAGES, "confClasses", "Capabilities"
        ),
        "/api": _get("getApi", _("Mô tả API"), API, "object", "Capabilities"),
        "/collections": _get("getCollections", _("Các lớp dữ liệu"), PAGES, "collections", "Capabilities"),
    }
    for layer in catalogue.LAYERS:
        paths.update(_collection(layer))
    paths.update(_tiles())
    paths.update(_styles())
    return {
        "openapi": "3.0.3",
        "info": {"title": core.title(), "description": core.description(), "version": VERSION},
        "servers": [{"url": root()}],
        "tags": _tags(),
        "paths": paths,
        "components": components(),
        "security": [{}, {"basic": []}, {"bearer": []}],
        "externalDocs": {"url": "https://ogcapi.ogc.org/features/"},
    }


def _tags() -> list[dict[str, str]]:
    lang = context.language()
    return [
        {"name": "Capabilities", "description": _("Mô tả chung")},
        *({"name": layer.id, "description": layer.title[lang]} for layer in catalogue.LAYERS),
        {"name": "Tiles", "description": _("Ô bản đồ véc-tơ")},
        {"name": "Styles", "description": _("Các kiểu vẽ")},
    ]


def _get(
    name: str,
    summary: str,
    forms: tuple[Form, ...],
    schema: str,
    tag: str,
    parameters: tuple[Any, ...] = (),
) -> dict[str, Any]:
    common = [*parameter_refs("lang"), _f(forms)]
    return {"get": operation(name, summary, tag, [*parameters, *common], content(forms, schema))}


def _f(forms: tuple[Form, ...]) -> dict[str, Any]:
    return {
        "name": "f",
        "in": "query",
        "required": False,
        "description": _("Dạng câu trả lời; không có thì theo Accept."),
        "schema": {"type": "string", "enum": [form.key for form in forms]},
    }


# ---- collections


def _collection(layer: Layer) -> dict[str, Any]:
    actor, title = context.actor(), layer.title[context.language()]
    base, tag = f"/collections/{layer.id}", layer.id
    items = _get(
        f"get_{tag}",
        title,
        ITEMS,
        "featureCollectionGeoJSON",
        tag,
        (
            *parameter_refs(
                "limit",
                "bbox",
                "datetime",
                "crs",
                "bbox-crs",
                "filter",
                "filter-lang",
                "filter-crs",
                "sortby",
                "properties",
                "skipGeometry",
                "profile",
                "after",
            ),
            *queryable_parameters(layer, actor),
        ),
    )
    item = _get(
        f"get_{tag}_feature", title, ITEM, "featureGeoJSON", tag, tuple(parameter_refs("crs", "profile"))
    )
    item["parameters"] = [FEATURE_ID]
    if may_edit(actor, layer) and is_written(layer):
        items["post"] = _edit(layer, f"create_{tag}", _("Thêm bản ghi"), "201")
        item["put"] = _edit(layer, f"replace_{tag}", _("Thay bản ghi"), "204", matched=True)
        item["patch"] = _edit(layer, f"update_{tag}", _("Sửa bản ghi"), "204", matched=True, patch=True)
        item["delete"] = _refusable(
            operation(f"delete_{tag}", _("Xóa bản ghi"), tag, parameter_refs("If-Match"), {}, success="204")
        )
    kind = {
        "name": "type",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": list(KINDS)},
    }
    return {
        base: _get(f"describe_{tag}", title, PAGES, "collection", tag),
        f"{base}/items": items,
        f"{base}/items/{{featureId}}": item,
        f"{base}/schema": _get(
            f"schema_{tag}", _("Lược đồ của bản ghi"), SCHEMA_FORMS, "object", tag, (kind,)
        ),
        f"{base}/queryables": _get(f"queryables_{tag}", _("Trường để lọc"), SCHEMA_FORMS, "object", tag),
        f"{base}/sortables": _get(f"sortables_{tag}", _("Trường để sắp xếp"), SCHEMA_FORMS, "object", tag),
    }


def _edit(
    layer: Layer, name: str, summary: str, success: str, *, matched: bool = False, patch: bool = False
) -> dict[str, Any]:
    parameters = [CONTENT_CRS, *(parameter_refs("If-Match") if matched else [])]
    made = operation(name, summary, layer.id, parameters, {}, success=success)
    media = "application/merge-patch+json" if patch else "application/geo+json"
    made["requestBody"] = {
        "required": True,
        "content": {media: {"schema": body_schema(layer, context.actor(), patch=patch)}},
    }
    return _refusable(made)


def _refusable(made: dict[str, Any]) -> dict[str, Any]:
    made["responses"] |= {code: reference("responses", code) for code in ERRORS}
    return made


# ---- tiles and styles


def _tiles() -> dict[str, Any]:
    made: dict[str, Any] = {
        "/tileMatrixSets": _get("getTileMatrixSets", _("Các lưới ô bản đồ"), PAGES, "object", "Tiles"),
        "/tileMatrixSets/{tileMatrixSetId}": _with(
            _get("getTileMatrixSet", _("Một lưới ô bản đồ"), PAGES, "object", "Tiles"), "tileMatrixSetId"
        ),
    }
    for prefix, name, more in (
        ("", "dataset", ()),
        ("/collections/{collectionId}", "collection", ("collectionId",)),
    ):
        chosen = tuple(parameter_refs("collections")) if not more else ()
        made[f"{prefix}/tiles"] = _with(
            _get(f"{name}.vector.getTileSetsList", _("Các bộ ô bản đồ"), PAGES, "object", "Tiles", chosen),
            *more,
        )
        made[f"{prefix}/tiles/{{tileMatrixSetId}}"] = _with(
            _get(f"{name}.vector.getTileSet", _("Một bộ ô bản đồ"), TILESET, "object", "Tiles", chosen),
            *more,
            "tileMatrixSetId",
        )
        made[f"{prefix}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"] = _with(
            _get(f"{name}.vector.getTile", _("Một ô bản đồ"), TILE, "binary", "Tiles", chosen),
            *more,
            "tileMatrixSetId",
            "tileMatrix",
            "tileRow",
            "tileCol",
        )
    return made


def _styles() -> dict[str, Any]:
    made: dict[str, Any] = {
        "/styles": _get("getStyles", _("Các kiểu vẽ"), PAGES, "object", "Styles"),
        "/styles/{styleId}": _with(_get("getStyle", _("Một kiểu vẽ"), STYLE, "object", "Styles"), "styleId"),
        "/styles/{styleId}/metadata": _with(
            _get("getStyleMetadata", _("Mô tả kiểu vẽ"), PAGES, "object", "Styles"), "styleId"
        ),
        "/collections/{collectionId}/styles": _with(
            _get("getCollectionStyles", _("Các kiểu vẽ của lớp"), PAGES, "object", "Styles"), "collectionId"
        ),
        "/collections/{collectionId}/styles/{styleId}": _with(
            _get("getCollectionStyle", _("Một kiểu vẽ của lớp"), STYLE, "object", "Styles"),
            "collectionId",
            "styleId",
        ),
    }
    return made


def _with(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {"parameters": [path_parameters()[name] for name in names], **item}
