"""Vector tiles, TileJSON 3 and MapLibre styles of every layer."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, request, url_for
from sqlalchemy.engine import URL

from gis import tilegrid
from gis.tilegrid import WEB_MERCATOR_QUAD, TileGrid
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
    layer = layer_or_missing(layer_id)
    revision = read.revision(context.session(), layer)
    limits = bounds_of(layer, revision) or WORLD
    if not tilegrid.in_limits(z, x, y, limits, layer.minzoom, layer.maxzoom):
        raise Missing("Ô bản đồ %(z)s/%(x)s/%(y)s nằm ngoài giới hạn của lớp.", z=z, x=x, y=y)
    return tile_answer([layer], {layer.id: revision}, z, x, y, empty_status=204, version=revision)


def tile_answer(
    layers: Sequence[Layer],
    revisions: Mapping[str, str],
    z: int,
    x: int,
    y: int,
    grid: TileGrid = WEB_MERCATOR_QUAD,
    *,
    empty_status: int,
    version: str,
) -> Response:
    """Answer with one tile of several layers; an empty one has the status that the service's standard wants.

    `version` is what `v=` must say for the answer to be kept for a year.
    """
    actor = context.actor()
    keys = [tile_key(layer, revisions[layer.id], z, x, y, grid) for layer in layers]

    def make() -> Response:
        # Members of gzip put one after the other are one gzip file, and layers so put are one tile.
        packed = b"".join(_packed(layer, key, z, x, y, grid) for layer, key in zip(layers, keys, strict=True))
        if not packed:
            return Response(status=empty_status, mimetype=MVT)
        if request.accept_encodings["gzip"]:
            return Response(packed, mimetype=MVT, headers={"Content-Encoding": "gzip"})
        return Response(gzip.decompress(packed), mimetype=MVT)

    return conditional(tag(*keys, store_mark()), actor, make, versioned=request.args.get("v") == version)


def tile_key(layer: Layer, revision: str, z: int, x: int, y: int, grid: TileGrid = WEB_MERCATOR_QUAD) -> str:
    """Return the name of a tile in the cache."""
    place = f"{z}/{x}/{y}" if grid is WEB_MERCATOR_QUAD else f"{grid.id}/{z}/{x}/{y}"
    return f"{layer.id}/{revision}/{context.actor().audience_key}/{place}"


def _packed(layer: Layer, key: str, z: int, x: int, y: int, grid: TileGrid) -> bytes:
    packed = context.tile_cache().get(key)
    if packed is None:
        body = layer_tiles.encode(context.session(), layer, context.actor(), z, x, y, grid)
        packed = gzip.compress(body, 4) if body else b""
        context.tile_cache().put(key, packed)
    return packed


def store_mark() -> str:
    """Return a mark that differs between records, so that two provinces never share a tag."""
    return _mark_of(context.store().url)


@functools.lru_cache(maxsize=8)
def _mark_of(url: URL) -> str:
    return tag(url.render_as_string(hide_password=True))


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
            "vector_layers": layer_tiles.vector_layers(layer, actor, lang),
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
