"""The EPCIS 2.0 service at /epcis: capture, queries and subscriptions over the events of traceability."""

from services.epcis import capture, events, landing, lists, openapi, paging, queries, subscriptions
from services.epcis.site import blueprint

__all__ = [
    "blueprint",
    "capture",
    "events",
    "landing",
    "lists",
    "openapi",
    "paging",
    "queries",
    "subscriptions",
]
