"""Attribute columns as the key and value dictionary of a vector tile layer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from gis.mvt.varint import Integers, encode_one

Plain = str | bool | int | float

_NOTHING = type(None)
_PLAIN_TYPES = frozenset({str, bool, int, float})
_DOUBLE = struct.Struct("<d")


def dictionary(columns: Mapping[str, Any], kept: npt.NDArray[np.bool_]) -> tuple[Integers, bytes]:
    """The value index of every kept row and column (N, K; -1 where there is none), and the encoded values.

    `kept` is a mask over the rows. None, NaN and NaT are no value. Dates become ISO 8601 text,
    decimals numbers, lists and mappings JSON text, anything else its text.
    """
    tags: list[Integers] = []
    values: list[bytes] = []
    count, everything, mask = int(kept.sum()), bool(kept.all()), kept.tolist()
    for column in columns.values():
        rows = as_list(column)
        if not everything:
            rows = list(compress(rows, mask))
        local, encoded = _column(rows, len(values))
        tags.append(local)
        values.extend(encoded)
    matrix = np.stack(tags, axis=1) if tags else np.empty((count, 0), np.int64)
    return matrix, b"".join(values)


def as_list(column: Any) -> Sequence[Any]:
    """A column as Python values; NumPy's missing dates become None."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            texts = np.datetime_as_string(column).tolist()
            return [None if text == "NaT" else text for text in texts]
        return list(column.tolist())
    if isinstance(column, list | tuple):
        return column
    return list(column)


def _column(rows: Sequence[Any], base: int) -> tuple[Integers, list[bytes]]:
    """Value indexes of one column counted from `base`, and its encoded values in that order."""
    try:
        distinct = dict.fromkeys(rows)
    except TypeError:
        rows = [_hashable(value) for value in rows]
        distinct = dict.fromkeys(rows)
    distinct.pop(None, None)
    kinds = set(map(type, distinct))
    if kinds - {str} and len(kinds := set(map(type, rows)) - {_NOTHING}) > 1:
        # True, 1 and 1.0 are the same dictionary key in Python, but three different values in a tile.
        rows = [None if value is None else (type(value), value) for value in rows]
        distinct = dict.fromkeys(rows)
        distinct.pop(None, None)
        plain = [_plain(value) for _, value in distinct]
    elif kinds <= _PLAIN_TYPES:
        plain = list(distinct)
    else:
        plain = [_plain(value) for value in distinct]
    index: dict[Any, int] = dict(zip(distinct, range(base, base + len(distinct)), strict=True))
    if not kinds <= {str, int, bool} and None in (plain := [_without_nan(value) for value in plain]):
        present = [key for key, value in zip(distinct, plain, strict=True) if value is not None]
        index = dict.fromkeys(distinct, -1) | dict(
            zip(present, range(base, base + len(present)), strict=True)
        )
        plain = [value for value in plain if value is not None]
    index[None] = -1
    return np.fromiter(map(index.__getitem__, rows), np.int64, len(rows)), _encode_values(plain, kinds)


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return value


def _plain(value: Any) -> Plain | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _without_nan(value: Any) -> Any:
    return None if value != value or value == "NaT" else value


def _encode_values(values: Sequence[Any], kinds: set[type]) -> list[bytes]:
    if kinds == {str}:
        return [_text_head(len(text)) + text for text in map(str.encode, values)]
    if kinds == {float}:
        return [b"\x22\x09\x19" + _DOUBLE.pack(value) for value in values]
    return [_encode_value(value) for value in values]


def _encode_value(value: Plain) -> bytes:
    """One value as field 4 of a layer; the variant follows its type (MVT 2.1 §4.1)."""
    if isinstance(value, bool):
        return b"\x22\x02\x38\x01" if value else b"\x22\x02\x38\x00"
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 64:
        # uint_value, or sint_value: int_value would spend ten octets on every negative number.
        number = b"\x28" + encode_one(value) if value >= 0 else b"\x30" + encode_one(-2 * value - 1)
        return b"\x22" + encode_one(len(number)) + number
    if isinstance(value, float):
        return b"\x22\x09\x19" + _DOUBLE.pack(value)
    text = str(value).encode()
    return _text_head(len(text)) + text


@lru_cache(maxsize=1024)
def _text_head(size: int) -> bytes:
    inner = b"\x0a" + encode_one(size)
    return b"\x22" + encode_one(len(inner) + size) + inner
