"""The entrance of the service: a page for people, the list of resources for programs."""

from __future__ import annotations

import json

from flask import Response, render_template, request

from data.accounts import Role
from services import context
from services.epcis import documents
from services.epcis.lists import RESOURCES
from services.epcis.site import CAPTURE_BYTES, CAPTURE_EVENTS, blueprint
from services.negotiation import prefers_html, wants_html
from services.parameters import refuse_unknown

EXAMPLE = {
    "@context": [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"ocop": "urn:ocop:terms:"},
    ],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-11-20T08:00:00+07:00",
    "epcisBody": {
        "eventList": [
            {
                "type": "ObjectEvent",
                "eventTime": "2026-11-20T07:30:00+07:00",
                "eventTimeZoneOffset": "+07:00",
                "action": "OBSERVE",
                "bizStep": "shipping",
                "disposition": "in_transit",
                "quantityList": [{"epcClass": "urn:ocop:lot:12:L2026-001", "quantity": 40, "uom": "KGM"}],
                "bizLocation": {"id": "urn:ocop:producer:7"},
            }
        ]
    },
}
#: Questions to try.
QUESTIONS = (
    "/epcis/events?perPage=10",
    "/epcis/events?EQ_bizStep=shipping|receiving&GE_eventTime=2026-01-01T00:00:00%2B07:00",
    "/epcis/events?MATCH_anyEPCClass=urn:ocop:lot:12:L2026-001&orderBy=eventTime&orderDirection=ASC",
    "/epcis/events?WD_bizLocation=urn:ocop:commune:00001",
)


@blueprint.get("", strict_slashes=False)
def landing() -> Response:
    """Serve the entrance."""
    refuse_unknown(())
    chosen = wants_html() if "f" in request.args else prefers_html()
    if not chosen:
        return documents.answer(documents.collection(RESOURCES))
    values = {
        "root": request.url_root.rstrip("/"),
        "example": json.dumps(EXAMPLE, ensure_ascii=False, indent=2),
        "questions": QUESTIONS,
        "resources": RESOURCES,
        "signed_in": context.actor().role != Role.PUBLIC,
        "most_events": CAPTURE_EVENTS,
        "most_megabytes": CAPTURE_BYTES // 1_000_000,
    }
    return Response(render_template("trace/epcis.html", **values), mimetype="text/html")
