"""Hold, release, recall and the closing of a recall: each a decision with its reason, written as an event.

Circular 17/2021/TT-BNNPTNT: a producer recalls by themselves; the authority recalls by a numbered document within 24
hours; what came back is corrected, put to another use, re-exported or destroyed, and the recall is closed by a report.
Functions that change what a lot shows return its new facts, which the caller writes through the one edit path in the
same transaction (`layers.acts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import Actor
from data.base import now
from data.programme.rights import NotYours, seen
from data.traceability import capture
from data.traceability.decisions import (
    HOLD,
    RECALL,
    RELEASE,
    act_seen,
    is_authority,
    may_decide,
    open_acts,
    parts_of,
    said_by,
)
from data.traceability.lots import Lot
from data.traceability.tables import FREE, HELD, RECALLED, RecallAct, RecallNotice, TraceEvent, TraceItem
from gis.errors import Refusal

SOURCE = "recall"
CONTEXT = ({"ocop": "urn:ocop:terms:"},)
TIME_ZONE = dt.timezone(dt.timedelta(hours=7))
#: What may be sold again once the recall is closed; whatever was handled otherwise stays recalled.
SOLD_AGAIN = "remedied"
#: What an event says of the thing afterwards (CBV 2.0).
DISPOSITIONS = {
    "remedied": "sellable_not_accessible",
    "repurposed": "non_sellable_other",
    "re_exported": "non_sellable_other",
    "destroyed": "destroyed",
}


class RecallError(Refusal):
    """A decision on a lot cannot be taken like this."""


@dataclass(frozen=True)
class Outcome:
    """What was decided: the acts, that of the lot itself first, and the new facts of lots by their row."""

    acts: tuple[RecallAct, ...]
    lots: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


# ---- the four acts


def hold(
    session: Session,
    actor: Actor,
    item_id: int,
    *,
    reason: str,
    document: str | None = None,
    also: Sequence[int] = (),
) -> Outcome:
    """Hold a thing, and other things made of it: nothing is made of them or sent out until the hold is lifted."""
    if not reason.strip():
        raise RecallError("Hãy ghi lý do tạm giữ.")
    items = _items(session, actor, item_id, also, FREE)
    acts: list[RecallAct] = []
    for item in items:
        said = {"reason": reason.strip(), "document": _text(document), "decidedBy": actor.name}
        before = _lot_status(session, item)
        event = _event(item, "holding", "non_sellable_other", hold={**said, "statusBefore": before})
        acts.append(_act(session, actor, item, HOLD, event, reason, document, parent=acts))
    return Outcome(tuple(acts), _become(session, actor, items, HELD, reason))


def release(
    session: Session, actor: Actor, act_id: int, *, reason: str, document: str | None = None
) -> Outcome:
    """Lift a hold with all that was held with it. A producer does not lift what the authority holds."""
    row = _open_act(session, actor, act_id, HOLD)
    if row.is_mandatory and not is_authority(actor):
        raise RecallError("Lô do cơ quan quản lý tạm giữ; chỉ cơ quan quản lý mới bỏ tạm giữ.")
    if not reason.strip():
        raise RecallError("Hãy ghi vì sao bỏ tạm giữ.")
    acts: list[RecallAct] = []
    lots: dict[int, Mapping[str, Any]] = {}
    for one in _with_parts(session, row):
        item = session.get_one(TraceItem, one.item_id)
        _close(session, actor, one, reason)
        said = {"released": True, "reason": reason.strip(), "decidedBy": actor.name}
        event = _event(item, "inspecting", "active", hold=said)
        acts.append(_act(session, actor, item, RELEASE, event, reason, document, parent=acts))
        if item.state == HELD:
            lots.update(_become(session, actor, [item], FREE, reason, _status_before(session, one)))
    return Outcome(tuple(acts), lots)


def recall(
    session: Session,
    actor: Actor,
    item_id: int,
    *,
    reason: str,
    document: str | None = None,
    notice: str | None = None,
    known_at: dt.datetime | None = None,
    also: Sequence[int] = (),
) -> Outcome:
    """Recall a thing, and those made of it that were ticked; whoever was sent some must be told.

    The authority recalls by a document, within 24 hours of `known_at`, when the lot was found unsafe.
    Raises RecallError.
    """
    mandatory = is_authority(actor)
    if not reason.strip():
        raise RecallError("Hãy ghi lý do thu hồi.")
    if mandatory and not _text(document):
        raise RecallError("Thu hồi bắt buộc cần số quyết định hoặc văn bản.")
    decided = now()
    if known_at is not None and known_at > decided:
        raise RecallError("Thời điểm xác định lô không an toàn không thể sau lúc này.")
    items = _items(session, actor, item_id, also, FREE, HELD)
    acts: list[RecallAct] = []
    for item in items:
        said = {
            "reason": reason.strip(),
            "document": _text(document),
            "decidedBy": actor.name,
            "mandatory": mandatory,
            "knownAt": known_at.astimezone(TIME_ZONE).isoformat() if known_at else None,
            "statusBefore": _lot_status(session, item),
        }
        event = _event(item, "holding", "recalled", recall=said)
        event["persistentDisposition"] = {"set": ["recalled"]}
        for held in open_acts(session, item.id, HOLD):
            _close(session, actor, held, reason)
        acts.append(_act(session, actor, item, RECALL, event, reason, document, parent=acts, notice=notice))
    return Outcome(tuple(acts), _become(session, actor, items, RECALLED, reason))


def close(session: Session, actor: Actor, act_id: int, *, handling: str, report: str) -> Outcome:
    """Close a recall with a report and what was done with the goods; corrected goods may be sold again."""
    row = _open_act(session, actor, act_id, RECALL)
    if row.is_mandatory and not is_authority(actor):
        raise RecallError("Thu hồi theo quyết định của cơ quan quản lý do cơ quan quản lý kết thúc.")
    if handling not in codes.code_list("recall_handling"):
        raise RecallError("Hãy chọn hình thức xử lý: khắc phục, chuyển mục đích, tái xuất hoặc tiêu hủy.")
    if not report.strip():
        raise RecallError("Hãy ghi báo cáo kết quả thu hồi.")
    acts = _with_parts(session, row)
    lots: dict[int, Mapping[str, Any]] = {}
    for one in acts:
        item = session.get_one(TraceItem, one.item_id)
        said = {"closed": True, "handling": handling, "report": report.strip(), "decidedBy": actor.name}
        event = _event(item, "inspecting", DISPOSITIONS[handling], recall=said)
        if handling == SOLD_AGAIN:
            event["persistentDisposition"] = {"unset": ["recalled"]}
        _append(session, actor, event)
        _close(session, actor, one, report, handling=handling)
        if handling == SOLD_AGAIN and item.state == RECALLED:
            lots.update(_become(session, actor, [item], FREE, report, _status_before(session, one)))
    return Outcome(tuple(acts), lots)


def inform(
    session: Session,
    actor: Actor,
    act_id: int,
    dispatch_id: int,
    *,
    returned: float | None = None,
    uom: str | None = None,
    remark: str | None = None,
) -> RecallNotice:
    """Note that a buyer was told of a recall, or what came back from them. `dispatch_id` is a row of events."""
    act = act_seen(session, actor, act_id)
    root = act if act.part_of_id is None else session.get_one(RecallAct, act.part_of_id)
    item = session.get_one(TraceItem, root.item_id)
    rule = seen(actor, TraceEvent)
    dispatch = session.scalar(sa.select(TraceEvent.id).where(TraceEvent.id == dispatch_id, rule))
    if root.kind != RECALL or dispatch is None or not may_decide(session, actor, item):
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    if returned is not None and returned < 0:
        raise RecallError("Số lượng nhận lại không thể âm.")
    own = (RecallNotice.recall_id == root.id, RecallNotice.dispatch_id == dispatch_id)
    row = session.scalar(sa.select(RecallNotice).where(*own).with_for_update())
    before = None if row is None else audit.snapshot(row)
    if row is None:
        row = RecallNotice(
            recall_id=root.id, dispatch_id=dispatch_id, informed_at=now(), informed_by=actor.name
        )
        session.add(row)
    row.returned = row.returned if returned is None else returned
    row.uom = _text(uom) or row.uom
    row.remark = _text(remark) or row.remark
    session.flush()
    action = "insert" if before is None else "update"
    audit.write(
        session, actor, SOURCE, "recall_notices", row.id, action, before=before, after=audit.snapshot(row)
    )
    return row


# ---- details


def _items(
    session: Session, actor: Actor, item_id: int, also: Sequence[int], *states: str
) -> list[TraceItem]:
    """The things of an act, locked; the first must be in one of the states, others are left out when they are not."""
    found = []
    for key in dict.fromkeys((item_id, *also)):
        item = session.get(TraceItem, key, with_for_update=True)
        if item is None or not may_decide(session, actor, item):
            raise NotYours("Lô này không thuộc phần việc của bạn, nên bạn không tạm giữ hoặc thu hồi được.")
        if item.state not in states:
            if key != item_id:
                continue
            raise RecallError("Lô đang ở tình trạng %(state)s.", state=codes.label("trace_state", item.state))
        found.append(item)
    return found


def _open_act(session: Session, actor: Actor, act_id: int, kind: str) -> RecallAct:
    row = session.get(RecallAct, act_id, with_for_update=True)
    if row is None or not may_decide(session, actor, session.get_one(TraceItem, row.item_id)):
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    if row.kind != kind or row.closed_at is not None:
        raise RecallError("Việc này đã kết thúc.")
    if row.part_of_id is not None:
        raise RecallError("Lô này nằm trong một quyết định chung; hãy kết thúc quyết định đó.")
    return row


def _with_parts(session: Session, row: RecallAct) -> list[RecallAct]:
    return [row, *(part for part in parts_of(session, row) if part.closed_at is None)]


def _event(item: TraceItem, step: str, disposition: str, **said: Mapping[str, Any]) -> dict[str, Any]:
    """An observation of one thing; what `said` holds goes under our own terms, without what is not told."""
    single = item.kind in ("instance", "sscc", "place", "party")
    things = {"epcList": [item.uri]} if single else {"quantityList": [{"epcClass": item.uri}]}
    own = {f"ocop:{k}": {n: v for n, v in values.items() if v is not None} for k, values in said.items()}
    return {
        "type": "ObjectEvent",
        "eventTime": now().astimezone(TIME_ZONE).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": disposition,
        **things,
        **own,
    }


def _append(session: Session, actor: Actor, event: Mapping[str, Any]) -> int:
    written = capture.append(session, actor, [event], source=SOURCE, context=CONTEXT)
    return int(written[0].row_id)


def _act(
    session: Session,
    actor: Actor,
    item: TraceItem,
    kind: str,
    event: Mapping[str, Any],
    reason: str,
    document: str | None,
    *,
    parent: Sequence[RecallAct],
    notice: str | None = None,
) -> RecallAct:
    lot = None if item.lot_id is None else session.get(Lot, item.lot_id)
    row = RecallAct(
        kind=kind,
        item_id=item.id,
        lot_id=item.lot_id,
        producer_id=lot.producer_id if lot is not None else item.producer_id,
        commune_id=None if lot is None else lot.commune_id,
        reason=reason.strip(),
        document=_text(document),
        notice=_text(notice),
        is_mandatory=is_authority(actor),
        decided_by=actor.name or actor.role.value,
        account_id=actor.account_id,
        decided_at=now(),
        event_id=_append(session, actor, event),
        part_of_id=parent[0].id if parent else None,
    )
    if kind == RELEASE:
        row.closed_at = row.decided_at
    session.add(row)
    session.flush()
    after = audit.snapshot(row)
    audit.write(session, actor, SOURCE, "recall_acts", row.id, "insert", after=after, reason=reason)
    return row


def _close(
    session: Session, actor: Actor, row: RecallAct, report: str, *, handling: str | None = None
) -> None:
    before = audit.snapshot(row)
    row.closed_at, row.closing_report, row.handling = now(), report.strip(), handling
    row.version += 1
    session.flush()
    old, new = audit.difference(before, audit.snapshot(row))
    audit.write(session, actor, SOURCE, "recall_acts", row.id, "update", before=old, after=new, reason=report)


def _become(
    session: Session,
    actor: Actor,
    items: Sequence[TraceItem],
    state: str,
    reason: str,
    lot_status: str | None = None,
) -> dict[int, Mapping[str, Any]]:
    """Give things a state; return the facts of the lots that they are."""
    for item in items:
        old, item.state = item.state, state
        audit.write(
            session, actor, SOURCE, "trace_items", item.id, "update",
            before={"state": old}, after={"state": state}, reason=reason,
        )  # fmt: skip
    session.flush()
    status = lot_status or ("released" if state == FREE else state)
    own = [item.lot_id for item in items if item.lot_id is not None and item.kind == "lot"]
    return {key: {"lot_status": status} for key in own}


def _lot_status(session: Session, item: TraceItem) -> str | None:
    lot = None if item.lot_id is None else session.get(Lot, item.lot_id)
    return None if lot is None else lot.lot_status


def _status_before(session: Session, act: RecallAct) -> str | None:
    """What a lot was before it was held or recalled; a hold that a recall followed is looked through."""
    status = said_by(session, act).get("statusBefore")
    if status != HELD:
        return str(status) if status else None
    earlier = sa.select(RecallAct).where(RecallAct.item_id == act.item_id, RecallAct.kind == HOLD)
    held = session.scalars(earlier.where(RecallAct.id < act.id).order_by(RecallAct.id.desc())).first()
    return None if held is None else said_by(session, held).get("statusBefore")


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None
