"""A lot's dossier: its events, read as the blocks of the checklist.

There is nothing beside the events: a block is a projection of them, whoever captured them and wherever.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor
from data.programme.rights import NotYours, seen
from data.traceability.blockevents import STEP_URI
from data.traceability.facts import word
from data.traceability.lots import Lot
from data.traceability.profiles import Profile, profile_for, profiles
from data.traceability.tables import FREE, HELD, RECALLED, TraceEvent, TraceEventItem, TraceItem
from data.traceability.things import INPUT, things_of
from gis.errors import Refusal

OPEN = "open"

#: Extension object → block; the first that an event has says where it belongs.
_BY_OBJECT = (
    ("ocop:release", "release"),
    ("ocop:hold", "hold"),
    ("ocop:recall", "recall"),
    ("ocop:test", "test"),
    ("ocop:packing", "packing"),
    ("ocop:dispatch", "dispatch"),
    ("ocop:return", "return"),
    ("ocop:complaint", "complaint"),
    ("ocop:waste", "waste"),
    ("ocop:step", "step"),
)
_BY_STEP = {
    "commissioning": "identity",
    "packing": "packing",
    "shipping": "dispatch",
    "sampling": "sample",
    "destroying": "waste",
    "holding": "hold",
}
_OWN_ROLES = ("epc", "output", "child")
_TESTED = ("conformant", "non_conformant")


class DossierError(Refusal):
    """A dossier cannot be kept like this."""


@dataclass(frozen=True)
class Entry:
    """One thing in a dossier, read from an event; `values` are the fields of its block, by name."""

    block: str
    row: TraceEvent
    values: Mapping[str, Any]
    step: str | None = None
    uri: str | None = None

    @property
    def at(self) -> dt.datetime:
        """When it happened."""
        return self.row.event_time

    @property
    def is_wrong(self) -> bool:
        """Tell whether it was declared wrong."""
        return self.row.declared_wrong_at is not None

    @property
    def number(self) -> str | None:
        """The number of the entry that several events share, where the event tells one."""
        return self.row.document.get("ocop:entry")

    @property
    def file(self) -> Mapping[str, Any] | None:
        """The photo or paper that goes with it: sha256, name, mediaType."""
        found = self.values.get("file") or self.values.get("media") or self.values.get("label")
        return found if isinstance(found, Mapping) and "sha256" in found else None


@dataclass
class Dossier:
    """A lot with its profile and all that its events say; entries are in the order of their time."""

    lot: Lot
    profile: Profile
    state: str = FREE
    entries: list[Entry] = field(default_factory=list)

    def of(self, block: str, step: str | None = None) -> list[Entry]:
        """List the entries of a block, or of one step, that stand."""
        return [
            e for e in self.entries
            if e.block == block and not e.is_wrong and (step is None or e.step == step)
        ]  # fmt: skip

    def all_of(self, block: str) -> list[Entry]:
        """List the entries of a block, those declared wrong too."""
        return [e for e in self.entries if e.block == block]

    def last(self, block: str, step: str | None = None) -> Entry | None:
        """Return the latest entry of a block that stands."""
        found = self.of(block, step)
        return found[-1] if found else None

    @property
    def identity(self) -> Entry | None:
        """The entry that made the lot."""
        return self.last("identity")

    @property
    def is_released(self) -> bool:
        """Tell whether the lot was let out; one that came without events goes by its status."""
        return self.last("release") is not None or (self.identity is None and self.lot.lot_status != OPEN)

    @property
    def is_stopped(self) -> bool:
        """Tell whether the lot is held or recalled."""
        return self.state != FREE or self.lot.lot_status in (HELD, RECALLED)

    def files(self) -> dict[str, Mapping[str, Any]]:
        """Return the papers of the dossier by their hash, those of corrected entries too."""
        return {str(e.file["sha256"]): e.file for e in self.entries if e.file is not None}


def profile_of(lot: Lot, identity: Mapping[str, Any] | None = None) -> Profile:
    """Return the profile that a lot began under, else the one of its product on the day it was made.

    Raises NoLots.
    """
    begun = profiles().get(str((identity or {}).get("profile")))
    if begun is not None and begun.has_lots:
        return begun
    return profile_for(lot.product.product_set, lot.product.name, lot.produced_on or dt.date.max)


# ---- reading


def lot_seen(session: Session, actor: Actor, lot_id: int) -> Lot:
    """Return a lot whose dossier the actor sees. Raises NotYours."""
    query = sa.select(Lot).options(joinedload(Lot.product), joinedload(Lot.producer))
    row = session.scalar(query.where(Lot.id == lot_id, seen(actor, Lot)))
    if row is None:
        raise NotYours("Không có lô này trong phần việc của bạn.")
    return row


def dossier_of(session: Session, actor: Actor, lot: Lot) -> Dossier:
    """Read the dossier of one lot, as far as the actor sees its events. Raises NoLots."""
    return dossiers_of(session, actor, [lot])[lot.id]


def dossiers_of(session: Session, actor: Actor, lots: Sequence[Lot]) -> dict[int, Dossier]:
    """Read the dossiers of N lots in a few statements, by the lot's id. Raises NoLots."""
    named = _named(session, actor, [lot.id for lot in lots])
    receipts = _receipts(session, actor, named)
    found: dict[int, Dossier] = {}
    states = _states(session, [lot.id for lot in lots])
    for lot in lots:
        rows = named.get(lot.id, [])
        entries = [entry for row, uri in rows for entry in _entries(row, uri, receipts)]
        entries.sort(key=lambda e: (e.at, e.row.id))
        made = next((e for e in reversed(entries) if e.block == "identity" and not e.is_wrong), None)
        found[lot.id] = Dossier(
            lot, profile_of(lot, made.values if made else None), states.get(lot.id, FREE), entries
        )
    return found


def _named(session: Session, actor: Actor, lots: Sequence[int]) -> dict[int, list[tuple[TraceEvent, str]]]:
    """Return the events of each lot and of its samples, with the name under which each speaks of them."""
    query = (
        sa.select(TraceItem.lot_id, TraceItem.uri, TraceEvent)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(
            TraceItem.lot_id.in_(lots),
            TraceEventItem.role.in_(_OWN_ROLES),
            TraceEvent.is_declaration.is_(False),
            seen(actor, TraceEvent),
        )
        .order_by(TraceEvent.id, TraceItem.id)
    )
    found: dict[int, dict[int, tuple[TraceEvent, str]]] = defaultdict(dict)
    for key, uri, row in session.execute(query):
        lot_id = int(key or 0)
        # An event that names a sample beside its lot is told once; the sample's name says more.
        if row.id not in found[lot_id] or len(uri) > len(found[lot_id][row.id][1]):
            found[lot_id][row.id] = (row, uri)
    return {lot_id: list(rows.values()) for lot_id, rows in found.items()}


def _receipts(
    session: Session, actor: Actor, named: Mapping[int, Iterable[tuple[TraceEvent, str]]]
) -> dict[str, TraceEvent]:
    """Return the events that received the inputs of lots, by the name of what was received."""
    wanted = {
        uri
        for rows in named.values()
        for row, _ in rows
        if row.type == "TransformationEvent"
        for uri, _, _ in _inputs(row.document)
    }
    if not wanted:
        return {}
    query = (
        sa.select(TraceItem.uri, TraceEvent)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceItem.uri.in_(wanted), TraceEventItem.role == "epc", TraceEvent.type == "ObjectEvent",
               TraceEvent.is_declaration.is_(False), TraceEvent.declared_wrong_at.is_(None),
               seen(actor, TraceEvent))
        .order_by(TraceEvent.id)
    )  # fmt: skip
    return {uri: row for uri, row in session.execute(query) if "ocop:input" in row.document}


def _states(session: Session, lots: Sequence[int]) -> dict[int, str]:
    query = sa.select(TraceItem.lot_id, TraceItem.state).where(
        TraceItem.lot_id.in_(lots), TraceItem.kind == "lot", TraceItem.state != FREE
    )
    return {lot_id: state for lot_id, state in session.execute(query) if lot_id is not None}


# ---- one event


def block_of(document: Mapping[str, Any]) -> str | None:
    """Say to which block of its lot's dossier an event belongs; None for what is no part of one."""
    sample = "ocop:sample" in document
    if sample:
        return "sample_disposal" if document.get("action") == "DELETE" else "sample"
    for name, block in _BY_OBJECT:
        if name in document:
            return block
    step = str(word(document.get("bizStep")) or "")
    disposition = word(document.get("disposition"))
    if document.get("type") == "TransformationEvent":
        return "input"
    if document.get("type") == "AggregationEvent":
        return "packing"
    if disposition == "recalled":
        return "recall"
    if disposition == "returned":
        return "return"
    if step == "inspecting":
        return "test" if disposition in _TESTED else None
    if step.startswith(STEP_URI):
        return "step"
    return _BY_STEP.get(step)


def _entries(row: TraceEvent, uri: str, receipts: Mapping[str, TraceEvent]) -> list[Entry]:
    document = row.document
    block = block_of(document)
    if block is None:
        return []
    if block == "input":
        return [
            Entry(block, row, _input_values(document, part, receipts.get(part[0])), uri=part[0])
            for part in _inputs(document)
        ]
    values: dict[str, Any] = {}
    if block == "identity":
        values |= {key.removeprefix("ocop:"): value for key, value in (document.get("ilmd") or {}).items()}
    for key, value in document.items():
        if key.startswith("ocop:") and isinstance(value, Mapping):
            values |= value
    if block in ("test",):
        values.setdefault("verdict", word(document.get("disposition")))
    for part in document.get("quantityList") or ():
        if part.get("quantity") is not None:
            values["quantity"], values["uom"] = part["quantity"], part.get("uom") or "EA"
    step = str(values.get("code") or word(document.get("bizStep"))) if block == "step" else None
    return [Entry(block, row, values, step.removeprefix(STEP_URI) if step else None, uri)]


def _inputs(document: Mapping[str, Any]) -> list[tuple[str, float | None, str | None]]:
    """List what went into a run, under canonical names: name, quantity, unit."""
    return [(t.uri, t.quantity, t.uom) for t in things_of(document) if t.role == INPUT]


def _input_values(
    document: Mapping[str, Any], part: tuple[str, float | None, str | None], receipt: TraceEvent | None
) -> dict[str, Any]:
    uri, quantity, uom = part
    told = dict((receipt.document if receipt is not None else document).get("ocop:input") or {})
    told.setdefault("role", "main")
    if quantity is not None:
        told["quantity"], told["uom"] = quantity, uom or "EA"
    elif receipt is not None:
        for element in receipt.document.get("quantityList") or ():
            if element.get("quantity") is not None:
                told["quantity"], told["uom"] = element["quantity"], element.get("uom") or "EA"
    return {**told, "uri": uri}
