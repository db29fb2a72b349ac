"""Addresses in answers: of the service, of a schema, and of the pages before and after."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from flask import request, url_for

from layers.fields import Layer
from services.formats.gml import NAMESPACE, PREFIX
from services.wfs import xml
from services.wfs.dialects import Dialect
from services.wfs.names import type_name
from services.wfs.queries import Ask
from services.wfs.requests import GetFeature, Query, StoredCall

LONGEST_ADDRESS = 7_000


def service_url() -> str:
    """Return the address of the service."""
    return url_for("wfs.service", _external=True)


def address(arguments: dict[str, str]) -> str:
    """Return the address of a request as keys and values; colons and commas stay readable."""
    return f"{service_url()}?{urlencode(arguments, quote_via=quote, safe=':,()')}"


def describe_url(dialect: Dialect, layers: Sequence[Layer], output_format: str) -> str:
    """Return the address of the schema of some layers."""
    key = "TYPENAMES" if dialect.is_new else "TYPENAME"
    return address(
        {
            "SERVICE": "WFS",
            "VERSION": dialect.version,
            "REQUEST": "DescribeFeatureType",
            key: ",".join(type_name(layer) for layer in layers),
            "OUTPUTFORMAT": output_format,
        }
    )


def around(
    asked: GetFeature, asks: Sequence[Ask], matched: int, returned: int, limit: int | None
) -> dict[str, str]:
    """Return the addresses of the next and the previous page, as far as there are such pages.

    A request for the number alone is followed by the first page (OGC 09-025r2, 7.7.4.4).
    """
    if asked.locking:
        return {}
    arguments = _arguments(asked)
    if arguments is None:
        return {}
    size = limit or max(matched, 1)
    found: dict[str, str] = {}
    if asked.hits or limit == 0:
        if matched and limit != 0:
            found["next"] = _page(arguments, 0, size)
        return found
    if asked.start + returned < matched:
        found["next"] = _page(arguments, asked.start + returned, size)
    if asked.start > 0:
        before = max(asked.start - size, 0)
        found["previous"] = _page(arguments, before, min(size, asked.start))
    return {name: href for name, href in found.items() if len(href) <= LONGEST_ADDRESS}


def _page(arguments: dict[str, str], start: int, count: int) -> str:
    return address({**arguments, "STARTINDEX": str(start), "COUNT": str(count)})


_REPLACED = {"STARTINDEX", "COUNT", "MAXFEATURES", "RESULTTYPE"}


def _arguments(asked: GetFeature) -> dict[str, str] | None:
    """Return the request as keys and values, or None when it cannot be written so."""
    if not asked.posted:
        return {k.upper(): v for k, v in request.args.items() if k.upper() not in _REPLACED}
    base = {"SERVICE": "WFS", "VERSION": asked.dialect.version, "REQUEST": "GetFeature"}
    if asked.output_format:
        base["OUTPUTFORMAT"] = asked.output_format
    if len(asked.queries) != 1:
        return None
    (query,) = asked.queries
    if isinstance(query, StoredCall):
        return {**base, "STOREDQUERY_ID": query.identifier, **query.parameters}
    return {**base, **_query(query)}


def _query(query: Query) -> dict[str, str]:
    spaces = {**query.namespaces, PREFIX: NAMESPACE}
    found = {
        "TYPENAMES": ",".join(query.type_names),
        "NAMESPACES": ",".join(f"xmlns({p},{uri})" for p, uri in spaces.items() if p),
    }
    if query.srs_name:
        found["SRSNAME"] = query.srs_name
    if query.properties:
        found["PROPERTYNAME"] = ",".join(query.properties)
    if query.sort:
        found["SORTBY"] = ",".join(f"{name} {'DESC' if down else 'ASC'}" for name, down in query.sort)
    if query.filter is not None:
        found["FILTER"] = xml.fragment(query.filter)
    return found
