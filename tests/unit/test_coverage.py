"""Coverage checks on squares whose answers can be worked out on paper, measured by pyproj's geodesics."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis import coverage

GEOD = Geod(ellps="WGS84")
SIDE = 0.01


def square(column: float, row: float, width: float = 1.0, height: float = 1.0) -> shapely.Polygon:
    corners = (105 + column * SIDE, 9 + row * SIDE, 105 + (column + width) * SIDE, 9 + (row + height) * SIDE)
    return shapely.box(*(round(corner, 7) for corner in corners))


def geodesic_m2(shape: shapely.Geometry) -> float:
    return abs(GEOD.geometry_area_perimeter(shape)[0])


def grid(columns: int, rows: int) -> list[shapely.Polygon]:
    return [square(column, row) for row in range(rows) for column in range(columns)]


def test_squares_that_share_sides_are_clean_without_overlap_gap_or_sliver():
    tiles = grid(4, 3)
    assert coverage.is_clean(tiles)
    assert coverage.overlaps(tiles, 0) == []
    assert coverage.gaps(tiles, 0) == []
    assert coverage.slivers(tiles) == []
    assert all(edge is None for edge in coverage.invalid_edges(tiles))


def test_an_overlap_names_both_polygons_and_its_area_on_the_ellipsoid():
    tiles = [square(0, 0), square(5, 5), square(0.75, 0)]
    [overlap] = coverage.overlaps(tiles)
    assert (overlap.i, overlap.j) == (0, 2)
    assert overlap.area_m2 == pytest.approx(geodesic_m2(square(0.75, 0, 0.25)), rel=1e-6)
    assert overlap.geometry.geom_type == "MultiPolygon"
    assert not coverage.is_clean(tiles)


def test_overlaps_below_the_minimum_are_left_out_and_the_largest_comes_first():
    tiles = [square(0, 0), square(0.9, 0), square(-0.5, 0)]
    assert [(o.i, o.j) for o in coverage.overlaps(tiles)] == [(0, 2), (0, 1)]
    assert [(o.i, o.j) for o in coverage.overlaps(tiles, 500_000)] == [(0, 2)]


def test_a_polygon_inside_another_and_a_duplicate_are_overlaps():
    assert len(coverage.overlaps([square(0, 0, 3, 3), square(1, 1)])) == 1
    assert len(coverage.overlaps([square(0, 0), square(0, 0)])) == 1


def test_a_missing_tile_is_a_gap_and_an_open_bay_is_not():
    ring = [tile for position, tile in enumerate(grid(3, 3)) if position != 4]
    [gap] = coverage.gaps(ring)
    assert shapely.equals(gap.geometry, square(1, 1))
    assert gap.area_m2 == pytest.approx(geodesic_m2(square(1, 1)), rel=1e-6)
    bay = [tile for position, tile in enumerate(grid(3, 3)) if position not in (4, 5)]
    assert coverage.gaps(bay) == []


def test_an_island_in_a_lake_is_not_part_of_the_gap():
    ring = [tile for position, tile in enumerate(grid(3, 3)) if position != 4]
    island = square(1.25, 1.25, 0.5, 0.5)
    [gap] = coverage.gaps([*ring, island])
    assert gap.area_m2 == pytest.approx(geodesic_m2(square(1, 1)) - geodesic_m2(island), rel=1e-6)


def test_a_narrow_fault_is_a_sliver_and_a_wide_one_is_not():
    narrow = [square(0, 0), square(0.995, 0)]
    [sliver] = coverage.slivers(narrow, maximum_width_m=10)
    assert sliver.kind == "overlap" and sliver.members == (0, 1)
    assert sliver.width_m == pytest.approx(5.5, rel=0.02)
    assert coverage.slivers([square(0, 0), square(0.9, 0)], maximum_width_m=10) == []


@pytest.mark.parametrize("step", [0.000005, -0.000005], ids=["apart", "over"])
def test_a_vertex_moved_by_half_a_metre_makes_the_coverage_unclean_and_shows_the_edges(step: float):
    moved = shapely.Polygon([(105.01, 9.0), (105.02, 9.0), (105.02, 9.01), (105.01 + step, 9.01)])
    tiles = [square(0, 0), moved, square(5, 5)]
    assert not coverage.is_clean(tiles)
    assert [edge is not None for edge in coverage.invalid_edges(tiles)] == [True, True, False]


def test_a_gap_wider_than_asked_for_may_be_water():
    tiles = [square(0, 0), square(1.01, 0)]
    assert coverage.is_clean(tiles, gap_width_m=5)
    assert not coverage.is_clean(tiles, gap_width_m=20)


def test_what_sticks_out_of_the_container_is_measured():
    container = square(0, 0, 2, 1)
    [beyond] = coverage.outside([square(0, 0), square(1.5, 0)], container)
    assert beyond.i == 1
    assert beyond.area_m2 == pytest.approx(geodesic_m2(square(2, 0, 0.5)), rel=1e-6)


def test_a_self_crossing_polygon_is_compared_by_the_area_it_encloses():
    bow_tie = shapely.Polygon([(105, 9), (105.02, 9.02), (105.02, 9), (105, 9.02)])
    [overlap] = coverage.overlaps([bow_tie, square(0, 0, 0.5, 2)])
    assert overlap.area_m2 == pytest.approx(geodesic_m2(square(0, 0, 0.5, 2)) * 0.75, rel=1e-3)
    assert not coverage.is_clean([bow_tie])


def test_dissolving_keeps_the_vertices_of_the_outer_border():
    with_extra = shapely.Polygon([(105, 9), (105.005, 9), (105.01, 9), (105.01, 9.01), (105, 9.01)])
    merged = coverage.dissolve([with_extra, square(1, 0), square(5, 5)], ["a", "a", "b"])
    assert list(merged) == ["a", "b"]
    assert merged["a"].geom_type == "MultiPolygon" and len(merged["a"].geoms) == 1
    assert (105.005, 9.0) in set(merged["a"].geoms[0].exterior.coords)


def test_dissolving_polygons_that_overlap_still_gives_their_union():
    merged = coverage.dissolve([square(0, 0, 2), square(1, 0, 2)], [1, 1])
    assert shapely.equals(merged[1], square(0, 0, 3))


def test_succession_gives_area_and_both_shares():
    old = [square(0, 0, 2), square(2, 0)]
    new = [square(0, 0, 1.5), square(1.5, 0, 1.5)]
    shares = coverage.succession_shares(old, new)
    assert [(s.old, s.new) for s in shares] == [(0, 0), (0, 1), (1, 1)]
    assert [s.share_of_old for s in shares] == pytest.approx([0.75, 0.25, 1.0], abs=1e-6)
    assert [s.share_of_new for s in shares] == pytest.approx([1.0, 1 / 3, 2 / 3], abs=1e-6)
    assert shares[0].area_km2 == pytest.approx(geodesic_m2(new[0]) / 1e6, rel=1e-6)


def test_succession_leaves_out_what_is_only_a_drawing_error():
    old = [square(0, 0), square(1, 0)]
    new = [square(0, 0, 1.0005), square(1.0005, 0, 0.9995)]
    assert [(s.old, s.new) for s in coverage.succession_shares(old, new)] == [(0, 0), (1, 1)]
    assert len(coverage.succession_shares(old, new, minimum_share=1e-4)) == 3


def test_points_go_to_their_polygon_the_nearest_one_or_none():
    tiles = grid(2, 1)
    points = [
        shapely.Point(105.005, 9.005),
        shapely.Point(105.015, 9.005),
        shapely.Point(105.01, 9.005),
        shapely.Point(105.021, 9.005),
        shapely.Point(105.05, 9.005),
        None,
        shapely.Point(),
    ]
    found = coverage.assign(points, tiles, tolerance_m=300)
    assert found.index.tolist() == [0, 1, 0, 1, -1, -1, -1]
    assert found.distance_m[:3].tolist() == [0, 0, 0]
    expected = GEOD.inv(105.02, 9.005, 105.021, 9.005)[2]
    assert found.distance_m[3] == pytest.approx(expected, rel=1e-3)
    assert np.isnan(found.distance_m[4:]).all()


def test_assigning_to_no_polygons_finds_none():
    assert coverage.assign([shapely.Point(105, 9)], []).index.tolist() == [-1]


def test_empty_input_has_no_faults():
    assert coverage.overlaps([]) == []
    assert coverage.gaps([]) == []
    assert coverage.slivers([]) == []
    assert coverage.succession_shares([], []) == []
    assert coverage.dissolve([], []) == {}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_dissolved_groups_keep_the_area_and_stay_clean(keys: list[int]):
    tiles = grid(4, 3)
    merged = coverage.dissolve(tiles, keys)
    assert set(merged) == set(keys)
    assert coverage.is_clean(list(merged.values()))
    assert sum(map(geodesic_m2, merged.values())) == pytest.approx(sum(map(geodesic_m2, tiles)), rel=1e-9)
