"""What an EPCIS event says of things: which ones it names, in which role, and how much of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data.traceability.identifiers import canonical
from gis.errors import Refusal

EPC, INPUT, OUTPUT, CHILD, PARENT = "epc", "input", "output", "child", "parent"

#: Lists of an event in the order in which they are kept: field, role, whether it holds quantity elements.
_LISTS = (
    ("outputEPCList", OUTPUT, False),
    ("outputQuantityList", OUTPUT, True),
    ("inputEPCList", INPUT, False),
    ("inputQuantityList", INPUT, True),
    ("childEPCs", CHILD, False),
    ("childQuantityList", CHILD, True),
    ("epcList", EPC, False),
    ("quantityList", EPC, True),
)


@dataclass(frozen=True)
class Thing:
    """A thing named in an event, under its canonical name; quantity and unit (UN/ECE code) where they are told."""

    uri: str
    role: str
    quantity: float | None = None
    uom: str | None = None


def things_of(event: Mapping[str, Any], names: dict[str, str] | None = None) -> list[Thing]:
    """List the things that a valid event names; `names` remembers canonical names between events."""
    known = {} if names is None else names
    return [
        Thing(known.get(uri) or known.setdefault(uri, canonical(uri)), role, quantity, uom)
        for uri, role, quantity, uom in _named(event)
    ]


def _named(event: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None, str | None]]:
    parent = event.get("parentID")
    if isinstance(parent, str):
        yield parent, PARENT, None, None
    for field, role, with_quantity in _LISTS:
        for entry in event.get(field) or ():
            if with_quantity:
                yield entry["epcClass"], role, _number(entry.get("quantity")), entry.get("uom")
            else:
                yield entry, role, None, None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def place_of(event: Mapping[str, Any], field: str) -> str | None:
    """Return the canonical name of an event's `readPoint` or `bizLocation`."""
    place = event.get(field)
    name = place.get("id") if isinstance(place, Mapping) else None
    return canonical(name) if isinstance(name, str) else None


def moment(text: str) -> dt.datetime:
    """Read a moment with its zone (RFC 3339) as UTC with whole milliseconds; raises Refusal for any other text."""
    try:
        read = dt.datetime.fromisoformat(text.replace("t", "T").replace("z", "Z"))
        if read.tzinfo is None:
            raise ValueError
        read = read.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal("Thời điểm “%(text)s” phải có dạng 2026-11-23T08:00:00+07:00.", text=text) from error
    return read.replace(microsecond=read.microsecond // 1000 * 1000)
