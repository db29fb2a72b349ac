"""Faults of polygons: found with figures that geopandas overlays in VN-2000 confirm, and mended exactly."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis import mending, narrowgaps, quality, vertices
from gis.errors import Refusal
from gis.quality import Kind

EAST, NORTH = 555_000.0, 995_000.0
VN2000 = 9207


def at(*points: tuple[float, float]) -> shapely.Polygon:
    """A polygon with corners so many metres east and north of a place in the province."""
    shape = shapely.Polygon([(EAST + x, NORTH + y) for x, y in points])
    return geopandas.GeoSeries([shape], crs=VN2000).to_crs(4326).iloc[0]


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return at((west, south), (east, south), (east, north), (west, north))


def plane(shapes: list[Any]) -> geopandas.GeoDataFrame:
    """The shapes in VN-2000 metres, by pyproj's own datum shift."""
    return geopandas.GeoDataFrame(geometry=shapes, crs=4326).to_crs(VN2000)


def overlay_m2(one: Any, other: Any) -> float:
    # TM-3 has a scale of 0.9999 at its meridian, so areas of the plane are up to 0.03 % off: far within 1 %.
    return float(geopandas.overlay(plane([one]), plane([other]), how="intersection").area.sum())


def ragged(seed: int, count: int = 6) -> list[Any]:
    """Fields of a grid with corners that were drawn twice, a metre or so apart."""
    dice = np.random.default_rng(seed)
    fields = []
    for i in range(count):
        for j in range(count):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            fields.append(at(*[(60 * x + dice.normal(0, 1), 60 * y + dice.normal(0, 1)) for x, y in corners]))
    return fields


@pytest.mark.parametrize("seed", range(4))
def test_areas_of_overlaps_and_gaps_match_geopandas_in_vn2000_within_one_percent(seed: int) -> None:
    fields = ragged(seed)
    found = quality.pair_faults(fields, 0.01)
    frame = plane(fields)
    frame["n"] = range(len(frame))
    both = geopandas.overlay(frame, frame, how="intersection", keep_geom_type=True)
    both = both[both.n_1 < both.n_2]
    expected = {(a, b): s for a, b, s in zip(both.n_1, both.n_2, both.area, strict=True) if s > 0.02}
    measured = {f.members: f.area_m2 for f in found}
    assert expected and all(
        measured[pair] == pytest.approx(area, rel=0.01) for pair, area in expected.items()
    )
    assert sum(measured.values()) == pytest.approx(sum(expected.values()), rel=0.01)
    union = frame.union_all()
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(union) for ring in part.interiors]
    gaps = narrowgaps.closed_gaps(fields, 0.01)
    assert len(gaps) == len([h for h in holes if h.area >= 0.01])
    assert sum(f.area_m2 for f in gaps) == pytest.approx(sum(h.area for h in holes), rel=0.01)


def test_the_reason_place_and_repair_of_an_invalid_polygon_are_told() -> None:
    bowtie = at((0, 0), (100, 100), (100, 0), (0, 100))
    (fault,) = quality.shape_faults([box(0, 0, 10, 10), bowtie])
    assert fault.kind == Kind.INVALID and fault.members == (1,)
    assert "tự cắt" in fault.facts["reason"]
    crossing = plane([shapely.Point(fault.lon, fault.lat)]).geometry[0]
    assert crossing.distance(shapely.Point(EAST + 50, NORTH + 50)) < 0.01
    assert fault.facts["after_ha"] * 10_000 == pytest.approx(2 * 100 * 50 / 2, rel=0.01)


def test_missing_and_empty_shapes_are_told_and_disturb_nothing() -> None:
    shapes = [None, shapely.Polygon(), box(0, 0, 100, 100), box(90, 0, 190, 100)]
    assert [f.members for f in quality.shape_faults(shapes)] == [(0,), (1,)]
    assert [f.members for f in quality.pair_faults(shapes)] == [(2, 3)]
    for find in (narrowgaps.narrow_gaps, narrowgaps.closed_gaps, quality.part_faults, vertices.vertex_faults):
        assert find(shapes) == []
    assert quality.pair_faults([]) == [] and narrowgaps.narrow_gaps([]) == []


def test_duplicates_are_told_apart_from_overlaps() -> None:
    first, turned = box(0, 0, 100, 100), shapely.reverse(box(0, 0, 100, 100))
    near, half = box(1, 0, 101, 100), box(50, 0, 150, 100)
    kinds = {f.members: f.kind for f in quality.pair_faults([first, turned, near, half])}
    assert kinds[0, 1] == Kind.DUPLICATE
    assert kinds[0, 2] == kinds[1, 2] == Kind.NEAR_DUPLICATE
    assert kinds[0, 3] == kinds[2, 3] == Kind.OVERLAP


def test_a_spike_and_a_repeated_vertex_are_found_and_removed() -> None:
    spiky = at((0, 0), (100, 0), (100, 50), (140, 50.05), (100, 50.1), (100, 100), (100, 100), (0, 100))
    found = {f.kind: f for f in vertices.vertex_faults([spiky])}
    assert found[Kind.SPIKE].facts["length_m"] == pytest.approx(40, rel=0.01)
    assert found[Kind.REPEATED].facts["count"] == 1
    mended = vertices.without_spikes(spiky)
    assert vertices.vertex_faults([mended]) == []
    assert overlay_m2(mended, box(0, 0, 100, 100)) == pytest.approx(10_000, rel=1e-3)


def test_a_sharp_but_wide_corner_is_no_spike() -> None:
    assert vertices.vertex_faults([at((0, 0), (200, 5), (200, 30))]) == []


def test_a_strip_between_fields_is_a_narrow_gap_and_a_road_is_none() -> None:
    left, right, beyond = box(0, 0, 100, 100), box(100.6, 0, 200, 100), box(206, 0, 300, 100)
    (gap,) = narrowgaps.narrow_gaps([left, right, beyond], 1.0)
    assert gap.members == (0, 1)
    assert gap.area_m2 == pytest.approx(60, rel=0.01) and gap.width_m == pytest.approx(0.6, rel=0.02)


def test_a_strip_that_another_field_covers_is_no_gap() -> None:
    assert narrowgaps.narrow_gaps([box(0, 0, 100, 100), box(100.6, 0, 200, 100), box(90, -1, 110, 101)]) == []


def test_a_gap_is_filled_flush_with_the_neighbours() -> None:
    left, right = box(0, 0, 100, 100), box(100.6, 0, 200, 100)
    (gap,) = narrowgaps.narrow_gaps([left, right], 1.0)
    assert mending.best_neighbour(gap.geometry, [left, right]) in (0, 1)
    grown = mending.filled(left, gap.geometry, [right])
    assert overlay_m2(grown, box(-5, -5, 300, 105)) == pytest.approx(10_060, rel=1e-4)
    assert quality.pair_faults([grown, right], 0.001) == []
    assert narrowgaps.narrow_gaps([grown, right], 1.0, 0.01) == []


def test_what_lies_outside_of_the_home_is_measured_and_cut() -> None:
    home, field = box(0, 0, 100, 100), box(80, 20, 130, 60)
    (fault,) = quality.home_faults([field, box(1, 1, 5, 5), field], [home, home, None])
    assert fault.members == (0,) and fault.facts["share"] == pytest.approx(0.6, rel=1e-3)
    assert fault.area_m2 == pytest.approx(
        float(plane([field]).difference(plane([home])).area.sum()), rel=0.01
    )
    assert quality.home_faults([mending.cut_to(field, home)], [home]) == []
    with pytest.raises(Refusal):
        mending.cut_to(box(500, 500, 600, 600), home)


def test_a_sliver_part_is_found_and_dropped() -> None:
    field = shapely.MultiPolygon([box(0, 0, 100, 100), box(200, 0, 200.3, 80)])
    (fault,) = quality.part_faults([field], 1.0)
    assert fault.width_m == pytest.approx(0.3, rel=0.02) and not fault.facts["whole"]
    assert shapely.get_num_geometries(mending.without_part(field, fault.geometry)) == 1


def test_a_declared_area_far_from_the_drawn_one_is_told() -> None:
    hectare = box(0, 0, 100, 100)
    faults = quality.declared_faults([hectare] * 4, [1.02, 1.5, None, 10_000.0])
    assert [f.members for f in faults] == [(3,), (1,)]
    assert faults[1].area_m2 == pytest.approx(5_000, rel=0.01)


@settings(max_examples=40, deadline=None)
@given(
    shift=st.tuples(st.floats(-120, 120), st.floats(-120, 120)),
    size=st.tuples(st.floats(20, 150), st.floats(20, 150)),
)
def test_trimming_leaves_no_overlap_and_loses_just_the_common_ground(
    shift: tuple[float, float], size: tuple[float, float]
) -> None:
    fixed = box(0, 0, 100, 100)
    other = box(shift[0], shift[1], shift[0] + size[0], shift[1] + size[1])
    before = quality.pair_faults([fixed, other], 0.0001)
    common = before[0].area_m2 if before else 0.0
    whole = float(quality.area_ha([other])[0]) * 10_000
    if whole - common < 1:
        return
    after = mending.trimmed(other, fixed)
    assert quality.pair_faults([fixed, after], 0.0001) == []
    assert float(quality.area_ha([after])[0]) * 10_000 == pytest.approx(whole - common, rel=1e-6, abs=0.02)
