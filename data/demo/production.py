"""Growing areas of the demonstration province: where they lie, what grows there and who registered them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.base import PUBLISHED
from data.demo import landscape, names, vocabulary
from data.demo.area_codes import Register
from data.demo.dice import Dice
from data.demo.ledger import Ledger, publication
from data.demo.producers import Maker
from data.demo.units import Place
from data.demo.vocabulary import Activity
from data.growing_areas import Certification, GrowingArea, GrowingAreaCode, GrowingAreaStatus
from gis.geometry import area_ha

COUNT = 1900
_FEWEST, _MOST = 8, 36
_IN_WARDS = (2, 5)
_SEASIDE = 6
_SEASIDE_SHARE = 0.45
_PRODUCER_SHARE = 0.55
_NUMBER_BASE = 2000

#: A degree ahead and to both sides, further than any commune reaches.
_BOX = ((0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class Field:
    """A growing area as later rows need it."""

    id: int
    crop: str
    place: Place
    point: shapely.Point
    is_public: bool


@dataclass(frozen=True)
class _Plot:
    """Ground with an activity on it, before it becomes a row."""

    place: Place
    activity: Activity
    shape: shapely.MultiPolygon


def write_growing_areas(ledger: Ledger, places: Sequence[Place], makers: Sequence[Maker]) -> list[Field]:
    """Write growing areas in every commune, with codes, certificates and the history of their codes."""
    plots = _plots(places)
    shapes = [plot.shape for plot in plots]
    areas = area_ha(shapes).tolist()
    register = Register()
    pairs = zip(plots, areas, strict=True)
    entries = [register.enter(plot.activity, plot.place, area) for plot, area in pairs]
    rows = _rows(plots, areas, [entry.facts for entry in entries], makers)
    ids = ledger.write(GrowingArea, rows, shapes)
    for model, part in (
        (GrowingAreaCode, "codes"),
        (Certification, "certifications"),
        (GrowingAreaStatus, "history"),
    ):
        children = [
            {"area_id": key, **child}
            for key, entry in zip(ids, entries, strict=True)
            for child in getattr(entry, part)
        ]
        ledger.write(model, children)
    points = shapely.point_on_surface(np.array(shapes, dtype=object))
    return [
        Field(key, plot.activity.crop, plot.place, point, row["status"] == PUBLISHED)
        for key, plot, point, row in zip(ids, plots, points, rows, strict=True)
    ]


# ---- the ground


def _plots(places: Sequence[Place]) -> list[_Plot]:
    dice = Dice("plots")
    rural_ha = sum(place.area_ha for place in places if place.kind != "phường")
    plots = []
    for place in places:
        if place.kind == "phường":
            wanted = dice.whole(*_IN_WARDS)
        else:
            wanted = min(_MOST, max(_FEWEST, round(COUNT * place.area_ha / rural_ha)))
        for activity, count in _plan(dice, place, wanted):
            ground = _seaside(place) if activity.seaward >= _SEASIDE else place.mainland
            shapes = landscape.growing_area_shapes(ground, count, dice.rng, activity.style, avoid=place.taken)
            place.taken.extend(shapes)
            plots += [_Plot(place, activity, shape) for shape in shapes]
    return plots


def _plan(dice: Dice, place: Place, wanted: int) -> list[tuple[Activity, int]]:
    """Share the areas of a commune among its own and its district's activities, those at the sea first."""
    known = vocabulary.activity_places()
    ward = place.kind == "phường"
    usual = known[f"{place.district_code}-phường"] if ward else known[place.district_code]
    own = known.get(place.code, ())
    choices = dict([*usual, *own])
    chosen = [activity for activity, _ in own]
    while len(chosen) < min(len(choices), 1 if ward else max(3, len(own) + 1)):
        rest = [activity for activity in choices if activity not in chosen]
        chosen.append(dice.weighted(rest, [choices[activity] for activity in rest]))
    counts = Counter(
        dice.weighted(chosen, [choices[activity] for activity in chosen]).key for _ in range(wanted)
    )
    found = [(vocabulary.activities()[key], count) for key, count in counts.items()]
    return sorted(found, key=lambda pair: (-pair[0].seaward, pair[0].key))


def _seaside(place: Place) -> Any:
    """The part of a commune's mainland that faces away from the middle of the province."""
    east, north = place.seaward
    reach = shapely.get_coordinates(place.mainland) @ np.array([east, north])
    far = float(reach.max())
    near = far - _SEASIDE_SHARE * (far - float(reach.min()))
    corners = [(along * east - side * north, along * north + side * east) for along, side in _BOX]
    middle = place.mainland.centroid
    across = middle.y * east - middle.x * north
    start = np.array([near * east - across * north, near * north + across * east])
    return shapely.intersection(place.mainland, shapely.Polygon(np.array(corners) + start))


# ---- the rows


def _rows(
    plots: Sequence[_Plot], areas: Sequence[float], facts: Sequence[dict[str, Any]], makers: Sequence[Maker]
) -> list[dict[str, Any]]:
    dice = Dice("growing areas")
    at_home: dict[int, list[Maker]] = {}
    for maker in makers:
        if not maker.is_draft:
            at_home.setdefault(maker.place.id, []).append(maker)
    used: Counter[str] = Counter()
    return [
        _row(dice, plot, area, number, used) | coding | _owner(dice, number, at_home.get(plot.place.id, []))
        for number, (plot, area, coding) in enumerate(zip(plots, areas, facts, strict=True), 1)
    ]


def _row(dice: Dice, plot: _Plot, area: float, number: int, used: Counter[str]) -> dict[str, Any]:
    activity, place = plot.activity, plot.place
    hamlet = place.hamlet(dice)
    name = f"{activity.label} {names.small(hamlet)}, {place.short_name}"
    used[name] += 1
    declared = round(area * dice.between(0.9, 1.08), 1 if area >= 1 else 2)
    return {
        "name": name if used[name] == 1 else f"{name} ({used[name]})",
        "commune_id": place.id,
        "hamlet": hamlet,
        "crop": activity.crop,
        "variety": dice.pick(activity.varieties),
        "farming_system": activity.farming_system,
        "declared_area_ha": declared,
        "area_ha": round(area, 3),
        "households": max(1, round(area / activity.ha_per_household * dice.between(0.7, 1.3))),
        "expected_output_t": round(declared * dice.between(*activity.yields), 2),
        "crops_per_year": activity.crops_per_year,
        "season_calendar": [{"from": a, "to": b, "what": what} for a, b, what in activity.season],
        "description": f"Vùng minh hoạ số {number}; ranh giới, mã số và người đăng ký đều là giả định.",
        "status": publication(dice),
    }


def _owner(dice: Dice, number: int, makers: Sequence[Maker]) -> dict[str, Any]:
    """Who registered the area: a person, often for a producer of the same commune."""
    maker = dice.pick(makers) if makers and dice.chance(_PRODUCER_SHARE) else None
    return {
        "producer_id": maker.id if maker else None,
        "owner_name": names.person(dice, _NUMBER_BASE + number),
        "owner_phone": names.phone(_NUMBER_BASE + number),
        "owner_id_number": names.identity_number(_NUMBER_BASE + number),
    }
