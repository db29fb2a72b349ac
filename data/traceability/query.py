"""Events that match query parameters, as the actor may see them: one statement, pages by key.

Every question to the repository of events goes through here: rights, conditions, order and limits are one select.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.programme import rights
from data.traceability.asking import BadQuery, Condition, condition, whole_name
from data.traceability.facts import kept_text, number_of, prefixes_of
from data.traceability.tables import TraceEvent, TraceEventFact, TraceEventItem, TraceItem
from gis.errors import Refusal

__all__ = ["Asked", "BadQuery", "Page", "QueryTooLarge", "asked", "listed", "page", "selected"]

#: Parameters that say how much of the answer is wanted and in what order.
CONTROLS: Final = ("orderBy", "orderDirection", "eventCountLimit", "maxEventCount")
LARGEST_COUNT: Final = 2**31 - 1
_EPOCH: Final = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_LOWEST: Final = -1e300
#: What an extension field is ordered by, each with what stands where an event has no such value.
_FACT_KEYS: Final = (
    (TraceEventFact.number, _LOWEST),
    (TraceEventFact.time, _EPOCH),
    (TraceEventFact.text, ""),
)


class QueryTooLarge(Refusal):
    """More events match than the caller wants to be answered with."""


@dataclass(frozen=True)
class Asked:
    """What was asked for: conditions on events, their order, and how many at most."""

    conditions: tuple[Condition, ...] = ()
    order_by: str | None = None
    descending: bool = False
    limit: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Page:
    """A page of events, and the key after which the next one begins."""

    events: Sequence[TraceEvent]
    after: list[Any] | None


def asked(parameters: Mapping[str, Any], context: Iterable[Any] = ()) -> Asked:
    """Read query parameters; `context` tells prefixes of extension fields. Raises BadQuery."""
    own = parameters.get("@context")
    prefixes = prefixes_of([*context, *(own if isinstance(own, list) else [own])])
    rules = [
        rule
        for name, value in parameters.items()
        if name != "@context" and name not in CONTROLS
        if (rule := condition(name, value, prefixes)) is not None
    ]
    order_by, descending = _order(parameters, prefixes)
    limit, most = (_count(parameters, name) for name in ("eventCountLimit", "maxEventCount"))
    if limit is not None and most is not None:
        raise BadQuery(
            "Chỉ dùng một trong hai tham số eventCountLimit và maxEventCount.", parameter="maxEventCount"
        )
    if limit is not None and order_by is None:
        raise BadQuery("Tham số eventCountLimit chỉ dùng được cùng với orderBy.", parameter="eventCountLimit")
    return Asked(tuple(rules), order_by, descending, limit, most)


def _order(parameters: Mapping[str, Any], prefixes: Mapping[str, str]) -> tuple[str | None, bool]:
    direction = parameters.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        raise BadQuery("Tham số “%(parameter)s” nhận ASC hoặc DESC.", parameter="orderDirection")
    name = parameters.get("orderBy")
    if name is None:
        return None, False
    if name in ("eventTime", "recordTime"):
        return str(name), direction == "DESC"
    if not isinstance(name, str) or ":" not in name:
        raise BadQuery(
            "Tham số “%(parameter)s” nhận eventTime, recordTime hoặc tên đầy đủ của một trường mở rộng.",
            parameter="orderBy",
        )
    return whole_name("orderBy", name, prefixes), direction == "DESC"


def _count(parameters: Mapping[str, Any], name: str) -> int | None:
    value = parameters.get(name)
    if value is None:
        return None
    number = number_of(value)
    if number is None or number != int(number) or not 0 < number <= LARGEST_COUNT:
        raise BadQuery("Tham số “%(parameter)s” phải là số nguyên dương.", parameter=name)
    return int(number)


# ---- events


def selected(actor: Actor, wanted: Asked) -> sa.Select[tuple[TraceEvent]]:
    """Select the events that match and that the actor sees, in no order."""
    query: sa.Select[tuple[TraceEvent]] = sa.select(TraceEvent)
    return query.where(rights.seen(actor, TraceEvent), *wanted.conditions)


def page(
    session: Session, actor: Actor, wanted: Asked, *, limit: int, after: Sequence[Any] | None = None
) -> Page:
    """Read a page of at most `limit` events that begins after a key. Raises QueryTooLarge.

    The key of a page is opaque to callers; it is a list of JSON values.
    """
    if wanted.most is not None and after is None:
        _refuse_more(session, actor, wanted)
    taken = int(after[0]) if after is not None else 0
    left = limit if wanted.limit is None else min(limit, wanted.limit - taken)
    if left <= 0:
        return Page([], None)
    query, keys = _ordered(selected(actor, wanted), wanted)
    if after is not None:
        query = query.where(_beyond(keys, _read_key(after[1:], wanted), wanted.descending))
    ordered = [key.desc() if wanted.descending else key.asc() for key in keys]
    rows = session.execute(query.add_columns(*keys).order_by(*ordered).limit(left + 1)).all()
    events = [row[0] for row in rows[:left]]
    taken += len(events)
    more = len(rows) > left and (wanted.limit is None or taken < wanted.limit)
    return Page(events, [taken, *map(_plain, rows[left - 1][1:])] if more else None)


def _refuse_more(session: Session, actor: Actor, wanted: Asked) -> None:
    assert wanted.most is not None
    some = selected(actor, wanted).with_only_columns(TraceEvent.id).limit(wanted.most + 1).subquery()
    if int(session.scalar(sa.select(sa.func.count()).select_from(some)) or 0) > wanted.most:
        raise QueryTooLarge(
            "Có hơn %(most)s sự kiện khớp với truy vấn; hãy thu hẹp điều kiện hoặc tăng maxEventCount.",
            most=wanted.most,
        )


def _ordered(query: sa.Select[Any], wanted: Asked) -> tuple[sa.Select[Any], list[Any]]:
    """Return the statement with the columns by which pages are told apart, the number of recording last."""
    if wanted.order_by is None:
        return query, [TraceEvent.id]
    if wanted.order_by == "eventTime":
        return query, [TraceEvent.event_time, TraceEvent.id]
    if wanted.order_by == "recordTime":
        return query, [TraceEvent.record_time, TraceEvent.id]
    of = _values_of(wanted.order_by)
    keys = [sa.func.coalesce(of.c[c.key], sa.literal(m, c.type), type_=c.type) for c, m in _FACT_KEYS]
    return query.outerjoin(of, of.c.event_id == TraceEvent.id), [*keys, TraceEvent.id]


def _values_of(name: str) -> sa.Subquery:
    """Select the least number, time and text of an extension field, for each event that has it."""
    least = [sa.func.min(column).label(column.key) for column, _ in _FACT_KEYS]
    of = sa.select(TraceEventFact.event_id, *least).where(TraceEventFact.name == kept_text(name))
    return of.group_by(TraceEventFact.event_id).subquery("ordering")


def _beyond(keys: Sequence[Any], values: Sequence[Any], descending: bool) -> Condition:
    """Say that a row comes after the one with these key values."""
    rules: list[Condition] = []
    for at, (key, value) in enumerate(zip(keys, values, strict=True)):
        equal = [k == sa.literal(v, k.type) for k, v in zip(keys[:at], values[:at], strict=True)]
        edge = sa.literal(value, key.type)
        rules.append(sa.and_(*equal, key < edge if descending else key > edge))
    return sa.or_(*rules)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _read_key(values: Sequence[Any], wanted: Asked) -> list[Any]:
    if wanted.order_by is None:
        return list(values)
    if wanted.order_by in ("eventTime", "recordTime"):
        return [dt.datetime.fromisoformat(values[0]), values[1]]
    return [values[0], dt.datetime.fromisoformat(values[1]), *values[2:]]


# ---- what there is

#: The lists that clients walk through: what each is made of.
LISTS: Final[Mapping[str, Any]] = {
    "bizSteps": TraceEvent.biz_step,
    "bizLocations": TraceEvent.biz_location,
    "readPoints": TraceEvent.read_point,
    "dispositions": TraceEvent.disposition,
    "eventTypes": TraceEvent.type,
    "epcs": TraceItem.uri,
}


def listed(
    session: Session, actor: Actor, name: str, *, limit: int, after: str | None = None
) -> tuple[list[str], str | None]:
    """List the values that occur in events which the actor sees, in order; and where the next page begins."""
    column = LISTS[name]
    query = sa.select(column).distinct()
    if name == "epcs":
        query = query.join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        query = query.join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
    query = query.where(rights.seen(actor, TraceEvent), column.is_not(None))
    if after is not None:
        query = query.where(column > after)
    found = list(session.scalars(query.order_by(column).limit(limit + 1)))
    return found[:limit], found[limit - 1] if len(found) > limit else None
