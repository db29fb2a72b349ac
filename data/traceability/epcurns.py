"""EPC URNs and the Digital Links of the same things (EPC Tag Data Standard 2.0, clause 6; CBV 2.0, clause 8.2).

`urn:epc:id:sgtin:{company prefix}.{indicator and item reference}.{serial}` and its kin; class URNs name lots, patterns
(`idpat`, with `*` for the serial) name classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from data.traceability.digitallinks import DigitalLink, Pair
from data.traceability.valuechecks import check_digit

_URN = re.compile(r"urn:epc:(?P<form>id|class|idpat):(?P<scheme>[a-z]+):(?P<rest>.+)", re.ASCII | re.DOTALL)

Path = list[Pair]


def digital_link_of(urn: str, stem: str = "https://id.gs1.org") -> DigitalLink | None:
    """Return the Digital Link of what an EPC URN names; None where the standard gives none."""
    found = _URN.fullmatch(urn)
    makers = _PATTERNS if found and found["form"] == "idpat" else _NAMES
    make = makers.get(found["scheme"]) if found else None
    if found is None or make is None or (found["form"] == "class") != (found["scheme"] == "lgtin"):
        return None
    parts = found["rest"].split(".")
    if not parts[0].isdigit() or not parts[0].isascii():
        return None
    try:
        path = make(*(unquote(part) for part in _joined(found["scheme"], parts)))
    except (TypeError, ValueError):
        return None
    (key, value), qualifiers = path[0], tuple(path[1:])
    return DigitalLink(stem, key, value, qualifiers)


#: How many parts a name has; a serial that itself has dots is the last of them.
_PARTS = {"giai": 2, "ginc": 2, "gsin": 2, "gsrn": 2, "gsrnp": 2, "sscc": 2, "pgln": 2, "itip": 5}


def _joined(scheme: str, parts: list[str]) -> list[str]:
    count = _PARTS.get(scheme, 3)
    return [*parts[: count - 1], ".".join(parts[count - 1 :])] if len(parts) > count else parts


def _numeric(*digits: str, length: int) -> str:
    """Put the pieces of a numeric key together and add its check digit; ValueError if they do not fill it."""
    number = "".join(digits)
    if len(number) != length - 1 or not number.isdigit():
        raise ValueError(number)
    return number + check_digit(number)


def _gtin(prefix: str, item: str) -> str:
    return _numeric(item[:1], prefix, item[1:], length=14)


def _lgtin(prefix: str, item: str, lot: str) -> Path:
    return [("01", _gtin(prefix, item)), ("10", lot)]


def _sgtin(prefix: str, item: str, serial: str) -> Path:
    return [("01", _gtin(prefix, item)), ("21", serial)]


def _upui(prefix: str, item: str, serial: str) -> Path:
    return [("01", _gtin(prefix, item)), ("235", serial)]


def _itip(prefix: str, item: str, piece: str, total: str, serial: str) -> Path:
    return [("8006", _gtin(prefix, item) + piece + total), ("21", serial)]


def _sscc(prefix: str, serial: str) -> Path:
    return [("00", _numeric(serial[:1], prefix, serial[1:], length=18))]


def _sgln(prefix: str, location: str, extension: str) -> Path:
    place = ("414", _numeric(prefix, location, length=13))
    return [place] if extension == "0" else [place, ("254", extension)]


def _pgln(prefix: str, party: str) -> Path:
    return [("417", _numeric(prefix, party, length=13))]


def _grai(prefix: str, kind: str, serial: str) -> Path:
    return [("8003", "0" + _numeric(prefix, kind, length=13) + serial)]


def _gdti(prefix: str, kind: str, serial: str) -> Path:
    return [("253", _numeric(prefix, kind, length=13) + serial)]


def _sgcn(prefix: str, coupon: str, serial: str) -> Path:
    return [("255", _numeric(prefix, coupon, length=13) + serial)]


def _cpi(prefix: str, part: str, serial: str) -> Path:
    return [("8010", prefix + part), ("8011", serial)]


def _joined_key(ai: str) -> Callable[[str, str], Path]:
    return lambda prefix, reference: [(ai, prefix + reference)]


def _checked_key(ai: str, length: int) -> Callable[[str, str], Path]:
    return lambda prefix, reference: [(ai, _numeric(prefix, reference, length=length))]


def _without_serial(make: Callable[..., Path]) -> Callable[..., Path]:
    """Make the name of a class: the pattern's serial is `*`, and its qualifier falls away."""

    def made(*parts: str) -> Path:
        if parts[-1] != "*":
            raise ValueError(parts[-1])
        path = make(*parts[:-1], "")
        return [pair for pair in path if pair[1]]

    return made


_NAMES: dict[str, Callable[..., Path]] = {
    "lgtin": _lgtin,
    "sgtin": _sgtin,
    "upui": _upui,
    "itip": _itip,
    "sscc": _sscc,
    "sgln": _sgln,
    "pgln": _pgln,
    "grai": _grai,
    "gdti": _gdti,
    "sgcn": _sgcn,
    "cpi": _cpi,
    "giai": _joined_key("8004"),
    "ginc": _joined_key("401"),
    "gsin": _checked_key("402", 17),
    "gsrn": _checked_key("8018", 18),
    "gsrnp": _checked_key("8017", 18),
}

_PATTERNS: dict[str, Callable[..., Path]] = {
    scheme: _without_serial(_NAMES[scheme])
    for scheme in ("sgtin", "upui", "itip", "grai", "gdti", "sgcn", "cpi")
}
