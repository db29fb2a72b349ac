"""JSON-FG: GeoJSON that also tells its type, its time and, in `place`, coordinates in any reference system.

Source: OGC 21-045 (JSON-FG 0.3), requirements classes core and types-schemas.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from gis import geojson, srsname
from gis.srsname import SrsName
from layers.fields import Layer
from layers.read import Rows
from services.formats.base import Context, Counted, Features, Shapes

MEDIA_TYPE = "application/vnd.ogc.fg+json"
CONFORMANCE = (
    "http://www.opengis.net/spec/json-fg-1/0.3/conf/core",
    "http://www.opengis.net/spec/json-fg-1/0.3/conf/types-schemas",
)
_DIMENSIONS = {"POINT": 0, "MULTIPOINT": 0, "LINESTRING": 1, "MULTILINESTRING": 1}


def head(layer: Layer, context: Context) -> dict[str, Any]:
    """The members of a collection or single feature that say what it is."""
    return {
        "conformsTo": list(CONFORMANCE),
        "featureType": layer.id,
        "coordRefSys": _target(context).uri,
    }


def feature_texts(layer: Layer, page: Rows, context: Context) -> list[bytes]:
    """One JSON-FG Feature per row, as UTF-8 text.

    In CRS84 the shape stands in `geometry`; in any other system in `place`, and `geometry` is null unless
    `context.fallback` asks for WGS84 beside it.
    """
    target = _target(context)
    plain = target.crs == srsname.CRS84
    missing = np.full(len(page), None, dtype=object)
    texts = geojson.feature_texts(
        context.ids(layer, page),
        page.wkb if plain or context.fallback else missing,
        page.names,
        page.columns,
    )
    if plain:
        places = [b"null"] * len(page)
    else:
        places = geojson.geometry_texts(Shapes(page, target).in_order, precision=target.decimals)
    return [
        b'%b,"time":%b,"place":%b}' % (text[:-1], orjson.dumps(time, option=orjson.OPT_UTC_Z), place)
        for text, time, place in zip(texts, times(layer, page), places, strict=True)
    ]


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A JSON-FG FeatureCollection as a stream."""
    layer, counted = features.layer, Counted(features.pages)
    members = {
        **head(layer, context),
        "geometryDimension": _DIMENSIONS.get(layer.geometry, 2),
        **context.head,
    }
    tail = context.tail or (lambda written, cursor: {"numberReturned": written})
    return geojson.feature_collection(
        (feature_texts(layer, page, context) for page in counted),
        members,
        lambda written: tail(written, counted.next),
    )


def times(layer: Layer, page: Rows) -> list[dict[str, Any] | None]:
    """The `time` of every row, as far as the page has the layer's temporal field: a span, a day or a moment."""
    columns = page.by_name()
    starts = columns.get(layer.temporal_field or "")
    if starts is None:
        return [None] * len(page)
    if layer.temporal_end is None:
        return [None if value is None else _instant(value) for value in starts]
    ends = columns.get(layer.temporal_end, [None] * len(page))
    return [_interval(start, end) for start, end in zip(starts, ends, strict=True)]


def _target(context: Context) -> SrsName:
    """The system by its URI: `coordRefSys` is one, so the axes follow the authority."""
    return srsname.of(context.target.crs)


def _interval(start: Any, end: Any) -> dict[str, Any] | None:
    if start is None and end is None:
        return None
    return {"interval": [".." if value is None else _in_utc(value) for value in (start, end)]}


def _instant(value: Any) -> dict[str, Any]:
    return {"timestamp" if isinstance(value, dt.datetime) else "date": _in_utc(value)}


def _in_utc(value: Any) -> Any:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value
