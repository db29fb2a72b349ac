"""Documents of EPCIS that answer questions: events as they were captured, with their contexts and record times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from flask import Response

from data.base import now
from data.traceability.identifiers import canonical
from data.traceability.tables import TraceEvent
from services.epcis.site import CONTEXT, media_type

#: Names under which the standard context is found in documents of others.
STANDARD_CONTEXTS: Final = (
    "https://ref.gs1.org/standards/epcis/",
    "https://gs1.github.io/EPCIS/",
    "https://gs1.github.io/epcis/",
)
QUERY_NAME: Final = "SimpleEventQuery"


def query_document(
    events: Sequence[TraceEvent],
    epc_format: str,
    *,
    query: str = QUERY_NAME,
    subscription: str | None = None,
) -> dict[str, Any]:
    """Return an EPCISQueryDocument with these events, named as Digital Links or as they were captured."""
    prefixes, others = merged_context(events)
    results: dict[str, Any] = {"queryName": query}
    if subscription is not None:
        results["subscriptionID"] = subscription
    results["resultsBody"] = {"eventList": [event_document(row, epc_format, prefixes) for row in events]}
    return {
        "@context": [CONTEXT, *others, *([prefixes] if prefixes else [])],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": moment(now()),
        "epcisBody": {"queryResults": results},
    }


def event_document(row: TraceEvent, epc_format: str, prefixes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with its record time; its own prefixes go with it where the document's mean something else."""
    event = {name: value for name, value in row.document.items() if name != "@context"}
    event["eventID"] = row.event_id
    event["recordTime"] = moment(row.record_time)
    if epc_format != "Never_Translates":
        event = _as_links(event)
    own, _ = _context_of(row)
    if any(prefixes.get(prefix) != meaning for prefix, meaning in own.items()):
        event["@context"] = [dict(own)]
    return event


def merged_context(events: Iterable[TraceEvent]) -> tuple[dict[str, Any], list[str]]:
    """Return the prefixes of all events, of two meanings the first, and the addresses of other contexts."""
    prefixes: dict[str, Any] = {}
    others: dict[str, None] = {}
    for row in events:
        own, addresses = _context_of(row)
        for prefix, meaning in own.items():
            prefixes.setdefault(prefix, meaning)
        others.update(dict.fromkeys(addresses))
    return prefixes, list(others)


def _context_of(row: TraceEvent) -> tuple[dict[str, Any], list[str]]:
    prefixes: dict[str, Any] = {}
    addresses: list[str] = []
    own = row.document.get("@context")
    for part in (*(row.context or ()), *(own if isinstance(own, list) else [own])):
        if isinstance(part, Mapping):
            prefixes.update(part)
        elif isinstance(part, str) and not part.startswith(STANDARD_CONTEXTS):
            addresses.append(part)
    return prefixes, addresses


def _as_links(value: Any) -> Any:
    """Name things by Digital Links in the fields of the standard; fields of others stay as they are."""
    if isinstance(value, dict):
        return {name: part if ":" in name else _as_links(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_as_links(part) for part in value]
    return canonical(value) if isinstance(value, str) and value.startswith("urn:epc:") else value


def collection(members: Sequence[str]) -> dict[str, Any]:
    """Return a list of names as EPCIS writes it."""
    return {"@context": CONTEXT, "type": "Collection", "member": list(members)}


def moment(value: dt.datetime) -> str:
    """Return a moment as events write it: UTC with milliseconds."""
    return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def answer(value: Any, status: int = 200) -> Response:
    """Answer a JSON value in the form that the caller prefers."""
    return Response(orjson.dumps(value), status, content_type=media_type())
