"""Certificates of the demonstration: what each product shows, what came before it, what was revoked, reminders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from data.demo.dice import Dice
from data.demo.dossiers import Folder
from data.demo.journeys import Journey, moment
from data.demo.ledger import AS_OF, Ledger, add_months
from data.demo.products import VALID_MONTHS, Good
from data.programme.calendar import deadline
from data.programme.certificates import REMINDERS, CertificateState, state_of
from data.programme.criteria import edition, editions
from data.programme.tables import Certificate, Reminder

_POINTS = {3: (52.0, 68.0), 4: (71.0, 88.0), 5: (90.5, 97.0)}
_REPLACED, _REVOKED = 12, 2
#: Numbers of certificates that are over begin here, far from those in force.
_FORMER_NUMBER = 5000
_REVOKED_ON = (dt.date(2026, 2, 10), dt.date(2026, 3, 18))
_REVOCATIONS = (
    ("d", "In biểu trưng OCOP lên sản phẩm chưa được công nhận (minh hoạ)"),
    ("b", "Không duy trì kiểm nghiệm định kỳ (minh hoạ)"),
)


def write_certificates(
    ledger: Ledger,
    goods: Sequence[Good],
    journeys: Sequence[Journey],
    folders: Sequence[Folder],
    results: Mapping[int, dict[str, Any]],
) -> None:
    """Write a certificate for every certified product as its fields say, and some that are over."""
    dice = Dice("certificates")
    by_product = {folder.good.id: folder for folder in folders if folder.journey.day("recognised")}
    certified = [good for good in goods if good.facts["certified_on"]]
    rows = []
    for good in certified:
        folder = by_product.get(good.id)
        rows.append(_current(dice, good, folder, results.get(folder.id) if folder else None))
    ids = ledger.write(Certificate, rows)
    upgraded = [
        (good, key)
        for good, key in zip(certified, ids, strict=True)
        if good.facts["stars"] == 4 and good.facts["certified_on"].year >= 2025 and not good.is_draft
    ][:_REPLACED]
    mending = [j.good for j in journeys if j.status == "carrying_out" and j.good.facts["stars"] is None]
    former = [_replaced(dice, n, good, key) for n, (good, key) in enumerate(upgraded, 1)]
    former += [_revoked(dice, n, good) for n, good in enumerate(mending[:_REVOKED])]
    ledger.write(Certificate, former)
    ledger.write(Reminder, [row for key, row in zip(ids, rows, strict=True) for row in _reminders(key, row)])


def _current(
    dice: Dice, good: Good, folder: Folder | None, result: Mapping[str, Any] | None
) -> dict[str, Any]:
    facts = good.facts
    points = round(dice.between(*_POINTS[facts["stars"]]), 1)
    return {
        "product_id": good.id,
        "dossier_id": folder.id if folder else None,
        "stars": facts["stars"],
        "points": float(result["average"]) if result else points,
        "edition": folder.row["edition"] if folder else _edition_on_paper(facts["certified_on"]),
        "number": facts["certificate_number"],
        "decision_number": facts["decision_number"],
        "decision_date": facts["certified_on"],
        "issued_by": facts["certified_by"],
        "issued_on": facts["certified_on"],
        "expires_on": facts["expires_on"],
        **_ended(),
    }


def _ended(**facts: Any) -> dict[str, Any]:
    """How a certificate ended, if it did."""
    names = (
        "extended_to",
        "extension_reason",
        "replaced_by_id",
        "stopped_on",
        "revoked_on",
        "revocation_reason",
        "revocation_note",
        "revocation_decision",
        "concluded_on",
    )
    return {**dict.fromkeys(names), **facts}


def _edition_on_paper(day: dt.date) -> str | None:
    """The edition that was in force, where it is known here; decisions of June 2026 end rounds of the one before."""
    known = [edition(name) for name in editions()]
    return next(
        (e.edition for e in known if e.valid_to is not None and e.valid_from <= day <= e.valid_to), None
    )


def _before(dice: Dice, number: int, good: Good, issued: dt.date) -> dict[str, Any]:
    """An earlier certificate of three stars."""
    return {
        "product_id": good.id,
        "dossier_id": None,
        "stars": 3,
        "points": round(dice.between(*_POINTS[3]), 1),
        "edition": _edition_on_paper(issued),
        "number": f"MH-96-{issued.year}-{_FORMER_NUMBER + number:04d}",
        "decision_number": f"{dice.whole(100, 2900)}/QĐ-MH-{issued.year}",
        "decision_date": issued,
        "issued_by": "UBND tỉnh (minh hoạ)",
        "issued_on": issued,
        "expires_on": add_months(issued, VALID_MONTHS),
    }


def _replaced(dice: Dice, number: int, good: Good, by: int) -> dict[str, Any]:
    issued = add_months(good.facts["certified_on"], -dice.whole(12, 30))
    return {**_before(dice, number, good, issued), **_ended(replaced_by_id=by)}


def _revoked(dice: Dice, number: int, good: Good) -> dict[str, Any]:
    reason, note = _REVOCATIONS[number]
    day = _REVOKED_ON[number]
    ended = _ended(
        revoked_on=day,
        revocation_reason=reason,
        revocation_note=note,
        revocation_decision=f"{dice.whole(100, 900)}/QĐ-MH-{day.year}",
        concluded_on=day - dt.timedelta(days=8),
    )
    return {**_before(dice, 900 + number, good, dt.date(2024, 6, 20)), **ended}


def _reminders(key: int, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The reminders that were sent for a certificate up to the day of the demonstration."""
    if state_of(_as_certificate(row), AS_OF) not in (CertificateState.EXPIRING, CertificateState.LATE):
        return []
    left = (row["expires_on"] - AS_OF).days
    passed = [days for name in REMINDERS if left <= (days := deadline(name, AS_OF).number)]
    return [
        {
            "certificate_id": key,
            "days_before": days,
            "sent_at": moment(row["expires_on"] - dt.timedelta(days=days)),
            "answered_at": None,
            "answer": None,
        }
        for days in passed
    ]


def _as_certificate(row: Mapping[str, Any]) -> Any:
    return SimpleNamespace(**row)
