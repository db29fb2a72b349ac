"""Vector tiles of each collection and of the whole record (OGC API – Tiles), in two tile matrix sets.

Sources: OGC 20-057 (Tiles), OGC 17-083r4 (tile matrix sets and tile set metadata), TileJSON 3.0.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from gis.srsname import of as named
from gis.tilegrid import GRIDS, WEB_MERCATOR_QUAD, Box, TileGrid
from layers import catalogue, read
from layers import tiles as layer_tiles
from layers.fields import FieldType, Layer
from services import context
from services.errors import BadRequest, Missing
from services.ogcapi.forms import PAGES, Form, Link, address, answer, choose, link, own_links
from services.ogcapi.site import blueprint
from services.parameters import refuse_unknown
from services.tiles import MVT, WORLD, bounds_of, layer_or_missing, tile_answer

REGISTER = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
SCALE_SETS = {
    "WebMercatorQuad": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
    "WorldCRS84Quad": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleCRS84Quad",
}
#: Levels that are described; a tile exists up to the largest zoom of its layer.
LEVELS = 24
#: Metres per pixel that a scale denominator counts by (OGC 17-083r4 §6.1.1).
PIXEL = 0.00028
TILE_PIXELS = 256
TILING_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILEJSON = Form("tilejson", "application/json", title="TileJSON")
TILESET = (*PAGES, TILEJSON)
TILE = (Form("mvt", MVT, also=("pbf",), accepts=("application/x-protobuf", "application/octet-stream")),)
_DIMENSIONS = {"POINT": 0, "MULTIPOLYGON": 2}


def grid_or_missing(name: str) -> TileGrid:
    """Return a tile grid by its name, or refuse as missing."""
    if name not in GRIDS:
        raise Missing("Không có lưới ô bản đồ “%(grid)s”.", grid=name)
    return GRIDS[name]


# ---- tile matrix sets


@blueprint.get("/tileMatrixSets", strict_slashes=False)
def tile_matrix_sets() -> Response:
    """List the tile matrix sets."""
    form = choose(PAGES)
    refuse_unknown(())

    def document() -> dict[str, Any]:
        entries = [
            {
                "id": grid.id,
                "title": grid.id,
                "uri": REGISTER + grid.id,
                "crs": named(grid.crs).uri,
                "links": [link("self", address("tileMatrixSets", grid.id), "application/json", grid.id)],
            }
            for grid in GRIDS.values()
        ]
        return {"links": own_links(PAGES, form), "tileMatrixSets": entries}

    return answer(form, document, "ogc/document.html", page=lambda: {"title": _("Các lưới ô bản đồ")})


@blueprint.get("/tileMatrixSets/<grid_id>", strict_slashes=False)
def tile_matrix_set(grid_id: str) -> Response:
    """Describe one tile matrix set."""
    grid = grid_or_missing(grid_id)
    form = choose(PAGES)
    refuse_unknown(())
    return answer(form, lambda: _matrix_set(grid), "ogc/document.html", page=lambda: {"title": grid.id})


def _matrix_set(grid: TileGrid) -> dict[str, Any]:
    return {
        "id": grid.id,
        "title": grid.id,
        "uri": REGISTER + grid.id,
        "crs": named(grid.crs).uri,
        "orderedAxes": ["X", "Y"] if grid is WEB_MERCATOR_QUAD else ["Lon", "Lat"],
        "wellKnownScaleSet": SCALE_SETS[grid.id],
        "tileMatrices": [
            {
                "id": str(level),
                "scaleDenominator": grid.resolution(level) * grid.metres_per_unit / PIXEL,
                "cellSize": grid.resolution(level),
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-grid.half_width, grid.half_height],
                "tileWidth": TILE_PIXELS,
                "tileHeight": TILE_PIXELS,
                "matrixWidth": grid.columns << level,
                "matrixHeight": 1 << level,
            }
            for level in range(LEVELS + 1)
        ],
    }


# ---- tile sets


@blueprint.get("/tiles", strict_slashes=False)
def dataset_tilesets() -> Response:
    """List the tile sets of the whole record."""
    return _tilesets(None)


@blueprint.get("/collections/<collection_id>/tiles", strict_slashes=False)
def collection_tilesets(collection_id: str) -> Response:
    """List the tile sets of a collection."""
    return _tilesets(layer_or_missing(collection_id))


def _tilesets(layer: Layer | None) -> Response:
    form = choose(PAGES)
    refuse_unknown(() if layer else {"collections"})
    layers = _chosen(layer)

    def document() -> dict[str, Any]:
        entries = [_summary(layer, layers, grid) for grid in GRIDS.values()]
        return {"links": own_links(PAGES, form), "tilesets": entries}

    return answer(
        form, document, "ogc/document.html", *_revisions(layers), page=lambda: {"title": _("Ô bản đồ véc-tơ")}
    )


@blueprint.get("/tiles/<grid_id>", strict_slashes=False)
def dataset_tileset(grid_id: str) -> Response:
    """Describe a tile set of the whole record."""
    return _tileset(None, grid_id)


@blueprint.get("/collections/<collection_id>/tiles/<grid_id>", strict_slashes=False)
def collection_tileset(collection_id: str, grid_id: str) -> Response:
    """Describe a tile set of a collection."""
    return _tileset(layer_or_missing(collection_id), grid_id)


def _tileset(layer: Layer | None, grid_id: str) -> Response:
    grid = grid_or_missing(grid_id)
    form = choose(TILESET if grid is WEB_MERCATOR_QUAD else PAGES)
    refuse_unknown(() if layer else {"collections"})
    layers = _chosen(layer)
    if form is TILEJSON:
        return answer(form, lambda: _tilejson(layer, layers), "", *_revisions(layers))

    def document() -> dict[str, Any]:
        made = {**_summary(layer, layers, grid), **_details(layers, grid)}
        return {**made, "links": [*own_links(PAGES, form), *made["links"][1:]]}

    return answer(
        form, document, "ogc/document.html", *_revisions(layers), page=lambda: {"title": _title(layer)}
    )


def _summary(layer: Layer | None, layers: Sequence[Layer], grid: TileGrid) -> dict[str, Any]:
    here = _path(layer)
    chosen = _selection()
    links: list[Link] = [
        link("self", address(*here, grid.id, **chosen), "application/json", grid.id),
        link(TILING_SCHEME, address("tileMatrixSets", grid.id), "application/json", grid.id),
        link("item", _template(layer, layers, grid), MVT, _("Một ô bản đồ"), templated=True),
    ]
    if grid is WEB_MERCATOR_QUAD:
        links.append(
            link("alternate", address(*here, grid.id, **chosen, f="tilejson"), "application/json", "TileJSON")
        )
    return {
        "title": _title(layer),
        "dataType": "vector",
        "crs": named(grid.crs).uri,
        "tileMatrixSetURI": REGISTER + grid.id,
        "tileMatrixSetId": grid.id,
        "links": links,
    }


def _details(layers: Sequence[Layer], grid: TileGrid) -> dict[str, Any]:
    box = _bounds(layers) or WORLD
    first, last = _levels(layers, grid)
    lang, actor = context.language(), context.actor()
    limits = []
    for level in range(first, last + 1):
        west, north, east, south = grid.tile_range(box, level)
        limits.append(
            {
                "tileMatrix": str(level),
                "minTileRow": north,
                "maxTileRow": south,
                "minTileCol": west,
                "maxTileCol": east,
            }
        )
    return {
        "mediaTypes": [MVT],
        "boundingBox": {
            "lowerLeft": [box[0], box[1]],
            "upperRight": [box[2], box[3]],
            "crs": named("OGC:CRS84").uri,
            "orderedAxes": ["Lon", "Lat"],
        },
        "tileMatrixSetLimits": limits,
        "layers": [
            {
                "id": layer.id,
                "title": layer.title[lang],
                "description": layer.description[lang],
                "dataType": "vector",
                "geometryDimension": _DIMENSIONS[layer.geometry],
                "minTileMatrix": str(_levels([layer], grid)[0]),
                "maxTileMatrix": str(_levels([layer], grid)[1]),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {
                        f.name: {"title": f.title[lang], "type": _plain_type(f.type)}
                        for f in layer.readable_fields(actor)
                        if f.in_tiles
                    },
                },
            }
            for layer in layers
        ],
    }


def _tilejson(layer: Layer | None, layers: Sequence[Layer]) -> dict[str, Any]:
    west, south, east, north = _bounds(layers) or WORLD
    lang, actor = context.language(), context.actor()
    first, last = _levels(layers, WEB_MERCATOR_QUAD)
    return {
        "tilejson": "3.0.0",
        "name": _title(layer),
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [_xyz(layer, layers)],
        "minzoom": first,
        "maxzoom": last,
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, 9],
        "vector_layers": [
            described for entry in layers for described in layer_tiles.vector_layers(entry, actor, lang)
        ],
    }


# ---- tiles


@blueprint.get("/tiles/<grid_id>/<int:level>/<int:row>/<int:column>", strict_slashes=False)
def dataset_tile(grid_id: str, level: int, row: int, column: int) -> Response:
    """Serve a tile with all collections, or with those that `collections` names."""
    refuse_unknown({"collections"})
    return _tile(_chosen(None), grid_or_missing(grid_id), level, row, column)


@blueprint.get(
    "/collections/<collection_id>/tiles/<grid_id>/<int:level>/<int:row>/<int:column>", strict_slashes=False
)
def collection_tile(collection_id: str, grid_id: str, level: int, row: int, column: int) -> Response:
    """Serve a tile of one collection."""
    refuse_unknown(())
    return _tile([layer_or_missing(collection_id)], grid_or_missing(grid_id), level, row, column)


def _tile(layers: Sequence[Layer], grid: TileGrid, level: int, row: int, column: int) -> Response:
    """A tile within the limits of its set is there even when it is empty; outside them there is none."""
    choose(TILE)
    first, last = _levels(layers, grid)
    box = _bounds(layers) or WORLD
    if not grid.in_limits(level, column, row, box, first, last):
        raise Missing("Ô bản đồ %(z)s/%(x)s/%(y)s nằm ngoài giới hạn của lớp.", z=level, x=column, y=row)
    shown = [layer for layer in layers if _levels([layer], grid)[0] <= level]
    revisions = read.all_revisions(context.session(), shown)
    version = "".join(_revisions(layers))
    return tile_answer(shown, revisions, level, column, row, grid, empty_status=200, version=version)


# ---- what a tile set is made of


def _chosen(layer: Layer | None) -> Sequence[Layer]:
    if layer is not None:
        return [layer]
    text = request.args.get("collections")
    if text is None:
        return catalogue.LAYERS
    names = list(dict.fromkeys(text.split(",")))
    known = {entry.id: entry for entry in catalogue.LAYERS}
    if any(name not in known for name in names):
        raise BadRequest("Tham số “%(parameter)s” nêu lớp không có.", parameter="collections")
    return [entry for entry in catalogue.LAYERS if entry.id in names]


def _selection() -> dict[str, str]:
    text = request.args.get("collections")
    return {"collections": text} if text is not None else {}


def _path(layer: Layer | None) -> tuple[str, ...]:
    return ("tiles",) if layer is None else ("collections", layer.id, "tiles")


def _title(layer: Layer | None) -> str:
    return str(_("Mọi lớp")) if layer is None else layer.title[context.language()]


def _template(layer: Layer | None, layers: Sequence[Layer], grid: TileGrid) -> str:
    return address(*_path(layer), grid.id, "{tileMatrix}", "{tileRow}", "{tileCol}", f="mvt", **_selection())


def _xyz(layer: Layer | None, layers: Sequence[Layer]) -> str:
    version = "".join(_revisions(layers))
    return address(*_path(layer), WEB_MERCATOR_QUAD.id, "{z}", "{y}", "{x}", v=version, **_selection())


def _revisions(layers: Sequence[Layer]) -> list[str]:
    return list(read.all_revisions(context.session(), layers).values())


def _levels(layers: Sequence[Layer], grid: TileGrid) -> tuple[int, int]:
    first = max(min(layer.minzoom for layer in layers) - grid.zoom_offset, 0)
    return first, max(layer.maxzoom for layer in layers) - grid.zoom_offset


def _bounds(layers: Sequence[Layer]) -> Box | None:
    revisions = read.all_revisions(context.session(), layers)
    boxes = [box for layer in layers if (box := bounds_of(layer, revisions[layer.id])) is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _plain_type(kind: FieldType) -> str:
    return "string" if kind in (FieldType.DATE, FieldType.DATETIME) else kind.value
