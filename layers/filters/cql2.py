"""CQL2 text and CQL2 JSON become the filter algebra.

Source: OGC 21-065r2. Text is parsed by the `cql2` package, after a look at its length and nesting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import cql2
import orjson

from layers.filters import shapes
from layers.filters.moments import OPEN, interval, moment
from layers.filters.nodes import (
    COMPARISONS,
    AccentI,
    Always,
    Arithmetic,
    Array,
    ArrayPredicate,
    Between,
    CaseI,
    Combination,
    Comparison,
    Expression,
    Filter,
    FilterError,
    Function,
    Instant,
    Interval,
    IsIn,
    IsLike,
    IsNull,
    Literal,
    Not,
    Property,
    Spatial,
    Temporal,
)
from layers.filters.space import DISTANCES, SPATIAL
from layers.filters.times import TEMPORAL
from layers.filters.tokens import DEEPEST, LONGEST, MOST_NODES, prepared, too_deep, too_long, too_many

ARITHMETIC = ("+", "-", "*", "/", "^", "%", "div")
ARRAYS = ("a_equals", "a_contains", "a_containedby", "a_overlaps")
LANGUAGES = ("cql2-text", "cql2-json")

_PLACE = re.compile(r"-->\s*(\d+):(\d+)")
_METRES = {"m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "km": 1e3, "kilometers": 1e3}


def parse(text: str, language: str = "cql2-text", crs: str = shapes.CRS84) -> Filter:
    """Read a filter in one of LANGUAGES; coordinates are in the axis order of `crs`."""
    if language not in LANGUAGES:
        raise FilterError(
            "Ngôn ngữ lọc “%(language)s” không có; hãy dùng cql2-text hoặc cql2-json.",
            locator="filter-lang",
            language=language[:40],
        )
    return parse_text(text, crs) if language == "cql2-text" else parse_json(text, crs)


def parse_text(text: str, crs: str = shapes.CRS84) -> Filter:
    """Read CQL2 text; coordinates are in the axis order of `crs`. Raises FilterError with the place of a mistake."""
    if not text.strip():
        raise FilterError("Bộ lọc không được để trống.")
    ready = prepared(text)
    try:
        document = cql2.Expr(ready.text).to_json()
    except Exception as error:
        raise _mistake(str(error), ready.text, ready.position, text) from error
    return _Reader(crs).predicate(document)


def parse_json(document: Any, crs: str = shapes.CRS84) -> Filter:
    """Read CQL2 JSON, as text or already parsed; coordinates are in the axis order of `crs`. Raises FilterError."""
    if isinstance(document, str | bytes):
        if len(document) > LONGEST:
            raise too_long()
        try:
            document = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise FilterError("Bộ lọc không phải JSON hợp lệ.") from error
    return _Reader(crs).predicate(document)


def _mistake(message: str, ready: str, position: Callable[[int], int], text: str) -> FilterError:
    found = _PLACE.search(message)
    if found is None:
        return FilterError("Bộ lọc CQL2 không đọc được.")
    line, column = int(found[1]), int(found[2])
    offset = sum(len(part) + 1 for part in ready.split("\n")[: line - 1]) + column - 1
    place = min(position(offset), len(text) + 1)
    near = text[place - 1 : place + 19] or "…"
    return FilterError("Bộ lọc sai ở ký tự thứ %(position)s: “%(near)s”.", position=place, near=near)


class _Reader:
    """Turns a CQL2 JSON document into the algebra, counting its parts and its depth."""

    def __init__(self, crs: str) -> None:
        self.crs = crs
        self.nodes = 0
        self.depth = 0

    # ---- predicates

    def predicate(self, document: Any) -> Filter:
        """Read something that is true or false."""
        self._enter()
        try:
            return self._predicate(document)
        finally:
            self.depth -= 1

    def _predicate(self, document: Any) -> Filter:
        if isinstance(document, bool):
            return Always(document)
        if isinstance(document, dict) and "property" in document:
            return Comparison(self.expression(document), "=", Literal(True))
        operator, args = _operation(document)
        if operator in ("and", "or"):
            return Combination(
                operator, tuple(self.predicate(a) for a in _some(operator, args, 1, MOST_NODES))
            )
        if operator == "not":
            return Not(self.predicate(*_some(operator, args, 1)))
        if operator in COMPARISONS:
            left, right = self._expressions(operator, args, 2)
            return Comparison(left, operator, right)
        if operator == "like":
            return IsLike(*self._expressions(operator, args, 2))
        if operator == "between":
            return Between(*self._expressions(operator, args, 3))
        if operator == "isnull":
            return IsNull(*self._expressions(operator, args, 1))
        if operator == "in":
            return self._in(args)
        if operator in SPATIAL:
            return Spatial(operator, *self._expressions(operator, args, 2))
        if operator in DISTANCES:
            return self._distance(operator, args)
        if operator in TEMPORAL:
            left, right = (self._time(a) for a in _some(operator, args, 2))
            return Temporal(operator, left, right)
        if operator in ARRAYS:
            return ArrayPredicate(operator, *self._expressions(operator, args, 2))
        # A function that gives true or false.
        return Comparison(self.expression(document), "=", Literal(True))

    def _in(self, args: Sequence[Any]) -> Filter:
        left, values = _some("in", args, 2)
        items = values if isinstance(values, list) else [values]
        return IsIn(self.expression(left), tuple(self.expression(v) for v in items))

    def _distance(self, operator: str, args: Sequence[Any]) -> Filter:
        left, right, distance, *unit = _some(operator, args, 3, 4)
        name = str(
            unit[0].get("property") if unit and isinstance(unit[0], dict) else unit[0] if unit else "m"
        )
        if not isinstance(distance, int | float) or isinstance(distance, bool) or name.lower() not in _METRES:
            raise FilterError("Khoảng cách phải là một số kèm đơn vị m hoặc km.")
        metres = float(distance) * _METRES[name.lower()]
        return Spatial(operator, self.expression(left), self.expression(right), metres)

    # ---- expressions

    def expression(self, document: Any) -> Expression:
        """Read a value, a field, a function, a geometry, a moment or an array."""
        self._enter()
        try:
            return self._expression(document)
        finally:
            self.depth -= 1

    def _expression(self, document: Any) -> Expression:
        if document is None or isinstance(document, str | int | float):
            return Literal(document)
        if isinstance(document, list):
            return Array(tuple(self.expression(item) for item in document))
        if not isinstance(document, dict):
            raise _unreadable(document)
        if "property" in document:
            if not isinstance(document["property"], str):
                raise _unreadable(document)
            return Property(document["property"])
        if "date" in document or "timestamp" in document:
            return Instant(_moment(document))
        if "interval" in document:
            return self._interval(document["interval"])
        if "bbox" in document:
            return shapes.from_bbox(_list(document["bbox"]), self.crs)
        if "type" in document:
            return shapes.from_geojson(document, self.crs)
        return self._call(*_operation(document))

    def _call(self, operator: str, args: Sequence[Any]) -> Expression:
        if operator == "casei":
            return CaseI(*self._expressions(operator, args, 1))
        if operator == "accenti":
            return AccentI(*self._expressions(operator, args, 1))
        if operator in ARITHMETIC:
            left, right = self._expressions(operator, args, 2)
            return Arithmetic(operator, left, right)
        if operator == "envelope":
            return shapes.from_bbox(args, self.crs)
        predicates = ("and", "or", "not", "like", "between", "in", "isnull", *COMPARISONS)
        if operator in (*predicates, *SPATIAL, *TEMPORAL, *ARRAYS):
            raise FilterError("“%(operator)s” không dùng được như một giá trị.", operator=operator)
        return Function(operator, tuple(self.expression(a) for a in args))

    def _expressions(self, operator: str, args: Sequence[Any], count: int) -> list[Any]:
        return [self.expression(a) for a in _some(operator, args, count)]

    def _time(self, document: Any) -> Expression:
        return Instant(moment(document)) if isinstance(document, str) else self.expression(document)

    def _interval(self, ends: Any) -> Interval:
        found = [None if end in OPEN else self._time(end) for end in _some("interval", _list(ends), 2)]
        return interval(*found)

    def _enter(self) -> None:
        self.nodes += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise too_deep()
        if self.nodes > MOST_NODES:
            raise too_many()


def _operation(document: Any) -> tuple[str, Sequence[Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("op"), str):
        raise _unreadable(document)
    return document["op"].lower(), _list(document.get("args"))


def _list(found: Any) -> Sequence[Any]:
    if not isinstance(found, list):
        raise _unreadable(found)
    return found


def _some(operator: str, args: Sequence[Any], least: int, most: int | None = None) -> Sequence[Any]:
    if not least <= len(args) <= (most or least):
        raise FilterError(
            "Phép “%(operator)s” không nhận %(count)s đối số.", operator=operator, count=len(args)
        )
    return args


def _moment(document: dict[str, Any]) -> Any:
    text = document.get("date", document.get("timestamp"))
    found = moment(text) if isinstance(text, str) else None
    if found is None or hasattr(found, "hour") is ("date" in document):
        raise _unreadable(text)
    return found


def _unreadable(document: Any) -> FilterError:
    text = str(document)
    return FilterError(
        "“%(part)s” không phải một phần hợp lệ của bộ lọc CQL2.",
        part=text if len(text) <= 60 else f"{text[:60]}…",
    )
