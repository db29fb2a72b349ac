"""Editing features (OGC API – Features Part 4): create, replace, update and delete, through the one edit path.

If-Match is honoured with the tags that `features.item` gives, and so is the property `version`: what somebody else
changed meanwhile is never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely
from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed, Unauthorized

from data.accounts import PUBLIC
from gis import crs as reference_systems
from gis import srsname
from gis.crs import OutsideCrs
from gis.srsname import SrsName
from layers import read
from layers.edit import KEEP, Conflict, Invalid, NotAllowed, editing, may_edit
from layers.fields import Layer
from services import context
from services.errors import BadRequest, PreconditionFailed, UnsupportedContent
from services.formats import feature_id as name_of
from services.ogcapi import features, references
from services.ogcapi.asked import Asked
from services.ogcapi.forms import address
from services.ogcapi.site import (
    FEATURE_TYPES,
    PATCH_TYPES,
    blueprint,
    is_written,
    no_feature,
    number_of,
    number_or_missing,
)
from services.parameters import refuse_unknown
from services.tiles import layer_or_missing

SOURCE = "ogcapi"
_ROUTE: dict[str, Any] = {"strict_slashes": False, "provide_automatic_options": False}
_TAG_VERSION = re.compile(r"v(\d{1,18})-[0-9a-f]+(?::[a-z]+)?")
_TYPES = {
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
}


@dataclass(frozen=True)
class Body:
    """What a client sent: properties, a geometry in lon/lat or KEEP, the id and the version it names."""

    properties: dict[str, Any]
    geometry: Any
    id: Any = None
    version: int | None = None


# ---- the four edits


@blueprint.post("/collections/<collection_id>/items", endpoint="create", **_ROUTE)
def create(collection_id: str) -> Response:
    """Add a feature; its address is in Location."""
    refuse_unknown(())
    layer = _editable_layer(collection_id)
    body = _body(layer, FEATURE_TYPES, whole=True)
    with editing(context.store(), context.actor(), SOURCE) as edits:
        number = edits.insert(layer, body.properties, None if body.geometry is KEEP else body.geometry)
    context.renew_session()
    response = _state(layer, number, 201)
    response.headers["Location"] = address("collections", layer.id, "items", name_of(layer, number))
    return response


@blueprint.put("/collections/<collection_id>/items/<feature_id>", endpoint="replace", **_ROUTE)
def replace(collection_id: str, feature_id: str) -> Response:
    """Put a feature in the place of one that is there; fields that it does not name become empty."""
    refuse_unknown(())
    layer = _editable_layer(collection_id)
    number = _existing(layer, feature_id)
    body = _body(layer, FEATURE_TYPES, whole=True)
    actor = context.actor()
    empty = dict.fromkeys(f.name for f in layer.readable_fields(actor) if f.writable)
    geometry = None if body.geometry is KEEP else body.geometry
    _change(layer, number, {**empty, **body.properties}, geometry, body.version)
    return _state(layer, number, 204)


@blueprint.patch("/collections/<collection_id>/items/<feature_id>", endpoint="update", **_ROUTE)
def update(collection_id: str, feature_id: str) -> Response:
    """Change what the patch names (RFC 7396): null empties a field, and what is not named stays."""
    refuse_unknown(())
    layer = _editable_layer(collection_id)
    number = _existing(layer, feature_id)
    body = _body(layer, PATCH_TYPES, whole=False)
    if body.id is not None and number_of(layer, str(body.id)) != number:
        raise Invalid("Không đổi được mã (id) của bản ghi.", field="id")
    _change(layer, number, body.properties, body.geometry, body.version)
    return _state(layer, number, 204)


@blueprint.delete("/collections/<collection_id>/items/<feature_id>", endpoint="delete", **_ROUTE)
def delete(collection_id: str, feature_id: str) -> Response:
    """Remove a feature; the audit trail keeps it."""
    refuse_unknown(())
    layer = _editable_layer(collection_id)
    number = _existing(layer, feature_id)
    expected = _expected(layer, number)
    try:
        with editing(context.store(), context.actor(), SOURCE) as edits:
            edits.delete(layer, number, version=expected)
    except Conflict as error:
        raise _changed_meanwhile(layer, number, error.current) from error
    context.renew_session()
    return Response(status=204)


def _change(
    layer: Layer, number: int, properties: Mapping[str, Any], geometry: Any, version: int | None
) -> None:
    expected = _expected(layer, number)
    if expected is not None and version not in (None, expected):
        raise Conflict(layer, number, expected)
    try:
        with editing(context.store(), context.actor(), SOURCE) as edits:
            edits.update(layer, number, properties, geometry, version=expected or version)
    except Conflict as error:
        if expected is not None:
            raise _changed_meanwhile(layer, number, error.current) from error
        raise
    finally:
        context.renew_session()


def _state(layer: Layer, number: int, status: int) -> Response:
    """Answer with the tag of the new state, and with the feature itself for who prefers that."""
    record = read.one(context.session(), layer, number, context.actor())
    if record is None:
        return Response(status=status)
    where = address("collections", layer.id, "items", name_of(layer, number))
    prefers = {part.strip() for part in request.headers.get("Prefer", "").split(",")}
    if "return=representation" in prefers:
        wanted = Asked(read.Query(layer, context.actor()), srsname.of(srsname.CRS84), ())
        response = features.item_response(layer, number, record, features.GEOJSON, wanted)
        response.status_code = 201 if status == 201 else 200
        response.headers["Preference-Applied"] = "return=representation"
        response.headers["Content-Crs"] = references.header_value(wanted.target)
        response.headers["Content-Location"] = where
    else:
        response = Response(status=status)
    response.set_etag(features.item_tag(layer, number, record, where, features.GEOJSON.key))
    return response


# ---- rights and preconditions


def _editable_layer(collection_id: str) -> Layer:
    """Return a layer of which the caller may edit something; who has not said who they are is asked to."""
    layer, actor = layer_or_missing(collection_id), context.actor()
    if not is_written(layer):
        raise MethodNotAllowed
    if actor == PUBLIC:
        raise Unauthorized
    if not may_edit(actor, layer):
        raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=layer.title)
    return layer


def _existing(layer: Layer, feature_id: str) -> int:
    """Return the number of a feature that is there; If-Match on one that is not is a failed precondition."""
    if request.headers.get("If-Match") is None:
        number = number_or_missing(layer, feature_id)
    else:
        number = number_of(layer, feature_id) or 0
    if read.is_visible(context.session(), layer, number, context.actor()):
        if request.if_none_match.star_tag:
            raise PreconditionFailed(
                "Đã có bản ghi %(id)s; chưa có gì thay đổi.", current=_version(layer, number), id=feature_id
            )
        return number
    if request.headers.get("If-Match") is not None:
        raise PreconditionFailed(
            "Không có bản ghi %(id)s trong lớp %(layer)s nên điều kiện If-Match không thỏa.",
            current=None,
            id=feature_id,
            layer=layer.id,
        )
    raise no_feature(layer, feature_id)


def _expected(layer: Layer, number: int) -> int | None:
    """Return the version that If-Match names; None without that header or when any version will do."""
    if request.headers.get("If-Match") is None or request.if_match.star_tag:
        return None
    current = _version(layer, number)
    for text in request.if_match.as_set():
        found = _TAG_VERSION.fullmatch(text)
        if found and int(found[1]) == current:
            return current
    raise _changed_meanwhile(layer, number, current)


def _version(layer: Layer, number: int) -> int | None:
    record = read.one(context.session(), layer, number, context.actor())
    version = record.get("version") if record else None
    return int(version) if version is not None else None


def _changed_meanwhile(layer: Layer, number: int, current: int | None) -> PreconditionFailed:
    return PreconditionFailed(
        "Hồ sơ số %(id)s của lớp “%(layer)s” đã được người khác sửa (phiên bản hiện tại %(current)s); "
        "chưa có gì bị ghi đè. "
        "Hãy tải lại rồi sửa lần nữa.",
        current=current,
        layer=layer.title,
        id=number,
    )


# ---- bodies


def _body(layer: Layer, types: str, *, whole: bool) -> Body:
    """Read a feature, or a patch of one. Raises UnsupportedContent, BadRequest or Invalid."""
    known = [part.strip() for part in types.split(",")]
    if request.mimetype not in known:
        raise UnsupportedContent("Nội dung gửi lên phải thuộc loại: %(known)s.", known=types)
    try:
        document = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise _bad("Nội dung gửi lên không phải JSON đúng.") from error
    if not isinstance(document, dict) or document.get("type", None if whole else "Feature") != "Feature":
        raise _bad("Nội dung gửi lên phải là một đối tượng GeoJSON kiểu Feature.")
    properties = document.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise _bad("Mục properties phải là một đối tượng JSON.")
    properties = dict(properties or {})
    # Map clients show the id as a field, and send it back as one.
    properties.pop("id", None)
    version = properties.pop("version", None)
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise Invalid("Trường “%(title)s” phải là số nguyên.", field="version", title="version")
    for name, value in properties.items():
        if isinstance(value, dict | list):
            raise Invalid("Trường “%(field)s” phải là một giá trị đơn.", field=name)
    properties = _as_preferred(layer, properties)
    geometry = _geometry(document["geometry"], references.of_body()) if "geometry" in document else KEEP
    return Body(properties, geometry, document.get("id"), version)


def _as_preferred(layer: Layer, properties: dict[str, Any]) -> dict[str, Any]:
    """Leave out, or refuse, what cannot be kept, where the caller says which (RFC 7240, handling)."""
    prefers = request.headers.get("Prefer", "").replace(" ", "")
    known = {f.name: f for f in layer.readable_fields(context.actor())}
    if "handling=lenient" in prefers:
        return {name: value for name, value in properties.items() if name in known}
    if "handling=strict" in prefers:
        for name in properties:
            if name in known and not known[name].writable:
                raise Invalid("Trường “%(title)s” không sửa được.", field=name, title=known[name].title)
    return properties


def _geometry(value: Any, system: SrsName) -> shapely.Geometry | None:
    """Return a geometry in lon/lat from GeoJSON in a reference system and its axis order."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") not in _TYPES:
        raise _bad("Mục geometry không phải hình GeoJSON.")
    try:
        shape = shapely.from_geojson(orjson.dumps(value))
    except (shapely.errors.ShapelyError, orjson.JSONEncodeError, TypeError) as error:
        raise _bad("Mục geometry không phải hình GeoJSON.") from error
    shape = shapely.force_2d(shape)
    if system.swapped:
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise Invalid("Tọa độ phải là số hữu hạn.", field="geometry")
    if system.crs not in (srsname.CRS84, "EPSG:4326"):
        try:
            shape = reference_systems.transform(np.array([shape]), system.crs, srsname.CRS84)[0]
        except OutsideCrs as error:
            raise Invalid(error.message, **{**error.facts, "field": "geometry"}) from error  # type: ignore[arg-type]
    _check_place(shape)
    return shape


def _check_place(shape: shapely.Geometry) -> None:
    if shape.is_empty:
        return
    if reference_systems.looks_swapped(shape.bounds):
        raise Invalid("Tọa độ bị đảo: hãy kiểm tra thứ tự trục của hệ tọa độ.", field="geometry")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid("Tọa độ nằm ngoài Trái Đất; hãy kiểm tra hệ tọa độ (Content-Crs).", field="geometry")


def _bad(message: str) -> BadRequest:
    return BadRequest(message, parameter="body")
