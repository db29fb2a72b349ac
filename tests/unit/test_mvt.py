"""The tile encoder against the independent decoder mapbox-vector-tile, GEOS, and hand-computed bytes."""

from __future__ import annotations

import datetime
import enum
from decimal import Decimal

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from mapbox_vector_tile.Mapbox import vector_tile_pb2
from pyproj import Transformer

from gis import tilegrid
from gis.mvt import encode_geometries, encode_layer, varint

TILE = (12, 3243, 1944)
MERCATOR = Transformer.from_crs(4326, 3857, always_xy=True)
DEGREES = Transformer.from_crs(3857, 4326, always_xy=True)


def at(px, py, tile=TILE, extent=4096):
    """Degrees of tile units (y down), by PROJ."""
    west, _, east, north = tilegrid.tile_bounds(*tile)
    scale = (east - west) / extent
    lon, lat = DEGREES.transform(west + np.asarray(px) * scale, north - np.asarray(py) * scale)
    return np.column_stack((np.atleast_1d(lon), np.atleast_1d(lat)))


def from_units(geometry, tile=TILE, extent=4096):
    """A geometry in tile units (y down) as degrees."""
    return shapely.transform(geometry, lambda xy: at(xy[:, 0], xy[:, 1], tile, extent))


def to_units(geometry, tile=TILE, extent=4096):
    west, south, east, north = tilegrid.tile_bounds(*tile)

    def move(xy):
        x, y = MERCATOR.transform(xy[:, 0], xy[:, 1])
        return np.column_stack(((x - west) / (east - west), (north - y) / (north - south))) * extent

    return shapely.transform(geometry, move)


def encode(shapes, tile=TILE, columns=None, ids=None, **options):
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    ids = np.arange(1, len(shapes) + 1) if ids is None else ids
    return encode_layer("lớp", ids, shapely.to_wkb(array), columns or {}, tile, **options)


def decode(data):
    """Features by id: geometry in tile units with y down, and properties."""
    if not data:
        return {}
    layer = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})["lớp"]
    return {f["id"]: (shapely.geometry.shape(f["geometry"]), f["properties"]) for f in layer["features"]}


def raw(data):
    message = vector_tile_pb2.tile()
    message.ParseFromString(data)
    return message


# --------------------------------------------------------------------------------------------- golden bytes


def test_a_point_has_exactly_the_bytes_of_the_specification():
    data = encode([shapely.Point(at(25, 17)[0])])
    feature = raw(data).layers[0].features[0]
    # MVT 2.1 §4.3.5.1, example point (25 17).
    assert list(feature.geometry) == [9, 50, 34]
    assert (feature.id, feature.type) == (1, 1)
    name = "lớp".encode()
    expected_feature = bytes([0x12, 0x0B, 0x08, 0x01, 0x12, 0x00, 0x18, 0x01, 0x22, 0x03, 9, 50, 34])
    body = b"\x78\x02\x0a" + bytes([len(name)]) + name + expected_feature + b"\x28\x80\x20"
    assert data == b"\x1a" + bytes([len(body)]) + body


@pytest.mark.parametrize(
    ("wkt", "commands"),
    [
        # MVT 2.1 §4.3.5, the six examples.
        ("POINT (25 17)", [9, 50, 34]),
        ("MULTIPOINT ((5 7), (3 2))", [17, 10, 14, 3, 9]),
        ("LINESTRING (2 2, 2 10, 10 10)", [9, 4, 4, 18, 0, 16, 16, 0]),
        (
            "MULTILINESTRING ((2 2, 2 10, 10 10), (1 1, 3 5))",
            [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8],
        ),
        ("POLYGON ((3 6, 8 12, 20 34, 3 6))", [9, 6, 12, 18, 10, 12, 24, 44, 15]),
        (
            "MULTIPOLYGON (((0 0, 10 0, 10 10, 0 10, 0 0)), ((11 11, 20 11, 20 20, 11 20, 11 11),"
            " (13 13, 13 17, 17 17, 17 13, 13 13)))",
            [
                *(9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15),
                *(9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15),
                *(9, 4, 13, 26, 0, 8, 8, 0, 0, 7, 15),
            ],
        ),
    ],
)
def test_the_examples_of_the_specification_are_reproduced(wkt, commands):
    feature = raw(encode([from_units(shapely.from_wkt(wkt))])).layers[0].features[0]
    assert list(feature.geometry) == commands


@pytest.mark.parametrize(
    "value", [0, 1, 127, 128, 16383, 16384, 2**21 - 1, 2**28, 2**35, 2**49 + 3, 2**63 - 1]
)
def test_varints_agree_with_the_protobuf_library_at_every_length(value):
    message = vector_tile_pb2.tile.feature()
    message.id = value
    reference = message.SerializeToString()[1:]
    assert varint.encode_one(value) == reference
    assert varint.encode(np.array([value], np.int64)).tobytes() == reference
    assert varint.lengths(np.array([value], np.int64)).tolist() == [len(reference)]


@given(st.lists(st.integers(0, 2**63 - 1), max_size=60))
def test_many_varints_are_the_single_ones_in_a_row(values):
    expected = b"".join(map(varint.encode_one, values))
    assert varint.encode(np.array(values, np.int64)).tobytes() == expected


@given(st.integers(-(2**31), 2**31 - 1))
def test_zigzag_is_that_of_protobuf(value):
    assert varint.zigzag(np.array([value], np.int64))[0] == (2 * value if value >= 0 else -2 * value - 1)


# ------------------------------------------------------------------------------------------------ attributes


class Kind(enum.Enum):
    SHRIMP = "tôm"


def test_attributes_keep_type_and_text():
    columns = {
        "tên": ["Vùng nuôi Đất Mũi", None, "Ấp Rạch Tàu – ổ 3"],
        "đạt": [True, False, None],
        "số": [-5, 2**40, 0],
        "âm": np.array([-(2**63), 2**63 - 1, -1]),
        "ha": [1.25, -0.5, 1e300],
        "ngày": [datetime.date(2025, 7, 1), datetime.datetime(2025, 7, 1, 8, 30), None],
        "giờ": np.array(["2025-07-01", "NaT", "2024-02-29"], dtype="datetime64[D]"),
        "giá": [Decimal("12.5"), None, Decimal("3")],
        "loại": [Kind.SHRIMP, Kind.SHRIMP, None],
        "mã": [["a", "b"], {"k": 1}, None],
    }
    points = [shapely.Point(at(n, n)[0]) for n in (10, 20, 30)]
    found = [properties for _, properties in decode(encode(points, columns=columns)).values()]
    assert found == [
        {
            "tên": "Vùng nuôi Đất Mũi",
            "đạt": True,
            "số": -5,
            "âm": -(2**63),
            "ha": 1.25,
            "ngày": "2025-07-01",
            "giờ": "2025-07-01",
            "giá": 12.5,
            "loại": "tôm",
            "mã": '["a","b"]',
        },
        {
            "đạt": False,
            "số": 2**40,
            "âm": 2**63 - 1,
            "ha": -0.5,
            "ngày": "2025-07-01T08:30:00",
            "loại": "tôm",
            "mã": '{"k":1}',
        },
        {"tên": "Ấp Rạch Tàu – ổ 3", "số": 0, "âm": -1, "ha": 1e300, "giờ": "2024-02-29", "giá": 3.0},
    ]
    assert found[0]["đạt"] is True and isinstance(found[2]["giá"], float)


def test_equal_values_of_different_type_stay_different():
    points = [shapely.Point(at(n, n)[0]) for n in range(10, 16)]
    values = [True, 1, 1.0, "1", False, 0]
    found = [p["v"] for _, p in decode(encode(points, columns={"v": values})).values()]
    assert [(type(v), v) for v in found] == [(type(v), v) for v in values]


def test_nan_is_no_attribute_in_lists_and_arrays():
    nan = float("nan")
    points = [shapely.Point(at(n, n)[0]) for n in (10, 20, 30)]
    columns = {
        "t": [np.datetime64("NaT"), Decimal("NaN"), np.float32("nan")],
        "a": [nan, 2.0, nan],
        "b": np.array([1.0, nan, 3.0]),
        "c": np.array([nan, 1, None], dtype=object),
    }
    found = [p for _, p in decode(encode(points, columns=columns)).values()]
    assert found == [{"b": 1.0}, {"a": 2.0, "c": 1}, {"b": 3.0}]


def test_numpy_scalars_and_strings_are_plain_values():
    columns = {
        "i": [np.int64(-3), np.uint8(7)],
        "f": [np.float32(0.5), np.float64(0.25)],
        "b": [np.bool_(True), np.bool_(False)],
        "s": np.array(["mắm", "muối"]),
        "u": [2**64 - 1, 2**70],
    }
    points = [shapely.Point(at(n, n)[0]) for n in (10, 20)]
    found = [p for _, p in decode(encode(points, columns=columns)).values()]
    assert found == [
        {"i": -3, "f": 0.5, "b": True, "s": "mắm", "u": 2**64 - 1},
        {"i": 7, "f": 0.25, "b": False, "s": "muối", "u": str(2**70)},
    ]


def test_values_repeat_only_once_and_long_texts_are_whole():
    long = "đ" * 5000
    points = [shapely.Point(at(n, n)[0]) for n in range(50)]
    data = encode(points, columns={"a": ["lúa", long] * 25, "b": list(range(25)) * 2})
    layer = raw(data).layers[0]
    assert len(layer.values) == 2 + 25 and list(layer.keys) == ["a", "b"]
    assert decode(data)[2][1]["a"] == long


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_values_come_back_unchanged(rows):
    points = [shapely.Point(at(n, n)[0]) for n in range(len(rows))]
    columns = {"text": [a for a, _ in rows], "value": [b for _, b in rows]}
    found = decode(encode(points, columns=columns))
    for number, (text, value) in enumerate(rows, 1):
        properties = found[number][1]
        assert properties.get("text") == text
        assert properties.get("value") == value and type(properties.get("value")) is type(value)


# -------------------------------------------------------------------------------------------------- geometry


def test_missing_empty_and_collection_geometries_are_skipped_and_kinds_may_mix():
    shapes = [
        None,
        shapely.Point(at(5, 5)[0]),
        shapely.Polygon(),
        from_units(shapely.LineString([(0, 0), (50, 70)])),
        shapely.GeometryCollection([shapely.Point(105, 9)]),
        from_units(shapely.box(10, 10, 20, 20)),
        from_units(shapely.MultiPoint([(1, 1), (9, 9)])),
    ]
    data = encode(shapes, columns={"n": list("abcdefg")})
    found = decode(data)
    assert {key: (shape.geom_type, p["n"]) for key, (shape, p) in found.items()} == {
        2: ("Point", "b"),
        4: ("LineString", "d"),
        6: ("Polygon", "f"),
        7: ("MultiPoint", "g"),
    }
    assert len(raw(data).layers) == 1


def test_nothing_in_the_tile_gives_no_bytes():
    assert encode([]) == b""
    assert encode([None, shapely.Polygon()]) == b""
    assert encode([shapely.Point(0, 0), shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])]) == b""


def test_layers_one_after_the_other_make_a_tile():
    point = shapely.to_wkb(np.array([shapely.Point(at(5, 5)[0])], dtype=object))
    data = encode_layer("a", [1], point, {}, TILE) + encode_layer("b", [2], point, {"k": [1]}, TILE)
    assert set(mapbox_vector_tile.decode(data)) == {"a", "b"}


def test_version_extent_and_large_ids_are_written():
    data = encode([shapely.Point(at(100, 50, extent=512)[0])], ids=[2**53 + 1], extent=512)
    layer = raw(data).layers[0]
    assert (layer.version, layer.extent, layer.features[0].id) == (2, 512, 2**53 + 1)
    assert list(layer.features[0].geometry) == [9, 200, 100]


def test_wrong_input_is_told_at_once():
    point = [shapely.Point(at(5, 5)[0])]
    with pytest.raises(ValueError, match="negative"):
        encode(point, ids=[-1])
    with pytest.raises(ValueError, match="length"):
        encode(point, columns={"a": [1, 2]})
    with pytest.raises(shapely.errors.GEOSException):
        encode_layer("x", [1], np.array([b"not wkb"], dtype=object), {}, TILE)


@pytest.mark.parametrize(
    ("unit", "seen"),
    [(-64, True), (-65, False), (0, True), (4095, True), (4096, True), (4160, True), (4161, False)],
)
def test_points_belong_to_the_buffered_tile_up_to_its_edge(unit, seen):
    for shape in (shapely.Point(at(unit, 9)[0]), shapely.Point(at(9, unit)[0])):
        assert bool(encode([shape])) is seen


def test_a_point_on_the_common_edge_is_drawn_in_both_tiles():
    z, x, y = TILE
    place = shapely.Point(at(4096, 100)[0])
    left, right = decode(encode([place])), decode(encode([place], tile=(z, x + 1, y)))
    assert left[1][0].equals(shapely.Point(4096, 100)) and right[1][0].equals(shapely.Point(0, 100))


def test_features_keep_their_order_also_when_some_cross_the_edge():
    shapes = [from_units(shapely.box(x, 10, x + 30, 40)) for x in (100, -80, 200, 4140, 300, 2000)]
    features = raw(encode(shapes)).layers[0].features
    assert [feature.id for feature in features] == [1, 2, 3, 4, 5, 6]


def test_a_polygon_over_the_whole_tile_becomes_the_buffered_tile():
    found = decode(encode([shapely.box(104, 8, 107, 11)]))
    assert found[1][0].equals(shapely.box(-64, -64, 4160, 4160))


def test_a_hole_over_the_whole_tile_leaves_nothing():
    frame = shapely.Polygon(shapely.box(100, 5, 110, 15).exterior, [shapely.box(104, 8, 107, 11).exterior])
    assert encode([frame]) == b""


def test_a_line_that_leaves_and_returns_is_cut_in_two():
    line = from_units(shapely.LineString([(10, 10), (-500, 10), (-500, 50), (10, 50)]))
    shape = decode(encode([line]))[1][0]
    assert shape.equals(shapely.MultiLineString([[(10, 10), (-64, 10)], [(-64, 50), (10, 50)]]))


def test_vertices_in_one_grid_cell_collapse_and_straight_ones_go():
    line = shapely.LineString([(0, 0), (0.1, 0.2), (5, 0), (10, 0.3), (10, 10), (10, 5), (10.2, 5.2)])
    feature = raw(encode([from_units(line)])).layers[0].features[0]
    assert list(feature.geometry) == [9, 0, 0, 26, 20, 0, 0, 20, 0, 9]
    kept = raw(encode([from_units(line)], simplify=False)).layers[0].features[0]
    assert list(kept.geometry) == [9, 0, 0, 34, 10, 0, 10, 0, 0, 20, 0, 9]
    ring = from_units(shapely.Polygon([(0, 0), (5, 0), (10, 0), (10, 10), (0, 10), (0, 4)]))
    assert list(raw(encode([ring])).layers[0].features[0].geometry)[3] == 3 << 3 | 2
    assert list(raw(encode([ring], simplify=False)).layers[0].features[0].geometry)[3] == 5 << 3 | 2


def test_what_collapses_on_the_grid_disappears():
    speck = from_units(shapely.box(10.1, 10.1, 10.3, 10.3))
    needle = from_units(shapely.Polygon([(0, 0), (50, 0.1), (100, 0), (50, -0.1)]))
    dash = from_units(shapely.LineString([(10.1, 10.1), (10.2, 10.3)]))
    with_speck = from_units(
        shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(20.1, 20.1, 20.2, 20.2)])
    )
    assert set(decode(encode([speck, needle, dash, with_speck]))) == {4}
    assert decode(encode([with_speck]))[1][0].equals(shapely.box(0, 0, 9, 9))


def test_a_hole_goes_with_the_shell_that_collapsed_around_it():
    thin = shapely.Polygon(
        [(0, 0), (100, 0), (100, 0.4), (0, 0.4)], [[(1, 0.1), (99, 0.1), (99, 0.3), (1, 0.3)]]
    )
    solid = shapely.Polygon(shapely.box(0, 10, 50, 60).exterior, [shapely.box(20, 20, 30, 30).exterior])
    found = decode(encode([from_units(shapely.MultiPolygon([thin, solid]))]))
    assert found[1][0].equals(solid)


@pytest.mark.parametrize("reverse", [False, True])
def test_rings_wind_as_the_specification_says(reverse):
    polygon = shapely.Polygon(shapely.box(0, 0, 50, 50).exterior, [shapely.box(10, 10, 20, 20).exterior])
    source = from_units(polygon.reverse() if reverse else polygon)
    geometry = list(raw(encode([source])).layers[0].features[0].geometry)
    areas = []
    x = y = position = 0
    while position < len(geometry):
        assert geometry[position] == 9
        count = geometry[position + 3] >> 3
        ring = []
        for k in [position + 1, *range(position + 4, position + 4 + 2 * count, 2)]:
            x += (geometry[k] >> 1) ^ -(geometry[k] & 1)
            y += (geometry[k + 1] >> 1) ^ -(geometry[k + 1] & 1)
            ring.append((x, y))
        position += 5 + 2 * count
        areas.append(
            sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2
        )
    assert areas == [2500, -100]


# --------------------------------------------------------------------------------- validity after snapping


def test_a_needle_that_snapping_folds_over_is_rebuilt_valid():
    # Two long edges half a unit apart cross once their ends snap to different rows.
    crossing = shapely.Polygon([(0, 0), (40, 1.4), (80, 0.4), (80, 1.6), (40, 1.45), (0, 30)])
    assert shapely.is_valid(crossing)
    shape = decode(encode([from_units(crossing)]))[1][0]
    assert shapely.is_valid(shape)
    assert shape.area == pytest.approx(crossing.area, abs=60)


def test_parts_that_come_to_touch_along_an_edge_are_united():
    parts = shapely.MultiPolygon([shapely.box(0, 0, 10.2, 10), shapely.box(10.4, 0, 20, 10)])
    shape = decode(encode([from_units(parts)]))[1][0]
    assert shapely.is_valid(shape) and shape.equals(shapely.box(0, 0, 20, 10))


def test_a_hole_that_comes_to_lie_on_the_shell_stays_valid():
    polygon = shapely.Polygon(shapely.box(0, 0, 30, 30).exterior, [shapely.box(0.3, 5, 10, 20).exterior])
    shape = decode(encode([from_units(polygon)]))[1][0]
    assert shapely.is_valid(shape) and shape.area == 900 - 150


def test_an_invalid_source_polygon_is_drawn_valid():
    bow_tie = from_units(shapely.Polygon([(0, 0), (40, 40), (40, 0), (0, 40)]))
    shape = decode(encode([bow_tie]))[1][0]
    assert shapely.is_valid(shape) and shape.area == 800


def blob(numbers, lon, lat, size):
    """A polygon with many narrow arms and bays, from radii and angles that may fold but never cross."""
    angle = np.linspace(0, 2 * np.pi, len(numbers), endpoint=False)
    radius = size * (0.02 + np.array(numbers))
    return np.column_stack((lon + radius * np.cos(angle), lat + radius * np.sin(angle)))


# Whole hundredths: GEOS's exact intersection, the oracle, goes astray on values such as 1e-38.
HUNDREDTHS = st.integers(-30_000, 440_000).map(lambda value: value / 100)
SIZES = st.sampled_from([0.5, 2.0, 8.0, 40.0, 300.0, 3000.0])
RADII = st.lists(st.floats(0, 1), min_size=3, max_size=60)


@st.composite
def polygons(draw):
    size = draw(SIZES)
    x, y = draw(st.floats(-200, 4300)), draw(st.floats(-200, 4300))
    shell = shapely.Polygon(blob(draw(RADII), x, y, size))
    holes = [
        blob(draw(RADII), x + draw(st.floats(-1, 1)) * size, y + draw(st.floats(-1, 1)) * size, size * 0.4)
        for _ in range(draw(st.integers(0, 3)))
    ]
    cut = shell.difference(shapely.union_all([shapely.make_valid(shapely.Polygon(h)) for h in holes]))
    parts = [part for part in shapely.get_parts(shapely.make_valid(cut)) if part.geom_type == "Polygon"]
    return parts[0] if parts else shapely.box(x, y, x + size, y + size)


@st.composite
def multipolygons(draw):
    union = shapely.union_all(draw(st.lists(polygons(), min_size=1, max_size=5)))
    parts = [part for part in shapely.get_parts(union) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


@settings(max_examples=250, deadline=None)
@given(st.lists(polygons() | multipolygons(), min_size=1, max_size=6), st.booleans())
def test_every_decoded_polygon_is_valid_and_has_the_area_of_its_clipped_source(shapes, simplify):
    found = decode(encode([from_units(shape) for shape in shapes], simplify=simplify))
    window = shapely.box(-64, -64, 4160, 4160)
    for number, source in enumerate(shapes, 1):
        clipped = source.intersection(window)
        # Rounding moves every vertex by at most half a diagonal, so the outline sweeps at most this area.
        tolerance = 0.75 * clipped.length + 2
        if number not in found:
            assert clipped.area <= tolerance
            continue
        shape = found[number][0]
        assert shape.geom_type in ("Polygon", "MultiPolygon")
        assert shapely.is_valid(shape), shapely.is_valid_reason(shape)
        # The window is a box, so what has all its corners in it lies in it; GEOS errs where a hole touches the edge.
        assert shapely.box(*shape.bounds).within(window)
        assert shape.area == pytest.approx(clipped.area, abs=tolerance)
        assert shape.difference(clipped.buffer(2.5)).is_empty


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([6, 9, 11, 14]))
def test_a_layer_of_parcels_is_valid_at_every_zoom(seed, zoom):
    random = np.random.default_rng(seed)
    tile = next(tilegrid.tiles_covering((105.1, 9.1, 105.1, 9.1), zoom))
    west, south, east, north = tilegrid.tile_box(*tile)
    count, size = 40, (east - west) * random.choice([0.0005, 0.003, 0.05])
    shapes = [
        shapely.Polygon(blob(random.random(random.integers(4, 30)), lon, lat, size))
        for lon, lat in zip(
            random.uniform(west, east, count), random.uniform(south, north, count), strict=True
        )
    ]
    for shape, _ in decode(encode(shapes, tile=tile)).values():
        assert shapely.is_valid(shape)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(HUNDREDTHS, HUNDREDTHS), min_size=2, max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_lines_follow_their_clipped_source(lines):
    source = shapely.MultiLineString(lines)
    found = decode(encode([from_units(source)]))
    clipped = source.intersection(shapely.box(-64, -64, 4160, 4160))
    if 1 not in found:
        assert clipped.length < 20
        return
    shape = found[1][0]
    assert shape.within(clipped.buffer(1.6))
    assert clipped.within(shape.buffer(1.6)) or clipped.difference(shape.buffer(1.6)).length < 20


def test_geometries_and_wkb_give_the_same_tile():
    shapes = np.array([from_units(shapely.box(10, 10, 60, 60)), None], dtype=object)
    direct = encode_geometries("lớp", [1, 2], shapes, {"a": ["x", "y"]}, TILE)
    assert direct == encode(list(shapes), columns={"a": ["x", "y"]})


def test_three_dimensional_wkb_is_drawn_flat():
    flat, raised = from_units(shapely.box(10, 10, 60, 60)), None
    raised = shapely.force_3d(flat, 12.0)
    assert encode([raised]) == encode([flat])


def test_the_poles_and_the_date_line_do_not_break_the_whole_world_tile():
    shapes = [
        shapely.box(-180, -90, 180, 90),
        shapely.Point(0, 90),
        shapely.LineString([(-180, 0), (180, 0)]),
    ]
    found = decode(encode(shapes, tile=(0, 0, 0)))
    assert found[1][0].equals(shapely.box(0, -64, 4096, 4160))
    assert found[3][0].equals(shapely.LineString([(0, 2048), (4096, 2048)]))
