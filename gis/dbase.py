"""The texts of a dBASE table as raw bytes, and what the table says of their code page."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_SAMPLE = 8 * 1024 * 1024
_HEADER, _FIELD = 32, 32
_TERMINATOR = 0x0D
_LANGUAGE_AT = 29

SYSTEM_CODE_PAGE = 0x57
"""The mark that programs set when they know nothing better than "the code page of this computer"."""

LANGUAGES = {
    0x01: "cp437",
    0x02: "cp850",
    0x03: "cp1252",
    0x13: "cp932",
    0x1B: "cp863",
    0x37: "cp850",
    0x4D: "cp936",
    0x4E: "cp949",
    0x4F: "cp950",
    0x50: "cp874",
    0x58: "cp1252",
    0x59: "cp1252",
    0x64: "cp852",
    0x65: "cp866",
    0x7B: "cp932",
    0x7C: "cp874",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0xCA: "cp1254",
    0xCB: "cp1253",
    0xCC: "cp1257",
}
"""Python codecs of the language driver marks; Vietnamese code pages have none."""


def language(path: Path) -> int:
    """The language driver mark of a table, byte 29 of its header; 0 when nobody set it."""
    with path.open("rb") as stream:
        header = stream.read(_HEADER)
    return header[_LANGUAGE_AT] if len(header) == _HEADER else 0


def rows_stated(path: Path) -> int | None:
    """How many rows a table says it has; None when the file ends before the last of them."""
    with path.open("rb") as stream:
        header = stream.read(_HEADER)
    if len(header) < _HEADER:
        return None
    rows, start, width = struct.unpack_from("<IHH", header, 4)
    return int(rows) if start + rows * width <= path.stat().st_size else None


def raw_texts(path: Path) -> Iterator[bytes]:
    """The field names and text cells in the first megabytes of a table, without padding."""
    with path.open("rb") as stream:
        content = stream.read(_SAMPLE)
    if len(content) < _HEADER:
        return
    start, width = struct.unpack_from("<HH", content, 8)
    offset, texts = 1, []
    for at in range(_HEADER, max(_HEADER, start - 1), _FIELD):
        if at + _FIELD > len(content) or content[at] == _TERMINATOR:
            break
        yield content[at : at + 11].split(b"\x00")[0]
        if content[at + 11 : at + 12] in (b"C", b"c"):
            texts.append((offset, content[at + 16]))
        offset += content[at + 16]
    if width < offset:
        return
    for row in range(start, len(content) - width + 1, width):
        for begin, length in texts:
            yield content[row + begin : row + begin + length].strip(b" \x00")
