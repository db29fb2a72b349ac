"""Which code the letters of a file are read in: somebody's choice, what the file says, or what they show."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gis import dbase
from gis.inspection import Candidate, EncodingGuess, Notice
from gis.letterevidence import (
    ENOUGH,
    byte_candidates,
    clearly_best,
    decoded,
    text_candidates,
    vietnamese_share,
)

__all__ = ["for_bytes", "for_mapinfo", "for_octets", "for_shapefile", "for_texts", "is_known", "titles"]

LAST_RESORT = "cp1252"
DOUBTFUL = 0.5
FEW_WORDS = 5
_HEAD = 4096
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(rb"charset\s+\"?([\w.-]+)", re.IGNORECASE)
_CHARSETS = {
    "windowslatin1": "cp1252",
    "iso8859_1": "cp1252",
    "windowsvietnamese": "cp1258",
    "utf-8": "utf-8",
}
_PAGE = re.compile(r"(?:ansi|windows|cp|oem|ms)?[\s_-]*(\d{3,5})", re.IGNORECASE)

titles = {
    "utf-8": "Unicode (UTF-8)",
    "utf-8-sig": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "utf-16-le": "Unicode (UTF-16)",
    "utf-16-be": "Unicode (UTF-16)",
    "cp1258": "Windows-1258",
    "tcvn3": "TCVN3 (ABC, .VnTime)",
    "vni": "VNI",
    "viscii": "VISCII",
    "cp1252": "Windows-1252",
}
"""Names of the codecs as officers know them."""


def is_known(encoding: str) -> bool:
    """Whether Python can read a code, those of old Vietnamese fonts included."""
    try:
        return bool(codecs.lookup(encoding))
    except LookupError:
        return False


def for_shapefile(path: Path, explicit: str | None = None) -> EncodingGuess:
    """The code of the table beside a shapefile: chosen, from .cpg, from the table's mark, or by its letters."""
    table = _beside(path, ".dbf")
    octets = list(dbase.raw_texts(table)) if table else []
    if explicit is not None:
        return _explicit(explicit, byte_candidates(octets))
    page = _beside(path, ".cpg")
    if page is not None and (codec := _page(page)):
        return for_octets(octets, codec, "cpg")
    mark = dbase.language(table) if table else 0
    # Mark 87 means the code page of whoever wrote the table, which may be any.
    return for_octets(octets, dbase.LANGUAGES.get(mark), "ldid")


def for_mapinfo(path: Path, octets: Sequence[bytes], explicit: str | None = None) -> EncodingGuess:
    """The code of a MapInfo table with these texts: chosen, the charset in its head, or by its letters."""
    if explicit is not None:
        return _explicit(explicit, byte_candidates(octets))
    with path.open("rb") as stream:
        found = _CHARSET.search(stream.read(_HEAD))
    name = found[1].decode("ascii").lower() if found else ""
    return for_octets(octets, _CHARSETS.get(name), "charset")


def for_octets(
    octets: Sequence[bytes], declared: str | None = None, source: str = "letters"
) -> EncodingGuess:
    """The code of byte strings of which the file says `declared`, or nothing.

    What the file says is followed unless the letters read so are clearly no Vietnamese and read clearly well
    in another code: files copied between programs keep wrong marks.
    """
    candidates = byte_candidates(octets)
    best = candidates[0] if candidates else None
    if declared is not None:
        texts = [decoded(octet, declared) for octet in octets]
        broken = any("\ufffd" in text for text in texts)
        share, words = vietnamese_share(texts)
        wrong = broken or (words >= FEW_WORDS and share < DOUBTFUL)
        if not (wrong and best is not None and best.score >= ENOUGH and clearly_best(candidates)):
            return EncodingGuess(declared, source, _says(source, declared), not wrong, candidates)
        why = Notice(
            "Tệp ghi bảng mã %(declared)s nhưng chữ chỉ đúng tiếng Việt khi đọc theo %(chosen)s.",
            {"declared": _title(declared), "chosen": _title(best.encoding)},
        )
        return EncodingGuess(best.encoding, "letters", why, False, candidates)
    return _by_letters(candidates, LAST_RESORT)


def for_bytes(head: bytes, explicit: str | None = None) -> EncodingGuess:
    """The code of a text file from its first bytes: byte order mark, pattern of zeros, or letters."""
    if explicit is not None:
        return _explicit(explicit, byte_candidates(head.splitlines()))
    for mark, codec in _BOMS:
        if head.startswith(mark):
            why = Notice("Dấu đầu tệp cho biết bảng mã là %(chosen)s.", {"chosen": _title(codec)})
            return EncodingGuess(codec, "bom", why)
    zeros = head[:4096].count(0)
    if zeros > len(head[:4096]) // 5:
        codec = "utf-16-le" if head[1:4096:2].count(0) >= zeros / 2 else "utf-16-be"
        why = Notice("Chữ viết hai byte một ký tự: bảng mã là %(chosen)s.", {"chosen": _title(codec)})
        return EncodingGuess(codec, "letters", why)
    return for_octets(head.splitlines())


def for_texts(texts: Iterable[str], explicit: str | None = None) -> EncodingGuess:
    """The code of texts from a format that always is Unicode; old fonts leave TCVN3 or VNI even there."""
    candidates = text_candidates(list(texts))
    if explicit is not None:
        return _explicit(explicit, candidates)
    best = candidates[0] if candidates else None
    if best is not None and best.encoding != "utf-8" and clearly_best(candidates):
        why = Notice(
            "Tệp là Unicode nhưng chữ được gõ bằng phông cũ: chỉ đúng tiếng Việt khi đọc theo %(chosen)s.",
            {"chosen": _title(best.encoding)},
        )
        return EncodingGuess(best.encoding, "letters", why, False, candidates)
    return EncodingGuess("utf-8", "format", Notice("Định dạng này luôn dùng Unicode."), True, candidates)


def _by_letters(candidates: tuple[Candidate, ...], otherwise: str) -> EncodingGuess:
    if not candidates:
        plain = Notice("Tệp chỉ có chữ không dấu, đọc theo bảng mã nào cũng như nhau.")
        return EncodingGuess("utf-8", "default", plain)
    best = candidates[0]
    if best.encoding == "utf-8":
        why = Notice("Các byte của chữ đúng là %(chosen)s.", {"chosen": _title("utf-8")})
        return EncodingGuess("utf-8", "letters", why, True, candidates)
    if best.score >= DOUBTFUL:
        share = round(100 * best.score)
        why = Notice(
            "Tệp không ghi bảng mã; đọc theo %(chosen)s thì %(percent)s %% số tiếng có dấu đúng tiếng Việt.",
            {"chosen": _title(best.encoding), "percent": share},
        )
        return EncodingGuess(best.encoding, "letters", why, clearly_best(candidates), candidates)
    why = Notice("Không nhận ra bảng mã của chữ; hãy chọn theo các dòng mẫu.")
    return EncodingGuess(otherwise, "default", why, False, candidates)


def _explicit(encoding: str, candidates: tuple[Candidate, ...]) -> EncodingGuess:
    why = Notice("Bảng mã do người dùng chọn: %(chosen)s.", {"chosen": _title(encoding)})
    return EncodingGuess(encoding, "explicit", why, True, candidates)


def _says(source: str, codec: str) -> Notice:
    facts = {"chosen": _title(codec)}
    if source == "cpg":
        return Notice("Tệp .cpg ghi bảng mã %(chosen)s.", facts)
    if source == "ldid":
        return Notice("Phần đầu của tệp .dbf ghi bảng mã %(chosen)s.", facts)
    return Notice("Tệp ghi bảng mã %(chosen)s.", facts)


def _title(codec: str) -> str:
    return titles.get(codec.lower(), codec)


def _page(path: Path) -> str | None:
    """The codec that a .cpg file names: `UTF-8`, `1258`, `ANSI 1252`, `88591`, `TCVN3` …"""
    name = path.read_bytes()[:64].decode("ascii", "ignore").strip(" \x00\r\n\t\"'")
    digits = _PAGE.fullmatch(name)
    forms: list[str] = [name, name.replace(" ", "-")]
    if digits is not None:
        forms = [f"iso8859-{digits[1][4:]}" if digits[1].startswith("8859") else f"cp{digits[1]}"]
    codec = next((form for form in forms if form and is_known(form)), None)
    return codecs.lookup(codec).name if codec else None


def _beside(path: Path, suffix: str) -> Path | None:
    forms = (path.with_suffix(form) for form in (suffix, suffix.upper()))
    return next((form for form in forms if form.exists()), None)
