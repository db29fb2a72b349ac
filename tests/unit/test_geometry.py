"""Area and length against Karney's geodesics (pyproj.Geod), validity and repair against GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gis import geometry
from gis.errors import Refusal

GEOD = Geod(ellps="WGS84")
BOW_TIE = "POLYGON ((105 9, 105.1 9.1, 105.1 9, 105 9.1, 105 9))"


def karney_ha(shape) -> float:
    """Net area by the reference method: shells minus holes, whatever their direction."""
    total = 0.0
    for part in shapely.get_parts(shape):
        total += abs(GEOD.geometry_area_perimeter(shapely.Polygon(part.exterior))[0])
        total -= sum(abs(GEOD.geometry_area_perimeter(shapely.Polygon(hole))[0]) for hole in part.interiors)
    return total / 1e4


@settings(max_examples=100, deadline=None)
@given(
    st.floats(102, 110),
    st.floats(8, 24),
    st.lists(st.floats(0.2, 1.0), min_size=3, max_size=40),
    st.floats(1e-4, 0.5),
)
def test_area_agrees_with_karney_from_a_field_to_a_province(lon, lat, radii, size):
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    points = np.column_stack(
        (lon + size * np.array(radii) * np.cos(angle), lat + size * np.array(radii) * np.sin(angle))
    )
    polygon = shapely.Polygon(points)
    assert float(geometry.area_ha(polygon)) == pytest.approx(karney_ha(polygon), rel=1e-5)


def test_holes_are_subtracted_and_parts_are_added_whatever_their_direction():
    shell, hole = shapely.box(105, 9, 105.2, 9.2), shapely.box(105.05, 9.05, 105.1, 9.1)
    with_hole = shapely.Polygon(shell.exterior, [hole.exterior])
    multi = shapely.MultiPolygon([with_hole, shapely.box(105.3, 9, 105.4, 9.1).reverse()])
    expected = [karney_ha(with_hole), karney_ha(multi)]
    np.testing.assert_allclose(geometry.area_ha([with_hole, multi]), expected, rtol=1e-7)
    assert float(geometry.area_ha(with_hole)) < float(geometry.area_ha(shell))


def test_a_ring_across_the_date_line_is_not_taken_for_a_belt_around_the_world():
    polygon = shapely.Polygon([(179.9, 9), (-179.9, 9), (-179.9, 9.2), (179.9, 9.2)])
    assert float(geometry.area_ha(polygon)) == pytest.approx(karney_ha(polygon), rel=1e-6)


def test_what_has_no_area_has_area_zero_and_the_shape_is_kept():
    array = np.array(
        [[None, shapely.Point(105, 9)], [shapely.Polygon(), shapely.LineString([(105, 9), (106, 9)])]],
        dtype=object,
    )
    np.testing.assert_array_equal(geometry.area_ha(array), np.zeros((2, 2)))
    assert geometry.area_ha([]).shape == (0,)


def test_length_is_that_along_the_geodesics():
    line = shapely.LineString([(105, 9), (105.1, 9.05), (105.3, 9.2)])
    polygon = shapely.Polygon(
        shapely.box(105, 9, 105.2, 9.2).exterior, [shapely.box(105.05, 9.05, 105.1, 9.1).exterior]
    )
    multi = shapely.MultiLineString([line, [(104.7, 8.6), (104.8, 8.6)]])
    shapes = [line, polygon, multi, shapely.Point(1, 1), None]
    perimeter = sum(GEOD.geometry_length(ring) for ring in (polygon.exterior, *polygon.interiors))
    expected = [GEOD.geometry_length(line), perimeter, GEOD.geometry_length(multi), 0, 0]
    np.testing.assert_allclose(geometry.length_m(shapes), expected, rtol=1e-9)
    assert geometry.length_m([]).shape == (0,)


@pytest.mark.parametrize(
    ("wkt", "code"),
    [
        (BOW_TIE, "self_intersection"),
        ("POLYGON ((0 0, 4 0, 4 4, 2 0, 0 4, 0 0))", "ring_self_intersection"),
        ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 6, 5 5))", "hole_outside_shell"),
        (
            "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1), (2 2, 3 2, 3 3, 2 3, 2 2))",
            "nested_holes",
        ),
        ("MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0)), ((1 1, 2 1, 2 2, 1 2, 1 1)))", "nested_shells"),
        ("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (0 5, 5 0, 10 5, 5 10, 0 5))", "disconnected_interior"),
        ("POLYGON ((571235 1015233, 571335 1015233, 571335 1015333, 571235 1015233))", "not_degrees"),
        ("POINT (nan 9)", "invalid_coordinate"),
        ("POLYGON EMPTY", "empty"),
    ],
)
def test_each_trouble_has_a_code_and_a_sentence(wkt, code):
    problem = geometry.describe_problem(shapely.from_wkt(wkt))
    assert problem is not None and problem.code == code
    assert str(problem).endswith(".") and "%" not in str(problem)


def test_the_sentence_names_the_place_that_geos_found():
    problem = geometry.describe_problem(shapely.from_wkt(BOW_TIE))
    assert problem is not None
    assert (problem.lon, problem.lat) == pytest.approx((105.05, 9.05))
    assert str(problem) == "Đường biên tự cắt tại kinh độ 105.050000, vĩ độ 9.050000."


def test_nothing_is_wrong_with_a_valid_geometry():
    assert geometry.describe_problem(shapely.box(105, 9, 105.1, 9.1)) is None
    assert geometry.describe_problem(None).code == "empty"


def test_a_bow_tie_becomes_its_two_triangles():
    fixed = geometry.repair(shapely.from_wkt(BOW_TIE), "MULTIPOLYGON")
    assert fixed.changed and fixed.reason.code == "self_intersection"
    assert shapely.is_valid(fixed.geometry) and len(fixed.geometry.geoms) == 2
    assert fixed.area_after_ha == pytest.approx(karney_ha(fixed.geometry), rel=1e-6)
    assert fixed.area_before_ha == pytest.approx(0, abs=10)


def test_a_spike_and_repeated_vertices_disappear_and_the_area_stays():
    spiked = shapely.from_wkt("POLYGON ((105 9, 105.1 9, 105.1 9, 105.2 9, 105.1 9, 105.1 9.1, 105 9))")
    fixed = geometry.repair(spiked, "POLYGON")
    assert shapely.equals(fixed.geometry, shapely.from_wkt("POLYGON ((105 9, 105.1 9, 105.1 9.1, 105 9))"))
    assert fixed.area_after_ha == pytest.approx(fixed.area_before_ha, rel=1e-9)


def test_overlapping_parts_are_united_not_cut_out():
    overlapping = shapely.MultiPolygon([shapely.box(105, 9, 105.2, 9.2), shapely.box(105.1, 9.1, 105.3, 9.3)])
    fixed = geometry.repair(overlapping, "MULTIPOLYGON")
    assert shapely.equals(fixed.geometry, shapely.union_all(shapely.get_parts(overlapping)))


def test_a_good_polygon_is_promoted_flattened_and_turned_but_not_called_changed():
    source = shapely.from_wkt("POLYGON Z ((105 9 1, 105 9.1 2, 105.1 9.1 3, 105.1 9 4, 105 9 1))")
    fixed = geometry.repair(source, "MULTIPOLYGON")
    assert not fixed.changed and fixed.reason is None
    assert fixed.geometry.geom_type == "MultiPolygon" and not fixed.geometry.has_z
    assert shapely.is_ccw(fixed.geometry.geoms[0].exterior)


def test_polygons_in_a_collection_are_accepted_as_parts():
    collection = shapely.GeometryCollection(
        [shapely.box(105, 9, 105.1, 9.1), shapely.box(105.2, 9, 105.3, 9.1)]
    )
    assert len(geometry.repair(collection, "MULTIPOLYGON").geometry.geoms) == 2


def test_points_and_lines_are_repaired_by_their_own_kind():
    assert geometry.repair(shapely.MultiPoint([(105, 9)]), "POINT").geometry.equals(shapely.Point(105, 9))
    line = geometry.repair(shapely.LineString([(105, 9), (105, 9), (105.1, 9)]), "MULTILINESTRING")
    assert shapely.get_num_coordinates(line.geometry) == 2 and line.area_after_ha == 0


@pytest.mark.parametrize(
    ("wkt", "kind"),
    [
        ("POLYGON EMPTY", "MULTIPOLYGON"),
        ("POINT (105 9)", "MULTIPOLYGON"),
        ("POLYGON ((105 9, 105.1 9, 105 9))", "POLYGON"),
        ("POLYGON ((105 9, 105.1 9, 105.2 9, 105 9))", "MULTIPOLYGON"),
        ("MULTIPOINT ((105 9), (105.1 9))", "POINT"),
        ("POLYGON ((571235 1015233, 571335 1015233, 571335 1015333, 571235 1015233))", "MULTIPOLYGON"),
        ("GEOMETRYCOLLECTION (POINT (105 9), LINESTRING (105 9, 106 9))", "POINT"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(wkt, kind):
    with pytest.raises(Refusal) as caught:
        geometry.repair(shapely.from_wkt(wkt), kind)
    assert str(caught.value).endswith(".") and "%" not in str(caught.value)
    with pytest.raises(Refusal):
        geometry.repair(None, kind)


def test_orientation_is_that_of_rfc_7946_for_all_at_once():
    clockwise = shapely.Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    turned = geometry.orient([clockwise, shapely.MultiPolygon([clockwise]), None, shapely.Point(1, 1)])
    for polygon in (turned[0], turned[1].geoms[0]):
        assert shapely.is_ccw(polygon.exterior) and not shapely.is_ccw(polygon.interiors[0])
    assert turned[2] is None and turned[3].equals(shapely.Point(1, 1))


def test_promotion_makes_multi_kinds_and_leaves_the_others():
    shapes = [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1), None]
    shapes += [shapely.MultiPoint([(1, 1), (2, 2)]), shapely.Polygon()]
    promoted = geometry.promote_multi(np.array(shapes, dtype=object))
    assert [g.geom_type if g is not None else None for g in promoted] == [
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        None,
        "MultiPoint",
        "Polygon",
    ]
    for before, after in zip(shapes[:3], promoted[:3], strict=True):
        assert shapely.equals(before, after)
