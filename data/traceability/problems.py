"""What buyers report: numbered, on the desk of the officer of the place, answered where only the reporter reads it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import PUBLIC, Actor, visible
from data.base import DRAFT, now
from data.media import Photo
from data.products import Product
from data.programme.participations import check_version, touch
from data.traceability import recording
from data.traceability.duties import in_charge, row_in_charge, rule
from data.traceability.lots import Lot
from data.traceability.tables import ProblemReport
from gis.errors import Refusal

SOURCE = "problems"
TABLE = "problem_reports"
NEW, TAKEN, ANSWERED, CLOSED = "new", "taken", "answered", "closed"
OPEN = (NEW, TAKEN)
FOOD_SAFETY = "food_safety"
LONGEST_TEXT, LONGEST_CONTACT = 4_000, 200
SHORTEST_TEXT = 5
MOST_PHOTOS = 3
KEY_LENGTH = 24


class ProblemError(Refusal):
    """A report cannot be taken or handled like this."""


# ---- reporting


def report(
    session: Session,
    *,
    kind: str,
    text: str,
    contact: str = "",
    lot_id: int | None = None,
    product_id: int | None = None,
    uri: str | None = None,
    photos: Sequence[Photo] = (),
) -> ProblemReport:
    """Take a buyer's report of a published lot or product under a number. Raises ProblemError.

    `photos` are pictures that are stored already; they are kept for the officers alone, without their position.
    """
    if kind not in codes.code_list("problem_kind"):
        raise ProblemError("Hãy chọn loại vấn đề.")
    if len(text.strip()) < SHORTEST_TEXT:
        raise ProblemError("Hãy kể vấn đề bằng vài lời.")
    if len(text) > LONGEST_TEXT or len(contact) > LONGEST_CONTACT:
        raise ProblemError("Nội dung quá dài; hãy viết không quá %(most)s ký tự.", most=LONGEST_TEXT)
    if len(photos) > MOST_PHOTOS:
        raise ProblemError("Nhận không quá %(most)s ảnh.", most=MOST_PHOTOS)
    lot = session.scalar(sa.select(Lot).where(Lot.id == lot_id, visible(PUBLIC, Lot))) if lot_id else None
    product_id = lot.product_id if lot else product_id
    product = session.scalar(sa.select(Product).where(Product.id == product_id, visible(PUBLIC, Product)))
    if (lot_id and lot is None) or (product_id and product is None):
        raise ProblemError("Không có lô hoặc sản phẩm này.")
    about = lot or product
    row = ProblemReport(
        number=f"moi-{secrets.token_hex(8)}",
        uri=uri,
        lot_id=lot.id if lot else None,
        product_id=product.id if product else None,
        producer_id=about.producer_id if about else None,
        commune_id=about.commune_id if about else None,
        kind=kind,
        text=text.strip(),
        contact=contact.strip() or None,
        media=[photo.sha256 for photo in photos] or None,
    )
    session.add(row)
    session.flush()
    row.number = f"VD-{now().year}-{row.id:05d}"
    for position, photo in enumerate(photos):
        photo.table_name, photo.row_id, photo.position, photo.status = TABLE, row.id, position, DRAFT
        photo.longitude = photo.latitude = None
        session.add(photo)
    session.flush()
    audit.write(session, PUBLIC, SOURCE, TABLE, row.id, "insert", after={"number": row.number, "kind": kind})
    return row


def key_of(number: str, secret: str) -> str:
    """Return what a reporter must know besides the number to read the answer."""
    digest = hmac.new(secret.encode(), f"problem report\n{number}".encode(), hashlib.sha256)
    return digest.hexdigest()[:KEY_LENGTH]


def by_key(session: Session, number: str, key: str, secret: str) -> ProblemReport | None:
    """Return the report of a number to whoever has its key."""
    if not hmac.compare_digest(key_of(number, secret).encode(), key.encode()):
        return None
    return session.scalar(sa.select(ProblemReport).where(ProblemReport.number == number))


# ---- handling


def all_of(
    session: Session, actor: Actor, *, state: str | None = None, limit: int = 200
) -> list[ProblemReport]:
    """List the reports of the actor's territory: open ones first, those that are due first among them."""
    query = sa.select(ProblemReport).where(in_charge(actor, ProblemReport))
    if state:
        query = query.where(ProblemReport.state == state)
    rows = session.scalars(query.order_by(ProblemReport.id.desc()).limit(limit))
    return sorted(
        rows, key=lambda row: (row.state not in OPEN, due_on(row) if row.state in OPEN else dt.date.max)
    )


def waiting(session: Session, actor: Actor) -> list[ProblemReport]:
    """List the reports of the actor's territory that have no answer yet, oldest first."""
    query = sa.select(ProblemReport).where(in_charge(actor, ProblemReport), ProblemReport.state.in_(OPEN))
    return list(session.scalars(query.order_by(ProblemReport.id)))


def seen(session: Session, actor: Actor, report_id: int) -> ProblemReport:
    """Return a report of the actor's territory. Raises NotYours."""
    return row_in_charge(session, actor, ProblemReport, report_id)


def due_on(row: ProblemReport) -> dt.date:
    """Return the day by which a report should be answered; food safety cannot wait."""
    days = rule("food_safety_days" if row.kind == FOOD_SAFETY else "answer_days")
    return (row.created_at or now()).date() + dt.timedelta(days=days)


def take(session: Session, actor: Actor, report_id: int, *, version: int | None = None) -> ProblemReport:
    """Note that somebody looks after a report. Raises NotYours, Outdated or ProblemError."""
    return _move(session, actor, report_id, TAKEN, (NEW, ANSWERED, CLOSED), version)


def answer(
    session: Session, actor: Actor, report_id: int, text: str, *, version: int | None = None
) -> ProblemReport:
    """Answer the reporter, who reads it under the key. Raises NotYours, Outdated or ProblemError."""
    if len(text.strip()) < SHORTEST_TEXT:
        raise ProblemError("Hãy ghi câu trả lời cho người báo.")
    return _move(session, actor, report_id, ANSWERED, (NEW, TAKEN, ANSWERED), version, answer=text.strip())


def close(
    session: Session, actor: Actor, report_id: int, *, reason: str, version: int | None = None
) -> ProblemReport:
    """Close a report: what came of it goes into the audit trail. Raises NotYours, Outdated or ProblemError."""
    if not reason.strip():
        raise ProblemError("Hãy ghi kết quả hoặc lý do kết thúc.")
    return _move(session, actor, report_id, CLOSED, (NEW, TAKEN, ANSWERED), version, reason=reason.strip())


def write_into_dossier(session: Session, actor: Actor, report_id: int) -> None:
    """Write a report into the dossier of its lot as a complaint, which outsiders never see.

    Raises NotYours, ProblemError or what capturing raises.
    """
    row = row_in_charge(session, actor, ProblemReport, report_id, lock=True)
    lot = session.get(Lot, row.lot_id) if row.lot_id else None
    if lot is None:
        raise ProblemError("Báo cáo này không nói về một lô.")
    values = {
        "receivedOn": (row.created_at or now()).date().isoformat(),
        "text": f"{row.number}: {row.text}",
        **({"contact": row.contact} if row.contact else {}),
        **({"answer": row.answer} if row.answer else {}),
    }
    # The number of the entry comes from the report, so that the same report is never entered twice.
    entry = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:ocop:problem:{row.number}")
    recording.record(session, actor, lot.id, "complaint", values, entry=entry)
    audit.write(session, actor, SOURCE, TABLE, row.id, "complaint", after={"lot_id": lot.id})


def photos_of(session: Session, row: ProblemReport) -> list[Photo]:
    """List the pictures of a report, for somebody who may see it."""
    query = sa.select(Photo).where(Photo.table_name == TABLE, Photo.row_id == row.id)
    return list(session.scalars(query.order_by(Photo.position)))


def _move(
    session: Session,
    actor: Actor,
    report_id: int,
    to: str,
    allowed: tuple[str, ...],
    version: int | None,
    *,
    answer: str | None = None,
    reason: str | None = None,
) -> ProblemReport:
    row = row_in_charge(session, actor, ProblemReport, report_id, lock=True)
    check_version(row, version)
    if row.state not in allowed:
        raise ProblemError(
            "Báo cáo %(number)s đang ở tình trạng “%(state)s”.",
            number=row.number,
            state=codes.label("problem_state", row.state),
        )
    before = audit.snapshot(row)
    row.state, row.handled_by, row.handled_at = to, actor.name, now()
    if answer is not None:
        row.answer = answer
    touch(session, actor, row, before, reason=reason)
    return row
