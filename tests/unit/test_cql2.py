"""CQL2 is read within limits, and whatever cannot be read or meant is refused in one sentence."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from typing import Any

import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.filters import (
    Between,
    Combination,
    Comparison,
    FilterError,
    Instant,
    Interval,
    Literal,
    Not,
    Property,
    Shape,
    Spatial,
    Temporal,
    cql2,
    is_small,
    names_in,
)
from layers.filters.moments import moment
from layers.filters.patterns import from_wildcards, glob, like, parts
from layers.filters.tokens import prepared

A, B = Property("a"), Property("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1", Comparison(A, "=", Literal(1.0))),
        ("a=.5", Comparison(A, "=", Literal(0.5))),
        ("a=5.", Comparison(A, "=", Literal(5.0))),
        ("a>-1.5E-3", Comparison(A, ">", Literal(-0.0015))),
        ("a='it''s'", Comparison(A, "=", Literal("it's"))),
        ("a = '((((' ", Comparison(A, "=", Literal("(((("))),
        ('"a" <> b', Comparison(A, "<>", B)),
        ("NOT a=b", Not(Comparison(A, "=", B))),
        ("a BETWEEN b AND 2", Between(A, B, Literal(2.0))),
        ("đặc_sản = 'đ'", Comparison(Property("đặc_sản"), "=", Literal("đ"))),
        ("T_AFTER(a, DATE('2026-06-30'))", Temporal("t_after", A, Instant(dt.date(2026, 6, 30)))),
        (
            "T_DURING(a, INTERVAL('2026-06-30','..'))",
            Temporal("t_during", A, Interval(Instant(dt.date(2026, 6, 30)), None)),
        ),
        (
            "S_INTERSECTS(geom, POINT(1e2 .5))",
            Spatial("s_intersects", Property("geom"), Shape(shapely.Point(100, 0.5))),
        ),
        (
            "S_WITHIN(geom, POLYGON((0 0,1 0,1 1,0 0),(.6 .1,.9 .1,.9 .5,.6 .1)))",
            Spatial(
                "s_within",
                Property("geom"),
                Shape(shapely.from_wkt("POLYGON((0 0,1 0,1 1,0 0),(.6 .1,.9 .1,.9 .5,.6 .1))")),
            ),
        ),
    ],
)  # fmt: skip
def test_text_becomes_the_tree_that_it_says(text: str, tree: Any) -> None:
    assert cql2.parse_text(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "updated >= date('1970-01-01')",
        "eq:cloud_cover < 0.1 AND landsat:wrs_row=28 AND landsat:wrs_path=203",
        '"value" NOT BETWEEN 10 AND 20',
        "A_CONTAINS(layer:ids, ('layers-ca','layers-us'))",
        "T_FINISHEDBY(INTERVAL(starts_at, ends_at), INTERVAL('1991-10-07T08:21:06.393262Z', '2010-02-10T05:29:20Z'))",
        "T_DURING(INTERVAL('1969-07-20T20:17:40Z', '1969-07-21T17:54:00Z'), "
        "INTERVAL('1969-07-16T13:32:00Z', '1969-07-24T16:50:35Z'))",
        "S_CROSSES(road,POLYGON((43.7286 -79.2986, 43.7311 -79.2996,\n      43.7323 -79.2972, 43.7286 -79.2986)))",
    ],
)
def test_forms_of_the_examples_of_the_standard_are_read(text: str) -> None:
    assert names_in(cql2.parse_text(text)) or "1969" in text


def test_and_binds_closer_than_or_and_not_closer_than_and() -> None:
    tree = cql2.parse_text("a=1 OR NOT b=2 AND a=3")
    assert isinstance(tree, Combination) and tree.operator == "or"
    second = tree.operands[1]
    assert (
        isinstance(second, Combination) and second.operator == "and" and isinstance(second.operands[0], Not)
    )


def test_json_is_read_from_text_and_from_a_document() -> None:
    document = {"op": "=", "args": [{"property": "a"}, 9007199254740993]}
    expected = Comparison(A, "=", Literal(9007199254740993))
    assert cql2.parse_json(document) == cql2.parse_json(orjson.dumps(document)) == expected
    assert cql2.parse(orjson.dumps(document).decode(), "cql2-json") == expected
    assert cql2.parse("a = b") == Comparison(A, "=", B)


def test_values_that_python_calls_equal_are_different_filters() -> None:
    trees = {Comparison("a", "=", v) for v in (1, 1.0, True)} | {
        cql2.parse_json({"op": "=", "args": [{"property": "a"}, 1]})
    }
    assert len(trees) == 4  # fmt: skip


def test_a_mistake_is_told_with_its_place() -> None:
    with pytest.raises(FilterError) as refused:
        cql2.parse_text("name = 'x' AND stars >> 3")
    assert refused.value.facts["position"] in (23, 24)
    with pytest.raises(FilterError) as refused:
        cql2.parse_text("a = .5 AND b = .25 AND c ILIKE 'x'")
    assert str(refused.value.facts["near"]).startswith("ILIKE") or refused.value.facts["position"] >= 24
    with pytest.raises(FilterError) as refused:
        cql2.parse_text("a = 'x' ; DROP TABLE products")
    assert refused.value.facts["position"] == 9


@pytest.mark.parametrize(
    "text",
    [
        "(" * 9_000 + "a=1" + ")" * 9_000,
        "NOT " * 4_900 + "a=1",
        "a=" * 9_900 + "1",
        "-" * 19_000 + "a=1",
        "foo(" * 4_000 + "a" + ")" * 4_000 + "=1",
        "NOT (" * 70 + "a=1" + ")" * 70,
        "(NOT " * 40 + "a=1" + ")" * 40,
        "a=" + "a+" * 9_000 + "1",
        "a=1 AND " * 2_400 + "b=2",
        "a IN (" + "1," * 9_000 + "1)",
        "a = '" + "x" * 20_000 + "'",
        "a = 1e999999999",
        "a = 1e-999999999",
        "a = (" * 30 + "1" + ")" * 30,
        " ",
        "",
        "a",
        "a =",
        "= a",
        "a = 1 b",
        "a = 'x",
        'a = "x',
        "a = #",
        "a LIKE 5 AND",
        "a IN ()",
        "a BETWEEN 1",
        "S_INTERSECTS(geom)",
        "S_INTERSECTS(geom, POINT(1))",
        "S_INTERSECTS(geom, POINT EMPTY)",
        "S_INTERSECTS(geom, POLYGON((0 0,1 1)))",
        "S_INTERSECTS(geom, POLYGON((0 0,1 1,1 0,5 5)))",
        "S_INTERSECTS(geom, BBOX(1,2,3))",
        "S_INTERSECTS(geom, BBOX(1,5,3,4))",
        "S_INTERSECTS(geom, POINT(1 2), 3)",
        "S_NEARLY(geom, POINT(1 2)) = S_INTERSECTS(geom, POINT(1 2))",
        "T_AFTER(a, DATE('2026-13-01'))",
        "T_AFTER(a, TIMESTAMP('2026-01-01'))",
        "a = DATE('2026-01-01T00:00:00Z')",
        "a = DATE(b)",
        "T_DURING(a, INTERVAL('2026-01-02','2026-01-01'))",
        "(a = 1) = (b = 2)",
        "a = b = c",
        "S_DWITHIN(geom, POINT(1 2), 'near')",
        "S_DWITHIN(geom, POINT(1 2), 5, parsecs)",
    ],
)
def test_text_that_cannot_be_read_is_refused(text: str) -> None:
    try:
        tree = cql2.parse_text(text)
    except FilterError as error:
        assert str(error).strip().endswith((".", ". "))
    else:
        # What reads as a tree of no sense is refused when it is compiled.
        assert text in ("a", "S_INTERSECTS(geom, POINT(1))", "a = (" * 30 + "1" + ")" * 30), tree


@pytest.mark.parametrize(
    "document",
    [
        None, 1, "x", [], {}, {"op": 1}, {"op": "="}, {"op": "=", "args": "x"}, {"op": "=", "args": [1]},
        {"op": "=", "args": [1, 2, 3]}, {"op": "and", "args": []}, {"op": "not", "args": []},
        {"op": "=", "args": [{"property": 1}, 2]}, {"op": "=", "args": [{"date": 5}, 2]},
        {"op": "=", "args": [{"timestamp": None}, 2]}, {"op": "=", "args": [{"unknown": 5}, 2]},
        {"op": "t_after", "args": [{"property": "a"}, {"interval": ["..", "..", ".."]}]},
        {"op": "t_after", "args": [{"property": "a"}, {"interval": "2026"}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "Polygon", "coordinates": "x"}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "Point", "coordinates": []}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "Point"}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "Point", "coordinates": [1, None]}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"bbox": ["a", 2, 3, 4]}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"bbox": [1, 2, 3, float("inf")]}]},
        {"op": "s_intersects", "args": [{"property": "g"}, {"type": "GeometryCollection", "geometries": []}]},
        b"{", b"\xff", "[" * 5_000,
    ],
)  # fmt: skip
def test_json_that_cannot_be_read_is_refused(document: Any) -> None:
    with pytest.raises(FilterError):
        cql2.parse_json(document)


def test_json_is_limited_in_depth_and_number_of_parts() -> None:
    deep: Any = {"op": "=", "args": [1, 1]}
    for _ in range(70):
        deep = {"op": "not", "args": [deep]}
    for document in (deep, {"op": "in", "args": [{"property": "a"}, list(range(3_000))]}):
        with pytest.raises(FilterError):
            cql2.parse_json(document)


def test_sixty_levels_and_a_thousand_conditions_are_read() -> None:
    cql2.parse_text("(" * 60 + "a=1" + ")" * 60)
    assert names_in(cql2.parse_text(" OR ".join(["a=1"] * 600))) == {"a"}


WORDS = [
    *("a", "b", "=", "<", "<>", "(", ")", ",", "AND", "OR", "NOT", "LIKE", "IN", "BETWEEN", "IS", "NULL"),
    *(
        "'x'",
        "'%'",
        "1",
        ".5",
        "1e5",
        "-",
        "+",
        "*",
        "/",
        "^",
        "%",
        "div",
        "TRUE",
        "CASEI",
        "ACCENTI",
        "DATE",
    ),
    *("TIMESTAMP", "INTERVAL", "'2026-01-01'", "'..'", "S_INTERSECTS", "S_WITHIN", "T_AFTER", "T_DURING"),
    *("A_CONTAINS", "POINT", "POLYGON", "BBOX", "geom", "upper", '"', ";", "\\"),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FilterError):
        names_in(cql2.parse_text(text))


OPERATORS = [
    "=",
    "and",
    "or",
    "not",
    "like",
    "in",
    "between",
    "isNull",
    "casei",
    "+",
    "s_intersects",
    "t_after",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", "..", "2026-01-01", "x"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["op", "args", "property", "date", "timestamp", "interval", "bbox", "type", "coordinates"]),
        inner,
        max_size=3,
    )
    | st.builds(
        lambda op, args: {"op": op, "args": args},
        st.sampled_from(OPERATORS),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(JSON)
def test_any_document_is_read_or_refused(document: Any) -> None:
    with contextlib.suppress(FilterError):
        names_in(cql2.parse_json(document))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab%_\\*?[]!#", max_size=12))
def test_patterns_keep_their_meaning_in_every_dialect(pattern: str) -> None:
    connection = sqlite3.connect(":memory:")
    literal = "".join(c for c, wild in parts(pattern) if not wild)
    assert connection.execute("SELECT ? GLOB ?", (literal, glob(pattern))).fetchone()[0] == int(
        all(c != "_" for c, wild in parts(pattern) if wild)
    )
    again = "".join(c for c, _ in parts(like(pattern)))
    assert again == "".join(c for c, _ in parts(pattern))
    assert from_wildcards(pattern, "%", "_", "\\") == like(pattern)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-06-30", dt.date(2026, 6, 30)),
        ("2026-06-30T08:00:00Z", dt.datetime(2026, 6, 30, 8, tzinfo=dt.UTC)),
        ("2026-06-30t08:00:00z", dt.datetime(2026, 6, 30, 8, tzinfo=dt.UTC)),
        ("2026-06-30T15:00:00+07:00", dt.datetime(2026, 6, 30, 8, tzinfo=dt.UTC)),
        ("2026-06-30T08:00:00.123456789Z", dt.datetime(2026, 6, 30, 8, 0, 0, 123456, tzinfo=dt.UTC)),
        ("2026-06-30 08:00", dt.datetime(2026, 6, 30, 8, tzinfo=dt.UTC)),
        ("9999-12-31T00:00:00Z", dt.datetime(9999, 12, 31, tzinfo=dt.UTC)),
    ],
)
def test_dates_and_timestamps_of_rfc_3339_are_read(text: str, value: Any) -> None:
    assert moment(text) == value and type(moment(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["2026", "2026-W01-1", "20260630", "2026-06-31", "0001-01-01T00:00:00+14:00", "2026-06-30T25:00:00Z", "٢٠٢٦-٠٦-٣٠"],
)  # fmt: skip
def test_other_forms_of_time_are_refused(text: str) -> None:
    with pytest.raises(FilterError):
        moment(text)


def test_only_small_filters_are_remembered() -> None:
    assert is_small(cql2.parse_text("a = 1 AND b LIKE 'x%'")) and is_small(None)
    assert not is_small(cql2.parse_text("S_INTERSECTS(geom, POINT(1 2))"))
    assert not is_small(cql2.parse_text("a IN (" + ",".join(map(str, range(100))) + ")"))
    assert not is_small(cql2.parse_text(f"a = '{'x' * 500}'"))


def test_numbers_are_rewritten_without_moving_the_places_of_mistakes() -> None:
    ready = prepared("a = .5 AND b = 1e3 OR c = 'x .5'")
    assert ready.text == "a = 0.5 AND b = 1000 OR c = 'x .5'"
    assert ready.position(ready.text.index("c =")) == "a = .5 AND b = 1e3 OR c = 'x .5'".index("c =") + 1
