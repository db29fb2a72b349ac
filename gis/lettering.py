"""Text on maps: glyphs kept per font and size, put together into masks of ink and halo.

Vietnamese in NFC has one glyph per letter, so no shaping is needed: advances are taken from the unhinted outlines,
and each glyph is drawn at the nearest quarter of a pixel.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Mask = NDArray[np.uint8]

PHASES = 4
OUTLINE_SIZE = 512
REMEMBERED_TEXTS = 2_048
HALO = 2
"""Pixels that the halo stands out on each side."""

SYSTEM_FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
    Path("/Library/Fonts/Arial Unicode.ttf"),
    Path("C:/Windows/Fonts/arial.ttf"),
)

# How much of the halo's ink lies at each distance: whole within a pixel, fading out over the next.
_HALO_WEIGHTS = {
    (dx, dy): min(1.0, max(0.0, HALO + 0.1 - (dx * dx + dy * dy) ** 0.5))
    for dx in range(-HALO, HALO + 1)
    for dy in range(-HALO, HALO + 1)
}


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter: its mask, and where the mask lies from the pen on the baseline, in pixels (y down)."""

    mask: Mask
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Lettered:
    """A text as masks of equal size: ink and halo, 0 to 255."""

    ink: Image.Image
    halo: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, halo included."""
        width, height = self.ink.size
        return width, height


class Lettering:
    """A font at one size in pixels."""

    def __init__(self, path: Path | None, size: float) -> None:
        self.size = size
        self.line_height = round(size * 1.25)
        self._font = _font(path, size)
        self._outline = _font(path, OUTLINE_SIZE)
        self._advances: dict[str, float] = {}
        self._glyphs: dict[tuple[str, int], Glyph] = {}
        self._texts: OrderedDict[str, Lettered] = OrderedDict()
        self._ascent = round(size * 1.1)
        self._descent = round(size * 0.35)

    def width(self, line: str) -> float:
        """Return the width of a line in pixels, without halo."""
        return sum(map(self._advance, line))

    def wrapped(self, text: str, most: float) -> str:
        """Break a text at spaces into lines of at most `most` pixels where it can; NFC, no control characters."""
        lines: list[str] = []
        for word in unicodedata.normalize("NFC", text).split():
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(joined) <= most:
                lines[-1] = joined
            else:
                lines.append(word)
        return "\n".join(lines)

    def extent(self, text: str) -> tuple[int, int]:
        """Return the width and height that `drawn` will have, without drawing."""
        lines = text.split("\n")
        width = max(map(self.width, lines))
        height = self._ascent + self._descent + (len(lines) - 1) * self.line_height
        return int(width) + 2 + 2 * HALO, height + 2 * HALO

    def drawn(self, text: str) -> Lettered:
        """Return a text, with lines divided by newlines and centred, as masks."""
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._draw(text)
            if len(self._texts) > REMEMBERED_TEXTS:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(text)
        return known

    def _draw(self, text: str) -> Lettered:
        width, height = self.extent(text)
        ink: Mask = np.zeros((height, width), np.uint8)
        for number, line in enumerate(text.split("\n")):
            pen = (width - self.width(line)) / 2
            self._draw_line(ink, line, pen, HALO + self._ascent + number * self.line_height)
        return Lettered(Image.fromarray(ink), Image.fromarray(_halo(ink)))

    def _draw_line(self, ink: Mask, line: str, pen: float, baseline: int) -> None:
        for letter in line:
            steps = round(pen * PHASES)
            glyph = self._glyph(letter, steps % PHASES)
            _stamp(ink, glyph.mask, steps // PHASES + glyph.left, baseline + glyph.top)
            pen += self._advance(letter)

    def _advance(self, letter: str) -> float:
        advance = self._advances.get(letter)
        if advance is None:
            advance = self._outline.getlength(letter) * self.size / OUTLINE_SIZE
            self._advances[letter] = advance
        return advance

    def _glyph(self, letter: str, phase: int) -> Glyph:
        glyph = self._glyphs.get((letter, phase))
        if glyph is None:
            glyph = self._glyphs[letter, phase] = self._rendered(letter, phase)
        return glyph

    def _rendered(self, letter: str, phase: int) -> Glyph:
        side = int(self.size * 3) + 4
        pen = side // 3
        image = Image.new("L", (side, side))
        drawing = ImageDraw.Draw(image)
        drawing.text((pen + phase / PHASES, 2 * pen), letter, fill=255, font=self._font, anchor="ls")
        left, top, right, bottom = image.getbbox() or (pen, 2 * pen, pen, 2 * pen)
        return Glyph(np.asarray(image)[top:bottom, left:right].copy(), left - pen, top - 2 * pen)


@lru_cache(maxsize=16)
def lettering(path: Path | None, size: float) -> Lettering:
    """Return the lettering of a font file at a size; None takes a system font that has Vietnamese."""
    return Lettering(path, size)


def _font(path: Path | None, size: float) -> ImageFont.FreeTypeFont:
    for candidate in (path, *SYSTEM_FONTS):
        if candidate is not None and candidate.is_file():
            return ImageFont.truetype(str(candidate), size, layout_engine=ImageFont.Layout.BASIC)
    built_in = ImageFont.load_default(size)
    assert isinstance(built_in, ImageFont.FreeTypeFont)
    return built_in


def _stamp(ink: Mask, mask: Mask, left: int, top: int) -> None:
    """Put a glyph's mask into a larger one, keeping the darker of both, cut at the edges."""
    height, width = mask.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, ink.shape[1]), min(top + height, ink.shape[0])
    if x0 < x1 and y0 < y1:
        place = ink[y0:y1, x0:x1]
        np.maximum(place, mask[y0 - top : y1 - top, x0 - left : x1 - left], out=place)


def _halo(ink: Mask) -> Mask:
    """Return the mask of everything within HALO pixels of the ink, fading at its edge."""
    height, width = ink.shape
    padded = np.pad(ink, HALO).astype(np.float32)
    halo = np.zeros((height, width), np.float32)
    for (dx, dy), weight in _HALO_WEIGHTS.items():
        if weight > 0:
            moved = padded[HALO + dy : HALO + dy + height, HALO + dx : HALO + dx + width]
            np.maximum(halo, moved * weight, out=halo)
    faded: Mask = halo.astype(np.uint8)
    return faded
