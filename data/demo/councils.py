"""The demonstration's council of nine: one session that is over, counted by the real rules, and one to come."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from data.demo import names
from data.demo.dice import Dice
from data.demo.dossiers import Folder
from data.demo.journeys import FIRST_DAY, NEXT_SESSION_DAY, SESSION_DAY, YEAR, moment
from data.demo.ledger import Ledger
from data.demo.opinions import opinions
from data.programme.ballots import SUBMITTED, seal
from data.programme.councils import CHAIR, DEPUTY, MEMBER, SECRETARY
from data.programme.criteria import Edition, ProductSet, edition_at
from data.programme.scoresheet import sheet
from data.programme.scoring import Ballot, count, mark
from data.programme.tables import AgendaItem, BallotPaper, Council, CouncilMember, CouncilSession

SEATS = (
    ("Lãnh đạo UBND tỉnh", CHAIR),
    ("Sở Nông nghiệp và Môi trường", DEPUTY),
    ("Sở Công Thương", MEMBER),
    ("Sở Y tế", MEMBER),
    ("Sở Khoa học và Công nghệ", MEMBER),
    ("Sở Văn hóa, Thể thao và Du lịch", MEMBER),
    ("Cơ quan tham mưu OCOP tỉnh", MEMBER),
    ("Hội Nông dân tỉnh", MEMBER),
    ("Chuyên gia tư vấn", MEMBER),
    ("Văn phòng điều phối", SECRETARY),
)
_NUMBER_BASE = 5000
_NATIONAL, _NOT_CERTIFIED = 5, 2


def write_council(
    ledger: Ledger, folders: Sequence[Folder], rounds: dict[tuple[int, int], int]
) -> dict[int, dict[str, Any]]:
    """Write the council with its two sessions; return the results by dossier."""
    (council,) = ledger.write(
        Council,
        [
            {
                "name": f"Hội đồng OCOP tỉnh Minh Hoạ năm {YEAR}",
                "level": "province",
                "kind": "council",
                "composition": "province-2026",
                "round_id": rounds[YEAR, 2],
                "decision_number": f"MH-100/QĐ-UBND-{YEAR}",
                "decision_date": FIRST_DAY,
                "dissolved_on": None,
                "rules": {},
            }
        ],
    )
    members = ledger.write(CouncilMember, _members(council))
    judged = [folder for folder in folders if folder.journey.day("scored")]
    waiting = [folder for folder in folders if folder.journey.status == "awaiting_council"]
    voting = members[:-1]
    papers = [_judge(folder, len(voting)) for folder in judged]
    done, planned = ledger.write(CouncilSession, _sessions(council, members))
    items = ledger.write(
        AgendaItem,
        [
            _item(done, k, folder, result)
            for k, (folder, (_, result)) in enumerate(zip(judged, papers, strict=True))
        ]
        + [_item(planned, k, folder, None) for k, folder in enumerate(waiting)],
    )
    ledger.write(
        BallotPaper,
        [
            _paper(item, member, product_set_of(folder), ballot)
            for item, folder, (ballots, _) in zip(items, judged, papers, strict=False)
            for member, ballot in zip(voting, ballots, strict=True)
        ],
    )
    return {folder.id: result for folder, (_, result) in zip(judged, papers, strict=True)}


def _members(council: int) -> list[dict[str, Any]]:
    dice = Dice("council")
    return [
        {
            "council_id": council,
            "account_id": None,
            "name": names.person(dice, _NUMBER_BASE + position),
            "title": None,
            "agency": f"{agency} (minh hoạ)",
            "role": role,
            "votes": role != SECRETARY,
            "position": position,
            "left_on": None,
        }
        for position, (agency, role) in enumerate(SEATS)
    ]


def _sessions(council: int, members: Sequence[int]) -> list[dict[str, Any]]:
    place = "Phòng họp minh hoạ, UBND tỉnh"
    text = "Phiên họp minh hoạ: đủ thành viên, chấm điểm từng sản phẩm theo bộ tiêu chí năm 2026."
    common = {"council_id": council, "mode": "meeting", "place": place}
    return [
        {
            **common,
            "starts_at": moment(SESSION_DAY, 1),
            "state": "closed",
            "present": list(members),
            "minutes": {"text": text},
            "closed_at": moment(SESSION_DAY, 10),
        },
        {
            **common,
            "starts_at": moment(NEXT_SESSION_DAY, 1),
            "state": "planned",
            "present": [],
            "minutes": None,
            "closed_at": None,
        },
    ]


def _item(session: int, position: int, folder: Folder, result: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "session_id": session,
        "dossier_id": folder.id,
        "version_number": folder.versions,
        "position": position,
        "state": "waiting" if result is None else "closed",
        "turn": 1,
        "discussion": None,
        "result": result,
    }


# ---- judging


def product_set_of(folder: Folder) -> ProductSet:
    """The criteria by which a dossier is judged."""
    return _edition().set(folder.row["set_number"])


def _edition() -> Edition:
    return edition_at(FIRST_DAY)


def _stars(folder: Folder) -> int:
    """The star that the story of a product needs."""
    path = {status for status, _ in folder.journey.path}
    if "to_ministry" in path:
        return _NATIONAL
    if path & {"not_reached", "rejected"}:
        return _NOT_CERTIFIED
    return int(folder.good.facts["stars"] or 3)


def _judge(folder: Folder, members: int) -> tuple[list[Ballot], dict[str, Any]]:
    """The members' ballots for a product, and what they come to."""
    dice, one = Dice(f"ballots {folder.good.id}"), product_set_of(folder)
    chosen = opinions(dice, _edition(), one, _stars(folder), members)
    rejected: frozenset[str] = frozenset()
    if folder.journey.status == "rejected":
        rejected = frozenset({next(rule.criterion or "" for rule in one.rules if rule.kind == "reject")})
    ballots = [Ballot(choices, rejected) for choices in chosen]
    return ballots, sheet(count(_edition(), one, ballots))


def _paper(item: int, member: int, one: ProductSet, ballot: Ballot) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item_id": item,
        "member_id": member,
        "turn": 1,
        "state": SUBMITTED,
        "choices": dict(ballot.choices),
        "notes": {},
        "rejected": sorted(ballot.rejected),
        "stopped": [],
        "opinion": None,
        "total": mark(one, ballot).total,
        "submitted_at": moment(SESSION_DAY, 4),
        "reopened_reason": None,
    }
    ballot_row: Any = SimpleNamespace(**row)
    return {**row, "sha256": seal(ballot_row)}
