"""The advisory group: dossiers given to its members, their surveys, remarks and advice, and who may read them.

Decision 26/2026/QĐ-TTg, article 7.3: the group reviews, surveys in the field, asks for further tests and reports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import EDITORS_OF_ALL, Actor
from data.base import now
from data.programme import scoring
from data.programme.councils import CouncilError, must_manage
from data.programme.dossiers import product_set
from data.programme.participations import SOURCE, check_version, touch
from data.programme.tables import AdvisoryReport, Council, CouncilMember, Dossier

ADVISED_STATUSES = ("received", "advisory", "returned_by_province", "awaiting_council")
TEST_FACTS = ("name", "asked_on", "laboratory", "result")


class AdviceError(CouncilError):
    """A report of the advisory group cannot be kept like this."""


@dataclass(frozen=True)
class Advice:
    """What the advisory group says of one criterion; `option` counts from 0, None without advice."""

    criterion: str
    option: int | None
    points: int | None
    remark: str
    by: str


# ---- giving dossiers out


def advisers(session: Session) -> list[CouncilMember]:
    """List the seated members of the advisory groups."""
    query = (
        sa.select(CouncilMember)
        .join(Council, Council.id == CouncilMember.council_id)
        .where(Council.kind == "advisory", Council.dissolved_on.is_(None), CouncilMember.left_on.is_(None))
    )
    return list(session.scalars(query.order_by(CouncilMember.council_id.desc(), CouncilMember.position)))


def assign(session: Session, actor: Actor, dossier_id: int, member_id: int) -> AdvisoryReport:
    """Give a dossier to a member of an advisory group; doing so twice changes nothing. Raises AdviceError."""
    must_manage(actor)
    dossier, member = session.get(Dossier, dossier_id), session.get(CouncilMember, member_id)
    if dossier is None or dossier.participation.status not in ADVISED_STATUSES:
        raise AdviceError("Hồ sơ không ở bước Tổ tư vấn thẩm tra.")
    if member is None or member.left_on is not None or member.council.kind != "advisory":
        raise AdviceError("Hãy chọn một thành viên của Tổ tư vấn.")
    row = session.scalar(
        sa.select(AdvisoryReport).where(
            AdvisoryReport.dossier_id == dossier_id, AdvisoryReport.member_id == member_id
        )
    )
    if row is None:
        row = AdvisoryReport(
            dossier_id=dossier_id,
            member_id=member_id,
            account_id=member.account_id,
            remarks={},
            choices={},
            tests=[],
        )
        session.add(row)
        session.flush()
        audit.write(session, actor, SOURCE, "advisory_reports", row.id, "insert", after=audit.snapshot(row))
    return row


def reports(session: Session, actor: Actor, *, dossier_id: int | None = None) -> list[AdvisoryReport]:
    """List the reports that the actor writes or oversees: those still to be finished first."""
    query = sa.select(AdvisoryReport)
    if actor.role not in EDITORS_OF_ALL:
        query = query.where(AdvisoryReport.account_id == actor.account_id, _is_somebody(actor))
    if dossier_id is not None:
        query = query.where(AdvisoryReport.dossier_id == dossier_id)
    rows = session.scalars(query.order_by(AdvisoryReport.id))
    return sorted(rows, key=lambda r: (r.finished_at is not None, r.id))


def report_seen(session: Session, actor: Actor, report_id: int) -> AdvisoryReport:
    """Return a report that the actor writes or oversees. Raises AdviceError."""
    row = session.get(AdvisoryReport, report_id)
    if row is None or not (actor.role in EDITORS_OF_ALL or _is_author(actor, row)):
        raise AdviceError("Không có báo cáo thẩm tra này trong phần việc của bạn.")
    return row


# ---- writing


def save(
    session: Session,
    actor: Actor,
    report_id: int,
    *,
    survey: str | None = None,
    surveyed_on: dt.date | None = None,
    remarks: Mapping[str, str] | None = None,
    choices: Mapping[str, int | None] | None = None,
    tests: Sequence[Mapping[str, str]] | None = None,
    conclusion: str | None = None,
    version: int | None = None,
) -> AdvisoryReport:
    """Keep what was found; only what is given changes. Raises AdviceError, Outdated or BallotError."""
    row = _open(session, actor, report_id)
    check_version(row, version)
    before = audit.snapshot(row)
    if survey is not None:
        row.survey = survey.strip() or None
    if surveyed_on is not None:
        row.surveyed_on = surveyed_on
    if remarks is not None:
        _known(session, row, remarks)
        row.remarks = {code: text for code, text in {**row.remarks, **remarks}.items() if text.strip()}
    if choices is not None:
        merged = {**row.choices, **choices}
        kept = {code: index for code, index in merged.items() if index is not None}
        scoring.mark(product_set(session, row.dossier), scoring.Ballot(kept))
        row.choices = kept
    if tests is not None:
        row.tests = [
            {fact: str(test.get(fact, "")).strip() for fact in TEST_FACTS}
            for test in tests
            if str(test.get("name", "")).strip()
        ]
    if conclusion is not None:
        row.conclusion = conclusion.strip() or None
    touch(session, actor, row, before)
    return row


def finish(session: Session, actor: Actor, report_id: int, *, version: int | None = None) -> AdvisoryReport:
    """Hand the report to the council. Raises AdviceError or Outdated."""
    row = _open(session, actor, report_id)
    check_version(row, version)
    if not row.conclusion:
        raise AdviceError("Hãy ghi kết luận trước khi hoàn thành báo cáo.")
    waiting = [t["name"] for t in row.tests if not t["result"]]
    if waiting:
        raise AdviceError("Chưa có kết quả của: %(tests)s.", tests=", ".join(waiting))
    before = audit.snapshot(row)
    row.finished_at = now()
    touch(session, actor, row, before)
    return row


def reopen(session: Session, actor: Actor, report_id: int, reason: str) -> AdvisoryReport:
    """Let a finished report be changed again while the council has not begun. Raises AdviceError."""
    must_manage(actor)
    row = report_seen(session, actor, report_id)
    if row.finished_at is None or row.dossier.participation.status not in ADVISED_STATUSES:
        raise AdviceError("Báo cáo này không mở lại được.")
    if not reason.strip():
        raise AdviceError("Hãy nêu lý do mở lại báo cáo.")
    before = audit.snapshot(row)
    row.finished_at = None
    touch(session, actor, row, before, reason=reason.strip())
    return row


# ---- reading


def finished(session: Session, dossier_id: int) -> list[AdvisoryReport]:
    """List the finished reports on a dossier, the oldest first."""
    query = sa.select(AdvisoryReport).where(
        AdvisoryReport.dossier_id == dossier_id, AdvisoryReport.finished_at.is_not(None)
    )
    return list(session.scalars(query.order_by(AdvisoryReport.finished_at, AdvisoryReport.id)))


def advice(session: Session, dossier: Dossier) -> dict[str, Advice]:
    """What the finished reports say of each criterion; where they differ, the one finished last."""
    one = product_set(session, dossier)
    found: dict[str, Advice] = {}
    for row in finished(session, dossier.id):
        for code in one.criteria:
            option, remark = row.choices.get(code), row.remarks.get(code, "")
            if option is None and not remark:
                continue
            points = None if option is None else one.criteria[code].options[option].points
            found[code] = Advice(code, option, points, remark, row.member.name)
    return found


# ---- details


def _open(session: Session, actor: Actor, report_id: int) -> AdvisoryReport:
    row = session.scalar(sa.select(AdvisoryReport).where(AdvisoryReport.id == report_id).with_for_update())
    if row is None or not _is_author(actor, row):
        raise AdviceError("Báo cáo do thành viên Tổ tư vấn được giao hồ sơ này ghi.")
    if row.finished_at is not None:
        raise AdviceError("Báo cáo đã hoàn thành nên không sửa được; cán bộ tỉnh mở lại được khi có lý do.")
    if row.dossier.participation.status not in ADVISED_STATUSES:
        raise AdviceError("Hội đồng đã chấm hồ sơ này nên báo cáo không sửa được.")
    return row


def _known(session: Session, row: AdvisoryReport, codes: Mapping[str, Any]) -> None:
    one = product_set(session, row.dossier)
    unknown = [code for code in codes if code not in one.criteria]
    if unknown:
        raise AdviceError("Bộ sản phẩm không có tiêu chí %(criterion)s.", criterion=", ".join(unknown))


def _is_author(actor: Actor, row: AdvisoryReport) -> bool:
    return row.account_id is not None and row.account_id == actor.account_id and row.member.left_on is None


def _is_somebody(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.true() if actor.account_id is not None else sa.false()
