"""Subscriptions of a named query: made, listed and ended; the worker does the telling."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa
from flask import Response, current_app, request

from data.traceability import query, schedule, subscribing
from data.traceability.facts import time_of
from data.traceability.tables import NamedQuery, Subscription
from services import context
from services.epcis import documents, paging, webhook
from services.epcis.problems import Forbidden, NoSuchName, NotDoneHere, SubscriptionFault
from services.epcis.queries import found
from services.epcis.site import blueprint, body, epc_format
from services.parameters import refuse_unknown

KNOWN: Final = (
    "dest",
    "signatureToken",
    "reportIfEmpty",
    "initialRecordTime",
    "schedule",
    "stream",
)
LONGEST_SECRET: Final = 500


@blueprint.get("/queries/<name>/subscriptions", strict_slashes=False)
def listed_subscriptions(name: str) -> Response:
    """List the subscriptions of a query that are the caller's, with those that ended by themselves."""
    asked = paging.no_parameters(paging.turn())
    row, session, actor = found(name), context.session(), context.actor()
    after = int(asked.after or 0)
    rows = sa.select(Subscription).where(Subscription.query_id == row.id, Subscription.id > after)
    mine = [
        one for one in session.scalars(rows.order_by(Subscription.id)) if subscribing.may_remove(actor, one)
    ]
    mine = [one for one in mine if one.ended_at is None or one.last_error]
    response = documents.answer([shown(one) for one in mine[: asked.limit]])
    return paging.carry_on(response, asked, mine[asked.limit - 1].id if len(mine) > asked.limit else None)


@blueprint.post("/queries/<name>/subscriptions")
def subscribe(name: str) -> Response:
    """Subscribe an address to a query."""
    refuse_unknown(())
    row = found(name)
    given = body()
    facts = _read(given)
    for control in query.CONTROLS:
        if control in row.parameters:
            raise SubscriptionFault(
                "Truy vấn có %(parameter)s nên không đăng ký được; hãy lưu một truy vấn không có tham số đó.",
                parameter=control,
            )
    with context.store().writing() as session:
        fresh = session.get_one(NamedQuery, row.id)
        made = subscribing.subscribe(session, context.actor(), fresh, epc_format=epc_format(), **facts)
        value = shown(made)
    response = documents.answer(value, 201)
    response.headers["Location"] = f"{request.base_url.rstrip('/')}/{value['subscriptionID']}"
    return response


def _read(given: Any) -> dict[str, Any]:
    """Read what was asked for. Raises SubscriptionFault, BadAddress or BadSchedule."""
    if not isinstance(given, dict):
        raise SubscriptionFault("Nội dung phải là một đối tượng JSON có trường dest.")
    for field in given:
        if field not in KNOWN:
            raise SubscriptionFault("Đăng ký không có trường “%(name)s”.", name=field)
    address, secret = given.get("dest"), given.get("signatureToken")
    if not isinstance(address, str):
        raise SubscriptionFault("Đăng ký cần trường dest: địa chỉ nhận sự kiện.")
    if address.startswith(("ws:", "wss:")):
        raise NotDoneHere("Dịch vụ này không đẩy sự kiện qua WebSocket; hãy dùng một địa chỉ https.")
    if secret is not None and (not isinstance(secret, str) or not 0 < len(secret) <= LONGEST_SECRET):
        raise SubscriptionFault(
            "Trường signatureToken phải là chữ, không quá %(most)s ký tự.", most=LONGEST_SECRET
        )
    stream, planned, report = given.get("stream"), given.get("schedule"), given.get("reportIfEmpty", False)
    if (stream is not True) == (planned is None):
        raise SubscriptionFault("Hãy đặt đúng một trong hai: stream là true, hoặc lịch gửi schedule.")
    if not isinstance(report, bool):
        raise SubscriptionFault("Trường reportIfEmpty phải là true hoặc false.")
    webhook.check(address, private=bool(current_app.config.get("OCOP_PRIVATE_WEBHOOKS")))
    return {
        "address": address,
        "secret": secret,
        "at": schedule.read(planned) if planned is not None else None,
        "report_if_empty": report,
        "since": _since(given.get("initialRecordTime")),
    }


def _since(given: Any) -> dt.datetime | None:
    if given is None:
        return None
    moment = time_of(given)
    if moment is None:
        raise SubscriptionFault("Trường initialRecordTime phải là thời điểm có múi giờ.")
    return moment


@blueprint.get("/queries/<name>/subscriptions/<key>")
def one_subscription(name: str, key: str) -> Response:
    """Tell how a subscription stands."""
    refuse_unknown(())
    return documents.answer(shown(_one(context.session(), found(name), key)))


@blueprint.delete("/queries/<name>/subscriptions/<key>")
def unsubscribe(name: str, key: str) -> Response:
    """End a subscription."""
    refuse_unknown(())
    row = found(name)
    with context.store().writing() as session:
        one = _one(session, row, key)
        if one.ended_at is None:
            subscribing.cancel(session, context.actor(), one)
    return Response(status=204)


def _one(session: Any, row: NamedQuery, key: str) -> Subscription:
    query_of = sa.select(Subscription).where(Subscription.query_id == row.id, Subscription.key == key)
    one: Subscription | None = session.scalar(query_of)
    if one is None or (one.ended_at is not None and not one.last_error):
        raise NoSuchName("Không có đăng ký này.")
    if not subscribing.may_remove(context.actor(), one):
        raise Forbidden("Đăng ký này của người khác.")
    return one


def shown(one: Subscription) -> dict[str, Any]:
    """Return a subscription as EPCIS tells it, without its secret."""
    planned = (one.schedule or {}).get("at")
    facts: dict[str, Any] = {
        "subscriptionID": one.key,
        "dest": one.address,
        "createdAt": documents.moment(one.created_at) if one.created_at else None,
        "reportIfEmpty": one.report_if_empty,
        **({"schedule": planned} if planned else {"stream": True}),
    }
    if one.last_sent_at is not None:
        facts["lastNotifiedAt"] = documents.moment(one.last_sent_at)
    if one.failures:
        facts["failures"] = one.failures
    if one.last_error:
        facts["lastError"] = one.last_error
    if one.ended_at is not None:
        facts["endedAt"] = documents.moment(one.ended_at)
    elif one.due_at is not None:
        facts["nextAttemptAt"] = documents.moment(one.due_at)
    return facts
