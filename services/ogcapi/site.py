"""The blueprint of OGC API under /ogc: languages, methods that a caller may use, errors in the form asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from gis.errors import Refusal
from layers.edit import is_editable, may_edit
from layers.fields import Layer
from services import context
from services.errors import BadRequest, Missing, problem, sentence_of, status_of
from services.negotiation import prefers_html
from services.tiles import layer_or_missing

blueprint = Blueprint("ogcapi", __name__, url_prefix="/ogc")

READING = ("GET", "HEAD", "OPTIONS")
FEATURE_TYPES = "application/geo+json, application/json"
PATCH_TYPES = "application/merge-patch+json, application/geo+json, application/json"
EXPOSED = "ETag, Link, Location, Content-Crs, Content-Language, OGC-NumberMatched, OGC-NumberReturned, Allow"
LARGEST_ID = 2**63 - 1


@blueprint.before_request
def begin() -> Response | None:
    """Settle the language, and answer OPTIONS for every resource."""
    context.negotiate_language()
    chosen = request.args.get("lang")
    if chosen is not None and chosen not in context.LANGUAGES:
        raise BadRequest("Tham số “%(parameter)s” nhận vi hoặc en.", parameter="lang")
    return options() if request.method == "OPTIONS" else None


@blueprint.before_app_request
def refuse_method() -> Response | None:
    """Answer a method that no resource at this address has; such a request belongs to no blueprint."""
    error, here = request.routing_exception, f"{request.path}/".startswith(f"{blueprint.url_prefix}/")
    if not here or not isinstance(error, MethodNotAllowed):
        return None
    addresses = current_app.create_url_adapter(request)
    if addresses is None:
        return None
    context.negotiate_language()
    endpoint, arguments = addresses.match(method="GET")
    response = problem(error)
    response.headers["Allow"] = ", ".join(allowed(endpoint, arguments))
    return finish(response)


@blueprint.after_request
def finish(response: Response) -> Response:
    """Say the language, let other sites read, and tell caches what an answer depends on."""
    if response.status_code != 304:
        response.headers.setdefault("Content-Language", context.language())
    response.vary.update(("Accept", "Accept-Language", "Accept-Encoding", "Authorization", "Cookie"))
    response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("Access-Control-Expose-Headers", EXPOSED)
    return response


def refused(error: Exception) -> Response | tuple[str, int]:
    """Answer an error as a page for who reads pages, else as a problem document."""
    status = status_of(error)
    page = request.args.get("f") == "html" or (request.args.get("f") is None and prefers_html())
    if page and status != 405:
        return render_template("error.html", status=status, sentence=sentence_of(error)), status
    response = problem(error)
    if status == 405:
        response.headers["Allow"] = ", ".join(allowed(request.endpoint, request.view_args))
    return response


blueprint.register_error_handler(Refusal, refused)
blueprint.register_error_handler(HTTPException, refused)


# ---- methods


def options() -> Response:
    """Say which methods this caller may use on this resource now."""
    methods = allowed(request.endpoint, request.view_args)
    response = Response(status=200)
    response.headers["Allow"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = (
        "Authorization, Content-Type, Content-Crs, If-Match, If-None-Match, Prefer, Accept, Accept-Language"
    )
    if "POST" in methods:
        response.headers["Accept-Post"] = FEATURE_TYPES
    if "PATCH" in methods:
        response.headers["Accept-Patch"] = PATCH_TYPES
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def allowed(name: str | None, values: Mapping[str, Any] | None) -> tuple[str, ...]:
    """List the methods that the caller may use on the resource of an endpoint and the values in its address."""
    arguments, endpoint = values or {}, (name or "").removeprefix("ogcapi.")
    if endpoint in ("items", "create"):
        layer = layer_or_missing(arguments["collection_id"])
        return (*READING, "POST") if may_edit(context.actor(), layer) and is_written(layer) else READING
    if endpoint in ("item", "replace", "update", "delete"):
        layer = layer_or_missing(arguments["collection_id"])
        return (*READING, "PUT", "PATCH", "DELETE") if _changes(layer, arguments["feature_id"]) else READING
    if "collection_id" in arguments:
        layer_or_missing(arguments["collection_id"])
    return READING


def _changes(layer: Layer, feature_id: str) -> bool:
    """An id that is none tells of the layer: map clients ask so before there is a first row."""
    actor = context.actor()
    if not may_edit(actor, layer) or not is_written(layer):
        return False
    number = number_of(layer, feature_id)
    return number is None or is_editable(context.session(), layer, number, actor)


def is_written(layer: Layer) -> bool:
    """Tell whether rows of a layer have fields to be written at all."""
    return any(f.writable for f in layer.fields)


# ---- addresses


def number_of(layer: Layer, feature_id: str) -> int | None:
    """Return the number in a feature id, `<layer>.<number>` or the number alone; None when there is none."""
    text = feature_id.removeprefix(f"{layer.id}.")
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        return None
    return int(text) if int(text) <= LARGEST_ID else None


def number_or_missing(layer: Layer, feature_id: str) -> int:
    """Return the number in a feature id, or refuse as missing."""
    number = number_of(layer, feature_id)
    if number is None:
        raise no_feature(layer, feature_id)
    return number


def no_feature(layer: Layer, feature_id: str | int) -> Missing:
    """The refusal of a feature that is not there, or not for this caller."""
    return Missing("Không có bản ghi %(id)s trong lớp %(layer)s.", id=feature_id, layer=layer.id)
