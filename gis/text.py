"""Vietnamese text in its normal form, and compared without marks."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")


def fold(text: str | None) -> str:
    """Return the text in lower case without marks and with đ as d: what an unaccented query looks for."""
    if not text:
        return ""
    lowered = unicodedata.normalize("NFC", text).lower().replace("đ", "d")
    bare = (c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    return _SPACES.sub(" ", "".join(bare)).strip()


def nfc(text: str) -> str:
    """Text in the one form in which the record keeps it; files from macOS come decomposed."""
    return unicodedata.normalize("NFC", text)
