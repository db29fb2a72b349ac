"""GML features of versions 3.2, 3.1 and 2.1, and the XML Schema that describes them.

Source: OGC 07-036 (GML 3.2.1), 10-100r3 (simple features profile, level 0), 17-069r4 §8.4 (collections of OGC
API – Features). A feature is one element named like the layer, of the type `<layer>Type`; its fields stand in the
order of the declaration and its geometry comes last. A missing value is a missing element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import orjson
import shapely

from gis import gml
from gis.geometry import promote_multi
from gis.gml import NAMESPACES, Version
from gis.srsname import SrsName
from layers.fields import Field, FieldType, Layer
from layers.read import Rows
from services.formats.base import Context, Features, Shapes, feature_id, text_of

NAMESPACE = "http://www.ocopmap.vn/ns"
PREFIX = "app"
GEOMETRY = "geom"
SF_NAMESPACE = "http://www.opengis.net/ogcapi-features-1/1.0/sf"
SF_SCHEMA = "http://schemas.opengis.net/ogcapi/features/part1/1.0/xml/core-sf.xsd"

MEDIA_TYPES: dict[Version, str] = {
    "3.2": "application/gml+xml; version=3.2",
    "3.1": "text/xml; subtype=gml/3.1.1",
    "2.1": "text/xml; subtype=gml/2.1.2",
}
SCHEMA_LOCATIONS: dict[Version, str] = {
    "3.2": "http://schemas.opengis.net/gml/3.2.1/gml.xsd",
    "3.1": "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd",
    "2.1": "http://schemas.opengis.net/gml/2.1.2/feature.xsd",
}

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


# ---- features


def feature_texts(
    layer: Layer,
    page: Rows,
    *,
    version: Version = "3.2",
    target: SrsName,
    geometry: bool = True,
    bounded_by: bool = False,
) -> list[bytes]:
    """One feature element per row of a page, as UTF-8 text; prefixes `app` and `gml` are the caller's to declare.

    `target` names the reference system as it is written in srsName, and by its form the order of the axes.
    `bounded_by` adds the box of each feature.
    """
    columns = [_elements(f, column) for f, column in zip(page.fields, page.columns, strict=True)]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(page))
    ids = [feature_id(layer, number) for number in page.ids.tolist()]
    begin = f'<{PREFIX}:{layer.id} {"fid" if version == "2.1" else "gml:id"}="'
    end = f"</{PREFIX}:{layer.id}>".encode()
    shapes, boxes = _places(layer, page, version, target, ids, geometry=geometry, bounded_by=bounded_by)
    return [
        b"".join((f'{begin}{own_id}">'.encode(), box, "".join(row).encode(), shape, end))
        for own_id, row, shape, box in zip(ids, rows, shapes, boxes, strict=True)
    ]


def _elements(field: Field, column: Sequence[Any]) -> list[str]:
    """The values of a column as elements; empty where there is no value."""
    begin, end = f"<{PREFIX}:{field.name}>", f"</{PREFIX}:{field.name}>"
    values = None if field.type == FieldType.STRING else _plain(field.type, column)
    if values is None:
        return [f"{begin}{v}{end}" if v is not None else "" for v in _escaped(column)]
    return [f"{begin}{v}{end}" if v != "null" else "" for v in values]


def _plain(kind: FieldType, column: Sequence[Any]) -> list[str] | None:
    """Numbers, dates, moments and booleans as XML Schema writes them, `null` for None and NaN, all by one call.

    None when there are texts among them, as when codes were replaced by their titles.
    """
    if not column:
        return []
    listed = orjson.dumps(list(column), default=float, option=orjson.OPT_UTC_Z).decode()
    if kind not in (FieldType.DATE, FieldType.DATETIME) and ('"' in listed or "{" in listed):
        return None
    return listed[1:-1].replace('"', "").split(",")


def _escaped(column: Sequence[Any]) -> Sequence[Any]:
    """Texts as XML character data, None where there is none; a whole column is looked at at once."""
    try:
        joined = " ".join(filter(None, column))
    except TypeError:
        return [None if value is None else text(text_of(value)) for value in column]
    if joined.isprintable() and not any(mark in joined for mark in "&<>"):
        return column
    return [None if value is None else text(value) for value in column]


def text(value: str) -> str:
    """A text as XML character data."""
    clean = _FORBIDDEN.sub("", value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return clean.replace("\r", "&#13;")


def _places(
    layer: Layer,
    page: Rows,
    version: Version,
    target: SrsName,
    ids: list[str],
    *,
    geometry: bool,
    bounded_by: bool,
) -> tuple[list[bytes], list[bytes]]:
    """The geometry property and the boundedBy property of every row, empty where there is none."""
    nothing = [b""] * len(page)
    if not (geometry or bounded_by):
        return nothing, nothing
    moved = Shapes(page, target).moved
    boxes = _boxes(moved, version, target) if bounded_by else nothing
    if not geometry:
        return nothing, boxes
    if layer.geometry.startswith("MULTI") and (shapely.get_type_id(moved) < 4).any():
        moved = promote_multi(moved)
    texts = gml.geometry_texts(
        moved,
        version=version,
        srs_name=target.text,
        swap=target.swapped,
        ids=[f"{own_id}.{GEOMETRY}" for own_id in ids],
        precision=target.decimals,
    )
    begin, end = f"<{PREFIX}:{GEOMETRY}>".encode(), f"</{PREFIX}:{GEOMETRY}>".encode()
    return [begin + shape + end if shape else b"" for shape in texts], boxes


def _boxes(moved: Any, version: Version, target: SrsName) -> list[bytes]:
    return [
        b"" if np.isnan(box[0]) else bounded_by_text(box, version, target) for box in shapely.bounds(moved)
    ]


def bounded_by_text(bounds: Sequence[float], version: Version, target: SrsName) -> bytes:
    """A gml:boundedBy of west, south, east, north in the target system."""
    envelope = gml.envelope_text(
        bounds, version=version, srs_name=target.text, swap=target.swapped, precision=target.decimals
    )
    return b"<gml:boundedBy>%b</gml:boundedBy>" % envelope


# ---- collections


def write(version: Version) -> Callable[[Features, Context], Iterator[bytes]]:
    """The writer of a whole document: `sf:FeatureCollection` for 3.2, `gml:FeatureCollection` for 3.1, and for
    2.1, whose own collection is abstract, that of WFS 1.0."""
    return partial(_write, version)


def _write(version: Version, features: Features, context: Context) -> Iterator[bytes]:
    collection, member, namespaces = _ENVELOPES[version]
    layer = features.layer
    yield _head(version, collection, namespaces, layer, context)
    begin, end = f"<{member}>".encode(), f"</{member}>".encode()
    for page in features.pages:
        texts = feature_texts(layer, page, version=version, target=context.target, geometry=features.geometry)
        if texts:
            yield begin + (end + begin).join(texts) + end
    yield f"</{collection}>".encode()


_ENVELOPES: dict[Version, tuple[str, str, dict[str, str]]] = {
    "3.2": ("sf:FeatureCollection", "sf:featureMember", {"sf": SF_NAMESPACE}),
    "3.1": ("gml:FeatureCollection", "gml:featureMember", {}),
    "2.1": ("wfs:FeatureCollection", "gml:featureMember", {"wfs": "http://www.opengis.net/wfs"}),
}


def _head(
    version: Version, collection: str, namespaces: dict[str, str], layer: Layer, context: Context
) -> bytes:
    known = {**namespaces, "gml": NAMESPACES[version], PREFIX: NAMESPACE}
    known["xsi"] = "http://www.w3.org/2001/XMLSchema-instance"
    places = [SF_NAMESPACE, SF_SCHEMA] if version == "3.2" else []
    if context.schema is not None:
        places += [NAMESPACE, context.schema]
    attributes = [f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in known.items()]
    if places:
        attributes.append(f"xsi:schemaLocation={quoteattr(' '.join(places))}")
    if version == "3.2":
        attributes.append(f"gml:id={quoteattr(layer.id)}")
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{collection} {" ".join(attributes)}>'
    if version == "2.1":
        head += "<gml:boundedBy><gml:null>unknown</gml:null></gml:boundedBy>"
    return head.encode()


def feature_document(layer: Layer, page: Rows, *, version: Version, context: Context) -> bytes:
    """The first row of a page as a document of its own."""
    (feature,) = feature_texts(layer, page, version=version, target=context.target)
    namespaces = {"gml": NAMESPACES[version], PREFIX: NAMESPACE}
    if context.schema is not None:
        namespaces["xsi"] = "http://www.w3.org/2001/XMLSchema-instance"
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in namespaces.items())
    if context.schema is not None:
        declared += f" xsi:schemaLocation={quoteattr(f'{NAMESPACE} {context.schema}')}"
    name = f"<{PREFIX}:{layer.id}".encode()
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + name + declared.encode() + feature[len(name) :]
