"""The filter algebra: one small tree that every request dialect becomes.

Source of the operators: OGC 21-065r2 (CQL2), clauses 6 to 8, and OGC 09-026r2 (Filter Encoding 2.0), clause 7.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import shapely

from gis.errors import Refusal

Scalar: TypeAlias = str | int | float | bool | dt.date | dt.datetime

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")

#: The names that stand for a row's geometry in every dialect.
GEOMETRY_NAMES = frozenset({"geometry", "geom"})


class FilterError(Refusal):
    """A filter cannot be read, names an unknown field, or compares it with a value of another kind.

    `locator` names the part of the request that is wrong, as exception reports of WFS want it.
    """

    def __init__(self, message: str, *, locator: str = "filter", **facts: object) -> None:
        super().__init__(message, **facts)
        self.locator = locator


# ---- expressions


@dataclass(frozen=True)
class Property:
    """The value of a field, or the geometry of the row."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A value. When it is not `typed` it was written as text and takes the kind of what it is compared with."""

    value: Scalar | None
    typed: bool = True
    kind: type = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # 1, 1.0 and True are equal in Python, and a statement made for one must not serve the others.
        object.__setattr__(self, "kind", type(self.value))


@dataclass(frozen=True)
class Shape:
    """A constant geometry, lon/lat, 2D, valid and not empty."""

    geometry: shapely.Geometry


@dataclass(frozen=True)
class Instant:
    """A constant moment: an aware datetime, or a date, which stands for its whole day in UTC."""

    value: dt.date | dt.datetime


@dataclass(frozen=True)
class Interval:
    """A span of time with both ends included; None is open."""

    start: Expression | None
    end: Expression | None


@dataclass(frozen=True)
class Function:
    """A named function applied to expressions."""

    name: str
    args: tuple[Expression, ...]


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers joined by one of + - * / ^ % div."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class CaseI:
    """A text without regard to case."""

    operand: Expression


@dataclass(frozen=True)
class AccentI:
    """A text without regard to marks: đ is d."""

    operand: Expression


@dataclass(frozen=True)
class Array:
    """Several values as one."""

    items: tuple[Expression, ...]


Expression: TypeAlias = (
    Property | Literal | Shape | Instant | Interval | Function | Arithmetic | CaseI | AccentI | Array
)
Operand: TypeAlias = Expression | Scalar


def reference(operand: Operand) -> Expression:
    """Return the left side of a predicate: a plain text names a field."""
    return Property(operand) if isinstance(operand, str) else value(operand)


def value(operand: Operand) -> Expression:
    """Return the right side of a predicate: a plain value takes the kind of what it is compared with."""
    if isinstance(operand, str | int | float | dt.date):
        return Literal(operand, typed=False)
    return operand


# ---- predicates


@dataclass(frozen=True)
class Comparison:
    """An expression compared with another; a plain text on the left names a field."""

    left: Operand
    operator: str
    right: Operand

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", reference(self.left))
        object.__setattr__(self, "right", value(self.right))


@dataclass(frozen=True)
class IsIn:
    """An expression equal to one of several values."""

    left: Operand
    values: tuple[Operand, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", reference(self.left))
        object.__setattr__(self, "values", tuple(value(v) for v in self.values))


@dataclass(frozen=True)
class Between:
    """An expression within two bounds, both included."""

    left: Operand
    lower: Operand
    upper: Operand

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", reference(self.left))
        object.__setattr__(self, "lower", value(self.lower))
        object.__setattr__(self, "upper", value(self.upper))


@dataclass(frozen=True)
class IsLike:
    """A text matching a pattern in which % is any text, _ any character and the backslash escapes both."""

    left: Operand
    pattern: Operand

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", reference(self.left))
        object.__setattr__(self, "pattern", value(self.pattern))


@dataclass(frozen=True)
class IsNull:
    """An expression without a value."""

    left: Operand

    def __post_init__(self) -> None:
        object.__setattr__(self, "left", reference(self.left))


@dataclass(frozen=True)
class Not:
    """The opposite of a filter; of what is unknown it is unknown."""

    operand: Filter


@dataclass(frozen=True)
class Combination:
    """Filters that must all hold ("and"), or of which one must ("or")."""

    operator: str
    operands: tuple[Filter, ...]


@dataclass(frozen=True)
class Spatial:
    """Two geometries in a relation: s_intersects …, or s_dwithin and s_beyond with a distance in metres."""

    operator: str
    left: Expression
    right: Expression
    distance_m: float | None = None


@dataclass(frozen=True)
class Temporal:
    """Two moments or intervals in a relation: t_after, t_during …"""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class ArrayPredicate:
    """Two arrays in a relation: a_equals, a_contains, a_containedby, a_overlaps."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Ids:
    """Rows by their numbers, or by feature ids such as `products.12`."""

    ids: tuple[int | str, ...]


@dataclass(frozen=True)
class Always:
    """All rows, or none."""

    holds: bool


Filter: TypeAlias = (
    Comparison
    | IsIn
    | Between
    | IsLike
    | IsNull
    | Not
    | Combination
    | Spatial
    | Temporal
    | ArrayPredicate
    | Ids
    | Always
)


# ---- questions about a tree


def all_of(*filters: Filter | None) -> Filter | None:
    """Join filters by "and", leaving out the empty ones."""
    present = tuple(f for f in filters if f is not None)
    if not present:
        return None
    return present[0] if len(present) == 1 else Combination("and", present)


def walk(node: object) -> Iterator[Any]:
    """Yield every predicate and expression of a tree."""
    pending: list[object] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, tuple):
            pending.extend(current)
        elif dataclasses.is_dataclass(current):
            yield current
            pending.extend(getattr(current, f.name) for f in dataclasses.fields(current))


def names_in(node: Filter | None) -> set[str]:
    """Return the fields that a filter mentions."""
    return {part.name for part in walk(node) if isinstance(part, Property)}


def names_rows(node: Filter | None) -> bool:
    """Tell whether a filter asks for rows by their ids."""
    return any(isinstance(part, Ids) for part in walk(node))


def is_small(node: Filter | None, most: int = 64) -> bool:
    """Tell whether a filter is worth remembering: few parts, and no geometry or ids, which rarely come again."""
    count = 0
    for part in walk(node):
        count += 1 + (len(part.values) if isinstance(part, IsIn) else 0)
        if count > most or isinstance(part, Shape | Ids):
            return False
        if isinstance(part, Literal) and isinstance(part.value, str) and len(part.value) > 200:
            return False
    return True
