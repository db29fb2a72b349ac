"""Filter Encoding 1.0, 1.1 and 2.0 as the filter algebra, as lenient as old clients need.

Elements are told apart by their local names, so that filters without namespace are read too.
Source: OGC 02-059, 04-095 and 09-026r2.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from gis import crs as reference_systems
from gis import gml, srsname
from gis.crs import OutsideCrs, UnknownCrs
from gis.gml import GmlError
from layers.fields import FieldType, Layer
from layers.filters import (
    Always,
    Arithmetic,
    Between,
    CaseI,
    Combination,
    Comparison,
    Expression,
    Filter,
    FilterError,
    Function,
    Ids,
    Instant,
    Interval,
    IsLike,
    IsNull,
    Literal,
    Not,
    Property,
    Shape,
    Spatial,
    Temporal,
    shapes,
)
from layers.filters.moments import interval, moment
from layers.filters.patterns import from_wildcards
from layers.filters.tokens import DEEPEST, MOST_NODES, too_deep, too_many
from services.formats.gml import GEOMETRY

#: What stands for the id of a feature in a comparison.
ID = "@id"

COMPARISONS = {
    "PropertyIsEqualTo": "=",
    "PropertyIsNotEqualTo": "<>",
    "PropertyIsLessThan": "<",
    "PropertyIsGreaterThan": ">",
    "PropertyIsLessThanOrEqualTo": "<=",
    "PropertyIsGreaterThanOrEqualTo": ">=",
}
SPATIAL = {
    "Equals": "s_equals",
    "Disjoint": "s_disjoint",
    "Touches": "s_touches",
    "Within": "s_within",
    "Overlaps": "s_overlaps",
    "Crosses": "s_crosses",
    "Intersects": "s_intersects",
    "Intersect": "s_intersects",
    "Contains": "s_contains",
}
DISTANCES = {"DWithin": "s_dwithin", "Beyond": "s_beyond"}
TEMPORAL = {
    "After": "t_after",
    "Before": "t_before",
    "Begins": "t_starts",
    "BegunBy": "t_startedby",
    "TContains": "t_contains",
    "During": "t_during",
    "EndedBy": "t_finishedby",
    "Ends": "t_finishes",
    "TEquals": "t_equals",
    "Meets": "t_meets",
    "MetBy": "t_metby",
    "TOverlaps": "t_overlaps",
    "OverlappedBy": "t_overlappedby",
    "AnyInteracts": "t_intersects",
}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
IDENTIFIERS = {"ResourceId": "rid", "FeatureId": "fid", "GmlObjectId": "id"}

_METRES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters", "9001", ""), 1.0),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers", "9036"), 1_000.0),
    **dict.fromkeys(("mi", "mile", "miles", "9093"), 1_609.344),
    **dict.fromkeys(("nmi", "nm", "nautical miles", "9030"), 1_852.0),
    **dict.fromkeys(("ft", "foot", "feet", "9002"), 0.3048),
    **dict.fromkeys(("deg", "degree", "degrees", "9102", "9122"), 111_319.490_793),
}
_FIRST = re.compile(r"\[\s*1\s*\]$")
_BOXES = ("Envelope", "Box")


def parse(
    element: Any,
    *,
    layer: Layer | None = None,
    version: str = "2.0",
    default_crs: str = "urn:ogc:def:crs:EPSG::4326",
) -> Filter:
    """Return the filter of a `Filter` element (lxml), or of a predicate element.

    `default_crs` names the reference system of geometries without srsName; the form of a name says which axis
    comes first, except that version "1.0" always writes east before north. With `layer`, `gml:name` is the field
    that names its rows, and texts are compared without case only where a field is text. Raises FilterError.
    """
    return _Reader(layer, version, default_crs).filter(element)


class _Reader:
    def __init__(self, layer: Layer | None, version: str, default_crs: str) -> None:
        self.layer = layer
        self.always_xy = version.startswith("1.0")
        self.default_crs = default_crs
        self.nodes = 0
        self.depth = 0

    # ---- predicates

    def filter(self, element: Any) -> Filter:
        """Read a Filter element with one predicate, or with ids."""
        if _name(element) != "Filter":
            return self.predicate(element)
        parts = list(_children(element))
        ids = tuple(self._id(part) for part in parts if _name(part) in IDENTIFIERS)
        if ids and len(ids) == len(parts):
            return Ids(ids)
        if len(parts) != 1:
            raise FilterError("Bộ lọc phải có đúng một điều kiện, hoặc chỉ có mã đối tượng.")
        return self.predicate(parts[0])

    def predicate(self, element: Any) -> Filter:
        """Read an element that is true or false of a row."""
        self._enter()
        try:
            return self._predicate(element, _name(element))
        finally:
            self.depth -= 1

    def _predicate(self, element: Any, name: str) -> Filter:
        if name in ("And", "Or"):
            parts = list(_children(element))
            if not parts:
                raise _incomplete(name)
            return Combination(name.lower(), tuple(self.predicate(part) for part in parts))
        if name == "Not":
            return Not(self.predicate(*_exactly(element, 1)))
        if name in COMPARISONS:
            return self._comparison(element, COMPARISONS[name])
        if name == "PropertyIsLike":
            return self._like(element)
        if name in ("PropertyIsNull", "PropertyIsNil"):
            subject = self.expression(*_exactly(element, 1))
            return Always(False) if subject == Property(ID) else IsNull(subject)
        if name == "PropertyIsBetween":
            subject, lower, upper = _exactly(element, 3)
            bounds = [self.expression(*_exactly(bound, 1)) for bound in (lower, upper)]
            return Between(self.expression(subject), *bounds)
        if name == "BBOX":
            return self._box(element)
        if name in SPATIAL:
            left, right = (self.expression(part) for part in _exactly(element, 2))
            return Spatial(SPATIAL[name], left, right)
        if name in DISTANCES:
            left, right, distance = _exactly(element, 3)
            metres = _metres(distance)
            return Spatial(DISTANCES[name], self.expression(left), self.expression(right), metres)
        if name in TEMPORAL:
            left, right = (self._time(self.expression(part)) for part in _exactly(element, 2))
            return Temporal(TEMPORAL[name], left, right)
        if name in IDENTIFIERS:
            return Ids((self._id(element),))
        raise FilterError("Bộ lọc không có phép “%(operator)s”.", operator=name[:60])

    def _comparison(self, element: Any, operator: str) -> Filter:
        left, right = (self.expression(part) for part in _exactly(element, 2))
        action = element.get("matchAction", "Any")
        if action not in ("Any", "All", "One"):
            raise FilterError("matchAction nhận Any, All hoặc One.")
        if Property(ID) in (left, right):
            return _of_id(right if left == Property(ID) else left, operator)
        if not _is_true(element.get("matchCase", "true")) and self._are_texts(left, right):
            return Comparison(CaseI(left), operator, CaseI(right))
        return Comparison(left, operator, right)

    def _like(self, element: Any) -> Filter:
        subject, pattern = (self.expression(part) for part in _exactly(element, 2))
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            raise FilterError("Mẫu so sánh phải là một giá trị chữ cố định.")
        escape = element.get("escapeChar", element.get("escape", "\\"))
        wanted = from_wildcards(
            pattern.value, element.get("wildCard", "%"), element.get("singleChar", "_"), escape
        )
        if _is_true(element.get("matchCase", "true")):
            return IsLike(subject, Literal(wanted))
        return IsLike(CaseI(subject), CaseI(Literal(wanted)))

    def _box(self, element: Any) -> Filter:
        """Without a reference the box is asked of every geometry, of which a row has one."""
        *reference, box = _between(element, 1, 2)
        subject = self.expression(reference[0]) if reference else Property(GEOMETRY)
        return Spatial("s_intersects", subject, self.expression(box))

    def _id(self, element: Any) -> str:
        attribute = IDENTIFIERS[_name(element)]
        for name, value in element.attrib.items():
            if name.rpartition("}")[2] == attribute:
                return str(value).strip()
        raise _incomplete(_name(element))

    # ---- expressions

    def expression(self, element: Any) -> Expression:
        """Read a reference, a value, a geometry, a time or a calculation."""
        self._enter()
        try:
            return self._expression(element, _name(element))
        finally:
            self.depth -= 1

    def _expression(self, element: Any, name: str) -> Expression:
        if name in ("ValueReference", "PropertyName"):
            return Property(self.reference(_text(element)))
        if name == "Literal":
            inside = next(_children(element), None)
            return Literal(_text(element), typed=False) if inside is None else self.expression(inside)
        if name in ARITHMETIC:
            left, right = (self.expression(part) for part in _exactly(element, 2))
            return Arithmetic(ARITHMETIC[name], left, right)
        if name == "Function":
            args = tuple(self.expression(part) for part in _children(element))
            return Function(element.get("name", ""), args)
        if name == "TimeInstant":
            return self._instant(element)
        if name == "TimePeriod":
            return self._period(element)
        if gml.is_geometry(element):
            return self._shape(element, name)
        raise FilterError("“%(element)s” không phải một giá trị của bộ lọc.", element=name[:60])

    def reference(self, text: str) -> str:
        """Return the name that a value reference means: with or without prefix, or a short path that ends in one."""
        steps = [_FIRST.sub("", step.strip()) for step in text.split("/")]
        steps = [step for step in steps if step not in ("", ".", "*", "text()")]
        if len(steps) > 1 and (self.layer is None or steps[0].rpartition(":")[2] == self.layer.id):
            steps = steps[1:]
        if len(steps) != 1:
            raise FilterError("Tham chiếu “%(name)s” không chỉ tới một trường.", name=text[:60])
        prefix, _, local = steps[0].rpartition(":")
        if steps[0] in ("@gml:id", "@fid", "@id"):
            return ID
        if prefix == "gml" and local in ("boundedBy", "location"):
            return GEOMETRY
        if prefix == "gml" and local == "name" and self.layer is not None:
            return self.layer.name_field
        return local

    def _are_texts(self, *operands: Expression) -> bool:
        """Tell whether case could matter: numbers and dates have none."""
        for operand in operands:
            if isinstance(operand, Property) and self.layer is not None:
                fields = (f for f in self.layer.fields if f.name == operand.name)
                return all(f.type == FieldType.STRING for f in fields)
        return not any(isinstance(operand, Arithmetic | Instant) for operand in operands)

    # ---- geometries

    def _shape(self, element: Any, name: str) -> Shape:
        try:
            system = gml.srs_of(element, self.default_crs)
            geometry = gml.parse(
                element, default_srs=self.default_crs, always_xy=self.always_xy, target=system.crs
            )
            if name in _BOXES and not system.is_degrees:
                geometry = _bent(geometry)
            if system.crs not in (srsname.CRS84, "EPSG:4326"):
                geometry = reference_systems.transform(
                    np.array([geometry], dtype=object), system.crs, srsname.CRS84
                )[0]
        except shapely.GEOSException as error:
            raise FilterError("Khung quá lớn hoặc quá nhỏ so với hệ tọa độ.") from error
        except GmlError as error:
            raise FilterError(error.message, **error.facts) from error  # type: ignore[arg-type]
        except (UnknownCrs, OutsideCrs) as error:
            raise FilterError(error.message, locator="srsName", **error.facts) from error
        return shapes.shape_of(geometry)

    # ---- times

    def _time(self, expression: Expression) -> Expression:
        if isinstance(expression, Literal) and isinstance(expression.value, str):
            return Instant(moment(expression.value))
        return expression

    def _instant(self, element: Any) -> Instant:
        found = _position(next((e for e in _children(element) if _name(e) == "timePosition"), None))
        if found is None:
            raise _incomplete("TimeInstant")
        return found

    def _period(self, element: Any) -> Interval:
        ends: dict[str, Instant | None] = {"begin": None, "end": None}
        for child in _children(element):
            name = _name(child)
            if name in ("beginPosition", "endPosition"):
                ends[name.removesuffix("Position")] = _position(child)
            elif name in ends:
                ends[name] = self._instant(*_exactly(child, 1))
        return interval(ends["begin"], ends["end"])

    def _enter(self) -> None:
        self.nodes += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise too_deep()
        if self.nodes > MOST_NODES:
            raise too_many()


def _of_id(value: Expression, operator: str) -> Filter:
    """A comparison with the id of a feature asks for the row itself."""
    if not isinstance(value, Literal) or operator not in ("=", "<>"):
        raise FilterError("Mã đối tượng chỉ so sánh được bằng hoặc khác với một giá trị.")
    ids = Ids((str(value.value),))
    return ids if operator == "=" else Not(ids)


def _bent(box: shapely.Geometry) -> shapely.Geometry:
    """Sides of a box in metres are bent in degrees, so they get vertices between."""
    west, south, east, north = box.bounds
    longest = max(east - west, north - south)
    return shapely.segmentize(box, longest / shapes.BOX_PARTS) if longest > 0 else box


def _position(element: Any) -> Instant | None:
    """Return a time position, None for an open or unknown one."""
    if element is None:
        return None
    text, kind = _text(element), element.get("indeterminatePosition")
    if kind == "now":
        return Instant(dt.datetime.now(dt.UTC))
    return Instant(moment(text)) if text else None


def _metres(element: Any) -> float:
    unit = (element.get("uom") or element.get("units") or "").strip().lower()
    factor = _METRES.get(re.split(r"[#:/]", unit)[-1])
    try:
        number = float(_text(element))
    except ValueError:
        factor = None
    if factor is None or _name(element) != "Distance":
        raise FilterError("Khoảng cách phải là một số kèm đơn vị đo biết được, ví dụ m hoặc km.")
    return number * factor


# ---- elements


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Any) -> str:
    return str(element.text or "").strip()


def _children(element: Any) -> Iterator[Any]:
    return (child for child in element if isinstance(child.tag, str))


def _exactly(element: Any, count: int) -> Sequence[Any]:
    return _between(element, count, count)


def _between(element: Any, least: int, most: int) -> Sequence[Any]:
    parts = list(_children(element))
    if not least <= len(parts) <= most:
        raise _incomplete(_name(element))
    return parts


def _incomplete(name: str) -> FilterError:
    return FilterError("“%(element)s” trong bộ lọc thiếu hoặc thừa phần con.", element=name[:60])


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1")
