"""Spatial predicates in SQL: the spatial index first, then the geometry itself."""

from __future__ import annotations

from typing import Any

import shapely
import sqlalchemy as sa

from data import relations, spatial
from data.spatial import Box
from gis.predicates import RELATIONS, GivenShape, is_within_distance
from layers.fields import Layer
from layers.filters.nodes import (
    GEOMETRY_NAMES,
    Combination,
    Expression,
    Filter,
    FilterError,
    Property,
    Shape,
    Spatial,
    all_of,
)
from layers.filters.terms import Scope, is_geometry

SPATIAL = tuple(f"s_{name}" for name in RELATIONS)
DISTANCES = ("s_dwithin", "s_beyond")

_CONVERSE = {"s_within": "s_contains", "s_contains": "s_within"}
#: What holds between a geometry and itself.
_REFLEXIVE = ("s_intersects", "s_within", "s_contains", "s_equals", "s_dwithin")


def split_box(layer: Layer, where: Filter | None) -> tuple[Box | None, Filter | None]:
    """Take a lon/lat box that every row must meet out of a filter; return it, if there is one, and the rest."""
    parts = where.operands if isinstance(where, Combination) and where.operator == "and" else (where,)
    for part in parts:
        if (box := _box_of(layer, part)) is not None:
            return box, all_of(*(other for other in parts if other is not part))
    return None, where


def _box_of(layer: Layer, part: Filter | None) -> Box | None:
    if not isinstance(part, Spatial) or part.operator != "s_intersects":
        return None
    name, shape = (part.left, part.right) if isinstance(part.left, Property) else (part.right, part.left)
    if not isinstance(shape, Shape) or not isinstance(name, Property) or name.name not in GEOMETRY_NAMES:
        return None
    polygon = shape.geometry
    if polygon.geom_type != "Polygon" or shapely.get_num_coordinates(polygon) != 5:
        return None
    if any(field.name == name.name for field in layer.fields) or not polygon.equals(polygon.envelope):
        return None
    west, south, east, north = polygon.bounds
    return west, south, east, north


def relation(scope: Scope, node: Spatial, *, negated: bool) -> Any:
    """Compile a spatial predicate; under a negation a row without geometry must be unknown, not false."""
    if node.operator not in (*SPATIAL, *DISTANCES):
        raise FilterError("Không có phép so sánh không gian “%(operator)s”.", operator=node.operator[:60])
    if node.operator in DISTANCES and (node.distance_m is None or not 0 <= node.distance_m <= 20_100_000):
        raise FilterError("Khoảng cách phải là số mét từ 0 đến nửa vòng Trái Đất.")
    left, right = _operand(scope, node.left), _operand(scope, node.right)
    if left is not None and right is not None:
        return sa.true() if _holds(node, left.geometry, right.geometry) else sa.false()
    if left is None and right is None:
        geometry = spatial.raw_geometry(scope.model)
        absent = sa.null() if negated else sa.false()
        return sa.case((geometry.is_(None), absent), else_=sa.literal(node.operator in _REFLEXIVE))
    if left is not None:
        return _of_row(scope, _CONVERSE.get(node.operator, node.operator), left, node.distance_m, negated)
    assert right is not None
    return _of_row(scope, node.operator, right, node.distance_m, negated)


def _operand(scope: Scope, expression: Expression) -> Shape | None:
    """Return the constant shape, or None for the geometry of the row."""
    if isinstance(expression, Shape):
        return expression
    if is_geometry(scope, expression):
        return None
    if isinstance(expression, Property):
        scope.lookup(expression.name)
        raise FilterError("Trường “%(field)s” không phải hình.", field=expression.name)
    raise FilterError("Phép so sánh không gian cần trường hình và một hình.")


def _of_row(scope: Scope, operator: str, shape: Shape, metres: float | None, negated: bool) -> Any:
    if shape.geometry.geom_type == "GeometryCollection":
        return _of_collection(scope, operator, shape, metres, negated)
    given = GivenShape(shape.geometry)
    if operator == "s_beyond":
        near = relations.within_distance(
            scope.model, given, metres or 0.0, embedded=scope.embedded, indexed=negated
        )
        return sa.not_(near)
    if operator == "s_dwithin":
        return relations.within_distance(
            scope.model, given, metres or 0.0, embedded=scope.embedded, indexed=not negated
        )
    return relations.related(
        scope.model, operator.removeprefix("s_"), given, embedded=scope.embedded, indexed=not negated
    )


def _of_collection(scope: Scope, operator: str, shape: Shape, metres: float | None, negated: bool) -> Any:
    """Parts of different dimensions are asked one by one, where that means the same."""
    joins: dict[str, Any] = {
        "s_intersects": sa.or_,
        "s_dwithin": sa.or_,
        "s_disjoint": sa.and_,
        "s_beyond": sa.and_,
    }
    if operator not in joins:
        raise FilterError("Phép so sánh “%(operator)s” không nhận tập hợp hình khác loại.", operator=operator)
    parts = [Shape(part) for part in shapely.get_parts(shape.geometry)]
    return joins[operator](*(_of_row(scope, operator, part, metres, negated) for part in parts))


def _holds(node: Spatial, left: shapely.Geometry, right: shapely.Geometry) -> bool:
    if node.operator in DISTANCES:
        near = is_within_distance(GivenShape(left), right, node.distance_m or 0.0)
        return near if node.operator == "s_dwithin" else not near
    return bool(getattr(shapely, node.operator.removeprefix("s_"))(left, right))
