"""Generalised shapes against GEOS: coverages stay coverages, totals stay true, everything is valid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis import generalise

GEOD = Geod(ellps="WGS84")


def wavy_coverage(side=4, points=40):
    """A grid of cells whose common borders wave, each border shared vertex by vertex."""
    line = np.linspace(0, side, side * points + 1)
    wave = 0.04 * np.sin(line * 37)
    borders = [np.column_stack((line, row + wave * (0 < row < side))) for row in range(side + 1)]
    cells = []
    for row in range(side):
        for first in range(0, side * points, points):
            span = slice(first, first + points + 1)
            cells.append(shapely.Polygon([*borders[row][span], *borders[row + 1][span][::-1]]))
    assert shapely.coverage_is_valid(cells)
    return cells


def parcels(count=400, seed=3, size=0.0008):
    random = np.random.default_rng(seed)
    x, y = random.uniform(104.8, 105.6, count), random.uniform(8.7, 9.5, count)
    width, height = random.uniform(0.3, 1, (2, count)) * size
    return shapely.box(x, y, x + width, y + height), random.choice(["lúa", "tôm", "cua"], count)


def test_a_simplified_coverage_has_fewer_vertices_and_still_no_gap_or_overlap():
    cells = wavy_coverage()
    simple = generalise.simplify_coverage(cells, 0.15)
    assert shapely.get_num_coordinates(simple).sum() < shapely.get_num_coordinates(cells).sum() / 4
    assert shapely.coverage_is_valid(simple) and shapely.is_valid(simple).all()
    assert shapely.area(simple).sum() == pytest.approx(16.0)
    assert shapely.area(shapely.union_all(simple)) == pytest.approx(16.0)


def test_missing_and_empty_places_of_a_coverage_stay():
    cells = [*wavy_coverage(2), None, shapely.Polygon(), shapely.Point(1, 1)]
    simple = generalise.simplify_coverage(cells, 0.15)
    assert simple[-3] is None and simple[-2].is_empty and simple[-1].equals(shapely.Point(1, 1))
    assert shapely.coverage_is_valid(simple[:-3])
    assert list(generalise.simplify_coverage([None], 1.0)) == [None]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.02, 1), min_size=3, max_size=40),
    st.floats(-5, 5),
    st.sampled_from([0.01, 0.1, 0.5]),
)
def test_snapped_polygons_are_valid_and_lie_on_the_grid(radii, middle, cell):
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    ring = np.column_stack((middle + radii * np.cos(angle), 3 + radii * np.sin(angle)))
    source = shapely.Polygon(ring)
    (snapped,) = generalise.snap_cells([source], cell)
    if snapped is None:
        assert source.area <= source.length * cell
        return
    assert shapely.is_valid(snapped) and snapped.geom_type == "MultiPolygon"
    steps = shapely.get_coordinates(snapped) / cell
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    assert snapped.area == pytest.approx(source.area, abs=source.length * cell)


def test_what_vanishes_on_the_grid_is_none():
    shapes = [
        shapely.box(0.1, 0.1, 0.2, 0.2),
        shapely.box(0, 0, 3, 3),
        None,
        shapely.Point(1, 1),
        shapely.Polygon(),
    ]
    snapped = generalise.snap_cells(shapes, 1.0)
    assert [shape is None for shape in snapped] == [True, False, True, True, True]
    assert snapped[1].equals(shapely.box(0, 0, 3, 3))
    assert len(generalise.snap_cells([], 1.0)) == 0


@pytest.mark.parametrize("size", [0.0008, 0.01, 0.08])
@pytest.mark.parametrize("cell_m", [5_000, 40_000, 300_000])
def test_totals_are_those_of_the_polygons_at_every_cell_size(size, cell_m):
    shapes, keys = parcels(size=size)
    groups = generalise.coalesce(shapes, keys, cell_m)
    reference = np.array([abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e4 for shape in shapes])
    for key in np.unique(keys):
        assert groups.counts[groups.keys == key].sum() == (keys == key).sum()
        assert groups.area_ha[groups.keys == key].sum() == pytest.approx(
            reference[keys == key].sum(), rel=1e-6
        )
    assert shapely.is_valid(groups.geometries).all() and not shapely.is_empty(groups.geometries).any()
    assert {shape.geom_type for shape in groups.geometries} == {"MultiPolygon"}
    assert len(groups.geometries) == len(groups.keys) == len(groups.counts) == len(groups.area_ha)


def test_groups_become_fewer_as_cells_grow():
    shapes, keys = parcels()
    counts = [len(generalise.coalesce(shapes, keys, cell).keys) for cell in (2_000, 20_000, 2_000_000)]
    assert counts[0] > counts[1] > counts[2] == 3


def test_many_small_polygons_are_drawn_with_about_their_own_area_near_their_own_place():
    shapes, keys = parcels(3000, size=0.003)
    groups = generalise.coalesce(shapes, keys, 20_000, detail=32)
    drawn = sum(abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in groups.geometries) / 1e4
    true = groups.area_ha.sum()
    assert true * 0.7 < drawn < true * 1.6
    assert shapely.union_all(groups.geometries).within(shapely.box(104.8, 8.7, 105.6, 9.5).buffer(0.02))


def test_large_polygons_keep_their_outline_to_the_grid_and_their_holes():
    lake = shapely.Polygon(
        shapely.box(105, 9, 105.3, 9.3).exterior, [shapely.box(105.1, 9.1, 105.2, 9.2).exterior]
    )
    groups = generalise.coalesce([lake], ["tôm"], 20_000, detail=20)
    step = 1000 / 111_320
    assert shapely.hausdorff_distance(groups.geometries[0], lake) < step
    assert len(groups.geometries[0].geoms[0].interiors) == 1


def test_neighbours_of_one_key_grow_together_and_of_two_keys_do_not():
    shapes = [shapely.box(105 + k * 0.1, 9, 105.1 + k * 0.1, 9.1) for k in range(3)]
    one = generalise.coalesce(shapes, ["a", "a", "a"], 1_000_000, detail=500)
    assert len(one.geometries) == 1 and len(one.geometries[0].geoms) == 1
    two = generalise.coalesce(shapes, ["a", "b", "a"], 1_000_000, detail=500)
    assert two.keys.tolist() == ["a", "b"] and two.counts.tolist() == [2, 1]


def test_a_thin_strip_is_drawn_though_its_outline_collapses():
    strip = shapely.box(105, 9, 105.3, 9.000001)
    groups = generalise.coalesce([strip], [1], 20_000)
    assert groups.counts.tolist() == [1] and not groups.geometries[0].is_empty


def test_missing_empty_and_other_geometries_are_left_out():
    shapes = [None, shapely.Polygon(), shapely.Point(105, 9), shapely.box(105, 9, 105.1, 9.1)]
    groups = generalise.coalesce(shapes, [1, 2, 3, 4], 10_000)
    assert groups.keys.tolist() == [4]
    nothing = generalise.coalesce(shapes[:3], [1, 2, 3], 10_000)
    assert len(nothing.geometries) == len(nothing.keys) == 0
