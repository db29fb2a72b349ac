"""WMS 1.3.0 and 1.1.1 at /wms: capabilities, maps, information at a point and legends of every layer.

Source: OGC 06-042 (WMS 1.3.0), OGC 05-078r4 (its SLD profile), OGC 01-068r3 (WMS 1.1.1).
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from data.record_facts import get_fact
from data.store import revisions
from gis.errors import Refusal
from layers import catalogue, read
from layers.fields import Layer
from services import context
from services.caching import conditional, tag
from services.styles import sld
from services.tiles import store_mark
from services.wms import capabilities, faults, information, legend, picture
from services.wms.faults import ServiceException
from services.wms.request import (
    DEFAULT_STYLE,
    JPEG,
    LARGEST_SIDE,
    MapRequest,
    Parameters,
    negotiated,
    read_background,
    read_format,
    read_layers,
    read_map,
)

blueprint = Blueprint("wms", __name__)
SLD_TYPE = "application/vnd.ogc.sld+xml"


@blueprint.get("/wms")
def serve() -> Response:
    """Answer a request of a map client, or say in its dialect why not."""
    parameters = Parameters(request.args.items(multi=True))
    version = _version(parameters)
    try:
        return _dispatch(parameters, version)
    except Refusal as error:
        return _refused(error, parameters, version)


def _version(parameters: Parameters) -> str:
    """Return the version to speak; requests without one are told apart by the parameter of their CRS."""
    asked = parameters.get("VERSION") or parameters.get("WMTVER")
    if not asked and parameters.has("SRS") and not parameters.has("CRS"):
        return "1.1.1"
    return negotiated(asked)


def _dispatch(parameters: Parameters, version: str) -> Response:
    service = parameters.get("SERVICE", "WMS").upper()
    if service != "WMS":
        raise ServiceException("SERVICE phải là WMS.", code="InvalidParameterValue", locator="service")
    operation = parameters.required("REQUEST").lower()
    if operation in ("getcapabilities", "capabilities"):
        if operation == "getcapabilities":
            parameters.required("SERVICE")
        return _capabilities(parameters, version)
    if operation in ("getmap", "map"):
        return _map(read_map(parameters, version))
    if operation in ("getfeatureinfo", "feature_info"):
        return _information(parameters, version)
    if operation == "getlegendgraphic":
        return _legend(parameters)
    if operation == "getstyles":
        return _styles(parameters)
    raise ServiceException(
        "Dịch vụ không có thao tác “%(operation)s”.",
        code="OperationNotSupported",
        locator="request",
        operation=parameters.get("REQUEST")[:80],
    )


# ---- operations


def _capabilities(parameters: Parameters, version: str) -> Response:
    known = revisions(context.session())
    sequence = sum(known.get(table, 0) for table in {layer.table for layer in catalogue.LAYERS})
    _check_sequence(parameters.get("UPDATESEQUENCE"), sequence)
    name = get_fact(context.session(), "province_name")
    title = _("Bản đồ OCOP %(province)s", province=name or "").strip()
    media_type = "text/xml" if version == "1.3.0" else "application/vnd.ogc.wms_xml"

    def make() -> Response:
        return Response(capabilities.document(version, title, str(sequence)), mimetype=media_type)

    return _cached(catalogue.LAYERS, make, version, title, sequence, request.host_url)


def _check_sequence(text: str, current: int) -> None:
    """Refuse a sequence that is the current one or lies ahead of it. Source: OGC 06-042 §7.2.3.5, table 4."""
    if not text:
        return
    asked = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else current + 1
    if asked == current:
        raise ServiceException(
            "Bản mô tả dịch vụ không đổi từ số hiệu đó.",
            code="CurrentUpdateSequence",
            locator="updatesequence",
        )
    if asked > current:
        raise ServiceException(
            "UPDATESEQUENCE lớn hơn số hiệu hiện tại %(current)s.",
            code="InvalidUpdateSequence",
            locator="updatesequence",
            current=current,
        )


def _map(wanted: MapRequest) -> Response:
    def make() -> Response:
        return Response(picture.draw(wanted), mimetype=wanted.media_type)

    asked = (value for name, value in vars(wanted).items() if name != "layers")
    return _cached(wanted.layers, make, *asked)


def _information(parameters: Parameters, version: str) -> Response:
    wanted = read_map(parameters, version, with_format=False)
    response = information.answer(parameters, wanted)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _legend(parameters: Parameters) -> Response:
    layer = _one_layer(parameters)
    wanted = read_format(parameters.get("FORMAT", "image/png"))
    ground = read_background(parameters, wanted)
    sized = parameters.has("WIDTH") and parameters.has("HEIGHT") and parameters.has("RULE")
    size = (0, 0)
    if sized:
        sides = [parameters.integer(name, minimum=1, maximum=LARGEST_SIDE) for name in ("WIDTH", "HEIGHT")]
        size = (sides[0], sides[1])

    def make() -> Response:
        if sized:
            canvas = legend.draw_swatch(layer, *size, ground)
        else:
            canvas = legend.draw_legend(layer, context.language(), ground)
        return Response(canvas.jpeg() if wanted == JPEG else canvas.png(), mimetype=wanted.split(";")[0])

    return _cached((layer,), make, "legend", wanted, ground, size)


def _styles(parameters: Parameters) -> Response:
    layers = read_layers(parameters, "LAYERS")
    version = "1.1.0" if parameters.get("SLDVER", "1.0.0").startswith("1.1") else "1.0.0"

    def make() -> Response:
        return Response(sld.document(layers, version, context.language()), mimetype=SLD_TYPE)

    return _cached(layers, make, "sld", version)


def _one_layer(parameters: Parameters) -> Layer:
    layers = read_layers(parameters, "LAYER")
    if len(layers) != 1:
        raise ServiceException(
            "Chỉ xem được chú giải của một lớp mỗi lần.", code="InvalidParameterValue", locator="layer"
        )
    if parameters.get("STYLE", DEFAULT_STYLE) != DEFAULT_STYLE:
        raise ServiceException(
            "Không có kiểu vẽ “%(style)s”.",
            code="StyleNotDefined",
            locator="style",
            style=parameters.get("STYLE")[:80],
        )
    return layers[0]


def _cached(layers: tuple[Layer, ...], make: Callable[[], Response], *parts: object) -> Response:
    """Answer with a tag of the revisions of the layers, the caller's audience and language, and the parts."""
    actor = context.actor()
    known = read.all_revisions(context.session(), layers)
    names = [layer.id for layer in layers]
    revisions_then = [known[name] for name in names]
    etag = tag(store_mark(), actor.audience_key, context.language(), *names, *revisions_then, *parts)
    return conditional(etag, actor, make)


# ---- refusals


def _refused(error: Refusal, parameters: Parameters, version: str) -> Response:
    """Answer in the form that EXCEPTIONS asks for; XML where an image of that size cannot be made."""
    form = parameters.get("EXCEPTIONS", "XML").upper().rpartition("SE_")[2]
    is_map = parameters.get("REQUEST").lower() in ("getmap", "map")
    if form not in ("INIMAGE", "BLANK") or not is_map:
        return faults.as_xml(error, version)
    try:
        width = parameters.integer("WIDTH", minimum=1, maximum=LARGEST_SIDE)
        height = parameters.integer("HEIGHT", minimum=1, maximum=LARGEST_SIDE)
        wanted = read_format(parameters.required("FORMAT"))
        ground = read_background(parameters, wanted)
    except ServiceException:
        return faults.as_xml(error, version)
    shown = error if form == "INIMAGE" else None
    return faults.as_image(shown, width, height, wanted.split(";")[0], ground)
