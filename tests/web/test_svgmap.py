"""The server-drawn map: a clean coverage of the demonstration province, small enough to send with a page."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy.orm import Session

from data.accounts import PUBLIC
from data.store import Store
from layers import catalogue, read
from webmap.public import svgmap


@pytest.fixture
def session(demo_gpkg: Path) -> Iterator[Session]:
    store = Store(f"gpkg:///{demo_gpkg}")
    with store.reading() as opened:
        yield opened
    store.dispose()


def polygons(path: str) -> shapely.Geometry:
    """Read SVG path data of absolute moves and relative lines back into a polygon."""
    rings = []
    for start, steps in re.findall(r"M([^l]+)l([^z]*)z", path):
        points = np.array([start.split(), *zip(*[iter(steps.split())] * 2, strict=True)], dtype=float)
        rings.append(np.cumsum(points, axis=0))
    return shapely.union_all([shapely.Polygon(ring) for ring in rings])


def test_the_drawn_communes_cover_the_province_without_gap_or_overlap(session: Session) -> None:
    drawing = svgmap.province_map(session)
    assert drawing is not None
    assert len(drawing.communes) == 101
    drawn = [polygons(unit.path) for unit in drawing.communes]
    assert all(shape.is_valid and shape.area > 1 for shape in drawn)
    outline = polygons(drawing.outline)
    assert sum(shape.area for shape in drawn) == pytest.approx(outline.area, rel=1e-3)
    assert shapely.union_all(drawn).symmetric_difference(outline).area < outline.area * 1e-3
    assert len(gzip.compress("".join(unit.path for unit in drawing.communes).encode())) < 25_000


def test_a_place_is_marked_where_it_lies(session: Session) -> None:
    layer = catalogue.layer("products")
    product = next(read.rows(session, read.Query(layer, PUBLIC, fields=("commune_name",), limit=1)).records())
    record = read.one(session, layer, product["id"], PUBLIC)
    assert record is not None
    drawing, marked = svgmap.province_map(session), svgmap.locator(session, record["geometry"])
    assert drawing is not None
    assert marked is not None
    assert marked.pin is not None
    home = next(unit for unit in drawing.communes if unit.name == product["commune_name"])
    assert polygons(home.path).distance(shapely.Point(marked.pin.x, marked.pin.y)) < 3


def test_a_large_shape_is_drawn_and_nothing_gives_nothing(session: Session) -> None:
    district = next(iter(read.rows(session, read.Query(catalogue.layer("districts"), PUBLIC, limit=1)).wkb))
    marked = svgmap.locator(session, shapely.from_wkb(district))
    assert marked is not None
    assert marked.shape
    assert marked.pin is None
    assert svgmap.locator(session, None) is None
