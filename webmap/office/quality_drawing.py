"""The picture of a fault that needs no script: the rows around it, the fault itself, and what a fix would make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from webmap.public.svgmap import Frame, around, frame_of, path

SMALLEST_PIXELS = 10.0
SMALLEST_DEGREES = 3e-4
AROUND = 0.6
TALLEST = 520.0


@dataclass(frozen=True)
class Drawing:
    """Paths of the rows, of the fault and of each fix's result; a pin where the fault is too small to see."""

    width: int
    height: int
    rows: tuple[str, ...]
    fault: str
    line: str
    pin: tuple[int, int] | None
    results: tuple[str, ...]


def draw(rows: Sequence[Any], fault: Any, results: Sequence[Any] = ()) -> Drawing | None:
    """Draw lon/lat shapes around a fault; None where nothing has a shape."""
    known = [shape for shape in (fault, *rows) if shape is not None and not shapely.is_empty(shape)]
    if not known:
        return None
    window = around(known[0].bounds, AROUND, SMALLEST_DEGREES)
    frame, here = frame_of(window, tallest=TALLEST), shapely.box(*window)
    focus = None if fault is None else frame.project(np.array([fault], dtype=object))[0]
    small = focus is not None and _extent(focus) < SMALLEST_PIXELS
    areal = focus is not None and shapely.area(focus) > 0
    place = focus.representative_point() if focus is not None and small else None
    return Drawing(
        frame.width,
        frame.height,
        tuple(_drawn(frame, here, shape) for shape in rows),
        path(focus) if focus is not None and areal else "",
        path(focus) if focus is not None and not areal and focus.geom_type == "LineString" else "",
        None if place is None else (round(place.x), round(place.y)),
        tuple(_drawn(frame, here, shape) for shape in results),
    )


def _drawn(frame: Frame, here: Any, shape: Any) -> str:
    """The part of a shape in the window, as path data; empty where there is none."""
    if shape is None:
        return ""
    clipped = shapely.intersection(shapely.make_valid(shape), here)
    parts = [p for p in shapely.get_parts(shapely.get_parts(clipped)) if shapely.get_type_id(p) == 3]
    if not parts:
        return ""
    return path(frame.project(np.array([shapely.MultiPolygon(parts)], dtype=object))[0])


def _extent(shape: Any) -> float:
    west, south, east, north = shape.bounds
    return float(max(east - west, north - south))
