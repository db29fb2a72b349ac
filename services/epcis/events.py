"""Events: asked for by parameters, one by its id, and captured one at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response, request

from data.traceability import query
from data.traceability.tables import ChainHead
from services import context
from services.caching import conditional, tag
from services.epcis import documents, paging, taking
from services.epcis.problems import AlreadyExists, NoSuchName, ValidationFault
from services.epcis.site import CAPTURE_BYTES, blueprint, body, epc_format, extensions, media_type
from services.parameters import refuse_unknown
from services.tiles import store_mark


@blueprint.get("/events", strict_slashes=False)
def events() -> Response:
    """Serve a page of the events that match the parameters."""
    return matching({})


def matching(fixed: dict[str, Any], *, name: str = documents.QUERY_NAME) -> Response:
    """Serve a page of the events that match the parameters of the request and those that the address fixes."""
    asked = paging.turn()
    for parameter in fixed:
        if parameter in asked.parameters:
            raise query.BadQuery("Địa chỉ này đã định sẵn tham số “%(parameter)s”.", parameter=parameter)
    wanted = query.asked({**asked.parameters, **fixed}, extensions())
    form, session, actor = epc_format(), context.session(), context.actor()

    def make() -> Response:
        page = query.page(session, actor, wanted, limit=asked.limit, after=asked.after)
        response = documents.answer(documents.query_document(page.events, form, query=name))
        response.headers["GS1-EPC-Format"] = form
        return paging.carry_on(response, asked, page.after)

    etag = tag(
        sequence(),
        store_mark(),
        actor.audience_key,
        actor.account_id,
        request.url,
        form,
        extensions(),
        media_type(),
        repr(fixed),
    )
    return conditional(etag, actor, make)


def sequence() -> int:
    """Return the number of the last event: as long as it stands, so does every answer."""
    return int(context.session().scalar(sa.select(ChainHead.sequence)) or 0)


@blueprint.get("/events/<path:event_id>")
def event(event_id: str) -> Response:
    """Serve an event by its id, with its error declaration if there is one."""
    version = request.args.get("ver")
    if version is not None and event_id.startswith("ni:"):
        # The id's own question mark, left unencoded by the caller.
        event_id = f"{event_id}?ver={version}"
    else:
        refuse_unknown(())
    wanted = query.asked({"EQ_eventID": [event_id]})
    page = query.page(context.session(), context.actor(), wanted, limit=2)
    if not page.events:
        raise NoSuchName("Không có sự kiện “%(name)s” trong phần bạn được xem.", name=event_id)
    form = epc_format()
    response = documents.answer(documents.query_document(page.events, form))
    response.headers["GS1-EPC-Format"] = form
    return response


@blueprint.post("/events")
def capture_one() -> Response:
    """Capture one event; whatever is wrong with it is said at once, and nothing is kept of it then."""
    refuse_unknown(())
    document = body(most=CAPTURE_BYTES)
    if isinstance(document, dict) and document.get("type") in ("EPCISDocument", "EPCISQueryDocument"):
        raise ValidationFault(
            "Địa chỉ này nhận một sự kiện; hãy gửi tài liệu nhiều sự kiện đến /epcis/capture."
        )
    appended = taking.take_one(document)
    location = address_of(appended.event_id)
    if appended.known:
        raise AlreadyExists(
            "Sự kiện “%(name)s” đã được ghi với đúng nội dung này.", name=appended.event_id, location=location
        )
    context.renew_session()
    wanted = query.asked({"EQ_eventID": [appended.event_id]})
    page = query.page(context.session(), context.actor(), wanted, limit=1)
    value = {**document, "eventID": appended.event_id}
    if page.events:
        value["recordTime"] = documents.moment(page.events[-1].record_time)
    response = documents.answer(value, 201)
    response.headers["Location"] = location
    return response


def address_of(event_id: str) -> str:
    """Return the address of an event."""
    return f"{request.url_root}epcis/events/{quote(event_id, safe='')}"
