"""GetFeature: the answer's collection, written as it is read, in the dialect and the format that are wanted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson
from flask import Response

from layers import read
from layers.fields import Layer
from services import context
from services.formats import Context, Features, Format
from services.formats.gml import NAMESPACE, PREFIX, feature_document, feature_texts, text
from services.wfs import formats, links
from services.wfs.dialects import GML, GML32, WFS1, WFS20, XSI, Dialect
from services.wfs.exceptions import NOT_FOUND, OwsError, invalid
from services.wfs.names import each_once
from services.wfs.queries import Ask
from services.wfs.requests import COUNT_DEFAULT, GetFeature
from services.wfs.results import Part, Results, count_only

XML = "text/xml; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An answer to be written: the request, its questions, the format, and the key of a lock if one was made."""

    request: GetFeature
    asks: Sequence[Ask]
    format: Format
    lock_key: str | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect that it is written in."""
        return self.request.dialect

    @property
    def layers(self) -> list[Layer]:
        """The layers that it is about, each once."""
        return each_once(ask.query.layer for ask in self.asks)

    @property
    def limit(self) -> int | None:
        """How many features it may have at most; versions without paging, and files, are not cut short."""
        if self.request.count is not None:
            return self.request.count
        paged = self.dialect.is_new and self.format.name in formats.PAGED
        return COUNT_DEFAULT if paged and not self.request.locking else None


def answer(request: GetFeature, asks: Sequence[Ask], lock_key: str | None = None) -> Response:
    """Answer a request whose questions are understood."""
    made = Answer(request, asks, formats.chosen(request.output_format, request.dialect), lock_key)
    if len(asks) == 1 and asks[0].bare:
        return _bare(made)
    if request.hits:
        return _hits(made)
    if made.format.name in formats.GML_NAMES:
        return _streamed(made, _collection)
    if len(asks) > 1:
        raise invalid("outputFormat", request.output_format)
    return _streamed(made, _GEOJSON if made.format.name == "geojson" else _FILE)


def _streamed(made: Answer, write: Any) -> Response:
    results = Results(context.store(), made.asks, start=made.request.start, count=made.limit)
    try:
        body, headers = write(made, results)
    except BaseException:
        results.close()
        raise
    response = Response(results.written(body), headers=headers)
    # A stream that is never begun would leave the session open.
    response.call_on_close(results.close)
    return response


# ---- GML


def _collection(made: Answer, results: Results) -> tuple[Iterator[bytes], dict[str, str]]:
    version = formats.GML_NAMES[made.format.name]
    # The head is made now: the stream is read when the request is over and its address unknown.
    head, body = _ENVELOPES[version](made, results, version)
    return chain([head], body), {"Content-Type": f"{made.format.media_type}; charset=utf-8"}


def moment() -> str:
    """Return the present moment as it stands in answers."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _new(made: Answer, results: Results, version: str) -> tuple[bytes, Iterator[bytes]]:
    """The collection of version 2; several questions have a collection each inside (OGC 09-025r2, 11.3.3.3)."""
    lead = {"timeStamp": moment()}
    places = links.around(made.request, made.asks, results.matched, results.returned, made.limit)
    attributes = {**lead, **_numbers(results.matched, results.returned), **places}
    if made.lock_key is not None:
        attributes["lockId"] = made.lock_key
    head = _head("wfs:FeatureCollection", _spaces(WFS20, GML32), attributes, _locations(made, version))
    return head, _new_body(results.parts, version, lead)


def _new_body(parts: Sequence[Part], version: str, lead: dict[str, str]) -> Iterator[bytes]:
    for part in parts:
        if len(parts) > 1:
            attributes = {**lead, **_numbers(part.matched, part.returned)}
            yield f"<wfs:member><wfs:FeatureCollection{_written(attributes)}>".encode()
        yield from _members(part, version, b"wfs:member")
        if len(parts) > 1:
            yield b"</wfs:FeatureCollection></wfs:member>"
    yield b"</wfs:FeatureCollection>"


def _old(made: Answer, results: Results, version: str) -> tuple[bytes, Iterator[bytes]]:
    """The collection of versions 1.0 and 1.1."""
    attributes: dict[str, str] = {}
    if version == "3.1":
        attributes = {"numberOfFeatures": str(results.returned), "timeStamp": moment()}
    if made.lock_key is not None:
        attributes["lockId"] = made.lock_key
    head = _head("wfs:FeatureCollection", _spaces(WFS1, GML), attributes, _locations(made, version))
    if version == "2.1":
        head += b"<gml:boundedBy><gml:null>unknown</gml:null></gml:boundedBy>"
    return head, _old_body(results.parts, version)


def _old_body(parts: Sequence[Part], version: str) -> Iterator[bytes]:
    for part in parts:
        yield from _members(part, version, b"gml:featureMember")
    yield b"</wfs:FeatureCollection>"


_ENVELOPES = {"3.2": _new, "3.1": _old, "2.1": _old}


def _members(part: Part, version: Any, member: bytes) -> Iterator[bytes]:
    begin, end = b"<" + member + b">", b"</" + member + b">"
    ask = part.ask
    target = ask.target.always_xy() if version == "2.1" else ask.target
    for page in part.pages:
        texts = feature_texts(
            ask.query.layer, page, version=version, target=target, geometry=ask.query.geometry
        )
        if texts:
            yield begin + (end + begin).join(texts) + end


def _numbers(matched: int, returned: int) -> dict[str, str]:
    return {"numberMatched": str(matched), "numberReturned": str(returned)}


def _spaces(wfs: str, gml: str) -> dict[str, str]:
    return {"wfs": wfs, "gml": gml, PREFIX: NAMESPACE, "xsi": XSI}


def _locations(made: Answer, version: str) -> str:
    """The schemas that an answer is valid by: that of the collection, and ours for these layers."""
    wfs, wfs_schema = _SCHEMAS[version]
    gml, gml_schema = _GML_SCHEMAS[version]
    own = links.describe_url(made.dialect, made.layers, _SCHEMA_FORMATS[version])
    return f"{wfs} {wfs_schema} {gml} {gml_schema} {NAMESPACE} {own}"


_SCHEMAS = {
    "3.2": (WFS20, "http://schemas.opengis.net/wfs/2.0/wfs.xsd"),
    "3.1": (WFS1, "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd"),
    "2.1": (WFS1, "http://schemas.opengis.net/wfs/1.0.0/WFS-basic.xsd"),
}
_GML_SCHEMAS = {
    "3.2": (GML32, "http://schemas.opengis.net/gml/3.2.1/gml.xsd"),
    "3.1": (GML, "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd"),
    "2.1": (GML, "http://schemas.opengis.net/gml/2.1.2/feature.xsd"),
}
_SCHEMA_FORMATS = {
    "3.2": "application/gml+xml; version=3.2",
    "3.1": "text/xml; subtype=gml/3.1.1",
    "2.1": "text/xml; subtype=gml/2.1.2",
}


def _head(name: str, spaces: dict[str, str], attributes: dict[str, str], locations: str) -> bytes:
    declared = {f"xmlns:{prefix}": uri for prefix, uri in spaces.items()}
    every = {**declared, **attributes, "xsi:schemaLocation": locations}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{_written(every)}>'.encode()


def _written(attributes: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


# ---- only the number


def _hits(made: Answer) -> Response:
    counts = count_only(context.store(), made.asks)
    matched = sum(counts)
    if made.format.name == "geojson":
        body = {"type": "FeatureCollection", "features": [], "totalFeatures": matched}
        numbers = {"numberMatched": matched, "numberReturned": 0, "timeStamp": moment()}
        return Response(orjson.dumps({**body, **numbers}), mimetype="application/json")
    version = formats.GML_NAMES.get(made.format.name, made.dialect.gml_version)
    if version == "3.2":
        places = links.around(made.request, made.asks, matched, 0, made.limit)
        attributes = {"timeStamp": moment(), **_numbers(matched, 0), **places}
        spaces = {"wfs": WFS20, "xsi": XSI}
    else:
        attributes = {"numberOfFeatures": str(matched), "timeStamp": moment()}
        spaces = {"wfs": WFS1, "gml": GML, "xsi": XSI}
        version = "3.1"
    head = _head("wfs:FeatureCollection", spaces, attributes, " ".join(_SCHEMAS[version]))
    return Response(head + b"</wfs:FeatureCollection>", content_type=XML)


# ---- one feature


def _bare(made: Answer) -> Response:
    """Answer with the feature itself, with the standard properties that GML gives every feature.

    Raises OwsError when there is none (OGC 09-025r2, 11.3.5).
    """
    ask = made.asks[0]
    page = read.rows(context.session(), ask.query)
    if not len(page):
        raise OwsError("Không có đối tượng mang mã này.", code=NOT_FOUND, locator="id")
    version: Any = formats.GML_NAMES.get(made.format.name, made.dialect.gml_version)
    schema = links.describe_url(made.dialect, made.layers, _SCHEMA_FORMATS[version])
    document = feature_document(
        ask.query.layer, page, version=version, context=Context(target=ask.target, schema=schema)
    )
    if version == "3.2":
        start = document.index(b">", document.index(f"<{PREFIX}:".encode())) + 1
        document = document[:start] + _standard(ask.query.layer, page) + document[start:]
    return Response(document, content_type=f"{made.format.media_type}; charset=utf-8")


def _standard(layer: Layer, page: read.Rows) -> bytes:
    row = page.by_name()
    label = layer.title[context.language()]
    described = next(
        (row[name][0] for name in ("description", "story") if row.get(name) and row[name][0]), None
    )
    name = next((row[n][0] for n in (layer.name_field, "name") if row.get(n) and row[n][0]), None) or label
    code_space = quoteattr(links.service_url())
    return (
        f"<gml:description>{text(str(described or label))}</gml:description>"
        f"<gml:identifier codeSpace={code_space}>{layer.id}.{int(page.ids[0])}</gml:identifier>"
        f"<gml:name>{text(str(name))}</gml:name>"
    ).encode()


# ---- other formats


def _geojson(made: Answer, results: Results) -> tuple[Iterator[bytes], dict[str, str]]:
    (part,) = results.parts
    ask = part.ask
    head: dict[str, Any] = {
        "name": ask.query.layer.id,
        "totalFeatures": part.matched,
        "numberMatched": part.matched,
        "numberReturned": part.returned,
        "timeStamp": moment(),
    }
    if ask.given_crs and ask.target.crs not in ("OGC:CRS84", "EPSG:4326"):
        head["crs"] = {"type": "name", "properties": {"name": ask.target.urn}}
    places = links.around(made.request, made.asks, part.matched, part.returned, made.limit)
    head["links"] = [
        {"rel": rel, "type": "application/geo+json", "href": href}
        for rel, name in (("next", "next"), ("prev", "previous"))
        if (href := places.get(name)) is not None
    ]
    written = Context(target=ask.target.always_xy(), language=context.language(), head=head, tail=_no_tail)
    wanted = (made.request.output_format or "").lower()
    media_type = "application/geo+json" if "geo" in wanted else "application/json"
    return made.format.encode(_features(part), written), {"Content-Type": media_type}


def _no_tail(written: int, cursor: str | None) -> dict[str, Any]:
    return {}


def _file(made: Answer, results: Results) -> tuple[Iterator[bytes], dict[str, str]]:
    (part,) = results.parts
    name = f"{part.ask.query.layer.id}.{made.format.extension}"
    written = Context(target=part.ask.target.always_xy(), language=context.language())
    headers = {
        "Content-Type": made.format.media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return made.format.encode(_features(part), written), headers


_GEOJSON, _FILE = _geojson, _file


def _features(part: Part) -> Features:
    query = part.ask.query
    return Features(query.layer, read.chosen_fields(query), part.pages, query.geometry)
