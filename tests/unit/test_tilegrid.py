"""The tile grid against the published WebMercatorQuad matrix set and well-known tiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from gis import tilegrid

CA_MAU = (104.72, 8.56, 105.84, 9.62)

# OGC 17-083r4 Annex D, WebMercatorQuad: cell sizes of 256-pixel tiles.
PUBLISHED_CELL_SIZES = {0: 156543.033928041, 1: 78271.5169640204, 12: 38.2185141425881, 18: 0.597164283477939}

# openstreetmap.org wiki, "Slippy map tilenames": 18/131072/131071 touches the origin; classic examples.
KNOWN_TILES = [
    ((2.2945, 48.8584), 15, (16592, 11272)),  # Eiffel tower
    ((13.377704, 52.516275), 14, (8800, 5373)),  # Brandenburg gate
    ((105.15, 9.18), 10, (811, 485)),
]


@pytest.mark.parametrize(("z", "size"), PUBLISHED_CELL_SIZES.items())
def test_cell_sizes_are_those_of_the_standard(z, size):
    assert tilegrid.resolution(z, 256) == pytest.approx(size, rel=1e-12)
    assert tilegrid.resolution(z) == pytest.approx(size / 16, rel=1e-12)


@pytest.mark.parametrize(("place", "z", "column_row"), KNOWN_TILES)
def test_a_known_place_falls_into_its_known_tile(place, z, column_row):
    lon, lat = place
    tiles = list(tilegrid.tiles_covering((lon, lat, lon, lat), z))
    assert tiles == [(z, *column_row)]


def test_the_whole_world_is_tile_zero():
    edge = 20037508.342789244
    assert tilegrid.tile_bounds(0, 0, 0) == pytest.approx((-edge, -edge, edge, edge))
    assert list(tilegrid.tiles_covering((-180, -90, 180, 90), 0)) == [(0, 0, 0)]
    assert len(list(tilegrid.tiles_covering((-180, -90, 180, 90), 3))) == 64


@given(st.integers(0, 22), st.floats(0, 0.999999), st.floats(0, 0.999999))
def test_a_tile_covers_itself_and_nothing_else(z, fx, fy):
    x, y = int(fx * 2**z), int(fy * 2**z)
    assert list(tilegrid.tiles_covering(tilegrid.tile_box(z, x, y), z)) == [(z, x, y)]


@given(st.integers(3, 20), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_the_box_in_degrees_is_the_box_in_metres(z, fx, fy):
    x, y = int(fx * 2**z), int(fy * 2**z)
    west, south, east, north = tilegrid.tile_box(z, x, y, 64, 4096)
    back = Transformer.from_crs(4326, 3857, always_xy=True).transform([west, east], [south, north])
    bounds = tilegrid.tile_bounds(z, x, y)
    margin = (bounds[2] - bounds[0]) / 64
    expected = (bounds[0] - margin, bounds[1] - margin, bounds[2] + margin, bounds[3] + margin)
    assert (back[0][0], back[1][0], back[0][1], back[1][1]) == pytest.approx(expected, abs=1e-4)


def test_limits_are_zoom_existence_and_extent():
    assert tilegrid.in_limits(10, 811, 485, CA_MAU, 5, 14)
    assert not tilegrid.in_limits(10, 811, 485, CA_MAU, 11, 14)
    assert not tilegrid.in_limits(10, 811, 485, CA_MAU, 5, 9)
    assert not tilegrid.in_limits(10, 810, 470, CA_MAU, 5, 14)
    assert not tilegrid.in_limits(5, 32, 0, (-180, -85, 180, 85), 0, 14)
    assert not tilegrid.in_limits(5, -1, 0, (-180, -85, 180, 85), 0, 14)
    assert tilegrid.in_limits(0, 0, 0, CA_MAU, 0, 14)


def test_every_tile_that_touches_the_province_is_within_limits_and_no_other():
    covering = set(tilegrid.tiles_covering(CA_MAU, 8))
    inside = {(8, x, y) for x in range(256) for y in range(256) if tilegrid.in_limits(8, x, y, CA_MAU, 0, 14)}
    assert covering == inside and len(covering) > 1


# OGC 17-083r4 Annex D, WorldCRS84Quad: cell sizes in degrees, and tiles across and down.
CRS84_LEVELS = {0: (0.703125, 2, 1), 1: (0.3515625, 4, 2), 17: (5.36441802978516e-06, 262144, 131072)}


@pytest.mark.parametrize(("z", "published"), CRS84_LEVELS.items())
def test_the_grid_in_degrees_is_that_of_the_standard(z, published):
    cell, across, down = published
    grid = tilegrid.WORLD_CRS84_QUAD
    assert grid.resolution(z) == pytest.approx(cell, rel=1e-12)
    assert grid.exists(z, across - 1, down - 1)
    assert not grid.exists(z, across, 0) and not grid.exists(z, 0, down)


def test_the_first_tiles_in_degrees_are_the_two_hemispheres():
    grid = tilegrid.WORLD_CRS84_QUAD
    assert grid.tile_bounds(0, 0, 0) == (-180.0, -90.0, 0.0, 90.0)
    assert grid.tile_box(0, 1, 0) == (0.0, -90.0, 180.0, 90.0)
    assert grid.tile_range((-180, -90, 180, 90), 0) == (0, 0, 1, 0)


@given(
    lon=st.floats(-179.9, 179.9),
    lat=st.floats(-85, 85),
    z=st.integers(0, 20),
    name=st.sampled_from(list(tilegrid.GRIDS)),
)
def test_a_place_lies_in_the_tile_that_its_grid_names(lon, lat, z, name):
    grid = tilegrid.GRIDS[name]
    x, y, last_x, last_y = grid.tile_range((lon, lat, lon, lat), z)
    west, south, east, north = grid.tile_box(z, x, y)
    slack = (east - west) * 1e-5
    assert (x, y) == (last_x, last_y)
    assert west - slack <= lon <= east + slack
    assert south - slack <= lat <= north + slack


def test_both_grids_draw_at_the_scale_of_a_web_map():
    """A level in degrees is as fine, at the equator, as the next zoom of a web map."""
    degrees = tilegrid.WORLD_CRS84_QUAD
    for level in (0, 5, 14):
        metres = degrees.resolution(level) * degrees.metres_per_unit
        assert metres == pytest.approx(tilegrid.resolution(level + degrees.zoom_offset, 256), rel=1e-12)
