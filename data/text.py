"""Vietnamese text: one normal form, and the folded form that search compares."""

from __future__ import annotations

import re
import unicodedata

from gis.text import fold

__all__ = ["MARKS", "accented", "bare", "fold", "has_accents", "normal", "search_text"]

#: Combining marks, as Python and PostgreSQL read the same expression.
MARKS = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"

_SPACES = re.compile(r"\s+")
_MARKS = re.compile(MARKS)


def normal(text: str) -> str:
    """Return the text in NFC with single spaces, as it is kept in the record."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def bare(text: str) -> str:
    """Return the text in NFC without marks and with đ as d, its case and spaces kept."""
    unmarked = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", unmarked).replace("đ", "d").replace("Đ", "D")


def accented(text: str | None) -> str:
    """Return the text in lower case with its marks, the tone of oa, oe, uy moved to one place (hoà = hòa)."""
    if not text:
        return ""
    spread = unicodedata.normalize("NFD", text.lower())
    moved = re.sub("(o)([ae])([\u0300\u0301\u0303\u0309\u0323])(?![a-z])", r"\1\3\2", spread)
    moved = re.sub("(?<!q)(u)(y)([\u0300\u0301\u0303\u0309\u0323])(?![a-z])", r"\1\3\2", moved)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", moved)).strip()


def has_accents(text: str) -> bool:
    """Tell whether somebody typed Vietnamese marks, so that exact accents should rank first."""
    return fold(text) != _SPACES.sub(" ", text.lower()).strip()


def search_text(*parts: object) -> str:
    """Join what a row is found by: the accented form, a bar, the folded form."""
    joined = " ".join(str(p) for p in parts if p)
    return f"{accented(joined)} | {fold(joined)}"
