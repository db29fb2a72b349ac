"""Plots, forests and villages of a delta coast, drawn inside a commune ("dữ liệu minh hoạ").

Everything is pure geometry in lon/lat; the caller's random generator decides, so a seed fixes the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]

_SQUARE_METRES_PER_HECTARE = 10_000.0
_DECIMALS = 6
_INSET_M = 25.0
_BUND_M = 8.0
_CANAL_M = 26.0
_MEANDER_M = 40.0
_MEANDER_LENGTH_M = 3500.0
_SIDE_STEP_M = 220.0
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Style:
    """How one kind of growing area lies in the land: its size and, for strips, how deep from the canal."""

    form: Literal["strips", "blobs"]
    minimum_ha: float
    maximum_ha: float
    depth_m: float = 0.0


STYLES: dict[str, Style] = {
    "shrimp_rice": Style("strips", 2.0, 40.0, 330.0),
    "extensive_shrimp": Style("strips", 5.0, 80.0, 480.0),
    "intensive_shrimp": Style("strips", 0.5, 5.0, 110.0),
    "shrimp_mangrove": Style("blobs", 8.0, 120.0),
    "mud_crab": Style("strips", 2.0, 30.0, 300.0),
    "salt": Style("strips", 1.0, 15.0, 170.0),
    "rice": Style("strips", 5.0, 60.0, 420.0),
    "orchard": Style("strips", 0.3, 5.0, 100.0),
    "vegetables": Style("strips", 0.2, 3.0, 80.0),
    "melaleuca": Style("blobs", 15.0, 150.0),
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """A drawing plane in metres around a commune, its x axis along the commune's canals."""

    origin: Floats
    scale: Floats
    axis: tuple[float, float]

    @classmethod
    def of(cls, commune: shapely.Geometry) -> _Frame:
        """The plane of a commune; its canals run along the longer side of the box around it."""
        centre = commune.centroid
        origin = np.array([centre.x, centre.y])
        scale = np.array([111_320.0 * math.cos(math.radians(centre.y)), 110_600.0])
        flat = shapely.transform(commune, lambda xy: (xy - origin) * scale)
        corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(flat))
        sides = np.diff(corners[:3], axis=0)
        longest = sides[int(np.argmax((sides**2).sum(axis=1)))]
        longest = longest / math.sqrt(float((longest**2).sum()))
        return cls(origin, scale, (float(longest[0]), float(longest[1])))

    def to_plane(self, shape: Any) -> Any:
        """Lon/lat degrees to metres along and across the canals."""
        c, s = self.axis

        def turn(xy: Floats) -> Floats:
            x, y = ((xy - self.origin) * self.scale).T
            return np.column_stack([c * x + s * y, c * y - s * x])

        return shapely.transform(shape, turn)

    def to_degrees(self, shape: Any) -> Any:
        """Metres along and across the canals to lon/lat degrees on a grid of 1e-6."""
        c, s = self.axis

        def turn(xy: Floats) -> Floats:
            x, y = xy.T
            metres = np.column_stack([c * x - s * y, s * x + c * y])
            return np.round(metres / self.scale + self.origin, _DECIMALS)

        return shapely.transform(shape, turn)


def growing_area_shapes(
    commune: shapely.Geometry,
    n: int,
    rng: np.random.Generator,
    style: str,
    *,
    avoid: Sequence[shapely.Geometry] = (),
) -> list[shapely.MultiPolygon]:
    """Up to `n` growing areas inside a commune that overlap neither each other nor `avoid`.

    `style` is a key of STYLES. Strips lie in rows along the canals, some of them as two or three ponds;
    blobs are rounded patches of forest. Where a commune is too small for the sizes of the style, they
    shrink; fewer than `n` come back only when there is no ground left.
    """
    frame = _Frame.of(commune)
    free = frame.to_plane(commune).buffer(-_INSET_M)
    if avoid:
        free = free.difference(shapely.union_all([frame.to_plane(shape) for shape in avoid]).buffer(_BUND_M))
    draw = _strips if STYLES[style].form == "strips" else _blobs
    shapes: list[shapely.MultiPolygon] = []
    shrink = 1.0
    for _ in range(_TRIES):
        if len(shapes) >= n or free.is_empty:
            break
        wanted = min(n - len(shapes), 4 + int(rng.random() * 7))
        cluster = draw(free, wanted, rng, STYLES[style], shrink)
        if len(cluster) < wanted:
            shrink = max(0.02, shrink * 0.8)
        if cluster:
            shapes += cluster
            free = free.difference(shapely.union_all(cluster).buffer(_BUND_M, quad_segs=2))
    return [frame.to_degrees(shape) for shape in shapes[:n]]


def village_shape(
    commune: shapely.Geometry, near: shapely.Point, rng: np.random.Generator
) -> shapely.MultiPolygon:
    """A settlement of 5 to 60 hectares strung along a canal near a place: one bank of it or both.

    In a commune too small for that it is smaller.
    """
    frame = _Frame.of(commune)
    ground = frame.to_plane(commune).buffer(-_INSET_M)
    x, y = shapely.get_coordinates(shapely.shortest_line(ground, frame.to_plane(near)))[0]
    length = 800.0 + 1500.0 * rng.random()
    nodes = np.linspace(x - length / 2, x + length / 2, 5 + int(rng.random() * 3))
    bends = 60.0 * (rng.random(len(nodes)) - 0.5)
    banks = []
    for side in (1.0, -1.0)[: 1 + int(rng.random() < 0.6)]:
        inner = np.column_stack([nodes, y + bends + side * _CANAL_M / 2])
        outer = np.column_stack([nodes, inner[:, 1] + side * (90.0 + 70.0 * rng.random(len(nodes)))])
        banks.append(shapely.Polygon(np.vstack([inner, outer[::-1]])))
    built = shapely.intersection(shapely.union_all(banks), ground)
    return frame.to_degrees(_multi(built))


def point_in(shape: shapely.Geometry, rng: np.random.Generator) -> shapely.Point:
    """A random place strictly inside an area, in its coordinates, on a grid of 1e-6."""
    west, south, east, north = shape.bounds
    shapely.prepare(shape)
    for _ in range(20):
        x = np.round(west + (east - west) * rng.random(16), _DECIMALS)
        y = np.round(south + (north - south) * rng.random(16), _DECIMALS)
        inside = np.flatnonzero(shapely.contains_xy(shape, x, y))
        if len(inside):
            return shapely.Point(x[inside[0]], y[inside[0]])
    return shapely.point_on_surface(shape)


def _strips(
    free: Any, wanted: int, rng: np.random.Generator, style: Style, shrink: float
) -> list[shapely.MultiPolygon]:
    """Up to `wanted` neighbouring plots in rows on both sides of the canals around a random place."""
    centre = point_in(free, rng)
    typical = shrink * math.sqrt(style.minimum_ha * style.maximum_ha) * _SQUARE_METRES_PER_HECTARE
    reach = 1.2 * math.sqrt(wanted * typical) + 60.0
    left, right, low, high = _lattice(centre, reach, rng, style, shrink)
    meander = _meander(rng)
    # Widest first would leave only big plots; nearest to the centre keeps the cluster together.
    order = np.argsort(((left + right) / 2 - centre.x) ** 2 + ((low + high) / 2 - centre.y) ** 2)
    outlines = np.array([_plot(left[k], right[k], low[k], high[k], meander) for k in order], dtype=object)
    shapely.prepare(free)
    fitting = order[shapely.contains(free, outlines)][:wanted]
    return [_ponds(left[k], right[k], low[k], high[k], meander, rng) for k in fitting]


def _lattice(
    centre: shapely.Point, reach: float, rng: np.random.Generator, style: Style, shrink: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Left, right, lower and upper edges of plots that fill a square of twice the reach."""
    sides: list[tuple[float, float, float, float]] = []
    low, row = centre.y - reach, 0
    while low < centre.y + reach:
        depth = style.depth_m * math.sqrt(shrink) * (0.75 + 0.5 * float(rng.random()))
        left = centre.x - reach * (1.0 + 0.2 * float(rng.random()))
        while left < centre.x + reach:
            width = shrink * _size_m2(rng, style) / depth
            sides.append((left, left + width, low, low + depth))
            left += width + _BUND_M
        row += 1
        low += depth + (_CANAL_M if row % 2 else _BUND_M)
    edges = np.array(sides).T
    return edges[0], edges[1], edges[2], edges[3]


def _size_m2(rng: np.random.Generator, style: Style) -> float:
    """A size between the limits of the style, small ones as frequent as large ones on a log scale."""
    ratio = style.maximum_ha / style.minimum_ha
    # A strip five times as long as it is deep is as far as a farmer walks.
    deepest = 5.0 * style.depth_m**2 if style.depth_m else math.inf
    hectares = style.minimum_ha * math.pow(ratio, 0.02 + 0.96 * rng.random())
    size = hectares * _SQUARE_METRES_PER_HECTARE
    return min(size, max(deepest, 1.1 * style.minimum_ha * _SQUARE_METRES_PER_HECTARE))


def _meander(rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """How far the canals stray sideways; one wave for all rows, so that plots keep their distance."""
    phase = 2 * math.pi * float(rng.random())

    def stray(x: Floats) -> Floats:
        return _MEANDER_M * np.sin(2 * math.pi * x / _MEANDER_LENGTH_M + phase)

    return stray


def _plot(
    left: float, right: float, low: float, high: float, meander: Callable[[Floats], Floats]
) -> shapely.Polygon:
    """A four-sided plot whose long sides follow the canal."""
    x = np.linspace(left, right, 2 + int((right - left) / _SIDE_STEP_M))
    stray = meander(x)
    lower, upper = np.column_stack([x, low + stray]), np.column_stack([x, high + stray])
    return shapely.Polygon(np.vstack([lower, upper[::-1]]))


def _ponds(
    left: float,
    right: float,
    low: float,
    high: float,
    meander: Callable[[Floats], Floats],
    rng: np.random.Generator,
) -> shapely.MultiPolygon:
    """The plot as one pond, or parted by bunds into two or three where it is long enough."""
    count = 2 + int(rng.random() < 0.3) if rng.random() < 0.25 and right - left > 180.0 else 1
    width = (right - left - _BUND_M * (count - 1)) / count
    starts = [left + k * (width + _BUND_M) for k in range(count)]
    return shapely.MultiPolygon([_plot(start, start + width, low, high, meander) for start in starts])


def _blobs(
    free: Any, wanted: int, rng: np.random.Generator, style: Style, shrink: float
) -> list[shapely.MultiPolygon]:
    """Up to `wanted` rounded patches around a random place."""
    centre = point_in(free, rng)
    outlines = [_blob(shrink * _size_m2(rng, style), rng) for _ in range(wanted)]
    radii = [float(np.sqrt((outline**2).sum(axis=1)).max()) for outline in outlines]
    reach = 1.8 * math.sqrt(sum(radius**2 for radius in radii))
    places = np.array([centre.x, centre.y]) + reach * (2.0 * rng.random((40 * wanted, 2)) - 1.0)
    border = shapely.boundary(free)
    shapely.prepare(free)
    room = np.where(
        shapely.contains_xy(free, places[:, 0], places[:, 1]),
        shapely.distance(border, shapely.points(places)),
        -1.0,
    )
    shapes = []
    for outline, radius in sorted(zip(outlines, radii, strict=True), key=lambda pair: -pair[1]):
        fitting = np.flatnonzero(room >= radius)
        if len(fitting):
            place = places[fitting[0]]
            shapes.append(shapely.MultiPolygon([shapely.Polygon(outline + place)]))
            gone = np.sqrt(((places - place) ** 2).sum(axis=1)) - radius - _BUND_M
            room = np.minimum(room, gone)
    return shapes


def _blob(area_m2: float, rng: np.random.Generator) -> Floats:
    """The corners of a rounded, slightly lobed patch of the given area around (0, 0)."""
    count = 14 + int(rng.random() * 12)
    angle = 2 * math.pi * (np.arange(count) + 0.5 * rng.random(count)) / count
    lobes, phase = 2 + int(rng.random() * 3), 2 * math.pi * rng.random()
    radius = 1.0 + 0.18 * np.sin(lobes * angle + phase) + 0.10 * (rng.random(count) - 0.5)
    corners = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    scaled: Floats = corners * math.sqrt(area_m2 / shapely.Polygon(corners).area)
    return scaled


def _multi(shape: Any) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])
