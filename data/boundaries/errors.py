"""The one error of a boundary import, and how a refusal names a few of many units."""

from __future__ import annotations

from collections.abc import Sequence

from gis.errors import Refusal

SHOWN = 5


class BoundaryError(Refusal):
    """The boundaries cannot be taken over; the record is as it was."""


def some(values: Sequence[object]) -> str:
    """Name the first few of many values in one line."""
    shown = ", ".join(str(value) for value in values[:SHOWN])
    return f"{shown}, …" if len(values) > SHOWN else shown
