"""What a paper consists of, whatever it is written as."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import segno

Align: TypeAlias = Literal["left", "center", "right", "justify"]


@dataclass(frozen=True)
class Letterhead:
    """The head of an official paper: the authority and its number on the left, the state on the right."""

    authority: tuple[str, ...]
    number: str = ""
    place_date: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the largest."""

    text: str
    level: int = 1
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Line:
    """A paragraph."""

    text: str
    bold: bool = False
    italic: bool = False
    align: Align = "justify"
    size: float | None = None
    kind: Literal["line"] = "line"


@dataclass(frozen=True)
class Facts:
    """Labels with their values, one below the other; an empty value is a dotted line to write on."""

    rows: tuple[tuple[str, str], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Grid:
    """A table; `widths` are relative, `bold_rows` count from 0 without the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    right: tuple[int, ...] = ()
    bold_rows: tuple[int, ...] = ()
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True)
class Signatures:
    """Who signs, side by side: (role, note below it, name)."""

    people: tuple[tuple[str, str, str], ...]
    kind: Literal["signatures"] = "signatures"


@dataclass(frozen=True)
class Codes:
    """QR codes with a title and lines to write on beside each: (what the code says, title, lines)."""

    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    kind: Literal["codes"] = "codes"

    def drawn(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return the rows with each code drawn as SVG."""
        return [(svg_code(says), title, lines) for says, title, lines in self.rows]


@dataclass(frozen=True)
class NewPage:
    """What follows begins on a new page."""

    kind: Literal["new_page"] = "new_page"


Block: TypeAlias = Heading | Line | Facts | Grid | Signatures | Codes | NewPage


@dataclass(frozen=True)
class Paper:
    """A paper: its title under the letterhead, then its blocks. `demo` prints a mark on every page."""

    title: str
    blocks: Sequence[Block]
    subtitle: str = ""
    head: Letterhead | None = None
    form: str = ""
    landscape: bool = False
    sheet: Literal["a4", "a5"] = "a4"
    demo: bool = False
    framed: bool = False
    size: float = 13
    language: str = "vi"
    footer: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the paper as values that JSON can hold."""
        return {**asdict(self), "blocks": [_plain(b) for b in self.blocks]}


def svg_code(says: str) -> str:
    """Draw a QR code as SVG, with its quiet zone."""
    drawn = io.BytesIO()
    segno.make(says, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False, svgns=True)
    return drawn.getvalue().decode()


def _plain(block: Block) -> dict[str, Any]:
    if isinstance(block, Codes):
        return {"kind": block.kind, "rows": block.drawn()}
    return asdict(block)
