"""GDAL's own programs open, list and edit the record's file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from layers import catalogue
from tests.conftest import lacking


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        lacking(f"{name} (Debian: gdal-bin)")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr and "Warning" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_ogrinfo_lists_each_layer_with_type_count_extent_and_columns(demo_gpkg: Path, layer) -> None:
    text = run(program("ogrinfo"), "-ro", "-so", str(demo_gpkg), layer.id)
    kind = {"MULTIPOLYGON": "Multi Polygon", "POINT": "Point"}[layer.geometry]
    assert f"Geometry: {kind}" in text
    counted = int(re.search(r"Feature Count: (\d+)", text)[1])
    listed = run(
        program("ogrinfo"), "-ro", "-q", "-sql", f"SELECT count(*) AS n FROM {layer.id}", str(demo_gpkg)
    )
    assert counted == int(re.search(r"= (\d+)", listed)[1]) > 0
    west, south, east, north = map(
        float, re.search(r"Extent: \((.+), (.+)\) - \((.+), (.+)\)", text).groups()
    )
    assert 104 < west < east < 106 and 8 < south < north < 10
    assert "FID Column = id" in text and "Geometry Column = geom" in text
    columns = {c.name for c in layer.model.__table__.c} - {"id", "geom"}
    assert columns == set(
        re.findall(r"^(\w+): (?:String|Integer|Integer64|Real|Date|DateTime|Integer\(Boolean\))", text, re.M)
    )


def test_accounts_and_bookkeeping_are_not_in_the_list(demo_gpkg: Path) -> None:
    text = run(program("ogrinfo"), "-ro", str(demo_gpkg))
    assert "accounts" not in text and "api_keys" not in text and "audit" not in text


def test_the_index_finds_what_a_scan_finds(demo_gpkg: Path) -> None:
    ogrinfo = program("ogrinfo")
    box = ("-spat", "104.9", "8.9", "105.1", "9.1")
    with_index = run(ogrinfo, "-ro", "-so", *box, str(demo_gpkg), "growing_areas")
    where = (
        "SELECT count(*) AS n FROM growing_areas WHERE ST_MaxX(geom) >= 104.9 AND ST_MinX(geom) <= 105.1 "
        "AND ST_MaxY(geom) >= 8.9 AND ST_MinY(geom) <= 9.1"
    )
    scanned = int(re.search(r"= (\d+)", run(ogrinfo, "-ro", "-q", "-sql", where, str(demo_gpkg)))[1])
    found = int(re.search(r"Feature Count: (\d+)", with_index)[1])
    assert 0 < found <= scanned


def test_ogr2ogr_appends_updates_and_deletes_with_a_trace(demo_gpkg: Path, tmp_path: Path) -> None:
    copy = tmp_path / "province.gpkg"
    shutil.copy(demo_gpkg, copy)
    source = tmp_path / "one.geojson"
    source.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Từ ogr2ogr","crop":"rice"},'
        '"geometry":{"type":"MultiPolygon","coordinates":[[[[105,9],[105.01,9],[105.01,9.01],[105,9]]]]}}]}',
        encoding="utf-8",
    )
    counting = ("-ro", "-q", "-sql", "SELECT count(*) AS n FROM audit_rows", str(copy))
    before = int(re.search(r"= (\d+)", run(program("ogrinfo"), *counting))[1])
    run(program("ogr2ogr"), "-append", "-nln", "growing_areas", str(copy), str(source))
    run(program("ogrinfo"), "-q", "-sql", "UPDATE growing_areas SET variety = 'x' WHERE id = 1", str(copy))
    text = run(
        program("ogrinfo"), "-ro", "-q", "-sql",
        "SELECT source, action FROM audit_rows ORDER BY id DESC LIMIT 2", str(copy),
    )  # fmt: skip
    assert text.count("outside") == 2 and "insert" in text and "update" in text
    assert int(re.search(r"= (\d+)", run(program("ogrinfo"), *counting))[1]) == before + 2
    tree = (
        "SELECT (SELECT count(*) FROM rtree_growing_areas_geom) - (SELECT count(*) FROM growing_areas) AS n"
    )
    assert "= 0" in run(program("ogrinfo"), "-ro", "-q", "-sql", tree, str(copy))
