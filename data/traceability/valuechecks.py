"""Checks of the values of application identifiers: check digits, dates, codes (GS1 General Specifications, 7.9).

Each check takes the application identifier and one component of its value, and refuses with one sentence.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable

from gis.errors import Refusal

CSET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CSET32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_SHORTEST_COMPANY_PREFIX = 4


class IdentifierError(Refusal):
    """A code or link does not follow its standard."""


def check_digit(digits: str) -> str:
    """Return the check digit of a GTIN, GLN, SSCC, GSIN, GSRN or the numeric part of a GDTI, GCN or GRAI.

    `digits` is the number without it. GS1 General Specifications, 7.9.1: weights 3, 1, 3, … from the right.
    """
    if not digits.isascii() or not digits.isdigit():
        raise IdentifierError("Số kiểm tra chỉ tính được cho dãy chữ số.")
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def has_check_digit(number: str) -> bool:
    """Tell whether the last digit of a number is its check digit."""
    return (
        len(number) > 1 and number.isascii() and number.isdigit() and check_digit(number[:-1]) == number[-1]
    )


def check_characters(text: str) -> str:
    """Return the pair of check characters of a GMN (GS1 General Specifications, 7.9.5)."""
    values = [CSET82.index(character) for character in reversed(text)]
    total = sum(value * prime for value, prime in zip(values, _PRIMES, strict=False)) % 1021
    return _CSET32[total >> 5] + _CSET32[total & 31]


def _check_sum(ai: str, part: str) -> None:
    if not has_check_digit(part):
        raise IdentifierError(
            "Số kiểm tra của mã %(number)s (AI %(ai)s) không đúng; hãy xem lại từng chữ số.",
            ai=ai,
            number=part,
        )


def _check_pair(ai: str, part: str) -> None:
    if not 2 < len(part) <= len(_PRIMES) + 2 or check_characters(part[:-2]) != part[-2:]:
        raise IdentifierError("Hai ký tự kiểm tra của mã AI %(ai)s không đúng.", ai=ai)


def _company_prefix(start: int) -> Callable[[str, str], None]:
    def check(ai: str, part: str) -> None:
        prefix = part[start : start + _SHORTEST_COMPANY_PREFIX]
        if len(prefix) < _SHORTEST_COMPANY_PREFIX or not prefix.isdigit():
            raise IdentifierError("Mã AI %(ai)s phải chứa mã doanh nghiệp GS1 bằng chữ số.", ai=ai)

    return check


def _date(ai: str, part: str, *, year: int, month: int, day: int, day_known: bool) -> None:
    fits = 1 <= month <= 12 and (0 if not day_known else 1) <= day <= calendar.monthrange(year, month)[1]
    if not fits:
        raise IdentifierError("Ngày %(date)s của mã AI %(ai)s không có thật.", ai=ai, date=part)


def _short_date(day_known: bool) -> Callable[[str, str], None]:
    def check(ai: str, part: str) -> None:
        year, month, day = 2000 + int(part[:2]), int(part[2:4]), int(part[4:6])
        _date(ai, part, year=year, month=month, day=day, day_known=day_known)

    return check


def _long_date(ai: str, part: str) -> None:
    year = int(part[:4])
    _date(ai, part, year=max(year, 1), month=int(part[4:6]), day=int(part[6:8]), day_known=True)


def _numbers(sentence: str, *ranges: tuple[int, int]) -> Callable[[str, str], None]:
    """Check that a component, cut into pairs of digits, lies in the range of each pair."""

    def check(ai: str, part: str) -> None:
        values = [int(part[start : start + 2]) for start in range(0, len(part), 2)]
        if not all(low <= value <= high for value, (low, high) in zip(values, ranges, strict=True)):
            raise IdentifierError(sentence, ai=ai)

    return check


def _pattern(sentence: str, pattern: str) -> Callable[[str, str], None]:
    found = re.compile(pattern)

    def check(ai: str, part: str) -> None:
        if not found.fullmatch(part):
            raise IdentifierError(sentence, ai=ai)

    return check


def _at_most(limit: int) -> Callable[[str, str], None]:
    def check(ai: str, part: str) -> None:
        if int(part) > limit:
            raise IdentifierError("Tọa độ của mã AI %(ai)s vượt giới hạn.", ai=ai)

    return check


def _piece_of_total(ai: str, part: str) -> None:
    piece, total = int(part[: len(part) // 2]), int(part[len(part) // 2 :])
    if not 0 < piece <= total:
        raise IdentifierError("Số thứ tự và tổng số bộ phận của mã AI %(ai)s không hợp nhau.", ai=ai)


def _place_in_sequence(ai: str, part: str) -> None:
    first, _, last = part.partition("/")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last)):
        raise IdentifierError("Số thứ tự và tổng số bộ phận của mã AI %(ai)s không hợp nhau.", ai=ai)


def _iban(ai: str, part: str) -> None:
    moved = part[4:] + part[:4]
    fits = re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{1,30}", part) is not None
    if not fits or int("".join(str(int(c, 36)) for c in moved)) % 97 != 1:
        raise IdentifierError("Số tài khoản IBAN của mã AI %(ai)s không đúng.", ai=ai)


def _no_leading_zero(ai: str, part: str) -> None:
    if part.startswith("0") and part != "0":
        raise IdentifierError("Giá trị của mã AI %(ai)s không được bắt đầu bằng số 0.", ai=ai)


_UNUSUAL = "Giá trị của mã AI %(ai)s không đúng quy định."
_TIME = "Giờ phút trong mã AI %(ai)s không có thật."
_COUNTRY = "Mã nước trong mã AI %(ai)s không có thật."
_HOUR, _SIXTY = (0, 23), (0, 59)


def _known(names: Iterable[str]) -> dict[str, Callable[[str, str], None]]:
    """Return checks that only the bearer's own scheme can decide, and which are therefore left to it."""
    return {name: lambda ai, part: None for name in names}


CHECKS: dict[str, Callable[[str, str], None]] = {
    "csum": _check_sum,
    "csumalpha": _check_pair,
    "gcppos1": _company_prefix(0),
    "gcppos2": _company_prefix(1),
    "yymmdd": _short_date(day_known=True),
    "yymmd0": _short_date(day_known=False),
    "yyyymmdd": _long_date,
    "hhmi": _numbers(_TIME, _HOUR, _SIXTY),
    "hh": _numbers(_TIME, _HOUR),
    "mi": _numbers(_TIME, _SIXTY),
    "ss": _numbers(_TIME, _SIXTY),
    "iso3166": _pattern(_COUNTRY, r"(?!000|9\d\d)\d{3}"),
    "iso3166999": _pattern(_COUNTRY, r"(?!000)\d{3}"),
    "iso3166alpha2": _pattern(_COUNTRY, r"[A-Z]{2}"),
    "iso4217": _pattern("Mã tiền tệ trong mã AI %(ai)s không có thật.", r"(?!000)\d{3}"),
    "iso5218": _pattern(_UNUSUAL, r"[0129]"),
    "iban": _iban,
    "pcenc": _pattern(_UNUSUAL, r"([^%]|%[0-9A-Fa-f]{2})*"),
    "yesno": _pattern(_UNUSUAL, r"[01]"),
    "zero": _pattern(_UNUSUAL, r"0+"),
    "nonzero": _pattern(_UNUSUAL, r"0*[1-9]\d*"),
    "winding": _pattern(_UNUSUAL, r"[019]"),
    "hyphen": _pattern(_UNUSUAL, r"-"),
    "hasnondigit": _pattern(_UNUSUAL, r".*\D.*"),
    "nozeroprefix": _no_leading_zero,
    "latitude": _at_most(1_800_000_000),
    "longitude": _at_most(3_600_000_000),
    "mediatype": _pattern(_UNUSUAL, r"0[1-9]|10|[89]\d"),
    "importeridx": _pattern(_UNUSUAL, r"[-0-9A-Za-z_]"),
    "pieceoftotal": _piece_of_total,
    "posinseqslash": _place_in_sequence,
    **_known(("packagetype", "couponcode", "couponposoffer")),
}
