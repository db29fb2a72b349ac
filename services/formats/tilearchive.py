"""Vector tiles of chosen rows in one file: PMTiles, which any web server can serve, and MBTiles.

Source: PMTiles specification 3; MBTiles specification 1.3. Tiles are Mapbox Vector Tiles 2.1, packed with gzip.
"""

from __future__ import annotations

import gzip
import json
import math
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from data.accounts import SYSTEM
from data.spatial import Box
from gis import tilegrid
from layers import tiles
from layers.fields import Layer
from layers.read import Rows
from services.formats import companions
from services.formats.base import Context, Features, bytes_of, joined

PMTILES = "application/vnd.pmtiles"
MBTILES = "application/vnd.mapbox-vector-tile.mbtiles"
#: The deepest level of an archive; map programs enlarge its tiles further, since 1/4096 of one is 0.6 m.
DEEPEST = 14
WORLD: Box = (-180.0, -85.05, 180.0, 85.05)
COMPRESSION_LEVEL = 6
SCALE = 10_000_000


@dataclass(frozen=True)
class _Pyramid:
    """The rows of an archive with what decides about their tiles."""

    layer: Layer
    rows: Rows
    bounds: NDArray[np.float64]
    box: Box

    @property
    def minzoom(self) -> int:
        """The first level that has tiles."""
        return self.layer.minzoom

    @property
    def maxzoom(self) -> int:
        """The last level that has tiles."""
        return max(self.minzoom, min(self.layer.maxzoom, DEEPEST))

    def tiles(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield z, x, y and the gzipped body of every tile that has something in it, in the order of PMTiles."""
        for z in range(self.minzoom, self.maxzoom + 1):
            members = self._members(z)
            for x, y in sorted(members, key=lambda at: zxy_to_tileid(z, *at)):
                body = tiles.draw(self.layer, _taken(self.rows, members[x, y]), (z, x, y))
                if body:
                    # Without a moment in its head, the same rows make the same file.
                    yield z, x, y, gzip.compress(body, COMPRESSION_LEVEL, mtime=0)

    def _members(self, z: int) -> dict[tuple[int, int], list[int]]:
        """The numbers of the rows whose boxes touch each tile of a level with its buffer."""
        margin = 360 / 2**z * tiles.BUFFER / tiles.EXTENT
        found: dict[tuple[int, int], list[int]] = {}
        for number, (west, south, east, north) in enumerate(self.bounds.tolist()):
            if math.isnan(west):
                continue
            box = (west - margin, south - margin, east + margin, north + margin)
            first_x, first_y, last_x, last_y = tilegrid.tile_range(box, z)
            for x in range(first_x, last_x + 1):
                for y in range(first_y, last_y + 1):
                    found.setdefault((x, y), []).append(number)
        return found

    def vector_layers(self, language: str) -> list[dict[str, Any]]:
        """What the tiles hold."""
        return tiles.vector_layers(self.layer, SYSTEM, language, self.maxzoom)


def write_pmtiles(features: Features, context: Context) -> Iterator[bytes]:
    """A PMTiles archive of the layer's levels down to 14, clustered, with `vector_layers` in its metadata."""
    pyramid, lang = _pyramid(features), context.language
    west, south, east, north = pyramid.box
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.pmtiles"
        with path.open("wb") as file:
            # The package has no types of its own.
            writer: Any = Writer(file)  # type: ignore[no-untyped-call]
            for z, x, y, body in pyramid.tiles():
                writer.write_tile(zxy_to_tileid(z, x, y), body)
            header = {
                "tile_type": TileType.MVT,
                "tile_compression": Compression.GZIP,
                "min_lon_e7": round(west * SCALE),
                "min_lat_e7": round(south * SCALE),
                "max_lon_e7": round(east * SCALE),
                "max_lat_e7": round(north * SCALE),
                "center_zoom": pyramid.minzoom,
                "center_lon_e7": round((west + east) / 2 * SCALE),
                "center_lat_e7": round((south + north) / 2 * SCALE),
            }
            metadata = {
                "name": features.layer.title[lang],
                "description": features.layer.description[lang],
                "type": "overlay",
                "vector_layers": pyramid.vector_layers(lang),
            }
            writer.finalize(header, metadata)
        yield from bytes_of(path)


def write_mbtiles(features: Features, context: Context) -> Iterator[bytes]:
    """An MBTiles archive of the same tiles; its rows are counted from the south, as the specification wants."""
    pyramid, lang = _pyramid(features), context.language
    west, south, east, north = pyramid.box
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.mbtiles"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA application_id = 0x4d504258")
            connection.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
            connection.execute(
                "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)"
            )
            connection.execute("CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row)")
            told = {
                "name": features.layer.title[lang],
                "description": features.layer.description[lang],
                "format": "pbf",
                "type": "overlay",
                "version": "1",
                "bounds": f"{west:.7f},{south:.7f},{east:.7f},{north:.7f}",
                "center": f"{(west + east) / 2:.7f},{(south + north) / 2:.7f},{pyramid.minzoom}",
                "minzoom": str(pyramid.minzoom),
                "maxzoom": str(pyramid.maxzoom),
                "json": json.dumps({"vector_layers": pyramid.vector_layers(lang)}, ensure_ascii=False),
            }
            connection.executemany("INSERT INTO metadata VALUES (?, ?)", told.items())
            connection.executemany(
                "INSERT INTO tiles VALUES (?, ?, ?, ?)",
                ((z, x, (1 << z) - 1 - y, body) for z, x, y, body in pyramid.tiles()),
            )
        yield from bytes_of(path)


def _pyramid(features: Features) -> _Pyramid:
    """All rows in memory, with their attributes for tiles; tiles go over them level by level."""
    layer = companions.narrowed(features)
    kept = [number for number, f in enumerate(features.fields) if f.in_tiles]
    fields = tuple(features.fields[number] for number in kept)
    empty = Rows(fields, np.empty(0, np.int64), np.empty(0, dtype=object), [[] for _ in fields])
    pages = [Rows(fields, page.ids, page.wkb, [page.columns[i] for i in kept]) for page in features.pages]
    rows = joined(pages) if pages else empty
    held = {f.name for f in fields}
    layer = replace(
        layer, fields=fields, overview_by=layer.overview_by if layer.overview_by in held else None
    )
    bounds = shapely.bounds(shapely.from_wkb(rows.wkb)).reshape(-1, 4)
    known = bounds[~np.isnan(bounds).any(axis=1)]
    if not len(known):
        return _Pyramid(layer, rows, bounds, WORLD)
    west, south = known[:, :2].min(axis=0).tolist()
    east, north = known[:, 2:].max(axis=0).tolist()
    return _Pyramid(layer, rows, bounds, (west, south, east, north))


def _taken(rows: Rows, numbers: list[int]) -> Rows:
    return Rows(
        rows.fields, rows.ids[numbers], rows.wkb[numbers], [[c[i] for i in numbers] for c in rows.columns]
    )
