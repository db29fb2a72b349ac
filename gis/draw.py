"""Maps drawn as images: polygons with holes, lines, points and labels, anti-aliased, as PNG or JPEG.

The renderer is aggdraw (AGG) for shapes and Pillow (FreeType) for letters. Tried on 1,000 polygons of 22 vertices at
512 x 512 with Vietnamese labels: skia-python draws a little faster, but its wheel needs libGL and libEGL of
the system, which servers lack; mapnik's has the best labels, but unpacks to 181 MB and carries a GDAL and PROJ of
its own; Pillow alone has no anti-aliasing and takes twice as long when it draws larger and shrinks. aggdraw is one
wheel of 1 MB without needs, kept by the Pytroll project. All draw ễ, ặ, ỹ and Đ of Be Vietnam Pro alike.

Everything is blended over transparent black, which gives colours multiplied by their opacity, as Pillow's mode RGBa.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aggdraw
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageColor

from gis.lettering import HALO, Lettering, lettering
from gis.palette import reduced

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Box = tuple[float, float, float, float]

MARGIN = 16
"""Pixels around the image within which shapes are kept, so that their cut edges do not show."""

DETAIL = 4
"""Vertices within the same 1/DETAIL of a pixel are one."""

BARE = 3.0
"""Shapes smaller than this many pixels have no outline, which would cover them."""

MOST_REDUCED = 4_000_000
"""Pixels up to which colours are reduced: beyond, it would take more memory than it saves."""

MOST_LABELS = 400
MOST_CANDIDATES = 4_000
_POLYGON, _LINES = 3, (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Paint:
    """How a shape is drawn: colours as #rrggbb or None, width and radius in pixels."""

    fill: str | None
    opacity: float = 1.0
    outline: str | None = None
    width: float = 1.0
    radius: float = 4.0


@dataclass(frozen=True, slots=True)
class Ink:
    """How labels are written: size in pixels, colours as #rrggbb, the longest line in pixels."""

    size: float = 12
    color: str = "#12302c"
    halo: str = "#ffffff"
    longest_line: float = 96


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    x: float
    y: float
    rank: float
    offset: float
    ink: Ink


class Canvas:
    """An image of a part of the plane.

    `frame` is min x, min y, max x, max y of the image in the units of the shapes, x to the right and y up.
    A `background` of None is transparent. `font` is a TrueType file; without it a system font is taken.
    """

    def __init__(
        self,
        width: int,
        height: int,
        frame: Box,
        *,
        background: str | None = "#ffffff",
        font: Path | None = None,
    ) -> None:
        self.width, self.height = width, height
        self.background = background
        self.font = font
        min_x, min_y, max_x, max_y = frame
        self._origin = np.array([min_x, max_y])
        self._scale = np.array([width / (max_x - min_x), -height / (max_y - min_y)])
        reach_x, reach_y = MARGIN / self._scale[0], MARGIN / -self._scale[1]
        self._kept: Box = (min_x - reach_x, min_y - reach_y, max_x + reach_x, max_y + reach_y)
        self._image = Image.new("RGBA", (width, height), _rgba(background))
        self._draw: aggdraw.Draw | None = None
        self._labels: list[_Label] = []

    # ---- shapes

    def polygons(self, shapes: Geometries, paints: Sequence[Paint], which: Integers | None = None) -> None:
        """Draw the polygons among N shapes, in order; `which` (N) says the paint of each, by default the first.

        Outlines are drawn in their paint's opacity of 1.
        """
        kept, which = self._in_reach(shapes, which)
        parts, owner = shapely.get_parts(kept, return_index=True)
        areal = shapely.get_type_id(parts) == _POLYGON
        parts, owner = parts[areal], owner[areal]
        rings, rings_of = _rings(parts)
        xy, starts = self._paths(rings)
        boxes = _boxes(xy, starts)
        tools = [_tools(paint) for paint in paints]
        flat, ends, used = xy.ravel().tolist(), (starts * 2).tolist(), which[owner].tolist()
        small = (np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) < BARE).tolist()
        draw = self._drawing()
        for part, paint in enumerate(used):
            first, last = rings_of[part], rings_of[part + 1]
            brush, pen = tools[paint]
            if small[first]:
                draw.rectangle(_at_least_a_pixel(boxes[first]), brush or pen)
            elif last - first == 1:
                draw.polygon(flat[ends[first] : ends[first + 1]], pen, brush)
            else:
                outlines = [flat[ends[ring] : ends[ring + 1]] for ring in range(first, last)]
                draw.symbol((0, 0), aggdraw.Symbol(_svg(outlines)), pen, brush)

    def lines(self, shapes: Geometries, paints: Sequence[Paint], which: Integers | None = None) -> None:
        """Draw the lines among N shapes with the outlines of their paints."""
        kept, which = self._in_reach(shapes, which)
        parts, owner = shapely.get_parts(kept, return_index=True)
        linear = np.isin(shapely.get_type_id(parts), _LINES)
        parts, owner = parts[linear], owner[linear]
        xy, starts = self._paths(parts)
        tools = [_tools(paint) for paint in paints]
        flat, ends = xy.ravel().tolist(), (starts * 2).tolist()
        draw = self._drawing()
        for number, paint in enumerate(which[owner].tolist()):
            if tools[paint][1] is not None:
                draw.line(flat[ends[number] : ends[number + 1]], tools[paint][1])

    def points(self, shapes: Geometries, paints: Sequence[Paint], which: Integers | None = None) -> None:
        """Draw the points among N shapes as circles; of several at one pixel in one paint only one is drawn."""
        kept, which = self._in_reach(shapes, which)
        parts, owner = shapely.get_parts(kept, return_index=True)
        single = shapely.get_type_id(parts) == 0
        xy = self.pixels(shapely.get_coordinates(parts[single]))
        used = which[owner[single]]
        cells = np.column_stack((np.round(xy), used))
        _, first = np.unique(cells, axis=0, return_index=True)
        tools = [_tools(paint) for paint in paints]
        draw = self._drawing()
        for number in np.sort(first).tolist():
            (x, y), paint = xy[number], int(used[number])
            radius = paints[paint].radius
            brush, pen = tools[paint]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), pen, brush)

    def pixels(self, xy: Floats) -> Floats:
        """Return pixels (x right, y down, from the upper left corner) of places in the plane (N, 2)."""
        placed: Floats = (xy - self._origin) * self._scale
        return placed

    def _in_reach(self, shapes: Geometries, which: Integers | None) -> tuple[Geometries, Integers]:
        """Keep what meets the image, cutting off what reaches far beyond it."""
        shapes = np.asarray(shapes, dtype=object)
        which = np.zeros(len(shapes), dtype=np.int64) if which is None else which
        bounds = shapely.bounds(shapes)
        west, south, east, north = self._kept
        with np.errstate(invalid="ignore"):
            meets = (bounds[:, 2] >= west) & (bounds[:, 0] <= east)
            meets &= (bounds[:, 3] >= south) & (bounds[:, 1] <= north)
            inside = (bounds[:, 0] >= west) & (bounds[:, 2] <= east)
            inside &= (bounds[:, 1] >= south) & (bounds[:, 3] <= north)
        kept = shapes.copy()
        crossing = meets & ~inside
        if crossing.any():
            kept[crossing] = _clipped(shapes[crossing], self._kept)
        return kept[meets], which[meets]

    def _paths(self, paths: Geometries) -> tuple[Floats, Integers]:
        """Return the pixels of N paths one after the other, and where each begins (N + 1)."""
        coordinates, path = shapely.get_coordinates(paths, return_index=True)
        xy = self.pixels(coordinates)
        cells = np.round(xy * DETAIL)
        keep = np.ones(len(xy), dtype=bool)
        keep[1:] = (cells[1:] != cells[:-1]).any(axis=1) | (path[1:] != path[:-1])
        starts: Integers = np.searchsorted(path[keep], np.arange(len(paths) + 1)).astype(np.int64)
        return xy[keep], starts

    def _drawing(self) -> aggdraw.Draw:
        if self._draw is None:
            self._turn("RGBA")
            self._draw = aggdraw.Draw(self._image)
        return self._draw

    def _turn(self, mode: str) -> None:
        """Take the same bytes for another mode: aggdraw knows RGBA, Pillow blends all four bands alike in RGBX."""
        if self._image.mode != mode:
            self._image = Image.frombytes(mode, self._image.size, self._image.tobytes())

    # ---- labels

    def labels(
        self,
        texts: Sequence[str | None],
        xy: Floats,
        ink: Ink,
        *,
        ranks: Floats | None = None,
        offset: float = 0,
    ) -> None:
        """Ask for N labels at places in the plane (N, 2); those of the highest rank are placed first.

        An `offset` in pixels puts a label beside its place, below where there is room; 0 centres it there.
        """
        placed = self.pixels(xy)
        order = np.zeros(len(texts)) if ranks is None else ranks
        inside = ((placed >= 0) & (placed <= (self.width, self.height))).all(axis=1)
        for number in np.flatnonzero(inside).tolist():
            text = texts[number]
            if text:
                x, y = placed[number].tolist()
                self._labels.append(_Label(text, x, y, float(order[number]), offset, ink))

    def _write_labels(self) -> None:
        """Write the labels that fit within the image without touching one another."""
        wanted = sorted(self._labels, key=lambda label: -label.rank)[:MOST_CANDIDATES]
        taken = np.empty((0, 4))
        for label in wanted:
            letters = lettering(self.font, label.ink.size)
            text = letters.wrapped(label.text, label.ink.longest_line)
            if not text:
                continue
            place = self._free_place(label, letters.extent(text), taken)
            if place is not None:
                taken = np.vstack((taken, place))
                self._write(letters, text, label.ink, int(place[0]), int(place[1]))
                if len(taken) >= MOST_LABELS:
                    break
        self._labels.clear()

    def _free_place(self, label: _Label, size: tuple[int, int], taken: Floats) -> Box | None:
        width, height = size
        for dx, dy in _places(label.offset, width, height):
            left, top = round(label.x + dx), round(label.y + dy)
            right, bottom = left + width, top + height
            if left < -HALO or top < -HALO or right > self.width + HALO or bottom > self.height + HALO:
                continue
            meets = (taken[:, 0] < right) & (taken[:, 2] > left)
            meets &= (taken[:, 1] < bottom) & (taken[:, 3] > top)
            if not meets.any():
                return left, top, right, bottom
        return None

    def _write(self, letters: Lettering, text: str, ink: Ink, left: int, top: int) -> None:
        drawn = letters.drawn(text)
        self._image.paste(_rgba(ink.halo), (left, top), drawn.halo)
        self._image.paste(_rgba(ink.color), (left, top), drawn.ink)

    def write(self, text: str, x: int, y: int, ink: Ink) -> None:
        """Write a text from a pixel to the right, its first line centred on the height y, whatever is there."""
        letters = lettering(self.font, ink.size)
        lines = letters.wrapped(text, ink.longest_line).split("\n")
        self._finish_shapes()
        for number, line in enumerate(lines):
            top = y + number * letters.line_height - letters.extent(line)[1] // 2
            self._write(letters, line, ink, x, top)

    # ---- pictures

    def png(self, *, palette: bool = True) -> bytes:
        """Return the picture as PNG: with a palette, which is small, or in full colour."""
        picture = self._picture()
        target = io.BytesIO()
        few = palette and self.width * self.height <= MOST_REDUCED
        chosen = reduced(picture) if few else _without_padding(picture)
        # Runs are most of what a map repeats: this is faster than any level, and as small.
        chosen.save(target, "PNG", compress_type=zlib.Z_RLE)
        return target.getvalue()

    def jpeg(self, quality: int = 88) -> bytes:
        """Return the picture as JPEG, on white where it is transparent."""
        picture = self._picture()
        if picture.mode == "RGBA":
            ground = Image.new("RGBA", picture.size, _rgba("#ffffff"))
            picture = Image.alpha_composite(ground, picture)
        target = io.BytesIO()
        picture.convert("RGB").save(target, "JPEG", quality=quality, subsampling=0)
        return target.getvalue()

    def _finish_shapes(self) -> None:
        if self._draw is not None:
            self._draw.flush()
            self._draw = None
        self._turn("RGBX")

    def _picture(self) -> Image.Image:
        self._finish_shapes()
        self._write_labels()
        if self.background is None:
            self._turn("RGBa")
            return self._image.convert("RGBA")
        return self._image


def blank(width: int, height: int, *, background: str | None = "#ffffff", font: Path | None = None) -> Canvas:
    """Return a canvas whose plane is its own pixels, y up."""
    return Canvas(width, height, (0, 0, width, height), background=background, font=font)


def text_width(text: str, ink: Ink, font: Path | None) -> int:
    """Return the width in pixels that a line of text takes."""
    return lettering(font, ink.size).extent(text)[0]


def _without_padding(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB") if picture.mode == "RGBX" else picture


def _clipped(shapes: Geometries, box: Box) -> Geometries:
    try:
        clipped: Geometries = shapely.clip_by_rect(shapes, *box)
    except shapely.errors.GEOSException:
        clipped = shapely.clip_by_rect(shapely.make_valid(shapes), *box)
    return clipped


def _rings(parts: Geometries) -> tuple[Geometries, list[int]]:
    """Return the rings of N polygons, and where those of each begin (N + 1); polygons without holes are their rings."""
    if not shapely.get_num_interior_rings(parts).any():
        return parts, list(range(len(parts) + 1))
    # Holes turn the other way round, which tells the renderer that they are holes.
    rings, part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    return rings, np.searchsorted(part, np.arange(len(parts) + 1)).tolist()


def _boxes(xy: Floats, starts: Integers) -> Floats:
    if not len(xy):
        return np.empty((0, 4))
    low, high = np.minimum.reduceat(xy, starts[:-1]), np.maximum.reduceat(xy, starts[:-1])
    boxes: Floats = np.hstack((low, high))
    return boxes


def _at_least_a_pixel(box: Floats) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _svg(rings: list[list[float]]) -> str:
    # Without a space between them, aggdraw reads the next M as part of the Z before it.
    written = ([f"{number:.2f}" for number in ring] for ring in rings if len(ring) > 4)
    return " ".join(f"M{ring[0]},{ring[1]}L{','.join(ring[2:])}Z" for ring in written)


def _tools(paint: Paint) -> tuple[aggdraw.Brush | None, aggdraw.Pen | None]:
    filled = paint.fill is not None and paint.opacity > 0
    brush = aggdraw.Brush(paint.fill, round(paint.opacity * 255)) if filled else None
    pen = aggdraw.Pen(paint.outline, paint.width) if paint.outline and paint.width > 0 else None
    return brush, pen


def _places(offset: float, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """Where a label's upper left corner may lie from its place: centred, or below, above, right, left of it."""
    if not offset:
        return ((-width / 2, -height / 2),)
    return (
        (-width / 2, offset),
        (-width / 2, -offset - height),
        (offset, -height / 2),
        (-offset - width, -height / 2),
    )


def _rgba(color: str | None) -> tuple[int, int, int, int]:
    if color is None:
        return 0, 0, 0, 0
    red, green, blue = ImageColor.getrgb(color)[:3]
    return red, green, blue, 255
