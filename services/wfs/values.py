"""GetPropertyValue: the values of one property, one after another (OGC 09-025r2, clause 10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from flask import Response

from gis import gml
from layers import read
from layers.fields import FieldType
from layers.filters import IsNull, Not, all_of
from services import context
from services.formats import feature_id
from services.formats.base import Shapes
from services.formats.gml import GEOMETRY, NAMESPACE, PREFIX, text
from services.wfs import features, links
from services.wfs.dialects import GML32, WFS20, XSI
from services.wfs.exceptions import NOT_SUPPORTED, OwsError, invalid
from services.wfs.names import Reference, reference
from services.wfs.queries import Ask
from services.wfs.requests import COUNT_DEFAULT, GetPropertyValue
from services.wfs.results import Part, Results, count_only


def answer(request: GetPropertyValue, asks: Sequence[Ask]) -> Response:
    """Answer a request whose questions are understood."""
    if not request.features.dialect.is_new:
        raise OwsError("Thao tác này chỉ có từ phiên bản 2.0.", code=NOT_SUPPORTED, locator="request")
    meant = [reference(request.reference, ask.query.layer, ask.query.actor) for ask in asks]
    narrowed = [_narrowed(ask, m) for ask, m in zip(asks, meant, strict=True)]
    if request.features.hits:
        matched = sum(count_only(context.store(), narrowed))
        return Response(_head(request, matched, 0) + b"</wfs:ValueCollection>", content_type=features.XML)
    count = request.features.count if request.features.count is not None else COUNT_DEFAULT
    results = Results(context.store(), narrowed, start=request.features.start, count=count)
    head = _head(request, results.matched, results.returned)
    body = chain([head], _members(results.parts, meant), [b"</wfs:ValueCollection>"])
    response = Response(results.written(body), content_type=features.XML)
    response.call_on_close(results.close)
    return response


def _narrowed(ask: Ask, meant: Reference) -> Ask:
    """Return a question for the rows that have a value, and for that value alone."""
    query = ask.query
    if meant.kind == "bounds":
        raise invalid("valueReference", "gml:boundedBy")
    if meant.kind == "id":
        return replace(ask, query=replace(query, fields=(), geometry=False))
    name = GEOMETRY if meant.field is None else meant.field.name
    where = all_of(query.where, Not(IsNull(name)))
    fields = () if meant.field is None else (meant.field.name,)
    return replace(ask, query=replace(query, where=where, fields=fields, geometry=meant.field is None))


def _head(request: GetPropertyValue, matched: int, returned: int) -> bytes:
    attributes = {
        "xmlns:wfs": WFS20,
        "xmlns:gml": GML32,
        f"xmlns:{PREFIX}": NAMESPACE,
        "xmlns:xsi": XSI,
        "timeStamp": features.moment(),
        "numberMatched": str(matched),
        "numberReturned": str(returned),
        **links.around(request.features, (), matched, returned, request.features.count or COUNT_DEFAULT),
        "xsi:schemaLocation": f"{WFS20} {request.features.dialect.schema} "
        f"{GML32} http://schemas.opengis.net/gml/3.2.1/gml.xsd",
    }
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<wfs:ValueCollection{written}>'.encode()


def _members(parts: Sequence[Part], meant: Sequence[Reference]) -> Iterator[bytes]:
    for part, what in zip(parts, meant, strict=True):
        for page in part.pages:
            found = b"".join(
                b"<wfs:member>" + value + b"</wfs:member>" for value in _values(part.ask, what, page)
            )
            if found:
                yield found


def _values(ask: Ask, meant: Reference, page: read.Rows) -> Iterator[bytes]:
    layer = ask.query.layer
    ids = [feature_id(layer, number) for number in page.ids.tolist()]
    if meant.kind == "id":
        return (own_id.encode() for own_id in ids)
    if meant.field is None:
        shapes = gml.geometry_texts(
            np.asarray(Shapes(page, ask.target).moved, dtype=object),
            srs_name=ask.target.text,
            swap=ask.target.swapped,
            ids=[f"{own_id}.{GEOMETRY}" for own_id in ids],
            precision=ask.target.decimals,
        )
        return (shape for shape in shapes if shape)
    kind = meant.field.type
    return (_written(kind, value).encode() for value in page.columns[0])


def _written(kind: FieldType, value: Any) -> str:
    match kind:
        case FieldType.BOOLEAN:
            return "true" if value else "false"
        case FieldType.DATETIME:
            return str(value.astimezone(dt.UTC).isoformat()).replace("+00:00", "Z")
        case _:
            return text(str(value))
