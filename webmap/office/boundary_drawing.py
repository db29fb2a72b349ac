"""The picture of a boundary change that needs no script: old units, new units, and what a new border cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from webmap.public.svgmap import Frame, frame_of, path
from webmap.public.svgmap import around as widened

AROUND = 0.12
TALLEST = 520.0
TONES = 6


@dataclass(frozen=True)
class Area:
    """One unit in the picture: its outline, its number, and where the number stands."""

    path: str
    number: int
    tone: int
    x: int
    y: int


@dataclass(frozen=True)
class Picture:
    """Neighbours below, new units above them, old borders and faults on top."""

    width: int
    height: int
    around: tuple[str, ...]
    old: tuple[str, ...]
    new: tuple[Area, ...]
    cut: tuple[str, ...]
    faults: tuple[str, ...]


def picture(
    old: Sequence[Any],
    new: Sequence[Any],
    *,
    around: Sequence[Any] = (),
    cut: Sequence[Any] = (),
    faults: Sequence[Any] = (),
) -> Picture:
    """Draw lon/lat polygons: old units with dashed borders, new ones in numbered tones."""
    window = widened(shapely.total_bounds([*old, *new]).tolist(), AROUND)
    frame, here = frame_of(window, tallest=TALLEST), shapely.box(*window)

    def drawn(shapes: Sequence[Any]) -> tuple[str, ...]:
        clipped = [shapely.intersection(shape, here) for shape in shapes if shape is not None]
        return tuple(path(p) for p in _projected(frame, clipped))

    return Picture(
        width=frame.width,
        height=frame.height,
        around=drawn(around),
        old=drawn(old),
        new=tuple(_area(number, shape) for number, shape in enumerate(_projected(frame, new), start=1)),
        cut=drawn(cut),
        faults=drawn(faults),
    )


def _area(number: int, shape: Any) -> Area:
    largest = max(shapely.get_parts(shape), key=shapely.area)
    point = largest.representative_point()
    return Area(path(shape), number, 1 + (number - 1) % TONES, round(point.x), round(point.y))


def _projected(frame: Frame, shapes: Sequence[Any]) -> list[Any]:
    kept = [
        shapely.MultiPolygon([p for p in shapely.get_parts(shapely.get_parts(s)) if p.geom_type == "Polygon"])
        for s in shapes
    ]
    kept = [shape for shape in kept if not shape.is_empty]
    array = np.empty(len(kept), dtype=object)
    array[:] = kept
    return list(frame.project(array))
