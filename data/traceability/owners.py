"""Whose events are: who did what an event tells, and whether somebody may record it.

An event belongs to the producer at whose place it happened, else to the producer of the lots that it names. Who sees
an event goes by its owner alone, so a buyer's dealings with a bought lot stay the buyer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EDITORS_OF_ALL, TERRITORIAL, Account, Actor, Role, own_communes
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.traceability import things
from data.traceability.identifiers import own_parts
from data.traceability.items import Item, chunks
from data.traceability.lots import Lot
from data.traceability.things import Thing
from gis.errors import marked

#: Whose thing tells whose event it is: what came out before what it was made of.
_RANKS = {things.OUTPUT: 0, things.EPC: 1, things.CHILD: 2, things.PARENT: 3, things.INPUT: 4}
#: What an inspector records: holds, tests, samples and their disposal.
INSPECTORS_STEPS = frozenset({"holding", "inspecting", "sampling", "destroying"})
_DECISIONS = ("ocop:hold", "ocop:recall", "ocop:release")

NO_ROLE = marked("Vai trò của bạn không ghi sự kiện truy xuất.")
NO_PRODUCER = marked("Tài khoản chưa gắn với cơ sở nào nên chưa ghi được sự kiện.")
OTHER_PLACE = marked("Sự kiện xảy ra ở nơi của cơ sở khác, nên bạn không ghi được.")
OTHER_LOT = marked("Lô %(uri)s là của cơ sở khác, nên bạn không ghi được sự kiện này.")
OTHER_TERRITORY = marked("Sự kiện không nêu lô hoặc nơi nào trong địa bàn của bạn.")
NOT_INSPECTORS = marked("Cán bộ kiểm tra chỉ ghi tạm giữ, thu hồi, kiểm nghiệm và lấy mẫu.")
AUTHORITYS = marked("Sự kiện do cơ quan quản lý ghi; cơ sở không tuyên bố sai được.")

#: Why somebody may not record an event: a sentence and its facts.
Fault = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Owner:
    """Whom an event belongs to, and the commune in which it counts."""

    producer_id: int | None
    commune_id: int | None


NOBODY = Owner(None, None)


@dataclass(frozen=True)
class Telling:
    """What of an event says whose it is: its document, things with their items, and places."""

    event: Mapping[str, Any]
    named: Sequence[Thing]
    items: Mapping[str, Item]
    places: Sequence[str]

    @property
    def parties(self) -> list[int]:
        """The producers at whose places it happened."""
        return self._own_numbers("producer", self.places)

    @property
    def areas(self) -> list[int]:
        """The growing areas in which it happened or from which something came."""
        return self._own_numbers("area", (*self.places, *(thing.uri for thing in self.named)))

    @staticmethod
    def _own_numbers(kind: str, names: Iterable[str]) -> list[int]:
        parts = [own_parts(name) for name in names if name.startswith(f"urn:ocop:{kind}:")]
        return [int(p[1]) for p in parts if p is not None and p[1].isdigit()]

    def ranked(self) -> list[Item]:
        """The items that belong to a producer, those that tell most about the event first."""
        ordered = sorted(self.named, key=lambda thing: _RANKS[thing.role])
        return [item for t in ordered if (item := self.items[t.uri]).producer_id is not None]


class Ownership:
    """Whose events are and what an actor may record, for many events with a few look-ups."""

    def __init__(self, session: Session, actor: Actor, told: Iterable[Telling]) -> None:
        self.session, self.actor = session, actor
        told = list(told)
        items = [item for one in told for item in one.ranked()]
        producers = {key for one in told for key in one.parties}
        producers |= {item.producer_id for item in items if item.producer_id is not None}
        producers |= {actor.producer_id} if actor.producer_id is not None else set()
        lots = {item.lot_id for item in items if item.lot_id is not None}
        areas = {key for one in told for key in one.areas}
        self._communes = self._columns(Producer, producers, Producer.commune_id)
        self._lots = self._columns(Lot, lots, Lot.commune_id)
        self._areas = self._columns(GrowingArea, areas, GrowingArea.commune_id, GrowingArea.producer_id)
        self._own = own_communes(session, actor) if actor.role in TERRITORIAL else None

    def _columns(self, model: Any, ids: set[int], *columns: Any) -> dict[int, tuple[Any, ...]]:
        found: dict[int, tuple[Any, ...]] = {}
        for part in chunks(ids):
            for row in self.session.execute(sa.select(model.id, *columns).where(model.id.in_(part))):
                found[row[0]] = tuple(row[1:])
        return found

    def owner(self, one: Telling) -> Owner:
        """Return whom an event belongs to."""
        if self.actor.role == Role.PRODUCER:
            return self._of_producer(self.actor.producer_id)
        for key in one.parties:
            if key in self._communes:
                return self._of_producer(key)
        for item in one.ranked():
            commune = self._lots.get(item.lot_id or 0, (None,))[0]
            known = self._of_producer(item.producer_id)
            return Owner(known.producer_id, commune if commune is not None else known.commune_id)
        for key in one.areas:
            if key in self._areas:
                commune, producer = self._areas[key]
                return Owner(producer, commune)
        return Owner(None, self.actor.commune_id)

    def _of_producer(self, key: int | None) -> Owner:
        return Owner(key, self._communes.get(key or 0, (None,))[0])

    def fault(self, one: Telling, owner: Owner) -> Fault | None:
        """Say why the actor may not record an event; None when they may."""
        role = self.actor.role
        if role in EDITORS_OF_ALL:
            return None
        if role == Role.PRODUCER:
            return self._fault_of_producer(one)
        if role in TERRITORIAL:
            inside = self._own is not None and owner.commune_id in self._own
            return None if inside else (OTHER_TERRITORY, {})
        if role == Role.INSPECTOR:
            return None if _is_inspectors(one.event) else (NOT_INSPECTORS, {})
        return NO_ROLE, {}

    def _fault_of_producer(self, one: Telling) -> Fault | None:
        own = self.actor.producer_id
        if own is None:
            return NO_PRODUCER, {}
        if any(key != own for key in one.parties):
            return OTHER_PLACE, {}
        changed = _changed_roles(one.event)
        others = [thing for thing in one.named if one.items[thing.uri].producer_id not in (None, own)]
        changing = next((thing for thing in others if thing.role in changed), None)
        if changing is not None:
            return OTHER_LOT, {"uri": changing.uri}
        names_own = own in one.parties or any(item.producer_id == own for item in one.ranked())
        return (OTHER_LOT, {"uri": others[0].uri}) if others and not names_own else None

    def fault_of_declaration(self, account_id: int | None, event: Mapping[str, Any]) -> Fault | None:
        """Say why the actor may not declare wrong what an account recorded; None when they may.

        A producer does not take back what the authority recorded about them.
        """
        if self.actor.role != Role.PRODUCER:
            return None
        if account_id is None:
            return (AUTHORITYS, {}) if any(name in event for name in _DECISIONS) else None
        query = sa.select(Account.producer_id).where(Account.id == account_id)
        return None if self.session.scalar(query) == self.actor.producer_id else (AUTHORITYS, {})


def _is_inspectors(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of the kinds that inspectors record."""
    step = event.get("bizStep")
    fits = step in INSPECTORS_STEPS or event.get("disposition") == "recalled"
    return event.get("type") == "ObjectEvent" and fits


def _changed_roles(event: Mapping[str, Any]) -> frozenset[str]:
    """Name the roles in which an event makes, ends or decides on things, rather than meeting them."""
    if event.get("type") == "TransformationEvent":
        return frozenset({things.OUTPUT})
    decides = any(name in event for name in _DECISIONS) or event.get("bizStep") == "holding"
    if event.get("type") == "ObjectEvent" and (decides or event.get("action") in ("ADD", "DELETE")):
        return frozenset({things.EPC})
    return frozenset()
