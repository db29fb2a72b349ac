"""Rings read from WKB in bulk are those that GEOS reads, and run as GEOS says that they do."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis import geojson
from gis.rings import counter_clockwise, single_rings

SHELL = [(105.0, 9.0), (105.1, 9.0), (105.1, 9.1), (105.0, 9.0)]
HOLE = [(105.02, 9.01), (105.08, 9.01), (105.08, 9.05), (105.02, 9.01)]


def as_wkb(*shapes: shapely.Geometry | None) -> np.ndarray:
    found = np.empty(len(shapes), dtype=object)
    found[:] = [None if shape is None else shapely.to_wkb(shape, byte_order=1) for shape in shapes]
    return found


def test_the_points_are_those_that_geos_reads() -> None:
    first = shapely.MultiPolygon([shapely.Polygon(SHELL)])
    second = shapely.MultiPolygon([shapely.box(104, 8, 104.5, 8.5)])
    xy, ends = single_rings(as_wkb(first, second)) or pytest.fail("both are of one ring")
    assert ends.tolist() == [4, 9]
    assert np.array_equal(xy, shapely.get_coordinates([first, second]))


@pytest.mark.parametrize(
    "shape",
    [
        None,
        shapely.Point(105, 9),
        shapely.Polygon(SHELL),
        shapely.MultiPolygon(),
        shapely.MultiPolygon([shapely.Polygon(SHELL, [HOLE])]),
        shapely.MultiPolygon([shapely.Polygon(SHELL), shapely.box(104, 8, 104.5, 8.5)]),
        shapely.from_wkt("MULTIPOLYGON Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)))"),
    ],
    ids=["absent", "point", "polygon", "empty", "with a hole", "two parts", "with heights"],
)
def test_anything_else_among_them_is_left_to_geos(shape: shapely.Geometry | None) -> None:
    plain = shapely.MultiPolygon([shapely.Polygon(SHELL)])
    assert single_rings(as_wkb(plain, shape)) is None


def test_big_endian_and_no_rows_at_all_are_left_to_geos() -> None:
    plain = shapely.MultiPolygon([shapely.Polygon(SHELL)])
    big = np.empty(1, dtype=object)
    big[0] = shapely.to_wkb(plain, byte_order=0)
    assert single_rings(big) is None
    assert single_rings(np.empty(0, dtype=object)) is None


def test_rings_run_as_geos_turns_them() -> None:
    chance = np.random.default_rng(1)
    shapes = []
    for _ in range(200):
        x, y, size = chance.uniform(102, 110), chance.uniform(8, 24), chance.uniform(1e-7, 0.1)
        ring = shapely.Point(x, y).buffer(size, quad_segs=int(chance.integers(1, 5)))
        shapes.append(shapely.MultiPolygon([ring if chance.random() < 0.5 else ring.reverse()]))
    xy, ends = single_rings(as_wkb(*shapes)) or pytest.fail("all are of one ring")
    turned = [shapely.LinearRing(part) for part in np.split(counter_clockwise(xy, ends), ends[:-1])]
    assert shapely.is_ccw(turned).all()
    assert shapely.equals(shapely.polygons(turned), np.array(shapes, dtype=object)).all()


def test_a_page_of_plain_areas_reads_back_as_it_was() -> None:
    areas = [shapely.MultiPolygon([shapely.box(x, 9, x + 0.01, 9.01, ccw=x > 105)]) for x in (104.5, 105.5)]
    texts = geojson.feature_texts([1, 2], as_wkb(*areas), ["name"], [["Ấp Một", "Ấp Hai"]])
    read = shapely.from_geojson(texts)
    assert [shapely.GeometryCollection([a]).equals(b) for a, b in zip(areas, read, strict=True)] == [
        True,
        True,
    ]
    rings = [shapely.LinearRing(shapely.get_coordinates(shape)) for shape in read]
    assert shapely.is_ccw(rings).all()
