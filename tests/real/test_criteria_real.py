"""Every set scored by an independent reading of the law's tables."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from data.programme import criteria, scoring
from data.programme.scoring import Ballot

BALLOTS_PER_SET = 400
SENSORY_OF_WATER = ("6.1", "6.2", "6.3", "6.4")


@pytest.fixture(scope="module")
def tables(real_data: Path) -> dict[str, Any]:
    """Annex II of Decision 26/2026/QĐ-TTg as it was transcribed."""
    found: dict[str, Any] = json.loads((real_data.parent / "domain/criteria-2026.json").read_text())
    return found


def leaves(table: dict[str, Any]) -> dict[str, list[tuple[int, int | None]]]:
    """{code: [(points, star)]} read straight from the transcription."""
    found = {}
    for part in table["parts"]:
        for section in part["sections"]:
            for item in section.get("criteria", [section]):
                if item.get("binary"):
                    found[item["code"]] = [(0, None), (item["max"], None)]
                elif "options" in item:
                    found[item["code"]] = [(o["points"], o["min_for_star"]) for o in item["options"]]
    return found


def plain_score(
    number: int, options: dict[str, list[tuple[int, int | None]]], choices: dict[str, int]
) -> tuple[dict[str, int], int, int, int, set[str]]:
    """Points, total, band, ceiling and blockers, the long way round."""
    points = {code: options[code][index][0] for code, index in choices.items()}
    if number != 26 and points["5.1"] == 0:
        points["5.2"] = 0
    if number == 16 and any(points[code] == 0 for code in SENSORY_OF_WATER):
        for code in ("7", "8", "9", "10"):
            points[code] = 0
    total = sum(points.values())
    band = 1 + (total >= 30) + (total >= 50) + (total >= 70) + (total >= 90)
    blockers: dict[int, set[str]] = {3: set(), 4: set(), 5: set()}
    for code, offered in options.items():
        for least, star in offered:
            if star is not None and points[code] < least:
                blockers[star].add(code)
    ceiling = 2 if blockers[3] else 3 if blockers[4] else 4 if blockers[5] else 5
    return points, total, band, ceiling, blockers.get(ceiling + 1, set())


@pytest.mark.parametrize("number", range(1, 27))
def test_random_ballots_come_to_what_the_tables_say(tables: dict[str, Any], number: int) -> None:
    edition = criteria.edition("2026")
    product_set = edition.set(number)
    options = leaves(next(s for s in tables["sets"] if s["set"] == number))
    assert list(product_set.criteria) == list(options)
    dice = random.Random(number)
    for turn in range(BALLOTS_PER_SET):
        # Every other ballot leans to high points, so that high stars and their minima are met too.
        lean = turn % 2
        choices = {
            code: max(dice.randrange(len(offered)) for _ in range(1 + 4 * lean))
            for code, offered in options.items()
        }
        points, total, band, ceiling, blockers = plain_score(number, options, choices)
        result = scoring.count(edition, product_set, [Ballot(choices)])
        assert dict(result.marks[0].points) == points
        assert (result.average, result.band, result.ceiling) == (Fraction(total), band, ceiling)
        assert {b.criterion.code for b in result.blockers} == blockers
        assert result.stars == min(band, ceiling)


def test_every_wording_stands_in_the_transcription(tables: dict[str, Any], real_data: Path) -> None:
    told = " ".join((real_data.parent / "domain/criteria-2026.json").read_text().split())
    for product_set in criteria.edition("2026").sets:
        for criterion in product_set.criteria.values():
            for option in criterion.options:
                plain = json.dumps(option.label, ensure_ascii=False)[1:-1]
                assert plain in told or option.label in ("Không có", "Có")
