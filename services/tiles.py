"""Vector tiles, TileJSON 3 and MapLibre styles of every layer."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
from flask import Blueprint, Response, request, url_for

from gis import tilegrid
from layers import catalogue, read, styles
from layers import tiles as layer_tiles
from layers.fields import Layer
from services import context
from services.caching import conditional, tag
from services.errors import Missing
from services.parameters import refuse_unknown

blueprint = Blueprint("tiles", __name__)
MVT = "application/vnd.mapbox-vector-tile"
WORLD = (-180.0, -85.0511287798066, 180.0, 85.0511287798066)

_bounds: dict[tuple[str, str, str], Any] = {}


def layer_or_missing(layer_id: str) -> Layer:
    """Return a layer, or refuse as missing."""
    try:
        return catalogue.layer(layer_id)
    except KeyError:
        raise Missing("Không có lớp “%(layer)s”.", layer=layer_id) from None


def bounds_of(layer: Layer, revision: str) -> tuple[float, float, float, float] | None:
    """Return the lon/lat box of what the caller sees of a layer, remembered per revision."""
    actor = context.actor()
    key = (layer.id, actor.audience_key, revision)
    if key not in _bounds:
        for stale in [k for k in _bounds if k[:2] == key[:2]]:
            _bounds.pop(stale, None)
        _bounds[key] = read.bounds(context.session(), read.Query(layer, actor))
    found: tuple[float, float, float, float] | None = _bounds[key]
    return found


@blueprint.get("/tiles/<layer_id>/<int:z>/<int:x>/<int:y>.mvt")
def tile(layer_id: str, z: int, x: int, y: int) -> Response:
    """Serve a tile: 200 with features, 204 when empty within the layer's limits, 404 outside them."""
    refuse_unknown(())
    layer, actor = layer_or_missing(layer_id), context.actor()
    revision = read.revision(context.session(), layer)
    limits = bounds_of(layer, revision) or WORLD
    if not tilegrid.in_limits(z, x, y, limits, layer.minzoom, layer.maxzoom):
        raise Missing("Ô bản đồ %(z)s/%(x)s/%(y)s nằm ngoài giới hạn của lớp.", z=z, x=x, y=y)
    key = f"{layer.id}/{revision}/{actor.audience_key}/{z}/{x}/{y}"

    def make() -> Response:
        packed = context.tile_cache().get(key)
        if packed is None:
            body = layer_tiles.encode(context.session(), layer, actor, z, x, y)
            packed = gzip.compress(body, 4) if body else b""
            context.tile_cache().put(key, packed)
        if not packed:
            return Response(status=204)
        if request.accept_encodings["gzip"]:
            return Response(packed, mimetype=MVT, headers={"Content-Encoding": "gzip"})
        return Response(gzip.decompress(packed), mimetype=MVT)

    return conditional(tag(key, store_mark()), actor, make, versioned=request.args.get("v") == revision)


def store_mark() -> str:
    """Return a mark that differs between records, so that two provinces never share a tag."""
    return tag(context.store().url.render_as_string(hide_password=True))


@blueprint.get("/tiles/<layer_id>.json")
def tilejson(layer_id: str) -> Response:
    """Serve TileJSON 3.0.0 with the layer's attributes and addresses that name the revision."""
    refuse_unknown(())
    layer, actor = layer_or_missing(layer_id), context.actor()
    revision = read.revision(context.session(), layer)

    def make() -> Response:
        west, south, east, north = bounds_of(layer, revision) or WORLD
        lang = context.language()
        address = url_for("tiles.tile", layer_id=layer.id, z=0, x=0, y=0, _external=True)
        document = {
            "tilejson": "3.0.0",
            "name": layer.title[lang],
            "description": layer.description[lang],
            "version": "1.0.0",
            "scheme": "xyz",
            "tiles": [address.replace("/0/0/0.mvt", "/{z}/{x}/{y}.mvt") + f"?v={revision}"],
            "minzoom": layer.minzoom,
            "maxzoom": layer.maxzoom,
            "bounds": [west, south, east, north],
            "center": [(west + east) / 2, (south + north) / 2, 9],
            "vector_layers": [
                {
                    "id": layer.id,
                    "description": layer.description[lang],
                    "minzoom": layer.minzoom,
                    "maxzoom": layer.maxzoom,
                    "fields": layer_tiles.fields_of(layer, actor),
                }
            ],
        }
        return Response(orjson.dumps(document), mimetype="application/json")

    return conditional(
        tag(layer.id, revision, actor.audience_key, context.language(), request.host_url), actor, make
    )


@blueprint.get("/styles/<layer_id>.json")
def style(layer_id: str) -> Response:
    """Serve the MapLibre style of one layer."""
    refuse_unknown(())
    layer, actor = layer_or_missing(layer_id), context.actor()

    def make() -> Response:
        address = url_for("tiles.tilejson", layer_id=layer.id, _external=True)
        return Response(orjson.dumps(styles.maplibre_style(layer, address)), mimetype="application/json")

    revision = read.revision(context.session(), layer)
    return conditional(tag("style", layer.id, revision, request.host_url), actor, make)
