"""The demonstration province: 101 communes drawn around their points as a clean coverage.

The names, types, codes and places of the communes are facts; every border is invented ("dữ liệu minh hoạ").
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

from data.demo.borders import sway_ring, voronoi_borders
from gis.coverage import dissolve
from gis.geometry import orient

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]
Level = Literal["province", "district", "commune"]

_HERE = Path(__file__).parent
_PROVINCE_CODE = "96"
_GRID = 1e-6
_DECIMALS = 6
_ORIGIN = np.array([105.0, 9.0])
_METRES_PER_DEGREE = np.array([109_960.0, 110_600.0])
"""East and north at 9° N, near enough to draw in: areas are measured on the ellipsoid elsewhere."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An administrative unit: `geometry` in lon/lat, `point` inside it, `parent` the code one level up."""

    code: str
    name: str
    type: str
    level: Level
    parent: str | None
    geometry: shapely.MultiPolygon
    point: shapely.Point


@dataclass(frozen=True, slots=True)
class Territory:
    """The province, its districts and its communes, each in the order of their codes."""

    province: Unit
    districts: tuple[Unit, ...]
    communes: tuple[Unit, ...]


def build_territory(seed: int = 96) -> Territory:
    """Draw the province; the same seed gives the same coordinates on every machine.

    Communes are a coverage on a grid of 1e-6 degrees; districts and the province are their unions, vertex
    for vertex.
    """
    rows = sorted(_read("communes.csv"), key=lambda row: row["code"])
    places = np.array([[float(row["lon"]), float(row["lat"])] for row in rows])
    shapes = _commune_shapes(places, seed)
    communes = tuple(
        Unit(row["code"], row["name"], row["type"], "commune", row["district_code"], shape, point)
        for row, shape, point in zip(rows, shapes, shapely.points(places), strict=True)
    )
    merged = dissolve(shapes, [row["district_code"] for row in rows])
    districts = tuple(
        _union_unit(row["code"], row["name"], row["type"], "district", _PROVINCE_CODE, merged[row["code"]])
        for row in sorted(_read("districts.csv"), key=lambda row: row["code"])
    )
    whole = dissolve(shapes, [_PROVINCE_CODE] * len(shapes))[_PROVINCE_CODE]
    province = _union_unit(_PROVINCE_CODE, "Tỉnh Cà Mau", "tỉnh", "province", None, whole)
    return Territory(province, districts, communes)


def _commune_shapes(places: Floats, seed: int) -> list[shapely.MultiPolygon]:
    """One multipolygon per place, in the same order: swaying cells cut from the swaying outline."""
    mainland, *islands = [_to_degrees(sway_ring(_to_plane(ring), seed)) for ring in _read_outline()]
    borders = [_to_degrees(line) for line in voronoi_borders(_to_plane(places), seed)]
    faces = _faces(mainland, borders)
    owners = _owners(faces, shapely.points(places))
    # Borders are not drawn across the sea: an island belongs whole to the commune nearest to it.
    island_shapes = shapely.polygons(islands)
    nearest = shapely.STRtree(faces).nearest(island_shapes)
    merged = dissolve(np.concatenate([faces, island_shapes]), [*owners, *(owners[k] for k in nearest)])
    return [_tidy(merged[place]) for place in range(len(places))]


def _faces(coast: Floats, borders: Sequence[Floats]) -> Geometries:
    """The pieces of land between the borders; neighbours share every vertex."""
    lines = [shapely.LineString(line) for line in [coast, *borders]]
    noded = shapely.union_all(lines, grid_size=_GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded).tolist()))
    on_land = shapely.contains(shapely.Polygon(coast), shapely.point_on_surface(faces))
    pieces: Geometries = faces[on_land]
    return pieces


def _owners(faces: Geometries, places: Geometries) -> list[int]:
    """For each piece the place in it, or that of the neighbour with which it shares most border."""
    owners = [-1] * len(faces)
    for face, place in np.transpose(shapely.STRtree(places).query(faces, predicate="contains")):
        owners[face] = int(place)
    tree = shapely.STRtree(faces)
    while -1 in owners:
        before = owners.count(-1)
        for face in [k for k, owner in enumerate(owners) if owner == -1]:
            near = [int(k) for k in np.sort(tree.query(faces[face], predicate="touches")) if owners[k] != -1]
            if near:
                shared = shapely.length(shapely.intersection(faces[face], faces[near]))
                owners[face] = owners[near[int(np.argmax(shared))]]
        if owners.count(-1) == before:
            raise ValueError("a piece of land touches no other: no commune can own it")
    return owners


def _union_unit(code: str, name: str, kind: str, level: Level, parent: str | None, shape: Any) -> Unit:
    tidy = _tidy(shape)
    return Unit(code, name, kind, level, parent, tidy, shapely.point_on_surface(tidy))


def _tidy(shape: shapely.MultiPolygon) -> shapely.MultiPolygon:
    """The same shape with its parts and vertices in one canonical order, wound as RFC 7946 asks."""
    tidy: shapely.MultiPolygon = orient([shapely.normalize(shape)])[0]
    return tidy


def _read(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _read_outline() -> list[Floats]:
    parts = json.loads((_HERE / "outline.json").read_text(encoding="utf-8"))["parts"]
    return [np.array([*part["ring"], part["ring"][0]], dtype=np.float64) for part in parts]


def _to_plane(degrees: Floats) -> Floats:
    plane: Floats = (degrees - _ORIGIN) * _METRES_PER_DEGREE
    return plane


def _to_degrees(metres: Floats) -> Floats:
    degrees: Floats = np.round(metres / _METRES_PER_DEGREE + _ORIGIN, _DECIMALS)
    return degrees
