"""Features of one tile layer as protocol buffer messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis.mvt import attributes, shapes, varint
from gis.mvt.polygons import valid_polygons
from gis.mvt.shapes import LINE, POINT, POLYGON, Frame, Geometries, Paths
from gis.mvt.varint import Integers, run_starts, spans
from gis.tilegrid import WEB_MERCATOR_QUAD, TileGrid

_MOVE_ONE = 1 << 3 | 1
_LINE_TO = 2
_CLOSE = 1 << 3 | 7


def encode_layer(
    name: str,
    ids: npt.ArrayLike,
    wkb: Sequence[Any] | npt.NDArray[np.object_],
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    tile: tuple[int, int, int],
    *,
    extent: int = 4096,
    buffer: int = 64,
    simplify: bool = True,
    grid: TileGrid = WEB_MERCATOR_QUAD,
) -> bytes:
    """One layer of a vector tile (MVT 2.1) from lon/lat WKB; b"" when nothing of it falls into the tile.

    `ids` (N) are the feature ids, 0 or more; `wkb` (N) holds bytes or None; `columns` maps attribute names
    to N values each. `tile` is (z, x, y) of `grid`. Layers put one after the other make a tile.
    See `encode_geometries` for what happens to shapes and values.
    Raises shapely.errors.GEOSException for bytes that are not WKB.
    """
    blobs = np.asarray(wkb, dtype=object)
    geometries: Geometries = shapely.from_wkb(blobs)
    return encode_geometries(
        name, ids, geometries, columns, tile, extent=extent, buffer=buffer, simplify=simplify, grid=grid
    )


def encode_geometries(
    name: str,
    ids: npt.ArrayLike,
    geometries: Geometries,
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    tile: tuple[int, int, int],
    *,
    extent: int = 4096,
    buffer: int = 64,
    simplify: bool = True,
    grid: TileGrid = WEB_MERCATOR_QUAD,
) -> bytes:
    """One layer of a vector tile (MVT 2.1) from lon/lat geometries; b"" when nothing falls into the tile.

    Shapes are cut at the tile widened by `buffer` units, snapped to its grid of `extent` units, and freed
    of repeated vertices and of lines and rings without extent. Every polygon is valid after snapping, or
    left out. `simplify` also drops vertices on a straight line, which alters no shape. Points, lines and
    polygons may be mixed; missing, empty and collection geometries are skipped.
    Text, booleans, integers and floats keep their type; dates become ISO 8601 text; None is no attribute.
    Raises ValueError for negative ids or columns of another length.
    """
    identifiers = np.asarray(ids, dtype=np.int64)
    count = len(geometries)
    if len(identifiers) != count or any(len(column) != count for column in columns.values()):
        raise ValueError("ids, geometries and columns must have the same length")
    if count and int(identifiers.min()) < 0:
        raise ValueError("feature ids must not be negative")
    drawn = list(_drawn(np.asarray(geometries, dtype=object), Frame(tile, extent, buffer, grid), simplify))
    kept = np.zeros(count, bool)
    for _, rows, _ in drawn:
        kept[rows] = True
    if not kept.any():
        return b""
    tags, values = attributes.dictionary(columns, kept)
    place = np.cumsum(kept) - 1
    features = b"".join(
        _features(kind, identifiers[rows], rows, tags[place[rows]], paths) for kind, rows, paths in drawn
    )
    version, size = b"\x78\x02", b"\x28" + varint.encode_one(extent)
    keys = b"".join(varint.delimited(3, key.encode()) for key in columns)
    return varint.delimited(3, version + varint.delimited(1, name.encode()) + features + keys + values + size)


def _drawn(geometries: Geometries, frame: Frame, simplify: bool) -> Iterator[tuple[int, Integers, Paths]]:
    """For every kind of shape in the tile: the kind, the rows that have something to draw, their paths."""
    kinds = shapes.kind_of(geometries)
    for kind in (POINT, LINE, POLYGON):
        rows = np.flatnonzero(kinds == kind)
        if not len(rows):
            continue
        chosen = geometries[rows]
        if kind == POINT:
            paths = shapes.snapped_points(chosen, frame)
        else:
            paths = shapes.clipped(chosen, kind, frame)
            if kind == POLYGON:
                paths = valid_polygons(paths, drop_collinear=simplify)
            else:
                paths = shapes.snapped(paths, closed=False, drop_collinear=simplify)
        if paths:
            yield kind, rows[paths.feature[run_starts(paths.feature)]], paths


def _features(kind: int, ids: Integers, rows: Integers, tags: Integers, paths: Paths) -> bytes:
    """The feature messages of one kind of shape in the order of their rows.

    `ids`, `rows` (N) and `tags` (N, K) stand in the order of the features in `paths`.
    """
    drawing, drawing_count = _commands(kind, paths)
    drawing_size = np.add.reduceat(varint.lengths(drawing), np.cumsum(drawing_count) - drawing_count)
    tag_symbols, tag_count = _tag_pairs(tags)
    tag_size = _sums(varint.lengths(tag_symbols), tag_count)

    # 12 length, 08 id, 12 length tags…, 18 type, 22 length commands…
    body = 5 + varint.lengths(ids) + varint.lengths(tag_size) + tag_size
    body += varint.lengths(drawing_size) + drawing_size
    counts = 10 + tag_count + drawing_count
    at = np.empty_like(counts)
    order = np.argsort(rows)
    at[order] = np.cumsum(counts[order]) - counts[order]
    small = int(ids.max()) < 1 << 31
    symbols: Integers = np.empty(int(counts.sum()), np.int32 if small else np.int64)
    head: tuple[Any, ...] = (0x12, body, 0x08, ids, 0x12, tag_size)
    for offset, value in enumerate(head):
        symbols[at + offset] = value
    symbols[spans(at + 6, tag_count)] = tag_symbols
    at = at + 6 + tag_count
    middle: tuple[Any, ...] = (0x18, kind, 0x22, drawing_size)
    for offset, value in enumerate(middle):
        symbols[at + offset] = value
    symbols[spans(at + 4, drawing_count)] = drawing
    return varint.encode(symbols).tobytes()


def _tag_pairs(tags: Integers) -> tuple[Integers, Integers]:
    """Key index and value index in turn for all attributes that are there, and their number per feature."""
    pairs = np.empty((*tags.shape, 2), np.int32)
    pairs[:, :, 0] = np.arange(tags.shape[1])
    pairs[:, :, 1] = tags
    present = tags >= 0
    if present.all():
        return pairs.ravel(), np.full(len(tags), 2 * tags.shape[1])
    return pairs[present].ravel(), 2 * present.sum(axis=1)


def _commands(kind: int, paths: Paths) -> tuple[Integers, Integers]:
    """The drawing commands of all features in a row (MVT 2.1 §4.3), and how many integers each feature has.

    A path is: move to, first vertex, line to, other vertices, and for rings close. Points are one move to
    with all vertices. The pen starts at the origin with every feature and stays where a ring was closed.
    """
    firsts, starts = run_starts(paths.feature), paths.starts
    extra = {POINT: 1, LINE: 2, POLYGON: 3}[kind]
    counts = 2 * paths.size + extra
    at = np.cumsum(counts) - counts
    symbols = np.empty(int(counts.sum()), np.int32)
    # A vertex takes two integers and stands behind those of earlier paths, one move to, and one line to.
    vertex = np.repeat(at - 2 * starts + (1 if kind == POINT else 2), paths.size)
    vertex += np.arange(0, 2 * len(vertex), 2)
    if kind == POINT:
        symbols[at] = paths.size << 3 | 1
    else:
        vertex[starts] -= 1
        symbols[at] = _MOVE_ONE
        symbols[at + 3] = (paths.size - 1) << 3 | _LINE_TO
    if kind == POLYGON:
        symbols[at + counts - 1] = _CLOSE
    for values in (paths.x, paths.y):
        moves = np.diff(values, prepend=values[:1])
        moves[starts[firsts]] = values[starts[firsts]]
        symbols[vertex] = varint.zigzag(moves)
        vertex += 1
    return symbols, np.add.reduceat(counts, firsts)


def _sums(values: Integers, counts: Integers) -> Integers:
    """Sums of consecutive groups, of which some may be empty."""
    totals = np.concatenate(([0], np.cumsum(values)))
    ends = np.cumsum(counts)
    sums: Integers = totals[ends] - totals[ends - counts]
    return sums
