"""The style of a layer for desktop programs: SLD 1.0.0 and 1.1.0, and QML."""

from __future__ import annotations

from flask import Blueprint, Response, request

from layers import read
from layers.edit import may_edit
from services import context
from services.caching import conditional, tag
from services.errors import BadRequest
from services.parameters import refuse_unknown
from services.styles import qml, sld
from services.tiles import layer_or_missing, store_mark

blueprint = Blueprint("layer_styles", __name__)
SLD_TYPES = {
    "1.0.0": "application/vnd.ogc.sld+xml;version=1.0",
    "1.1.0": "application/vnd.ogc.sld+xml;version=1.1",
}
QML_TYPE = "application/vnd.qgis.qml"


@blueprint.get("/styles/<layer_id>.sld")
def as_sld(layer_id: str) -> Response:
    """Serve the style of one layer as SLD; `version` is 1.0.0 (the default) or 1.1.0."""
    refuse_unknown({"version"})
    layer, version = layer_or_missing(layer_id), request.args.get("version", "1.0.0")
    if version not in SLD_TYPES:
        raise BadRequest("Tham số “%(parameter)s” nhận 1.0.0 hoặc 1.1.0.", parameter="version")
    lang = context.language()

    def make() -> Response:
        return Response(sld.document((layer,), version, lang), content_type=SLD_TYPES[version])

    return conditional(tag("sld", layer.id, version, lang), context.actor(), make)


@blueprint.get("/styles/<layer_id>.qml")
def as_qml(layer_id: str) -> Response:
    """Serve the style of one layer as QML, with aliases and forms of the fields that the caller reads."""
    refuse_unknown(())
    layer, actor, lang = layer_or_missing(layer_id), context.actor(), context.language()

    def make() -> Response:
        body = qml.document(layer, actor, lang, editable=may_edit(actor, layer))
        return Response(body, mimetype=QML_TYPE)

    revision = read.revision(context.session(), layer)
    etag = tag("qml", store_mark(), layer.id, revision, actor.audience_key, lang)
    return conditional(etag, actor, make)
