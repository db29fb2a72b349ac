"""Base-128 varints of protocol buffers, one by one and for whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[Any]
"""Whole numbers of 32 or 64 bits."""

Octets = npt.NDArray[np.uint8]


def encode_one(value: int) -> bytes:
    """The varint of one non-negative integer below 2**64."""
    octets = bytearray()
    while value > 127:
        octets.append((value & 127) | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def delimited(field: int, payload: bytes) -> bytes:
    """A length-delimited field (wire type 2) of a message."""
    return encode_one(field << 3 | 2) + encode_one(len(payload)) + payload


def lengths(values: Integers) -> Integers:
    """How many octets the varint of each non-negative value takes, 1 to 9."""
    counts = np.ones(len(values), np.int64)
    if not len(values):
        return counts
    largest = int(values.max())
    for shift in range(7, 63, 7):
        if largest < 1 << shift:
            break
        counts += values >= (1 << shift)
    return counts


def encode(values: Integers) -> Octets:
    """The varints of all non-negative values, one after the other."""
    counts = lengths(values)
    ends = np.cumsum(counts)
    octets = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - counts
    octets[starts] = (values & 127) | ((counts > 1) << 7)
    rest = np.flatnonzero(counts > 1)
    position = 1
    while len(rest):
        more = counts[rest] > position + 1
        octets[starts[rest] + position] = ((values[rest] >> (7 * position)) & 127) | (more << 7)
        rest = rest[more]
        position += 1
    return octets


def zigzag(values: Integers) -> Integers:
    """Signed integers folded into non-negative ones: 0, -1, 1, -2 become 0, 1, 2, 3."""
    folded: Integers = (values << 1) ^ (values >> 63)
    return folded


def spans(starts: Any, counts: Integers) -> Integers:
    """The indexes start, start + 1, … of every span, count after count."""
    offsets = np.cumsum(counts) - counts
    indexes: Integers = np.repeat(starts - offsets, counts) + np.arange(int(counts.sum()))
    return indexes


def run_starts(values: Integers) -> Integers:
    """Index of the first of every run of equal values."""
    return np.flatnonzero(np.concatenate((values[:1] == values[:1], values[1:] != values[:-1])))
