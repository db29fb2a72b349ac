"""The map of a trace that needs no script: growing areas as shapes, makers and shops as numbered marks.

It is a window into the drawing of the province (`webmap.public.svgmap`), so lengths are that drawing's pixels and
marks and letters are sized by how wide the window is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.accounts import Actor
from data.store import Session
from layers import catalogue, read
from layers.filters import Ids
from webmap.public.svgmap import ProvinceMap, path, province_map

AROUND = 0.2
#: How wide a window is at the least: over a province, and near by.
FAR, NEAR = 70.0, 9.0
#: An area that is drawn smaller than this share of the window is a mark.
SMALL = 0.03
LETTER, RADIUS = 0.028, 0.022
MOST_PLACES = 60


@dataclass(frozen=True)
class Spot:
    """A place on the map: its number in the list beside it, its middle, and its outline where it is large enough."""

    number: int
    kind: str
    title: str
    href: str
    x: float
    y: float
    outline: str


@dataclass(frozen=True)
class PlaceMap:
    """The window (x, y, width, height), what is drawn in it, and the sizes of letters and marks."""

    window: tuple[float, float, float, float]
    communes: str
    borders: str
    spots: tuple[Spot, ...]
    letter: float
    radius: float
    left_out: int = 0


@dataclass(frozen=True)
class _Found:
    kind: str
    title: str
    href: str
    shape: Any


def draw(
    session: Session,
    actor: Actor,
    *,
    areas: Collection[int],
    lots: Collection[int] = (),
    shops: Collection[int] = (),
    narrowest: float = FAR,
) -> PlaceMap | None:
    """Draw the places of growing areas, lots and shops, by their rows, as far as the actor sees them; else None.

    `narrowest` is the least width of the window in pixels of the province's drawing.
    """
    province = province_map(session)
    found = [
        *_of_layer(session, actor, "growing_areas", areas, "area"),
        *_of_layer(session, actor, "lots", lots, "maker"),
        *_of_layer(session, actor, "sale_points", shops, "shop"),
    ]
    if province is None or not found:
        return None
    kept = _merged(found)[:MOST_PLACES]
    drawn = province.frame.project(np.array([one.shape for one in kept], dtype=object))
    window = _window(drawn, province, narrowest)
    spots = tuple(
        _spot(number, one, shape, window)
        for number, (one, shape) in enumerate(zip(kept, drawn, strict=True), 1)
    )
    return PlaceMap(
        window=window,
        communes="".join(unit.path for unit in province.communes),
        borders=province.borders,
        spots=spots,
        letter=round(window[2] * LETTER, 2),
        radius=round(window[2] * RADIUS, 2),
        left_out=max(len(_merged(found)) - len(kept), 0),
    )


def _of_layer(
    session: Session, actor: Actor, layer_id: str, ids: Collection[int], kind: str
) -> Iterator[_Found]:
    if not ids:
        return
    layer = catalogue.layer(layer_id)
    names = ("producer_name", "commune_name") if kind == "maker" else ("name",)
    query = read.Query(layer, actor, where=Ids(tuple(ids)), fields=names)
    rows = read.rows(session, query)
    for record, wkb in zip(rows.records(), rows.wkb, strict=True):
        if wkb is not None:
            title = record[names[0]] or record.get("commune_name") or ""
            href = "" if kind != "area" else f"/{layer_id}/{record['id']}"
            yield _Found(kind, str(title), href, shapely.from_wkb(wkb))


def _merged(found: Sequence[_Found]) -> list[_Found]:
    """One mark for the lots of one maker at one place."""
    return list({(one.kind, one.title, one.shape.wkb): one for one in found}.values())


def _window(drawn: Any, province: ProvinceMap, narrowest: float) -> tuple[float, float, float, float]:
    west, north, east, south = (float(v) for v in shapely.total_bounds(drawn))
    side = max(east - west, south - north, narrowest)
    pad = AROUND * side
    width, height = max(east - west, narrowest) + 2 * pad, max(south - north, narrowest * 0.6) + 2 * pad
    x, y = (west + east - width) / 2, (north + south - height) / 2
    return round(x, 1), round(y, 1), round(min(width, 2 * province.width), 1), round(height, 1)


def _spot(number: int, one: _Found, shape: Any, window: tuple[float, float, float, float]) -> Spot:
    west, north, east, south = shape.bounds
    middle = shape.representative_point()
    large = (
        shape.geom_type in ("Polygon", "MultiPolygon")
        and max(east - west, south - north) >= SMALL * window[2]
    )
    outline = path(shapely.simplify(shape, window[2] / 600)) if large else ""
    return Spot(number, one.kind, one.title, one.href, round(middle.x, 1), round(middle.y, 1), outline)
