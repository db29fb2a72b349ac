"""What an inspection found: faults with corrective actions, and samples with their way from hand to hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import Actor
from data.programme.inspections import (
    InspectionError,
    inspected,
    inspection_seen,
    inspects,
    settle,
    visible_rows,
)
from data.programme.participations import SOURCE, check_version, touch
from data.programme.receiving import next_number
from data.programme.rights import NotYours, row_acted_on
from data.programme.tables import Finding, Inspection

#: Severities that need an action with a date.
GRAVE = ("major", "critical")


# ---- faults


def add(
    session: Session,
    actor: Actor,
    inspection_id: int,
    *,
    severity: str,
    text: str,
    criterion: str | None = None,
    action: str | None = None,
    due_on: dt.date | None = None,
) -> Finding:
    """Record a fault; a grave one needs an action and the day by which it is done.

    After the minutes are signed a fault may only come from a sample that does not conform; the visit is then open
    again. Raises InspectionError.
    """
    row = inspected(session, actor, inspection_id, "visiting", "visited", "closed")
    if row.state != "visiting" and not _has_bad_sample(row):
        raise InspectionError("Sau khi ký biên bản chỉ ghi thêm lỗi theo kết quả mẫu không đạt.")
    if severity not in codes.code_list("finding_severity") or not text.strip():
        raise InspectionError("Hãy chọn mức độ và ghi điều không phù hợp.")
    if severity in GRAVE and not (action and due_on):
        raise InspectionError("Lỗi nặng cần biện pháp khắc phục và thời hạn.")
    if due_on is not None and row.visited_on is not None and due_on < row.visited_on:
        raise InspectionError("Thời hạn khắc phục không thể trước ngày kiểm tra.")
    finding = Finding(
        inspection_id=row.id,
        severity=severity,
        text=text.strip(),
        criterion=criterion or None,
        action=action or None,
        due_on=due_on,
    )
    session.add(finding)
    session.flush()
    audit.write(session, actor, SOURCE, "findings", finding.id, "insert", after=audit.snapshot(finding))
    if row.state == "closed":
        before = audit.snapshot(row)
        row.state = "visited"
        touch(session, actor, row, before)
    return finding


def answer(
    session: Session, actor: Actor, finding_id: int, *, text: str, done_on: dt.date | None, today: dt.date,
    version: int | None = None,
) -> Finding:  # fmt: skip
    """Say what was done about a fault; the producer does, or an officer for them. Raises NotYours or Outdated."""
    row = _finding(session, finding_id)
    inspection_seen(session, actor, row.inspection_id)
    if not inspects(actor):
        row_acted_on(session, actor, Inspection, row.inspection_id)
    check_version(row, version)
    if row.verified_on is not None:
        raise InspectionError("Lỗi này đã được xác nhận khắc phục.")
    if not text.strip():
        raise InspectionError("Hãy ghi đã khắc phục thế nào.")
    if done_on is not None and done_on > today:
        raise InspectionError("Ngày khắc phục không thể sau hôm nay.")
    before = audit.snapshot(row)
    row.answer, row.done_on = text.strip(), done_on
    touch(session, actor, row, before)
    return row


def verify(
    session: Session, actor: Actor, finding_id: int, *, accepted: bool, today: dt.date, due_on: dt.date | None = None,
    version: int | None = None,
) -> Finding:  # fmt: skip
    """Accept what was done, or ask for it anew by a later day; the visit closes with its last finding."""
    row = _finding(session, finding_id)
    parent = inspected(session, actor, row.inspection_id, "visited")
    check_version(row, version)
    if row.verified_on is not None:
        raise InspectionError("Lỗi này đã được xác nhận khắc phục.")
    if not accepted and (due_on is None or due_on < today):
        raise InspectionError("Chưa chấp nhận thì cần thời hạn mới, không trước hôm nay.")
    before = audit.snapshot(row)
    if accepted:
        row.verified_on, row.done_on = today, row.done_on or today
    else:
        row.done_on, row.due_on = None, due_on
    touch(session, actor, row, before)
    settle(session, actor, parent)
    return row


def unsettled(session: Session, actor: Actor) -> list[Finding]:
    """List the faults of signed visits that the actor sees and nobody has verified, those due first first."""
    query = (
        sa.select(Finding)
        .join(Inspection, Inspection.id == Finding.inspection_id)
        .where(visible_rows(actor), Finding.verified_on.is_(None), Inspection.state == "visited")
    )
    rows = session.scalars(query.order_by(Finding.due_on.is_(None), Finding.due_on, Finding.id))
    return list(rows)


# ---- samples


def take_sample(
    session: Session, actor: Actor, inspection_id: int, *, what: str, quantity: str, seal: str, today: dt.date
) -> str:
    """Take a sample under a number that is never given again, and return the number."""
    row = inspected(session, actor, inspection_id, "visiting")
    if not what.strip() or not quantity.strip():
        raise InspectionError("Hãy ghi mẫu gì và lượng mẫu.")
    number = f"MKT-{row.year}-{next_number(session, f'MKT-{row.year}'):04d}"
    sample = {
        "number": number,
        "what": what.strip(),
        "quantity": quantity.strip(),
        "seal": seal.strip(),
        "taken_on": today.isoformat(),
        "custody": [{"on": today.isoformat(), "holder": actor.name, "note": "lấy mẫu"}],
        "result": None,
    }
    _samples(session, actor, row, [*row.samples, sample])
    return number


def hand_on(
    session: Session, actor: Actor, inspection_id: int, number: str, *, holder: str, note: str, day: dt.date
) -> Inspection:
    """Note that a sample went to another holder; the chain only grows, and never goes back in time."""
    row = inspected(session, actor, inspection_id, "visiting", "visited", "closed")
    sample = sample_of(row, number)
    if not holder.strip():
        raise InspectionError("Hãy ghi người nhận mẫu.")
    if day.isoformat() < sample["custody"][-1]["on"]:
        raise InspectionError("Ngày giao không thể trước lần giao trước.")
    step = {"on": day.isoformat(), "holder": holder.strip(), "note": note.strip()}
    return _replace(session, actor, row, {**sample, "custody": [*sample["custody"], step]})


def enter_result(
    session: Session,
    actor: Actor,
    inspection_id: int,
    number: str,
    *,
    laboratory: str,
    report_number: str,
    conforms: bool,
    text: str,
    day: dt.date,
) -> Inspection:
    """Enter what the laboratory found; a result is entered once, and stays."""
    row = inspected(session, actor, inspection_id, "visiting", "visited", "closed")
    sample = sample_of(row, number)
    if sample.get("result"):
        raise InspectionError("Mẫu %(number)s đã có kết quả.", number=number)
    if not laboratory.strip() or not report_number.strip():
        raise InspectionError("Hãy ghi phòng kiểm nghiệm và số phiếu kết quả.")
    if day.isoformat() < sample["taken_on"]:
        raise InspectionError("Ngày có kết quả không thể trước ngày lấy mẫu.")
    result = {
        "laboratory": laboratory.strip(),
        "report_number": report_number.strip(),
        "conforms": conforms,
        "text": text.strip(),
        "on": day.isoformat(),
    }
    return _replace(session, actor, row, {**sample, "result": result})


def sample_of(row: Inspection, number: str) -> dict[str, Any]:
    """Return a sample by its number. Raises InspectionError."""
    for sample in row.samples:
        if sample["number"] == number:
            return dict(sample)
    raise InspectionError("Không có mẫu số %(number)s.", number=number)


# ---- details


def _has_bad_sample(row: Inspection) -> bool:
    return any((s.get("result") or {}).get("conforms") is False for s in row.samples)


def _finding(session: Session, finding_id: int) -> Finding:
    row = session.get(Finding, finding_id, with_for_update=True)
    if row is None:
        raise NotYours("Không có lỗi này trong phần việc của bạn.")
    return row


def _replace(session: Session, actor: Actor, row: Inspection, sample: dict[str, Any]) -> Inspection:
    kept = [sample if s["number"] == sample["number"] else s for s in row.samples]
    return _samples(session, actor, row, kept)


def _samples(session: Session, actor: Actor, row: Inspection, samples: list[Any]) -> Inspection:
    before = audit.snapshot(row)
    row.samples = samples
    touch(session, actor, row, before)
    return row
