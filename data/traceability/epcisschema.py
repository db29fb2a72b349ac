"""Our JSON Schema of EPCIS 2.0, its validators, and the words and fields that it names."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
from rfc3339_validator import validate_rfc3339
from rfc3986_validator import validate_rfc3986

FILE = Path(__file__).parents[1] / "reference" / "traceability" / "epcis-2.0.schema.json"
EVENT_TYPES = (
    "ObjectEvent",
    "AggregationEvent",
    "AssociationEvent",
    "TransactionEvent",
    "TransformationEvent",
)

Schema = Mapping[str, Any]
Step = str | int


@functools.cache
def schema() -> dict[str, Any]:
    """Return the schema of documents and of events that stand alone."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@functools.cache
def of_documents() -> jsonschema_rs.Draft202012Validator:
    """Return the validator of whole documents and of events that stand alone."""
    return _validator(schema())


@functools.cache
def of_events() -> jsonschema_rs.Draft202012Validator:
    """Return the validator of events whose context stands elsewhere."""
    whole = schema()
    return _validator({"$schema": whole["$schema"], "$ref": "#/$defs/event", "$defs": whole["$defs"]})


def _validator(document: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    formats: dict[str, Callable[..., bool]] = {"uri": is_uri, "date-time": is_time}
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True, formats=formats)


@functools.lru_cache(maxsize=50_000)
def is_uri(text: str) -> bool:
    """Tell whether a text is a URI with a scheme (RFC 3986)."""
    return bool(validate_rfc3986(text, rule="URI"))


@functools.lru_cache(maxsize=50_000)
def is_time(text: str) -> bool:
    """Tell whether a text is a time with its zone (RFC 3339)."""
    return bool(validate_rfc3339(text.upper()))


@functools.cache
def words(name: str) -> tuple[str, ...]:
    """Return the bare words of a vocabulary of the schema: `bizStep`, `disposition`, …"""
    definition = schema()["$defs"][name]
    return tuple(definition["enum"] if "enum" in definition else definition["then"]["enum"])


def definition(name: str) -> Schema:
    """Return a definition of the schema by its name."""
    found: Schema = schema()["$defs"][name]
    return found


def fields(shape: Schema) -> Mapping[str, Schema]:
    """Return the fields that a shape of the schema names."""
    found: Mapping[str, Schema] = shape.get("properties", {})
    return found


def named(shape: Schema) -> tuple[str, Schema]:
    """Follow the reference of a shape: the name of its definition, empty where it has none, and what it is."""
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    return (name, definition(name)) if name else ("", shape)


def placed_events(document: Any) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield each event of a document, a list or an event alone, with the steps that lead to it."""
    if isinstance(document, list):
        for at, event in enumerate(document):
            yield (at,), event
        return
    if not isinstance(document, Mapping):
        return
    steps = list_steps(document)
    if steps is None:
        yield (), document
        return
    held: Any = document
    for step in steps:
        held = held.get(step) if isinstance(held, Mapping) else None
    if isinstance(held, list):
        for at, event in enumerate(held):
            yield (*steps, at), event


def list_steps(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the steps to the list of events of a document; None for an event that stands alone."""
    if document.get("type") == "EPCISQueryDocument":
        return ("epcisBody", "queryResults", "resultsBody", "eventList")
    if document.get("type") == "EPCISDocument":
        return ("epcisBody", "eventList")
    return None
