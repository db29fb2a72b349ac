"""What a ballot must have before it is submitted, beyond a choice for every criterion."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from data.programme import advice, criteria, scoring
from data.programme.councils import CouncilError, permits
from data.programme.tables import AgendaItem, BallotPaper


class BallotRefused(CouncilError):
    """A ballot cannot be kept or submitted like this."""


def of_case(one: criteria.ProductSet, choices: Mapping[str, int], case: str) -> dict[str, int]:
    """Keep the choices that belong to a case, or to none."""
    kept = {}
    for code, index in choices.items():
        options = one.criteria[code].options if code in one.criteria else ()
        key = options[index].case_key if 0 <= index < len(options) else None
        if key is None or key == case:
            kept[code] = index
    return kept


def check_cases(one: criteria.ProductSet, ballot: BallotPaper) -> None:
    """Refuse a ballot that mixes the cases of a set. Raises BallotRefused."""
    chosen = {code: one.criteria[code].options[index].case_key for code, index in ballot.choices.items()}
    if len({key for key in chosen.values() if key}) > 1:
        raise BallotRefused(
            "Các tiêu chí %(codes)s phải chấm theo cùng một trường hợp.",
            codes=", ".join(code for code, key in chosen.items() if key),
        )


def check_notes(session: Session, item: AgendaItem, ballot: BallotPaper, marks: scoring.Marks) -> None:
    """Ask for a note wherever a member departs too far from advice that the regulation lets them see.

    Raises BallotRefused.
    """
    council = item.session.council
    most = council.rules.get("note_over")
    if most is None or marks.rejections or not permits(council, "show_advice"):
        return
    unexplained = [
        a.criterion
        for a in advice.advice(session, item.dossier).values()
        if a.points is not None
        and a.criterion not in marks.locked
        and abs(marks.points.get(a.criterion, 0) - a.points) > int(most)
        and not ballot.notes.get(a.criterion)
    ]
    if unexplained:
        raise BallotRefused(
            "Hãy ghi chú vì sao chấm lệch quá %(most)s điểm so với Tổ tư vấn ở tiêu chí %(codes)s.",
            most=most,
            codes=", ".join(unexplained),
        )
