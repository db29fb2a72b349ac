"""The demonstration province: its facts are typed right, its map is a coverage, its fields lie in it."""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Geod

from data.demo import territory
from data.demo.landscape import STYLES, growing_area_shapes, point_in, village_shape
from gis import coverage
from gis.geometry import area_ha

DEMO = Path(territory.__file__).parent


@pytest.fixture(scope="module")
def province() -> territory.Territory:
    return territory.build_territory()


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_the_province_has_101_communes_in_9_districts_of_the_right_kinds(province):
    # Administrative units of Cà Mau in February 2020: 1 city, 8 districts; 10 wards, 9 townlets, 82 communes.
    assert len(province.communes) == 101 and len(province.districts) == 9
    assert Counter(unit.type for unit in province.communes) == {"xã": 82, "phường": 10, "thị trấn": 9}
    assert Counter(unit.type for unit in province.districts) == {"huyện": 8, "thành phố": 1}
    assert len({unit.code for unit in province.communes}) == 101
    assert {unit.parent for unit in province.communes} == {unit.code for unit in province.districts}
    assert {unit.parent for unit in province.districts} == {province.province.code} == {"96"}


def test_every_name_begins_with_its_type_and_is_in_nfc(province):
    for unit in (province.province, *province.districts, *province.communes):
        assert unit.name.lower().startswith(unit.type)
        assert unicodedata.is_normalized("NFC", unit.name)


def test_the_typed_tables_agree_with_each_other():
    with (DEMO / "communes.csv").open(encoding="utf-8", newline="") as stream:
        communes = list(csv.DictReader(stream))
    with (DEMO / "districts.csv").open(encoding="utf-8", newline="") as stream:
        districts = {row["code"]: row["name"] for row in csv.DictReader(stream)}
    assert {row["district_code"]: row["district_name"] for row in communes} == districts


def test_communes_are_a_clean_coverage_that_meets_vertex_for_vertex(province):
    shapes = [unit.geometry for unit in province.communes]
    assert shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)
    assert coverage.overlaps(shapes, 0) == [] and coverage.gaps(shapes, 0) == []


def test_districts_and_province_are_exactly_the_union_of_the_communes(province):
    merged = coverage.dissolve([u.geometry for u in province.communes], [u.parent for u in province.communes])
    for district in province.districts:
        assert shapely.equals(district.geometry, merged[district.code])
        assert set(map(tuple, shapely.get_coordinates(district.geometry))) == set(
            map(tuple, shapely.get_coordinates(merged[district.code]))
        )
    assert shapely.coverage_is_valid([unit.geometry for unit in province.districts])
    whole = shapely.union_all([unit.geometry for unit in province.communes])
    assert shapely.equals(province.province.geometry, whole)


def test_every_unit_contains_its_point_and_is_a_multipolygon_wound_as_rfc_7946_asks(province):
    for unit in (province.province, *province.districts, *province.communes):
        assert unit.geometry.geom_type == "MultiPolygon"
        assert unit.geometry.contains(unit.point)
        assert all(part.exterior.is_ccw for part in unit.geometry.geoms)


def test_only_the_island_makes_a_second_part(province):
    assert len(province.province.geometry.geoms) == 2
    assert sum(len(unit.geometry.geoms) for unit in province.communes) == 102


def test_coordinates_lie_on_a_grid_of_a_millionth_of_a_degree(province):
    xy = shapely.get_coordinates([unit.geometry for unit in province.communes])
    assert (np.round(xy, 6) == xy).all()


def test_borders_are_drawn_as_finely_as_a_survey_of_that_scale(province):
    borders = shapely.boundary([unit.geometry for unit in province.communes])
    geod = Geod(ellps="WGS84")
    steps = [
        geod.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])[2]
        for line in shapely.get_parts(borders)
        for xy in [shapely.get_coordinates(line)]
    ]
    assert 300 <= np.concatenate(steps).mean() <= 800


def test_the_whole_is_about_as_large_as_the_province(province):
    # 5,221 km² is the published figure; a coarse outline may miss it by a twentieth.
    assert area_ha([province.province.geometry])[0] / 100 == pytest.approx(5221, rel=0.05)


def test_the_same_seed_draws_the_same_bytes_and_another_seed_does_not(province):
    def digest(drawn: territory.Territory) -> str:
        shapes = [unit.geometry for unit in (drawn.province, *drawn.districts, *drawn.communes)]
        return hashlib.sha256(b"".join(shapely.to_wkb(shapes))).hexdigest()

    assert digest(territory.build_territory()) == digest(province)
    assert digest(territory.build_territory(seed=7)) != digest(province)


@pytest.mark.parametrize("seed", [1, 2, 3, 20, 2024])
def test_any_seed_gives_a_clean_coverage(seed):
    drawn = territory.build_territory(seed)
    assert shapely.coverage_is_valid([unit.geometry for unit in drawn.communes])
    assert all(unit.geometry.contains(unit.point) for unit in drawn.communes)
    assert coverage.gaps([unit.geometry for unit in drawn.communes], 0) == []


@pytest.mark.parametrize("style", sorted(STYLES))
def test_growing_areas_lie_in_their_commune_and_apart_from_one_another(province, style):
    commune = max(province.communes, key=lambda unit: unit.geometry.area)
    areas = growing_area_shapes(commune.geometry, 20, generator(3), style)
    assert len(areas) == 20
    assert shapely.is_valid(areas).all()
    assert all(area.geom_type == "MultiPolygon" for area in areas)
    assert all(commune.geometry.contains(area) for area in areas)
    assert coverage.overlaps(areas, 0) == []
    assert all(4 <= len(shapely.get_coordinates(area)) - len(area.geoms) <= 30 for area in areas)
    hectares = area_ha(areas)
    assert (hectares >= STYLES[style].minimum_ha * 0.95).all()
    assert (hectares <= STYLES[style].maximum_ha * 1.05).all()


def test_every_commune_has_room_for_twenty_areas_beside_its_village(province):
    rng = generator(11)
    for unit in province.communes:
        village = village_shape(unit.geometry, unit.point, rng)
        areas = growing_area_shapes(unit.geometry, 20, rng, "intensive_shrimp", avoid=[village])
        assert len(areas) == 20
        assert coverage.overlaps([village, *areas], 0) == []
        assert all(unit.geometry.contains(area) for area in areas)


def test_a_commune_that_is_full_gives_fewer_areas(province):
    commune = min(province.communes, key=lambda unit: unit.geometry.area).geometry
    assert growing_area_shapes(commune, 5, generator(1), "rice", avoid=[commune]) == []


def test_villages_are_settlements_of_5_to_60_hectares_inside_their_commune(province):
    rng = generator(5)
    villages = [village_shape(unit.geometry, unit.point, rng) for unit in province.communes]
    assert shapely.is_valid(villages).all()
    assert all(v.geom_type == "MultiPolygon" for v in villages)
    assert all(u.geometry.contains(v) for u, v in zip(province.communes, villages, strict=True))
    hectares = area_ha(villages)
    assert hectares.min() >= 5 and hectares.max() <= 60


def test_a_village_wanted_outside_or_on_the_border_lies_just_inside(province):
    commune = province.communes[50].geometry
    corner = shapely.Point(commune.geoms[0].exterior.coords[0])
    for near in (corner, shapely.Point(104.0, 8.0)):
        village = village_shape(commune, near, generator(2))
        assert commune.contains(village) and not village.is_empty


def test_random_points_are_inside_even_a_crescent():
    moon = shapely.Point(105, 9).buffer(0.1).difference(shapely.Point(105.01, 9).buffer(0.1))
    rng = generator(4)
    assert all(moon.contains(point_in(moon, rng)) for _ in range(200))


def test_the_same_generator_draws_the_same_landscape(province):
    commune = province.communes[40]
    first, second = (
        [
            *growing_area_shapes(commune.geometry, 12, generator(9), "shrimp_mangrove"),
            village_shape(commune.geometry, commune.point, generator(9)),
        ]
        for _ in range(2)
    )
    assert [shape.wkb for shape in first] == [shape.wkb for shape in second]
