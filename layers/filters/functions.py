"""The functions that filters may call, each declared once: arguments, result and SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from layers.fields import Label
from layers.filters.values import Kind


@dataclass(frozen=True)
class Declared:
    """A function: the kinds that each argument may have, the kind it returns, and SQL for (embedded, arguments)."""

    name: str
    title: Label
    arguments: tuple[tuple[Kind, ...], ...]
    returns: Kind
    sql: Callable[..., Any]


def _part(name: str, first: int, last: int) -> Callable[..., Any]:
    """A part of a date: from ISO text in a GeoPackage, by `date_part` (UTC) in PostgreSQL."""

    def sql(embedded: bool, column: Any) -> Any:
        if embedded:
            digits = sa.func.substr(sa.type_coerce(column, sa.Text), first, last - first + 1)
            return sa.cast(digits, sa.BigInteger)
        return sa.cast(sa.func.date_part(name, column), sa.BigInteger)

    return sql


_TIMES = (Kind.DATE, Kind.MOMENT)

_ALL = (
    Declared(
        "lower",
        Label("Chữ thường", "Lower case"),
        ((Kind.TEXT,),),
        Kind.TEXT,
        lambda embedded, text: sa.func.ocop_lower(text, type_=sa.Text),
    ),
    Declared(
        "upper",
        Label("Chữ hoa", "Upper case"),
        ((Kind.TEXT,),),
        Kind.TEXT,
        lambda embedded, text: sa.func.ocop_upper(text, type_=sa.Text),
    ),
    Declared(
        "length",
        Label("Số ký tự", "Number of characters"),
        ((Kind.TEXT,),),
        Kind.NUMBER,
        lambda embedded, text: sa.func.length(text, type_=sa.BigInteger),
    ),
    Declared(
        "abs",
        Label("Giá trị tuyệt đối", "Absolute value"),
        ((Kind.NUMBER,),),
        Kind.NUMBER,
        lambda embedded, number: sa.func.abs(sa.cast(number, sa.Double), type_=sa.Double),
    ),
    Declared("year", Label("Năm", "Year"), (_TIMES,), Kind.NUMBER, _part("year", 1, 4)),
    Declared("month", Label("Tháng", "Month"), (_TIMES,), Kind.NUMBER, _part("month", 6, 7)),
    Declared(
        "day", Label("Ngày trong tháng", "Day of the month"), (_TIMES,), Kind.NUMBER, _part("day", 9, 10)
    ),
)

FUNCTIONS: dict[str, Declared] = {function.name: function for function in _ALL}
