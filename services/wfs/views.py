"""The one address of the service: what is asked is read, answered by its module, or refused in a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, request

from data.accounts import Actor
from layers import catalogue, read
from layers.fields import Layer
from services import context
from services.caching import conditional, tag
from services.formats.xmlschema import feature_type_schema
from services.tiles import store_mark
from services.wfs import (
    capabilities,
    capabilities_1,
    features,
    formats,
    kvp,
    locking,
    posts,
    stored,
    values,
    xml,
)
from services.wfs import requests as asked
from services.wfs.dialects import DEFAULT, Dialect
from services.wfs.exceptions import PARSING, OwsError, report
from services.wfs.names import each_once, layers_of
from services.wfs.queries import Ask
from services.wfs.transaction import answer as transact
from services.wfs.transaction import editors_only

blueprint = Blueprint("wfs", __name__)


@blueprint.route("/wfs", methods=["GET", "POST"])
def service() -> Response:
    """Answer any request to the service."""
    dialect = DEFAULT
    try:
        document = _document()
        if document is None:
            arguments = request.values.to_dict()
            dialect = kvp.dialect_of(kvp.Keys(arguments))
            wanted = kvp.read(arguments)
        else:
            dialect = posts.dialect_of(document)
            wanted = posts.read(document)
        return _ANSWERS[type(wanted)](wanted, document)
    except Exception as error:
        return report(error, dialect)


@blueprint.errorhandler(Exception)
def refused(error: Exception) -> Response:
    """Report what went wrong before the request was read, such as a wrong password."""
    return report(error, kvp.dialect_of(kvp.Keys(request.args)))


def _document() -> Any:
    """Return the root of the XML that was sent, or None when the request stands in the address or a form."""
    if request.method != "POST" or request.mimetype == "application/x-www-form-urlencoded":
        return None
    body = request.get_data()
    if not body.strip():
        return None
    root = xml.parse(body, largest=xml.LARGEST_TRANSACTION)
    if xml.local(root) != "Transaction" and len(body) > xml.LARGEST_QUERY:
        raise OwsError(
            "Tài liệu XML dài hơn %(limit)s byte.", code=PARSING, locator="request", limit=xml.LARGEST_QUERY
        )
    return root


# ---- answers


def _cached(layers: Sequence[Layer], make: Callable[[], Response]) -> Response:
    """Answer a GET under a tag of everything that the answer depends on.

    Programs are told not to keep it: QGIS would show its copy after an edit, and to whoever signs in next.
    """
    if request.method != "GET":
        return make()
    revisions = read.all_revisions(context.session(), layers)
    actor: Actor = context.actor()
    etag = tag(
        "wfs",
        store_mark(),
        revisions,
        actor.audience_key,
        context.language(),
        request.host_url,
        request.full_path,
    )
    response = conditional(etag, actor, make)
    response.headers["Cache-Control"] = "no-store"
    return response


def _xml(body: bytes) -> Response:
    return Response(body, content_type=features.XML)


def _get_capabilities(wanted: asked.GetCapabilities, document: Any) -> Response:
    def make() -> Response:
        described = capabilities.service_for(wanted.dialect)
        match wanted.dialect.family:
            case "1.0":
                return _xml(capabilities_1.document_10(described))
            case "1.1":
                return _xml(capabilities_1.document_11(described))
            case _:
                return _xml(capabilities.document(described, wanted.sections))

    return _cached(catalogue.LAYERS, make)


def _describe_feature_type(wanted: asked.DescribeFeatureType, document: Any) -> Response:
    locator = "typeNames" if wanted.dialect.is_new else "typeName"
    named = [layer for name, spaces in wanted.type_names for layer in layers_of(name, spaces, locator)]
    layers = each_once(named) or list(catalogue.LAYERS)
    version: Any = formats.schema_version(wanted.output_format, wanted.dialect)

    def make() -> Response:
        return _schema(feature_type_schema(layers, context.actor(), version), wanted.dialect)

    return _cached(layers, make)


def _schema(body: bytes, dialect: Dialect) -> Response:
    old = "text/xml; charset=utf-8"
    return Response(body, content_type=f"{dialect.gml_media_type}; charset=utf-8" if dialect.is_new else old)


def _get_feature(wanted: asked.GetFeature, document: Any) -> Response:
    if wanted.locking:
        editors_only()
    asks = stored.asks_of(wanted.queries, wanted.dialect, context.actor())
    if wanted.locking:
        return locking.features_with_lock(wanted, asks)
    return _cached(_layers(asks), lambda: features.answer(wanted, asks))


def _layers(asks: Sequence[Ask]) -> list[Layer]:
    return each_once(ask.query.layer for ask in asks)


def _get_property_value(wanted: asked.GetPropertyValue, document: Any) -> Response:
    asks = stored.asks_of(wanted.features.queries, wanted.features.dialect, context.actor())
    return _cached(_layers(asks), lambda: values.answer(wanted, asks))


def _lock_feature(wanted: asked.LockFeature, document: Any) -> Response:
    editors_only()
    return locking.lock_features(wanted, stored.asks_of(wanted.queries, wanted.dialect, context.actor()))


def _transaction(wanted: asked.Transaction, document: Any) -> Response:
    return transact(wanted, None if document is None else document.get("handle"))


def _create_stored_query(wanted: asked.CreateStoredQuery, document: Any) -> Response:
    editors_only()
    return stored.create(wanted)


def _drop_stored_query(wanted: asked.DropStoredQuery, document: Any) -> Response:
    editors_only()
    return stored.drop(wanted)


_ANSWERS: dict[type, Callable[[Any, Any], Response]] = {
    asked.GetCapabilities: _get_capabilities,
    asked.DescribeFeatureType: _describe_feature_type,
    asked.GetFeature: _get_feature,
    asked.GetPropertyValue: _get_property_value,
    asked.LockFeature: _lock_feature,
    asked.Transaction: _transaction,
    asked.ListStoredQueries: lambda wanted, document: stored.list_all(wanted),
    asked.DescribeStoredQueries: lambda wanted, document: stored.describe(wanted),
    asked.CreateStoredQuery: _create_stored_query,
    asked.DropStoredQuery: _drop_stored_query,
}
