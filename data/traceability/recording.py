"""Writing into a lot's dossier: every entry is checked by the profile and appended as events.

What was released is not changed: a mistake is declared, with its reason and what stands instead.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, Role
from data.base import now
from data.programme.rights import NotYours, acts
from data.traceability import balance, blockevents, capture, schemas
from data.traceability.blockevents import CONTEXT, Event, Writing
from data.traceability.dossier import Dossier, DossierError, Entry, dossier_of, lot_seen
from data.traceability.limits import judge
from data.traceability.lots import Lot
from data.traceability.measures import name_of
from data.traceability.profiles import blocks
from data.traceability.tables import TraceEvent

SOURCE = "dossier"
#: What inspectors add to dossiers that are not theirs.
OF_INSPECTORS = frozenset({"test", "sample", "sample_disposal"})
#: What describes how the lot was made, and so ends with its release.
UNTIL_RELEASE = frozenset({"input", "step"})
#: What takes goods away from the lot.
TAKES = frozenset({"dispatch", "waste", "sample"})
#: What says where a material came from.
ORIGINS = ("area", "sourceLot", "supplier", "household")
#: So far ahead of the clock may somebody's telephone be.
AHEAD = dt.timedelta(minutes=15)


# ---- who


def may_write(session: Session, actor: Actor, lot: Lot) -> bool:
    """Tell whether the actor keeps the dossier of a lot: the producer, officers of the territory and the province."""
    return session.scalar(sa.select(Lot.id).where(Lot.id == lot.id, acts(actor, Lot))) is not None


def may_record(session: Session, actor: Actor, lot: Lot, block: str) -> bool:
    """Tell whether the actor may add to a block; inspectors add tests and samples to any lot."""
    return may_write(session, actor, lot) or (actor.role == Role.INSPECTOR and block in OF_INSPECTORS)


# ---- entries


def record(
    session: Session,
    actor: Actor,
    lot_id: int,
    block: str,
    values: Mapping[str, Any],
    *,
    step: str | None = None,
    at: dt.datetime | None = None,
    entry: uuid.UUID | None = None,
) -> list[capture.Appended]:
    """Add an entry to a block: `values` by field name, `parameters` of a step among them.

    `entry` numbers what is sent, so that the same form sent twice is kept once. Raises NotYours, Faulty,
    DossierError, NoLots or what `capture.append` raises.
    """
    lot = lot_seen(session, actor, lot_id)
    if not may_record(session, actor, lot, block):
        raise NotYours("Bạn không ghi được mục này vào hồ sơ của lô.")
    dossier = dossier_of(session, actor, lot)
    number = entry or uuid.uuid4()
    if any(e.number == str(number) for e in dossier.entries):
        return []
    _check_stage(dossier, block)
    events = _events(dossier, block, values, step=step, at=at, number=number)
    return capture.append(session, actor, events, source=SOURCE, context=CONTEXT)


def correct(
    session: Session,
    actor: Actor,
    lot_id: int,
    row_id: int,
    *,
    reason: str,
    values: Mapping[str, Any] | None = None,
    at: dt.datetime | None = None,
    entry: uuid.UUID | None = None,
) -> Entry:
    """Declare an entry wrong, given by the row of its event, and put `values` in its place where they are given.

    Identity and release are corrected by acts of their own. Returns the entry that was wrong. Raises NotYours,
    Faulty or DossierError.
    """
    lot = lot_seen(session, actor, lot_id)
    dossier = dossier_of(session, actor, lot)
    found = _entry(dossier, row_id)
    if found.block not in blocks() or found.block == "identity":
        raise DossierError("Mục này không đính chính được ở đây.")
    if not may_record(session, actor, lot, found.block):
        raise NotYours("Bạn không đính chính được hồ sơ của lô này.")
    instead: list[Event] = []
    if values is not None:
        instead = _events(
            dossier, found.block, values, step=found.step, at=at or found.at, number=entry or uuid.uuid4(),
            instead_of=found,
        )  # fmt: skip
    replace(session, actor, found, instead, reason)
    return found


def replace(
    session: Session, actor: Actor, wrong: Entry, instead: Sequence[Event], reason: str
) -> list[capture.Appended]:
    """Append what stands instead of an entry, and the declarations that its events were wrong."""
    if not reason.strip():
        raise DossierError("Hãy ghi vì sao mục này sai.")
    if wrong.is_wrong:
        raise DossierError("Mục này đã được đính chính trước đó.")
    ids = [event["eventID"] for event in instead]
    declared = [
        blockevents.declaration(row.document, ids, reason.strip(), now()) for row in _siblings(session, wrong)
    ]
    return capture.append(session, actor, [*instead, *declared], source=SOURCE, context=CONTEXT)


# ---- details


def _entry(dossier: Dossier, row_id: int) -> Entry:
    found = next((e for e in dossier.entries if e.row.id == row_id), None)
    if found is None:
        raise NotYours("Không có mục này trong hồ sơ của lô.")
    return found


def _siblings(session: Session, entry: Entry) -> list[TraceEvent]:
    """The events that were written for one entry: a delivery is received, comes from an area and goes into the run.

    They are found by their ids, which follow from the entry's number.
    """
    if entry.number is None or entry.block != "input":
        return [entry.row]
    ids = [blockevents.event_id(uuid.UUID(entry.number), n) for n in range(3)]
    if entry.row.event_id not in ids or entry.uri is None or ":material:" not in entry.uri:
        return [entry.row]
    query = sa.select(TraceEvent).where(
        TraceEvent.event_id.in_(ids), TraceEvent.is_declaration.is_(False), TraceEvent.declared_wrong_at.is_(None)
    )  # fmt: skip
    return list(session.scalars(query.order_by(TraceEvent.id)))


def _check_stage(dossier: Dossier, block: str) -> None:
    if block not in blocks() or block == "identity" or not dossier.profile.holds(block):
        raise DossierError("Hồ sơ của lô này không có mục đó.")
    if dossier.is_released and block in UNTIL_RELEASE:
        raise DossierError(
            "Lô đã xuất xưởng nên không ghi thêm nguyên liệu và công đoạn; hãy đính chính mục sai."
        )
    if block == "dispatch" and not dossier.is_released:
        raise DossierError(
            "Lô chưa được xuất xưởng; hãy hoàn tất hồ sơ và cho xuất xưởng trước khi giao hàng."
        )
    if block == "dispatch" and dossier.is_stopped:
        raise DossierError("Lô đang bị tạm giữ hoặc thu hồi nên không xuất được.")


def _events(
    dossier: Dossier,
    block: str,
    values: Mapping[str, Any],
    *,
    step: str | None,
    at: dt.datetime | None,
    number: uuid.UUID,
    instead_of: Entry | None = None,
) -> list[Event]:
    if block == "step" and step not in {s.code for s in dossier.profile.steps}:
        raise DossierError("Quy trình của lô này không có công đoạn đó.")
    moment = at or now()
    if moment > now() + AHEAD:
        raise DossierError("Thời điểm ghi không thể sau lúc này; hãy kiểm tra ngày giờ.")
    told = {name: value for name, value in values.items() if value not in (None, "", [])}
    if block == "test":
        told["results"] = [_judged(result) for result in told.get("results", ())]
    schemas.check(dossier.profile, block, told, step)
    _check_facts(dossier, block, told, instead_of)
    serial = _serial(dossier) if block == "sample" else None
    writing = Writing(dossier.lot, moment, number, step, serial)
    return blockevents.events_of_entry(writing, block, told)


def _judged(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result with its verdict: what can be counted is not a matter of opinion."""
    told = {name: value for name, value in result.items() if value not in (None, "")}
    kept = judge(str(told.get("value", "")), told.get("limit"))
    if kept is None:
        return told
    said = "conformant" if kept else "non_conformant"
    if told.get("verdict") not in (None, said):
        raise DossierError(
            "Kết quả %(value)s của “%(title)s” so với giới hạn %(limit)s là %(verdict)s; hãy kiểm tra lại.",
            value=told["value"],
            title=told.get("title") or told.get("analyte"),
            limit=told["limit"],
            verdict="đạt" if kept else "không đạt",
        )
    return {**told, "verdict": said}


def _check_facts(dossier: Dossier, block: str, told: Mapping[str, Any], instead_of: Entry | None) -> None:
    if block in TAKES:
        _check_stock(dossier, told, instead_of)
    if block == "input" and told["role"] == "main" and not any(told.get(name) for name in ORIGINS):
        raise DossierError("Nguyên liệu chính cần nguồn: vùng trồng, lô, nhà cung cấp hoặc hộ cung cấp.")
    if block == "input" and told.get("sourceLot") == blockevents.uri_of(dossier.lot):
        raise DossierError("Lô không thể là nguyên liệu của chính nó.")
    if block == "test" and told.get("sampledOn") and told["reportedOn"] < told["sampledOn"]:
        raise DossierError("Ngày trả kết quả phải sau ngày lấy mẫu.")
    if block == "sample":
        _check_retention(dossier, told)
    if block == "sample_disposal":
        known = {e.uri for e in dossier.of("sample")} - {e.uri for e in dossier.of("sample_disposal")}
        if told["sample"] not in known:
            raise DossierError("Không có mẫu này, hoặc mẫu đã hủy.")


def _check_stock(dossier: Dossier, told: Mapping[str, Any], instead_of: Entry | None) -> None:
    others = [e for e in dossier.entries if instead_of is None or e.row.id != instead_of.row.id]
    rest = Dossier(dossier.lot, dossier.profile, dossier.state, others)
    found = balance.left_in(rest, told["quantity"], told["uom"])
    if found is not None and found[1] > found[0] * (1 + balance.TOLERANCE) + 1e-9:
        uom = balance.balance(rest).uom
        raise DossierError(
            "Trong kho chỉ còn %(left)s %(unit)s của lô; hãy kiểm tra số lượng.",
            left=f"{max(found[0], 0):g}",
            unit=name_of(uom, dossier.lot.unit if uom == "EA" else None),
        )


def _check_retention(dossier: Dossier, told: Mapping[str, Any]) -> None:
    rule, expires = dossier.profile.sample, dossier.lot.expires_on
    if rule is None or expires is None:
        return
    least = expires + dt.timedelta(days=rule.margin_days)
    if dt.date.fromisoformat(told["retainUntil"]) < least:
        raise DossierError(
            "Mẫu phải lưu ít nhất đến %(day)s: %(margin)s ngày sau hạn sử dụng của lô.",
            day=least.strftime("%d/%m/%Y"),
            margin=rule.margin_days,
        )


def _serial(dossier: Dossier) -> str:
    """The next sample's number; samples that were declared wrong keep theirs."""
    return f"{blockevents.SAMPLE_SERIAL}{len(dossier.all_of('sample')) + 1:02d}"
