"""Ballots: drafted on any device, locked when submitted, reopened only with a reason, counted into a result.

A ballot is one row for one member, product and turn, held unique by the database, so that two devices or a retried
request cannot double it; what was submitted is known by its hash.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import EDITORS_OF_ALL, Actor
from data.base import now
from data.programme import ballot_checks, criteria, participations, scoresheet, scoring
from data.programme.ballot_checks import BallotRefused
from data.programme.councils import (
    MEETING,
    WRITTEN,
    CouncilError,
    bound,
    excluded,
    must_manage,
    session_of,
    voters,
)
from data.programme.dossiers import digest, product_set
from data.programme.participations import check_version, touch
from data.programme.tables import AgendaItem, BallotPaper, CouncilMember, CouncilSession

DRAFT, SUBMITTED, REOPENED, INVALID = "draft", "submitted", "reopened", "invalid"
EDITABLE = (DRAFT, REOPENED)


# ---- one member's ballot


def seat_of(session: Session, actor: Actor, item: AgendaItem) -> CouncilMember:
    """Return the seat from which the actor judges a product. Raises BallotRefused."""
    council = item.session.council
    seat = next(
        (m for m in voters(council) if m.account_id is not None and m.account_id == actor.account_id), None
    )
    if seat is None:
        raise BallotRefused("Bạn không phải thành viên chấm điểm của Hội đồng này.")
    if seat.id in excluded(session, item.dossier_id):
        raise BallotRefused("Bạn đã khai báo xung đột lợi ích với sản phẩm này nên không chấm.")
    return seat


def own_ballot(session: Session, actor: Actor, item_id: int) -> BallotPaper | None:
    """Return the actor's ballot for a product in its present turn, or None. Raises BallotRefused."""
    item = item_of(session, item_id)
    seat = seat_of(session, actor, item)
    return _ballot(session, item, seat)


def save(
    session: Session,
    actor: Actor,
    item_id: int,
    *,
    choices: Mapping[str, int | None] | None = None,
    notes: Mapping[str, str] | None = None,
    rejected: Sequence[str] | None = None,
    stopped: Sequence[str] | None = None,
    opinion: str | None = None,
    case: str | None = None,
    version: int | None = None,
) -> BallotPaper:
    """Keep a draft; only what is given changes, and a `case` drops the options of the other cases.

    Raises BallotRefused, Outdated or BallotError.
    """
    item = _open_item(session, item_id)
    seat = seat_of(session, actor, item)
    ballot = _ballot(session, item, seat, lock=True)
    if ballot is None:
        ballot = BallotPaper(
            item_id=item.id, member_id=seat.id, turn=item.turn, choices={}, notes={}, rejected=[], stopped=[]
        )
        session.add(ballot)
        session.flush()
    check_version(ballot, version)
    if ballot.state not in EDITABLE:
        raise BallotRefused("Phiếu đã nộp nên không sửa được; thư ký mở lại được khi có lý do.")
    before = audit.snapshot(ballot)
    if choices is not None:
        merged = {**ballot.choices, **choices}
        ballot.choices = {code: index for code, index in merged.items() if index is not None}
    if case:
        ballot.choices = ballot_checks.of_case(product_set(session, item.dossier), ballot.choices, case)
    if notes is not None:
        ballot.notes = {code: text for code, text in {**ballot.notes, **notes}.items() if text}
    if rejected is not None:
        ballot.rejected = list(rejected)
    if stopped is not None:
        ballot.stopped = list(stopped)
    if opinion is not None:
        ballot.opinion = opinion
    ballot.total = marks_of(session, item, ballot).total
    touch(session, actor, ballot, before)
    return ballot


def submit(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> BallotPaper:
    """Lock the actor's ballot; submitting it again changes nothing. Raises BallotRefused or Outdated."""
    item = _open_item(session, item_id)
    seat = seat_of(session, actor, item)
    ballot = _ballot(session, item, seat, lock=True)
    if ballot is None:
        raise BallotRefused("Bạn chưa chấm tiêu chí nào.")
    if ballot.state == SUBMITTED:
        return ballot
    check_version(ballot, version)
    marks = marks_of(session, item, ballot)
    if marks.missing and not marks.stop and not marks.rejections:
        raise BallotRefused("Còn tiêu chí chưa chấm: %(codes)s.", codes=", ".join(marks.missing))
    ballot_checks.check_cases(product_set(session, item.dossier), ballot)
    ballot_checks.check_notes(session, item, ballot, marks)
    if item.session.mode == WRITTEN and not (ballot.opinion or "").strip():
        raise BallotRefused("Hãy ghi ý kiến bằng văn bản của bạn.")
    before = audit.snapshot(ballot)
    ballot.total = marks.total
    ballot.state, ballot.submitted_at = SUBMITTED, now()
    ballot.sha256 = seal(ballot)
    touch(session, actor, ballot, before)
    return ballot


def seal(ballot: BallotPaper) -> str:
    """The hash by which a ballot is known once it is submitted."""
    return digest(
        {
            "item": ballot.item_id,
            "member": ballot.member_id,
            "turn": ballot.turn,
            "choices": ballot.choices,
            "notes": ballot.notes,
            "rejected": ballot.rejected,
            "stopped": ballot.stopped,
        }
    )


def reopen(session: Session, actor: Actor, ballot_id: int, reason: str) -> BallotPaper:
    """Let a member change a submitted ballot again; the trail keeps what it was. Raises CouncilError."""
    must_manage(actor)
    ballot = session.get(BallotPaper, ballot_id, with_for_update=True)
    if ballot is None or ballot.state != SUBMITTED:
        raise CouncilError("Không có phiếu đã nộp này.")
    if not reason.strip():
        raise CouncilError("Hãy nêu lý do mở lại phiếu.")
    if ballot.item.state == "closed":
        raise CouncilError("Kết quả của sản phẩm đã chốt nên phiếu không mở lại được.")
    before = audit.snapshot(ballot)
    ballot.state, ballot.reopened_reason, ballot.submitted_at = REOPENED, reason.strip(), None
    touch(session, actor, ballot, before, reason=reason.strip())
    return ballot


def marks_of(session: Session, item: AgendaItem, ballot: BallotPaper) -> scoring.Marks:
    """Count one ballot by the criteria that the dossier froze."""
    return scoring.mark(product_set(session, item.dossier), _as_ballot(ballot))


# ---- all ballots of a product


def submitted(item: AgendaItem) -> list[BallotPaper]:
    """List the ballots that count in the present turn."""
    return [b for b in item.ballots if b.turn == item.turn and b.state == SUBMITTED]


def awaited(session: Session, item: AgendaItem) -> list[CouncilMember]:
    """List the members whose ballot is still missing: those present, or all where opinions are written."""
    meeting = item.session
    away = excluded(session, item.dossier_id)
    done = {b.member_id for b in submitted(item)}
    there = voters(meeting.council)
    if meeting.mode == "meeting":
        there = [m for m in there if m.id in set(meeting.present)]
    return [m for m in there if m.id not in away and m.id not in done]


def result_of(session: Session, item: AgendaItem) -> scoring.Result | None:
    """Count what was submitted so far, or None before the first ballot."""
    papers = submitted(item)
    if not papers:
        return None
    dossier = item.dossier
    edition = criteria.edition(dossier.edition)
    return scoring.count(edition, product_set(session, dossier), [_as_ballot(b) for b in papers])


def needs_second_turn(item: AgendaItem, result: scoring.Result) -> bool:
    """Tell whether the totals lie too far apart, so that the council must discuss and judge again."""
    day = item.session.starts_at.date()
    return item.turn == 1 and result.spread > bound(item.session.council, "spread", day)


def second_turn(session: Session, actor: Actor, item_id: int, discussion: str) -> AgendaItem:
    """Begin the second ballot after a discussion; every member starts from their first one. Raises CouncilError."""
    must_manage(actor)
    item = _open_item(session, item_id)
    result = result_of(session, item)
    if result is None or awaited(session, item) or not needs_second_turn(item, result):
        raise CouncilError("Chỉ chấm lại khi đã đủ phiếu và điểm chênh lệch quá mức cho phép.")
    if not discussion.strip():
        raise CouncilError("Hãy ghi nội dung thảo luận trước khi chấm lại.")
    _begin_second(session, actor, item, discussion.strip())
    return item


def _begin_second(session: Session, actor: Actor, item: AgendaItem, discussion: str) -> None:
    before = audit.snapshot(item)
    first = submitted(item)
    item.turn, item.discussion = 2, discussion
    session.add_all(
        BallotPaper(
            item_id=item.id,
            member_id=b.member_id,
            turn=2,
            choices=b.choices,
            notes=b.notes,
            rejected=b.rejected,
            stopped=b.stopped,
            total=b.total,
        )
        for b in first
    )
    touch(session, actor, item, before)
    session.refresh(item)


def outlier(session: Session, item: AgendaItem, seat: CouncilMember) -> tuple[int, float] | None:
    """Return a member's first total and the mean, where they lie too far apart; only once the second turn began."""
    if item.turn < 2:
        return None
    first = [b for b in item.ballots if b.turn == 1 and b.state == SUBMITTED]
    own = next((b.total for b in first if b.member_id == seat.id), None)
    totals = [b.total for b in first if b.total is not None]
    if own is None or not totals:
        return None
    mean = sum(totals) / len(totals)
    far = abs(own - mean) > bound(item.session.council, "spread", item.session.starts_at.date())
    return (own, mean) if far else None


# ---- written opinions


def opinions_differ(session: Session, item: AgendaItem) -> bool:
    """Tell whether the written opinions on a product call for a meeting (article 7.6).

    They do when the members come to different stars, do not agree on a knock-out or a stop, or lie too far apart.
    """
    papers = submitted(item)
    result = result_of(session, item)
    if result is None:
        return False
    one, edition = result.product_set, result.edition
    alone = [scoring.count(edition, one, [_as_ballot(b)]) for b in papers]
    return needs_second_turn(item, result) or len({(r.stars, r.is_rejected, r.is_stopped) for r in alone}) > 1


def call_meeting(
    session: Session,
    actor: Actor,
    session_id: int,
    *,
    starts_at: dt.datetime,
    place: str | None = None,
    reason: str,
) -> CouncilSession:
    """Turn the gathering of written opinions into a meeting, where they differ. Raises CouncilError.

    Products on which the opinions differ are judged a second time there, each member from their first ballot.
    """
    must_manage(actor)
    meeting = session_of(session, session_id, lock=True)
    if meeting.mode != WRITTEN or meeting.state != "open":
        raise CouncilError("Phiên này không đang lấy ý kiến bằng văn bản.")
    waiting = [i for i in meeting.items if i.state == "open"]
    differing = [i for i in waiting if not awaited(session, i) and opinions_differ(session, i)]
    if not differing:
        raise CouncilError("Chỉ họp khi đã đủ ý kiến và các ý kiến khác nhau.")
    if not reason.strip():
        raise CouncilError("Hãy ghi điều các ý kiến khác nhau.")
    for item in differing:
        if item.turn == 1:
            _begin_second(session, actor, item, reason.strip())
    before = audit.snapshot(meeting)
    for item in waiting:
        item.state = "waiting"
    meeting.mode, meeting.state, meeting.starts_at, meeting.place = MEETING, "planned", starts_at, place
    touch(session, actor, meeting, before, reason=reason.strip())
    return meeting


def close_item(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> AgendaItem:
    """Count the ballots of a product for good and move it to “scored”. Raises CouncilError, Outdated."""
    must_manage(actor)
    item = _open_item(session, item_id)
    check_version(item, version)
    waiting = awaited(session, item)
    if waiting:
        raise CouncilError("Chưa có phiếu của: %(names)s.", names=", ".join(m.name for m in waiting))
    result = result_of(session, item)
    if result is None:
        raise CouncilError("Chưa có phiếu nào được nộp.")
    if needs_second_turn(item, result):
        raise CouncilError(
            "Điểm giữa các thành viên chênh %(spread)s điểm; phải thảo luận và chấm lại.",
            spread=result.spread,
        )
    if item.session.mode == WRITTEN and opinions_differ(session, item):
        raise CouncilError("Các ý kiến bằng văn bản khác nhau; phải họp Hội đồng (Điều 7.6).")
    _check_enough(item, len(result.marks))
    before = audit.snapshot(item)
    item.result = scoresheet.sheet(result)
    item.state = "closed"
    participations.move(session, actor, item.dossier.participation_id, "scored", by="system")
    touch(session, actor, item, before)
    return item


def close_session(session: Session, actor: Actor, item_session_id: int, minutes: Mapping[str, Any]) -> None:
    """End a session once every product is closed; the minutes keep who was there and what came out."""
    must_manage(actor)
    items = list(session.scalars(sa.select(AgendaItem).where(AgendaItem.session_id == item_session_id)))
    if not items or any(i.state != "closed" for i in items):
        raise CouncilError("Còn sản phẩm chưa chốt kết quả.")
    meeting = items[0].session
    before = audit.snapshot(meeting)
    meeting.state, meeting.closed_at = "closed", now()
    meeting.minutes = {**dict(minutes), "results": [{"item": i.id, **(i.result or {})} for i in items]}
    touch(session, actor, meeting, before)


# ---- details


def item_of(session: Session, item_id: int) -> AgendaItem:
    """Return a product on an agenda. Raises CouncilError."""
    item = session.get(AgendaItem, item_id)
    if item is None:
        raise CouncilError("Không có sản phẩm này trong chương trình họp.")
    return item


def sees_ballots(actor: Actor) -> bool:
    """Tell whether the actor sees the ballots of all members."""
    return actor.role in EDITORS_OF_ALL


def _open_item(session: Session, item_id: int) -> AgendaItem:
    query = sa.select(AgendaItem).where(AgendaItem.id == item_id).with_for_update()
    item = session.scalar(query)
    if item is None:
        raise CouncilError("Không có sản phẩm này trong chương trình họp.")
    if item.session.state != "open" or item.state != "open":
        raise BallotRefused("Phiên chấm chưa mở hoặc đã chốt kết quả.")
    return item


def _ballot(
    session: Session, item: AgendaItem, seat: CouncilMember, *, lock: bool = False
) -> BallotPaper | None:
    query = sa.select(BallotPaper).where(
        BallotPaper.item_id == item.id, BallotPaper.member_id == seat.id, BallotPaper.turn == item.turn
    )
    return session.scalar(query.with_for_update() if lock else query)


def _as_ballot(ballot: BallotPaper) -> scoring.Ballot:
    return scoring.Ballot(ballot.choices, frozenset(ballot.rejected), frozenset(ballot.stopped))


def _check_enough(item: AgendaItem, papers: int) -> None:
    council = item.session.council
    share = bound(council, "quorum", item.session.starts_at.date())
    seats = len(voters(council))
    if 100 * papers < share * seats:
        raise CouncilError(
            "Chỉ có %(papers)s phiếu hợp lệ của %(seats)s thành viên, chưa đủ %(share)s %%.",
            papers=papers,
            seats=seats,
            share=share,
        )
