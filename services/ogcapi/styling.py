"""Styles of each collection and of the whole record (OGC API – Styles, draft 20-009)."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_babel import gettext as _

from layers import catalogue, read, styles
from layers.edit import may_edit
from layers.fields import Layer
from services import context
from services.errors import Missing
from services.ogcapi.forms import PAGES, Form, Link, address, answer, choose, link, own_links
from services.ogcapi.site import blueprint
from services.parameters import refuse_unknown
from services.styles import qml, sld
from services.styles.views import QML_TYPE, SLD_TYPES
from services.tiles import layer_or_missing

DATASET = "ocop"
MAPLIBRE = Form(
    "mapbox",
    "application/vnd.mapbox.style+json",
    also=("json",),
    accepts=("application/json",),
    title="MapLibre",
)
SLD11 = Form("sld11", SLD_TYPES["1.1.0"], accepts=("application/vnd.ogc.se+xml",), title="SLD 1.1")
SLD10 = Form("sld10", SLD_TYPES["1.0.0"], title="SLD 1.0")
QML = Form("qml", QML_TYPE, title="QML")
STYLE = (MAPLIBRE, SLD11, SLD10, QML)
#: What is drawn later lies on top: areas first, then lines, points and texts.
_ORDER = {"fill": 0, "line": 1, "circle": 2, "symbol": 3}


@blueprint.get("/styles", strict_slashes=False)
def style_list() -> Response:
    """List the style of the whole record and those of its collections."""
    return _list([None, *catalogue.LAYERS], DATASET)


@blueprint.get("/collections/<collection_id>/styles", strict_slashes=False)
def collection_styles(collection_id: str) -> Response:
    """List the styles of a collection."""
    layer = layer_or_missing(collection_id)
    return _list([layer], layer.id)


def _list(chosen: list[Layer | None], default: str) -> Response:
    form = choose(PAGES)
    refuse_unknown(())

    def document() -> dict[str, Any]:
        return {
            "links": own_links(PAGES, form),
            "default": default,
            "styles": [
                {"id": _id(layer), "title": _title(layer), "links": _links(layer)} for layer in chosen
            ],
        }

    return answer(form, document, "ogc/document.html", page=lambda: {"title": _("Các kiểu vẽ")})


@blueprint.get("/styles/<style_id>", strict_slashes=False)
def one_style(style_id: str) -> Response:
    """Serve a style for MapLibre."""
    return _style(_layer_of(style_id))


@blueprint.get("/collections/<collection_id>/styles/<style_id>", strict_slashes=False)
def collection_style(collection_id: str, style_id: str) -> Response:
    """Serve a style of a collection for MapLibre."""
    layer = layer_or_missing(collection_id)
    if style_id not in (layer.id, "default"):
        raise Missing("Không có kiểu vẽ “%(style)s”.", style=style_id)
    return _style(layer)


@blueprint.get("/styles/<style_id>/metadata", strict_slashes=False)
def style_metadata(style_id: str) -> Response:
    """Describe a style: what it draws and its stylesheets."""
    layer = _layer_of(style_id)
    form = choose(PAGES)
    refuse_unknown(())

    def document() -> dict[str, Any]:
        drawn = catalogue.LAYERS if layer is None else (layer,)
        return {
            "id": _id(layer),
            "title": _title(layer),
            "scope": "style",
            "stylesheets": [
                {"title": form.name, "native": form is MAPLIBRE, "link": _stylesheet(layer, form)}
                for form in _forms(layer)
            ],
            "layers": [
                {
                    "id": entry.id,
                    "type": "point" if entry.geometry == "POINT" else "polygon",
                    "sampleData": link(
                        "items", address("collections", entry.id, "items"), "application/geo+json"
                    ),
                }
                for entry in drawn
            ],
            "links": own_links(PAGES, form),
        }

    return answer(form, document, "ogc/document.html", page=lambda: {"title": _title(layer)})


def _style(layer: Layer | None) -> Response:
    form = choose(_forms(layer))
    refuse_unknown(())
    drawn = catalogue.LAYERS if layer is None else (layer,)
    if form in (SLD10, SLD11):
        version = "1.1.0" if form is SLD11 else "1.0.0"
        return Response(sld.document(drawn, version, context.language()), content_type=form.media_type)
    if form is QML and layer is not None:
        actor = context.actor()
        body = qml.document(layer, actor, context.language(), editable=may_edit(actor, layer))
        return Response(body, content_type=form.media_type)
    revisions = read.all_revisions(context.session(), drawn)
    return answer(form, lambda: style_document(layer), "", *revisions.values())


def style_document(layer: Layer | None) -> dict[str, Any]:
    """Return the MapLibre style of a collection, or of all of them over the tiles of the whole record."""
    if layer is not None:
        tiles = address("collections", layer.id, "tiles", "WebMercatorQuad", f="tilejson")
        return {**styles.maplibre_style(layer, tiles), "name": _title(layer)}
    parts = [part for entry in catalogue.LAYERS for part in styles.maplibre_layers(entry, DATASET)]
    return {
        "version": 8,
        "name": _title(None),
        "metadata": {"legend": [entry for drawn in catalogue.LAYERS for entry in styles.legend(drawn)]},
        "sources": {DATASET: {"type": "vector", "url": address("tiles", "WebMercatorQuad", f="tilejson")}},
        "layers": sorted(parts, key=lambda part: _ORDER[part["type"]]),
    }


def _forms(layer: Layer | None) -> tuple[Form, ...]:
    """A style of QGIS is of one layer."""
    return STYLE if layer is not None else STYLE[:-1]


def _layer_of(style_id: str) -> Layer | None:
    if style_id == DATASET:
        return None
    try:
        return catalogue.layer(style_id)
    except KeyError:
        raise Missing("Không có kiểu vẽ “%(style)s”.", style=style_id) from None


def _id(layer: Layer | None) -> str:
    return DATASET if layer is None else layer.id


def _title(layer: Layer | None) -> str:
    return str(_("Bản đồ OCOP")) if layer is None else layer.title[context.language()]


def _stylesheet(layer: Layer | None, form: Form) -> Link:
    return link("stylesheet", address("styles", _id(layer), f=form.key), form.media_type, form.name)


def _links(layer: Layer | None) -> list[Link]:
    described = link(
        "describedby", address("styles", _id(layer), "metadata"), "application/json", _title(layer)
    )
    return [*(_stylesheet(layer, form) for form in _forms(layer)), described]
