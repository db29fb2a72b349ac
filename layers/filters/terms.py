"""Expressions as SQL: fields, constants, functions and arithmetic, each with its kind."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from data import spatial, sqlfunctions
from data.columns import Moment
from data.text import bare
from layers.fields import Field, Layer
from layers.filters.functions import FUNCTIONS
from layers.filters.nodes import (
    GEOMETRY_NAMES,
    AccentI,
    Arithmetic,
    CaseI,
    Expression,
    FilterError,
    Function,
    Instant,
    Literal,
    Property,
    Scalar,
    Shape,
)
from layers.filters.values import KINDS, Kind, as_kind, kind_of


class Scope(Protocol):
    """What an expression is compiled for: a layer as one caller may see it, on one kind of database."""

    layer: Layer
    model: Any
    embedded: bool

    def lookup(self, name: str) -> tuple[Field, sa.ColumnElement[Any]]:
        """Return the field and SQL of a queryable; FilterError for names the caller may not ask."""


class Term(NamedTuple):
    """An expression in SQL, its kind, and its value when it is a constant."""

    sql: Any
    kind: Kind
    value: Scalar | None = None


_SQL_TYPES: dict[Kind, Any] = {
    Kind.TEXT: sa.Text(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.DATE: sa.Date(),
    Kind.MOMENT: Moment(),
}


def constant(value: Scalar, kind: Kind) -> Term:
    """Return a constant of a kind; a date among moments, or a moment among dates, keeps its own kind."""
    if kind is Kind.NUMBER:
        return Term(
            sa.literal(value, sa.BigInteger() if isinstance(value, int) else sa.Double()), kind, value
        )
    if kind in (Kind.DATE, Kind.MOMENT):
        kind = Kind.MOMENT if hasattr(value, "hour") else Kind.DATE
    if kind is Kind.TEXT:
        value = unicodedata.normalize("NFC", str(value))
    return Term(sa.literal(value, _SQL_TYPES[kind]), kind, value)


def several(values: Sequence[Scalar | None], kind: Kind) -> Any:
    """Return a list of constants of a kind for IN; types are named, lest numbers be squeezed into a column's."""
    type_: Any = _SQL_TYPES.get(kind)
    if kind is Kind.NUMBER:
        type_ = sa.BigInteger() if all(isinstance(v, int) for v in values) else sa.Double()
    if kind is Kind.TEXT:
        values = [unicodedata.normalize("NFC", str(v)) for v in values]
    return sa.bindparam("several", list(values), type_=type_, expanding=True, unique=True)


def is_geometry(scope: Scope, expression: Expression) -> bool:
    """Tell whether an expression names the geometry of the row."""
    return (
        isinstance(expression, Property)
        and expression.name in GEOMETRY_NAMES
        and all(f.name != expression.name for f in scope.layer.fields)
    )


def term(scope: Scope, expression: Expression, wanted: Kind | None = None) -> Term:
    """Compile an expression; a constant written as text becomes one of the `wanted` kind.

    Raises FilterError for unknown fields and functions, and for operands of the wrong kind.
    """
    match expression:
        case Property(name):
            if is_geometry(scope, expression):
                return Term(spatial.raw_geometry(scope.model), Kind.GEOMETRY)
            field, column = scope.lookup(name)
            return Term(column, KINDS[field.type])
        case Literal() | Instant():
            kind = wanted or kind_of(expression) or Kind.TEXT
            return constant(as_kind(expression, kind), kind)
        case CaseI(operand):
            return _text(scope, operand, sqlfunctions.lower, sa.func.ocop_lower)
        case AccentI(operand):
            return _text(scope, operand, bare, sa.func.ocop_bare)
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, number(scope, left), number(scope, right))
        case Function(name, args):
            return _function(scope, name, args)
        case Shape():
            raise FilterError("Hình chỉ dùng được trong phép so sánh không gian.")
        case _:
            raise FilterError("Khoảng thời gian và mảng không dùng được trong phép so sánh này.")


def pair(scope: Scope, left: Expression, right: Expression) -> tuple[Term, Term]:
    """Compile two expressions that are compared; a constant takes the kind of the other side."""
    if isinstance(left, Literal | Instant) and not isinstance(right, Literal | Instant):
        other = term(scope, right)
        return term(scope, left, other.kind), other
    first = term(scope, left, _kind(right) if isinstance(left, Literal) else None)
    wanted = first.kind if isinstance(right, Literal | Instant) else None
    return first, term(scope, right, wanted)


def _kind(expression: Expression) -> Kind | None:
    return kind_of(expression) if isinstance(expression, Literal | Instant) else None


def number(scope: Scope, expression: Expression) -> Term:
    """Compile an expression that must be a number."""
    found = term(scope, expression, Kind.NUMBER)
    if found.kind is not Kind.NUMBER:
        raise FilterError(
            "Chỉ tính được với số, không phải với giá trị kiểu %(kind)s.", kind=found.kind.value
        )
    return found


def text(scope: Scope, expression: Expression) -> Term:
    """Compile an expression that must be text."""
    found = term(scope, expression, Kind.TEXT)
    if found.kind is not Kind.TEXT:
        if isinstance(expression, Property):
            raise FilterError(
                "Trường “%(field)s” không phải chữ nên không so mẫu được.", field=expression.name
            )
        raise FilterError("Cần một giá trị chữ, không phải kiểu %(kind)s.", kind=found.kind.value)
    return found


def _text(scope: Scope, operand: Expression, fold: Any, function: Any) -> Term:
    found = text(scope, operand)
    if isinstance(found.value, str):
        return constant(fold(found.value), Kind.TEXT)
    return Term(function(found.sql, type_=sa.Text), Kind.TEXT)


# ---- arithmetic


def _arithmetic(operator: str, left: Term, right: Term) -> Term:
    if left.value is not None and right.value is not None:
        return constant(_computed(operator, float(left.value), float(right.value)), Kind.NUMBER)  # type: ignore[arg-type]
    a, b = sa.cast(left.sql, sa.Double), sa.cast(right.sql, sa.Double)
    match operator:
        case "+" | "-" | "*":
            sql: Any = a.op(operator, return_type=sa.Double())(b)
        case "^":
            sql = sa.func.ocop_power(a, b, type_=sa.Double)
        case "/":
            sql = _quotient(a, b)
        case "div":
            sql = _whole(_quotient(a, b))
        case "%":
            sql = a - b * _whole(_quotient(a, b))
        case _:
            raise FilterError("Không có phép tính “%(operator)s”.", operator=operator)
    return Term(sa.sql.elements.Grouping(sql), Kind.NUMBER)


def _quotient(a: Any, b: Any) -> Any:
    """PostgreSQL fails when dividing by zero where SQLite gives NULL."""
    return a.op("/", return_type=sa.Double())(sa.func.nullif(b, 0.0, type_=sa.Double))


def _whole(sql: Any) -> Any:
    return sa.func.trunc(sql, type_=sa.Double)


def _computed(operator: str, a: float, b: float) -> float:
    try:
        result = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / b,
            "^": lambda: math.pow(a, b),
            "div": lambda: float(math.trunc(a / b)),
            "%": lambda: math.fmod(a, b),
        }[operator]()
        if not math.isfinite(result):
            raise OverflowError(operator)
    except (ArithmeticError, ValueError) as error:
        raise FilterError(
            "Phép tính “%(operator)s” trong bộ lọc không có kết quả.", operator=operator
        ) from error
    except KeyError:
        raise FilterError("Không có phép tính “%(operator)s”.", operator=operator) from None
    return int(result) if result.is_integer() and abs(result) < 2**53 else result


# ---- functions


def _function(scope: Scope, name: str, args: tuple[Expression, ...]) -> Term:
    declared = FUNCTIONS.get(name.lower())
    if declared is None:
        raise FilterError("Không có hàm “%(function)s”.", function=name[:60])
    if len(args) != len(declared.arguments):
        raise FilterError(
            "Hàm “%(function)s” cần %(count)s đối số.", function=declared.name, count=len(declared.arguments)
        )
    terms = [term(scope, arg, kinds[0]) for arg, kinds in zip(args, declared.arguments, strict=True)]
    for found, kinds in zip(terms, declared.arguments, strict=True):
        if found.kind not in kinds:
            raise FilterError(
                "Hàm “%(function)s” không nhận giá trị kiểu %(kind)s.",
                function=declared.name,
                kind=found.kind.value,
            )
    return Term(declared.sql(scope.embedded, *(t.sql for t in terms)), declared.returns)
