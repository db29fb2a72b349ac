"""Proposing the reference system of coordinates from where they would lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis import datumshift
from gis.crs import PROVINCE_CRS, VIETNAM_BOUNDS, Floats, OutsideCrs, UnknownCrs, resolve, transform_points
from gis.inspection import Bounds, CrsGuess, CrsProposal, DatumShift, Notice

PROJECTED = ("EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648", "EPSG:3857")
"""What metres are taken for, in the order that decides between equals."""
DEGREES = ("EPSG:4326", "EPSG:4756")

_GREATEST_DEGREE = 360.0
_MARGIN = 0.05
_INSIDE = 0.9
_MEASURED = 0.2
"""A layer that reaches beyond the territory, as that of a merged province, can be measured all the same."""
_MATCHING_M = 60.0
_NOTICED_M = 100.0
_MOST_POINTS = 5_000
# In files the longitude comes first, whatever order the authority states.
_TITLES = {entry.code: (entry.title_vi, entry.title_en) for entry in PROVINCE_CRS} | {
    "EPSG:4326": ("WGS 84 (kinh độ, vĩ độ)", "WGS 84 (longitude, latitude)"),
    "EPSG:4756": ("VN-2000 (kinh độ, vĩ độ)", "VN-2000 (longitude, latitude)"),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the layer would lie in one reading: corners in lon/lat, and the share of them in the territory."""

    crs: str
    swapped: bool
    lon: Floats
    lat: Floats
    share: float

    @property
    def bounds(self) -> Bounds:
        return float(self.lon.min()), float(self.lat.min()), float(self.lon.max()), float(self.lat.max())


def guess_crs(
    shapes: Sequence[shapely.Geometry],
    declared: str | None,
    *,
    territory: Bounds | None = None,
    known: Sequence[shapely.Geometry] = (),
) -> CrsGuess:
    """What reference system shapes in the numbers of a file may be in.

    `territory` is the box in lon/lat that they should lie in, Vietnam when None; `known` are outlines in
    lon/lat: readings are compared by how far the shapes lie from them.
    """
    points = _corners(shapes)
    if not len(points):
        return CrsGuess(declared)
    box = territory or VIETNAM_BOUNDS
    warnings: list[Notice] = []
    places = _places(points, declared, box)
    proposals, shift = _proposals(shapes, places, declared, known)
    matched = any(one.matched and one.crs == declared and not one.swapped for one in proposals)
    if declared is not None and not matched:
        warnings += _about_declared(declared, [p for p in places if p.crs == declared], points)
    if shift is not None:
        warnings.append(_about_shift(shift, declared))
    if not proposals:
        warnings.append(
            Notice("Tọa độ không nằm ở Việt Nam trong hệ tọa độ nào quen dùng; hãy hỏi nơi làm ra tệp.")
        )
    elif declared is None and _is_open(proposals, points):
        warnings.append(
            Notice("Tệp không ghi hệ tọa độ và có nhiều khả năng; hãy xem vị trí trên bản đồ rồi chọn.")
        )
    return CrsGuess(declared, tuple(proposals), tuple(warnings), shift)


def _is_open(proposals: Sequence[CrsProposal], points: Floats) -> bool:
    """Whether metres without a system may be several; degrees without one are WGS84 until measured otherwise."""
    several = sum(one.plausible for one in proposals) > 1
    return several and bool(np.abs(points).max() > _GREATEST_DEGREE) and not proposals[0].matched


def title_of(crs: str) -> tuple[str, str]:
    """The name of a system in Vietnamese and English."""
    found = _TITLES.get(crs)
    if found is None:
        try:
            found = (resolve(crs).name,) * 2
        except UnknownCrs:
            found = (crs, crs)
    return found


def _corners(shapes: Sequence[shapely.Geometry]) -> Floats:
    every = shapely.get_coordinates(list(shapes))
    points: Floats = every[np.isfinite(every).all(axis=1)]
    return points[:: max(1, len(points) // _MOST_POINTS)]


def _places(points: Floats, declared: str | None, box: Bounds) -> list[_Place]:
    """Every reading that lies in Vietnam, and the declared one wherever it lies."""
    in_degrees = bool((np.abs(points) <= _GREATEST_DEGREE).all())
    usual = DEGREES if in_degrees else PROJECTED
    codes = list(dict.fromkeys(([declared] if declared else []) + list(usual)))
    found = []
    for code in codes:
        for swapped in (False, True):
            place = _place(points, code, swapped, box)
            if place is None:
                continue
            stated = code == declared and not swapped
            if stated or _share(place.lon, place.lat, VIETNAM_BOUNDS) >= _INSIDE:
                found.append(place)
    return found


def _place(points: Floats, crs: str, swapped: bool, box: Bounds) -> _Place | None:
    x, y = (points[:, 1], points[:, 0]) if swapped else (points[:, 0], points[:, 1])
    try:
        if resolve(crs).is_geographic and (np.abs(x).max() > _GREATEST_DEGREE or np.abs(y).max() > 90):
            return None
        lon, lat = transform_points(x, y, crs, "OGC:CRS84")
    except (OutsideCrs, UnknownCrs):
        return None
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return _Place(crs, swapped, lon, lat, _share(lon, lat, box))


def _share(lon: Floats, lat: Floats, box: Bounds) -> float:
    west, south, east, north = box
    inside = (
        (lon >= west - _MARGIN)
        & (lon <= east + _MARGIN)
        & (lat >= south - _MARGIN)
        & (lat <= north + _MARGIN)
    )
    return float(inside.mean())


def _proposals(
    shapes: Sequence[shapely.Geometry],
    places: Sequence[_Place],
    declared: str | None,
    known: Sequence[shapely.Geometry],
) -> tuple[list[CrsProposal], DatumShift | None]:
    """All readings, best first, and the datum shift of the one that the file states."""
    shifts = {
        (place.crs, place.swapped): datumshift.estimate(_moved(shapes, place), known, place.crs)
        for place in places
        if len(known) and place.share >= _MEASURED
    }
    stated = shifts.get((declared, False)) if declared else None

    def rank(place: _Place) -> tuple[bool, bool, float, bool, bool]:
        shift = shifts.get((place.crs, place.swapped))
        distance = shift.distance_m if shift is not None else np.inf
        fits = distance < _MATCHING_M
        wrong = stated is not None and stated.is_vn2000 and place.crs == declared
        return (
            place.share < _INSIDE,
            wrong,
            distance if fits else np.inf,
            place.crs != declared,
            place.swapped,
        )

    ordered = sorted(places, key=rank)
    proposals = [_proposal(place, declared, shifts.get((place.crs, place.swapped))) for place in ordered]
    reported = stated if stated is not None and stated.distance_m >= _NOTICED_M else None
    if reported is None and declared is None and ordered:
        first = shifts.get((ordered[0].crs, ordered[0].swapped))
        reported = first if first is not None and first.distance_m >= _NOTICED_M else None
    if reported is not None and reported.crs is not None:
        proposals = _with_twin(shapes, proposals, reported)
    return proposals, reported


def _with_twin(
    shapes: Sequence[shapely.Geometry], proposals: list[CrsProposal], shift: DatumShift
) -> list[CrsProposal]:
    """The proposals with the system that explains the datum shift first."""
    assert shift.crs is not None
    why = Notice(
        "Lệch %(metres).0f m so với ranh giới đã biết, đúng bằng độ lệch giữa VN-2000 và WGS 84.",
        {"metres": shift.distance_m},
    )
    for proposal in proposals:
        if proposal.crs == shift.crs:
            rest = [one for one in proposals if one is not proposal]
            return [replace(proposal, why=why), *rest]
    place = _place(_corners(shapes), shift.crs, False, VIETNAM_BOUNDS)
    if place is None:
        return proposals
    vi, en = title_of(shift.crs)
    return [CrsProposal(shift.crs, vi, en, why, place.bounds), *proposals]


def _moved(shapes: Sequence[shapely.Geometry], place: _Place) -> list[shapely.Geometry]:
    def move(xy: Floats) -> Floats:
        x, y = (xy[:, 1], xy[:, 0]) if place.swapped else (xy[:, 0], xy[:, 1])
        return np.column_stack(transform_points(x, y, place.crs, "OGC:CRS84"))

    return list(shapely.transform(np.array([*shapes, None], dtype=object), move)[:-1])


def _proposal(place: _Place, declared: str | None, shift: DatumShift | None) -> CrsProposal:
    matched = shift is not None and shift.distance_m < _MATCHING_M
    plausible = matched or place.share >= _INSIDE
    stated = place.crs == declared and not place.swapped
    vi, en = title_of(place.crs)
    certain = stated and plausible and (shift is None or shift.distance_m < _NOTICED_M)
    return CrsProposal(
        place.crs,
        vi,
        en,
        _why(place, stated, shift),
        place.bounds,
        swapped=place.swapped,
        plausible=plausible,
        certain=certain,
        matched=matched,
    )


def _why(place: _Place, stated: bool, shift: DatumShift | None) -> Notice:
    if shift is not None and shift.distance_m < _MATCHING_M:
        return Notice("Hình khớp với ranh giới đã biết (lệch %(metres).0f m).", {"metres": shift.distance_m})
    if place.share < _INSIDE:
        if stated:
            return Notice("Tệp ghi hệ tọa độ này, nhưng vị trí nằm ngoài địa bàn.")
        return Notice("Vị trí nằm ở Việt Nam nhưng ngoài địa bàn.")
    if stated:
        return Notice("Tệp ghi hệ tọa độ này và vị trí nằm trong địa bàn.")
    if place.swapped:
        return Notice(
            "Vị trí nằm trong địa bàn khi đổi chỗ hai trục (X là hướng bắc, hoặc vĩ độ đứng trước)."
        )
    return Notice("Vị trí nằm trong địa bàn.")


def _about_declared(declared: str, stated: Sequence[_Place], points: Floats) -> list[Notice]:
    title = title_of(declared)[0]
    straight = [place for place in stated if not place.swapped]
    if straight and straight[0].share >= _INSIDE:
        return []
    if any(place.swapped and place.share >= _INSIDE for place in stated):
        return [Notice("Hai trục tọa độ của tệp bị đổi chỗ (hệ tọa độ %(crs)s).", {"crs": title})]
    if not straight and np.abs(points).max() > _GREATEST_DEGREE:
        return [Notice("Tệp ghi %(crs)s nhưng tọa độ tính bằng mét.", {"crs": title})]
    return [Notice("Theo hệ tọa độ mà tệp ghi (%(crs)s), vị trí nằm ngoài địa bàn.", {"crs": title})]


def _about_shift(shift: DatumShift, declared: str | None) -> Notice:
    facts: dict[str, object] = {"metres": shift.distance_m, "east": shift.east_m, "north": shift.north_m}
    if shift.is_vn2000:
        facts["crs"] = title_of(declared)[0] if declared else "WGS 84"
        return Notice(
            "Tệp ghi %(crs)s nhưng lệch %(metres).0f m so với ranh giới đã biết, đúng bằng độ lệch giữa VN-2000 "
            "và WGS 84: tệp ghi sai hệ tọa độ.",
            facts,
        )
    return Notice(
        "Hình lệch %(metres).0f m so với ranh giới đã biết (đông %(east).0f m, bắc %(north).0f m).", facts
    )
