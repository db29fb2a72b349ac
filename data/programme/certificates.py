"""Decisions and certificates: a star by decision for 36 months, reminded of, extended, replaced, revoked.

Decision 26/2026/QĐ-TTg, articles 4, 7, 8 and 12. Every function that changes what a product shows returns the
product's new facts, which the caller writes through the one edit path in the same transaction.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import EDITORS_OF_ALL, Actor, visible
from data.base import now
from data.products import Product
from data.programme import criteria, participations
from data.programme.calendar import add_months, deadline
from data.programme.participations import SOURCE, touch
from data.programme.rights import seen
from data.programme.tables import AgendaItem, Certificate, Dossier, Participation, Reminder
from gis.errors import Refusal

NATIONAL = 5
REMINDERS = ("reminder_first", "reminder_second", "reminder_third")


class CertificateError(Refusal):
    """A decision or certificate cannot be recorded like this."""


class CertificateState(enum.StrEnum):
    """How a certificate stands on a day."""

    IN_FORCE = "in_force"
    EXPIRING = "expiring"
    LATE = "late"
    EXTENDED = "extended"
    EXPIRED = "expired"
    REPLACED = "replaced"
    STOPPED = "stopped"
    REVOKED = "revoked"


#: States in which a certificate holds no longer.
ENDED = frozenset(
    {
        CertificateState.REVOKED,
        CertificateState.REPLACED,
        CertificateState.STOPPED,
        CertificateState.EXPIRED,
    }
)


@dataclass(frozen=True)
class Due:
    """A reminder that should be sent, and for what."""

    certificate: Certificate
    days_before: int


def state_of(certificate: Certificate, today: dt.date) -> CertificateState:
    """Say how a certificate stands on a day."""
    if certificate.revoked_on is not None and certificate.revoked_on <= today:
        return CertificateState.REVOKED
    if certificate.replaced_by_id is not None:
        return CertificateState.REPLACED
    if certificate.stopped_on is not None and certificate.stopped_on <= today:
        return CertificateState.STOPPED
    if today > certificate.expires_on:
        within = certificate.extended_to is not None and today <= certificate.extended_to
        return CertificateState.EXTENDED if within else CertificateState.EXPIRED
    left = (certificate.expires_on - today).days
    if left < deadline("re_evaluation_latest", today).number:
        return CertificateState.LATE
    if left <= deadline("re_evaluation_earliest", today).number:
        return CertificateState.EXPIRING
    return CertificateState.IN_FORCE


def in_force(session: Session, product_id: int, today: dt.date) -> Certificate | None:
    """Return the certificate that a product holds on a day, extensions included."""
    query = sa.select(Certificate).where(Certificate.product_id == product_id)
    for row in session.scalars(query.order_by(Certificate.issued_on.desc(), Certificate.id.desc())):
        if row.issued_on <= today and state_of(row, today) not in ENDED:
            return row
    return None


def product_facts(certificate: Certificate | None) -> dict[str, Any]:
    """What a product shows of its certificate, or of having none."""
    names = ("stars", "certificate_number", "decision_number", "certified_on", "expires_on", "certified_by")
    if certificate is None:
        return dict.fromkeys(names)
    ends = certificate.extended_to or certificate.expires_on
    values = (
        certificate.stars,
        certificate.number,
        certificate.decision_number,
        certificate.issued_on,
        ends,
        certificate.issued_by,
    )
    return dict(zip(names, values, strict=True))


def result_of(session: Session, dossier_id: int) -> dict[str, Any] | None:
    """Return the closed result of a dossier, or None."""
    query = sa.select(AgendaItem.result).where(
        AgendaItem.dossier_id == dossier_id, AgendaItem.state == "closed"
    )
    return session.scalars(query.order_by(AgendaItem.id.desc())).first()


def decide(
    session: Session,
    actor: Actor,
    dossier_id: int,
    *,
    decision_number: str,
    decision_date: dt.date,
    issued_by: str,
    number: str | None = None,
    issued_on: dt.date | None = None,
    stars: int | None = None,
    points: float | None = None,
) -> tuple[Certificate, dict[str, Any]]:
    """Record the decision on a scored dossier; return the certificate and the product's new facts.

    Three and four stars are the province's, five the ministry's (`stars` and `points` are then the ministry's
    result, since the province only proposes). Raises CertificateError where the result has no right to a certificate.
    """
    must_decide(actor)
    dossier = session.get(Dossier, dossier_id)
    result = result_of(session, dossier_id)
    if dossier is None or result is None:
        raise CertificateError("Hồ sơ chưa có kết quả chấm đã chốt.")
    if not decision_number.strip():
        raise CertificateError("Hãy ghi số quyết định.")
    status = dossier.participation.status
    reached = (
        stars if stars is not None and status in ("at_ministry", "returned_by_ministry") else result["stars"]
    )
    central = dossier.remarks.get("ministry") or {}
    if status == "returned_by_ministry" and central.get("stars") and reached != central["stars"]:
        raise CertificateError("Kết quả của Trung ương là %(stars)s sao.", stars=central["stars"])
    least = criteria.edition(dossier.edition).certified_from_star
    if reached < least or result["rejected"]:
        raise CertificateError(
            "Kết quả %(stars)s sao không có quyết định và giấy chứng nhận (từ %(least)s sao).",
            stars=reached,
            least=least,
        )
    if reached == NATIONAL and status != "at_ministry":
        raise CertificateError("Hạng 5 sao do Bộ công nhận; hãy trình Trung ương.")
    if number and session.scalar(sa.select(Certificate.id).where(Certificate.number == number)):
        raise CertificateError("Số giấy chứng nhận %(number)s đã có.", number=number)
    day = issued_on or decision_date
    if day < decision_date:
        raise CertificateError("Ngày cấp không thể trước ngày quyết định.")
    before = in_force(session, dossier.product_id, day)
    row = Certificate(
        product_id=dossier.product_id,
        dossier_id=dossier.id,
        stars=reached,
        points=_points(status, points, central.get("points"), result["average"]),
        edition=dossier.edition,
        number=number or None,
        decision_number=decision_number.strip(),
        decision_date=decision_date,
        issued_by=issued_by.strip(),
        issued_on=day,
        expires_on=add_months(day, deadline("certificate_validity", day).number),
    )
    session.add(row)
    session.flush()
    if before is not None:
        before.replaced_by_id = row.id
        audit.write(
            session, actor, SOURCE, "certificates", before.id, "update", after={"replaced_by_id": row.id}
        )
    to = "recognised_national" if reached == NATIONAL else "recognised"
    participations.move(session, actor, dossier.participation_id, to, by="system")
    audit.write(session, actor, SOURCE, "certificates", row.id, "insert", after=audit.snapshot(row))
    return row, product_facts(row)


def _points(status: str, given: float | None, central: float | None, average: float) -> float:
    """The points of a certificate: the ministry's where it judged and told them, else the province's average."""
    told = given if given is not None else central
    return average if status == "scored" or told is None else told


def decline(session: Session, actor: Actor, dossier_id: int, *, reason: str | None = None) -> Participation:
    """Tell that a scored dossier reached one or two stars, or was rejected. Raises CertificateError."""
    must_decide(actor)
    dossier, result = session.get(Dossier, dossier_id), result_of(session, dossier_id)
    if dossier is None or result is None:
        raise CertificateError("Hồ sơ chưa có kết quả chấm đã chốt.")
    if result["rejected"]:
        why = reason or "; ".join(r for b in result["ballots"] for r in b["rejected"])
        return participations.move(
            session, actor, dossier.participation_id, "rejected", reason=why, by="system"
        )
    if result["stars"] >= criteria.edition(dossier.edition).certified_from_star:
        raise CertificateError(
            "Kết quả %(stars)s sao được công nhận, không phải không đạt.", stars=result["stars"]
        )
    return participations.move(
        session, actor, dossier.participation_id, "not_reached", reason=reason, by="system"
    )


def send_to_ministry(session: Session, actor: Actor, dossier_id: int) -> Participation:
    """Send a dossier of five stars on to the ministry. Raises CertificateError."""
    must_decide(actor)
    dossier, result = session.get(Dossier, dossier_id), result_of(session, dossier_id)
    if dossier is None or result is None or result["stars"] != NATIONAL:
        raise CertificateError("Chỉ trình Trung ương hồ sơ có kết quả 5 sao.")
    return participations.move(session, actor, dossier.participation_id, "to_ministry", by="system")


def revoke(
    session: Session,
    actor: Actor,
    certificate_id: int,
    *,
    reason: str,
    note: str,
    decision: str,
    concluded_on: dt.date,
    today: dt.date,
) -> tuple[Certificate, dict[str, Any], bool]:
    """Revoke a certificate (article 8); return it, the product's new facts, and whether the 15 days were kept.

    `reason` is a value of the code list `revocation_reason`. Raises CertificateError.
    """
    must_decide(actor)
    row = _certificate(session, certificate_id)
    if row.revoked_on is not None:
        raise CertificateError("Giấy chứng nhận đã bị thu hồi.")
    if reason not in codes.code_list("revocation_reason"):
        raise CertificateError("Hãy chọn lý do thu hồi theo Điều 8.")
    if not decision.strip() or not note.strip():
        raise CertificateError("Hãy ghi số quyết định thu hồi và nội dung vi phạm.")
    if concluded_on > today:
        raise CertificateError("Ngày kết luận không thể sau hôm nay.")
    before = audit.snapshot(row)
    row.revoked_on, row.revocation_reason = today, reason
    row.revocation_note, row.revocation_decision, row.concluded_on = (
        note.strip(),
        decision.strip(),
        concluded_on,
    )
    touch(session, actor, row, before, reason=note)
    in_time = (today - concluded_on).days <= deadline("revocation", today).number
    return row, product_facts(in_force(session, row.product_id, today)), in_time


def extend(
    session: Session, actor: Actor, certificate_id: int, *, to: dt.date, reason: str, today: dt.date
) -> tuple[Certificate, dict[str, Any]]:
    """Let a certificate go on while a re-evaluation is pending, at most 180 days past its end (article 12)."""
    must_decide(actor)
    row = _certificate(session, certificate_id)
    longest = row.expires_on + dt.timedelta(days=deadline("extension_longest", today).number)
    if not row.expires_on < to <= longest:
        raise CertificateError(
            "Gia hạn phải sau ngày %(end)s và không quá ngày %(longest)s.",
            end=row.expires_on.strftime("%d/%m/%Y"),
            longest=longest.strftime("%d/%m/%Y"),
        )
    pending = sa.select(Dossier.id).where(
        Dossier.product_id == row.product_id,
        Dossier.kind == "re_evaluation",
        Dossier.submitted_on.is_not(None),
        Dossier.submitted_on <= today,
    )
    if session.scalar(pending) is None:
        raise CertificateError("Chỉ gia hạn khi hồ sơ đánh giá lại đã nộp.")
    before = audit.snapshot(row)
    row.extended_to, row.extension_reason = to, reason.strip() or None
    touch(session, actor, row, before, reason=reason)
    return row, product_facts(in_force(session, row.product_id, today))


def stop_production(
    session: Session, actor: Actor, certificate_id: int, *, day: dt.date, today: dt.date
) -> tuple[Certificate, dict[str, Any]]:
    """Note that a product is no longer made. Raises CertificateError."""
    must_decide(actor)
    row = _certificate(session, certificate_id)
    before = audit.snapshot(row)
    row.stopped_on = day
    touch(session, actor, row, before)
    return row, product_facts(in_force(session, row.product_id, today))


# ---- reminders


def due_reminders(session: Session, today: dt.date) -> list[Due]:
    """List the reminders that are due and were not sent: one for each bound that a certificate has passed."""
    found = []
    days = [deadline(key, today).number for key in REMINDERS]
    horizon = today + dt.timedelta(days=max(days))
    query = sa.select(Certificate).where(Certificate.expires_on >= today, Certificate.expires_on <= horizon)
    for row in session.scalars(query.order_by(Certificate.expires_on)):
        if state_of(row, today) not in (CertificateState.EXPIRING, CertificateState.LATE):
            continue
        left = (row.expires_on - today).days
        passed = min(d for d in days if left <= d)
        sent = sa.select(Reminder.id).where(Reminder.certificate_id == row.id, Reminder.days_before == passed)
        if session.scalar(sent) is None:
            found.append(Due(row, passed))
    return found


def note_reminders(session: Session, actor: Actor, due: list[Due]) -> None:
    """Keep that reminders were sent."""
    for one in due:
        row = Reminder(certificate_id=one.certificate.id, days_before=one.days_before, sent_at=now())
        session.add(row)
        session.flush()
        audit.write(session, actor, SOURCE, "reminders", row.id, "insert")


def of_product(session: Session, actor: Actor, product_id: int) -> list[Certificate]:
    """List the certificates of a product that the actor sees, newest first."""
    query = (
        sa.select(Certificate)
        .join(Product, Product.id == Certificate.product_id)
        .where(Certificate.product_id == product_id, visible(actor, Product))
    )
    return list(session.scalars(query.order_by(Certificate.issued_on.desc(), Certificate.id.desc())))


def register(
    session: Session, actor: Actor, today: dt.date, *, state: str | None = None
) -> list[tuple[Certificate, CertificateState]]:
    """List the certificates of products that the actor sees in the programme, those that end first first."""
    query = (
        sa.select(Certificate).join(Product, Product.id == Certificate.product_id).where(seen(actor, Product))
    )
    rows = [(row, state_of(row, today)) for row in session.scalars(query.order_by(Certificate.expires_on))]
    return [pair for pair in rows if state is None or pair[1] == state]


def certificate_seen(session: Session, actor: Actor, certificate_id: int) -> Certificate:
    """Return a certificate that the actor sees in the programme. Raises CertificateError."""
    query = (
        sa.select(Certificate)
        .join(Product, Product.id == Certificate.product_id)
        .where(Certificate.id == certificate_id, seen(actor, Product))
    )
    row = session.scalar(query)
    if row is None:
        raise CertificateError("Không có giấy chứng nhận số %(id)s.", id=certificate_id)
    return row


def _certificate(session: Session, certificate_id: int) -> Certificate:
    row = session.get(Certificate, certificate_id, with_for_update=True)
    if row is None:
        raise CertificateError("Không có giấy chứng nhận số %(id)s.", id=certificate_id)
    return row


def must_decide(actor: Actor) -> None:
    """Refuse everybody who does not record decisions. Raises CertificateError."""
    if actor.role not in EDITORS_OF_ALL:
        raise CertificateError("Quyết định do cán bộ tỉnh ghi nhận.")
