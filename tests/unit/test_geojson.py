"""GeoJSON texts against the standard library's JSON parser, shapely's own writer and RFC 7946."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from gis.geojson import feature_collection, feature_texts, geometry_texts

KINDS = [
    "POINT (105.15 9.18)",
    "MULTIPOINT ((105 9), (105.5 9.5))",
    "LINESTRING (105 9, 105.1 9.1, 105.2 9)",
    "MULTILINESTRING ((105 9, 105.1 9.1), (105.3 9, 105.4 9.2, 105.5 9))",
    "POLYGON ((105 9, 105.2 9, 105.2 9.2, 105 9.2, 105 9),"
    " (105.05 9.05, 105.05 9.1, 105.1 9.1, 105.1 9.05, 105.05 9.05))",
    "MULTIPOLYGON (((105 9, 105.1 9, 105.1 9.1, 105 9)), ((106 9, 106.2 9, 106.2 9.2, 106 9.2, 106 9),"
    " (106.05 9.05, 106.05 9.1, 106.1 9.1, 106.05 9.05)))",
    "GEOMETRYCOLLECTION (POINT (105 9), POLYGON ((105 9, 105.1 9, 105.1 9.1, 105 9)))",
]


def texts(shapes, **options):
    return feature_texts(
        range(len(shapes)), shapely.to_wkb(np.array(shapes, dtype=object)), [], [], **options
    )


def geometries_of(features):
    return [json.loads(text)["geometry"] for text in features]


@pytest.mark.parametrize("wkt", KINDS)
def test_every_kind_is_written_as_shapely_writes_it(wkt):
    source = shapely.from_wkt(wkt)
    (found,) = geometries_of(texts([source]))
    assert found == json.loads(shapely.to_geojson(shapely.orient_polygons(source)))


def test_all_kinds_in_one_page_keep_their_places():
    shapes = [shapely.from_wkt(wkt) for wkt in KINDS] + [None, shapely.Polygon()]
    found = geometries_of(texts(shapes[::-1]))[::-1]
    for source, written in zip(shapes[:-2], found[:-2], strict=True):
        assert written == json.loads(shapely.to_geojson(shapely.orient_polygons(source)))
    assert found[-2:] == [None, None]


@pytest.mark.parametrize("wkt", [KINDS[4], KINDS[5]])
@pytest.mark.parametrize("reverse", [False, True])
def test_shells_run_counter_clockwise_and_holes_clockwise(wkt, reverse):
    source = shapely.from_wkt(wkt)
    (found,) = geometries_of(texts([source.reverse() if reverse else source]))
    for polygon in shapely.get_parts(shape(found)):
        assert shapely.is_ccw(polygon.exterior)
        assert not any(shapely.is_ccw(hole) for hole in polygon.interiors)


def test_coordinates_are_two_dimensional_with_at_most_seven_decimals():
    point = shapely.Point(105.123456789, 9.000000049, 12.0)
    assert b'"coordinates":[105.1234568,9.0]' in texts([point])[0]
    assert b'"coordinates":[105.12,9.0]' in texts([point], precision=2)[0]


def test_properties_keep_names_types_and_accents():
    names = ["tên", "đạt", "số", "ha", "ngày", "lúc", "giá", "mã", "trống", "nan", "np"]
    stamp = datetime.datetime(2025, 7, 1, 8, 30, tzinfo=datetime.UTC)
    code = uuid.UUID(int=7)
    columns = [
        ["Vùng nuôi “Đất Mũi”\n"],
        [True],
        [2**53],
        np.array([1.25]),
        [datetime.date(2025, 7, 1)],
        [stamp],
        [Decimal("12.5")],
        [code],
        [None],
        [float("nan")],
        [np.int32(5)],
    ]
    wkb = shapely.to_wkb(np.array([shapely.Point(105, 9)], dtype=object))
    (text,) = feature_texts(["vùng-1"], wkb, names, columns)
    feature = json.loads(text)
    assert feature["type"] == "Feature" and feature["id"] == "vùng-1"
    assert feature["properties"] == {
        "tên": "Vùng nuôi “Đất Mũi”\n",
        "đạt": True,
        "số": 2**53,
        "ha": 1.25,
        "ngày": "2025-07-01",
        "lúc": "2025-07-01T08:30:00+00:00",
        "giá": 12.5,
        "mã": str(code),
        "trống": None,
        "nan": None,
        "np": 5,
    }


def test_further_members_are_added_to_single_features():
    wkb = shapely.to_wkb(np.array([shapely.Point(105, 9)] * 2, dtype=object))
    found = [
        json.loads(t)
        for t in feature_texts(
            np.array([4, 5]), wkb, ["a"], [["x", "y"]], extra=[{"bbox": [105, 9, 105, 9]}, None]
        )
    ]
    assert found[0]["bbox"] == [105, 9, 105, 9] and "bbox" not in found[1]
    assert [f["id"] for f in found] == [4, 5] and found[1]["properties"] == {"a": "y"}


def test_wrong_lengths_and_infinite_coordinates_are_told():
    wkb = shapely.to_wkb(np.array([shapely.Point(105, 9)], dtype=object))
    for arguments in (([1, 2], wkb, [], []), ([1], wkb, ["a"], []), ([1], wkb, ["a"], [[1, 2]])):
        with pytest.raises(ValueError, match="length"):
            feature_texts(*arguments)
    with pytest.raises(ValueError, match="finite"):
        geometry_texts(np.array([shapely.LineString([(0, 0), (float("inf"), 1)])], dtype=object))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.none()
        | st.sampled_from([shapely.from_wkt(wkt) for wkt in KINDS])
        | st.builds(
            shapely.Point,
            st.floats(-180, 180, allow_subnormal=False),
            st.floats(-90, 90, allow_subnormal=False),
        )
        | st.builds(
            lambda x, y, w, h: shapely.box(x, y, x + w, y + h),
            st.floats(-100, 100),
            st.floats(-80, 80),
            st.floats(0.001, 3),
            st.floats(0.001, 3),
        ),
        max_size=12,
    )
)
def test_any_page_parses_back_to_the_same_shapes(shapes):
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    for source, text in zip(shapes, geometry_texts(array), strict=True):
        written = json.loads(text)
        if source is None:
            assert written is None
        else:
            assert shapely.equals_exact(
                shapely.normalize(shape(written)), shapely.normalize(source), tolerance=1.0000001e-7
            )


def test_a_stream_is_one_collection_with_members_before_and_after():
    chunks = [[b'{"a":1}', b'{"a":2}'], [], [b'{"a":3}']]
    pieces = list(
        feature_collection(
            iter(chunks),
            {"numberMatched": 9, "links": [{"rel": "self", "href": "/x"}]},
            lambda count: {"numberReturned": count},
        )
    )
    assert len(pieces) == 4
    assert json.loads(b"".join(pieces)) == {
        "type": "FeatureCollection",
        "numberMatched": 9,
        "links": [{"rel": "self", "href": "/x"}],
        "features": [{"a": 1}, {"a": 2}, {"a": 3}],
        "numberReturned": 3,
    }


def test_an_empty_stream_is_an_empty_collection():
    for chunks in ([], [[]]):
        assert json.loads(b"".join(feature_collection(chunks))) == {
            "type": "FeatureCollection",
            "features": [],
        }


def test_chunks_are_read_only_when_the_stream_gets_there():
    read = []

    def chunks():
        for number in range(3):
            read.append(number)
            yield [b"{}"]

    stream = feature_collection(chunks())
    next(stream)
    assert read == []
    next(stream)
    assert read == [0]
