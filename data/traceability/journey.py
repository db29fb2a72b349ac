"""What anybody may know of a lot's way: its events cut down to their public fields, and where its material grew.

The whitelist is `redaction.PUBLIC`: what it does not name (buyers, complaints, quantities, people) is gone before a
page is written, so that no template can show it. Kinds of events that say something of trade or complaints are left
out as a whole.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import redaction
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.tables import RecallAct, TraceEdge, TraceEvent, TraceEventItem, TraceItem

MOST_STEPS_BACK = 8
MOST_ITEMS = 300

#: Kinds of events that the public page tells of.
TOLD = frozenset(
    {
        "received",
        "made",
        "run",
        "step",
        "tested",
        "sampled",
        "packed",
        "stored",
        "released",
        "shipped",
        "held",
        "recalled",
    }
)
#: What is told of the material before it went into the lot.
OF_MATERIAL = frozenset({"received", "tested"})
ONCE = frozenset({"shipped", "run", "made"})
#: As what a thing must be in an event for the event to belong to its own history; an input's event is another's.
_OWN_ROLES = ("epc", "output", "child", "parent")
_STEP_WORD = re.compile(r"urn:ocop:step:(.+)")
_AREA = re.compile(r"urn:ocop:area:(\d{1,15})")
_OF_OBJECTS = (
    ("ocop:recall", "recalled"),
    ("ocop:hold", "held"),
    ("ocop:release", "released"),
    ("ocop:complaint", "complaint"),
    ("ocop:waste", "destroyed"),
    ("ocop:test", "tested"),
    ("ocop:dispatch", "shipped"),
    ("ocop:input", "received"),
    ("ocop:packing", "packed"),
    ("ocop:step", "step"),
)
_OF_STEPS = {
    "receiving": "received",
    "commissioning": "made",
    "creating_class_instance": "made",
    "packing": "packed",
    "repackaging": "packed",
    "storing": "stored",
    "shipping": "shipped",
    "holding": "held",
    "destroying": "destroyed",
    "sampling": "sampled",
}


@dataclass(frozen=True)
class PublicEvent:
    """One event as anybody may see it: what kind it is, when it was, and its public fields."""

    row_id: int
    kind: str
    at: dt.datetime
    facts: Mapping[str, Any]
    #: Whether it happened to the lot itself, not to the material before it.
    is_own: bool = True

    @property
    def step(self) -> str | None:
        """The code of the processing step, where the event is one."""
        code = self.facts.get("ocop:step", {}).get("code")
        match = _STEP_WORD.fullmatch(str(self.facts.get("bizStep", "")))
        return str(code) if code else match.group(1) if match else None


@dataclass(frozen=True)
class Journey:
    """The way of a lot as anybody may know it, oldest event first."""

    events: tuple[PublicEvent, ...] = ()
    #: Share of the material by growing area; None where it is not recorded.
    areas: Mapping[int, float | None] = field(default_factory=dict)
    #: Lots that this one was made from.
    sources: tuple[int, ...] = ()

    def of_kind(self, *kinds: str) -> list[PublicEvent]:
        """List the events of some kinds."""
        return [event for event in self.events if event.kind in kinds]


def of_lot(session: Session, lot: Lot) -> Journey:
    """Read the way of a lot: its own events, what its material went through, the growing areas behind it."""
    own = set(session.scalars(sa.select(TraceItem.id).where(TraceItem.lot_id == lot.id)))
    sources = _behind(session, own)
    found = session.scalars(
        sa.select(TraceItem).where(TraceItem.id.in_(sources)).order_by(TraceItem.id)
    ).all()
    material = {item.id for item in found if item.lot_id is None}
    events = [*_events(session, own, is_own=True), *_events(session, material, is_own=False)]
    events = sorted({e.row_id: e for e in reversed(events)}.values(), key=lambda e: (e.at, e.row_id))
    shares = _declared_areas(session, lot.id)
    named = [item.uri for item in found] + [e.facts.get("ocop:input", {}).get("area", "") for e in events]
    for area_id in _area_ids(named):
        shares.setdefault(area_id, None)
    others = dict.fromkeys(item.lot_id for item in found if item.lot_id not in (None, lot.id))
    for other in others:
        for area_id in _declared_areas(session, int(other or 0)):
            shares.setdefault(area_id, None)
    return Journey(tuple(_told(events)), shares, tuple(int(key) for key in others if key is not None))


def open_act(session: Session, lot_id: int) -> RecallAct | None:
    """Return the hold or recall of a lot that is not over, the newest first."""
    query = sa.select(RecallAct).where(
        RecallAct.lot_id == lot_id, RecallAct.kind.in_(("hold", "recall")), RecallAct.closed_at.is_(None)
    )
    return session.scalars(query.order_by(RecallAct.id.desc())).first()


def kind_of(event: Mapping[str, Any]) -> str:
    """Say what kind of a lot's event an EPCIS event is; a value of the code list `lot_event`, `complaint` or `used`."""
    if event.get("disposition") == "recalled" or "recalled" in (
        event.get("persistentDisposition", {}).get("set") or ()
    ):
        return "recalled"
    for name, kind in _OF_OBJECTS:
        if name in event:
            return "returned" if kind == "received" and event.get("disposition") == "returned" else kind
    step = str(event.get("bizStep") or "")
    if event.get("type") == "TransformationEvent":
        # Entering a delivery joins it to the lot by an event that tells nothing beyond the receipt.
        return "used" if event.get("ocop:block") == "input" else "run"
    if event.get("disposition") == "returned":
        return "returned"
    if step == "inspecting":
        return "tested" if event.get("disposition") in ("conformant", "non_conformant") else "other"
    if _STEP_WORD.fullmatch(step):
        return "step"
    if event.get("type") == "AggregationEvent":
        return "packed"
    return _OF_STEPS.get(step, "other")


def public_part(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with nothing but its public fields."""
    kept = _kept("", event)
    return kept if isinstance(kept, dict) else {}


def _kept(name: str, value: Any) -> Any:
    """Return the public part of a value, or None where nothing of it is public."""
    if isinstance(value, Mapping):
        inner = {key: _kept(f"{name}/{_escaped(key)}", one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None} or None
    if isinstance(value, list):
        return [
            one for i, part in enumerate(value) if (one := _kept(f"{name}/{i}", part)) is not None
        ] or None
    return value if redaction.is_public(name) else None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _behind(session: Session, own: set[int]) -> set[int]:
    """Find what the things came from, step by step back, without going round in circles."""
    seen, edge = set(own), set(own)
    for _step in range(MOST_STEPS_BACK):
        query = sa.select(TraceEdge.source_id).where(TraceEdge.target_id.in_(edge)).distinct()
        edge = set(session.scalars(query.limit(MOST_ITEMS))) - seen if edge else set()
        seen |= edge
        if not edge or len(seen) > MOST_ITEMS:
            break
    return seen - own


def _events(session: Session, items: Iterable[int], *, is_own: bool) -> list[PublicEvent]:
    """Read the events of things, without those that were declared wrong."""
    rows = sa.select(TraceEventItem.event_id).where(
        TraceEventItem.item_id.in_(list(items)), TraceEventItem.role.in_(_OWN_ROLES)
    )
    query = sa.select(TraceEvent.id, TraceEvent.event_time, TraceEvent.document).where(
        TraceEvent.id.in_(rows), TraceEvent.declared_wrong_at.is_(None), TraceEvent.is_declaration.is_(False)
    )
    return [
        PublicEvent(key, kind_of(event), at, public_part(event), is_own)
        for key, at, event in session.execute(query)
    ]


def _told(events: Iterable[PublicEvent]) -> Iterable[PublicEvent]:
    """Leave out what is not told, and all but the first departure and run: how often goods left is trade."""
    known: set[str] = set()
    for event in events:
        if event.kind not in TOLD or event.kind in known & ONCE:
            continue
        if event.is_own or event.kind in OF_MATERIAL:
            known.add(event.kind)
            yield event


def _declared_areas(session: Session, lot_id: int) -> dict[int, float | None]:
    query = sa.select(LotGrowingArea.growing_area_id, LotGrowingArea.share)
    found = session.execute(query.where(LotGrowingArea.lot_id == lot_id).order_by(LotGrowingArea.id))
    return {area_id: share for area_id, share in found}


def _area_ids(uris: Iterable[str]) -> list[int]:
    return [int(match.group(1)) for uri in uris if (match := _AREA.fullmatch(str(uri)))]
