"""Events of traceability and what is drawn from them: things, edges, chains, recalls, scans and reports.

A lot's dossier is its events; no row of an event is changed once it is written, except that it was declared wrong.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Tracked, now

FREE, HELD, RECALLED = "free", "held", "recalled"


class TraceItem(Base):
    """A thing that events speak of, under its one canonical name: a lot, a jar, a sample, a carton, a pond."""

    uri: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    state: Mapped[str] = mapped_column(default=FREE, server_default=FREE)


class TraceEvent(Base):
    """One EPCIS event as it was captured; the order of ids is the order of recording."""

    event_id: Mapped[str]
    is_declaration: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    hash: Mapped[str] = mapped_column(index=True)
    type: Mapped[str]
    action: Mapped[str | None]
    event_time: Mapped[dt.datetime] = mapped_column(index=True)
    event_offset: Mapped[str]
    record_time: Mapped[dt.datetime] = mapped_column(default=now, index=True)
    biz_step: Mapped[str | None] = mapped_column(index=True)
    disposition: Mapped[str | None] = mapped_column(index=True)
    read_point: Mapped[str | None] = mapped_column(index=True)
    biz_location: Mapped[str | None] = mapped_column(index=True)
    transformation_id: Mapped[str | None] = mapped_column(index=True)
    parent_uri: Mapped[str | None]
    document: Mapped[dict[str, Any]]
    context: Mapped[list[Any] | None]
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    captured_by: Mapped[str]
    declared_wrong_at: Mapped[dt.datetime | None]
    wrong_reason: Mapped[str | None]
    previous_hash: Mapped[str]
    row_hash: Mapped[str]

    __table_args__ = (sa.UniqueConstraint("event_id", "is_declaration"), {"sqlite_autoincrement": True})


class TraceEventItem(Base):
    """A thing in an event: what it did there, and how much of it."""

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_events.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"))
    role: Mapped[str]
    quantity: Mapped[float | None]
    uom: Mapped[str | None]

    __table_args__ = (sa.Index(None, "item_id", "role"), {"sqlite_autoincrement": True})


class TraceEventFact(Base):
    """One searchable fact of an event beside its columns, under the name that queries use."""

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_events.id"), index=True)
    name: Mapped[str]
    text: Mapped[str | None]
    number: Mapped[float | None]
    time: Mapped[dt.datetime | None]

    __table_args__ = (sa.Index(None, "name", "text"), {"sqlite_autoincrement": True})


class TraceEdge(Base):
    """What became of what, for how long, by which event."""

    source_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"), index=True)
    target_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"), index=True)
    kind: Mapped[str]
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_events.id"), index=True)
    quantity_in: Mapped[float | None]
    uom_in: Mapped[str | None]
    quantity_out: Mapped[float | None]
    uom_out: Mapped[str | None]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]


class LotLink(Base):
    """A link of the chain of one thing's events."""

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"))
    position: Mapped[int]
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_events.id"), index=True)
    previous_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (sa.UniqueConstraint("item_id", "position"), {"sqlite_autoincrement": True})


class ChainHead(Base):
    """The end of the global chain: the one row that is locked while events are added."""

    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    hash: Mapped[str] = mapped_column(default="", server_default="")


class EvidenceHead(Base):
    """The signed head of the global chain of a day."""

    day: Mapped[dt.date] = mapped_column(unique=True)
    sequence: Mapped[int]
    events: Mapped[int]
    row_hash: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[str]
    made_at: Mapped[dt.datetime] = mapped_column(default=now)


class NamedQuery(Tracked, Base):
    """A question that is kept under a name."""

    name: Mapped[str] = mapped_column(unique=True)
    parameters: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    removed_at: Mapped[dt.datetime | None]


class Subscription(Tracked, Base):
    """An address that is told of new events that match a named query."""

    key: Mapped[str] = mapped_column(unique=True)
    query_id: Mapped[int] = mapped_column(sa.ForeignKey("named_queries.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    address: Mapped[str]
    secret: Mapped[str | None]
    schedule: Mapped[dict[str, Any] | None]
    report_if_empty: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    last_event_id: Mapped[int] = mapped_column(default=0, server_default="0")
    last_sent_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]


class Scan(Base):
    """One reading of a code: when and roughly where, never by whom."""

    uri: Mapped[str] = mapped_column(index=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trace_items.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    scanned_at: Mapped[dt.datetime] = mapped_column(default=now, index=True)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    lot_state: Mapped[str | None]


class ScanAlarm(Tracked, Base):
    """Something about the readings of a code that somebody should look at."""

    kind: Mapped[str]
    uri: Mapped[str]
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    facts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="new", server_default="new")
    handled_by: Mapped[str | None]
    remark: Mapped[str | None]


class ProblemReport(Tracked, Base):
    """What a buyer reported about a lot or product."""

    number: Mapped[str] = mapped_column(unique=True)
    uri: Mapped[str | None]
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    kind: Mapped[str]
    text: Mapped[str]
    contact: Mapped[str | None]
    media: Mapped[list[Any] | None]
    state: Mapped[str] = mapped_column(default="new", server_default="new")
    answer: Mapped[str | None]
    handled_by: Mapped[str | None]
    handled_at: Mapped[dt.datetime | None]


class RecallAct(Tracked, Base):
    """A decision on a lot: held, released, recalled, or the recall closed; with its reason and document."""

    kind: Mapped[str]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    reason: Mapped[str]
    document: Mapped[str | None]
    notice: Mapped[str | None]
    handling: Mapped[str | None]
    is_mandatory: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    decided_by: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    decided_at: Mapped[dt.datetime] = mapped_column(default=now)
    closed_at: Mapped[dt.datetime | None]
    closing_report: Mapped[str | None]
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trace_events.id"))
    part_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("recall_acts.id"), index=True)


class RecallNotice(Tracked, Base):
    """A buyer who is told of a recall: by the dispatch that reached them, and what came back."""

    recall_id: Mapped[int] = mapped_column(sa.ForeignKey("recall_acts.id"), index=True)
    dispatch_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_events.id"), index=True)
    informed_at: Mapped[dt.datetime | None]
    informed_by: Mapped[str | None]
    returned: Mapped[float | None]
    uom: Mapped[str | None]
    remark: Mapped[str | None]

    __table_args__ = (sa.UniqueConstraint("recall_id", "dispatch_id"), {"sqlite_autoincrement": True})


class RecallDrill(Tracked, Base):
    """An exercise against the clock: where did this lot go?"""

    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("trace_items.id"), index=True)
    direction: Mapped[str]
    started_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    expected: Mapped[dict[str, Any] | None]
    answer: Mapped[dict[str, Any] | None]
    score: Mapped[float | None]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    answered_by: Mapped[str | None]
    remark: Mapped[str | None]
