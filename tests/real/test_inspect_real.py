"""Files of the real province, carried to VN-2000 and back without saying so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import fiona
import numpy as np
import pytest
import shapely

from gis.crs import transform
from gis.inspect import inspect

DATA = Path(os.environ.get("OCOP_REAL_DATA", Path(__file__).parents[3] / "shared/data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not here")


def outlines(name: str) -> list[shapely.Geometry]:
    document = json.loads((DATA / name).read_text("utf-8"))
    return [shapely.geometry.shape(feature["geometry"]) for feature in document["features"]]


def carried(folder: Path, shapes: list[shapely.Geometry], crs: str, claims: str | None) -> Path:
    schema = {"geometry": "MultiPolygon", "properties": {"so": "int"}}
    path = folder / "a.shp"
    with fiona.open(path, "w", driver="ESRI Shapefile", crs=claims, schema=schema) as sink:
        for number, shape in enumerate(transform(np.array(shapes, dtype=object), "OGC:CRS84", crs)):
            parts = shapely.multipolygons(shapely.get_parts(shape))
            sink.write({"geometry": shapely.geometry.mapping(parts), "properties": {"so": number}})
    return path


@pytest.mark.parametrize(
    "name", ["communes_legacy.geojson", "communes_2025.geojson", "districts_legacy.geojson"]
)
def test_a_province_that_claims_wgs84_and_is_vn2000_is_told(tmp_path, name):
    known = outlines("communes_legacy.geojson")
    box = tuple(float(edge) for edge in shapely.total_bounds(known))
    [report] = inspect(
        carried(tmp_path, outlines(name), "EPSG:4756", "EPSG:4326"), territory=box, known=known
    ).layers
    shift = report.crs.datum_shift
    assert shift is not None and shift.is_vn2000 and shift.distance_m == pytest.approx(225, abs=3)
    assert report.crs.best is not None and report.crs.best.crs == "EPSG:4756"


@pytest.mark.parametrize("crs", ["EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648"])
def test_a_province_without_a_system_is_placed_on_the_known_communes(tmp_path, crs):
    known = outlines("communes_legacy.geojson")
    box = tuple(float(edge) for edge in shapely.total_bounds(known))
    path = carried(tmp_path, outlines("districts_legacy.geojson"), crs, None)
    [report] = inspect(path, territory=box, known=known).layers
    assert report.crs.best is not None and report.crs.best.crs == crs and report.crs.best.matched


def test_the_files_themselves_raise_no_alarm():
    known = outlines("communes_legacy.geojson")
    box = (104.5, 8.3, 105.9, 9.7)
    for name in ("communes_2025.geojson", "communes_legacy.geojson", "districts_legacy.geojson"):
        [report] = inspect(DATA / name, territory=box, known=known).layers
        assert report.crs.best is not None and report.crs.best.certain and not report.crs.warnings
        assert report.encoding.certain and report.encoding.chosen == "utf-8"


def test_the_table_of_commune_points_is_placed_by_its_columns():
    [report] = inspect(DATA / "commune_points_legacy.csv", territory=(104.5, 8.3, 105.5, 9.6)).layers
    assert report.columns is not None and (report.columns.x, report.columns.y) == ("lon", "lat")
    assert (report.count, report.without_place) == (101, 0)
