"""The layered diagram of a trace: boxes that never overlap, arrows that go to the right, circles that end."""

from __future__ import annotations

import itertools
import random

import pytest

from webmap.trace.diagram import GAP_Y, HEIGHT, WIDTH, Arrow, Layout, lay_out


def arrows(*pairs: str) -> list[Arrow]:
    return [Arrow(*pair.split(">")) for pair in pairs]


def drawn(*pairs: str) -> Layout:
    found = arrows(*pairs)
    return lay_out(list(dict.fromkeys(k for a in found for k in (a.source, a.target))), found)


def left_of(layout: Layout, one: str, other: str) -> bool:
    return layout.place_of(one).x + WIDTH < layout.place_of(other).x


def test_what_something_was_made_of_stands_left_of_it() -> None:
    layout = drawn("ao>tôm", "tôm>mẻ", "muối>mẻ", "mẻ>lô", "lô>thùng")
    for one, other in itertools.pairwise(["ao", "tôm", "mẻ", "lô", "thùng"]):
        assert left_of(layout, one, other)
    assert left_of(layout, "muối", "mẻ")


def test_a_late_ingredient_stands_just_before_what_it_goes_into() -> None:
    layout = drawn("a>b", "b>c", "c>d", "muối>d")
    assert layout.place_of("muối").x == layout.place_of("c").x


def test_a_circle_of_rework_is_drawn_once_backwards() -> None:
    layout = drawn("a>b", "b>c", "c>b", "c>d")
    assert [(line.arrow.source, line.arrow.target) for line in layout.lines if line.back] == [("c", "b")]
    assert left_of(layout, "a", "b") and left_of(layout, "b", "c") and left_of(layout, "c", "d")


def test_a_thing_made_of_itself_alone_is_no_arrow() -> None:
    layout = lay_out(["a"], [Arrow("a", "a")])
    assert layout.lines == () and len(layout.places) == 1


def test_an_event_of_many_to_many_runs_through_one_dot() -> None:
    pairs = [Arrow(s, t, f"{s} vào", f"{t} ra", event=7) for s in "abc" for t in "xy"]
    layout = lay_out(list("abcxy"), pairs)
    assert len(layout.dots) == 1
    labels = sorted(line.arrow.label for line in layout.lines)
    assert labels == ["a vào", "b vào", "c vào", "x ra", "y ra"]


def test_an_event_that_makes_one_thing_needs_no_dot() -> None:
    layout = lay_out(list("abx"), [Arrow(s, "x", event=7) for s in "ab"])
    assert layout.dots == () and len(layout.lines) == 2


def test_a_ladder_is_untangled() -> None:
    """Four straight rows given in a scrambled order can be drawn without one crossing."""
    keys = [
        f"{column}{row}" for column, order in (("a", "0123"), ("b", "3201"), ("c", "1302")) for row in order
    ]
    found = [Arrow(f"{one}{row}", f"{two}{row}") for one, two in ("ab", "bc") for row in "0123"]
    layout = lay_out(keys, found)
    for column in "abc":
        order = sorted("0123", key=lambda row: layout.place_of(f"{column}{row}").y)
        assert order == sorted("0123", key=lambda row: layout.place_of(f"a{row}").y)


@pytest.mark.parametrize("seed", range(40))
def test_boxes_never_overlap_and_all_but_backward_arrows_go_right(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(1, 30)
    found = [
        Arrow(chance.randrange(count), chance.randrange(count), "120 kg · 40 %", event=chance.randrange(6))
        for _ in range(chance.randint(0, 2 * count))
    ]
    layout = lay_out(range(count), found)
    assert len(layout.places) == count
    for one, other in itertools.combinations(layout.places, 2):
        apart = abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT + GAP_Y - 1e-6
        assert apart, (one, other)
    for place in layout.places:
        assert 0 <= place.x <= layout.width - WIDTH and 0 <= place.y <= layout.height - HEIGHT
    by_key = {p.key: p for p in layout.places}
    for line in layout.lines:
        one, other = by_key.get(line.arrow.source), by_key.get(line.arrow.target)
        if one and other:
            assert (one.x > other.x) if line.back else (one.x < other.x)


def test_labels_of_a_crossing_pair_do_not_lie_on_each_other() -> None:
    found = [Arrow(s, t, "1.200 kg · 50 %", event=f"{s}{t}") for s in "ab" for t in "xy"]
    layout = lay_out(list("abxy"), found)
    places = {(line.x, line.y) for line in layout.lines}
    assert len(places) == 4


def test_nothing_makes_an_empty_drawing() -> None:
    assert lay_out([], []).places == ()
