"""Telling in which code Vietnamese texts were written, from how Vietnamese they look when read in each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from gis.inspection import Candidate
from gis.lettercodes import FONT_CODES, octets_of

Chars = TypeVar("Chars", str, bytes)

BYTE_CODES = ("utf-8", "cp1258", *FONT_CODES, "cp1252")
"""What raw bytes may be, in the order that decides between equals."""

SAMPLES = 5
ENOUGH = 0.8
"""A reading whose words are Vietnamese syllables to this share is believed."""
CLEAR_LEAD = 0.25
MOST_TEXTS = 3_000

_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
_STOPPED = re.compile(r"(ch|c|p|t)$")
_ONSET = "(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
_NUCLEUS = (
    "(?:oai|oay|oao|oeo|uya|uyê|uyu|uây|uôi|uêu|ươi|ươu|iêu|yêu|"
    "ia|iê|ya|yê|ua|uô|ưa|ươ|ai|ao|au|ay|âu|ây|eo|êu|iu|oa|oă|oe|oo|ôi|ơi|oi|ui|uâ|uê|uơ|uy|ưi|ưu|"
    "[aăâeêioôơuưy])"
)
_SYLLABLE = re.compile(rf"{_ONSET}{_NUCLEUS}(?:ch|ng|nh|[cmnpt])?")
_BREAK = re.compile(r"[\s\x00-\x40\[\\\]^_`{|}~°×²³–—‘’“”…•\ufeff]+")


def vietnamese_share(texts: Iterable[str]) -> tuple[float, int]:
    """Share of the words with letters beyond ASCII that are Vietnamese syllables, and how many there are."""
    right = words = 0
    for text in texts:
        for word in _BREAK.split(unicodedata.normalize("NFC", text).lower()):
            if word and not word.isascii():
                words += 1
                right += is_syllable(word)
    return (right / words if words else 0.0), words


def is_syllable(word: str) -> bool:
    """Whether a word in small letters has the shape of one Vietnamese syllable with at most one tone."""
    spread = unicodedata.normalize("NFD", word)
    tones = [mark for mark in spread if mark in _TONES]
    if len(tones) > 1:
        return False
    bare = unicodedata.normalize("NFC", "".join(mark for mark in spread if mark not in _TONES))
    if not _SYLLABLE.fullmatch(bare):
        return False
    return not _STOPPED.search(bare) or (bool(tones) and tones[0] in "\u0301\u0323")


def byte_candidates(octets: Sequence[bytes]) -> tuple[Candidate, ...]:
    """Every way to read the byte strings that is possible, best first; none when all are ASCII."""
    telling = _telling(octets, bytes.isascii)
    if not telling:
        return ()

    def read(code: str) -> list[str] | None:
        texts = [decoded(octet, code) for octet in telling]
        # A field may cut its last letter in two or hold one damaged cell; more is proof against UTF-8.
        broken = sum("\ufffd" in text for text in texts)
        return None if broken > 0.02 * len(texts) else texts

    found = _ranked(BYTE_CODES, read)
    # Bytes that are UTF-8 throughout are so by no accident, whatever language they are in.
    return tuple(sorted(found, key=lambda one: one.encoding != "utf-8"))


def text_candidates(texts: Sequence[str]) -> tuple[Candidate, ...]:
    """Ways to read Unicode texts, `utf-8` standing for as they are; none when all are ASCII.

    The others apply to texts typed for an old font, see `lettercodes.recode`.
    """
    telling = _telling(texts, str.isascii)
    western = [octets for octets in map(octets_of, telling) if octets is not None]
    if not telling:
        return ()

    def read(code: str) -> list[str] | None:
        if code == "utf-8":
            return telling
        # Texts beyond Windows-1252 are real Unicode; where they are many, no old font was at work.
        if len(western) < 0.5 * len(telling):
            return None
        return [decoded(octets, code) for octets in western]

    return _ranked(("utf-8", *FONT_CODES, "cp1258"), read)


def decoded(octets: bytes, encoding: str) -> str:
    """Bytes read in NFC, with a last letter of UTF-8 that the field cut in two left out."""
    text = octets.decode(encoding, "replace")
    if text.endswith("\ufffd") and encoding.lower().replace("-", "").replace("_", "") == "utf8":
        try:
            octets.decode(encoding)
        except UnicodeDecodeError as error:
            if error.end == len(octets) and error.reason == "unexpected end of data":
                text = octets[: error.start].decode(encoding)
    return unicodedata.normalize("NFC", text)


def clearly_best(candidates: Sequence[Candidate]) -> bool:
    """Whether the first reading is good and the next one with another result is clearly worse."""
    if not candidates:
        return False
    first = candidates[0]
    if first.score < ENOUGH:
        return False
    rest = [other.score for other in candidates[1:] if other.samples != first.samples]
    return not rest or first.score - max(rest) >= CLEAR_LEAD


def _telling(values: Iterable[Chars], is_plain: Callable[[Chars], bool]) -> list[Chars]:
    return [value for value in dict.fromkeys(values) if not is_plain(value)][:MOST_TEXTS]


def _ranked(codes: Sequence[str], read: Callable[[str], list[str] | None]) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    for code in codes:
        texts = read(code)
        if texts is not None:
            score, _ = vietnamese_share(texts)
            found.append(Candidate(code, round(score, 3), tuple(texts[:SAMPLES])))
    return tuple(sorted(found, key=lambda one: (-one.score, codes.index(one.encoding))))
