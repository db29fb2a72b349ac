"""Scoring: ballots into points, points into a band, minima into a ceiling, and both into stars.

The final star is the lower one of the band of the unrounded average and of the highest star whose minima are all
met (Decision 26/2026/QĐ-TTg, articles 3 and 4; Annex II). Points are whole numbers, so averages are kept as
fractions: nothing is rounded before it is banded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from data.programme.criteria import Band, Criterion, Edition, ProductSet, Rule
from gis.errors import Refusal

LOWEST_CEILING = 2
HIGHEST_STAR = 5


class BallotError(Refusal):
    """A ballot cannot be counted."""


@dataclass(frozen=True)
class Ballot:
    """One member's choices, {criterion code: index of the option}, and the rules of the set that they declare broken.

    `rejected` and `stopped` hold the codes of criteria under which a knock-out or a stop was declared; a knock-out
    of the dossier as a whole is declared with the empty code.
    """

    choices: Mapping[str, int]
    rejected: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Marks:
    """What one ballot comes to."""

    points: Mapping[str, int]
    locked: frozenset[str]
    missing: tuple[str, ...]
    stop: Rule | None
    rejections: tuple[Rule, ...]
    sections: Mapping[str, int]
    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The sum of all points that count."""
        return sum(self.points.values())


@dataclass(frozen=True)
class Blocker:
    """A criterion that keeps a product from a star: the points it needs there, and how many ballots gave them."""

    star: int
    criterion: Criterion
    needed: int
    ballots_for: int
    ballots: int


@dataclass(frozen=True)
class Step:
    """Raising one criterion to an option, on the way to the next star."""

    criterion: Criterion
    points_from: int
    points_to: int
    required: bool


@dataclass(frozen=True)
class Result:
    """What all valid ballots come to together."""

    edition: Edition
    product_set: ProductSet
    marks: tuple[Marks, ...]

    @cached_property
    def average(self) -> Fraction:
        """The unrounded mean of the totals."""
        return Fraction(sum(m.total for m in self.marks), len(self.marks))

    @property
    def spread(self) -> int:
        """How far the highest total lies above the lowest."""
        totals = [m.total for m in self.marks]
        return max(totals) - min(totals)

    @property
    def band(self) -> int:
        """The star of the average alone."""
        return band_of(self.edition.bands, self.average)

    @cached_property
    def unmet(self) -> dict[int, list[Blocker]]:
        """For each star the minima of its own that a majority of the ballots does not give."""
        stars = range(LOWEST_CEILING + 1, HIGHEST_STAR + 1)
        return {star: self._unmet(star) for star in stars}

    @cached_property
    def ceiling(self) -> int:
        """The highest star whose minima, and those of all lower stars, are met."""
        ceiling = LOWEST_CEILING
        for star, blockers in self.unmet.items():
            if blockers:
                break
            ceiling = star
        return ceiling

    @property
    def stars(self) -> int:
        """The final star; 0 when a majority of the members struck the dossier out."""
        return 0 if self.is_rejected else min(self.band, self.ceiling)

    @property
    def is_rejected(self) -> bool:
        """Tell whether a majority of the ballots declares a knock-out."""
        return 2 * sum(bool(m.rejections) for m in self.marks) > len(self.marks)

    @property
    def is_stopped(self) -> bool:
        """Tell whether a majority of the ballots ended the evaluation before its end."""
        return 2 * sum(m.stop is not None for m in self.marks) > len(self.marks)

    @property
    def blockers(self) -> list[Blocker]:
        """The criteria that keep the ceiling where it is."""
        return self.unmet.get(self.ceiling + 1, [])

    def mean(self, code: str) -> Fraction:
        """The mean points of a criterion."""
        return Fraction(sum(m.points.get(code, 0) for m in self.marks), len(self.marks))

    def _unmet(self, star: int) -> list[Blocker]:
        found = []
        for criterion in self.product_set.criteria.values():
            needed = criterion.minima.get(star)
            if needed is None:
                continue
            given = sum(m.points.get(criterion.code, 0) >= needed for m in self.marks)
            if 2 * given <= len(self.marks):
                found.append(Blocker(star, criterion, needed, given, len(self.marks)))
        return found


def band_of(bands: Sequence[Band], average: Fraction | int) -> int:
    """The star whose half-open range holds an average."""
    return max(b.star for b in bands if average >= b.start)


def mark(product_set: ProductSet, ballot: Ballot) -> Marks:
    """Count one ballot. Raises BallotError for an unknown criterion or option."""
    criteria = product_set.criteria
    chosen: dict[str, int] = {}
    for code, index in ballot.choices.items():
        criterion = criteria.get(code)
        if criterion is None:
            raise BallotError(
                "Bộ %(set)s không có tiêu chí “%(criterion)s” để chấm.",
                set=product_set.number,
                criterion=code,
            )
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(criterion.options):
            raise BallotError(
                "Tiêu chí %(criterion)s của bộ %(set)s có các mức từ 0 đến %(last)s, không có mức “%(index)s”.",
                set=product_set.number,
                criterion=code,
                last=len(criterion.options) - 1,
                index=index,
            )
        chosen[code] = criterion.options[index].points
    stop, locked = _stop(product_set, ballot, chosen)
    locked |= {
        r.criterion
        for r in product_set.rules
        if r.kind == "depends" and r.criterion and r.on in chosen and chosen[r.on] == 0
    }
    points = {
        code: 0 if code in locked else chosen[code] for code in criteria if code in chosen or code in locked
    }
    sections = {s.code: sum(points.get(c.code, 0) for c in s.judged) for s in product_set.sections}
    return Marks(
        points=points,
        locked=frozenset(locked),
        missing=tuple(code for code in criteria if code not in points),
        stop=stop,
        rejections=tuple(
            r for r in product_set.rules if r.kind == "reject" and (r.criterion or "") in ballot.rejected
        ),
        sections=sections,
        parts={p.code: sum(sections[s.code] for s in p.sections) for p in product_set.parts},
    )


def _stop(product_set: ProductSet, ballot: Ballot, chosen: Mapping[str, int]) -> tuple[Rule | None, set[str]]:
    """The first rule that ends the evaluation, and the criteria that are locked by it."""
    for rule in product_set.rules:
        if rule.kind != "stop" or rule.criterion is None:
            continue
        if rule.criterion in ballot.stopped:
            return rule, _after(product_set, rule.criterion)
        if rule.when == "zero" and any(chosen.get(code) == 0 for code in rule.among):
            return rule, _after(product_set, rule.among[-1])
    return None, set()


def _after(product_set: ProductSet, code: str) -> set[str]:
    codes = list(product_set.criteria)
    # A note may stand on a heading; then everything below the heading is locked as well.
    place = (
        codes.index(code)
        if code in codes
        else next(i for i, c in enumerate(codes) if c.startswith(f"{code}."))
    )
    return set(codes[place + 1 :])


def count(edition: Edition, product_set: ProductSet, ballots: Sequence[Ballot]) -> Result:
    """Count all valid ballots of a product. Raises BallotError when there is none or one cannot be counted."""
    if not ballots:
        raise BallotError("Chưa có phiếu nào để tính điểm.")
    if not product_set.criteria:
        raise BallotError(
            "Bộ %(set)s (%(name)s) của ấn bản %(edition)s không có nội dung trong nguồn nên không chấm được.",
            set=product_set.number,
            name=product_set.name,
            edition=edition.edition,
        )
    return Result(edition, product_set, tuple(mark(product_set, b) for b in ballots))


# ---- the cheapest way to the next star


def way_up(result: Result) -> list[Step]:
    """The fewest levels to climb to reach the next star: the minima that are missing, then points where they are near.

    Each criterion stands where a majority of the ballots puts it at least. Empty at five stars, after a knock-out or
    a stop, and where the points cannot be reached.
    """
    star = result.stars + 1
    if not 1 < star <= HIGHEST_STAR or result.is_stopped:
        return []
    standing = {c.code: _standing(result, c) for c in result.product_set.criteria.values()}
    needed = {
        c.code: max([p for s, p in c.minima.items() if s <= star], default=0)
        for c in result.product_set.criteria.values()
    }
    steps = [
        Step(c, standing[c.code], needed[c.code], True)
        for c in result.product_set.criteria.values()
        if needed[c.code] > standing[c.code]
    ]
    goal = next(b.start for b in result.edition.bands if b.star == star)
    lacking = goal - result.average - sum(s.points_to - s.points_from for s in steps)
    if lacking <= 0:
        return steps
    reached = {**standing, **{s.criterion.code: s.points_to for s in steps}}
    more = _fewest_levels(result.product_set, reached, lacking)
    if more is None:
        return []
    return [
        *(s for s in steps if s.criterion.code not in more),
        *_raised(result.product_set, standing, needed, more),
    ]


def _raised(
    product_set: ProductSet, standing: Mapping[str, int], needed: Mapping[str, int], more: Mapping[str, int]
) -> list[Step]:
    return [
        Step(product_set.criteria[code], standing[code], points, needed[code] > standing[code])
        for code, points in more.items()
    ]


def _standing(result: Result, criterion: Criterion) -> int:
    """The points that more than half of the ballots give at least."""
    given = sorted((m.points.get(criterion.code, 0) for m in result.marks), reverse=True)
    return given[len(given) // 2]


def _fewest_levels(
    product_set: ProductSet, reached: Mapping[str, int], lacking: Fraction
) -> dict[str, int] | None:
    """Which criteria to raise, and to which points, so that the sum grows enough with the fewest levels climbed."""
    wanted = -(-lacking.numerator // lacking.denominator)
    locked = {
        r.criterion for r in product_set.rules if r.kind == "depends" and not reached.get(r.on or "", 0)
    }
    best: dict[int, tuple[int, dict[str, int]]] = {0: (0, {})}
    for criterion in product_set.criteria.values():
        if criterion.code in locked:
            continue
        here = reached[criterion.code]
        higher = sorted({o.points for o in criterion.options if o.points > here})
        grown = dict(best)
        for gain, (levels, taken) in best.items():
            for climbed, points in enumerate(higher, start=1):
                total, cost = min(wanted, gain + points - here), levels + climbed
                if total not in grown or cost < grown[total][0]:
                    grown[total] = (cost, {**taken, criterion.code: points})
        best = grown
    return best[wanted][1] if wanted in best else None
