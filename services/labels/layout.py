"""How large a label's code can be: modules as large as the label lets them be, and never too small to be scanned.

All measures count in dots of 1/300 inch, so that every module is printed as whole dots at 300 and 600 dots an inch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import segno

from gis.errors import Refusal

DOTS_PER_MM = 300 / 25.4
#: 0.423 mm; the least that GS1 allows for a GS1 Digital Link in a QR code is 0.396 mm (General Specifications, 5.12.3).
SMALLEST_MODULE = 5
#: 0.93 mm; larger modules help no scanner and look clumsy.
LARGEST_MODULE = 11
QUIET_ZONE = 4
TEXT_MM_PER_POINT = 1.45 * 25.4 / 72
SMALLEST_POINTS, LARGEST_POINTS = 5.5, 9.0
BOTTOM_MM = 0.8
CORRECTION = "m"

A4_WIDTH, A4_HEIGHT = 210.0, 297.0
SHEET_MARGIN = 8.0


class LabelError(Refusal):
    """A label cannot be made as asked; nothing was printed."""


@dataclass(frozen=True)
class Size:
    """Width and height of a label in millimetres."""

    width: float
    height: float

    def __str__(self) -> str:
        return f"{self.width:g}x{self.height:g}"


@dataclass(frozen=True)
class Fit:
    """How a code sits on a label: its module in dots, rows of the name, and the size of the text in points."""

    module: int
    modules: int
    name_rows: int
    points: float

    @property
    def module_mm(self) -> float:
        """Width of one module in millimetres."""
        return self.module / DOTS_PER_MM

    @property
    def symbol_mm(self) -> float:
        """Width of the symbol without its quiet zone in millimetres."""
        return self.modules * self.module_mm

    @property
    def block_mm(self) -> float:
        """Width of the symbol with its quiet zone in millimetres."""
        return (self.modules + 2 * QUIET_ZONE) * self.module_mm


def code_of(text: str) -> segno.QRCode:
    """Return the QR code of a link: medium error correction, more where it costs no larger symbol."""
    return segno.make(text, error=CORRECTION, micro=False)


def modules_of(text: str) -> int:
    """Return how many modules wide the code of a link is, without its quiet zone."""
    return int(code_of(text).symbol_size(border=0)[0])


def fit(modules: int, size: Size, rows: int) -> Fit:
    """Return the largest code that fits on a label with N rows of text beneath its name. Raises LabelError.

    The name takes two rows where the label has room for them beside a large code, else one.
    """
    for name_rows in (2, 1):
        least = (rows + name_rows) * SMALLEST_POINTS * TEXT_MM_PER_POINT + BOTTOM_MM
        room = min(size.width, size.height - least)
        module = min(LARGEST_MODULE, math.floor(room * DOTS_PER_MM / (modules + 2 * QUIET_ZONE)))
        if module > SMALLEST_MODULE or (module == SMALLEST_MODULE and name_rows == 1):
            return _with_text(Fit(module, modules, name_rows, SMALLEST_POINTS), size, rows)
    needed = (modules + 2 * QUIET_ZONE) * SMALLEST_MODULE / DOTS_PER_MM
    raise LabelError(
        "Nhãn %(size)s mm quá nhỏ cho mã này: cần ít nhất %(width)s × %(height)s mm để máy quét đọc được.",
        size=str(size).replace("x", " × "),
        width=math.ceil(needed),
        height=math.ceil(needed + (rows + 1) * SMALLEST_POINTS * TEXT_MM_PER_POINT + BOTTOM_MM),
    )


def _with_text(found: Fit, size: Size, rows: int) -> Fit:
    left = size.height - found.block_mm - BOTTOM_MM
    points = left / (rows + found.name_rows) / TEXT_MM_PER_POINT
    return Fit(found.module, found.modules, found.name_rows, min(LARGEST_POINTS, points))


def grid(size: Size) -> tuple[int, int]:
    """Return how many columns and rows of labels an A4 sheet holds. Raises LabelError."""
    columns = math.floor((A4_WIDTH - 2 * SHEET_MARGIN) / size.width)
    rows = math.floor((A4_HEIGHT - 2 * SHEET_MARGIN) / size.height)
    if not columns or not rows:
        raise LabelError("Nhãn %(size)s mm không xếp vừa tờ A4.", size=str(size).replace("x", " × "))
    return columns, rows
