"""Attribute columns as the key and value dictionary of a vector tile layer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import Enum
from itertools import compress, count
from math import isnan
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import orjson

from gis.mvt.varint import Integers, encode_one

Plain = str | bool | int | float

_NOTHING = type(None)
_ALWAYS_A_VALUE = frozenset({str, bool, int})
_DOUBLE = struct.Struct("<d")


def dictionary(columns: Mapping[str, Any], kept: npt.NDArray[np.bool_]) -> tuple[Integers, bytes]:
    """The value index of every kept row and column (N, K; -1 where there is none), and the encoded values.

    `kept` is a mask over the rows. None, NaN and NaT are no value. Dates become ISO 8601 text,
    decimals numbers, lists and mappings JSON text, anything else its text.
    """
    tags: list[Integers] = []
    values: list[bytes] = []
    total = 0
    everything, mask = bool(kept.all()), kept.tolist()
    for column in columns.values():
        rows = as_list(column)
        if not everything:
            rows = list(compress(rows, mask))
        local, distinct = _column(rows)
        tags.append(np.where(local < 0, -1, local + total) if total else local)
        values.append(_encode_values(distinct))
        total += len(distinct)
    matrix = np.stack(tags, axis=1) if tags else np.empty((sum(mask), 0), np.int64)
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


def _column(rows: Sequence[Any]) -> tuple[Integers, list[Plain]]:
    """The distinct values of one column, and the index of every row's value among them, -1 for none."""
    try:
        distinct = dict.fromkeys(rows)
    except TypeError:
        rows = [_hashable(value) for value in rows]
        distinct = dict.fromkeys(rows)
    distinct.pop(None, None)
    kinds = set(map(type, distinct))
    if kinds - {str} and len(set(map(type, rows)) - {_NOTHING}) > 1:
        # True, 1 and 1.0 are the same dictionary key in Python, but three different values in a tile.
        rows = [None if value is None else (type(value), value) for value in rows]
        distinct = dict.fromkeys(rows)
        distinct.pop(None, None)
        plain = [_plain(value) for _, value in distinct]
    elif kinds <= _ALWAYS_A_VALUE:
        plain = list(distinct)
    elif kinds == {float}:
        plain = [None if isnan(value) else value for value in distinct]
    else:
        plain = [_plain(value) for value in distinct]
    index: dict[Any, int]
    values = [value for value in plain if value is not None]
    if len(values) == len(plain):
        index = dict(zip(distinct, range(len(values)), strict=True))
    else:
        numbers = count()
        index = {
            key: -1 if value is None else next(numbers) for key, value in zip(distinct, plain, strict=True)
        }
    index[None] = -1
    return np.fromiter(map(index.__getitem__, rows), np.int64, len(rows)), values


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return value


def _plain(value: Any) -> Plain | None:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, date | time):
        text = value.isoformat()
        return None if text == "NaT" else text
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return None if isnan(value) else value
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def _encode_values(values: Sequence[Plain]) -> bytes:
    kinds = set(map(type, values))
    if kinds == {float}:
        records = np.empty((len(values), 11), np.uint8)
        records[:, :3] = (0x22, 0x09, 0x19)
        records[:, 3:] = np.array(values, "<f8").view(np.uint8).reshape(-1, 8)
        return records.tobytes()
    if kinds == {str}:
        texts = list(map(str.encode, cast(Sequence[str], values)))
        if max(map(len, texts)) < len(_TEXT_HEADS):
            return b"".join([_TEXT_HEADS[len(text)] + text for text in texts])
    return b"".join(map(_encode_value, values))


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


def _text_head(size: int) -> bytes:
    inner = b"\x0a" + encode_one(size)
    return b"\x22" + encode_one(len(inner) + size) + inner


_TEXT_HEADS = [_text_head(size) for size in range(1024)]
