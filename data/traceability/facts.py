"""What of an event can be asked for beside its columns and its things: one fact per value, under the name queries use.

A field of the standard goes by its own name (`bizTransaction_po`, `source_location`, `value_CEL`); an extension field
by its whole name (prefix resolved by the context), with the place where it stands before it: `ILMD:`, `INNER:`, …
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from data.traceability.identifiers import canonical

#: Longer texts are kept as their beginning and a digest, since an index of PostgreSQL takes no long ones.
LONGEST_TEXT: Final = 600
KEPT_OF_LONG_TEXT: Final = 200
#: An event that says more than this is answered by its columns only.
MOST_FACTS: Final = 2_000

#: Prefixes that mean something in every EPCIS document, and ours.
NAMESPACES: Final[Mapping[str, str]] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
    "ocop": "urn:ocop:terms:",
}
SENSOR_TEXTS: Final = (
    "type",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "bizRules",
    "microorganism",
    "chemicalSubstance",
    "component",
    "exception",
    "stringValue",
    "booleanValue",
    "hexBinaryValue",
    "uriValue",
)
SENSOR_NUMBERS: Final = ("value", "minValue", "maxValue", "meanValue", "sDev", "percValue")
SENSOR_TIMES: Final = ("time", "startTime", "endTime")

_VOCABULARIES: Final = (
    re.compile(r"^https?://(?:ref|ns)\.gs1\.org/cbv/[A-Za-z]+-([a-z_]+)$"),
    re.compile(r"^urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt|er):([a-z_]+)$"),
    re.compile(r"^cbv:[A-Za-z]+-([a-z_]+)$"),
    re.compile(r"^(?:gs1:|https?://(?:www\.)?gs1\.org/voc/)([A-Za-z_]+)$"),
)
_NUMBER = re.compile(r"^[+-]?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$")
_TIME = re.compile(r"^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?$")
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True)
class Fact:
    """One searchable value of an event: as text, and as number and time where it can be read so."""

    name: str
    text: str | None = None
    number: float | None = None
    time: dt.datetime | None = None


def facts_of(event: Mapping[str, Any], context: Sequence[Any] = ()) -> list[Fact]:
    """List what an event can be found by beside its columns and its things, each fact once.

    `context` is the document's; the event's own `@context` goes before it.
    """
    prefixes = prefixes_of([*context, *_items(event.get("@context"))])
    found: dict[Fact, None] = {}
    for fact in _all(event, prefixes):
        found.setdefault(fact)
        if len(found) >= MOST_FACTS:
            break
    return list(found)


def _all(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> Iterator[Fact]:
    yield from _lists(event, prefixes)
    yield from _declaration(event.get("errorDeclaration"), prefixes)
    yield from _sensors(event.get("sensorElementList"), prefixes)
    yield from _extensions(event, "", prefixes)
    yield from _extensions(event.get("ilmd"), "ILMD:", prefixes)
    for place in ("readPoint", "bizLocation"):
        yield from _extensions(event.get(place), f"{place}:", prefixes)


# ---- fields of the standard


def _lists(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> Iterator[Fact]:
    for entry in _objects(event.get("bizTransactionList")):
        yield from _named(_typed("bizTransaction", entry, prefixes), entry.get("bizTransaction"))
    for field in ("source", "destination"):
        for entry in _objects(event.get(f"{field}List")):
            yield from _named(_typed(field, entry, prefixes), entry.get(field))
    lasting = event.get("persistentDisposition")
    if isinstance(lasting, Mapping):
        for field in ("set", "unset"):
            for value in _items(lasting.get(field)):
                yield _text(f"persistentDisposition_{field}", word(value, prefixes))
    for value in _items(event.get("certificationInfo")):
        yield _text("certificationInfo", value)


def _typed(field: str, entry: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    kind = entry.get("type")
    return f"{field}_{word(kind, prefixes)}" if isinstance(kind, str) else field


def _declaration(declared: Any, prefixes: Mapping[str, str]) -> Iterator[Fact]:
    if not isinstance(declared, Mapping):
        return
    yield Fact("errorDeclaration")
    yield _text("errorDeclarationTime", declared.get("declarationTime"))
    if declared.get("reason") is not None:
        yield _text("errorReason", word(declared["reason"], prefixes))
    for value in _items(declared.get("correctiveEventIDs")):
        yield _text("correctiveEventID", value)
    yield from _extensions(declared, "ERROR_DECLARATION:", prefixes)


def _sensors(elements: Any, prefixes: Mapping[str, str]) -> Iterator[Fact]:
    for element in _objects(elements):
        yield Fact("sensorElementList")
        data = element.get("sensorMetadata")
        for part in (*_objects([data]), *_objects(element.get("sensorReport"))):
            yield from _measured(part, prefixes)
        yield from _extensions(element, "SENSORELEMENT:", prefixes)
        yield from _extensions(data, "SENSORMETADATA:", prefixes)
        for report in _objects(element.get("sensorReport")):
            yield from _extensions(report, "SENSORREPORT:", prefixes)


def _measured(part: Mapping[str, Any], prefixes: Mapping[str, str]) -> Iterator[Fact]:
    for name in (*SENSOR_TEXTS, *SENSOR_TIMES, "percRank"):
        if part.get(name) is not None:
            value = part[name]
            in_words = name in ("type", "component", "exception")
            yield from _named(name, word(value, prefixes) if in_words else value)
    unit = part.get("uom")
    for name in SENSOR_NUMBERS:
        if part.get(name) is not None:
            yield _text(f"{name}_{unit}" if isinstance(unit, str) else name, part[name])


# ---- extension fields


def _extensions(holder: Any, place: str, prefixes: Mapping[str, str]) -> Iterator[Fact]:
    if not isinstance(holder, Mapping):
        return
    for key, value in holder.items():
        if ":" in key:
            yield from _values(place + expanded(key, prefixes), value)
            yield from _inner(value, f"INNER:{place}", prefixes)


def _inner(value: Any, place: str, prefixes: Mapping[str, str], depth: int = 0) -> Iterator[Fact]:
    if depth > 32:
        return
    for entry in _objects(_items(value)):
        for key, inside in entry.items():
            if not key.startswith("@"):
                yield from _values(place + expanded(key, prefixes), inside)
            yield from _inner(inside, place, prefixes, depth + 1)
    if isinstance(value, list):
        for inside in value:
            if isinstance(inside, list):
                yield from _inner(inside, place, prefixes, depth + 1)


def _values(name: str, value: Any) -> Iterator[Fact]:
    held = value.get("@value", value) if isinstance(value, Mapping) else value
    for item in _items(held):
        yield Fact(name) if isinstance(item, Mapping | list) or item is None else _text(name, item)


# ---- names and values


def prefixes_of(context: Iterable[Any]) -> dict[str, str]:
    """Return the namespaces that prefixes stand for in a document with this context."""
    found = dict(NAMESPACES)
    for part in context:
        if isinstance(part, Mapping):
            for prefix, meaning in part.items():
                namespace = meaning.get("@id") if isinstance(meaning, Mapping) else meaning
                if isinstance(namespace, str) and not prefix.startswith("@"):
                    found[prefix] = namespace
    return found


def expanded(name: str, prefixes: Mapping[str, str]) -> str:
    """Return the whole name behind `prefix:name`; a name whose prefix is not known stays as it is."""
    prefix, colon, rest = name.partition(":")
    return prefixes[prefix] + rest if colon and not rest.startswith("//") and prefix in prefixes else name


def word(value: Any, prefixes: Mapping[str, str] = NAMESPACES) -> Any:
    """Return a term of the core vocabulary as its bare word, however it was written, and other terms in full."""
    if not isinstance(value, str):
        return value
    for pattern in _VOCABULARIES:
        if found := pattern.match(value):
            return found[1]
    return expanded(value, prefixes)


def kept_text(text: str) -> str:
    """Return the text as facts keep it: whole, or its beginning with a digest when it is long."""
    text = text.replace("\x00", "")
    if len(text.encode()) <= LONGEST_TEXT:
        return text
    return f"{text[:KEPT_OF_LONG_TEXT]}#{hashlib.sha256(text.encode()).hexdigest()}"


def number_of(value: Any) -> float | None:
    """Return a value as a finite number, or None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.match(value)):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def time_of(value: Any) -> dt.datetime | None:
    """Return a value as a moment in UTC, or None when it is none; without a zone it is taken as UTC."""
    if not isinstance(value, str) or not _TIME.match(value):
        return None
    try:
        moment = dt.datetime.fromisoformat(_FRACTION.sub(r"\1", value.upper().replace(" ", "T")))
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _text(name: str, value: Any) -> Fact:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return Fact(kept_text(name), kept_text(text), number_of(value), time_of(value))


def _named(name: str, value: Any) -> Iterator[Fact]:
    """Give a value that names a thing as it was written and by its canonical name."""
    yield _text(name, value)
    if isinstance(value, str) and canonical(value) != value:
        yield _text(name, canonical(value))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in _items(value) if isinstance(entry, Mapping)]
