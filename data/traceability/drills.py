"""The recall drill: against the clock, a producer says where a lot went and where it came from.

Nothing is recalled by it. What the producer says is compared with what the events tell at the moment the drill
begins; the score is the share of it that was found, and the minutes are kept beside it.
"""

from __future__ import annotations

import datetime as dt
import difflib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import SYSTEM, Actor, Role, visible
from data.base import now
from data.producers import Producer
from data.programme.calendar import deadline
from data.programme.rights import NotYours, seen
from data.text import fold
from data.traceability.decisions import is_authority, may_decide
from data.traceability.lots import Lot
from data.traceability.measures import amount
from data.traceability.sheet import SHIPPING, Shipment, Supplier, sheet
from data.traceability.tables import RecallDrill, TraceEvent, TraceEventItem, TraceItem
from gis.errors import Refusal

SOURCE = "recall_drill"
FORWARD, BACK, BOTH = "forward", "back", "both"
DIRECTIONS = (FORWARD, BACK, BOTH)
#: How a line is weighed: who it was counts half, when and how much a quarter each.
WHO, WHEN, HOW_MUCH = 0.5, 0.25, 0.25
ALIKE = 0.85
DAYS_OFF = 1
SHARE_OFF = 0.02


class DrillError(Refusal):
    """A drill cannot go on like this."""


@dataclass(frozen=True)
class Line:
    """One line of an answer or of what is expected: who, on which day, how much."""

    who: str
    day: dt.date | None = None
    quantity: float | None = None
    uom: str | None = None

    def plain(self) -> dict[str, Any]:
        """Return the line as JSON values."""
        day = None if self.day is None else self.day.isoformat()
        return {"who": self.who, "day": day, "quantity": self.quantity, "uom": self.uom}


@dataclass(frozen=True)
class Compared:
    """An expected line with the line of the answer that fits best, and how well from 0 to 1; `found` may be None."""

    expected: Line
    found: Line | None
    share: float


@dataclass(frozen=True)
class Result:
    """How a drill went, side by side; `extra` are lines that no event tells of: a wrong answer or a missing record."""

    forward: tuple[Compared, ...]
    back: tuple[Compared, ...]
    extra: tuple[Line, ...]

    @property
    def score(self) -> float:
        """The share of what is expected that was found, in percent; all of nothing is all."""
        every = [*self.forward, *self.back]
        return 100.0 if not every else 100 * sum(one.share for one in every) / len(every)


# ---- beginning and answering


def start(
    session: Session,
    actor: Actor,
    *,
    item_id: int | None = None,
    producer_id: int | None = None,
    direction: str = BOTH,
) -> RecallDrill:
    """Begin a drill on a given thing, or on a lot drawn by chance among those sent out. Raises DrillError."""
    if direction not in DIRECTIONS:
        raise DrillError("Hãy chọn hướng diễn tập: đi đâu, từ đâu, hoặc cả hai.")
    if actor.role == Role.PRODUCER:
        producer_id = actor.producer_id
    elif not is_authority(actor):
        raise NotYours("Chỉ cán bộ, thanh tra và chính chủ thể mở diễn tập thu hồi.")
    item = session.get(TraceItem, item_id) if item_id is not None else _drawn(session, actor, producer_id)
    if item is None:
        raise DrillError("Chưa có lô nào đã xuất để diễn tập.")
    if not may_decide(session, actor, item):
        raise NotYours("Lô này không thuộc phần việc của bạn.")
    lot = None if item.lot_id is None else session.get(Lot, item.lot_id)
    row = RecallDrill(
        producer_id=lot.producer_id if lot is not None else item.producer_id,
        commune_id=None if lot is None else lot.commune_id,
        item_id=item.id,
        direction=direction,
        started_at=now(),
        expected=_expected(session, item, direction),
        account_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    after = {k: v for k, v in audit.snapshot(row).items() if k != "expected"}
    audit.write(session, actor, SOURCE, "recall_drills", row.id, "insert", after=after)
    return row


def answer(
    session: Session,
    actor: Actor,
    drill_id: int,
    *,
    forward: Sequence[Line] = (),
    back: Sequence[Line] = (),
    remark: str | None = None,
) -> RecallDrill:
    """Stop the clock with an answer, which is scored at once. Raises DrillError or NotYours."""
    row = drill_seen(session, actor, drill_id)
    session.refresh(row, with_for_update=True)
    if row.finished_at is not None:
        raise DrillError("Diễn tập này đã kết thúc.")
    if not may_decide(session, actor, session.get_one(TraceItem, row.item_id)):
        raise NotYours("Lô này không thuộc phần việc của bạn.")
    row.finished_at = now()
    row.answer = {"forward": [one.plain() for one in forward], "back": [one.plain() for one in back]}
    row.answered_by, row.remark = actor.name or actor.role.value, (remark or "").strip() or None
    row.score = round(result_of(row).score, 1)
    row.version += 1
    session.flush()
    after = {"finished_at": row.finished_at.isoformat(), "score": row.score, "answer": row.answer}
    audit.write(session, actor, SOURCE, "recall_drills", row.id, "update", after=after)
    return row


def _drawn(session: Session, actor: Actor, producer_id: int | None) -> TraceItem | None:
    """A lot drawn by chance among those that were sent out and that the actor may recall."""
    query = (
        sa.select(TraceItem.id)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .join(Lot, Lot.id == TraceItem.lot_id)
        .where(
            TraceItem.kind == "lot", TraceEvent.biz_step == SHIPPING, TraceEvent.declared_wrong_at.is_(None)
        )
        .where(seen(actor, TraceEvent), visible(actor, Lot))
        .distinct()
    )
    if producer_id is not None:
        query = query.where(Lot.producer_id == producer_id)
    ids = list(session.scalars(query))
    return session.get(TraceItem, secrets.choice(ids)) if ids else None


def _expected(session: Session, item: TraceItem, direction: str) -> dict[str, Any]:
    """What the events tell of a thing now: the producer's own sendings, and what came in for the lot."""
    whole = sheet(session, SYSTEM, item)
    own = {thing.id for thing in whole.things if thing.producer_id == item.producer_id or thing.id == item.id}
    own |= {thing.id for thing in whole.things if thing.kind == "sscc"}
    forward = [_sent(one) for one in whole.shipped if one.item in own]
    back = [_came(one) for one in whole.suppliers]
    return {
        FORWARD: [one.plain() for one in forward] if direction != BACK else [],
        BACK: [one.plain() for one in back] if direction != FORWARD else [],
    }


def _sent(one: Shipment) -> Line:
    day = one.sent_at.astimezone(dt.timezone(dt.timedelta(hours=7))).date()
    return Line(one.customer or one.name, day, one.quantity, one.uom)


def _came(one: Supplier) -> Line:
    day = dt.date.fromisoformat(one.received_on[:10]) if one.received_on else None
    return Line(one.who, day, one.quantity, one.uom)


# ---- scoring


def result_of(row: RecallDrill) -> Result:
    """Compare what was answered with what was expected, each line with the one that fits it best."""
    expected, said = row.expected or {}, row.answer or {}
    forward, over = compare(_lines(expected.get(FORWARD)), _lines(said.get(FORWARD)))
    back, more = compare(_lines(expected.get(BACK)), _lines(said.get(BACK)))
    asked_forward, asked_back = row.direction != BACK, row.direction != FORWARD
    return Result(
        tuple(forward), tuple(back), (*(over if asked_forward else ()), *(more if asked_back else ()))
    )


def compare(expected: Sequence[Line], answered: Sequence[Line]) -> tuple[list[Compared], list[Line]]:
    """Pair the lines that fit best first; return the expected ones in their order, and the lines left over."""
    pairs = sorted(
        (
            (-share, i, j)
            for i, one in enumerate(expected)
            for j, other in enumerate(answered)
            if (share := fits(one, other))
        ),
    )
    taken: dict[int, tuple[int, float]] = {}
    used: set[int] = set()
    for negative, i, j in pairs:
        if i not in taken and j not in used:
            taken[i] = (j, -negative)
            used.add(j)
    compared = [
        Compared(one, answered[taken[i][0]], taken[i][1]) if i in taken else Compared(one, None, 0.0)
        for i, one in enumerate(expected)
    ]
    return compared, [one for j, one in enumerate(answered) if j not in used]


def fits(expected: Line, answered: Line) -> float:
    """Say how well an answered line fits an expected one, from 0 to 1; without the same name it does not at all."""
    if not same_name(expected.who, answered.who):
        return 0.0
    share = WHO
    if expected.day is None or (
        answered.day is not None and abs((expected.day - answered.day).days) <= DAYS_OFF
    ):
        share += WHEN
    if expected.quantity is None or _same_amount(expected, answered):
        share += HOW_MUCH
    return share


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are one to a person: without accents, most of one in the other, or nearly alike.

    Numbers in them must agree: the market of ward 7 is not that of ward 9.
    """
    a, b = fold(one).strip(), fold(other).strip()
    if not a or not b:
        return False
    words, others = set(a.split()), set(b.split())
    if {w for w in words ^ others if w.isdigit()}:
        return False
    short, long = sorted((words, others), key=len)
    if short <= long and 2 * len(short) >= len(long):
        return True
    return difflib.SequenceMatcher(None, a, b).ratio() >= ALIKE


def _same_amount(expected: Line, answered: Line) -> bool:
    if expected.quantity is None or answered.quantity is None:
        return False
    one, other = amount(expected.quantity, expected.uom), amount(answered.quantity, answered.uom)
    if one is None or other is None or one.dimension != other.dimension:
        one_value, other_value = expected.quantity, answered.quantity
    else:
        one_value, other_value = one.value, other.value
    return abs(one_value - other_value) <= SHARE_OFF * max(abs(one_value), 1e-9)


def _lines(rows: Any) -> list[Line]:
    return [
        Line(str(r["who"]), dt.date.fromisoformat(r["day"]) if r["day"] else None, r["quantity"], r["uom"])
        for r in rows or ()
    ]


# ---- reading


def drill_seen(session: Session, actor: Actor, drill_id: int) -> RecallDrill:
    """Return a drill that the actor sees. Raises NotYours."""
    row = session.scalar(sa.select(RecallDrill).where(RecallDrill.id == drill_id, seen(actor, RecallDrill)))
    if row is None:
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    return row


def drills_of_actor(session: Session, actor: Actor, *, limit: int = 200) -> list[RecallDrill]:
    """List the drills that the actor sees, the newest first."""
    query = sa.select(RecallDrill).where(seen(actor, RecallDrill))
    return list(
        session.scalars(query.order_by(RecallDrill.started_at.desc(), RecallDrill.id.desc()).limit(limit))
    )


@dataclass(frozen=True)
class Standing:
    """A producer with lots sent out, and their last finished drill."""

    producer_id: int
    name: str
    last: RecallDrill | None


def standings(session: Session, actor: Actor) -> list[Standing]:
    """List the producers of the actor's sight that sent lots out, those never drilled first, then the oldest drill."""
    with_lots = (
        sa.select(TraceEvent.producer_id)
        .where(TraceEvent.biz_step == SHIPPING, TraceEvent.producer_id.is_not(None), seen(actor, TraceEvent))
        .distinct()
    )
    producers = session.execute(
        sa.select(Producer.id, Producer.name).where(Producer.id.in_(with_lots)).order_by(Producer.name)
    ).all()
    query = sa.select(RecallDrill).where(RecallDrill.finished_at.is_not(None), seen(actor, RecallDrill))
    last = {row.producer_id: row for row in session.scalars(query.order_by(RecallDrill.finished_at))}
    found = [Standing(key, name, last.get(key)) for key, name in producers]
    return sorted(found, key=lambda s: (s.last is not None, s.last.started_at if s.last else now()))


def minutes_of(row: RecallDrill, at: dt.datetime | None = None) -> float:
    """Return the minutes that a drill took, or has taken until now."""
    return ((row.finished_at or at or now()) - row.started_at).total_seconds() / 60


def passed(row: RecallDrill) -> bool | None:
    """Tell whether a finished drill was complete enough and quick enough by the province's rules."""
    if row.finished_at is None or row.score is None:
        return None
    day = row.started_at.date()
    enough = row.score >= deadline("recall_drill_score", day).number
    return enough and minutes_of(row) <= deadline("recall_drill", day).number
