"""Made-up judgements: options of a product set that come out at a wanted star, by the real rules of scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.demo.dice import Dice
from data.programme.criteria import Criterion, Edition, ProductSet
from data.programme.scoring import Ballot, Result, count, mark

#: The sum of points to aim at for a star: well inside its band.
_AIMS = {2: 43, 3: 60, 4: 79, 5: 94}
_MOST_TRIES = 40
#: How far a member's total may lie from the first one, so that the council need not judge again.
_NEAR = 4


class OpinionError(Exception):
    """No choice was found that comes out at the wanted star."""


def choices_for(dice: Dice, edition: Edition, product_set: ProductSet, stars: int) -> dict[str, int]:
    """Choose an option of each criterion so that the whole comes out at a star."""
    for _ in range(_MOST_TRIES):
        chosen = _raised(dice, product_set, _least(product_set, stars), _AIMS[stars])
        if count(edition, product_set, [Ballot(chosen)]).stars == stars:
            return chosen
    raise OpinionError(product_set.number, stars)


def opinions(
    dice: Dice, edition: Edition, product_set: ProductSet, stars: int, members: int
) -> list[dict[str, int]]:
    """Choose for several members, who differ a little and agree on the star."""
    for _ in range(_MOST_TRIES):
        first = choices_for(dice, edition, product_set, stars)
        floor = _least(product_set, stars)
        found = [first, *(_varied(dice, product_set, first, floor) for _ in range(members - 1))]
        result: Result = count(edition, product_set, [Ballot(c) for c in found])
        if result.stars == stars and result.spread <= 2 * _NEAR:
            return found
    raise OpinionError(product_set.number, stars)


def _least(product_set: ProductSet, stars: int) -> dict[str, int]:
    """The cheapest options that meet the minima of a star and end nothing early."""
    return {c.code: _cheapest(c, _open(product_set, c), stars) for c in product_set.criteria.values()}


def _open(product_set: ProductSet, criterion: Criterion) -> list[int]:
    """The options of a criterion that go with the first nature of a product, where the set tells several apart."""
    case = next(iter(product_set.cases), None)
    return [k for k, option in enumerate(criterion.options) if option.case_key in (None, case)]


def _cheapest(criterion: Criterion, options: Sequence[int], stars: int) -> int:
    needed = max([1, *(points for star, points in criterion.minima.items() if star <= stars)])
    points = [option.points for option in criterion.options]
    reaching = [k for k in options if points[k] >= needed]
    return min(reaching, key=points.__getitem__) if reaching else max(options, key=points.__getitem__)


def _raised(dice: Dice, product_set: ProductSet, chosen: Mapping[str, int], aim: int) -> dict[str, int]:
    """Climb by single levels, here and there, until the sum is near the aim."""
    found = dict(chosen)
    total = mark(product_set, Ballot(found)).total
    while total < aim:
        steps = [
            (c, k, gain)
            for c in product_set.criteria.values()
            for k, gain in _next(c, _open(product_set, c), found[c.code])
        ]
        steps = [step for step in steps if step[2] <= aim + 2 - total]
        if not steps:
            break
        criterion, index, gain = dice.pick(steps)
        found[criterion.code] = index
        total += gain
    return found


def _next(criterion: Criterion, options: Sequence[int], index: int) -> list[tuple[int, int]]:
    """The next higher option of a criterion with what it gains, if there is one."""
    here = criterion.options[index].points
    higher = [(points, k) for k in options if (points := criterion.options[k].points) > here]
    return [(min(higher)[1], min(higher)[0] - here)] if higher else []


def _varied(
    dice: Dice, product_set: ProductSet, first: Mapping[str, int], floor: Mapping[str, int]
) -> dict[str, int]:
    """Another member's view: one or two criteria a level higher, or as low as the star allows."""
    found, drift = dict(first), 0
    for criterion in dice.some(list(product_set.criteria.values()), 3):
        code = criterion.code
        higher = _next(criterion, _open(product_set, criterion), found[code])
        index = dice.pick([floor[code], *(k for k, _ in higher)])
        gain = criterion.options[index].points - criterion.options[found[code]].points
        if abs(drift + gain) <= _NEAR:
            found[code] = index
            drift += gain
    return found
