"""The ministry's level: what is sent for five stars, that it was received, and what came back.

Decision 26/2026/QĐ-TTg, articles 6.3 and 7.4. The facts are kept with the dossier's remarks, under one name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from data import audit
from data.accounts import Actor
from data.programme import participations
from data.programme.certificates import CertificateError, must_decide
from data.programme.forms import TOURISM_SET, forms
from data.programme.participations import check_version, touch
from data.programme.tables import Dossier

REMARKS = "ministry"
OPEN_STATUSES = ("scored", "to_ministry", "at_ministry", "returned_by_ministry")
DAYS = ("sent_on", "received_on", "returned_on")
PROVINCIAL_STARS = (3, 4)

#: What article 6.3 does not ask for again where a product is evaluated anew.
NOT_FOR_RE_EVALUATION = frozenset({"council_report", "decision"})


def wanted(dossier: Dossier) -> list[tuple[str, str]]:
    """List the documents that go to the ministry with a dossier: (key, title)."""
    left_out = NOT_FOR_RE_EVALUATION if dossier.kind == "re_evaluation" else frozenset()
    if dossier.edition != "2019" and dossier.set_number == TOURISM_SET:
        left_out |= {"samples"}
    return [(key, title) for key, title in forms().to_ministry if key not in left_out]


def facts(dossier: Dossier) -> dict[str, Any]:
    """Return what is kept of the way to the ministry and back, with its days as dates."""
    kept = dict(dossier.remarks.get(REMARKS) or {})
    for name in DAYS:
        if kept.get(name):
            kept[name] = dt.date.fromisoformat(kept[name])
    return kept


def keep_sent(
    session: Session,
    actor: Actor,
    dossier_id: int,
    *,
    sent: Sequence[str],
    letter_number: str | None,
    sent_on: dt.date | None,
    version: int | None = None,
) -> Dossier:
    """Keep which documents are sent, under which letter. Raises CertificateError or Outdated."""
    row = _at(session, actor, dossier_id, OPEN_STATUSES)
    check_version(row, version)
    known = dict(wanted(row))
    unknown = [key for key in sent if key not in known]
    if unknown:
        raise CertificateError("Danh mục trình Trung ương không có “%(items)s”.", items=", ".join(unknown))
    return _keep(
        session,
        actor,
        row,
        sent=[key for key in known if key in sent],
        letter_number=(letter_number or "").strip() or None,
        sent_on=sent_on.isoformat() if sent_on else None,
    )


def receive(
    session: Session, actor: Actor, dossier_id: int, received_on: dt.date, *, number: str | None = None
) -> Dossier:
    """Note that the ministry received the dossier. Raises CertificateError where documents are still missing."""
    row = _at(session, actor, dossier_id, ("to_ministry",))
    sent = facts(row).get("sent", [])
    missing = [title for key, title in wanted(row) if key not in sent]
    if missing:
        raise CertificateError("Hồ sơ trình Trung ương còn thiếu: %(items)s.", items="; ".join(missing))
    _keep(
        session,
        actor,
        row,
        received_on=received_on.isoformat(),
        received_number=(number or "").strip() or None,
    )
    participations.move(session, actor, row.participation_id, "at_ministry")
    return row


def send_back(
    session: Session,
    actor: Actor,
    dossier_id: int,
    *,
    reason: str,
    returned_on: dt.date,
    stars: int | None = None,
    points: float | None = None,
) -> Dossier:
    """Note that the ministry returned the dossier, with its own result if it gave one. Raises CertificateError."""
    row = _at(session, actor, dossier_id, ("at_ministry",))
    if not reason.strip():
        raise CertificateError("Hãy ghi lý do Trung ương trả về.")
    if stars is not None and stars not in range(1, 5):
        raise CertificateError("Kết quả trả về của Trung ương là từ 1 đến 4 sao.")
    _keep(
        session,
        actor,
        row,
        returned_on=returned_on.isoformat(),
        reason=reason.strip(),
        stars=stars,
        points=points,
    )
    participations.move(session, actor, row.participation_id, "returned_by_ministry", reason=reason.strip())
    return row


def central_stars(dossier: Dossier) -> int | None:
    """Return the stars of the ministry's result by which the province may recognise, or None."""
    stars = facts(dossier).get("stars")
    return stars if stars in PROVINCIAL_STARS else None


def evaluate_again(session: Session, actor: Actor, dossier_id: int, reason: str) -> Dossier:
    """Put a returned dossier before the province's council again; the first result stays. Raises CertificateError."""
    row = _at(session, actor, dossier_id, ("returned_by_ministry",))
    participations.move(session, actor, row.participation_id, "awaiting_council", reason=reason.strip())
    return row


def _at(session: Session, actor: Actor, dossier_id: int, statuses: Sequence[str]) -> Dossier:
    must_decide(actor)
    row = session.get(Dossier, dossier_id, with_for_update=True)
    if row is None or row.participation.status not in statuses:
        raise CertificateError("Hồ sơ không ở bước này của cấp Trung ương.")
    return row


def _keep(session: Session, actor: Actor, row: Dossier, **kept: Any) -> Dossier:
    before = audit.snapshot(row)
    row.remarks = {**row.remarks, REMARKS: {**(row.remarks.get(REMARKS) or {}), **kept}}
    touch(session, actor, row, before)
    return row
