"""Named queries: kept, listed, asked and taken away."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from flask import Response, request

from data.traceability import query, subscribing
from data.traceability.tables import NamedQuery
from services import context
from services.caching import conditional, tag
from services.epcis import documents, paging
from services.epcis.events import sequence
from services.epcis.problems import AlreadyExists, Forbidden, NoSuchName, ValidationFault
from services.epcis.site import blueprint, body, epc_format, media_type
from services.parameters import refuse_unknown
from services.tiles import store_mark

_NAME: Final = re.compile(r"^[A-Za-z0-9_.~-]{1,100}$")


@blueprint.get("/queries", strict_slashes=False)
def queries() -> Response:
    """List the queries that the caller may use."""
    asked = paging.no_parameters(paging.turn())
    found = subscribing.queries(context.session(), context.actor(), limit=asked.limit + 1, after=asked.after)
    response = documents.answer([shown(row) for row in found[: asked.limit]])
    return paging.carry_on(response, asked, found[asked.limit - 1].name if len(found) > asked.limit else None)


@blueprint.post("/queries")
def keep() -> Response:
    """Keep a question under a name."""
    refuse_unknown(())
    given = body()
    name, question = (given.get("name"), given.get("query")) if isinstance(given, dict) else (None, None)
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValidationFault(
            "Truy vấn cần trường name: 1 đến 100 chữ không dấu, số, dấu chấm, gạch ngang hoặc gạch dưới."
        )
    if not isinstance(question, dict):
        raise ValidationFault("Truy vấn cần trường query: một đối tượng gồm các tham số.")
    location = f"{request.url_root}epcis/queries/{quote(name, safe='')}"
    try:
        with context.store().writing() as session:
            subscribing.keep_query(session, context.actor(), name, question)
    except subscribing.Taken as error:
        raise AlreadyExists(error.message, location=location, **error.facts) from error
    response = documents.answer({"name": name, "query": question}, 201)
    response.headers["Location"] = location
    return response


@blueprint.get("/queries/<name>")
def one_query(name: str) -> Response:
    """Serve the definition of a query."""
    refuse_unknown(())
    return documents.answer(shown(found(name)))


@blueprint.delete("/queries/<name>")
def remove(name: str) -> Response:
    """Take a query away, with its subscriptions; a trace of it is kept."""
    refuse_unknown(())
    with context.store().writing() as session:
        row = subscribing.query_named(session, context.actor(), name)
        if row is None:
            raise _missing(name)
        if not subscribing.may_remove(context.actor(), row):
            raise Forbidden("Chỉ người đã lưu truy vấn này hoặc quản trị viên mới xóa được.")
        subscribing.remove_query(session, context.actor(), row)
    return Response(status=204)


@blueprint.get("/queries/<name>/events", strict_slashes=False)
def query_events(name: str) -> Response:
    """Serve a page of the events that a query finds, as the caller may see them."""
    asked = paging.no_parameters(paging.turn())
    row, session, actor, form = found(name), context.session(), context.actor(), epc_format()
    wanted = query.asked(row.parameters)

    def make() -> Response:
        page = query.page(session, actor, wanted, limit=asked.limit, after=asked.after)
        response = documents.answer(documents.query_document(page.events, form, query=name))
        response.headers["GS1-EPC-Format"] = form
        return paging.carry_on(response, asked, page.after)

    parts = (sequence(), store_mark(), actor.audience_key, actor.account_id, request.url, form, media_type())
    return conditional(tag(*parts, row.id, row.version), actor, make)


def found(name: str) -> NamedQuery:
    """Return a query that the caller may use. Raises NoSuchName."""
    row = subscribing.query_named(context.session(), context.actor(), name)
    if row is None:
        raise _missing(name)
    return row


def _missing(name: str) -> NoSuchName:
    return NoSuchName("Không có truy vấn tên “%(name)s” dùng được với bạn.", name=name)


def shown(row: NamedQuery) -> dict[str, Any]:
    """Return a query as EPCIS writes it."""
    return {"name": row.name, "query": row.parameters}
