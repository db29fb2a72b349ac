"""What is kept beside a captured event, held against the event itself: columns, things, facts, edges, marks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import edges, things
from data.traceability.evidence import whole_milliseconds
from data.traceability.facts import facts_of, word
from data.traceability.items import chunks, items_named, lot_name_of, run_uri
from data.traceability.tables import TraceEdge, TraceEvent, TraceEventFact, TraceEventItem, TraceItem
from data.traceability.things import Thing
from gis.errors import Refusal

_SAID_ONCE = 3


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was recorded: the row (None where it is no row of an event), its kind, a sentence."""

    row_id: int | None
    kind: str
    sentence: str


def mismatches(session: Session, rows: Sequence[TraceEvent]) -> Iterator[Fault]:
    """Give the faults of what follows from some events, in the order of the rows."""
    read = [(row, named) for row in rows if (named := _things(row)) is not None]
    beside = _Beside(session, read)
    for row, named in read:
        yield from _columns(row, named)
        yield from beside.faults(row, named)


def _things(row: TraceEvent) -> list[Thing] | None:
    """The things of an event; None for a document that cannot be read, which its hash tells already."""
    try:
        return things.things_of(row.document)
    except (Refusal, TypeError, KeyError, ValueError, AttributeError):
        return None


# ---- columns


def _columns(row: TraceEvent, named: Sequence[Thing]) -> Iterator[Fault]:
    try:
        expected = _expected_columns(row.document, named)
    except (Refusal, TypeError, KeyError, ValueError, AttributeError):
        return
    for column, value in expected.items():
        if getattr(row, column) != value:
            sentence = (
                f"Dòng {row.id} có cột {column} là “{getattr(row, column)}”, trong sự kiện là “{value}”."
            )
            yield Fault(row.id, "column", sentence)


def _expected_columns(event: Mapping[str, Any], named: Sequence[Thing]) -> dict[str, Any]:
    return {
        "event_id": event["eventID"],
        "is_declaration": "errorDeclaration" in event,
        "type": event["type"],
        "action": event.get("action"),
        "event_time": things.moment(event["eventTime"]),
        "event_offset": event["eventTimeZoneOffset"],
        "biz_step": word(event.get("bizStep")),
        "disposition": word(event.get("disposition")),
        "read_point": things.place_of(event, "readPoint"),
        "biz_location": things.place_of(event, "bizLocation"),
        "transformation_id": event.get("transformationID"),
        "parent_uri": next((t.uri for t in named if t.role == things.PARENT), None),
    }


# ---- things, facts, edges and marks


class _Beside:
    """What the record keeps beside some events, read in a few statements."""

    def __init__(self, session: Session, read: Sequence[tuple[TraceEvent, Sequence[Thing]]]) -> None:
        ids = [row.id for row, _ in read]
        self.items = _ids_of(session, read)
        self.things = _grouped(
            session,
            TraceEventItem.__table__,
            ("item_id", "role", "quantity", "uom"),
            TraceEventItem.event_id.in_(ids),
        )
        self.facts = _grouped(
            session,
            TraceEventFact.__table__,
            ("name", "text", "number", "time"),
            TraceEventFact.event_id.in_(ids),
        )
        names = (
            "source_id",
            "target_id",
            "kind",
            "quantity_in",
            "uom_in",
            "quantity_out",
            "uom_out",
            "starts_at",
        )
        self.edges = _grouped(session, TraceEdge.__table__, names, TraceEdge.event_id.in_(ids))
        self.declared = _declarations(session, [row.event_id for row, _ in read])

    def faults(self, row: TraceEvent, named: Sequence[Thing]) -> Iterator[Fault]:
        """Give what does not follow from an event."""
        own = Counter((self.items.get(t.uri), t.role, t.quantity, t.uom) for t in named)
        if own != self.things[row.id]:
            yield Fault(row.id, "things", f"Dòng {row.id} có danh sách lô, vật khác với sự kiện.")
        wrong = _difference(self._facts(row), self.facts[row.id])
        if wrong:
            listed = ", ".join(sorted({str(fact[0]) for fact in wrong})[:_SAID_ONCE])
            yield Fault(row.id, "facts", f"Dòng {row.id} có dữ kiện tra cứu khác với sự kiện: {listed}.")
        said = self.declared.get(row.event_id)
        marked = None if row.is_declaration else said
        if (row.declared_wrong_at, row.wrong_reason) != (marked or (None, None)):
            yield Fault(
                row.id, "mark", f"Dòng {row.id} có dấu “đã tuyên bố sai” khác với các tuyên bố trong chuỗi."
            )
        if self._edges(row, named, stands=said is None) != self._kept_edges(row, named):
            yield Fault(row.id, "edges", f"Dòng {row.id} có đường truy vết khác với sự kiện.")

    def _facts(self, row: TraceEvent) -> Counter[tuple[Any, ...]]:
        found = facts_of(row.document, row.context or ())
        return Counter((f.name, f.text, f.number, _stored(f.time)) for f in found)

    def _edges(self, row: TraceEvent, named: Sequence[Thing], *, stands: bool) -> Counter[tuple[Any, ...]]:
        """The edges that an event draws, unless it is a declaration or was declared wrong."""
        if not stands or row.is_declaration:
            return Counter()
        links = edges.links_of(row.document, named, edges.run_of(row.document, named, row.event_id))
        at = things.moment(row.document["eventTime"])
        return Counter(
            (self.items.get(x.source), self.items.get(x.target), x.kind,
             x.quantity_in, x.uom_in, x.quantity_out, x.uom_out, at)
            for x in links
        )  # fmt: skip

    def _kept_edges(self, row: TraceEvent, named: Sequence[Thing]) -> Counter[tuple[Any, ...]]:
        """The edges of an event, but for those that say of a jar named in it that it is part of its lot."""
        parts = {(self.items.get(lot_name_of(t.uri) or ""), self.items.get(t.uri)) for t in named}
        kept = {e: n for e, n in self.edges[row.id].items() if e[2] != edges.PART or e[:2] not in parts}
        return Counter(kept)


def _ids_of(session: Session, read: Iterable[tuple[TraceEvent, Sequence[Thing]]]) -> dict[str, int]:
    names: set[str] = set()
    for row, named in read:
        names |= {thing.uri for thing in named}
        names |= {lot for thing in named if (lot := lot_name_of(thing.uri)) is not None}
        run = edges.run_of(row.document, named, row.event_id)
        names |= {run_uri(run)} if run is not None else set()
    known: dict[str, int] = {}
    for part in chunks(names):
        query = sa.select(TraceItem.uri, TraceItem.id).where(TraceItem.uri.in_(part))
        known |= {uri: key for uri, key in session.execute(query)}
    aliases = items_named(session, names - set(known))
    return known | {name: item.id for name, item in aliases.items()}


def _grouped(
    session: Session, table: Any, columns: Sequence[str], condition: sa.ColumnElement[bool]
) -> defaultdict[int, Counter[tuple[Any, ...]]]:
    found: defaultdict[int, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    query = sa.select(table.c.event_id, *(table.c[name] for name in columns)).where(condition)
    for event_id, *values in session.execute(query):
        found[event_id][tuple(_stored(v) if isinstance(v, dt.datetime) else v for v in values)] += 1
    return found


def _declarations(session: Session, event_ids: Collection[str]) -> dict[str, tuple[dt.datetime, str | None]]:
    """When and why events were declared wrong, by their ids."""
    query = sa.select(TraceEvent.event_id, TraceEvent.document).where(
        TraceEvent.event_id.in_(event_ids), TraceEvent.is_declaration.is_(True)
    )
    found = {}
    for event_id, document in session.execute(query):
        said = document.get("errorDeclaration") or {}
        try:
            found[event_id] = things.moment(said["declarationTime"]), word(said.get("reason"))
        except (Refusal, KeyError, TypeError):
            continue
    return found


def _stored(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else whole_milliseconds(moment.astimezone(dt.UTC))


def _difference(one: Counter[tuple[Any, ...]], other: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return (one - other) + (other - one)
