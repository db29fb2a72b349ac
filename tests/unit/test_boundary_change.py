"""Ground divided anew: cutting, tidying and judging it, against shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from data.boundaries import outlines
from data.boundaries.errors import BoundaryError
from gis import coverage, partition

SQUARE = shapely.box(105.0, 9.0, 105.1, 9.1)
GEOD = Geod(ellps="WGS84")


def hectares(shape: shapely.Geometry) -> float:
    """The area of a shape on the ellipsoid, as PROJ computes it."""
    return abs(GEOD.geometry_area_perimeter(shapely.geometry.polygon.orient(shape.geoms[0]))[0]) / 10_000


def test_a_line_from_border_to_border_cuts_a_square_in_two() -> None:
    parts = partition.cut(SQUARE, [shapely.LineString([(105.06, 8.9), (105.06, 9.2)])])
    assert [part.bounds for part in parts] == [(105.0, 9.0, 105.06, 9.1), (105.06, 9.0, 105.1, 9.1)]


def test_a_line_that_ends_inside_cuts_nothing_and_says_so() -> None:
    with pytest.raises(partition.PartitionRefused, match="thứ 1 chưa cắt hết"):
        partition.cut(SQUARE, [shapely.LineString([(105.05, 8.9), (105.05, 9.05)])])


def test_two_lines_make_three_units() -> None:
    lines = [shapely.LineString([(x, 8.9), (x, 9.2)]) for x in (105.03, 105.05)]
    parts = partition.cut(SQUARE, lines)
    assert sorted(round(p.bounds[2] - p.bounds[0], 9) for p in parts) == [0.02, 0.03, 0.05]


def test_a_wavy_line_that_leaves_and_returns_still_makes_two_units() -> None:
    line = shapely.LineString([(105.05, 8.9), (105.05, 9.05), (105.2, 9.06), (105.05, 9.07), (105.05, 9.2)])
    parts = partition.cut(SQUARE, [line])
    assert len(parts) == 2
    assert sum(shapely.area(parts)) == pytest.approx(SQUARE.area)
    assert max(len(part.geoms) for part in parts) == 2


def test_an_island_goes_to_the_nearer_side() -> None:
    island = shapely.box(105.12, 9.04, 105.13, 9.05)
    ground = shapely.MultiPolygon([SQUARE, island])
    _, east = partition.cut(ground, [shapely.LineString([(105.06, 8.9), (105.06, 9.2)])])
    assert east.covers(island)


def test_parts_cut_by_a_slanting_line_match_vertex_for_vertex_and_so_do_the_neighbours() -> None:
    squares = [shapely.box(x, y, x + 0.1, y + 0.1) for x in (104.9, 105.0, 105.1) for y in (8.9, 9.0, 9.1)]
    middle = squares.pop(4)
    cut = partition.cut(middle, [shapely.LineString([(104.97, 8.95), (105.13, 9.17)])])
    parts = partition.tidy(cut, middle)
    mended = partition.with_vertices_of(squares, parts)
    around = [mended.get(at, shape) for at, shape in enumerate(squares)]
    assert 0 < len(mended) <= 4
    assert coverage.is_clean([*around, *parts])
    for at, shape in mended.items():
        assert shapely.area(shapely.symmetric_difference(shape, squares[at])) < 1e-14


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [
        ([shapely.box(105.0, 9.0, 105.05, 9.1), shapely.box(105.05, 9.0, 105.1, 9.1)], []),
        ([shapely.box(105.0, 9.0, 105.06, 9.1), shapely.box(105.05, 9.0, 105.1, 9.1)], ["overlap"]),
        ([shapely.box(105.0, 9.0, 105.04, 9.1), shapely.box(105.05, 9.0, 105.1, 9.1)], ["gap"]),
        ([shapely.box(105.0, 9.0, 105.05, 9.1), shapely.box(105.05, 9.0, 105.11, 9.1)], ["outside"]),
    ],
)
def test_faults_are_told_with_their_area(parts: list[shapely.Polygon], kinds: list[str]) -> None:
    found = partition.faults(parts, SQUARE)
    assert [fault.kind for fault in found] == kinds
    for fault in found:
        strip = shapely.MultiPolygon([shapely.box(*fault.geometry.bounds)])
        assert fault.area_m2 / 10_000 == pytest.approx(hectares(strip), rel=1e-6)


def test_slivers_are_closed_and_wide_gaps_are_left_for_people() -> None:
    metre = 1 / 111_320
    narrow = [
        shapely.box(105.0, 9.0, 105.05 - 3 * metre, 9.1),
        shapely.box(105.05, 9.0, 105.1 + 2 * metre, 9.1),
    ]
    assert partition.faults(partition.tidy(narrow, SQUARE), SQUARE) == []
    wide = [shapely.box(105.0, 9.0, 105.04, 9.1), shapely.box(105.05, 9.0, 105.1, 9.1)]
    assert [f.kind for f in partition.faults(partition.tidy(wide, SQUARE), SQUARE)] == ["gap"]


def test_merging_leaves_no_trace_of_shared_borders() -> None:
    merged = outlines.merged([shapely.box(105.0, 9.0, 105.05, 9.1), shapely.box(105.05, 9.0, 105.1, 9.1)])
    assert len(merged.geoms) == 1 and not merged.geoms[0].interiors
    assert shapely.equals(merged, SQUARE)
    assert partition.new_borders([SQUARE], [merged]).is_empty


def test_one_drawn_area_leaves_the_rest_as_the_other_unit() -> None:
    drawn = shapely.to_geojson(shapely.box(105.0, 9.0, 105.03, 9.1))
    new, rest = outlines.from_geojson(drawn, [SQUARE])
    assert new.geometry.bounds == (105.0, 9.0, 105.03, 9.1)
    assert rest.geometry.bounds == (105.03, 9.0, 105.1, 9.1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"type": "Point", "coordinates": [105, 9]}',
        '{"type": "GeometryCollection", "geometries": []}',
    ],
)
def test_what_divides_nothing_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BoundaryError):
        outlines.from_geojson(text, [SQUARE])


def test_areas_drawn_elsewhere_are_refused() -> None:
    with pytest.raises(BoundaryError, match="ngoài địa bàn"):
        outlines.from_geojson(shapely.to_geojson(shapely.box(106, 10, 106.1, 10.1)), [SQUARE])


def test_any_slanting_line_leaves_two_clean_parts_that_tile_the_ground() -> None:
    random = np.random.default_rng(7)
    for angle in random.uniform(0, np.pi, 40):
        way = 0.2 * np.array([np.cos(angle), np.sin(angle)])
        middle = np.array([105.05, 9.05]) + random.uniform(-0.03, 0.03, 2)
        parts = partition.tidy(
            partition.cut(SQUARE, [shapely.LineString([middle - way, middle + way])]), SQUARE
        )
        assert coverage.is_clean(parts)
        assert partition.faults(parts, SQUARE) == []
