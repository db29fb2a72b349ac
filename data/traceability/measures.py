"""Quantities of lots: units by their UN/ECE code, the words people write for them, and what a package holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from data.text import fold

#: Unit code (UN/ECE Recommendation 20) → (dimension, how much of the dimension's base it is).
UOMS: Mapping[str, tuple[str, float]] = {
    "KGM": ("mass", 1.0),
    "GRM": ("mass", 0.001),
    "TNE": ("mass", 1000.0),
    "LTR": ("volume", 1.0),
    "MLT": ("volume", 0.001),
    "EA": ("count", 1.0),
}
#: The unit that a dimension is told in.
BASES: Mapping[str, str] = {"mass": "KGM", "volume": "LTR", "count": "EA"}
NAMES: Mapping[str, str] = {"KGM": "kg", "GRM": "g", "TNE": "tấn", "LTR": "lít", "MLT": "ml", "EA": "cái"}
_WORDS: Mapping[str, str] = {
    "kg": "KGM", "ki lo": "KGM", "kilogam": "KGM", "g": "GRM", "gam": "GRM", "gram": "GRM",
    "tan": "TNE", "lit": "LTR", "l": "LTR", "ml": "MLT",
}  # fmt: skip
_CONTENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*(kg|g|gam|gram|ml|l|lit)(?![a-z])")


@dataclass(frozen=True)
class Amount:
    """How much of a dimension: mass in kg, volume in litres, or pieces."""

    value: float
    dimension: str


def uom_of(unit: str | None) -> str:
    """Return the code of a unit that people write ("kg", "lít", "gói"); what is no measure is counted: EA."""
    return _WORDS.get(fold(unit or ""), "EA")


def name_of(uom: str | None, each: str | None = None) -> str:
    """Return how people write a unit code; pieces by the name that the lot gives them."""
    if uom is None or uom == "EA":
        return each or NAMES["EA"]
    return NAMES.get(uom, uom)


def amount(quantity: float | None, uom: str | None) -> Amount | None:
    """Return a quantity of an event in its dimension's base; None for no quantity or a unit that is not known.

    An event that names no unit counts pieces (EPCIS 2.0, quantityElement).
    """
    known = UOMS.get(uom or "EA")
    if quantity is None or known is None:
        return None
    return Amount(quantity * known[1], known[0])


def content_of(packaging: str | None) -> Amount | None:
    """Return what one package holds by its description ("gói 200 g", "chai 500 ml"); None where none is told."""
    found = _CONTENT.search(fold(packaging or ""))
    if found is None:
        return None
    return amount(float(found[1].replace(",", ".")), uom_of(found[2]))


def in_uom(value: Amount, uom: str) -> float | None:
    """Return an amount in a unit of the same dimension, None across dimensions."""
    dimension, factor = UOMS.get(uom, ("", 1.0))
    return value.value / factor if dimension == value.dimension else None
