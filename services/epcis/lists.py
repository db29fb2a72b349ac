"""What there is: the resources of the service, the event types, things, steps, places and states that occur."""

from __future__ import annotations

from flask import Response, request

from data.traceability import query
from data.traceability.asking import EVENT_TYPES
from data.traceability.identifiers import kind_of
from services import context
from services.caching import conditional, tag
from services.epcis import documents, paging
from services.epcis.events import matching, sequence
from services.epcis.problems import NoSuchName
from services.epcis.site import blueprint
from services.parameters import refuse_unknown
from services.tiles import store_mark

RESOURCES = (
    "queries",
    "capture",
    "events",
    "eventTypes",
    "epcs",
    "readPoints",
    "bizLocations",
    "dispositions",
    "bizSteps",
)
#: The lists one can walk through, with the query parameter that each stands for.
LISTS = {
    "eventTypes": "eventType",
    "epcs": "MATCH_anyEPC",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}
_NAMES = "any(" + ",".join(LISTS) + ")"


@blueprint.get(f"/<{_NAMES}:name>", strict_slashes=False)
def listed(name: str) -> Response:
    """List the values that occur in the events which the caller sees; of event types, all that there are."""
    asked = paging.no_parameters(paging.turn())
    actor = context.actor()

    def make() -> Response:
        found, after = query.listed(context.session(), actor, name, limit=asked.limit, after=asked.after)
        if name == "eventTypes":
            found, after = sorted({*EVENT_TYPES, *found}), None
        return paging.carry_on(documents.answer(documents.collection(found)), asked, after)

    etag = tag(sequence(), store_mark(), actor.audience_key, actor.account_id, request.url)
    return conditional(etag, actor, make)


@blueprint.get(f"/<{_NAMES}:name>/<path:value>")
def one(name: str, value: str) -> Response:
    """Serve the events of one value, or say that these are what there is of it."""
    value, slash, last = value.rpartition("/")
    if not slash or last != "events":
        value = f"{value}{slash}{last}"
        refuse_unknown(())
        wanted = query.asked(_fixed(name, value))
        if (
            name != "eventTypes"
            and not query.page(context.session(), context.actor(), wanted, limit=1).events
        ):
            raise NoSuchName("Không có “%(name)s” trong các sự kiện bạn được xem.", name=value)
        return documents.answer(documents.collection(["events"]))
    return matching(_fixed(name, value))


def _fixed(name: str, value: str) -> dict[str, list[str]]:
    if name == "epcs" and kind_of(value) in ("lot", "class"):
        return {"MATCH_anyEPCClass": [value]}
    return {LISTS[name]: [value]}
