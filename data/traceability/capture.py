"""The one way in for events: checked, named, owned, kept once, chained, and drawn as edges.

Nothing is ever changed or deleted. An event that was wrong is declared wrong by sending it again with an
`errorDeclaration`; it stays, is marked, and takes its edges with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, bulk
from data.accounts import Actor
from data.base import now
from data.traceability import blocking, documents, edges, evidence, redaction, things
from data.traceability.eventhash import event_hash
from data.traceability.facts import facts_of, word
from data.traceability.items import Item, chunks, ensure_items, lot_name_of
from data.traceability.owners import NOBODY, Owner, Ownership, Telling
from data.traceability.tables import (
    HELD,
    ChainHead,
    LotLink,
    TraceEdge,
    TraceEvent,
    TraceEventFact,
    TraceEventItem,
)
from data.traceability.things import Thing
from gis.errors import Refusal

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
HEAD_ID = 1


class CaptureError(Refusal):
    """An event cannot be recorded; `event` is its place in the call, from 0, where one event is to blame.

    `faults` lists all that the standard does not allow in the events, where that is the reason.
    """

    def __init__(self, message: str, *, event: int | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.event = event
        self.faults: list[documents.Fault] = []


class NotAllowed(CaptureError):
    """The event is not the actor's to record."""


class Conflict(CaptureError):
    """Another event with the same id is there already."""


class Blocked(CaptureError):
    """The event uses, packs or sends out something that is held or recalled."""


@dataclass(frozen=True)
class Appended:
    """An event that is in the record: its row and its id, and whether it was there before."""

    row_id: int
    event_id: str
    known: bool


@dataclass
class _Draft:
    """An event on its way in."""

    place: int
    event: dict[str, Any]
    event_id: str
    hash: str
    named: list[Thing]
    at: dt.datetime
    is_declaration: bool
    run: str | None
    read_point: str | None
    biz_location: str | None
    items: Mapping[str, Item] = field(default_factory=dict)
    owner: Owner = NOBODY
    row_id: int = 0
    wrong_at: dt.datetime | None = None
    wrong_reason: str | None = None

    @property
    def key(self) -> tuple[str, bool]:
        """What there can be only one event of."""
        return self.event_id, self.is_declaration

    @property
    def declaration(self) -> Mapping[str, Any]:
        """Why and when it was declared wrong, empty where it is no declaration."""
        return self.event.get("errorDeclaration") or {}

    def telling(self) -> Telling:
        """What of it says whose it is."""
        places = [place for place in (self.biz_location, self.read_point) if place]
        return Telling(self.event, self.named, self.items, places)


def append(
    session: Session,
    actor: Actor,
    events: Sequence[Mapping[str, Any]],
    *,
    source: str,
    context: Sequence[Any] = (),
    at: dt.datetime | None = None,
    checked: bool = False,
) -> list[Appended]:
    """Record N events (JSON objects) inside the caller's writing transaction: all of them, or none with the reason.

    Returns one entry per event in the order given. An event that is there already with the same content is returned
    as known and writes nothing; one without `eventID` gets its CBV 2.0 hash as id. `source` names the door that the
    events came through, `context` is the `@context` of their document (the standard's own is added), `at` the
    moment of recording (UTC), `checked` says that `documents.faults` has passed the events in this request.
    Raises CaptureError, NotAllowed, Conflict or Blocked; nothing is written then, but roll the savepoint back.
    """
    context = list(context)
    if not checked:
        _check(events, context)
    if not events:
        return []
    session.flush()
    head = _locked_head(session)
    drafts = _drafts(events, context)
    known = _known(session, drafts)
    fresh = _fresh(drafts, known)
    if fresh:
        _name(session, fresh)
        _judge(session, actor, fresh, known)
        _write(session, actor, fresh, context, head, evidence.whole_milliseconds(at or now()))
        _declare(session, fresh, known)
        _draw(session, fresh)
        rows = {"count": len(fresh), "first_id": fresh[0].row_id, "last_id": fresh[-1].row_id}
        audit.write(session, actor, source, TraceEvent.__tablename__, None, "capture", after=rows)
        session.flush()
    made = {draft.key: draft.row_id for draft in fresh}
    first = {id(draft) for draft in fresh}
    return [Appended(made.get(d.key) or known[d.key].id, d.event_id, id(d) not in first) for d in drafts]


# ---- reading and comparing


def _check(events: Sequence[Mapping[str, Any]], context: Sequence[Any]) -> None:
    document = {
        "@context": [CONTEXT, *(part for part in context if part != CONTEXT)],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    faults = documents.faults(document)
    if faults:
        first = faults[0]
        place = None if first.event is None else first.event - 1
        error = CaptureError(
            first.message, event=place, **{k: v for k, v in first.facts.items() if k != "event"}
        )
        error.faults = list(faults)
        raise error


def _drafts(events: Sequence[Mapping[str, Any]], context: Sequence[Any]) -> list[_Draft]:
    names: dict[str, str] = {}
    return [_draft(place, dict(event), context, names) for place, event in enumerate(events)]


def _draft(place: int, event: dict[str, Any], context: Sequence[Any], names: dict[str, str]) -> _Draft:
    own = event.get("@context") or []
    digest = event_hash(event, [*context, *(own if isinstance(own, list) else [own])])
    event["eventID"] = event.get("eventID") or digest
    named = things.things_of(event, names)
    return _Draft(
        place=place,
        event=event,
        event_id=event["eventID"],
        hash=digest,
        named=named,
        at=things.moment(event["eventTime"]),
        is_declaration="errorDeclaration" in event,
        run=edges.run_of(event, named, event["eventID"]),
        read_point=things.place_of(event, "readPoint"),
        biz_location=things.place_of(event, "bizLocation"),
    )


def _known(session: Session, drafts: Iterable[_Draft]) -> dict[tuple[str, bool], Any]:
    """Return the rows with the ids of the drafts, declared and declaration, by id and which of the two."""
    row = TraceEvent.__table__.c
    columns = (
        row.id,
        row.event_id,
        row.is_declaration,
        row.hash,
        row.document,
        row.account_id,
        row.declared_wrong_at,
    )
    found = {}
    for part in chunks({draft.event_id for draft in drafts}):
        for known in session.execute(sa.select(*columns).where(row.event_id.in_(part))):
            found[known.event_id, known.is_declaration] = known
    return found


def _fresh(drafts: Sequence[_Draft], known: Mapping[tuple[str, bool], Any]) -> list[_Draft]:
    """Leave out what is there already; refuse an id that stands for something else."""
    seen: dict[tuple[str, bool], tuple[str, Any]] = {
        key: (row.hash, row.document.get("errorDeclaration")) for key, row in known.items()
    }
    fresh = []
    for draft in drafts:
        content = draft.hash, draft.event.get("errorDeclaration")
        before = seen.get(draft.key)
        if before is not None and before != content:
            raise Conflict(
                "Mã sự kiện %(id)s đã dùng cho một sự kiện có nội dung khác.",
                event=draft.place,
                id=draft.event_id,
            )
        other = seen.get((draft.event_id, not draft.is_declaration))
        if other is not None and other[0] != draft.hash:
            raise Conflict(
                "Tuyên bố sai phải lặp lại nguyên văn sự kiện %(id)s.", event=draft.place, id=draft.event_id
            )
        if before is None:
            seen[draft.key] = content
            fresh.append(draft)
    return fresh


def _name(session: Session, fresh: Sequence[_Draft]) -> None:
    items = ensure_items(
        session,
        {thing.uri for draft in fresh for thing in draft.named},
        runs={draft.run for draft in fresh if draft.run is not None},
    )
    for draft in fresh:
        draft.items = items


# ---- judging


def _judge(
    session: Session, actor: Actor, fresh: Sequence[_Draft], known: Mapping[tuple[str, bool], Any]
) -> None:
    told = [draft.telling() for draft in fresh]
    ownership = Ownership(session, actor, told)
    for draft, one in zip(fresh, told, strict=True):
        draft.owner = ownership.owner(one)
        fault = ownership.fault(one, draft.owner)
        if fault is not None:
            raise NotAllowed(fault[0], event=draft.place, **fault[1])
        original = known.get((draft.event_id, False)) if draft.is_declaration else None
        if original is not None:
            fault = ownership.fault_of_declaration(original.account_id, original.document)
            if fault is not None:
                raise NotAllowed(fault[0], event=draft.place, **fault[1])
    _refuse_stopped(session, fresh)


def _refuse_stopped(session: Session, fresh: Sequence[_Draft]) -> None:
    uses: list[tuple[_Draft, Item]] = []
    for draft in fresh:
        if not draft.is_declaration:
            for uri in blocking.used(draft.event, draft.named):
                uses.append((draft, draft.items[uri]))
    stopped = blocking.stopped(session, {item.id for _, item in uses})
    for draft, item in uses:
        if item.id in stopped:
            uri, state = stopped[item.id]
            if state == HELD:
                raise Blocked("Lô %(uri)s đang bị tạm giữ nên chưa dùng, đóng gói hoặc xuất đi được.",
                              event=draft.place, uri=uri)  # fmt: skip
            raise Blocked("Lô %(uri)s đã bị thu hồi nên không dùng, đóng gói hoặc xuất đi được.",
                          event=draft.place, uri=uri)  # fmt: skip


# ---- writing


def _locked_head(session: Session) -> ChainHead:
    """Return the end of the chain, locked until the transaction ends, so that events follow one another."""
    query = sa.select(ChainHead).where(ChainHead.id == HEAD_ID).with_for_update()
    head = session.scalar(query.execution_options(populate_existing=True))
    if head is None:
        _insert_head(session)
        head = session.scalars(query.execution_options(populate_existing=True)).one()
    return head


def _insert_head(session: Session) -> None:
    row = {"id": HEAD_ID, "sequence": 0, "hash": evidence.FIRST}
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        session.execute(insert(ChainHead).on_conflict_do_nothing(), row)
    else:
        session.execute(sa.insert(ChainHead), row)


def _write(
    session: Session,
    actor: Actor,
    fresh: Sequence[_Draft],
    context: Sequence[Any],
    head: ChainHead,
    at: dt.datetime,
) -> None:
    name = actor.name or actor.role.value
    key = redaction.salt_key(session)
    previous, chain = head.hash, [head.hash]
    for draft in fresh:
        previous = evidence.row_hash(previous, draft.hash, at, name, draft.event, context, key)
        chain.append(previous)
    columns = _columns(fresh, context)
    same = {"record_time": at, "account_id": actor.account_id, "captured_by": name}
    columns |= {column: [value] * len(fresh) for column, value in same.items()}
    columns |= {"previous_hash": chain[:-1], "row_hash": chain[1:]}
    first, _ = bulk.insert(session, bulk.table_of(TraceEvent), columns)
    for row_id, draft in enumerate(fresh, start=first):
        draft.row_id = row_id
    head.hash, head.sequence = previous, head.sequence + len(fresh)
    _insert(session, TraceEventItem, ("event_id", "item_id", "role", "quantity", "uom"), [
        (d.row_id, d.items[t.uri].id, t.role, t.quantity, t.uom) for d in fresh for t in d.named
    ])  # fmt: skip
    _insert(session, TraceEventFact, ("event_id", "name", "text", "number", "time"), [
        (d.row_id, f.name, f.text, f.number, f.time) for d in fresh for f in facts_of(d.event, context)
    ])  # fmt: skip
    _link(session, fresh, chain[1:])


def _columns(fresh: Sequence[_Draft], context: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the columns of `trace_events` that come from the events themselves."""
    documents = [draft.event for draft in fresh]
    parents = [next((t.uri for t in d.named if t.role == things.PARENT), None) for d in fresh]
    return {
        "event_id": [d.event_id for d in fresh],
        "is_declaration": [d.is_declaration for d in fresh],
        "hash": [d.hash for d in fresh],
        "type": [e["type"] for e in documents],
        "action": [e.get("action") for e in documents],
        "event_time": [d.at for d in fresh],
        "event_offset": [e["eventTimeZoneOffset"] for e in documents],
        "biz_step": [word(e.get("bizStep")) for e in documents],
        "disposition": [word(e.get("disposition")) for e in documents],
        "read_point": [d.read_point for d in fresh],
        "biz_location": [d.biz_location for d in fresh],
        "transformation_id": [e.get("transformationID") for e in documents],
        "parent_uri": parents,
        "document": documents,
        "context": [list(context)] * len(fresh),
        "producer_id": [d.owner.producer_id for d in fresh],
        "commune_id": [d.owner.commune_id for d in fresh],
    }


def _insert(session: Session, model: Any, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        values = zip(*rows, strict=True)
        bulk.insert(session, model.__table__, dict(zip(columns, (list(v) for v in values), strict=True)))


def _link(session: Session, fresh: Sequence[_Draft], row_hashes: Sequence[str]) -> None:
    """Lengthen the chain of every thing that was named."""
    ids = {draft.items[thing.uri].id for draft in fresh for thing in draft.named}
    link = LotLink.__table__.c
    ends: dict[int, tuple[int, str]] = {}
    for part in chunks(ids):
        ends_of = sa.select(link.item_id, sa.func.max(link.position).label("position"))
        last = ends_of.where(link.item_id.in_(part)).group_by(link.item_id).subquery()
        same = sa.and_(link.item_id == last.c.item_id, link.position == last.c.position)
        for item_id, position, digest in session.execute(
            sa.select(link.item_id, link.position, link.hash).join_from(last, LotLink.__table__, same)
        ):
            ends[item_id] = position, digest
    rows = []
    for draft, row_hash in zip(fresh, row_hashes, strict=True):
        for item_id in dict.fromkeys(draft.items[thing.uri].id for thing in draft.named):
            position, previous = ends.get(item_id, (0, evidence.FIRST))
            digest = evidence.link_hash(previous, row_hash)
            rows.append((item_id, position + 1, draft.row_id, previous, digest))
            ends[item_id] = position + 1, digest
    _insert(session, LotLink, ("item_id", "position", "event_id", "previous_hash", "hash"), rows)


# ---- what follows from it


def _declare(session: Session, fresh: Sequence[_Draft], known: Mapping[tuple[str, bool], Any]) -> None:
    """Mark events that were declared wrong, whichever of the two came first, and take away their edges."""
    new = {draft.key: draft for draft in fresh}
    marks, withdrawn = [], []
    for event_id in dict.fromkeys(draft.event_id for draft in fresh):
        declaration = new.get((event_id, True)) or known.get((event_id, True))
        original = new.get((event_id, False)) or known.get((event_id, False))
        if declaration is None or original is None or getattr(original, "declared_wrong_at", None):
            continue
        document = declaration.event if isinstance(declaration, _Draft) else declaration.document
        said = document["errorDeclaration"]
        wrong_at, reason = things.moment(said["declarationTime"]), word(said.get("reason"))
        if isinstance(original, _Draft):
            original.wrong_at, original.wrong_reason = wrong_at, reason
        row_id = original.row_id if isinstance(original, _Draft) else original.id
        marks.append({"row": row_id, "at": wrong_at, "reason": reason})
        withdrawn.append(row_id)
    if marks:
        table = bulk.table_of(TraceEvent)
        statement = sa.update(table).where(table.c.id == sa.bindparam("row"))
        values: dict[str, Any] = {
            "declared_wrong_at": sa.bindparam("at"),
            "wrong_reason": sa.bindparam("reason"),
        }
        session.connection().execute(statement.values(**values), marks)
        edges.withdraw(session, withdrawn)


def _draw(session: Session, fresh: Sequence[_Draft]) -> None:
    """Write the edges of events that stand, and the parts of lots that are named for the first time."""
    rows: list[tuple[Any, ...]] = []
    parents: set[int] = set()
    joined: set[int] = set()
    for draft in fresh:
        if draft.is_declaration or draft.wrong_at is not None:
            continue
        for link in edges.links_of(draft.event, draft.named, draft.run):
            source, target = draft.items[link.source].id, draft.items[link.target].id
            amounts = link.quantity_in, link.uom_in, link.quantity_out, link.uom_out
            rows.append((source, target, link.kind, draft.row_id, *amounts, draft.at, None))
            if link.kind == edges.SAMPLE:
                joined.add(target)
        if draft.event.get("type") == "AggregationEvent":
            parents |= {draft.items[t.uri].id for t in draft.named if t.role == things.PARENT}
    rows += _parts(fresh, joined)
    names = ("source_id", "target_id", "kind", "event_id",
             "quantity_in", "uom_in", "quantity_out", "uom_out", "starts_at", "ends_at")  # fmt: skip
    _insert(session, TraceEdge, names, rows)
    if parents:
        edges.settle(session, parents)


def _parts(fresh: Sequence[_Draft], joined: Collection[int]) -> list[tuple[Any, ...]]:
    """Return the edges from lots to the jars and samples that are named for the first time."""
    rows: dict[int, tuple[Any, ...]] = {}
    for draft in fresh:
        for thing in draft.named:
            item, lot = draft.items[thing.uri], lot_name_of(thing.uri)
            if lot is None or not item.is_new or item.id in joined or item.id in rows:
                continue
            whole = draft.items[lot].id
            rows[item.id] = (whole, item.id, edges.PART, draft.row_id, None, None, None, None, draft.at, None)
    return list(rows.values())
