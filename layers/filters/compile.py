"""From the filter algebra to SQL, alike on both databases, NULL included: what is unknown selects no row."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from layers.filters import space, times
from layers.filters.nodes import (
    COMPARISONS,
    Always,
    ArrayPredicate,
    Between,
    Combination,
    Comparison,
    Expression,
    Filter,
    FilterError,
    Ids,
    Instant,
    IsIn,
    IsLike,
    IsNull,
    Literal,
    Not,
    Spatial,
    Temporal,
    reference,
    value,
)
from layers.filters.patterns import glob, like
from layers.filters.terms import Scope, pair, several, term, text
from layers.filters.values import LARGEST_INTEGER, TIMES, Kind

#: SQLite reads `a AND b AND c …` as a tree as deep as it is long, and refuses trees deeper than 1,000.
LONGEST_LIST = 64


def to_sql(node: Filter, scope: Scope, *, negated: bool = False) -> sa.ColumnElement[bool]:
    """Compile a filter for a scope, which gives the SQL of a name and refuses names that may not be asked.

    Under a negation what is unknown must stay unknown, which costs the spatial index. Raises FilterError for
    unknown fields and functions, and for values of the wrong kind.
    """
    match node:
        case Comparison(left, operator, right):
            return compare(scope, reference(left), operator, value(right))
        case IsIn(left, values):
            return _in(scope, reference(left), [value(v) for v in values])
        case Between(left, lower, upper):
            return sa.and_(
                compare(scope, reference(left), ">=", value(lower)),
                compare(scope, reference(left), "<=", value(upper)),
            )
        case IsLike(left, pattern):
            return _like(scope, reference(left), value(pattern))
        case IsNull(left):
            return term(scope, reference(left)).sql.is_(None)  # type: ignore[no-any-return]
        case Not(operand):
            return sa.not_(to_sql(operand, scope, negated=not negated))
        case Combination(operator, operands):
            return join(operator, [to_sql(o, scope, negated=negated) for o in operands])
        case Spatial():
            return space.relation(scope, node, negated=negated)  # type: ignore[no-any-return]
        case Temporal(operator, left, right):
            return times.relation(scope, operator, left, right)  # type: ignore[no-any-return]
        case Ids(ids):
            return _ids(scope, ids)
        case Always(holds):
            return sa.true() if holds else sa.false()
        case ArrayPredicate(operator):
            raise FilterError(
                "Lớp “%(layer)s” không có trường kiểu mảng nên không dùng được “%(operator)s”.",
                layer=scope.layer.id,
                operator=operator,
            )


def join(operator: str, parts: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    """Join conditions by "and" or "or", many of them as a tree of groups."""
    link = sa.and_ if operator == "and" else sa.or_
    if len(parts) <= LONGEST_LIST:
        return link(*parts)
    groups = [
        sa.type_coerce(sa.sql.elements.Grouping(link(*parts[i : i + LONGEST_LIST])), sa.Boolean)
        for i in range(0, len(parts), LONGEST_LIST)
    ]
    return join(operator, groups)


# ---- comparisons


def compare(scope: Scope, left: Expression, operator: str, right: Expression) -> sa.ColumnElement[bool]:
    """Compile a comparison of two expressions of one kind."""
    if operator not in COMPARISONS:
        raise FilterError("Không có phép so sánh “%(operator)s”.", operator=operator[:60])
    a, b = pair(scope, left, right)
    if a.kind in TIMES and b.kind in TIMES:
        return times.compare(scope, a, operator, b)  # type: ignore[no-any-return]
    if a.kind is not b.kind or a.kind is Kind.GEOMETRY:
        raise FilterError(
            "Không so sánh được giá trị kiểu %(left)s với giá trị kiểu %(right)s.",
            left=a.kind.value,
            right=b.kind.value,
        )
    first = a.sql
    if a.kind is Kind.TEXT and operator not in ("=", "<>") and not scope.embedded:
        # The order of SQLite: by code point, whatever the locale of the server.
        first = sa.collate(first, "C")
    return first.bool_op("!=" if operator == "<>" else operator)(b.sql)  # type: ignore[no-any-return]


def _in(scope: Scope, left: Expression, values: Sequence[Expression]) -> sa.ColumnElement[bool]:
    if not values:
        return sa.false()
    found = term(scope, left) if not isinstance(left, Literal | Instant) else None
    if found is None or found.kind in TIMES or not all(isinstance(v, Literal) for v in values):
        return join("or", [compare(scope, left, "=", v) for v in values])
    constants = [pair(scope, left, v)[1].value for v in values]
    return found.sql.in_(several(constants, found.kind))  # type: ignore[no-any-return]


def _like(scope: Scope, left: Expression, pattern: Expression) -> sa.ColumnElement[bool]:
    subject, wanted = text(scope, left), text(scope, pattern)
    if not isinstance(wanted.value, str):
        raise FilterError("Mẫu so sánh phải là một giá trị chữ cố định.")
    if scope.embedded:
        # LIKE of SQLite takes a for A; GLOB does not.
        return subject.sql.bool_op("GLOB")(sa.literal(glob(wanted.value), sa.Text))  # type: ignore[no-any-return]
    return subject.sql.like(sa.literal(like(wanted.value), sa.Text), escape="\\")  # type: ignore[no-any-return]


# ---- rows by id


def _ids(scope: Scope, ids: tuple[int | str, ...]) -> sa.ColumnElement[bool]:
    numbers = sorted({n for n in (row_number(scope.layer.id, i) for i in ids) if n is not None})
    if not numbers:
        return sa.false()
    return scope.model.id.in_(several(numbers, Kind.NUMBER))  # type: ignore[no-any-return]


def row_number(layer_id: str, feature_id: int | str) -> int | None:
    """Return the row of a feature id such as `products.12`, or None when there can be none of that id.

    Raises FilterError with the locator RESOURCEID when the id is of another layer.
    """
    if isinstance(feature_id, int):
        return feature_id if 0 < feature_id <= LARGEST_INTEGER else None
    prefix, dot, rest = feature_id.rpartition(".")
    if dot and prefix != layer_id:
        raise FilterError(
            "Mã đối tượng “%(id)s” không thuộc lớp “%(layer)s”.",
            locator="RESOURCEID",
            id=feature_id[:80],
            layer=layer_id,
        )
    if not (rest.isascii() and rest.isdigit() and len(rest) < 19):
        return None
    return int(rest)
