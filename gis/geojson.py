"""GeoJSON (RFC 7946) written for whole pages of features at once, and streamed as one collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from gis.mvt.attributes import as_list
from gis.rings import counter_clockwise, single_rings

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_NULL = b"null"
_SEPARATOR = b",[null,null],"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY

_POINT, _LINE, _RING, _POLYGON = 0, 1, 2, 3
_MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = 4, 5, 6, 7
_NAMES = {
    _POINT: b"Point",
    _LINE: b"LineString",
    _RING: b"LineString",
    _POLYGON: b"Polygon",
    _MULTIPOINT: b"MultiPoint",
    _MULTILINE: b"MultiLineString",
    _MULTIPOLYGON: b"MultiPolygon",
}

#: What stands around the positions of a polygon's only ring.
_AROUND = {
    _POLYGON: (b'{"type":"Polygon","coordinates":[[', b"]]}"),
    _MULTIPOLYGON: (b'{"type":"MultiPolygon","coordinates":[[[', b"]]]}"),
}


def feature_texts(
    ids: Sequence[Any] | npt.NDArray[Any],
    wkb: Sequence[Any] | npt.NDArray[np.object_],
    names: Sequence[str],
    columns: Sequence[Sequence[Any] | npt.NDArray[Any]],
    *,
    precision: int = 7,
    extra: Sequence[Mapping[str, Any] | None] | None = None,
) -> list[bytes]:
    """One GeoJSON Feature per row, as UTF-8 text.

    `ids` (N) are numbers or texts; `wkb` (N) holds lon/lat WKB or None; `columns` (K) hold N values each,
    named by `names`. Coordinates have at most `precision` decimals and two dimensions, shells run
    counter-clockwise (RFC 7946 §3.1.6, §11.2). Missing and empty geometries become null. Dates become
    ISO 8601 text, decimals numbers, NaN null. `extra` gives further members of single features.
    Raises ValueError for columns of another length and for coordinates that are not finite.
    """
    shapes = np.asarray(wkb, dtype=object)
    count = len(shapes)
    if len(names) != len(columns) or any(len(column) != count for column in (ids, *columns)):
        raise ValueError("ids, wkb and columns must have the same length, and every column a name")
    if extra is not None and len(extra) != count:
        raise ValueError("extra must have the length of ids")
    rows = zip(*map(as_list, columns), strict=True) if columns else repeat((), count)
    texts = _texts_of_wkb(shapes, precision)
    features = [
        _dumps({"type": "Feature", "id": identifier, "properties": dict(zip(names, row, strict=True))})[:-1]
        + b',"geometry":'
        + geometry
        + b"}"
        for identifier, geometry, row in zip(as_list(ids), texts, rows, strict=True)
    ]
    if extra is None:
        return features
    return [_with_members(feature, members) for feature, members in zip(features, extra, strict=True)]


def _texts_of_wkb(wkb: Geometries, precision: int) -> list[bytes]:
    """The same from WKB: polygons of one ring, which most are, are written without becoming geometries."""
    single = single_rings(wkb)
    if single is None:
        return geometry_texts(shapely.from_wkb(wkb), precision=precision)
    xy, ends = single
    before, after = _AROUND[_MULTIPOLYGON]
    return [before + text + after for text in _marked_texts(counter_clockwise(xy, ends), ends, precision)]


def geometry_texts(geometries: Geometries, *, precision: int = 7) -> list[bytes]:
    """One GeoJSON geometry per lon/lat geometry, as UTF-8 text; `null` for missing and empty ones.

    Raises ValueError for coordinates that are not finite.
    """
    oriented: Geometries = shapely.orient_polygons(np.asarray(geometries, dtype=object))
    types = shapely.get_type_id(oriented)
    types[shapely.is_empty(oriented)] = -1
    present = set(np.unique(types).tolist())
    writers: tuple[tuple[tuple[int, ...], Callable[[Geometries, Integers, int], list[bytes]]], ...] = (
        ((_POINT, _MULTIPOINT), _point_texts),
        ((_LINE, _RING, _MULTILINE), _line_texts),
        ((_POLYGON, _MULTIPOLYGON), _polygon_texts),
        ((_COLLECTION,), _collection_texts),
    )
    texts: list[bytes] = [_NULL] * len(oriented)
    for members, write in writers:
        if present.isdisjoint(members):
            continue
        if present.issubset(members):
            return write(oriented, types, precision)
        rows = np.flatnonzero(np.isin(types, members))
        for row, text in zip(rows.tolist(), write(oriented[rows], types[rows], precision), strict=True):
            texts[row] = text
    return texts


def feature_collection(
    chunks: Iterable[Sequence[bytes]],
    head: Mapping[str, Any] | None = None,
    tail: Callable[[int], Mapping[str, Any]] | None = None,
) -> Iterator[bytes]:
    """A FeatureCollection as a stream of UTF-8 pieces, one for the head, one per chunk, one for the end.

    `chunks` gives lists of Feature texts and is read as the stream is read. `head` holds members that are
    known beforehand (links, numberMatched, timeStamp); `tail` is called with the number of features written
    and gives members that are known only then (numberReturned, a next link).
    """
    members = b'{"type":"FeatureCollection"'
    if head:
        members += b"," + _dumps(dict(head))[1:-1]
    yield members + b',"features":['
    count = 0
    for chunk in chunks:
        if chunk:
            yield (b"," if count else b"") + b",".join(chunk)
            count += len(chunk)
    last = tail(count) if tail is not None else None
    yield b"]" + (b"," + _dumps(dict(last))[1:-1] if last else b"") + b"}"


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=_fallback, option=_OPTIONS)


def _fallback(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _with_members(feature: bytes, members: Mapping[str, Any] | None) -> bytes:
    return feature[:-1] + b"," + _dumps(dict(members))[1:] if members else feature


def _path_texts(paths: Geometries, precision: int) -> list[bytes]:
    """The positions of every point, line or ring as `[x,y],[x,y]`, all written by one call."""
    xy, path = shapely.get_coordinates(paths, return_index=True)
    if not len(xy):
        return []
    return _marked_texts(xy, np.cumsum(np.bincount(path, minlength=len(paths))), precision)


def _marked_texts(xy: Floats, ends: Integers, precision: int) -> list[bytes]:
    """The positions of paths, given one after the other with the number at which each ends."""
    if not np.isfinite(xy).all():
        raise ValueError("coordinates must be finite")
    # A row of NaN, written as [null,null], marks where one path ends and the next begins.
    marked = np.insert(np.round(xy, precision), ends[:-1], np.nan, axis=0)
    return orjson.dumps(marked, option=_OPTIONS)[1:-1].split(_SEPARATOR)


def _geometry(kind: int, coordinates: bytes) -> bytes:
    return b'{"type":"%b","coordinates":%b}' % (_NAMES[kind], coordinates)


def _bracketed(texts: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def _grouped(texts: Iterable[bytes], owners: Integers, count: int) -> list[list[bytes]]:
    groups: list[list[bytes]] = [[] for _ in range(count)]
    for owner, text in zip(owners.tolist(), texts, strict=True):
        groups[owner].append(text)
    return groups


def _point_texts(geometries: Geometries, types: Integers, precision: int) -> list[bytes]:
    parts, owner = _parts(geometries)
    groups = _grouped(_path_texts(parts, precision), owner, len(geometries))
    return [
        _geometry(kind, group[0] if kind == _POINT else _bracketed(group))
        for kind, group in zip(types.tolist(), groups, strict=True)
    ]


def _line_texts(geometries: Geometries, types: Integers, precision: int) -> list[bytes]:
    parts, owner = _parts(geometries)
    lines = [b"[" + text + b"]" for text in _path_texts(parts, precision)]
    groups = _grouped(lines, owner, len(geometries))
    return [
        _geometry(kind, _bracketed(group) if kind == _MULTILINE else group[0])
        for kind, group in zip(types.tolist(), groups, strict=True)
    ]


def _polygon_texts(geometries: Geometries, types: Integers, precision: int) -> list[bytes]:
    parts, owner = _parts(geometries)
    rings, part = shapely.get_rings(parts, return_index=True)
    texts = _path_texts(rings, precision)
    if len(texts) == len(geometries):
        around = [_AROUND[kind] for kind in types.tolist()]
        return [before + text + after for (before, after), text in zip(around, texts, strict=True)]
    polygons = map(_bracketed, _grouped([b"[" + text + b"]" for text in texts], part, len(parts)))
    groups = _grouped(polygons, owner, len(geometries))
    return [
        _geometry(kind, group[0] if kind == _POLYGON else _bracketed(group))
        for kind, group in zip(types.tolist(), groups, strict=True)
    ]


def _collection_texts(geometries: Geometries, types: Integers, precision: int) -> list[bytes]:
    return [
        b'{"type":"GeometryCollection","geometries":%b}'
        % _bracketed(geometry_texts(shapely.get_parts(collection), precision=precision))
        for collection in geometries
    ]


def _parts(geometries: Geometries) -> tuple[Geometries, Integers]:
    """The non-empty parts of all geometries, and the geometry that each belongs to."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    empty = shapely.is_empty(parts)
    return (parts[~empty], owner[~empty]) if empty.any() else (parts, owner)
