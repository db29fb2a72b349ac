"""Reference systems against the published VN-2000 vectors and PROJ's own axis definitions."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from gis import crs

# Domain report §6.1: computed with GDAL 3.6.2 / PROJ 9.5.1, VN-2000 geographic to the three projections.
VN2000_VECTORS = [
    (
        104.5,
        9.0,
        {9207: (500000.000, 995150.752), 5897: (445025.845, 995188.277), 3405: (445042.339, 994889.690)},
    ),
    (
        104.75,
        8.7,
        {9207: (527509.099, 961982.979), 5897: (472490.901, 961982.979), 3405: (472499.155, 961694.355)},
    ),
    (
        105.15,
        9.18,
        {9207: (571431.319, 1015121.764), 5897: (516483.831, 1015060.563), 3405: (516478.885, 1014756.015)},
    ),
    (
        105.72,
        9.29,
        {9207: (634036.439, 1027452.613), 5897: (579099.755, 1027302.455), 3405: (579076.022, 1026994.234)},
    ),
]
WGS84_VECTOR = {9207: (571235.382, 1015233.261), 5897: (516288.061, 1015172.326)}
ROWS = [(lon, lat, code, *grid) for lon, lat, grids in VN2000_VECTORS for code, grid in grids.items()]


@pytest.mark.parametrize(("lon", "lat", "code", "easting", "northing"), ROWS)
def test_vn2000_projections_give_the_published_grid_coordinates(lon, lat, code, easting, northing):
    x, y = crs.transform_points([lon], [lat], 4756, code)
    assert (x[0], y[0]) == pytest.approx((easting, northing), abs=0.001)


@pytest.mark.parametrize(("code", "expected"), WGS84_VECTOR.items())
def test_wgs84_is_shifted_to_vn2000_with_epsg_6960(code, expected):
    easting, northing = crs.vn2000(105.15, 9.18, code)
    assert (float(easting), float(northing)) == pytest.approx(expected, abs=0.001)


def test_leaving_out_the_datum_shift_would_be_wrong_by_225_metres():
    shifted = crs.vn2000(105.15, 9.18)
    unshifted = crs.transform_points(105.15, 9.18, 4756, 9207)
    assert np.hypot(shifted[0] - unshifted[0], shifted[1] - unshifted[1]) == pytest.approx(225.4, abs=0.5)


def test_a_vn2000_file_returns_to_the_same_wgs84_place():
    lon, lat = crs.transform_points(*crs.vn2000(105.15, 9.18), 9207, "CRS84")
    assert (float(lon), float(lat)) == pytest.approx((105.15, 9.18), abs=1e-8)


def test_between_two_vn2000_projections_no_shift_is_applied():
    x, y = crs.transform_points([571431.319], [1015121.764], 9207, 5897)
    assert (x[0], y[0]) == pytest.approx((516483.831, 1015060.563), abs=0.002)


@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_a_prj_file_without_codes_is_known_as_vn2000_by_its_name(version):
    wkt = CRS.from_epsg(9207).to_wkt(version)
    assert crs.is_vn2000(wkt)
    x, y = crs.transform_points(105.15, 9.18, "CRS84", wkt)
    assert (float(x), float(y)) == pytest.approx(WGS84_VECTOR[9207], abs=0.001)


def test_a_wrong_datum_shift_inside_a_prj_file_is_replaced():
    wkt = CRS.from_epsg(9207).to_wkt("WKT1_GDAL")
    wrong = wkt.replace(
        'AUTHORITY["EPSG","6756"]', 'TOWGS84[191.9,39.3,111.45,0,0,0,0],AUTHORITY["EPSG","6756"]'
    )
    assert wrong != wkt
    x, y = crs.transform_points(105.15, 9.18, "CRS84", wrong)
    assert (float(x), float(y)) == pytest.approx(WGS84_VECTOR[9207], abs=0.001)


def test_web_mercator_in_closed_form_equals_proj():
    lon, lat = np.array([104.7, 105.9, -179.9, 0.0]), np.array([8.55, 9.6, -84.9, 0.0])
    expected = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    np.testing.assert_allclose(crs.to_mercator(lon, lat), expected, atol=1e-6)
    np.testing.assert_allclose(crs.transform_points(lon, lat, "CRS84", 3857), expected, atol=1e-6)


@given(st.floats(-180, 180), st.floats(-85, 85))
def test_web_mercator_there_and_back_is_the_same_point(lon, lat):
    back = crs.from_mercator(*crs.to_mercator(lon, lat))
    assert (float(back[0]), float(back[1])) == pytest.approx((lon, lat), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "latlon"),
    [
        (4326, True),
        (4756, True),
        ("urn:ogc:def:crs:EPSG::4326", True),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", True),
        ("CRS84", False),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", False),
        (3857, False),
        (3405, False),
        (5897, False),
        (9207, False),
        (32648, False),
    ],
)
def test_axis_order_is_taken_from_the_register(name, latlon):
    assert crs.is_latlon(name) is latlon


def test_epsg_4326_still_transforms_as_lon_lat():
    x, y = crs.transform_points(105.0, 9.0, 4326, "CRS84")
    assert (float(x), float(y)) == (105.0, 9.0)


def test_geometries_keep_shape_and_missing_values():
    array = np.array([shapely.Point(105.15, 9.18, 7.0), None, shapely.Polygon()], dtype=object)
    moved = crs.transform(array, 4326, 9207)
    assert (moved[0].x, moved[0].y) == pytest.approx(WGS84_VECTOR[9207], abs=0.001)
    assert not moved[0].has_z
    assert moved[1] is None and moved[2].is_empty
    assert len(crs.transform(np.array([], dtype=object), 4326, 9207)) == 0


def test_the_province_systems_match_the_register():
    for entry in crs.PROVINCE_CRS:
        system = CRS.from_user_input(entry.code)
        assert entry.title_vi and entry.title_en
        if entry.epsg in (3405, 5897, 9207, 32648):
            terms = {term.name: term.value for term in system.coordinate_operation.params}
            assert terms["Longitude of natural origin"] == entry.central_meridian
            assert terms["Scale factor at natural origin"] == entry.scale


def test_the_parameters_for_the_browser_reproduce_the_grid_coordinates():
    parameters = crs.vn2000_parameters()
    helmert, ellipsoid = parameters["helmert"], parameters["ellipsoid"]
    grid = next(entry for entry in parameters["vn2000"] if entry["code"] == 9207)
    shape = f"a={ellipsoid['a']} +rf={ellipsoid['rf']}"
    pipeline = (
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +{shape}"
        f" +step +inv +proj=helmert +x={helmert['dx']} +y={helmert['dy']} +z={helmert['dz']}"
        f" +rx={helmert['rx']} +ry={helmert['ry']} +rz={helmert['rz']} +s={helmert['ds']}"
        f" +convention={helmert['convention']} +step +inv +proj=cart +{shape}"
        f" +step +proj=tmerc +lon_0={grid['lon0']} +k={grid['k']} +x_0={grid['fe']} +y_0={grid['fn']}"
        f" +{shape}"
    )
    x, y, *_ = Transformer.from_pipeline(pipeline).transform(105.15, 9.18, 0.0)
    assert (x, y) == pytest.approx(WGS84_VECTOR[9207], abs=0.01)


def test_swapped_axes_are_noticed_in_degrees_and_in_the_grid():
    assert crs.looks_swapped((8.5, 104.7, 9.6, 105.9))
    assert not crs.looks_swapped((104.7, 8.5, 105.9, 9.6))
    assert crs.looks_swapped((961982.979, 527509.099, 1015233.261, 571235.382), 9207)
    assert not crs.looks_swapped((527509.099, 961982.979, 571235.382, 1015233.261), 9207)
    assert not crs.looks_swapped((-60.0, 30.0, -50.0, 40.0))


@pytest.mark.parametrize("name", ["EPSG:999999", "", "không có", 0])
def test_an_unknown_system_is_refused_in_one_sentence(name):
    with pytest.raises(crs.UnknownCrs, match="hệ tọa độ"):
        crs.resolve(name)


def test_coordinates_that_the_projection_cannot_express_are_refused():
    with pytest.raises(crs.OutsideCrs):
        crs.transform_points(571235.0, 1015233.0, 4326, 9207)


def test_the_ellipsoid_of_mercator_is_that_of_wgs84():
    assert Geod(ellps="WGS84").a == crs.EARTH_RADIUS
