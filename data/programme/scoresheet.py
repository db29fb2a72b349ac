"""A result as plain values, for programs, pages and documents alike."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from data.programme import scoring
from data.programme.criteria import Criterion, defects_of_set
from data.programme.scoring import Ballot, BallotError, Blocker, Marks, Result

DISPLAYED_DECIMALS = 2


def sheet(result: Result) -> dict[str, Any]:
    """Return points per criterion, section and part, average, spread, band, ceiling, stars and blockers.

    Means are over the ballots; `average` is exact as far as a double goes, `average_shown` is rounded for display.
    """
    ballots = [_ballot(m) for m in result.marks]
    one = result.product_set
    return {
        "edition": result.edition.edition,
        "set": one.number,
        "name": one.name,
        "ballots": ballots,
        "criteria": {code: _number(result.mean(code)) for code in one.criteria},
        "sections": {s.code: _mean([m.sections[s.code] for m in result.marks]) for s in one.sections},
        "parts": {p.code: _mean([m.parts[p.code] for m in result.marks]) for p in one.parts},
        "average": _number(result.average),
        "average_shown": round(float(result.average), DISPLAYED_DECIMALS),
        "spread": result.spread,
        "band": result.band,
        "ceiling": result.ceiling,
        "stars": result.stars,
        "rejected": result.is_rejected,
        "stopped": result.is_stopped,
        "blockers": [_blocker(b) for b in result.blockers],
        "unmet": {str(star): [b.criterion.code for b in found] for star, found in result.unmet.items()},
        "next_star": [
            {"criterion": s.criterion.code, "from": s.points_from, "to": s.points_to, "minimum": s.required}
            for s in scoring.way_up(result)
        ],
        "defects": [str(d) for d in defects_of_set(one)],
    }


def read_ballot(document: Any) -> Ballot:
    """Read a ballot: `{code: index}`, or `{"choices": {code: index}, "rejected": [code], "stopped": [code]}`.

    Raises BallotError for anything else.
    """
    if not isinstance(document, dict):
        raise BallotError("Mỗi phiếu phải là một đối tượng JSON {mã tiêu chí: thứ tự mức đã chọn}.")
    if "choices" not in document:
        return Ballot(document)
    choices = document["choices"]
    rejected, stopped = document.get("rejected", []), document.get("stopped", [])
    if not isinstance(choices, dict) or not isinstance(rejected, list) or not isinstance(stopped, list):
        raise BallotError("Mỗi phiếu phải là một đối tượng JSON {mã tiêu chí: thứ tự mức đã chọn}.")
    return Ballot(choices, frozenset(map(str, rejected)), frozenset(map(str, stopped)))


def _ballot(marks: Marks) -> dict[str, Any]:
    return {
        "criteria": dict(marks.points),
        "sections": dict(marks.sections),
        "parts": dict(marks.parts),
        "total": marks.total,
        "missing": list(marks.missing),
        "locked": sorted(marks.locked),
        "stopped": marks.stop.text if marks.stop else None,
        "rejected": [r.text for r in marks.rejections],
    }


def _blocker(blocker: Blocker) -> dict[str, Any]:
    return {
        "criterion": blocker.criterion.code,
        "name": blocker.criterion.name,
        "star": blocker.star,
        "needed": blocker.needed,
        "option": _option_of(blocker.criterion, blocker.needed),
        "ballots_for": blocker.ballots_for,
        "ballots": blocker.ballots,
    }


def _option_of(criterion: Criterion, points: int) -> str:
    return next(o.label for o in criterion.options if o.points == points)


def _mean(values: list[int]) -> float | int:
    return _number(Fraction(sum(values), len(values)))


def _number(value: Fraction) -> float | int:
    return value.numerator if value.denominator == 1 else float(value)
