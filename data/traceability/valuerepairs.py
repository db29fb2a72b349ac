"""Values that people and older programs write their own way, as EPCIS 2.0 writes them; None where nobody can tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from data.text import fold
from data.traceability import epcisschema
from data.traceability.measures import uom_of

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]\s*(\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])?(\d{1,2})(?::?(\d\d))?", re.ASCII | re.IGNORECASE)
_ZONE = re.compile(r"\d\d:\d\d\S*?\s*([Zz]|[+-]\d\d:?\d\d)$", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_LONG_WORD = re.compile(
    r"urn:epcglobal:cbv:[a-z]+:(?P<urn>.+)"
    r"|https?://(?:ns|ref)\.gs1\.org/(?:cbv|voc)/[A-Za-z]+-(?P<web>.+)"
    r"|https?://(?:www\.|ref\.)?gs1\.org/voc/(?:MT-|AT-)?(?P<voc>.+)"
)
_NUMBER = re.compile(r"[+-]?\d[\d.,\s]*", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]{2,3}", re.ASCII)
_RESERVED = ":/?#[]@!$&'()*+,;=%~"


def moment(text: str, offset: str | None) -> str | None:
    """Return a time of RFC 3339; a time without zone gets the offset of its event."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    day, minutes, seconds, fraction, zone = found.groups()
    zone = zone or offset
    if zone is None:
        return None
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    written = f"{day}T{minutes}{seconds or ':00'}{'.' + fraction if fraction else ''}{zone.upper()}"
    return written if epcisschema.is_time(written) else None


def offset(text: str) -> str | None:
    """Return a time zone's offset as `+07:00`, read from `+7`, `0700`, `UTC+7` or `Z`."""
    if text.strip().upper() in ("Z", "UTC", "GMT"):
        return "+00:00"
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    sign, hours, minutes = found[1] or "+", int(found[2]), int(found[3] or 0)
    return f"{sign}{hours:02}:{minutes:02}" if hours * 60 + minutes <= 14 * 60 and minutes < 60 else None


def offset_of(time: str) -> str | None:
    """Return the offset that a time is written with."""
    found = _ZONE.search(time.strip())
    return offset(found[1]) if found else None


def number(text: str) -> float | int | None:
    """Return a number written with a decimal comma or point.

    A single comma or point before exactly three digits may part thousands or decimals: that is nobody's guess.
    """
    if not _NUMBER.fullmatch(text.strip()):
        return None
    digits = re.sub(r"\s", "", text)
    marks = re.findall(r"[.,]", digits)
    if len(marks) == 1 and re.search(r"[1-9]\d{0,2}[.,]\d{3}$", digits):
        return None
    if len(set(marks)) == 2:
        thousands = marks[0]
        if marks.count(marks[-1]) != 1 or not re.fullmatch(
            rf"[+-]?\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+[.,]\d+", digits
        ):
            return None
        digits = digits.replace(thousands, "")
    elif len(marks) > 1:
        if not re.fullmatch(r"[+-]?\d{1,3}(?:[.,]\d{3})+", digits):
            return None
        digits = digits.replace(marks[0], "")
    digits = digits.replace(",", ".")
    return float(digits) if "." in digits else int(digits)


def word(text: str, words: Sequence[str]) -> str | None:
    """Return the bare word of a vocabulary that an older or looser spelling stands for."""
    found = _LONG_WORD.fullmatch(text.strip())
    plain = next(filter(None, found.groups())) if found else text
    by_letters = {_letters(each): each for each in words}
    return by_letters.get(_letters(plain))


def _letters(text: str) -> str:
    return re.sub(r"[\s_-]+", "", fold(text))


def uri(text: str) -> str | None:
    """Return a URI without stray spaces, other letters percent-encoded, a bare UUID as a URN."""
    plain = text.strip()
    if _UUID.fullmatch(plain):
        return f"urn:uuid:{plain.lower()}"
    spelt = quote(plain, safe=_RESERVED)
    return spelt if epcisschema.is_uri(spelt) else None


def uom(text: str) -> str | None:
    """Return the UN/ECE code of a unit that people write."""
    code = uom_of(text)
    if code != "EA":
        return code
    return text.strip().upper() if _CODE.fullmatch(text.strip()) else None
