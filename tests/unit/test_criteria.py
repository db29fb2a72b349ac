"""The criteria editions and the scoring rules, against what the law and the programme's description say."""

from __future__ import annotations

import datetime as dt
import json
from fractions import Fraction

import pytest
from click.testing import CliRunner

from data.programme import criteria, scoresheet, scoring
from data.programme.criteria import CriteriaError, Edition, ProductSet
from data.programme.scoring import Ballot, BallotError
from webmap.commands.score import score

#: How many criteria carry a minimum for 3, 4 and 5 stars (Decision 26/2026/QĐ-TTg, Annex II), by set.
GATES_2026 = {
    1: (7, 12, 3), 2: (7, 13, 6), 3: (7, 13, 6), 4: (7, 14, 6), 5: (8, 13, 5), 6: (8, 13, 5), 7: (8, 14, 6),
    8: (8, 14, 6), 9: (8, 14, 6), 10: (8, 13, 6), 11: (8, 12, 3), 12: (8, 14, 3), 13: (8, 10, 3), 14: (8, 10, 3),
    15: (8, 13, 3), 16: (7, 9, 4), 17: (8, 12, 3), 18: (7, 10, 3), 19: (7, 10, 3), 20: (7, 10, 3), 21: (7, 9, 4),
    22: (6, 8, 4), 23: (5, 11, 4), 24: (4, 7, 5), 25: (4, 9, 3), 26: (1, 2, 0),
}  # fmt: skip


@pytest.fixture
def now() -> Edition:
    return criteria.edition("2026")


@pytest.fixture
def then() -> Edition:
    return criteria.edition("2019")


def best(product_set: ProductSet, **other: int | None) -> Ballot:
    """The ballot with the most points everywhere, but for some criteria (2_3 is 2.3), left out where None."""
    choices = {
        c.code: max(range(len(c.options)), key=lambda i, c=c: c.options[i].points)  # type: ignore[misc]
        for c in product_set.criteria.values()
    }
    for name, index in other.items():
        code = name.lstrip("c").replace("_", ".")
        if index is None:
            del choices[code]
        else:
            choices[code] = index
    return Ballot(choices)


def test_every_set_of_2026_sums_to_40_25_and_35(now: Edition) -> None:
    assert len(now.sets) == 26
    for one in now.sets:
        assert {p.code: p.max for p in one.parts} == {"A": 40, "B": 25, "C": 35}
    assert not [d for d in criteria.defects(now) if d.grave]


def test_every_set_of_2026_has_the_minima_of_the_annex(now: Edition) -> None:
    found = {
        s.number: tuple(sum(star in c.minima for c in s.criteria.values()) for star in (3, 4, 5))
        for s in now.sets
    }
    assert found == GATES_2026


def test_the_edition_of_2019_has_the_programmes_parts_and_says_what_is_missing(then: Edition) -> None:
    grave = {d.set for d in criteria.defects(then) if d.grave}
    assert grave == {10, 21, 23, 24}
    for one in then.sets:
        if one.number not in grave:
            assert {p.code: p.max for p in one.parts} == {"A": 35, "B": 25, "C": 40}


def test_every_criterion_offers_what_its_section_adds_up(now: Edition, then: Edition) -> None:
    for edition in (now, then):
        for one in edition.sets:
            for section in one.sections:
                assert sum(c.max for c in section.judged) == section.max


@pytest.mark.parametrize("edition", ["2019", "2026"])
@pytest.mark.parametrize(
    ("average", "star"),
    [
        ("0", 1), ("29.99", 1), ("30", 2), ("49", 2), ("49.5", 2), ("49.996", 2), ("49.99", 2), ("50", 3),
        ("69.99", 3), ("70", 4), ("89.99", 4), ("90", 5), ("100", 5),
    ],
)  # fmt: skip
def test_bands_are_half_open_and_nothing_is_rounded_first(edition: str, average: str, star: int) -> None:
    assert scoring.band_of(criteria.edition(edition).bands, Fraction(average)) == star


def test_a_missing_trace_code_holds_99_points_at_three_stars(now: Edition) -> None:
    one = now.set(8)
    second = [o.points for o in one.criteria["2.3"].options].index(2)
    result = scoring.count(now, one, [best(one, c2_3=second)])
    assert (result.average, result.band, result.ceiling, result.stars) == (99, 5, 3, 3)
    assert [b.criterion.code for b in result.blockers] == ["2.3"]
    assert [(s.criterion.code, s.points_from, s.points_to) for s in scoring.way_up(result)] == [("2.3", 2, 3)]


def test_97_points_without_a_trademark_file_cannot_be_certified(now: Edition) -> None:
    one = now.set(8)
    result = scoring.count(now, one, [best(one, c3_5=None)])
    assert (result.average, result.ceiling, result.stars) == (97, 2, 2)
    assert [b.criterion.code for b in result.blockers] == ["3.5"]
    assert result.marks[0].missing == ("3.5",)


def test_a_structure_counts_nothing_without_a_story(now: Edition) -> None:
    one = now.set(8)
    result = scoring.count(now, one, [best(one, c5_1=0)])
    assert result.marks[0].points["5.2"] == 0
    assert "5.2" in result.marks[0].locked
    assert result.average == 100 - 5 - 2


def test_a_story_of_2019_locks_both_criteria_that_need_it(then: Edition) -> None:
    one = then.set("Tương, nước mắm, gia vị dạng lỏng khác")
    result = scoring.count(then, one, [best(one, c5_1=0)])
    assert {"5.2", "5.3"} <= result.marks[0].locked


def test_bottled_water_that_smells_is_not_evaluated_further(now: Edition) -> None:
    one = now.set(16)
    marks = scoring.count(now, one, [best(one, c6_3=0)]).marks[0]
    assert marks.stop is not None and "0 điểm" in marks.stop.text
    assert {"7", "8", "9", "10"} <= marks.locked
    assert marks.total == 100 - 4 - 5 - 5 - 5 - 5


def test_dirt_declared_by_a_member_locks_what_follows(now: Edition) -> None:
    one = now.set(1)
    everything = best(one)
    marks = scoring.mark(one, Ballot(everything.choices, stopped=frozenset({"6.1"})))
    assert marks.points["6.1"] > 0 and marks.points["6.2"] == 0 and marks.parts["C"] == marks.points["6.1"]


def test_a_majority_strikes_out_a_product_of_imported_material(now: Edition) -> None:
    one = now.set(8)
    fair, struck = best(one), Ballot(best(one).choices, rejected=frozenset({"1.1"}))
    assert scoring.count(now, one, [struck, struck, fair]).stars == 0
    minority = scoring.count(now, one, [struck, fair, fair])
    assert minority.stars == 5
    assert "nhập khẩu" in minority.marks[0].rejections[0].text


def test_minima_go_by_the_majority_and_the_split_is_told(now: Edition) -> None:
    one = now.set(8)
    lower = [o.points for o in one.criteria["2.3"].options].index(2)
    low, high = best(one, c2_3=lower), best(one)
    assert scoring.count(now, one, [low, high, high]).stars == 5
    tied = scoring.count(now, one, [low, high])
    assert tied.stars == 3
    assert (tied.blockers[0].ballots_for, tied.blockers[0].ballots) == (1, 2)


def test_the_way_up_fills_minima_first_and_then_the_nearest_points(now: Edition) -> None:
    one = now.set(8)
    lowest = Ballot({c.code: 0 for c in one.criteria.values()})
    result = scoring.count(now, one, [lowest])
    chosen = dict(lowest.choices)
    for step in scoring.way_up(result):
        criterion = step.criterion
        chosen[criterion.code] = [o.points for o in criterion.options].index(step.points_to)
    assert scoring.count(now, one, [Ballot(chosen)]).stars == result.stars + 1


def test_the_spread_is_that_of_the_totals(now: Edition) -> None:
    one = now.set(26)
    result = scoring.count(now, one, [best(one), best(one, c4_4=0, c1_2=0)])
    assert result.spread == 3 + 4
    assert result.average == Fraction(100 + 93, 2)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"9.9": 0}, "9.9"),
        ({"1.1": 7}, "không có mức “7”"),
        ({"1.1": -1}, "-1"),
        ({"1.1": True}, "True"),
        ({"1.1": "2"}, "2"),
    ],
)
def test_a_wrong_choice_is_named(now: Edition, choices: dict[str, int], said: str) -> None:
    with pytest.raises(BallotError) as refused:
        scoring.count(now, now.set(8), [Ballot(choices)])
    assert said in str(refused.value)


def test_a_set_without_content_is_refused(then: Edition) -> None:
    with pytest.raises(BallotError, match="không có nội dung"):
        scoring.count(then, then.set("Gạo, ngũ cốc"), [Ballot({})])


def test_a_dossier_goes_on_under_its_edition_until_the_transition_ends() -> None:
    assert criteria.edition_at(dt.date(2020, 1, 1)).edition == "2019"
    assert criteria.edition_at(dt.date(2026, 5, 22)).edition == "2026"
    with pytest.raises(CriteriaError, match="2024"):
        criteria.edition_at(dt.date(2024, 1, 1))


def test_the_command_prints_what_a_program_can_compare(tmp_path) -> None:  # type: ignore[no-untyped-def]
    one = criteria.edition("2026").set(8)
    file = tmp_path / "ballots.json"
    file.write_text(json.dumps([best(one).choices, best(one, c2_4=0).choices]))
    answer = CliRunner().invoke(score, ["--edition", "2026", "--set", "8", str(file)])
    told = json.loads(answer.output)
    assert (told["average"], told["spread"], told["band"], told["ceiling"], told["stars"]) == (
        99.5,
        1,
        5,
        5,
        5,
    )
    assert told["criteria"]["2.4"] == 0.5 and told["parts"] == {"A": 39.5, "B": 25, "C": 35}
    assert told["sections"]["2"] == 9.5 and told["blockers"] == []


@pytest.mark.parametrize("document", [3, [], {"choices": []}, "x"])
def test_a_document_that_is_no_ballot_is_refused(document: object) -> None:
    with pytest.raises(BallotError):
        scoresheet.read_ballot(document)
