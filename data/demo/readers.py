"""What the demonstration knows from people outside: readings of codes, an alarm, reports of problems, and a drill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from data.accounts import Actor
from data.demo import names
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, LABEL, MOMENT, Ledger
from data.traceability import blockevents, drills
from data.traceability.drills import Line
from data.traceability.items import item_of_lot
from data.traceability.lots import Lot
from data.traceability.tables import RECALLED, ProblemReport, RecallDrill, Scan, ScanAlarm, TraceItem

READINGS = 420
_PLACES = ((105.2, 9.2), (105.4, 9.3), (105.0, 8.8), (105.8, 10.0), (106.7, 10.8), (None, None))
_REPORTS = (
    ("code", "Tem bị mờ, quét ba lần mới được (minh hoạ).", "answered", "Cơ sở đã in lại tem; xin cảm ơn."),
    ("quality", "Hàng có mùi lạ khi mở hộp (minh hoạ).", "taken", None),
    ("counterfeit", "Nghi nhãn bị in lại, màu nhạt hơn hộp mua trước (minh hoạ).", "new", None),
)
_PHONES = 710_000


def write_readers(ledger: Ledger, lots: Sequence[Lot], actor: Actor) -> None:
    """Write readings, the alarm of a recalled lot, reports of problems, and one drill."""
    dice = Dice("readers")
    _readings(ledger, dice, lots)
    _alarm(ledger, lots)
    _reports(ledger, lots)
    _drill(ledger, lots, actor)


def _readings(ledger: Ledger, dice: Dice, lots: Sequence[Lot]) -> None:
    items = _items(ledger, lots)
    rows = []
    for _ in range(READINGS):
        lot = dice.pick(lots)
        assert lot.produced_on is not None
        day = dice.day(min(lot.produced_on + dt.timedelta(days=8), AS_OF), AS_OF)
        at = dt.datetime.combine(day, dt.time(dice.whole(0, 14), dice.whole(0, 59)), dt.UTC)
        lon, lat = dice.pick(_PLACES)
        rows.append(
            {
                "uri": blockevents.uri_of(lot),
                "item_id": items[lot.id],
                "lot_id": lot.id,
                "scanned_at": min(at, MOMENT),
                "lon": lon,
                "lat": lat,
                "lot_state": "free" if lot.lot_status == "released" else lot.lot_status,
            }
        )
    ledger.write(Scan, sorted(rows, key=lambda row: row["scanned_at"]))


def _items(ledger: Ledger, lots: Sequence[Lot]) -> dict[int, int]:
    query = sa.select(TraceItem.lot_id, TraceItem.id).where(
        TraceItem.kind == "lot", TraceItem.lot_id.in_([lot.id for lot in lots])
    )
    return {lot_id: key for lot_id, key in ledger.session.execute(query) if lot_id is not None}


def _alarm(ledger: Ledger, lots: Sequence[Lot]) -> None:
    recalled = [lot for lot in lots if lot.lot_status == RECALLED][:2]
    moment = MOMENT.isoformat()
    rows = [
        {
            "kind": "recalled_scanned",
            "uri": blockevents.uri_of(lot),
            **_whose(lot),
            "facts": {"state": RECALLED, "count": 2 + place, "first_at": moment, "last_at": moment},
            "state": "new",
        }
        for place, lot in enumerate(recalled)
    ]
    ledger.write(ScanAlarm, rows)


def _whose(lot: Lot) -> dict[str, Any]:
    return {"lot_id": lot.id, "producer_id": lot.producer_id, "commune_id": lot.commune_id}


def _reports(ledger: Ledger, lots: Sequence[Lot]) -> None:
    rows = [
        {
            "number": f"VD-{AS_OF.year}-{place:05d}",
            "uri": blockevents.uri_of(lot),
            **_whose(lot),
            "product_id": lot.product_id,
            "kind": kind,
            "text": text,
            "contact": names.phone(_PHONES + place),
            "state": state,
            "answer": answer,
        }
        for place, ((kind, text, state, answer), lot) in enumerate(zip(_REPORTS, lots[5::9], strict=False), 1)
    ]
    ledger.write(ProblemReport, rows)


def _drill(ledger: Ledger, lots: Sequence[Lot], actor: Actor) -> None:
    """A drill on a lot, answered but for one buyer."""
    session = ledger.session
    lot = next(lot for lot in lots if lot.lot_status == "released" and (lot.quantity or 0) >= 100)
    row = drills.start(session, actor, item_id=item_of_lot(session, lot).id, direction=drills.BOTH)
    expected = row.expected or {}
    forward, back = ([_line(part) for part in expected[way]] for way in (drills.FORWARD, drills.BACK))
    drills.answer(
        session, actor, row.id, forward=forward[1:] or forward, back=back, remark="Diễn tập minh hoạ"
    )
    began = MOMENT - dt.timedelta(days=11)
    fixed = {"started_at": began, "finished_at": began + dt.timedelta(minutes=38), "source": LABEL}
    stamps = {"created_at": MOMENT, "updated_at": MOMENT}
    session.execute(sa.update(RecallDrill).where(RecallDrill.id == row.id).values(**fixed, **stamps))
    ledger.counts["recall_drills"] = 1


def _line(part: dict[str, Any]) -> Line:
    day = dt.date.fromisoformat(part["day"]) if part["day"] else None
    return Line(part["who"], day, part["quantity"], part["uom"])
