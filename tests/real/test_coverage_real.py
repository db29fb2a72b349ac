"""The real boundary files: what their makers say about them must come out of our functions."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
import shapely

from gis import coverage

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("OCOP_REAL_DATA", ROOT.parent / "shared" / "data"))


def real_file(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} must be there in CI")
        pytest.skip(f"real data file {name} is not there")
    return path


def read(name: str) -> tuple[list[dict[str, Any]], list[shapely.Geometry]]:
    features = json.loads(real_file(name).read_text(encoding="utf-8"))["features"]
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    return [feature["properties"] for feature in features], shapes


def test_the_101_communes_are_a_clean_coverage():
    rows, shapes = read("communes_legacy.geojson")
    assert len(rows) == 101
    assert coverage.is_clean(shapes)
    assert coverage.overlaps(shapes) == []
    assert coverage.gaps(shapes) == []
    assert coverage.slivers(shapes) == []


def test_the_communes_dissolve_to_the_9_districts_vertex_for_vertex():
    rows, shapes = read("communes_legacy.geojson")
    merged = coverage.dissolve(shapes, [row["district_code"] for row in rows])
    districts, expected = read("districts_legacy.geojson")
    assert set(merged) == {district["code"] for district in districts} and len(merged) == 9
    for district, shape in zip(districts, expected, strict=True):
        found = merged[district["code"]]
        assert shapely.equals(found, shape)
        assert set(map(tuple, shapely.get_coordinates(found))) == set(
            map(tuple, shapely.get_coordinates(shape))
        )


def test_succession_shares_agree_with_the_measured_crosswalk():
    old_rows, old = read("communes_legacy.geojson")
    new_rows, new = read("communes_2025.geojson")
    found = {
        (old_rows[share.old]["code"], new_rows[share.new]["code"]): share
        for share in coverage.succession_shares(old, new)
    }
    with real_file("crosswalk_legacy_2025.csv").open(encoding="utf-8", newline="") as stream:
        expected = {(row["code"], row["code_2025"]): row for row in csv.DictReader(stream)}
    assert set(found) == set(expected)
    for pair, row in expected.items():
        assert found[pair].share_of_old == pytest.approx(float(row["share_of_legacy"]), abs=0.01)
        assert found[pair].share_of_new == pytest.approx(float(row["share_of_2025"]), abs=0.01)
        assert found[pair].area_km2 == pytest.approx(float(row["area_km2"]), rel=0.01, abs=0.02)


def test_every_published_commune_point_is_assigned_to_its_commune():
    rows, shapes = read("communes_legacy.geojson")
    with real_file("commune_points_legacy.csv").open(encoding="utf-8", newline="") as stream:
        places = list(csv.DictReader(stream))
    points = [shapely.Point(float(place["lon"]), float(place["lat"])) for place in places]
    found = coverage.assign(points, shapes)
    assert [rows[position]["code"] for position in found.index] == [place["code"] for place in places]
    assert (found.distance_m == 0).all()
