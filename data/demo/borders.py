"""Borders drawn as if by nature: Voronoi cells whose shared edges sway like rivers, and a swaying coast.

Coordinates here are metres in a drawing plane. Only additions, multiplications, divisions and square roots
of grid points lead to a result, and noise comes from integer hashing, so every machine draws the same lines.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Unsigned = npt.NDArray[np.uint64]
Node = tuple[float, float]

SPACING_M = 420.0
"""Wanted distance between the vertices of a border."""

_NODE_GRID_M = 10.0
_BORDER_SWAY_M = 620.0
_COAST_SWAY_M = 260.0
_WAVES = ((4200.0, 1.0), (1900.0, 0.55), (850.0, 0.28))
"""Wave length in metres and relative height of the waves that a border is made of."""

_ROOM = 0.42
"""Share of the room between a border and the sites beside it that may be used for swaying."""


def voronoi_borders(sites: Floats, seed: int) -> list[Floats]:
    """The swaying line between each pair of neighbouring sites; the lines meet only at their ends.

    An edge of the diagram and one of its two sites span a triangle, and these triangles do not overlap; a
    line that stays in its two triangles can therefore cross no other, nor pass a site on the wrong side.
    """
    lines = []
    for (start, end), pair in sorted(_shared_edges(sites).items()):
        if len(pair) == 2:
            lines.append(_sway_edge(np.array([start, end]), sites[pair], seed))
    return lines


def sway_ring(corners: Floats, seed: int) -> Floats:
    """A closed coast line through coarse corners: rounded, with vertices set evenly, swaying."""
    ring = _round_corners(corners)
    steps = np.sqrt((np.diff(ring, axis=0) ** 2).sum(axis=1))
    along = np.concatenate(([0.0], np.cumsum(steps)))
    count = max(8, round(along[-1] / SPACING_M))
    wanted = np.arange(count) * (along[-1] / count)
    points = np.column_stack([np.interp(wanted, along, ring[:, axis]) for axis in (0, 1)])
    heading = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    heading /= np.sqrt((heading**2).sum(axis=1))[:, None]
    # A short ring keeps its shape: an island is no place for the waves of a coast.
    height = min(_COAST_SWAY_M, along[-1] / 60)
    sideways = height * _waves(wanted, along[-1], _key(seed, corners[0]))
    swayed = points + sideways[:, None] * _normals(heading)
    return np.vstack([swayed, swayed[:1]])


def _shared_edges(sites: Floats) -> dict[tuple[Node, Node], list[int]]:
    """Edges of the Voronoi diagram, nodes on a grid, with the one or two sites that each one bounds."""
    box = shapely.box(*(shapely.MultiPoint(sites).buffer(60_000.0, quad_segs=1).bounds))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(sites), extend_to=box))
    cell_of, site_of = shapely.STRtree(shapely.points(sites)).query(cells, predicate="contains")
    edges: dict[tuple[Node, Node], list[int]] = defaultdict(list)
    for cell, site in zip(cell_of, site_of, strict=True):
        nodes = np.rint(shapely.get_coordinates(cells[cell]) / _NODE_GRID_M) * _NODE_GRID_M
        corners = [(float(x), float(y)) for x, y in nodes]
        for start, end in itertools.pairwise(corners):
            if start != end:
                edges[min(start, end), max(start, end)].append(int(site))
    return edges


def _sway_edge(edge: Floats, pair: Floats, seed: int) -> Floats:
    """The edge with inner vertices moved sideways, no further than the triangles to its two sites allow."""
    length = math.sqrt(float(((edge[1] - edge[0]) ** 2).sum()))
    count = max(1, round(length / SPACING_M))
    along: Floats = np.arange(count + 1, dtype=np.float64) * (length / count)
    heading = (edge[1] - edge[0]) / length
    normal = _normals(heading[None, :])[0]
    wave = _BORDER_SWAY_M * _waves(along, None, _key(seed, edge[0], edge[1]))
    sideways = np.zeros(count + 1)
    for site in pair:
        forward, aside = float(((site - edge[0]) * heading).sum()), float(((site - edge[0]) * normal).sum())
        room = _ROOM * _height_of_triangle(along, length, forward, abs(aside))
        towards = wave > 0 if aside > 0 else wave < 0
        sideways[towards] = np.sign(wave[towards]) * np.minimum(np.abs(wave[towards]), room[towards])
    sideways[[0, -1]] = 0.0
    line: Floats = edge[0] + along[:, None] * heading + sideways[:, None] * normal
    line[-1] = edge[1]
    return line


def _height_of_triangle(along: Floats, length: float, forward: float, aside: float) -> Floats:
    """How far a triangle reaches above each place of its base, its tip at (forward, aside)."""
    height = np.full(len(along), np.inf)
    if forward > 0:
        height = np.minimum(height, aside * along / forward)
    if forward < length:
        height = np.minimum(height, aside * (length - along) / (length - forward))
    return height


def _round_corners(ring: Floats) -> Floats:
    """One round of Chaikin's corner cutting on a closed ring."""
    first, second = ring[:-1], ring[1:]
    cut = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], axis=1).reshape(-1, 2)
    return np.vstack([cut, cut[:1]])


def _normals(heading: Floats) -> Floats:
    return np.column_stack([-heading[:, 1], heading[:, 0]])


def _waves(along: Floats, period: float | None, key: int) -> Floats:
    """Smooth noise between about -1 and 1 along a line; it closes on itself when a period is given."""
    total = np.zeros(len(along))
    for number, (wave_length, height) in enumerate(_WAVES):
        knots = max(3, round(period / wave_length)) if period else 0
        place = along * (knots / period) if period else along / wave_length
        left = np.floor(place)
        part = place - left
        smooth = part * part * (3.0 - 2.0 * part)
        low, high = left.astype(np.uint64), left.astype(np.uint64) + np.uint64(1)
        if knots:
            low, high = low % np.uint64(knots), high % np.uint64(knots)
        salt = key + number
        total += height * (_noise(low, salt) * (1.0 - smooth) + _noise(high, salt) * smooth)
    return total


def _key(seed: int, *nodes: Any) -> int:
    """A number that stands for a line, whatever drew it first."""
    key = seed
    for node in nodes:
        for value in node:
            key = (key * 1_000_003 + round(float(value))) % 2**61
    return key


def _noise(index: Unsigned, salt: int) -> Floats:
    """A number in [-1, 1) for each index (splitmix64, Steele, Lea and Flood 2014)."""
    z = index * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt * 0xD1342543DE82EF95 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * (2.0 / 2**53) - 1.0
