"""Pictures that need no script: what a change did to a shape, and a layer's shapes in the province."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from data.store import Session
from layers.history import ShapeChange
from webmap.public.svgmap import TOLERANCE, Frame, around, frame_of, path, province_map

AROUND = 0.15
SMALLEST_DEGREES = 2e-4
TALLEST = 420.0
FEWEST_PIXELS = 0.5

Place = tuple[int, int]


@dataclass(frozen=True)
class Picture:
    """Path data by meaning (`kept`, `added`, `removed`, `shapes`, `outline`, `borders`), and places of points."""

    width: int
    height: int
    paths: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[Place, ...]] = field(default_factory=dict)


def of_change(change: ShapeChange) -> Picture | None:
    """Draw what a change added and took away; points as places, before and after."""
    known = [shape for shape in (change.before, change.after) if shape is not None and not shape.is_empty]
    if not known:
        return None
    box = around(shapely.total_bounds(known).tolist(), AROUND, SMALLEST_DEGREES)
    frame = frame_of(box, tallest=TALLEST)
    if change.added is None or change.removed is None:
        places = {
            name: _places(frame, shape)
            for name, shape in (("removed", change.before), ("added", change.after))
            if shape is not None
        }
        return Picture(frame.width, frame.height, places=places)
    nothing = shapely.Polygon()
    kept = shapely.intersection(change.before or nothing, change.after or nothing)
    shapes = {"kept": kept, "added": change.added, "removed": change.removed}
    return Picture(frame.width, frame.height, {name: _areas(frame, shape) for name, shape in shapes.items()})


def of_shapes(session: Session, shapes: Sequence[Any]) -> Picture | None:
    """Draw lon/lat shapes in the outline of the province; None without any, or without communes."""
    province = province_map(session)
    known = np.array([shape for shape in shapes if shape is not None], dtype=object)
    if province is None or not len(known):
        return None
    frame = province.frame
    drawn = frame.project(known)
    points = tuple((round(p.x), round(p.y)) for p in drawn[shapely.get_type_id(drawn) == 0])
    areal = drawn[np.isin(shapely.get_type_id(drawn), (3, 6))]
    areal = shapely.simplify(areal, TOLERANCE / 2)
    areal = areal[shapely.area(areal) > FEWEST_PIXELS]
    paths = {
        "outline": province.outline,
        "borders": province.borders,
        "shapes": "".join(path(shape) for shape in areal),
    }
    return Picture(province.width, province.height, paths, {"shapes": points})


def _areas(frame: Frame, shape: Any) -> str:
    parts = shapely.get_parts(shapely.get_parts(shape))
    polygons = [p for p in parts if p.geom_type == "Polygon" and not p.is_empty]
    return "".join(path(p) for p in frame.project(np.array(polygons, dtype=object))) if polygons else ""


def _places(frame: Frame, shape: Any) -> tuple[Place, ...]:
    centres = np.array([shapely.point_on_surface(part) for part in shapely.get_parts(shape)], dtype=object)
    return tuple((round(point.x), round(point.y)) for point in frame.project(centres))
