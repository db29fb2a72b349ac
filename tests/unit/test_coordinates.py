"""Coordinates as surveyors and phones write them, with round trips through every spelling."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.coordinates import COMMA, POINT, number_style, parse_angle, parse_number, parse_pair, style_shown

SPELLINGS = [
    "{d}°{m}'{s}\"{side}",
    "{d}° {m}' {s}\" {side}",
    "{d}°{m}′{s}″{side}",
    "{d}º{m}’{s}”{side}",
    "{d} {m} {s}",
    "{d}d{m}m{s}s",
    "{d}:{m}:{s}",
    "{d}-{m}-{s}",
    "{side}{d}°{m}'{s}\"",
    "{d} độ {m} phút {s} giây",
    "{d}° {m}' {s}''",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("mark", [".", ","])
@given(
    degrees=st.integers(1, 179),
    minutes=st.integers(0, 59),
    hundredths=st.integers(0, 5999),
    east=st.booleans(),
)
def test_degrees_minutes_and_seconds_are_read_in_every_spelling(
    spelling, mark, degrees, minutes, hundredths, east
):
    seconds = f"{hundredths // 100:02d}{mark}{hundredths % 100:02d}"
    side = ("E" if mark == "." else "Đ") if east else ("N" if mark == "." else "B")
    text = spelling.format(d=degrees, m=f"{minutes:02d}", s=seconds, side=side)
    angle = parse_angle(text)
    assert angle is not None
    assert math.isclose(angle.degrees, degrees + minutes / 60 + hundredths / 360_000, abs_tol=1e-9)
    assert angle.side == (None if "{side}" not in spelling else "E" if east else "N")


@given(st.floats(-1e7, 1e7, allow_nan=False).map(lambda value: round(value, 3)))
def test_the_same_number_is_read_with_point_comma_and_thousands(value):
    english = f"{value:,.3f}"
    vietnamese = english.translate(str.maketrans(",.", ".,"))
    for text, style in [
        (english, POINT),
        (vietnamese, COMMA),
        (f"{value:.3f}", POINT),
        (f"{value:.3f}".replace(".", ","), COMMA),
        (vietnamese.replace(".", " "), COMMA),
        (vietnamese.replace(".", "\u00a0"), COMMA),
    ]:
        assert parse_number(text, style) == pytest.approx(value, abs=1e-9), text


@given(st.text(max_size=40))
def test_any_text_is_a_number_an_angle_a_pair_or_none_of_them(text):
    for style in (POINT, COMMA):
        number = parse_number(text, style)
        assert number is None or math.isfinite(number)
    angle = parse_angle(text)
    assert angle is None or math.isfinite(angle.degrees)
    pair = parse_pair(text)
    assert pair is None or (abs(pair[0]) <= 180 and abs(pair[1]) <= 90)


def test_a_lone_mark_before_three_digits_is_decided_by_the_style():
    assert (parse_number("571.235", POINT), parse_number("571.235", COMMA)) == (571.235, 571235.0)
    assert (parse_number("571,235", POINT), parse_number("571,235", COMMA)) == (571235.0, 571.235)
    assert style_shown("571.235") is None and style_shown("12,5") == COMMA and style_shown("1,234.5") == POINT
    assert style_shown("1.015.233") == COMMA and style_shown("xã") is None


def test_a_column_of_eastings_shows_how_it_is_written():
    assert number_style(["571.235", "571.300"], 150_000, 900_000) == COMMA
    assert number_style(["571,235", "571,300"], 150_000, 900_000) == POINT
    assert number_style(["a", "b"], 0, 1) is None


@pytest.mark.parametrize("text", ["9°70'00\"", "9°10'75\"", "9.5°10'", "12/5/2026", "Xã 9", "", "N", "9°E N"])
def test_what_is_no_angle_is_none(text):
    assert parse_angle(text) is None


def test_south_west_and_minus_are_negative():
    assert parse_angle("9°30'S").degrees == -9.5
    assert parse_angle("-9.5").degrees == -9.5
    assert parse_angle("10°T").degrees == -10


@pytest.mark.parametrize(
    "text",
    [
        "9.18, 105.15",
        "9,18; 105,15",
        "105.15, 9.18",
        "(9.18,105.15)",
        "9.18 105.15",
        "9°10'48\"N 105°09'00\"E",
        "9°10'48\"B, 105°09'00\"Đ",
        "105°09'00\"E 9°10'48\"N",
    ],
)
def test_a_cell_with_both_coordinates_is_read_in_either_order(text):
    assert parse_pair(text) == pytest.approx((105.15, 9.18))
