"""The map that needs no script: communes as SVG paths, simplified so that neighbours share their borders.

Longitudes are shrunk by the cosine of the middle latitude, which for one province is close to true shape.
Paths are cached per revision of the communes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from data.accounts import PUBLIC
from data.spatial import Box
from data.store import Session, address_of
from layers import catalogue, read

WIDTH = 560.0
MARGIN = 6.0
TOLERANCE = 1.6
TONES = 4
SMALLEST_PART = 12.0
LABEL_AREA = 5_000.0

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Frame:
    """Where lon/lat falls in the drawing, in pixels; y grows downwards."""

    west: float
    north: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    def project(self, geometries: Geometries) -> Geometries:
        """Return lon/lat geometries in pixels."""

        def pixels(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
            x = (lonlat[:, 0] - self.west) * self.scale_x
            y = (self.north - lonlat[:, 1]) * self.scale_y
            return np.column_stack([x, y]) + MARGIN

        projected: Geometries = shapely.transform(geometries, pixels)
        return projected


@dataclass(frozen=True)
class Unit:
    """A commune in the drawing."""

    id: int
    name: str
    district: str | None
    tone: int
    path: str


@dataclass(frozen=True)
class Label:
    """A district's name and where its middle is."""

    text: str
    x: int
    y: int


@dataclass(frozen=True)
class ProvinceMap:
    """All communes with the borders and names of the districts."""

    width: int
    height: int
    communes: tuple[Unit, ...]
    borders: str
    outline: str
    labels: tuple[Label, ...]
    frame: Frame
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True)
class Locator:
    """The province's outline with one place marked in it."""

    width: int
    height: int
    outline: str
    borders: str
    here: str = ""
    shape: str = ""
    pin: Label | None = None


_cache: dict[tuple[str, str], ProvinceMap] = {}


def province_map(session: Session) -> ProvinceMap | None:
    """Return the drawing of the province, or None while the record has no communes."""
    layer = catalogue.layer("communes")
    key = (address_of(session), read.revision(session, layer))
    drawing = _cache.get(key)
    if drawing is None:
        fields = ("name", "district_name")
        found = read.rows(session, read.Query(layer, PUBLIC, fields=fields, sort=(("name", False),)))
        present = [i for i, wkb in enumerate(found.wkb) if wkb is not None]
        if not present:
            return None
        records = list(found.records())
        drawing = _draw(shapely.from_wkb(found.wkb[present]), [records[i] for i in present])
        _cache.clear()
        _cache[key] = drawing
    return drawing


def locator(
    session: Session, geometry: shapely.Geometry | None, *, commune_id: int | None = None
) -> Locator | None:
    """Return the drawing with a place marked, a small one by a pin; None where there is nothing to show."""
    province = province_map(session)
    if province is None or (geometry is None and commune_id is None):
        return None
    base = Locator(province.width, province.height, province.outline, province.borders)
    if commune_id is not None:
        base = replace(base, here=next((u.path for u in province.communes if u.id == commune_id), ""))
    if geometry is None or geometry.is_empty:
        return base
    drawn = province.frame.project(np.array([geometry], dtype=object))[0]
    west, north, east, south = drawn.bounds
    if max(east - west, south - north) < 2 * SMALLEST_PART:
        return replace(base, pin=_label("", drawn.representative_point()))
    return replace(base, shape=path(shapely.simplify(drawn, TOLERANCE / 2)))


def _draw(geometries: Geometries, records: list[dict[str, object]]) -> ProvinceMap:
    west, south, east, north = (float(v) for v in shapely.total_bounds(geometries))
    frame = frame_of((west, south, east, north))
    drawn = _coverage(frame.project(geometries))
    names = [r["district_name"] for r in records]
    districts = sorted({str(n) for n in names if n})
    merged = {d: _union(drawn[[n == d for n in names]]) for d in districts}
    everything = _union(drawn)
    units = tuple(
        Unit(
            id=int(str(r["id"])),
            name=str(r["name"]),
            district=str(r["district_name"]) if r["district_name"] else None,
            tone=1 + (districts.index(str(r["district_name"])) % TONES if r["district_name"] else 0),
            path=path(g),
        )
        for r, g in zip(records, drawn, strict=True)
    )
    borders = shapely.union_all([g.boundary for g in merged.values()] or [everything.boundary])
    large = {name: _largest(shape) for name, shape in merged.items() if shape.area > LABEL_AREA}
    labels = tuple(_label(name, part.representative_point()) for name, part in large.items())
    return ProvinceMap(
        width=frame.width,
        height=frame.height,
        communes=units,
        borders=path(shapely.line_merge(borders)),
        outline=path(everything),
        labels=labels,
        frame=frame,
        bbox=(west, south, east, north),
    )


def frame_of(box: Box, *, tallest: float = math.inf) -> Frame:
    """Return the frame of a lon/lat box (west, south, east, north), as large as a picture of it may be in pixels."""
    west, south, east, north = box
    wide, high = max(east - west, 1e-9), max(north - south, 1e-9)
    shrink = math.cos(math.radians((south + north) / 2))
    scale_x = min((WIDTH - 2 * MARGIN) / wide, (tallest - 2 * MARGIN) * shrink / high)
    scale_y = scale_x / shrink
    width, height = round(wide * scale_x + 2 * MARGIN), math.ceil(high * scale_y + 2 * MARGIN)
    return Frame(west, north, scale_x, scale_y, width, height)


def around(box: Box, share: float, least: float = 0.0) -> Box:
    """Return a lon/lat box widened on every side by a share of its longer side, by `least` degrees at the least."""
    west, south, east, north = box
    pad = max(share * max(east - west, north - south), least)
    return west - pad, south - pad, east + pad, north + pad


def _coverage(drawn: Geometries) -> Geometries:
    """Simplify together where the communes are a clean coverage, else one by one."""
    if shapely.coverage_is_valid(drawn):
        simplified: Geometries = shapely.coverage_simplify(drawn, TOLERANCE)
        return simplified
    one_by_one: Geometries = shapely.make_valid(shapely.simplify(drawn, TOLERANCE / 2), method="structure")
    return one_by_one


def _union(drawn: Geometries) -> shapely.Geometry:
    clean = shapely.coverage_is_valid(drawn)
    return shapely.coverage_union_all(drawn) if clean else shapely.union_all(drawn)


def _label(text: str, point: shapely.Point) -> Label:
    return Label(text, round(point.x), round(point.y))


def _largest(geometry: shapely.Geometry) -> shapely.Geometry:
    return max(shapely.get_parts(geometry), key=lambda part: part.area)


def path(geometry: shapely.Geometry) -> str:
    """Write a geometry as SVG path data: tenths of a pixel, relative steps, which compress well."""
    pieces = []
    for part in shapely.get_parts(geometry):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        pieces += [_ring(np.asarray(ring.coords), closed=part.geom_type == "Polygon") for ring in rings]
    return "".join(pieces)


def _ring(coordinates: NDArray[np.float64], *, closed: bool) -> str:
    tenths = np.round(coordinates * 10).astype(np.int64)
    if closed:
        tenths = tenths[:-1]
    steps = np.diff(tenths, axis=0)
    steps = steps[steps.any(axis=1)]
    start = f"M{_decimal(tenths[0, 0])} {_decimal(tenths[0, 1])}l"
    return start + " ".join(f"{_decimal(dx)} {_decimal(dy)}" for dx, dy in steps) + ("z" if closed else "")


def _decimal(tenths: int) -> str:
    whole, rest = divmod(abs(int(tenths)), 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{whole or ('' if rest else '0')}" + (f".{rest}" if rest else "")
