"""Inspection: the yearly plan by risk, the visit with its checklist, the minutes of both sides.

Inspectors and officers of the province plan and visit; officers of communes and districts see their territory and
report what they notice; producers see the visits to themselves. What was signed is not changed afterwards.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data import audit, codes
from data.accounts import EDITORS_OF_ALL, TERRITORIAL, Account, Actor, Role
from data.products import Product
from data.programme import certificates, criteria, risk
from data.programme.calendar import FOLDER
from data.programme.participations import SOURCE, check_version, touch
from data.programme.receiving import next_number
from data.programme.rights import NotYours, row_seen, seen
from data.programme.tables import Dossier, Finding, Inspection, ProductStandard
from gis.errors import Refusal

INSPECTORS = EDITORS_OF_ALL | {Role.INSPECTOR}
OPEN = ("planned", "visiting")
#: The entry of the checklist that holds what both sides signed.
MINUTES = "minutes"
ANSWERS = {"kept": (True, True), "not_kept": (True, False), "not_applicable": (False, None)}


class InspectionError(Refusal):
    """An inspection cannot go on like this."""


@dataclass(frozen=True)
class Point:
    """One point of the checklist, with what was found; `answer` is a value of the code list check_answer, or None."""

    code: str
    title: str
    basis: str
    answer: str | None
    remark: str
    photos: tuple[Mapping[str, Any], ...] = ()


# ---- who


def inspects(actor: Actor) -> bool:
    """Tell whether the actor plans and makes visits."""
    return actor.role in INSPECTORS


def visible_rows(actor: Actor) -> sa.ColumnElement[bool]:
    """Say in SQL which inspections the actor sees; an unannounced visit is not shown to the producer before it."""
    rule = seen(actor, Inspection)
    if actor.role != Role.PRODUCER:
        return rule
    known = sa.or_(
        Inspection.state.in_(("visiting", "visited", "closed")),
        sa.and_(Inspection.state == "planned", Inspection.kind.in_(("periodic", "follow_up"))),
    )
    return sa.and_(rule, known)


def inspection_seen(session: Session, actor: Actor, inspection_id: int) -> Inspection:
    """Return an inspection that the actor sees. Raises NotYours."""
    row = session.scalar(sa.select(Inspection).where(Inspection.id == inspection_id, visible_rows(actor)))
    if row is None:
        raise NotYours("Không có cuộc kiểm tra này trong phần việc của bạn.")
    return row


def inspected(session: Session, actor: Actor, inspection_id: int, *states: str) -> Inspection:
    """Return an inspection in one of some states, locked, for somebody who inspects. Raises InspectionError."""
    _must_inspect(actor)
    row = session.get(Inspection, inspection_id, with_for_update=True)
    if row is None:
        raise InspectionError("Không có cuộc kiểm tra số %(id)s.", id=inspection_id)
    if states and row.state not in states:
        raise InspectionError("Việc này không làm được khi cuộc kiểm tra %(state)s.",
                              state=codes.label("inspection_state", row.state))  # fmt: skip
    return row


def all_of(
    session: Session,
    actor: Actor,
    *,
    year: int | None = None,
    state: str | None = None,
    product_id: int | None = None,
) -> list[Inspection]:
    """List the inspections that the actor sees, the nearest planned day first."""
    query = (
        sa.select(Inspection)
        .options(joinedload(Inspection.product), joinedload(Inspection.producer))
        .where(visible_rows(actor))
    )
    for column, value in (
        (Inspection.year, year), (Inspection.state, state), (Inspection.product_id, product_id),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    return list(session.scalars(query.order_by(Inspection.planned_on, Inspection.id)))


def inspectors(session: Session) -> list[Account]:
    """List the people who may be given a visit."""
    query = sa.select(Account).where(Account.role.in_([r.value for r in INSPECTORS]), Account.active)
    return list(session.scalars(query.order_by(Account.display_name)))


# ---- the plan


def plan(
    session: Session,
    actor: Actor,
    product_ids: Sequence[int],
    *,
    year: int,
    planned_on: dt.date | None,
    today: dt.date,
    kind: str = "periodic",
    inspector_id: int | None = None,
    team: str | None = None,
) -> list[Inspection]:
    """Put products on the plan of a year, each with its score and reasons of today. Raises InspectionError."""
    _must_inspect(actor)
    if kind not in codes.code_list("inspection_kind"):
        raise InspectionError("Hãy chọn loại kiểm tra.")
    if not product_ids:
        raise InspectionError("Hãy chọn ít nhất một sản phẩm.")
    if planned_on is not None and planned_on.year != year:
        raise InspectionError("Ngày dự kiến phải trong năm %(year)s.", year=year)
    products = [row_seen(session, actor, Product, key) for key in dict.fromkeys(product_ids)]
    busy = set(
        session.scalars(
            sa.select(Inspection.product_id).where(
                Inspection.product_id.in_([p.id for p in products]), Inspection.state.in_(OPEN)
            )
        )
    )
    if busy:
        names = ", ".join(p.name for p in products if p.id in busy)
        raise InspectionError("Đã có cuộc kiểm tra chưa làm xong cho: %(names)s.", names=names)
    rows = []
    for found in risk.risks_of(session, products, today):
        row = _new(found.product, kind, year, "planned")
        row.risk, row.reasons = found.points / risk.FULL, [r.plain() for r in found.reasons]
        row.planned_on, row.inspector_id, row.team = planned_on, inspector_id, team
        rows.append(_keep(session, actor, row))
        _take_up_reports(session, actor, found.product.id, row)
    return rows


def reschedule(
    session: Session,
    actor: Actor,
    inspection_id: int,
    *,
    planned_on: dt.date | None,
    inspector_id: int | None,
    team: str | None,
    version: int | None = None,
) -> Inspection:
    """Change day, inspector or team of a planned visit. Raises InspectionError or Outdated."""
    row = inspected(session, actor, inspection_id, "planned")
    check_version(row, version)
    if planned_on is not None and planned_on.year != row.year:
        raise InspectionError("Ngày dự kiến phải trong năm %(year)s.", year=row.year)
    before = audit.snapshot(row)
    row.planned_on, row.inspector_id, row.team = planned_on, inspector_id, team
    touch(session, actor, row, before)
    return row


def cancel(session: Session, actor: Actor, inspection_id: int, *, reason: str) -> Inspection:
    """Take a visit off the plan, or set a report aside, for a reason."""
    row = inspected(session, actor, inspection_id, "planned", "reported")
    if not reason.strip():
        raise InspectionError("Hãy ghi lý do hủy.")
    before = audit.snapshot(row)
    row.state, row.conclusion = "cancelled", reason.strip()
    touch(session, actor, row, before, reason=reason)
    return row


def report(session: Session, actor: Actor, product_id: int, text: str, *, today: dt.date) -> Inspection:
    """Tell the inspectors of something noticed about a product; it weighs in the plan until it is dealt with."""
    if actor.role not in INSPECTORS | TERRITORIAL:
        raise NotYours("Chỉ cán bộ mới ghi phản ánh.")
    product = row_seen(session, actor, Product, product_id)
    if not text.strip():
        raise InspectionError("Hãy ghi nội dung phản ánh.")
    row = _new(product, "report", today.year, "reported")
    row.conclusion, row.team = text.strip(), actor.name
    return _keep(session, actor, row)


# ---- the visit


def begin(
    session: Session,
    actor: Actor,
    inspection_id: int,
    *,
    today: dt.date,
    place: tuple[float, float] | None = None,
) -> Inspection:
    """Begin the visit: the checklist is drawn up from what holds today. `place` is (lon, lat)."""
    row = inspected(session, actor, inspection_id, "planned")
    before = audit.snapshot(row)
    row.state, row.visited_on = "visiting", today
    row.inspector_id = row.inspector_id or actor.account_id
    if place is not None:
        row.longitude, row.latitude = place
    row.checklist = _checklist(session, row, today)
    touch(session, actor, row, before)
    return row


def check(
    session: Session,
    actor: Actor,
    inspection_id: int,
    answers: Mapping[str, tuple[str | None, str]],
    *,
    version: int | None = None,
) -> Inspection:
    """Keep what was found: {code: (answer, remark)}. Raises InspectionError or Outdated."""
    row = inspected(session, actor, inspection_id, "visiting")
    check_version(row, version)
    kept = dict(row.checklist)
    for code, (answer, remark) in answers.items():
        if code == MINUTES or code not in kept:
            raise InspectionError("Bảng kiểm không có mục %(code)s.", code=code)
        if answer is not None and answer not in ANSWERS:
            raise InspectionError("Mỗi mục chỉ có đạt, không đạt hoặc không áp dụng.")
        applies, met = (None, None) if answer is None else ANSWERS[answer]
        kept[code] = {**kept[code], "applies": applies, "met": met, "remark": remark.strip()}
    return _change(session, actor, row, checklist=kept)


def add_photo(
    session: Session, actor: Actor, inspection_id: int, code: str, *, name: str, media_type: str, sha256: str
) -> Inspection:
    """Put a photo to a point of the checklist."""
    row = inspected(session, actor, inspection_id, "visiting")
    if code == MINUTES or code not in row.checklist:
        raise InspectionError("Bảng kiểm không có mục %(code)s.", code=code)
    photo = {"name": name, "media_type": media_type, "sha256": sha256}
    entry = {**row.checklist[code], "photos": [*row.checklist[code].get("photos", ()), photo]}
    return _change(session, actor, row, checklist={**row.checklist, code: entry})


def sign(
    session: Session,
    actor: Actor,
    inspection_id: int,
    *,
    conclusion: str,
    inspector_side: str,
    producer_side: str,
    opinion: str = "",
    today: dt.date,
    version: int | None = None,
) -> Inspection:
    """Close the visit with minutes that both sides signed, under a number that is never given again.

    Every point must be answered, and every point not kept explained by a remark. Raises InspectionError or Outdated.
    """
    row = inspected(session, actor, inspection_id, "visiting")
    check_version(row, version)
    open_points = [p for p in points(row) if p.answer is None]
    if open_points:
        raise InspectionError("Còn %(n)s mục chưa đánh dấu: %(points)s.", n=len(open_points),
                              points="; ".join(p.title for p in open_points[:3]))  # fmt: skip
    silent = [p.title for p in points(row) if p.answer == "not_kept" and not p.remark]
    if silent:
        raise InspectionError("Hãy ghi rõ vì sao không đạt: %(points)s.", points="; ".join(silent[:3]))
    if not (conclusion.strip() and inspector_side.strip() and producer_side.strip()):
        raise InspectionError("Biên bản cần kết luận và người ký của cả hai bên.")
    before = audit.snapshot(row)
    number = next_number(session, f"BBKT-{row.year}")
    row.minutes_number, row.conclusion = f"{number:03d}/BB-KT-{row.year}", conclusion.strip()
    row.checklist = {
        **row.checklist,
        MINUTES: {
            "inspector_side": inspector_side.strip(),
            "producer_side": producer_side.strip(),
            "opinion": opinion.strip(),
            "signed_on": today.isoformat(),
            "findings": [f.id for f in row.findings],
        },
    }
    row.state = "visited" if any(f.verified_on is None for f in row.findings) else "closed"
    touch(session, actor, row, before)
    return row


def propose_revocation(
    session: Session, actor: Actor, inspection_id: int, *, reason: str, text: str
) -> Inspection:
    """Propose to revoke the product's certificate, on the ground of signed minutes. Raises InspectionError."""
    row = inspected(session, actor, inspection_id, "visited", "closed")
    if reason not in codes.code_list("revocation_reason") or not text.strip():
        raise InspectionError("Hãy chọn lý do thu hồi theo Điều 8 và ghi nội dung vi phạm.")
    minutes = {**minutes_of(row), "proposal": {"reason": reason, "text": text.strip(), "by": actor.name}}
    return _change(session, actor, row, checklist={**row.checklist, MINUTES: minutes})


def points(row: Inspection) -> list[Point]:
    """The checklist in its order."""
    found = []
    for code, entry in row.checklist.items():
        if code == MINUTES:
            continue
        general = general_points().get(code, {})
        answer = None
        if entry.get("applies") is False:
            answer = "not_applicable"
        elif entry.get("met") is not None:
            answer = "kept" if entry["met"] else "not_kept"
        title = str(entry.get("title") or general.get("vi") or code)
        basis = str(entry.get("basis") or general.get("basis", ""))
        photos = tuple(entry.get("photos", ()))
        found.append(Point(code, title, basis, answer, str(entry.get("remark", "")), photos))
    return found


def minutes_of(row: Inspection) -> dict[str, Any]:
    """What both sides signed: inspector_side, producer_side, opinion, signed_on, proposal."""
    return dict(row.checklist.get(MINUTES) or {})


@functools.cache
def general_points() -> dict[str, dict[str, str]]:
    """Read the points that every visit checks, by code."""
    with (FOLDER / "checklist.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


def settle(session: Session, actor: Actor, row: Inspection) -> None:
    """Close a visit whose findings have all been verified."""
    session.flush()
    left = sa.select(Finding.id).where(Finding.inspection_id == row.id, Finding.verified_on.is_(None))
    if row.state == "visited" and session.scalars(left).first() is None:
        _change(session, actor, row, state="closed")


# ---- details


def _must_inspect(actor: Actor) -> None:
    if not inspects(actor):
        raise NotYours("Chỉ thanh tra và cán bộ tỉnh lập và ghi cuộc kiểm tra.")


def _new(product: Product, kind: str, year: int, state: str) -> Inspection:
    return Inspection(
        product_id=product.id, producer_id=product.producer_id, commune_id=product.commune_id, kind=kind,
        year=year, state=state, reasons=[], checklist={}, samples=[],
    )  # fmt: skip


def _keep(session: Session, actor: Actor, row: Inspection) -> Inspection:
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "inspections", row.id, "insert", after=audit.snapshot(row))
    return row


def _change(session: Session, actor: Actor, row: Inspection, **values: Any) -> Inspection:
    before = audit.snapshot(row)
    for name, value in values.items():
        setattr(row, name, value)
    touch(session, actor, row, before)
    return row


def _take_up_reports(session: Session, actor: Actor, product_id: int, visit: Inspection) -> None:
    """Reports about a product are dealt with by the visit that is planned because of them."""
    query = sa.select(Inspection).where(
        Inspection.product_id == product_id, Inspection.state == "reported", Inspection.id != visit.id
    )
    for row in session.scalars(query):
        _change(session, actor, row, state="closed", reasons=[{"key": "taken_up", "inspection": visit.id}])


def _checklist(session: Session, row: Inspection, today: dt.date) -> dict[str, Any]:
    found = {code: {"title": p["vi"], "basis": p["basis"]} for code, p in general_points().items()}
    standards = sa.select(ProductStandard).where(
        ProductStandard.product_id == row.product_id, ProductStandard.replaced_on.is_(None)
    )
    for one in session.scalars(standards.order_by(ProductStandard.id)):
        found[f"standard:{one.id}"] = {"title": f"{one.code} {one.title}", "basis": "Tiêu chuẩn của sản phẩm"}
    for criterion in _gates(session, row, today):
        title = f"{criterion.code} {criterion.name}"
        found[f"criterion:{criterion.code}"] = {"title": title, "basis": "Tiêu chí tối thiểu của hạng sao"}
    return {code: {**entry, "applies": None, "met": None, "remark": ""} for code, entry in found.items()}


def _gates(session: Session, row: Inspection, today: dt.date) -> list[criteria.Criterion]:
    """The criteria that the product's star rests on, in the edition and set in which it was recognised."""
    product = row.product
    if product is None or not product.stars:
        return []
    held = certificates.in_force(session, product.id, today)
    dossier = session.get(Dossier, held.dossier_id) if held is not None and held.dossier_id else None
    try:
        if dossier is not None:
            one = criteria.edition(dossier.edition).set(dossier.set_number)
        else:
            one = criteria.edition_at(today).set(product.product_set)
    except criteria.CriteriaError:
        return []
    return [c for c in one.criteria.values() if any(star <= product.stars for star in c.minima)]
