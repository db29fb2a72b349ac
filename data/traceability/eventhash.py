"""The hash of an event after the Core Business Vocabulary 2.0: the same for every way of writing the same event.

The pre-hash text holds each field with its value in a fixed order, without separators; vocabulary and identifiers
are spelt out, times are UTC to the millisecond, lists are sorted. The order follows the golden values that GS1's
reference generator publishes: transactions, sources, destinations, master data and extensions stand last, sorted.
`recordTime`, `eventID` and `errorDeclaration` take no part, so a declaration has the hash of what it declares.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from data.traceability import epcisterms as terms
from data.traceability.identifiers import CANONICAL_STEM, canonical

VERSION = "CBV2.0"

LEFT_OUT = frozenset({"type", "@context", "recordTime", "eventID", "errorDeclaration"})

ORDER = (
    "eventTime",
    "eventTimeZoneOffset",
    "certificationInfo",
    "epcList",
    "parentID",
    "inputEPCList",
    "childEPCs",
    "quantityList",
    "childQuantityList",
    "inputQuantityList",
    "outputEPCList",
    "outputQuantityList",
    "action",
    "transformationID",
    "bizStep",
    "disposition",
    "persistentDisposition",
    "readPoint",
    "bizLocation",
    "sensorElementList",
)
EPC_LISTS = frozenset({"epcList", "childEPCs", "inputEPCList", "outputEPCList"})
QUANTITY_LISTS = frozenset({"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"})
PAIR_LISTS = {
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}
QUANTITY = ("epcClass", "quantity", "uom")
METADATA = (
    "time",
    "startTime",
    "endTime",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "bizRules",
)
REPORT = (
    "type",
    "exception",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "time",
    "microorganism",
    "chemicalSubstance",
    "value",
    "component",
    "stringValue",
    "booleanValue",
    "hexBinaryValue",
    "uriValue",
    "minValue",
    "maxValue",
    "meanValue",
    "sDev",
    "percRank",
    "percValue",
    "uom",
    "coordinateReferenceSystem",
)
TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})
PLAIN = frozenset({"eventTimeZoneOffset", "action", "uom", "stringValue", "hexBinaryValue"})
NUMBERS = frozenset(
    {"quantity", "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"},
)

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


def event_hash(event: Mapping[str, Any], context: Any = (), *, ignore: Collection[str] = ()) -> str:
    """Return `ni:///sha-256;<hex>?ver=CBV2.0` of an event.

    `context` is the @context of its document (a list, one URI or one object); `ignore` names extension fields, as
    they are written, that take no part. Source: CBV 2.0, section 8.9 (event hash identifiers); RFC 6920.
    """
    digest = hashlib.sha256(pre_hash(event, context, ignore=ignore).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver={VERSION}"


def pre_hash(event: Mapping[str, Any], context: Any = (), *, ignore: Collection[str] = ()) -> str:
    """Return the text that is hashed: every field of the event that counts, in the one order."""
    speller = _Speller(terms.namespaces(context, event.get("@context", ())), frozenset(ignore))
    parts = ["eventType=" + speller.uri(str(event.get("type", "")), terms.EPCIS_TYPES)]
    for name in ORDER:
        if name in event:
            parts.append(speller.field(name, event[name]))
    known = LEFT_OUT.union(ORDER)
    parts += sorted(
        text for name, value in event.items() if name not in known for text in speller.texts(name, value)
    )
    return "".join(parts)


class _Speller:
    """Spells out names and values with the namespaces of one event."""

    def __init__(self, namespaces: Mapping[str, str], ignore: frozenset[str]) -> None:
        self.namespaces = namespaces
        self.ignore = ignore

    def field(self, name: str, value: Any) -> str:
        """Return a field of the standard with its value; nothing where it holds nothing."""
        if name in EPC_LISTS:
            inner = "".join(sorted("epc=" + self.uri(str(each)) for each in _many(value)))
        elif name in QUANTITY_LISTS:
            inner = "".join(sorted("quantityElement" + self.record(each, QUANTITY) for each in _many(value)))
        elif name in PAIR_LISTS:
            inner = "".join(sorted(self.pair(each, PAIR_LISTS[name]) for each in _many(value)))
        elif name == "persistentDisposition" and isinstance(value, Mapping):
            inner = "".join(self.values(each, value.get(each), "disposition") for each in ("set", "unset"))
        elif name in ("readPoint", "bizLocation"):
            inner = self.record(value, ("id",))
        elif name == "sensorElementList":
            inner = "".join(sorted(map(self.sensor_element, _many(value))))
        elif name == "ilmd" and isinstance(value, Mapping):
            inner = self.record(value, ())
        else:
            return self.values(name, value, name)
        return name + inner if inner else ""

    def texts(self, name: str, value: Any) -> list[str]:
        """Return what stands among the sorted last: lists of pairs, master data, extensions."""
        if name in PAIR_LISTS or name == "ilmd":
            text = self.field(name, value)
            return [text] if text else []
        return self.extension(name, value)

    def record(self, value: Any, names: Iterable[str]) -> str:
        """Return the named fields of an object in their order, then its other fields sorted."""
        if not isinstance(value, Mapping):
            return _text(value)
        names = tuple(names)
        ordered = "".join(self.values(name, value[name], name) for name in names if name in value)
        others = sorted(
            text for name, inner in value.items() if name not in names for text in self.extension(name, inner)
        )
        return ordered + "".join(others)

    def pair(self, value: Any, name: str) -> str:
        """Return a transaction, source or destination with its type before it."""
        if not isinstance(value, Mapping):
            return f"{name}={self.uri(_text(value))}"
        prefix = terms.TRANSACTION_TYPES if name == "bizTransaction" else terms.PARTY_TYPES
        kind = "type=" + self.uri(_text(value["type"]), prefix) if "type" in value else ""
        return kind + self.values(name, value.get(name), name)

    def sensor_element(self, value: Any) -> str:
        """Return an element of sensor data: its metadata, its reports sorted, its extensions."""
        if not isinstance(value, Mapping):
            return "sensorElement" + _text(value)
        metadata = self.record(value["sensorMetadata"], METADATA) if "sensorMetadata" in value else ""
        reports = sorted("sensorReport" + self.report(each) for each in _many(value.get("sensorReport")))
        rest = {
            name: inner for name, inner in value.items() if name not in ("sensorMetadata", "sensorReport")
        }
        head = "sensorElement" + ("sensorMetadata" + metadata if metadata else "")
        return head + "".join(reports) + self.record(rest, ())

    def report(self, value: Any) -> str:
        """Return one report of a sensor."""
        if not isinstance(value, Mapping) or "type" not in value:
            return self.record(value, REPORT)
        kind = "type=" + self.uri(_text(value["type"]), terms.MEASUREMENTS)
        return kind + self.record({name: inner for name, inner in value.items() if name != "type"}, REPORT)

    def values(self, name: str, value: Any, kind: str) -> str:
        """Return `name=value` for a value or, sorted, for each of a list."""
        spelt = (self.value(kind, each) for each in _many(value))
        return "".join(sorted(f"{name}={text}" for text in spelt if text))

    def value(self, kind: str, value: Any) -> str:
        """Return a value of the standard as its kind is spelt."""
        text = _text(value)
        if kind in PLAIN or isinstance(value, bool | int | float):
            return text
        if kind in TIMES:
            return utc(text)
        if kind in NUMBERS:
            return _number_in(text)
        return self.uri(text, terms.PREFIXES.get(kind, ""))

    def uri(self, text: str, prefix: str = "") -> str:
        """Return an identifier or a word of a vocabulary in full, GS1 keys as canonical Digital Links."""
        text = text.strip()
        if ":" not in text:
            return prefix + text
        head, _, tail = text.partition(":")
        if head in self.namespaces and not tail.startswith("//"):
            text = self.namespaces[head] + tail
        return _known(text)

    def extension(self, name: str, value: Any) -> list[str]:
        """Return an extension and what it holds, each value of a list for itself."""
        if name in self.ignore or name == "@context" or value is None:
            return []
        key = self.key(name)
        if key == terms.COMMENT:
            return []
        if isinstance(value, list | tuple):
            return [text for each in value for text in self.extension(name, each)]
        if isinstance(value, Mapping):
            inner = sorted(text for each, held in value.items() for text in self.extension(each, held))
            return [key + "".join(inner)]
        text = _text(value)
        if isinstance(value, str) and " " not in text:
            text = self.uri(text)
        return [f"{key}={text}" if text else key]

    def key(self, name: str) -> str:
        """Return a field's name with its namespace in braces before it."""
        head, colon, tail = name.partition(":")
        if not colon:
            return name
        if head in self.namespaces and not tail.startswith("//"):
            return f"{{{self.namespaces[head]}}}{tail}"
        end = max(name.rfind(mark) for mark in "/#:") + 1
        return f"{{{name[:end]}}}{name[end:]}" if end < len(name) else name


def _many(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return _number(Decimal(repr(value)) if isinstance(value, float) else value)
    return str(value).strip()


def _number(value: Decimal) -> str:
    if not value.is_finite():
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _number_in(text: str) -> str:
    try:
        return _number(Decimal(text))
    except ArithmeticError:
        return text


@functools.lru_cache(maxsize=10_000)
def _known(text: str) -> str:
    """Spell old names of the vocabulary and GS1 keys in their one modern way; leave other texts."""
    for old, new in terms.OLD_NAMES.items():
        if text.startswith(old):
            return new + text[len(old) :]
    if text.startswith(("http://", "https://")):
        return _link(text)
    return _spelt(canonical(text)) if text.startswith("urn:epc:") else text


def _link(text: str) -> str:
    """Return a Digital Link in its canonical form; keys may stand in words (`/gtin/…/lot/…`); other links stay."""
    found = canonical(text)
    if found != text or not any(f"/{word}/" in text for word in terms.KEY_WORDS):
        return _spelt(found)
    place = text.partition("?")[0].split("/")
    start = max(at for at, part in enumerate(place) if part in terms.KEY_WORDS)
    for at in range(start, len(place), 2):
        place[at] = terms.KEY_WORDS.get(place[at]) or terms.QUALIFIER_WORDS.get(place[at], place[at])
    numbered = "/".join(place)
    found = canonical(numbered)
    return _spelt(found) if found != numbered or found.startswith(CANONICAL_STEM) else text


def _spelt(link: str) -> str:
    """The golden values leave the apostrophe as it is, unlike every other mark."""
    return link.replace("%27", "'")


def utc(text: str) -> str:
    """Return a time in UTC with milliseconds; half a millisecond goes up; other texts as they are."""
    found = TIME.fullmatch(text)
    if found is None:
        return text
    day, minute, second, fraction, zone = found.groups()
    offset = "+00:00" if zone in "Zz" else zone
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{minute}:00{offset}")
    except ValueError:
        return text
    digits = (fraction or "").ljust(4, "0")
    thousandths = int(digits[:3]) + (digits[3] >= "5")
    try:
        moment += dt.timedelta(seconds=int(second), milliseconds=thousandths)
        moment = moment.astimezone(dt.UTC)
    except OverflowError:
        return text
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
