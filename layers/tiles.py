"""Vector tiles of a layer for one caller, from the rows of the record.

Below a layer's detail zoom an overview is drawn: small shapes of one kind joined per cell. A columnar snapshot of
hot layers can take the place of `_rows` without a change elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from data.accounts import Actor
from gis import generalise, mvt, tilegrid
from gis.tilegrid import TileGrid
from layers import read
from layers.fields import Layer

EXTENT = 4096
BUFFER = 64
OVERVIEW_CELL_PIXELS = 24


def encode(
    session: Session,
    layer: Layer,
    actor: Actor,
    z: int,
    x: int,
    y: int,
    grid: TileGrid = tilegrid.WEB_MERCATOR_QUAD,
) -> bytes:
    """Return the Mapbox Vector Tile 2.1 of a tile address for a caller; b"" when nothing is in it."""
    tile = (z, x, y)
    if is_overview(layer, z, grid):
        return draw(layer, _overview_rows(session, layer, actor, tile, grid), tile, grid)
    return draw(layer, _rows(session, layer, actor, tile, grid), tile, grid)


def is_overview(layer: Layer, z: int, grid: TileGrid = tilegrid.WEB_MERCATOR_QUAD) -> bool:
    """Tell whether a layer is drawn joined at a level instead of row by row."""
    return layer.overview_by is not None and z + grid.zoom_offset < layer.detail_zoom


def draw(
    layer: Layer,
    rows: read.Rows,
    tile: tuple[int, int, int],
    grid: TileGrid = tilegrid.WEB_MERCATOR_QUAD,
) -> bytes:
    """Return the tile of rows that are already there (lon/lat); b"" when nothing of them is in it.

    An overview needs the column that joins; it is drawn from nothing else.
    """
    if is_overview(layer, tile[0], grid):
        return _overview(layer, rows, tile, grid)
    body = mvt.encode_layer(
        layer.id, rows.ids, rows.wkb, rows.by_name(), tile, extent=EXTENT, buffer=BUFFER, grid=grid
    )
    return body + _labels(layer, rows, tile, grid) if layer.style.label_points and body else body


def _labels(layer: Layer, rows: read.Rows, tile: tuple[int, int, int], grid: TileGrid) -> bytes:
    """Place each name once, within the largest part of its shape, so that a map does not repeat it per tile piece."""
    shapes = shapely.from_wkb(rows.wkb)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    if not len(parts):
        return b""
    order = np.lexsort((-shapely.area(parts), owner))
    owners, first = np.unique(owner[order], return_index=True)
    points = shapely.point_on_surface(parts[order][first])
    name = layer.style.label or ""
    texts = [rows.by_name()[name][i] for i in owners.tolist()]
    return mvt.encode_geometries(
        layer.style.label_layer(layer.id), rows.ids[owners], points, {name: texts}, tile, buffer=0, grid=grid
    )


def _rows(
    session: Session, layer: Layer, actor: Actor, tile: tuple[int, int, int], grid: TileGrid
) -> read.Rows:
    box = grid.tile_box(*tile, buffer=BUFFER, extent=EXTENT)
    return read.rows(session, read.Query(layer, actor, box=box, exact=False, tile_fields=True))


def _overview_rows(
    session: Session, layer: Layer, actor: Actor, tile: tuple[int, int, int], grid: TileGrid
) -> read.Rows:
    box = grid.tile_box(*tile, buffer=BUFFER, extent=EXTENT)
    return read.rows(
        session, read.Query(layer, actor, box=box, exact=False, fields=(layer.overview_by or "",))
    )


def _overview(layer: Layer, rows: read.Rows, tile: tuple[int, int, int], grid: TileGrid) -> bytes:
    """Draw joined shapes with the deciding field, their number and their area, instead of a megabyte of slivers."""
    z, by = tile[0], layer.overview_by or ""
    if not len(rows):
        return b""
    cell = OVERVIEW_CELL_PIXELS * grid.resolution(z, 256) * grid.metres_per_unit
    merged = coalesced(rows.wkb, rows.by_name()[by], cell)
    columns: dict[str, Any] = {
        by: merged.keys,
        "count": merged.counts,
        "area_ha": np.round(merged.area_ha, 1),
    }
    ids = np.arange(1, len(merged.keys) + 1, dtype=np.int64)
    wkb = np.asarray(shapely.to_wkb(merged.geometries), dtype=object)
    return mvt.encode_layer(layer.id, ids, wkb, columns, tile, extent=EXTENT, buffer=BUFFER, grid=grid)


def coalesced(wkb: Any, keys: Any, cell_m: float) -> Any:
    """Join the shapes of one key within each cell of `cell_m` metres."""
    return generalise.coalesce(shapely.from_wkb(wkb), keys, cell_m)


def vector_layers(layer: Layer, actor: Actor, lang: str, maxzoom: int | None = None) -> list[dict[str, Any]]:
    """Describe what a layer's tiles hold, as the `vector_layers` of TileJSON 3 want it."""
    fields = fields_of(layer, actor)
    described = [(layer.id, layer.minzoom, fields)]
    if layer.style.label_points and layer.style.label:
        names = {layer.style.label: fields[layer.style.label]}
        described.append((layer.style.label_layer(layer.id), layer.minzoom, names))
    return [
        {
            "id": name,
            "description": layer.description[lang],
            "minzoom": minzoom,
            "maxzoom": layer.maxzoom if maxzoom is None else maxzoom,
            "fields": known,
        }
        for name, minzoom, known in described
    ]


def fields_of(layer: Layer, actor: Actor) -> dict[str, str]:
    """Describe the attributes of the layer's tiles for TileJSON: name → title in Vietnamese."""
    return {f.name: f.title.vi for f in layer.readable_fields(actor) if f.in_tiles}
