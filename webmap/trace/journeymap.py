"""The map of a lot's way that needs no script: growing areas, the workshop, the shops, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.accounts import PUBLIC
from data.store import Session
from layers import catalogue, read
from webmap.public.svgmap import Frame, around, frame_of, path

TALLEST = 400.0
AROUND = 0.18
LEAST_DEGREES = 0.012
TOLERANCE = 1.4
SMALL = 14.0
MOST_NAMES = 6


@dataclass(frozen=True)
class Mark:
    """A place in the drawing, in pixels, with its name."""

    x: int
    y: int
    name: str


@dataclass(frozen=True)
class JourneyMap:
    """The drawing: path data of communes and areas, arrows from area to workshop to shop, marks."""

    width: int
    height: int
    ground: str
    areas: str
    arrows: str
    names: tuple[Mark, ...]
    fields: tuple[Mark, ...]
    workshop: Mark | None
    shops: tuple[Mark, ...]


def draw(
    session: Session,
    areas: Mapping[str, Any],
    workshop: tuple[str, Any] | None,
    shops: Sequence[tuple[str, Any]],
) -> JourneyMap | None:
    """Draw the way of a lot from lon/lat shapes with their names; None where no place is known."""
    shapes = [*areas.values(), *(shape for _name, shape in shops)]
    shapes += [workshop[1]] if workshop else []
    known = [s for s in shapes if s is not None and not s.is_empty]
    if not known:
        return None
    frame = frame_of(around(shapely.total_bounds(known).tolist(), AROUND, LEAST_DEGREES), tallest=TALLEST)
    ground, names = _ground(session, frame)
    fields = [(name, _drawn(frame, shape)) for name, shape in areas.items() if shape is not None]
    home = _mark(frame, *workshop) if workshop and workshop[1] is not None else None
    sold = tuple(_mark(frame, name, shape) for name, shape in shops if shape is not None)
    starts = [_centre(name, shape) for name, shape in fields]
    return JourneyMap(
        width=frame.width,
        height=frame.height,
        ground=ground,
        areas="".join(path(shapely.simplify(s, TOLERANCE / 2)) for _n, s in fields if not _is_small(s)),
        arrows="".join(_arrow(mark, home) for mark in starts if home) + "".join(_arrow(home, m) for m in sold if home),
        names=names,
        fields=tuple(_centre(name, shape) for name, shape in fields if _is_small(shape)),
        workshop=home,
        shops=sold,
    )  # fmt: skip


def _ground(session: Session, frame: Frame) -> tuple[str, tuple[Mark, ...]]:
    """The communes within the frame, cut at its edge, with the names of the largest."""
    corners = _corners(frame)
    query = read.Query(catalogue.layer("communes"), PUBLIC, box=corners, fields=("name",))
    found = read.rows(session, query)
    present = [i for i, wkb in enumerate(found.wkb) if wkb is not None]
    if not present:
        return "", ()
    drawn = frame.project(shapely.from_wkb(found.wkb[present]))
    if shapely.coverage_is_valid(drawn):
        drawn = shapely.coverage_simplify(drawn, TOLERANCE)
    cut = shapely.clip_by_rect(drawn, -2, -2, frame.width + 2, frame.height + 2)
    titles = [found.by_name()["name"][i] for i in present]
    pieces: list[str] = []
    marks: list[Any] = []
    for title, shape in sorted(zip(titles, cut, strict=True), key=lambda pair: -pair[1].area):
        parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
        pieces += [path(part) for part in parts]
        if parts and len(marks) < MOST_NAMES:
            largest = max(parts, key=lambda part: part.area)
            marks.append(_centre(str(title), largest))
    inside = [m for m in marks if 40 < m.x < frame.width - 40 and 14 < m.y < frame.height - 6]
    return "".join(pieces), tuple(inside)


def _corners(frame: Frame) -> tuple[float, float, float, float]:
    east = frame.west + frame.width / frame.scale_x
    south = frame.north - frame.height / frame.scale_y
    return frame.west, south, east, frame.north


def _drawn(frame: Frame, shape: Any) -> Any:
    return frame.project(np.array([shape], dtype=object))[0]


def _is_small(drawn: Any) -> bool:
    west, north, east, south = drawn.bounds
    return bool(max(east - west, south - north) < SMALL)


def _mark(frame: Frame, name: str, shape: Any) -> Mark:
    return _centre(name, _drawn(frame, shape))


def _centre(name: str, drawn: Any) -> Mark:
    point = drawn.representative_point()
    return Mark(round(point.x), round(point.y), name)


def _arrow(start: Mark, end: Mark) -> str:
    """A line that stops short of its ends, so that it does not cover their marks."""
    dx, dy = end.x - start.x, end.y - start.y
    length = (dx * dx + dy * dy) ** 0.5
    if length < 30:
        return ""
    ux, uy = dx / length, dy / length
    return f"M{start.x + ux * 8:.0f} {start.y + uy * 8:.0f}L{end.x - ux * 12:.0f} {end.y - uy * 12:.0f}"
