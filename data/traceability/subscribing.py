"""Standing questions: queries kept under a name, and subscriptions that tell an address of new events.

Nothing is deleted: a query that was taken away and a subscription that ended stay, with when and why.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import EVERYTHING, Account, Actor, Role, active_account
from data.base import now
from data.traceability import query, schedule
from data.traceability.tables import NamedQuery, Subscription, TraceEvent
from gis.errors import Refusal

SOURCE: Final = "epcis"
#: For so long a subscription belongs to whoever delivers it; then another may.
LEASE: Final = dt.timedelta(minutes=3)
FIRST_WAIT: Final = dt.timedelta(minutes=1)
LONGEST_WAIT: Final = dt.timedelta(hours=6)
#: About two days of waiting, doubled from time to time.
MOST_FAILURES: Final = 14
MOST_QUERIES, MOST_SUBSCRIPTIONS = 200, 50


class Taken(Refusal):
    """There is a query of this name already."""


class TooMany(Refusal):
    """The account has as many as one may have."""


# ---- named queries


def queries(session: Session, actor: Actor, *, limit: int, after: str | None = None) -> list[NamedQuery]:
    """List the queries that the actor may use, by name: their own, and for those who see everything all of them."""
    found = sa.select(NamedQuery).where(NamedQuery.removed_at.is_(None), _usable(actor))
    if after is not None:
        found = found.where(NamedQuery.name > after)
    return list(session.scalars(found.order_by(NamedQuery.name).limit(limit)))


def query_named(session: Session, actor: Actor, name: str) -> NamedQuery | None:
    """Return a query that the actor may use."""
    found = sa.select(NamedQuery).where(
        NamedQuery.name == name, NamedQuery.removed_at.is_(None), _usable(actor)
    )
    return session.scalar(found)


def _usable(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.role in EVERYTHING:
        return sa.true()
    return NamedQuery.account_id == actor.account_id


def keep_query(session: Session, actor: Actor, name: str, parameters: Mapping[str, Any]) -> NamedQuery:
    """Keep a question under a name. Raises BadQuery for one that cannot be asked, Taken and TooMany."""
    query.asked(parameters)
    old = session.scalar(sa.select(NamedQuery).where(NamedQuery.name == name))
    if old is not None and old.removed_at is None:
        raise Taken("Đã có truy vấn tên “%(name)s”.", name=name)
    own = sa.select(sa.func.count()).where(
        NamedQuery.account_id == actor.account_id, NamedQuery.removed_at.is_(None)
    )
    if int(session.scalar(own) or 0) >= MOST_QUERIES:
        raise TooMany("Bạn đã có %(most)s truy vấn; hãy xóa bớt.", most=MOST_QUERIES)
    if old is not None:
        # The name is free again; the old question keeps it with its number.
        old.name = f"{old.name} #{old.id}"
        session.flush()
    row = NamedQuery(name=name, parameters=dict(parameters), account_id=actor.account_id, source=SOURCE)
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "named_queries", row.id, "insert", after=audit.snapshot(row))
    return row


def may_remove(actor: Actor, row: NamedQuery | Subscription) -> bool:
    """Tell whether the actor may end a query or subscription: their own, administrators any."""
    return actor.role == Role.ADMINISTRATOR or row.account_id == actor.account_id


def remove_query(session: Session, actor: Actor, row: NamedQuery) -> None:
    """Take a query away, and end its subscriptions."""
    row.removed_at = now()
    for subscription in subscriptions(session, row):
        end(subscription, "Truy vấn đã bị xóa.")
    audit.write(session, actor, SOURCE, "named_queries", row.id, "delete", before={"name": row.name})


# ---- subscriptions


def subscriptions(session: Session, row: NamedQuery) -> list[Subscription]:
    """List the subscriptions of a query that are under way, oldest first."""
    found = sa.select(Subscription).where(Subscription.query_id == row.id, Subscription.ended_at.is_(None))
    return list(session.scalars(found.order_by(Subscription.id)))


def subscribe(
    session: Session,
    actor: Actor,
    row: NamedQuery,
    address: str,
    *,
    secret: str | None,
    at: Mapping[str, str] | None,
    report_if_empty: bool,
    since: dt.datetime | None,
    epc_format: str,
) -> Subscription:
    """Tell an address of events that match a query: at the times of a schedule `at`, or of each as it comes.

    Events recorded from `since` on are told of, by default those recorded from now on.
    Raises schedule.BadSchedule and TooMany.
    """
    if len(subscriptions(session, row)) >= MOST_SUBSCRIPTIONS:
        raise TooMany("Truy vấn này đã có %(most)s đăng ký.", most=MOST_SUBSCRIPTIONS)
    last = sa.select(sa.func.max(TraceEvent.id))
    if since is not None:
        last = last.where(TraceEvent.record_time < since)
    made = Subscription(
        key=secrets.token_urlsafe(12),
        query_id=row.id,
        account_id=actor.account_id,
        address=address,
        secret=secret,
        schedule={"at": dict(at) if at else None, "format": epc_format},
        report_if_empty=report_if_empty,
        last_event_id=int(session.scalar(last) or 0),
        due_at=schedule.next_time(at, now()) if at else None,
        source=SOURCE,
    )
    session.add(made)
    session.flush()
    after = {name: value for name, value in audit.snapshot(made).items() if name != "secret"}
    audit.write(session, actor, SOURCE, "subscriptions", made.id, "insert", after=after)
    return made


def cancel(session: Session, actor: Actor, subscription: Subscription) -> None:
    """End a subscription because its owner wants no more of it."""
    subscription.ended_at = now()
    subscription.last_error = None
    subscription.secret = None
    before = {"address": subscription.address}
    audit.write(session, actor, SOURCE, "subscriptions", subscription.id, "delete", before=before)


def end(subscription: Subscription, reason: str) -> None:
    """End a subscription and keep why."""
    subscription.ended_at = now()
    subscription.last_error = reason
    subscription.secret = None


# ---- delivery


def due(session: Session, moment: dt.datetime) -> list[int]:
    """List the subscriptions that may have something to tell: their time has come, or events came since the last."""
    newest = sa.select(sa.func.coalesce(sa.func.max(TraceEvent.id), 0)).scalar_subquery()
    ready = sa.or_(
        Subscription.due_at <= moment,
        sa.and_(Subscription.due_at.is_(None), Subscription.last_event_id < newest),
    )
    found = sa.select(Subscription.id).where(Subscription.ended_at.is_(None), ready)
    return list(session.scalars(found.order_by(Subscription.id)))


def claim(session: Session, subscription_id: int, moment: dt.datetime) -> bool:
    """Take a due subscription for a while, so that no other process delivers it; tell whether it was free."""
    claimed = (
        sa.update(Subscription)
        .where(
            Subscription.id == subscription_id,
            Subscription.ended_at.is_(None),
            sa.or_(Subscription.due_at <= moment, Subscription.due_at.is_(None)),
        )
        .values(due_at=moment + LEASE)
        .returning(Subscription.id)
    )
    return session.scalar(claimed) is not None


def owner(session: Session, subscription: Subscription) -> Actor | None:
    """Return for whom a subscription reads events, with the rights of today; None when the account is closed."""
    account: Account | None = active_account(session, subscription.account_id)
    return account.actor() if account is not None else None


def told(
    subscription: Subscription, last_event_id: int, moment: dt.datetime, *, sent: bool, more: bool
) -> None:
    """Note that everything up to an event was told, and when to look again: at once where there is more."""
    subscription.last_event_id = max(subscription.last_event_id, last_event_id)
    subscription.failures = 0
    subscription.last_error = None
    if sent:
        subscription.last_sent_at = moment
    subscription.due_at = moment + LEASE if more else _next(subscription, moment)


def failed(subscription: Subscription, reason: str, moment: dt.datetime) -> None:
    """Note that an address could not be told; after too many times the subscription ends."""
    subscription.failures += 1
    if subscription.failures >= MOST_FAILURES:
        end(subscription, f"Dừng sau {subscription.failures} lần gửi không được: {reason}")
        return
    wait = min(FIRST_WAIT * 2 ** (subscription.failures - 1), LONGEST_WAIT)
    subscription.last_error = reason
    subscription.due_at = moment + wait


def _next(subscription: Subscription, moment: dt.datetime) -> dt.datetime | None:
    at = (subscription.schedule or {}).get("at")
    return schedule.next_time(at, moment) if at else None
