"""Legends as images: one swatch and one line per colour, in the caller's language."""

from __future__ import annotations

import numpy as np
import shapely

from gis.draw import Canvas, Ink, Paint, blank, text_width
from layers import styles
from layers.fields import Layer
from services.styles.symbols import symbols
from services.wms.fonts import font_file

ROW = 20
SWATCH = 24
GAP = 6
ZOOM = 13.0
INK = Ink(size=12, longest_line=4_000)


def legend_size(layer: Layer, lang: str) -> tuple[int, int]:
    """Return the width and height of a layer's legend in pixels."""
    labels = [entry["label"][lang] for entry in styles.legend(layer)]
    widest = max(text_width(text, INK, font_file()) for text in labels)
    return SWATCH + 2 * GAP + widest, ROW * len(labels) + GAP


def draw_legend(layer: Layer, lang: str, background: str | None) -> Canvas:
    """Draw the legend of a layer; a layer of one colour has one row."""
    entries = styles.legend(layer)
    labels = [entry["label"][lang] for entry in entries]
    canvas = blank(*legend_size(layer, lang), background=background, font=font_file())
    look = symbols(layer, ZOOM)
    for number, entry in enumerate(entries):
        middle = GAP / 2 + ROW * number + ROW / 2
        paint = look.paints[0 if entry["value"] is None else look.values.index(entry["value"]) + 1]
        _swatch(canvas, layer, paint, canvas.height - middle)
    for number, text in enumerate(labels):
        canvas.write(text, GAP + SWATCH + GAP // 2, round(GAP / 2 + ROW * number + ROW / 2), INK)
    return canvas


def draw_swatch(layer: Layer, width: int, height: int, background: str | None) -> Canvas:
    """Draw one symbol of a layer as large as asked."""
    canvas = blank(width, height, background=background)
    paint = symbols(layer, ZOOM).paints[0]
    if layer.geometry == "POINT":
        canvas.points(_one(shapely.Point(width / 2, height / 2)), [paint])
    else:
        canvas.polygons(_one(shapely.box(1, 1, width - 1, height - 1)), [paint])
    return canvas


def _swatch(canvas: Canvas, layer: Layer, paint: Paint, middle: float) -> None:
    left, right = GAP, GAP + SWATCH - 4
    if layer.geometry == "POINT":
        canvas.points(_one(shapely.Point((left + right) / 2, middle)), [paint])
    else:
        edged = paint if paint.outline != "#ffffff" else Paint(paint.fill, paint.opacity, paint.fill, 1)
        canvas.polygons(_one(shapely.box(left, middle - 7, right, middle + 7)), [edged])


def _one(shape: shapely.Geometry) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array([shape], dtype=object)
