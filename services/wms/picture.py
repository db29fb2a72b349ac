"""Drawing a map: rows of the read path, carried into the asked reference system, through the renderer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gis import crs as reference_systems
from gis import tilegrid
from gis.draw import Canvas
from layers import read, tiles
from layers.fields import Layer
from services import context
from services.styles.symbols import METRES_PER_DEGREE, Symbols, symbols, zoom_of
from services.tiles import bounds_of, store_mark
from services.wms.fonts import font_file
from services.wms.request import PNG24, Box, MapRequest

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

SIDE_STEPS = 8
MARGIN = 0.04
"""Share of the frame by which rows are fetched around it: symbols and outlines reach over the edge."""

SMALLEST_LABELLED = 14.0
"""Pixels that a polygon must span to be labelled."""

SMALLEST_OVERVIEW_ZOOM = 7
"""Smaller scales show the overview of this zoom: joining for larger cells would take the whole layer at once."""

REMEMBERED_OVERVIEWS = 8


def draw(wanted: MapRequest) -> bytes:
    """Draw a map and return the bytes of its picture; blank where the reference system does not reach."""
    canvas = Canvas(wanted.width, wanted.height, wanted.frame, background=wanted.background, font=font_file())
    box = lonlat_box(wanted.frame, wanted.crs)
    if box is not None:
        zoom = zoom_in(box, wanted.width)
        for order, layer in enumerate(wanted.layers):
            if visible_at(layer, zoom):
                _draw_layer(canvas, layer, wanted, _widened(box), zoom, order)
    if wanted.media_type == "image/jpeg":
        return canvas.jpeg()
    return canvas.png(palette=wanted.format != PNG24)


def lonlat_box(frame: Box, crs: str) -> Box | None:
    """Return the lon/lat box of a frame, its sides followed in steps; None where they cannot be expressed."""
    min_x, min_y, max_x, max_y = frame
    steps = np.linspace(0, 1, SIDE_STEPS + 1)
    across, up = min_x + (max_x - min_x) * steps, min_y + (max_y - min_y) * steps
    x = np.concatenate((across, across, np.full_like(up, min_x), np.full_like(up, max_x)))
    y = np.concatenate((np.full_like(across, min_y), np.full_like(across, max_y), up, up))
    try:
        lon, lat = _carried(x, y, crs, inverse=True)
    except reference_systems.OutsideCrs:
        return None
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def zoom_in(box: Box, width: int) -> float:
    """Return the zoom of styles at which a lon/lat box fills an image of a width."""
    return zoom_of(max((box[2] - box[0]) * METRES_PER_DEGREE / width, 1e-6))


def visible_at(layer: Layer, zoom: float) -> bool:
    """Tell whether a layer is drawn at a zoom; layers that reach down to the smallest scale always are."""
    return layer.minzoom <= 5 or zoom >= layer.minzoom


def placed(shapes: Geometries, crs: str) -> Geometries:
    """Return lon/lat shapes in a reference system, x to the right and y up."""
    if crs in ("OGC:CRS84", "EPSG:4326"):
        return shapes

    def move(xy: Floats) -> Floats:
        return np.column_stack(_carried(xy[:, 0], xy[:, 1], crs))

    moved: Geometries = np.asarray(shapely.transform(shapes, move), dtype=object)
    return moved


def _carried(x: Floats, y: Floats, crs: str, *, inverse: bool = False) -> tuple[Floats, Floats]:
    if crs in ("OGC:CRS84", "EPSG:4326"):
        return x, y
    if crs == "EPSG:3857":
        return reference_systems.from_mercator(x, y) if inverse else reference_systems.to_mercator(x, y)
    ends = (crs, "OGC:CRS84") if inverse else ("OGC:CRS84", crs)
    return reference_systems.transform_points(x, y, *ends)


def _widened(box: Box) -> Box:
    west, south, east, north = box
    wide, high = (east - west) * MARGIN, (north - south) * MARGIN
    return west - wide, max(south - high, -90.0), east + wide, min(north + high, 90.0)


def _draw_layer(canvas: Canvas, layer: Layer, wanted: MapRequest, box: Box, zoom: float, order: int) -> None:
    look = symbols(layer, zoom)
    if layer.overview_by and zoom < layer.detail_zoom:
        shapes, deciding = _overview(layer, max(int(zoom), SMALLEST_OVERVIEW_ZOOM))
        texts: Sequence[Any] | None = None
    else:
        shapes, deciding, texts = _rows(layer, look, box)
    if not len(shapes):
        return
    shapes = placed(shapes, wanted.crs)
    which = look.which(deciding) if look.by else None
    if layer.geometry == "POINT":
        canvas.points(shapes, look.paints, which)
    else:
        canvas.polygons(shapes, look.paints, which)
    if texts is not None:
        _label(canvas, layer, look, shapes, texts, wanted, order)


def _rows(layer: Layer, look: Symbols, box: Box) -> tuple[Geometries, Sequence[Any], Sequence[Any] | None]:
    names = tuple(dict.fromkeys(name for name in (look.by, look.label) if name))
    query = read.Query(layer, context.actor(), box=box, exact=False, fields=names)
    found = read.rows(context.session(), query)
    columns = found.by_name()
    shapes: Geometries = shapely.from_wkb(found.wkb)
    return shapes, columns.get(look.by or "", ()), columns[look.label] if look.label else None


def _label(
    canvas: Canvas,
    layer: Layer,
    look: Symbols,
    shapes: Geometries,
    texts: Sequence[Any],
    wanted: MapRequest,
    order: int,
) -> None:
    """Ask for labels; those of layers further up come first, then those of larger shapes."""
    if layer.geometry == "POINT":
        xy = np.column_stack((shapely.get_x(shapes), shapely.get_y(shapes)))
        ranks = np.full(len(texts), float(order))
        canvas.labels(texts, xy, look.ink, ranks=ranks, offset=look.paints[0].radius + 1)
        return
    min_x, min_y, max_x, max_y = wanted.frame
    seen = np.asarray(shapely.clip_by_rect(shapes, *wanted.frame), dtype=object)
    bounds = shapely.bounds(seen)
    pixels = (bounds[:, 2] - bounds[:, 0]) * (wanted.width / (max_x - min_x))
    chosen = np.flatnonzero(pixels >= SMALLEST_LABELLED)
    if not len(chosen):
        return
    inner = shapely.point_on_surface(seen[chosen])
    areas = shapely.area(seen[chosen]) / ((max_x - min_x) * (max_y - min_y))
    xy = np.column_stack((shapely.get_x(inner), shapely.get_y(inner)))
    canvas.labels([texts[i] for i in chosen.tolist()], xy, look.ink, ranks=order + np.clip(areas, 0, 0.999))


_overviews: OrderedDict[str, tuple[Geometries, Sequence[Any]]] = OrderedDict()


def _overview(layer: Layer, zoom: int) -> tuple[Geometries, Sequence[Any]]:
    """Return a whole layer joined into few shapes for a small scale, made once per revision and audience."""
    actor, session = context.actor(), context.session()
    key = f"overview/{layer.id}/{read.revision(session, layer)}/{actor.audience_key}/{zoom}/{store_mark()}"
    if key not in _overviews:
        body = context.tile_cache().get(key)
        if body is None:
            body = _made_overview(layer, zoom)
            context.tile_cache().put(key, body)
        shapes, keys = orjson.loads(body)
        _overviews[key] = shapely.from_wkb(np.array(shapes, dtype=object)), keys
        if len(_overviews) > REMEMBERED_OVERVIEWS:
            _overviews.popitem(last=False)
    return _overviews[key]


def _made_overview(layer: Layer, zoom: int) -> bytes:
    """Join a layer band by band of cells, so that only the rows of one band are in memory."""
    cell = tiles.OVERVIEW_CELL_PIXELS * tilegrid.resolution(zoom, 256)
    bounds = bounds_of(layer, read.revision(context.session(), layer))
    shapes: list[str] = []
    keys: list[Any] = []
    if bounds is not None:
        west, south, east, north = bounds
        _, edges = reference_systems.to_mercator([west, east], [south, north])
        first, last = np.floor(edges / cell).astype(int).tolist()
        for band in range(first, last + 1):
            merged = _band(layer, (west, east), band, cell)
            shapes += shapely.to_wkb(merged.geometries, hex=True).tolist()
            keys += list(merged.keys)
    return orjson.dumps([shapes, keys])


def _band(layer: Layer, sides: tuple[float, float], band: int, cell: float) -> Any:
    """Join the shapes whose middle lies in one band of cells from west to east."""
    _, (south, north) = reference_systems.from_mercator([0, 0], [band * cell, (band + 1) * cell])
    box = (sides[0], float(south), sides[1], float(north))
    query = read.Query(layer, context.actor(), box=box, exact=False, fields=(layer.overview_by or "",))
    rows = read.rows(context.session(), query)
    limits = shapely.bounds(shapely.from_wkb(rows.wkb)).reshape(-1, 4)
    _, low = reference_systems.to_mercator(limits[:, 0], limits[:, 1])
    _, high = reference_systems.to_mercator(limits[:, 2], limits[:, 3])
    inside = np.flatnonzero(np.floor((low + high) / 2 / cell) == band)
    return tiles.coalesced(rows.wkb[inside], [rows.columns[0][i] for i in inside.tolist()], cell)
