"""The filter algebra: one small tree that every request dialect becomes, and its compilation to SQL.

Source of the operators: OGC 21-065r2 (CQL2), clauses 6 and 7.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from gis.errors import Refusal
from layers.fields import Field, FieldType

Scalar: TypeAlias = str | int | float | bool | dt.date | dt.datetime
Lookup: TypeAlias = Callable[[str], tuple[Field, sa.ColumnElement[Any]]]

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


class FilterError(Refusal):
    """A filter names an unknown field or compares it with a value of another kind."""


@dataclass(frozen=True)
class Comparison:
    """A field compared with a value."""

    name: str
    operator: str
    value: Scalar


@dataclass(frozen=True)
class IsIn:
    """A field equal to one of several values."""

    name: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Between:
    """A field within two bounds, both included."""

    name: str
    lower: Scalar
    upper: Scalar


@dataclass(frozen=True)
class IsLike:
    """A text field matching a pattern with % and _."""

    name: str
    pattern: str


@dataclass(frozen=True)
class IsNull:
    """A field without a value."""

    name: str


@dataclass(frozen=True)
class Not:
    """The opposite of a filter."""

    operand: Filter


@dataclass(frozen=True)
class Combination:
    """Filters that must all hold ("and"), or of which one must ("or")."""

    operator: str
    operands: tuple[Filter, ...]


Filter: TypeAlias = Comparison | IsIn | Between | IsLike | IsNull | Not | Combination


def all_of(*filters: Filter | None) -> Filter | None:
    """Join filters by "and", leaving out the empty ones."""
    present = tuple(f for f in filters if f is not None)
    if not present:
        return None
    return present[0] if len(present) == 1 else Combination("and", present)


def names_in(node: Filter | None) -> set[str]:
    """Return the fields that a filter mentions."""
    match node:
        case None:
            return set()
        case Not(operand):
            return names_in(operand)
        case Combination(_, operands):
            return set().union(*(names_in(o) for o in operands))
        case _:
            return {node.name}


def to_sql(node: Filter, lookup: Lookup) -> sa.ColumnElement[bool]:
    """Compile a filter; `lookup` gives the field and SQL of a name and refuses names that may not be asked.

    Raises FilterError for unknown fields and for values of the wrong kind.
    """
    match node:
        case Comparison(name, operator, value):
            field, column = lookup(name)
            return _compare(column, operator, cast(field, value))
        case IsIn(name, values):
            field, column = lookup(name)
            return column.in_([cast(field, v) for v in values])
        case Between(name, lower, upper):
            field, column = lookup(name)
            return column.between(cast(field, lower), cast(field, upper))
        case IsLike(name, pattern):
            field, column = lookup(name)
            if field.type != FieldType.STRING:
                raise FilterError("Trường “%(field)s” không phải chữ nên không so mẫu được.", field=name)
            return column.like(pattern, escape="\\")
        case IsNull(name):
            return lookup(name)[1].is_(None)
        case Not(operand):
            return sa.not_(to_sql(operand, lookup))
        case Combination(operator, operands):
            join = sa.and_ if operator == "and" else sa.or_
            return join(*(to_sql(o, lookup) for o in operands))


def _compare(column: sa.ColumnElement[Any], operator: str, value: Any) -> sa.ColumnElement[bool]:
    if operator not in COMPARISONS:
        raise FilterError("Không có phép so sánh “%(operator)s”.", operator=operator)
    return column.bool_op("!=" if operator == "<>" else operator)(sa.literal(value, column.type))


def cast(field: Field, value: Scalar) -> Scalar:
    """Turn a value, often text from an address, into the field's type; FilterError when it cannot be."""
    try:
        return _CASTS[field.type](value)
    except (ValueError, TypeError, KeyError) as error:
        raise FilterError(
            "Giá trị “%(value)s” không hợp với trường “%(field)s” (%(type)s).",
            value=value,
            field=field.name,
            type=field.type.value,
        ) from error


def _boolean(value: Any) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]


def _date(value: Any) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def _datetime(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)


def _integer(value: Any) -> int:
    number = int(value)
    if abs(number) > 2**63 - 1 or float(value) != number:
        raise ValueError(value)
    return number


_CASTS: dict[FieldType, Callable[[Any], Scalar]] = {
    FieldType.STRING: str,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}
