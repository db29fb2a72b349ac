"""Ground divided anew: cut by lines, closed along its outer border, and checked to tile the old ground.

Geometries are lon/lat degrees of WGS84; areas are on the ellipsoid, widths in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops

from gis.errors import Refusal
from gis.geometry import area_ha, length_m

Geometries = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

SMALLEST_FAULT_M2 = 1.0
"""Faults below a square metre are the rounding of coordinates."""
SLIVER_M = 10.0
_SIDE = 1e-6
"""Degrees beside a line at which a face's side is told; about a decimetre."""
_SAME = 1e-9
_ROUNDING_M = 0.001
_SQUARE_METRES_PER_HECTARE = 10_000.0


class PartitionRefused(Refusal):
    """The ground cannot be divided as asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Ground that two parts claim, that none covers, or that lies beyond the old ground; `members` are positions."""

    kind: Literal["overlap", "gap", "outside"]
    members: tuple[int, ...]
    geometry: Any
    area_m2: float
    width_m: float

    @property
    def is_sliver(self) -> bool:
        """Whether the fault is so narrow that it is a drawing error."""
        return self.width_m < SLIVER_M


def cut(ground: Any, lines: Sequence[Any]) -> list[shapely.MultiPolygon]:
    """Cut the ground by each line in turn: n lines give n + 1 multipolygons, largest first.

    Islands that a line does not cross go to its nearer side. Raises PartitionRefused where a line does not
    run from border to border of any part.
    """
    pieces = [_multi(ground)]
    for number, line in enumerate(lines, start=1):
        best: tuple[float, int, tuple[Any, Any]] | None = None
        for at, piece in enumerate(pieces):
            sides = _two_sides(piece, line)
            if sides is None:
                continue
            smaller = min(float(area_ha(side)) for side in sides)
            if best is None or smaller > best[0]:
                best = (smaller, at, sides)
        if best is None:
            raise PartitionRefused(
                "Đường chia thứ %(number)s chưa cắt hết đơn vị; hãy vẽ từ ngoài ranh giới bên này sang "
                "ngoài ranh giới bên kia.",
                number=number,
            )
        pieces[best[1] : best[1] + 1] = list(best[2])
    return sorted(pieces, key=lambda piece: -float(area_ha(piece)))


def _two_sides(piece: Any, line: Any) -> tuple[Any, Any] | None:
    """The parts left and right of a line, or None when it does not cross the piece."""
    if not shapely.intersects(piece, line):
        return None
    noded = shapely.union_all([piece.boundary, line])
    faces = [
        face
        for face in shapely.get_parts(shapely.polygonize([noded]))
        if shapely.intersects(shapely.point_on_surface(face), piece)
    ]
    if len(faces) < len(shapely.get_parts(piece)) + 1:
        return None
    left, right, undecided = [], [], []
    near = {+1: shapely.buffer(line, _SIDE, single_sided=True), -1: _right_of(line)}
    for face in faces:
        beside = {side: shapely.area(shapely.intersection(face, strip)) for side, strip in near.items()}
        if max(beside.values()) <= 0:
            undecided.append(face)
        elif beside[+1] >= beside[-1]:
            left.append(face)
        else:
            right.append(face)
    if not left or not right:
        return None
    for face in undecided:
        to_left, to_right = (shapely.distance(face, shapely.union_all(side)) for side in (left, right))
        (left if to_left <= to_right else right).append(face)
    return _multi(shapely.union_all(left)), _multi(shapely.union_all(right))


def _right_of(line: Any) -> Any:
    return shapely.buffer(shapely.reverse(line), _SIDE, single_sided=True)


def faults(parts: Sequence[Any], ground: Any, minimum_m2: float = SMALLEST_FAULT_M2) -> list[Fault]:
    """List where the parts fail to tile the ground exactly once, largest first."""
    shapes = _array(parts)
    found: list[Fault] = []
    for i in range(len(shapes)):
        for j in range(i + 1, len(shapes)):
            found += _faults("overlap", (i, j), shapely.intersection(shapes[i], shapes[j]), minimum_m2)
    covered = shapely.union_all(shapes)
    found += _faults("gap", (), shapely.difference(ground, covered), minimum_m2)
    for i, shape in enumerate(shapes):
        found += _faults("outside", (i,), shapely.difference(shape, ground), minimum_m2)
    return sorted(found, key=lambda fault: -fault.area_m2)


def _faults(
    kind: Literal["overlap", "gap", "outside"], members: tuple[int, ...], shape: Any, minimum_m2: float
) -> list[Fault]:
    pieces = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    if not pieces:
        return []
    areas = area_ha(pieces) * _SQUARE_METRES_PER_HECTARE
    widths = 2 * areas / np.maximum(length_m(pieces), 1e-9)
    return [
        Fault(kind, members, piece, float(area), float(width))
        for piece, area, width in zip(pieces, areas, widths, strict=True)
        if area >= minimum_m2
    ]


def tidy(parts: Sequence[Any], ground: Any, sliver_m: float = SLIVER_M) -> list[shapely.MultiPolygon]:
    """Return the parts closed against one another and the ground, moving no more than slivers.

    What sticks out of the ground, and what two parts claim, is dropped from the later part when it is narrower
    than `sliver_m`; a gap that narrow goes to the part with which it shares most border. Wider faults stay.
    """
    shapes = [_multi(shapely.snap(part, ground, _SAME)) for part in parts]
    for fault in _strips(shapes, ground, sliver_m):
        if fault.kind != "gap":
            loser = fault.members[-1]
            shapes[loser] = _multi(shapely.difference(shapes[loser], fault.geometry))
    for fault in _strips(shapes, ground, sliver_m):
        if fault.kind == "gap":
            borders = [
                shapely.length(shapely.intersection(s.boundary, fault.geometry.boundary)) for s in shapes
            ]
            heir = int(np.argmax(borders))
            shapes[heir] = _multi(shapely.union(shapes[heir], fault.geometry))
    return _noded(shapes, ground)


def _strips(shapes: list[shapely.MultiPolygon], ground: Any, sliver_m: float) -> list[Fault]:
    """The faults that are drawing errors; narrower than a millimetre they are rounding, which noding closes."""
    found = faults(shapes, ground, minimum_m2=0.0)
    return [fault for fault in found if _ROUNDING_M <= fault.width_m < sliver_m]


def _noded(shapes: list[shapely.MultiPolygon], ground: Any) -> list[shapely.MultiPolygon]:
    """The same parts rebuilt from one network of lines, so that neighbours share every vertex."""
    if not shapes or any(shape.is_empty for shape in shapes):
        return shapes
    whole = _multi(ground)
    points = shapely.get_coordinates(_array([*shapes, whole]))
    lines = [_with_points(shape, points).boundary for shape in (*shapes, whole)]
    faces = np.array(shapely.get_parts(shapely.polygonize([shapely.union_all(lines)])), dtype=object)
    inner = shapely.point_on_surface(faces)
    rebuilt = []
    for shape in shapes:
        shapely.prepare(shape)
        mine = faces[shapely.intersects(shape, inner)]
        rebuilt.append(_multi(shapely.union_all(mine)) if len(mine) else shape)
    return rebuilt


def with_vertices_of(neighbours: Sequence[Any], parts: Sequence[Any]) -> dict[int, shapely.MultiPolygon]:
    """Return the neighbours (by position) that need vertices where the parts have new ones on their border.

    Their ground stays as it is; afterwards both sides of the border match vertex for vertex.
    """
    points = shapely.get_coordinates(_array(parts))
    changed: dict[int, shapely.MultiPolygon] = {}
    for at, neighbour in enumerate(neighbours):
        mended = _with_points(neighbour, points)
        if shapely.get_num_coordinates(mended) > shapely.get_num_coordinates(neighbour):
            changed[at] = _multi(mended)
    return changed


def _with_points(shape: Any, points: Floats) -> Any:
    """The shape with a vertex at every point that lies on its border and is none of its vertices."""
    border = shape.boundary
    shapely.prepare(border)
    near = np.unique(points[shapely.dwithin(border, shapely.points(points), _SAME)], axis=0)

    def ring(line: Any) -> Floats:
        corners: Floats = shapely.get_coordinates(line)
        starts, ways = corners[:-1], np.diff(corners, axis=0)
        lengths = np.maximum((ways**2).sum(axis=1), 1e-30)
        inserted = []
        for point in near:
            along = np.clip(((point - starts) * ways).sum(axis=1) / lengths, 0.0, 1.0)
            off = ((starts + along[:, None] * ways - point) ** 2).sum(axis=1)
            ends = (starts == point).all(axis=1) | (corners[1:] == point).all(axis=1)
            # A spike passes the same place twice: every segment there needs the vertex, or noding leaves a thread.
            for segment in np.flatnonzero((off <= _SAME**2) & ~ends & (along > 0) & (along < 1)).tolist():
                inserted.append((segment, float(along[segment]), point))
        inserted.sort(key=lambda entry: entry[:2])
        at = [segment + 1 for segment, _, _ in inserted]
        return np.insert(corners, at, [point for _, _, point in inserted], axis=0) if at else corners

    if not len(near):
        return shape
    parts = shapely.get_parts(shape)
    return shapely.MultiPolygon(
        [shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors]) for part in parts]
    )


def new_borders(before: Sequence[Any], after: Sequence[Any]) -> Any:
    """Return the lines that are a border after the change and were none before; empty for a merger."""
    old = shapely.union_all([shape.boundary for shape in before])
    new = shapely.union_all([shape.boundary for shape in after])
    return shapely.difference(new, shapely.buffer(old, _SIDE / 10))


def _array(shapes: Sequence[Any]) -> Geometries:
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    return array


def _multi(shape: Any) -> shapely.MultiPolygon:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
