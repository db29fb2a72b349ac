"""The declared style of a layer at one scale, as paints and inks of the renderer.

The numbers come from the MapLibre style, so that images, tiles and the browser's map look alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.draw import Ink, Paint
from layers import styles
from layers.fields import Layer

RESOLUTION_AT_0 = 78271.51696402048
"""Metres on the equator per pixel at zoom 0 of tiles of 512 pixels, the zoom that styles speak of."""

METRES_PER_DEGREE = 111319.49079327358
PIXEL_METRES = 0.00028
"""The size of a pixel that WMS and SLD scale denominators assume."""


@dataclass(frozen=True)
class Symbols:
    """How a layer is drawn at one zoom: one paint per colour, and the ink of its labels if it has any there."""

    by: str | None
    values: tuple[str, ...]
    paints: tuple[Paint, ...]
    label: str | None
    ink: Ink

    def which(self, column: Sequence[Any]) -> NDArray[np.int64]:
        """Return the number of the paint for each value; 0 where no colour is declared."""
        declared = {value: number for number, value in enumerate(self.values, 1)}
        numbers = {value: declared.get(_text(value), 0) for value in set(column)}
        return np.array([numbers[value] for value in column], dtype=np.int64)


def zoom_of(metres_per_pixel: float) -> float:
    """Return the zoom of styles at a resolution, in metres on the equator per pixel."""
    return math.log2(RESOLUTION_AT_0 / metres_per_pixel)


def scale_denominator(zoom: float) -> float:
    """Return the scale denominator of a zoom of styles."""
    return float(RESOLUTION_AT_0 / 2**zoom / PIXEL_METRES)


def symbols(layer: Layer, zoom: float) -> Symbols:
    """Return how a layer is drawn at a zoom."""
    parts = {part["type"]: part for part in styles.maplibre_layers(layer, layer.id)}
    kind = "circle" if layer.geometry == "POINT" else "fill"
    paint = {name: at_zoom(value, zoom) for name, value in parts[kind]["paint"].items()}
    colors = _colors(paint[f"{kind}-color"])
    opacity = float(paint[f"{kind}-opacity"])
    if kind == "circle":
        outline, width = paint["circle-stroke-color"], paint["circle-stroke-width"]
        radius = paint["circle-radius"]
    else:
        line = {name: at_zoom(value, zoom) for name, value in parts["line"]["paint"].items()}
        outline, width, radius = line["line-color"], line["line-width"], 0.0
    paints = tuple(Paint(color, opacity, outline, width, radius) for color in colors)
    label, ink = _lettering(parts.get("symbol"), zoom)
    return Symbols(layer.style.by, tuple(layer.style.colors), paints, label, ink)


def at_zoom(value: Any, zoom: float) -> Any:
    """Return a style value at a zoom: a constant as it is, a linear interpolation over zoom as its number."""
    if not isinstance(value, list) or value[:3] != ["interpolate", ["linear"], ["zoom"]]:
        return value
    return float(np.interp(zoom, value[3::2], value[4::2]))


def _colors(value: Any) -> tuple[str, ...]:
    """Return the colour of whatever is not listed, then those of the listed values in their order."""
    if isinstance(value, list):
        return (value[-1], *value[3:-1:2])
    return (value,)


def _lettering(part: dict[str, Any] | None, zoom: float) -> tuple[str | None, Ink]:
    if part is None or zoom < part["minzoom"]:
        return None, Ink()
    layout, paint = part["layout"], part["paint"]
    size = float(at_zoom(layout["text-size"], zoom))
    longest = size * float(layout["text-max-width"])
    return layout["text-field"][1], Ink(size, paint["text-color"], paint["text-halo-color"], longest)


def _text(value: Any) -> str:
    """Write a value as a style's `to-string` does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
