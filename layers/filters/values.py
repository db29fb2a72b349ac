"""The kinds of values, and how a constant becomes a value of a kind."""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
from collections.abc import Callable
from typing import Any

from layers.fields import Field, FieldType, Label
from layers.filters.moments import moment
from layers.filters.nodes import FilterError, Instant, Literal, Scalar

LARGEST_INTEGER = 2**63 - 1

_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class Kind(enum.Enum):
    """What can be compared with what."""

    TEXT = Label("chữ", "text")
    NUMBER = Label("số", "number")
    BOOLEAN = Label("đúng/sai", "true/false")
    DATE = Label("ngày", "date")
    MOMENT = Label("thời điểm", "moment")
    GEOMETRY = Label("hình", "geometry")


KINDS: dict[FieldType, Kind] = {
    FieldType.STRING: Kind.TEXT,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.MOMENT,
}
TIMES = (Kind.DATE, Kind.MOMENT)


# ---- values of fields


def cast(field: Field, value: Scalar) -> Scalar:
    """Turn a value, often text from an address, into the field's type; FilterError when it cannot be."""
    try:
        return _CASTS[field.type](value)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
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
    if abs(number) > LARGEST_INTEGER or float(value) != number:
        raise ValueError(value)
    return number


def _text(value: Any) -> str:
    text = str(value)
    if "\x00" in text:
        raise ValueError(value)
    return text


_CASTS: dict[FieldType, Callable[[Any], Scalar]] = {
    FieldType.STRING: _text,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}


# ---- constants in filters


def kind_of(constant: Literal | Instant) -> Kind | None:
    """Return the kind of a constant, or None when what it is compared with decides."""
    value = constant.value
    if value is None:
        raise FilterError("Không so sánh được với NULL; hãy dùng IS NULL.")
    if isinstance(constant, Literal) and not constant.typed:
        return None
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, dt.datetime):
        return Kind.MOMENT
    return Kind.DATE if isinstance(value, dt.date) else Kind.TEXT


def as_kind(constant: Literal | Instant, kind: Kind) -> Scalar:
    """Return a constant as a value to be compared with values of a kind.

    A date may be compared with moments and the other way round. Raises FilterError when kinds do not go together.
    """
    own, value = kind_of(constant), constant.value
    try:
        if kind in TIMES and (own in TIMES or isinstance(value, str)):
            return moment(value) if isinstance(value, str) else value  # type: ignore[return-value]
        if own is None or own is kind:
            return _OF_KIND[kind](value)
    except (ValueError, KeyError, OverflowError, FilterError):
        pass
    raise FilterError(
        "Không so sánh được “%(value)s” với một giá trị kiểu %(kind)s.", value=_short(value), kind=kind.value
    )


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMERAL.fullmatch(value.strip())):
        raise ValueError(value)
    try:
        return _integer(value)
    except ValueError:
        number = float(value)
        if not math.isfinite(number):
            raise
        return number


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


_OF_KIND: dict[Kind, Callable[[Any], Scalar]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
}
