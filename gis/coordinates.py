"""Coordinates as people write them: decimal commas, thousands, and degrees, minutes and seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gis.text import fold

POINT, COMMA = "point", "comma"
"""Ways of writing a fraction: 9.18 and 9,18."""

_SPACES = re.compile(r"[\s\u00a0\u202f']")
_PLAIN = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|[+-]?\.\d+")
_WHOLE = re.compile(r"[+-]?(\d*|\d{1,3}(,\d{3})+|\d{1,3}(\.\d{3})+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}[.,]\d{3}")
_MARKS = re.compile(r"[.,]")
_UNIT = re.compile(r"\s*(m|met|mét|°|º|độ)\s*$", re.IGNORECASE)

# N is north and not Nam: no place of Vietnam lies in the south, where the two readings would differ.
_SIDES = {
    "n": "N",
    "b": "N",
    "bac": "N",
    "vdb": "N",
    "north": "N",
    "e": "E",
    "d": "E",
    "dong": "E",
    "kdd": "E",
    "east": "E",
    "s": "S",
    "nam": "S",
    "south": "S",
    "w": "W",
    "t": "W",
    "tay": "W",
    "west": "W",
}
_SIDE = r"(?P<{}>vdb|kdd|bac|dong|nam|tay|north|south|east|west|[nsewbdt])?"
_NUMBER = r"\d+(?:[.,]\d+)?"
_ANGLE = re.compile(
    rf"{_SIDE.format('before')}\.?\s*:?\s*(?P<sign>[+-]?)(?P<d>{_NUMBER})"
    rf"(?:\s*(?:°|º|˚|\*|do|deg|d|[\s:-])\s*(?P<m>{_NUMBER})"
    rf"(?:\s*(?:'|phut|min|m|[\s:-])\s*(?:(?P<s>{_NUMBER})\s*(?:\"|''|giay|sec|s)?)?)?)?"
    rf"\s*(?:°|º|˚|'|do|deg)?\s*\.?\s*{_SIDE.format('after')}\.?"
)
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "′": "'", "´": "'", "`": "'", "“": '"', "”": '"', "″": '"', "¨": '"'}
)
_MARKED = re.compile(r"[°º˚*'\":]|do\b|phut|\d\s*d\s*\d|\d[ -]+\d")
_SPACED = re.compile(r"\s*[+-]?\d{1,3}\s+\d{1,2}(\s|$)")
_TWO_NUMBERS = re.compile(r"(\d+[.,]\d+)\s+(\d+[.,]\d+)")
_SEPARATORS = tuple(
    re.compile(mark) for mark in (r"\s*;\s*", r",\s+", r"\s{2,}", r"(?<=[a-zA-ZđĐ\"”″])\s+", r",")
)
"""What parts the two coordinates of one cell, the surest first."""


@dataclass(frozen=True, slots=True)
class Angle:
    """Decimal degrees and the side written with them: N, S, E, W or None."""

    degrees: float
    side: str | None


def parse_number(value: object, style: str = POINT) -> float | None:
    """A number from a cell, or None when it is none.

    `style` tells what a lone mark means where it may be either: in `point`, 571,235 is thousands and 9.180 a
    fraction; in `comma` the other way round. With both marks, the later one is the fraction. Spaces and
    apostrophes part thousands; a trailing m, mét or ° is left out.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    text = _SPACES.sub("", _UNIT.sub("", str(value).strip()))
    commas, dots = text.count(","), text.count(".")
    if commas and dots:
        mark = "," if text.rindex(",") > text.rindex(".") else "."
    elif commas + dots > 1:
        mark = "." if commas else ","
    elif commas + dots == 1 and not _GROUPED.fullmatch(text):
        mark = "," if commas else "."
    else:
        mark = "," if style == COMMA else "."
    whole, _, fraction = text.partition(mark)
    if not _WHOLE.fullmatch(whole) or "," in fraction or "." in fraction:
        return None
    plain = f"{_MARKS.sub('', whole)}.{fraction}" if fraction else _MARKS.sub("", whole)
    return float(plain) if _PLAIN.fullmatch(plain) and math.isfinite(float(plain)) else None


def style_shown(text: str) -> str | None:
    """The style that a number proves by how it is written; None when both could be, or it is no number."""
    found = parse_number(text)
    bare = _SPACES.sub("", _UNIT.sub("", text.strip()))
    marks = _MARKS.findall(bare)
    if found is None or not marks or _GROUPED.fullmatch(bare):
        return None
    if len(set(marks)) == 2:
        return COMMA if marks[-1] == "," else POINT
    if len(marks) > 1:
        return POINT if marks[0] == "," else COMMA
    return COMMA if marks[0] == "," else POINT


def number_style(values: Sequence[object], low: float, high: float) -> str | None:
    """The style in which most of the cells are numbers within low and high; None when fewer than half are.

    Plain integers and cells that are numbers already speak for both, and then it is `point`.
    """
    filled = [value for value in values if value is not None and str(value).strip()]
    if not filled:
        return None
    best: tuple[int, str] | None = None
    for style in (POINT, COMMA):
        numbers = (parse_number(value, style) for value in filled)
        within = sum(number is not None and low <= number <= high for number in numbers)
        if within * 2 >= len(filled) and (best is None or within > best[0]):
            best = (within, style)
    return best[1] if best else None


def parse_angle(value: object, style: str = POINT) -> Angle | None:
    """An angle from a cell: decimal degrees, or degrees, minutes and seconds in any of the usual spellings.

    9°10'48"N, 9 10 48, 9d10m48s, N9°10.8', 105°09'00,5"Đ, 9 độ 10 phút 48 giây Bắc. Minutes and seconds must be
    below 60. A side S or W, or a minus, makes it negative. None when it is no angle.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Angle(float(value), None) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    plain = None if _SPACED.match(value) else parse_number(value, style)
    if plain is not None:
        return Angle(plain, None)
    text = fold(value.translate(_QUOTES)).replace("''", '"')
    found = _ANGLE.fullmatch(text)
    if found is None:
        return None
    parts = [float((found[name] or "0").replace(",", ".")) for name in ("d", "m", "s")]
    if parts[1] >= 60 or parts[2] >= 60 or (parts[0] % 1 and found["m"]) or (parts[1] % 1 and found["s"]):
        return None
    sides = {_SIDES[side] for side in (found["before"], found["after"]) if side}
    if len(sides) > 1:
        return None
    side = sides.pop() if sides else None
    size = parts[0] + parts[1] / 60 + parts[2] / 3600
    return Angle(-size if found["sign"] == "-" or side in ("S", "W") else size, side)


def is_marked_angle(value: object) -> bool:
    """Whether a text is written with the signs of degrees, minutes and seconds rather than as one number."""
    return isinstance(value, str) and bool(_MARKED.search(fold(value.translate(_QUOTES))))


def parse_pair(value: object) -> tuple[float, float] | None:
    """Longitude and latitude from one cell that holds both, or None.

    Latitude first, as maps on phones write it, unless the sides or the ranges of Vietnam say otherwise.
    """
    halves = _halves(value.strip().strip("()[] ")) if isinstance(value, str) else None
    if halves is None:
        return None
    first, second = halves
    east_first = first.side in ("E", "W") or second.side in ("N", "S")
    if first.side is None and second.side is None:
        east_first = abs(first.degrees) > 90 or 100 <= first.degrees <= 120
    lon, lat = (first, second) if east_first else (second, first)
    in_range = abs(lon.degrees) <= 180 and abs(lat.degrees) <= 90
    return (lon.degrees, lat.degrees) if in_range else None


def _halves(text: str) -> tuple[Angle, Angle] | None:
    """The two angles of a text, parted at the surest separator that leaves an angle on both sides."""
    two = _TWO_NUMBERS.fullmatch(text)
    parted = [two.groups()] if two else []
    parted += [parts for mark in _SEPARATORS if len(parts := tuple(mark.split(text))) == 2]
    for left, right in parted:
        first, second = parse_angle(left), parse_angle(right)
        if first is not None and second is not None:
            return first, second
    return None
