"""Telling subscribers of new events: the worker looks every few seconds and sends what is due.

An address is told at least once of each event: a process that dies between sending and noting it sends it again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Final

import orjson
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from data.base import now
from data.store import Store
from data.traceability import query, subscribing
from data.traceability.tables import NamedQuery, Subscription, TraceEvent
from gis.errors import Refusal, marked
from services.epcis import documents, webhook
from services.jobqueue import patiently

log = logging.getLogger(__name__)

BATCH: Final = 100
#: So many batches go to one address before others have their turn.
MOST_BATCHES: Final = 20
CLOSED = marked("Tài khoản của người đăng ký không còn hoạt động.")


def deliver_due(store: Store) -> int:
    """Send to every subscriber what is due; return how many documents were sent."""
    with store.reading() as session:
        waiting = subscribing.due(session, now())
    sent = 0
    for subscription_id in waiting:
        with patiently(store) as session:
            mine = subscribing.claim(session, subscription_id, now())
        if mine:
            sent += _deliver(store, subscription_id)
    return sent


@dataclass(frozen=True)
class Parcel:
    """What one subscriber is told next; nothing when there is nothing to tell, and nobody when nobody may be told."""

    address: str
    secret: str | None
    body: bytes | None
    last_event_id: int
    more: bool
    closed: bool = False


def _deliver(store: Store, subscription_id: int) -> int:
    sent = 0
    for turn in range(MOST_BATCHES):
        with store.reading() as session:
            parcel = _parcel(session, session.get_one(Subscription, subscription_id), first=turn == 0)
        error = _send(parcel)
        with patiently(store) as session:
            _note(session.get_one(Subscription, subscription_id), parcel, error)
        if error is None and parcel.body is not None:
            sent += 1
        if error is not None or not parcel.more:
            break
    return sent


def _parcel(session: Session, subscription: Subscription, *, first: bool) -> Parcel:
    actor, last = subscribing.owner(session, subscription), subscription.last_event_id
    named = session.get_one(NamedQuery, subscription.query_id)
    if actor is None:
        return Parcel(subscription.address, None, None, last, more=False, closed=True)
    newest = int(session.scalar(sa.select(sa.func.max(TraceEvent.id))) or last)
    wanted = query.asked(named.parameters)
    wanted = replace(wanted, conditions=(*wanted.conditions, TraceEvent.id > last, TraceEvent.id <= newest))
    page = query.page(session, actor, wanted, limit=BATCH)
    chosen = subscription.schedule or {}
    body = None
    if page.events or (first and subscription.report_if_empty and chosen.get("at")):
        document = documents.query_document(
            page.events,
            chosen.get("format", "Always_GS1_Digital_Link"),
            query=named.name,
            subscription=subscription.key,
        )
        body = orjson.dumps(document)
    more = page.after is not None
    reached = page.events[-1].id if more else newest
    return Parcel(subscription.address, subscription.secret, body, reached, more)


def _send(parcel: Parcel) -> Refusal | None:
    if parcel.body is None:
        return None
    private = bool(current_app.config.get("OCOP_PRIVATE_WEBHOOKS"))
    try:
        webhook.post(parcel.address, parcel.body, secret=parcel.secret, private=private)
    except (webhook.BadAddress, webhook.NotDelivered) as error:
        return error
    return None


def _note(subscription: Subscription, parcel: Parcel, error: Refusal | None) -> None:
    if subscription.ended_at is not None:
        return
    if parcel.closed:
        subscribing.end(subscription, CLOSED)
    elif error is None:
        subscribing.told(
            subscription, parcel.last_event_id, now(), sent=parcel.body is not None, more=parcel.more
        )
    elif isinstance(error, webhook.NotDelivered) and error.gone:
        subscribing.end(subscription, str(error))
    else:
        subscribing.failed(subscription, str(error), now())
        log.warning("subscription %s: %s", subscription.key, error)
