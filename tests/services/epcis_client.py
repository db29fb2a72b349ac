"""Asking the EPCIS service as programs do, and events to send it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from data.store import Store
from data.traceability import tables

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def without_events(store: Store) -> None:
    """Take the events of the demonstration away, so that questions find only those of the test."""
    rows = (
        tables.Scan, tables.RecallDrill, tables.RecallNotice, tables.RecallAct, tables.LotLink, tables.TraceEdge,
        tables.TraceEventFact, tables.TraceEventItem, tables.TraceEvent, tables.TraceItem, tables.EvidenceHead,
        tables.ChainHead,
    )  # fmt: skip
    with store.writing() as session:
        for row in rows:
            session.execute(sa.delete(row))


def event(**more: Any) -> dict[str, Any]:
    """An ObjectEvent that is in order, with what is given put in."""
    found = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid.uuid4()}",
        "eventTime": "2026-05-01T08:00:00+07:00",
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": ["urn:epc:id:sgtin:8938505.097419.1"],
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def document(*events: dict[str, Any], context: Any = CONTEXT) -> dict[str, Any]:
    """A document of events."""
    return {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-01T09:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


class Epcis:
    """A caller of the service with a key."""

    def __init__(self, app: Any, headers: dict[str, str] | None = None) -> None:
        self.client = app.test_client()
        self.headers = headers or {}

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(f"/epcis{path}", query_string=query, headers=self._all(headers))

    def post(self, path: str, value: Any, **headers: str) -> Any:
        return self.client.post(f"/epcis{path}", json=value, headers=self._all(headers))

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/epcis{path}", headers=self.headers)

    def capture(self, *events: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Capture a document and return how its job stands."""
        answer = self.post("/capture", document(*events), **headers)
        assert answer.status_code == 202, answer.text
        return self.job(answer)

    def job(self, answer: Any) -> dict[str, Any]:
        path = answer.headers["Location"].partition("/epcis")[2]
        found = self.get(path)
        assert found.status_code == 200, found.text
        return dict(found.json)

    def ids(self, query: dict[str, Any] | None = None, path: str = "/events") -> list[str]:
        """The ids of the events on the first page."""
        answer = self.get(path, query)
        assert answer.status_code == 200, answer.text
        return [one["eventID"] for one in events_in(answer)]

    def _all(self, headers: dict[str, str]) -> dict[str, str]:
        return {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}


def events_in(answer: Any) -> list[dict[str, Any]]:
    """The events of an answer."""
    found: list[dict[str, Any]] = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found
