"""Councils: who sits on them, their sessions with agenda and quorum, and conflicts of interest.

Composition rules and bounds are reference data; a council's own regulation may override quorum and spread.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import EDITORS_OF_ALL, Account, Actor
from data.base import now
from data.programme.calendar import FOLDER, deadline, working_days_between
from data.programme.participations import SOURCE, touch
from data.programme.tables import (
    AgendaItem,
    ConflictOfInterest,
    Council,
    CouncilMember,
    CouncilSession,
    Dossier,
)
from data.text import fold
from gis.errors import Refusal, Sentence

CHAIR, DEPUTY, SECRETARY, MEMBER = "chair", "deputy", "secretary", "member"
ROLES = (CHAIR, DEPUTY, SECRETARY, MEMBER)
WRITTEN, MEETING = "written", "meeting"


class CouncilError(Refusal):
    """A council cannot be set up or work like this."""


class QuorumMissing(CouncilError):
    """Too few members are there."""


@dataclass(frozen=True)
class Composition:
    """Who must sit on a council of a kind, and how many."""

    composition: str
    level: str
    title: Mapping[str, str]
    least: int | None
    most: int | None
    valid_from: dt.date
    valid_to: dt.date | None
    basis: str
    chair: str
    required: tuple[str, ...]
    advised: tuple[int, int] | None = None


@functools.cache
def compositions() -> Mapping[str, Composition]:
    """Read the composition rules from their reference file."""
    return {
        d["composition"]: Composition(
            composition=d["composition"],
            level=d["level"],
            title={"vi": d["vi"], "en": d["en"]},
            least=d["least"],
            most=d["most"],
            valid_from=dt.date.fromisoformat(d["valid_from"]),
            valid_to=dt.date.fromisoformat(d["valid_to"]) if d["valid_to"] else None,
            basis=d["basis"],
            chair=d["chair"]["vi"],
            required=tuple(s["vi"] for s in d["seats"] if s["required"]),
            advised=(d["advised_least"], d["advised_most"]) if "advised_least" in d else None,
        )
        for d in orjson.loads((FOLDER / "compositions.json").read_bytes())
    }


# ---- setting up


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    composition: str,
    decision_number: str | None,
    decision_date: dt.date | None,
    round_id: int | None = None,
    rules: Mapping[str, Any] | None = None,
) -> Council:
    """Set up a council under a composition rule. Raises CouncilError."""
    must_manage(actor)
    rule = compositions().get(composition)
    if rule is None:
        raise CouncilError("Không có quy tắc thành phần “%(composition)s”.", composition=composition)
    if rules and rules.get("note_over") is not None and not rules.get("show_advice"):
        raise CouncilError("Chỉ bắt ghi chú khi chấm khác Tổ tư vấn nếu thành viên được xem ý kiến của Tổ.")
    day = decision_date or rule.valid_from
    if day < rule.valid_from or (rule.valid_to is not None and day > rule.valid_to):
        raise CouncilError(
            "Quy tắc “%(title)s” không có hiệu lực vào ngày %(day)s.",
            title=rule.title["vi"],
            day=day.strftime("%d/%m/%Y"),
        )
    row = Council(
        name=name.strip() or rule.title["vi"],
        level=rule.level,
        kind="advisory" if composition == "advisory" else "council",
        composition=composition,
        round_id=round_id,
        decision_number=decision_number,
        decision_date=decision_date,
        rules=dict(rules or {}),
    )
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "councils", row.id, "insert", after=audit.snapshot(row))
    return row


def add_member(
    session: Session,
    actor: Actor,
    council_id: int,
    *,
    name: str,
    agency: str,
    role: str = MEMBER,
    title: str | None = None,
    account_id: int | None = None,
    votes: bool | None = None,
) -> CouncilMember:
    """Seat somebody; a secretary has no vote unless it is said. Raises CouncilError."""
    must_manage(actor)
    council = council_of(session, council_id)
    if role not in ROLES:
        raise CouncilError("Không có vai trò “%(role)s” trong Hội đồng.", role=role)
    seated = [m for m in council.members if m.left_on is None]
    if role == CHAIR and any(m.role == CHAIR for m in seated):
        raise CouncilError("Hội đồng đã có chủ tịch.")
    if account_id is not None:
        if session.get(Account, account_id) is None:
            raise CouncilError("Không có tài khoản số %(id)s.", id=account_id)
        if any(m.account_id == account_id for m in seated):
            raise CouncilError("Người này đã là thành viên Hội đồng.")
    row = CouncilMember(
        council_id=council.id,
        account_id=account_id,
        name=name.strip(),
        title=title,
        agency=agency.strip(),
        role=role,
        votes=role != SECRETARY if votes is None else votes,
        position=len(council.members),
    )
    session.add(row)
    session.flush()
    session.refresh(council)
    audit.write(session, actor, SOURCE, "council_members", row.id, "insert", after=audit.snapshot(row))
    return row


def remove_member(session: Session, actor: Actor, member_id: int, day: dt.date) -> None:
    """Let a member leave; ballots that they submitted stay. Raises CouncilError."""
    must_manage(actor)
    member = session.get(CouncilMember, member_id)
    if member is None or member.left_on is not None:
        raise CouncilError("Không có thành viên này.")
    member.left_on = day
    session.flush()
    audit.write(
        session, actor, SOURCE, "council_members", member.id, "update", after={"left_on": day.isoformat()}
    )


def faults(council: Council) -> list[Sentence]:
    """Name what the composition rule finds wrong, in plain words."""
    rule = compositions()[council.composition]
    seated = [m for m in council.members if m.left_on is None]
    voting = voters(council)
    found = []
    if rule.least is not None and len(voting) < rule.least:
        found.append(
            Sentence(
                "cần ít nhất %(least)s thành viên chấm điểm, đang có %(count)s",
                {"least": rule.least, "count": len(voting)},
            )
        )
    if rule.most is not None and len(voting) > rule.most:
        found.append(
            Sentence(
                "có nhiều nhất %(most)s thành viên chấm điểm, đang có %(count)s",
                {"most": rule.most, "count": len(voting)},
            )
        )
    if not any(m.role == CHAIR for m in seated):
        found.append(Sentence("chưa có chủ tịch"))
    if council.kind == "council" and not any(m.role == SECRETARY for m in seated):
        found.append(Sentence("chưa có thư ký"))
    agencies = [fold(m.agency) for m in seated]
    found += [
        Sentence("chưa có đại diện %(seat)s", {"seat": seat})
        for seat in rule.required
        if not any(fold(seat) in a for a in agencies)
    ]
    return found


def voters(council: Council) -> list[CouncilMember]:
    """List the seated members who judge."""
    return [m for m in council.members if m.votes and m.left_on is None]


def council_of(session: Session, council_id: int) -> Council:
    """Return a council. Raises CouncilError."""
    council = session.get(Council, council_id)
    if council is None:
        raise CouncilError("Không có Hội đồng số %(id)s.", id=council_id)
    return council


def bound(council: Council, key: str, day: dt.date) -> int:
    """Return a bound such as `quorum` or `spread`: the council's own, else what holds on the day."""
    own = council.rules.get(key)
    return int(own) if own is not None else deadline(key, day).number


def permits(council: Council, key: str) -> bool:
    """Tell whether the council's regulation permits something: `show_advice` or `show_own_scores`."""
    return bool(council.rules.get(key))


def must_manage(actor: Actor) -> None:
    """Refuse everybody who does not run the province's councils. Raises CouncilError."""
    if actor.role not in EDITORS_OF_ALL:
        raise CouncilError("Việc này do thư ký hoặc cán bộ tỉnh thực hiện.")


# ---- sessions


def plan_session(
    session: Session,
    actor: Actor,
    council_id: int,
    *,
    starts_at: dt.datetime,
    place: str | None = None,
    mode: str = MEETING,
    dossier_ids: Sequence[int] = (),
) -> CouncilSession:
    """Plan a session with its agenda; each product is judged by the dossier version that is now the last.

    Raises CouncilError.
    """
    must_manage(actor)
    council = council_of(session, council_id)
    if mode not in (MEETING, WRITTEN):
        raise CouncilError("Không có hình thức họp “%(mode)s”.", mode=mode)
    row = CouncilSession(
        council_id=council.id, starts_at=starts_at, place=place, mode=mode, present=[], minutes=None
    )
    session.add(row)
    session.flush()
    for dossier_id in dossier_ids:
        add_item(session, actor, row.id, dossier_id)
    audit.write(session, actor, SOURCE, "council_sessions", row.id, "insert", after=audit.snapshot(row))
    session.refresh(row)
    return row


def add_item(session: Session, actor: Actor, session_id: int, dossier_id: int) -> AgendaItem:
    """Put a product on the agenda. Raises CouncilError."""
    must_manage(actor)
    meeting = session_of(session, session_id)
    if meeting.state == "closed":
        raise CouncilError("Phiên họp đã kết thúc.")
    dossier = session.get(Dossier, dossier_id)
    if dossier is None or not dossier.versions:
        raise CouncilError("Không có hồ sơ đã nộp số %(id)s.", id=dossier_id)
    if dossier.participation.status != "awaiting_council":
        raise CouncilError("Hồ sơ “%(product)s” chưa ở bước chờ Hội đồng.", product=dossier.product.name)
    if meeting.mode == WRITTEN and dossier.kind != "re_evaluation":
        raise CouncilError(
            "Chỉ lấy ý kiến bằng văn bản với hồ sơ đánh giá lại; “%(product)s” phải họp Hội đồng.",
            product=dossier.product.name,
        )
    others = sa.select(AgendaItem.id).where(AgendaItem.dossier_id == dossier_id, AgendaItem.state != "closed")
    if session.scalar(others) is not None:
        raise CouncilError("Sản phẩm “%(product)s” đã có trong một phiên họp.", product=dossier.product.name)
    row = AgendaItem(
        session_id=meeting.id,
        dossier_id=dossier_id,
        version_number=dossier.versions[-1].number,
        position=len(meeting.items),
    )
    session.add(row)
    session.flush()
    session.refresh(meeting)
    audit.write(session, actor, SOURCE, "agenda_items", row.id, "insert", after=audit.snapshot(row))
    return row


def open_session(
    session: Session, actor: Actor, session_id: int, present: Sequence[int], *, version: int | None = None
) -> CouncilSession:
    """Open a session with the members who are there. Raises QuorumMissing or CouncilError."""
    must_manage(actor)
    meeting = session_of(session, session_id, lock=True)
    if meeting.state == "closed":
        raise CouncilError("Phiên họp đã kết thúc.")
    council = meeting.council
    wrong = faults(council)
    if wrong:
        raise CouncilError("Thành phần Hội đồng chưa đúng: %(items)s.", items=tuple(wrong))
    there = [m for m in voters(council) if m.id in set(present)]
    if meeting.mode == MEETING:
        _check_quorum(council, there, meeting.starts_at.date())
    before = audit.snapshot(meeting)
    meeting.present = [m.id for m in council.members if m.id in set(present) and m.left_on is None]
    meeting.state = "open"
    for item in meeting.items:
        if item.state == "waiting":
            item.state = "open"
    touch(session, actor, meeting, before)
    return meeting


def _check_quorum(council: Council, there: Sequence[CouncilMember], day: dt.date) -> None:
    all_voters, share = voters(council), bound(council, "quorum", day)
    if 100 * len(there) < share * len(all_voters):
        raise QuorumMissing(
            "Có mặt %(there)s trong %(all)s thành viên, chưa đủ %(share)s %%; phiên họp không hợp lệ.",
            there=len(there),
            all=len(all_voters),
            share=share,
        )
    if not any(m.role in (CHAIR, DEPUTY) for m in there):
        raise QuorumMissing("Phiên họp phải có chủ tịch hoặc phó chủ tịch Hội đồng.")


def session_of(session: Session, session_id: int, *, lock: bool = False) -> CouncilSession:
    """Return a session of a council. Raises CouncilError."""
    query = sa.select(CouncilSession).where(CouncilSession.id == session_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise CouncilError("Không có phiên họp số %(id)s.", id=session_id)
    return row


def short_notice(meeting: CouncilSession, day: dt.date) -> bool:
    """Tell whether the members would get the dossiers later than the rule asks."""
    needed = deadline("dossier_to_members", day).number
    return working_days_between(day, meeting.starts_at.date()) < needed


# ---- conflicts of interest


def declare_conflict(
    session: Session, actor: Actor, member_id: int, dossier_id: int, reason: str
) -> ConflictOfInterest:
    """Keep a member away from a product; the member says so, or the secretary. Raises CouncilError."""
    member = session.get(CouncilMember, member_id)
    if member is None:
        raise CouncilError("Không có thành viên này.")
    if actor.role not in EDITORS_OF_ALL and member.account_id != actor.account_id:
        raise CouncilError("Bạn chỉ khai báo được cho chính mình.")
    if not reason.strip():
        raise CouncilError("Hãy nêu lý do xung đột lợi ích.")
    row = session.scalar(
        sa.select(ConflictOfInterest).where(
            ConflictOfInterest.member_id == member_id, ConflictOfInterest.dossier_id == dossier_id
        )
    )
    if row is None:
        row = ConflictOfInterest(member_id=member_id, dossier_id=dossier_id)
        session.add(row)
    row.reason, row.declared_by, row.declared_at, row.withdrawn_at = reason.strip(), actor.name, now(), None
    session.flush()
    audit.write(session, actor, SOURCE, "conflicts_of_interest", row.id, "declare", after=audit.snapshot(row))
    return row


def excluded(session: Session, dossier_id: int) -> frozenset[int]:
    """Return the ids of the members who do not judge a dossier."""
    query = sa.select(ConflictOfInterest.member_id).where(
        ConflictOfInterest.dossier_id == dossier_id, ConflictOfInterest.withdrawn_at.is_(None)
    )
    return frozenset(session.scalars(query))
