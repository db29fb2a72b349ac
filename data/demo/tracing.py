"""Events of the demonstration: what was recorded of a part of its lots, week by week, and what followed from it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from data.accounts import Actor, Role
from data.base import PUBLISHED
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, LABEL, MOMENT, Ledger
from data.demo.lotstory import Story, Told, mass_of, story_of, test
from data.demo.readers import write_readers
from data.growing_areas import GrowingArea
from data.products import Product, SalePoint
from data.tables import RecordFact
from data.traceability import blockevents, capture, redaction
from data.traceability.blockevents import CONTEXT, OFFSET, ZONE, Event
from data.traceability.identifiers import check_digit
from data.traceability.items import item_of_lot
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.measures import uom_of
from data.traceability.profiles import NoLots, profile_for
from data.traceability.tables import HELD, RECALLED, RecallAct, TraceEdge, TraceEvent, TraceItem

TOLD_LOTS = 220
#: The last lots of the demonstration are still being made.
_LAST_DAY = AS_OF - dt.timedelta(days=12)
_CARTONS = 24
_MOST_JOINED = 12
_SOURCE = "demo"
_ACTOR = Actor(role=Role.ADMINISTRATOR, name=LABEL)

#: Kind of goods by its first words → what other producers make of it.
_MADE_OF = {
    "Gạo": ("Bún gạo", "Bột ngũ cốc", "Rượu gạo", "Cơm cháy"),
    "Mật ong": ("Rượu mật ong",),
    "Muối biển": ("Muối tôm",),
}


def write_tracing(ledger: Ledger) -> None:
    """Record events of lots with their holds and recalls, then scans, reports and a drill."""
    _fixed_salts(ledger)
    lots = _chosen(ledger)
    stories = _stories(ledger, lots)
    _join(stories)
    _retest(stories)
    _cartons(stories)
    _capture(ledger, [told for story in stories for told in story.told])
    _correct(ledger, stories)
    _stop(ledger, stories)
    write_readers(ledger, [story.lot for story in stories], _ACTOR)
    for model in (TraceEvent, TraceItem, TraceEdge):
        rows = ledger.session.scalar(sa.select(sa.func.count()).select_from(model))
        ledger.counts[model.__tablename__] = rows or 0


def _fixed_salts(ledger: Ledger) -> None:
    """Give the record salts that are the same in every build; a real record draws its own."""
    key = hashlib.sha256(LABEL.encode()).hexdigest()
    ledger.write(RecordFact, [{"key": redaction.KEY_FACT, "value": key}])


# ---- which lots


def _chosen(ledger: Ledger) -> list[Lot]:
    """Take published lots: all that are held or recalled, and as many of the others as are told."""
    query = (
        sa.select(Lot)
        .join(Product, Product.id == Lot.product_id)
        .options(joinedload(Lot.product))
        .where(Lot.status == PUBLISHED, Product.status == PUBLISHED, Lot.produced_on <= _LAST_DAY)
        .order_by(Lot.id)
    )
    lots = list(ledger.session.scalars(query))
    stopped = [lot for lot in lots if lot.lot_status != "released"]
    others = Dice("traced lots").some([lot for lot in lots if lot.lot_status == "released"], TOLD_LOTS)
    return sorted([*stopped, *others[: max(0, TOLD_LOTS - len(stopped))]], key=lambda lot: lot.id)


def _stories(ledger: Ledger, lots: Sequence[Lot]) -> list[Story]:
    areas: dict[int, list[tuple[int, str, float | None]]] = defaultdict(list)
    query = (
        sa.select(LotGrowingArea.lot_id, GrowingArea.id, GrowingArea.crop, LotGrowingArea.share)
        .join(GrowingArea, GrowingArea.id == LotGrowingArea.growing_area_id)
        .order_by(LotGrowingArea.id)
    )
    for lot_id, area, crop, share in ledger.session.execute(query):
        areas[lot_id].append((area, crop, share))
    columns = (SalePoint.id, SalePoint.name, SalePoint.address)
    shops = ledger.session.execute(
        sa.select(*columns).where(SalePoint.status == PUBLISHED).order_by(SalePoint.id)
    ).all()
    stories = []
    for lot in lots:
        assert lot.produced_on is not None
        try:
            profile = profile_for(lot.product.product_set, lot.product.name, lot.produced_on)
        except NoLots:
            continue
        stories.append(story_of(lot, profile, areas[lot.id], shops))
    return stories


# ---- chains over several producers


def _join(stories: Sequence[Story]) -> None:
    """Let lots of one producer go into lots of another: rice into noodles, honey into wine."""
    joined = 0
    for story in stories:
        sources = [start for start, kinds in _MADE_OF.items() if story.lot.product.name.startswith(kinds)]
        found = [other for start in sources for other in stories if _serves(other, story, start)]
        if not found or joined >= _MOST_JOINED:
            continue
        source = story.dice.pick(found)
        lot = source.lot
        took = max(1, int((lot.quantity or 0) * 0.3))
        values = {
            "name": lot.product.name,
            "role": "main",
            "quantity": took,
            "uom": uom_of(lot.unit),
            "sourceLot": blockevents.uri_of(lot),
            "supplier": lot.producer.name if lot.producer else LABEL,
            "receivedOn": story.day.isoformat(),
            "document": f"PN-MH-{story.lot.id:04d}-L",
        }
        story.enter(story.day, 5, "input", values)
        joined += 1


def _serves(other: Story, story: Story, start: str) -> bool:
    days = (story.day - other.day).days
    return (
        other.lot.product.name.startswith(start)
        and other.lot.producer_id != story.lot.producer_id
        and 7 <= days <= 240
        and mass_of(other.lot) > 0
    )


def _retest(stories: Sequence[Story]) -> None:
    """Test recalled lots again, and find what they are recalled for."""
    for story in stories:
        if story.lot.lot_status == RECALLED and story.profile.tests:
            test(story, min(story.day + dt.timedelta(days=21), _stop_day(story)), failed=True)


def _cartons(stories: Sequence[Story]) -> None:
    """Pack a part of some lots in cartons that go out under their own number."""
    fitting = [s for s in stories if s.lot.lot_status == "released" and s.profile.holds("packing")]
    for number, story in enumerate(fitting[:_CARTONS], 1):
        body = f"0952{number:013d}"
        carton = f"https://id.gs1.org/00/{body}{check_digit(body)}"
        inside = max(1, int((story.lot.quantity or 0) * 0.05))
        content = blockevents.measured(blockevents.uri_of(story.lot), inside, uom_of(story.lot.unit))
        packing = story.writing(story.day + dt.timedelta(days=5), 13)
        packed = {"action": "ADD", "bizStep": "packing", "parentID": carton, "childQuantityList": [content]}
        story.keep(packing, [packing.event(0, "AggregationEvent", "packing", **packed)])
        leaving = story.writing(story.day + dt.timedelta(days=7), 7)
        buyer = {"customer": f"Đại lý Ví Dụ {number:03d}", "document": f"PX-MH-T{number:03d}"}
        sent = {"action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit", "epcList": [carton]}
        story.keep(leaving, [leaving.event(0, "ObjectEvent", "dispatch", **sent, **{"ocop:dispatch": buyer})])


# ---- recording


def _capture(ledger: Ledger, told: Sequence[Told]) -> None:
    """Record events in the weeks in which they happened, each week at once."""
    weeks: dict[dt.datetime, list[Told]] = defaultdict(list)
    for one in told:
        weeks[_recorded(one.at)].append(one)
    for at, those in sorted(weeks.items()):
        ordered = [one.event for one in sorted(those, key=lambda one: one.at)]
        capture.append(ledger.session, _ACTOR, ordered, source=_SOURCE, context=CONTEXT, at=at)


def _recorded(at: dt.datetime) -> dt.datetime:
    """The Sunday evening after an event, or the end of the demonstration."""
    local = at.astimezone(ZONE)
    sunday = local.date() + dt.timedelta(days=6 - local.weekday())
    evening = dt.datetime.combine(sunday, dt.time(20), ZONE)
    return min(max(evening, at), MOMENT).astimezone(dt.UTC)


def _correct(ledger: Ledger, stories: Sequence[Story]) -> None:
    """Declare one dispatch wrong: the quantity was misread, the right one stands instead."""
    told = next(
        (one, story)
        for story in stories
        for one in story.told
        if one.event.get("bizStep") == "shipping" and story.lot.lot_status == "released"
    )
    wrong, story = told
    writing = story.writing(wrong.at.date(), wrong.at.hour)
    right: Event = {
        **wrong.event,
        "eventID": blockevents.event_id(writing.entry, 0),
        "ocop:entry": str(writing.entry),
    }
    right["quantityList"] = [
        {**q, "quantity": max(1, q["quantity"] - 1)} for q in wrong.event["quantityList"]
    ]
    said = blockevents.declaration(wrong.event, [right["eventID"]], "ghi nhầm số lượng trên phiếu", MOMENT)
    capture.append(ledger.session, _ACTOR, [right, said], source=_SOURCE, context=CONTEXT, at=MOMENT)


# ---- holds and recalls


def _stop_day(story: Story) -> dt.date:
    return min(story.day + dt.timedelta(days=25), AS_OF - dt.timedelta(days=1))


def _stop(ledger: Ledger, stories: Sequence[Story]) -> None:
    """Write the acts behind lots that are held or recalled."""
    rows = []
    for story in stories:
        lot = story.lot
        if lot.lot_status not in (HELD, RECALLED):
            continue
        kind = "hold" if lot.lot_status == HELD else "recall"
        decided = dt.datetime.combine(_stop_day(story), dt.time(15), ZONE)
        reason = lot.note or "chờ xác minh"
        document = f"{lot.id}/TB-MH" if kind == "recall" else None
        event = _stopping(story, kind, decided, reason, document)
        written = capture.append(ledger.session, _ACTOR, [event], source=_SOURCE, context=CONTEXT, at=MOMENT)
        item = item_of_lot(ledger.session, lot)
        ledger.session.execute(
            sa.update(TraceItem).where(TraceItem.id == item.id).values(state=lot.lot_status)
        )
        rows.append(
            {
                "kind": kind,
                "item_id": item.id,
                "lot_id": lot.id,
                "producer_id": lot.producer_id,
                "commune_id": lot.commune_id,
                "reason": reason,
                "document": document,
                "is_mandatory": kind == "recall",
                "decided_by": "Cán bộ minh hoạ",
                "decided_at": decided.astimezone(dt.UTC),
                "event_id": written[0].row_id,
            }
        )
    ledger.write(RecallAct, rows)


def _stopping(story: Story, kind: str, at: dt.datetime, reason: str, document: str | None) -> dict[str, Any]:
    said = {"reason": reason, "decidedBy": "Cán bộ minh hoạ", "statusBefore": "released"}
    if document:
        said |= {
            "document": document,
            "knownAt": (at - dt.timedelta(hours=story.dice.whole(3, 20))).isoformat(),
        }
    event: Event = {
        "type": "ObjectEvent",
        "eventTime": at.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": OFFSET,
        "action": "OBSERVE",
        "bizStep": "holding",
        "disposition": "recalled" if kind == "recall" else "non_sellable_other",
        "quantityList": [{"epcClass": blockevents.uri_of(story.lot)}],
        f"ocop:{kind}": said,
    }
    if kind == "recall":
        event["persistentDisposition"] = {"set": ["recalled"]}
    return event
