"""Results of tests held against their limits, as laboratories write both."""

from __future__ import annotations

import re

from data.text import fold

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_BOUND = re.compile(
    rf"(<=|>=|<|>|≤|≥|khong qua|khong lon hon|toi da|khong nho hon|toi thieu|tu)?\s*{_NUMBER}(?![\d.,])"
)
_SPAN = re.compile(rf"{_NUMBER}\s*(?:-|–|den)\s*{_NUMBER}")
_ABSENT = ("khong phat hien", "am tinh", "kph", "nd", "khong co", "not detected", "negative")
_PRESENT = ("duong tinh", "phat hien", "co", "positive", "detected")
_AT_MOST = ("<=", "≤", "khong qua", "khong lon hon", "toi da")
_AT_LEAST = (">=", "≥", "khong nho hon", "toi thieu", "tu")


def judge(value: str, limit: str | None) -> bool | None:
    """Tell whether a result keeps its limit; None where one of them cannot be read as a number or an absence.

    A bare limit is an upper one. A result "< 10" keeps any upper limit of 10 or more; "not detected" keeps every
    upper limit and the limit "not detected".
    """
    told, asked = fold(value), fold(limit or "")
    if not told or not asked:
        return None
    absent = told in _ABSENT
    if asked in _ABSENT:
        return True if absent else (False if told in _PRESENT or _leading(told) not in (None, 0.0) else None)
    span = _SPAN.fullmatch(_bare(asked))
    number = 0.0 if absent else _leading(told)
    if number is None:
        return None
    if span:
        return _float(span[1]) <= number <= _float(span[2])
    bound = _BOUND.match(asked)
    if bound is None:
        return None
    sign, wall = bound[1] or "<=", _float(bound[2])
    below = told.startswith("<")
    if sign in _AT_LEAST:
        return None if below and number >= wall else number >= wall
    if sign == ">":
        return number > wall
    if below:
        return True if number <= wall else None
    return number <= wall if sign in _AT_MOST else number < wall


def _bare(text: str) -> str:
    """A span without the unit after it."""
    found = _SPAN.match(text)
    return found[0] if found else text


def _leading(text: str) -> float | None:
    found = re.match(rf"[<>≤≥=~ ]*{_NUMBER}", text)
    return _float(found[1]) if found else None


def _float(text: str) -> float:
    return float(text.replace(",", "."))
