"""The filters above the attribute table: one short text per field, and CQL2 for the rest, as one filter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from data.accounts import Actor
from layers.fields import Field, FieldType, Layer
from layers.filters import (
    AccentI,
    Between,
    CaseI,
    Comparison,
    Filter,
    FilterError,
    IsLike,
    IsNull,
    Literal,
    Not,
    Property,
    all_of,
    cast,
)
from layers.filters.cql2 import parse_text

PREFIX = "f."
EMPTY, FILLED = "-", "*"
_ORDERED = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME)
_COMPARISON = re.compile(r"(>=|<=|<>|=|>|<)\s*(.+)")


def texts_of(layer: Layer, actor: Actor, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed above each column, by field name."""
    found = {}
    for field in layer.readable_fields(actor):
        text = arguments.get(PREFIX + field.name, "").strip()
        if text and field.queryable:
            found[field.name] = text
    return found


def filter_of(layer: Layer, texts: Mapping[str, str], cql: str = "") -> Filter | None:
    """Return the filter of all texts together; raises FilterError for what cannot be read."""
    parts = [_of_field(layer.field(name), text) for name, text in texts.items()]
    return all_of(*parts, parse_text(cql) if cql.strip() else None)


def _of_field(field: Field, text: str) -> Filter:
    if text == EMPTY:
        return IsNull(field.name)
    if text == FILLED:
        return Not(IsNull(field.name))
    if field.type in _ORDERED:
        return _of_order(field, text)
    if field.codes or field.type == FieldType.BOOLEAN:
        return Comparison(field.name, "=", _typed(field, text))
    if text.startswith("="):
        return Comparison(field.name, "=", text[1:].strip())
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
    return IsLike(AccentI(CaseI(Property(field.name))), AccentI(CaseI(Literal(pattern))))


def _of_order(field: Field, text: str) -> Filter:
    if ".." in text:
        low, high = (part.strip() for part in text.split("..", 1))
        if low and high:
            return Between(field.name, _typed(field, low), _typed(field, high))
        return Comparison(field.name, ">=" if low else "<=", _typed(field, low or high))
    found = _COMPARISON.fullmatch(text)
    operator, value = found.groups() if found else ("=", text)
    return Comparison(field.name, operator, _typed(field, value))


def _typed(field: Field, text: str) -> str:
    """Return a value as filters write it, after a look at whether it fits the field. Raises FilterError."""
    plain = text.strip()
    if field.type in (FieldType.INTEGER, FieldType.NUMBER):
        plain = plain.replace(",", ".")
    if field.type == FieldType.DATE and (day := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", plain)):
        plain = f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}"
    if field.type == FieldType.DATETIME:
        return plain
    try:
        cast(field, plain)
    except FilterError:
        raise FilterError(
            "Ô lọc “%(title)s” không hiểu “%(value)s”; hãy viết như 5, >5, 2..5, - (để trống) hoặc * (có giá trị).",
            title=field.title,
            value=text,
        ) from None
    return plain
