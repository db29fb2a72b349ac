"""Dividing figures among successors keeps their sums, whatever the shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.redistribution import distribute

UNITS = st.integers(1, 12)
VALUES = st.dictionaries(UNITS, st.floats(0, 1e7, allow_nan=False), max_size=12)
SHARES = st.dictionaries(
    UNITS, st.lists(st.tuples(st.integers(100, 110), st.floats(1e-6, 1.0)), max_size=5), max_size=12
)


@given(values=VALUES, shares=SHARES)
def test_the_sum_of_all_values_stays(
    values: dict[int, float], shares: dict[int, list[tuple[int, float]]]
) -> None:
    found = distribute({unit: {"value": value} for unit, value in values.items()}, shares)
    assert sum(v["value"] for v in found.values()) == pytest.approx(sum(values.values()), rel=1e-9, abs=1e-9)


def test_shares_that_miss_a_whole_by_rounding_are_made_whole() -> None:
    found = distribute({1: {"value": 100.0}}, {1: [(10, 0.66), (11, 0.33)]})
    assert found[10]["value"] == pytest.approx(200 / 3) and found[11]["value"] == pytest.approx(100 / 3)


def test_what_has_no_successor_belongs_to_none() -> None:
    assert distribute({None: {"value": 3}, 4: {"value": None}}, {4: [(5, 1.0)]}) == {
        None: {"value": 3.0},
        5: {"value": 0},
    }
