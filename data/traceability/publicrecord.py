"""What anybody may have of a lot's chain: public fields with their salts, hidden ones as hashes, proofs and heads.

From it the whole way can be recomputed: field → leaf → seal → row hash → link of the lot, and row hash → tree of the
day → signed head. It needs nothing that is hidden.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import evidence, heads, merkle, redaction
from data.traceability.heads import TIME_ZONE, Head
from data.traceability.tables import LotLink, TraceEvent, TraceItem

FORMAT = "ocop-evidence-1"


@dataclass(frozen=True)
class LinkedEvent:
    """An event of a thing with its place in the thing's chain."""

    event: TraceEvent
    position: int
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class State:
    """How a thing's chain stands: whether it agrees, since when, its events, and those that a signed head covers."""

    whole: bool
    since: dt.date | None
    events: int
    signed: int
    head: Head | None


def linked_events(session: Session, item_id: int) -> list[LinkedEvent]:
    """List the events in the chain of a thing, in order."""
    query = (
        sa.select(TraceEvent, LotLink.position, LotLink.previous_hash, LotLink.hash)
        .join(LotLink, LotLink.event_id == TraceEvent.id)
        .where(LotLink.item_id == item_id)
        .order_by(LotLink.position)
    )
    return [LinkedEvent(*row) for row in session.execute(query)]


def state_of(session: Session, item_id: int) -> State:
    """Recompute the chain of a thing, without its events' place in the chain of all."""
    key = redaction.known_salt_key(session)
    chain = linked_events(session, item_id)
    whole, previous = key is not None, evidence.FIRST
    for link in chain:
        agrees = key is not None and _row_hash(link.event, key) == link.event.row_hash
        whole &= agrees and link.previous_hash == previous
        whole &= link.hash == evidence.link_hash(previous, link.event.row_hash)
        previous = link.hash
    first = chain[0].event if chain else None
    head = heads.latest(session)
    reached = 0 if head is None else head.sequence
    since = None if first is None else first.record_time.astimezone(TIME_ZONE).date()
    return State(whole, since, len(chain), sum(link.event.id <= reached for link in chain), head)


def _row_hash(row: TraceEvent, key: bytes) -> str:
    return evidence.row_hash(
        row.previous_hash, row.hash, row.record_time, row.captured_by, row.document, row.context, key
    )


def public_record(session: Session, item: TraceItem) -> dict[str, Any]:
    """Return the public record of a thing's chain as JSON values."""
    key = redaction.known_salt_key(session) or b""
    chain = linked_events(session, item.id)
    needed = _heads_of(session, chain)
    return {
        "format": FORMAT,
        "thing": item.uri,
        "keys": [known.jwk for known in heads.known_keys(session).values()],
        "heads": [{"day": head.day.isoformat(), "jws": head.signed} for head in needed],
        "events": [
            {**_told(link, key), **proof}
            for link, proof in zip(chain, _proofs(session, chain, needed), strict=True)
        ],
    }


def _told(link: LinkedEvent, key: bytes) -> dict[str, Any]:
    row = link.event
    leaves = redaction.leaves(key, row.document, row.context, row.hash, row.captured_by)
    return {
        "position": link.position,
        "sequence": row.id,
        "recordTime": evidence.moment_text(row.record_time),
        "previousHash": row.previous_hash,
        "rowHash": row.row_hash,
        "previousLink": link.previous_hash,
        "link": link.hash,
        "declaredWrong": row.declared_wrong_at is not None and not row.is_declaration,
        "fields": [
            {"name": leaf.name, "value": leaf.value, "salt": leaf.salt} for leaf in leaves if leaf.is_public
        ],
        "hidden": sorted(leaf.hash for leaf in leaves if not leaf.is_public),
    }


def _heads_of(session: Session, chain: Sequence[LinkedEvent]) -> list[Head]:
    """The heads that first cover the events."""
    found: dict[dt.date, Head] = {}
    reached = 0
    for row_id in sorted(link.event.id for link in chain):
        if row_id > reached or not found:
            head = heads.covering(session, row_id)
            if head is None:
                break
            found[head.day], reached = head, head.sequence
    return list(found.values())


def _proofs(session: Session, chain: Sequence[LinkedEvent], needed: Sequence[Head]) -> list[dict[str, Any]]:
    """The way from each row to the tree of the head that covers it; nothing for rows that no head covers yet."""
    found: dict[int, dict[str, Any]] = {}
    for head in needed:
        rows = list(heads.rows_between(session, head.after, head.sequence))
        places = {row_id: place for place, (row_id, _) in enumerate(rows)}
        tree = merkle.levels([bytes.fromhex(row_hash) for _, row_hash in rows])
        for link in chain:
            place = places.get(link.event.id)
            if place is not None:
                path = [[side, neighbour.hex()] for side, neighbour in merkle.proof(tree, place)]
                found[link.event.id] = {"head": head.day.isoformat(), "path": path}
    return [found.get(link.event.id, {}) for link in chain]
