"""EPCIS documents against the files of the standard: its examples, and its own JSON Schema as judge."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource

from data.traceability import documents
from tests.conftest import ROOT, lacking
from tests.unit.test_epcis_documents import EVENTS, INVALID, VALID, query_document
from tests.unit.test_epcis_documents import document as document_of

EPCIS = ROOT.parent / "shared" / "data" / "epcis"
EXAMPLES = 47

# Where we ask for more than the JSON Schema of GS1 does, the standard's text does too.
STRICTER = (
    "chưa được khai báo trong @context",
    "không đúng cú pháp EPC URN",
    "không phải GS1 Digital Link hợp lệ",
    "phải có parentID",
)
# Where we allow more: fields and words of later editions.
LATER_MEASUREMENTS = {
    "Activity",
    "EffectiveDose",
    "EffectiveDoseRate",
    "Humidity",
    "MolarConcentration",
    "Molar_concentration",
}
NO_PERSISTENT = {"AggregationEvent", "AssociationEvent", "TransactionEvent"}


def standard_folder() -> Path:
    """The folder of the standard's files."""
    if not (EPCIS / "gs1-epcis" / "JSON").is_dir():
        lacking(f"folder of EPCIS files at {EPCIS}")
    return EPCIS / "gs1-epcis"


@functools.cache
def example_documents() -> dict[str, dict[str, Any]]:
    """Every example document of the standard, by its file name."""
    files = sorted((standard_folder() / "JSON").rglob("*.jsonld"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


@functools.cache
def judge() -> Draft7Validator:
    """The JSON Schema of GS1 with its format checks."""
    folder = standard_folder() / "JSON-Schema"
    files = [*folder.glob("*.json"), *(folder / "schemas").glob("*.json")]
    schemas = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    resources = [
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values() if "$id" in schema
    ]
    return Draft7Validator(
        schemas["EPCIS-JSON-Schema-root.json"],
        registry=Registry().with_resources(resources),
        format_checker=FormatChecker(("date-time", "uri")),
    )


def example_names() -> list[str]:
    """The names of the examples, for one test each; a single stand-in where the files are missing."""
    return sorted(file.name for file in (EPCIS / "gs1-epcis" / "JSON").rglob("*.jsonld")) or ["(no files)"]


def test_the_standard_comes_with_47_examples() -> None:
    assert len(example_documents()) == EXAMPLES


@pytest.mark.parametrize("name", example_names())
def test_an_example_of_the_standard_is_valid_and_needs_no_repair(name: str) -> None:
    document = example_documents()[name]
    assert judge().is_valid(document)
    assert documents.faults(document) == []
    mended, repairs = documents.repaired(document)
    assert (mended, repairs) == (document, [])


def test_examples_of_the_event_hash_are_valid() -> None:
    standard_folder()
    for file in sorted((EPCIS / "event-hash" / "examples").glob("*.jsonld")):
        assert documents.faults(json.loads(file.read_text(encoding="utf-8"))) == [], file.name


def test_an_event_alone_is_judged_like_its_document() -> None:
    for name, document in example_documents().items():
        events, context = documents.events_of(document)
        assert events, name
        for event in events:
            alone = {**event, "@context": [*context, *event.get("@context", [])]}
            assert judge().is_valid(alone) == (documents.faults(alone) == []), name
        assert documents.faults(events) == [], name


def test_both_refuse_an_event_alone_without_context() -> None:
    for document in example_documents().values():
        event = documents.events_of(document)[0][0]
        event.pop("@context", None)
        assert not judge().is_valid(event)
        assert documents.faults(event)


OURS_ALONE = {
    "a standing disposition of a carton",
    "a later kind of measurement",
}


@pytest.mark.parametrize("name", VALID)
def test_what_we_call_valid_the_standard_calls_valid(name: str) -> None:
    assert judge().is_valid(document_of(VALID[name])) == (name not in OURS_ALONE)


@pytest.mark.parametrize("name", EVENTS)
def test_events_of_each_type_are_valid_for_the_standard(name: str) -> None:
    assert judge().is_valid(document_of(EVENTS[name]))
    assert judge().is_valid(query_document(EVENTS[name]))


@pytest.mark.parametrize("name", INVALID)
def test_what_we_call_invalid_the_standard_calls_invalid(name: str) -> None:
    event, _, told = INVALID[name]
    faults = documents.faults(document_of(event))
    if all(any(text in fault.sentence for text in STRICTER) for fault in faults):
        return
    assert not judge().is_valid(document_of(event)), told


def test_events_that_the_standard_tests_its_schema_with_are_valid() -> None:
    files = sorted((standard_folder() / "JSON-Schema" / "test").glob("*.json"))
    assert len(files) == 5
    for file in files:
        assert documents.faults(json.loads(file.read_text(encoding="utf-8"))) == [], file.name


WORDS = st.sampled_from(
    [
        "shipping",
        "Shipping",
        "urn:epcglobal:cbv:bizstep:shipping",
        "https://ns.gs1.org/cbv/BizStep-shipping",
        "https://ref.gs1.org/cbv/BizStep-shipping",
        "https://gs1.org/voc/Temperature",
        "http://www.gs1.org/voc/Temperature",
        "gs1:Temperature",
        "Temperature",
        "Molar_concentration",
        "recalled",
        "po",
        "possessing_party",
        "did_not_occur",
        "x",
        "ADD",
        "OBSERVE",
        "DELETE",
        "add",
        "ObjectEvent",
        "AggregationEvent",
        "AssociationEvent",
        "TransactionEvent",
        "TransformationEvent",
        "EPCISDocument",
        "https://example.org/CustomEvent",
        "not a uri",
        "",
        "a:",
        "https://example.org/đường",
        "urn:epc:id:sgtin:4012345.011111.9876",
        "2026-05-06T07:08:09+07:00",
        "2026-05-06T07:08:09Z",
        "2026-05-06T07:08:09",
        "2026-05-06",
        "2026-13-06T07:08:09Z",
        "+07:00",
        "-14:00",
        "+14:30",
        "+7:00",
        "KGM",
        "kg",
        "KILO",
        "f0",
        "2.0",
        "2.",
    ]
)
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-5, 5), st.floats(-9, 9, allow_nan=False))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "id", "epcClass", "quantity", "uom", "set", "source", "ocop:x", "x", "a b:c"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "type",
        "@context",
        "eventTime",
        "recordTime",
        "eventTimeZoneOffset",
        "eventID",
        "certificationInfo",
        "errorDeclaration",
        "action",
        "epcList",
        "quantityList",
        "parentID",
        "childEPCs",
        "childQuantityList",
        "inputEPCList",
        "inputQuantityList",
        "outputEPCList",
        "outputQuantityList",
        "transformationID",
        "bizStep",
        "disposition",
        "persistentDisposition",
        "readPoint",
        "bizLocation",
        "bizTransactionList",
        "sourceList",
        "destinationList",
        "sensorElementList",
        "sensorReport",
        "sensorMetadata",
        "exception",
        "component",
        "value",
        "ilmd",
        "set",
        "unset",
        "reason",
        "declarationTime",
        "foo",
        "ocop:foo",
        "https://example.org/foo",
        "a b:c",
        "schemaVersion",
        "epcisBody",
        "eventList",
    ]
)


def containers(held: Any) -> list[Any]:
    """Every object and list of a document, itself first."""
    found = [held] if isinstance(held, dict | list) else []
    for inner in held.values() if isinstance(held, dict) else held if isinstance(held, list) else ():
        found += containers(inner)
    return found


@st.composite
def bent_documents(draw: Callable[..., Any]) -> Any:
    """An example of the standard with a few things removed, replaced, moved or added anywhere."""
    name = draw(st.sampled_from(example_names()))
    document = copy.deepcopy(example_documents()[name])
    events = documents.events_of(document)[0]
    if len(events) > 1:
        keep = draw(st.sampled_from(events))
        body = document["epcisBody"]
        place = body["queryResults"]["resultsBody"] if "queryResults" in body else body
        place["eventList"] = [keep]
    for _ in range(draw(st.integers(1, 3))):
        held = draw(st.sampled_from(containers(document)))
        if isinstance(held, list):
            if held and draw(st.booleans()):
                held.pop(draw(st.integers(0, len(held) - 1)))
            else:
                held.append(copy.deepcopy(held[0]) if held and draw(st.booleans()) else draw(VALUES))
            continue
        change = draw(st.sampled_from(["remove", "replace", "add", "rename"]))
        key = draw(st.sampled_from(sorted(held))) if held else None
        if change == "add" or key is None:
            held[draw(NAMES)] = draw(VALUES)
        elif change == "remove":
            del held[key]
        elif change == "replace":
            held[key] = draw(VALUES)
        else:
            held[draw(NAMES)] = held.pop(key)
    return document


def without_later_words(document: Any) -> Any:
    """The document without what only later editions know."""
    plain = copy.deepcopy(document)
    for held in containers(plain):
        if isinstance(held, dict):
            if held.get("type") in NO_PERSISTENT:
                held.pop("persistentDisposition", None)
            if held.get("type") in LATER_MEASUREMENTS:
                held["type"] = "Temperature"
    return plain


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=bent_documents())
def test_our_verdict_on_bent_documents_is_that_of_the_standard(document: Any) -> None:
    faults = documents.faults(document)
    if judge().is_valid(document):
        for fault in faults:
            assert any(text in fault.sentence for text in STRICTER), str(fault)
    elif not faults:
        assert judge().is_valid(without_later_words(document))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=bent_documents())
def test_repairing_is_done_once_and_leaves_valid_documents_alone(document: Any) -> None:
    before = copy.deepcopy(document)
    mended, repairs = documents.repaired(document)
    assert document == before
    assert bool(repairs) == (mended != document)
    if not documents.faults(document):
        assert repairs == []
    assert documents.repaired(mended) == (mended, [])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=bent_documents())
def test_every_fault_has_a_whole_sentence_and_a_place(document: Any) -> None:
    for fault in documents.faults(document):
        assert fault.path.startswith("$")
        assert fault.sentence.endswith((".", "…"))
        assert "%(" not in fault.sentence
