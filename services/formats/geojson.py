"""GeoJSON (RFC 7946), also in other reference systems as OGC API – Features Part 2 has it."""

from __future__ import annotations

from collections.abc import Iterator

from gis import geojson
from layers.fields import Layer
from layers.read import Rows
from services.formats.base import Context, Counted, Features, Shapes

MEDIA_TYPE = "application/geo+json"


def feature_texts(layer: Layer, page: Rows, context: Context) -> list[bytes]:
    """One GeoJSON Feature per row, as UTF-8 text."""
    shapes = Shapes(page, context.target)
    return geojson.feature_texts(
        context.ids(layer, page),
        shapes.wkb_in_order,
        page.names,
        page.columns,
        precision=context.target.decimals,
    )


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A FeatureCollection as a stream, with the members of `head` and `tail` and the number returned."""
    counted = Counted(features.pages)
    tail = context.tail or (lambda written, cursor: {"numberReturned": written})
    return geojson.feature_collection(
        (feature_texts(features.layer, page, context) for page in counted),
        context.head,
        lambda written: tail(written, counted.next),
    )
