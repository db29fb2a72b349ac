"""Event hashes against the golden values that GS1's reference generator publishes.

Left out, because their documents come as XML only: SensorDataExamples, epcisDocHavingTooManyUserExtensions,
epcisDocWith2DifferentTransformationEvents, epcisDocWithTransformationEventWithExtension,
epcisDocWithTransformationEventWithMultipleExtensions, epcisXmlDocHavingEventWithIgnoreFields,
epcisXmlQueryDocHavingEventWithIgnoreFields.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from data.traceability.documents import events_of
from data.traceability.eventhash import event_hash, pre_hash
from tests.conftest import ROOT, lacking

FOLDER = ROOT.parent / "shared" / "data" / "epcis" / "event-hash"
GOLDEN_DOCUMENTS, GOLDEN_HASHES = 22, 43

# Texts before hashing that are cut off, garbled or older than the hash beside them, by document.
BROKEN_TEXTS = {
    "epcisDocWithAllGS1Keys": 1,
    "epcisDocWithCustomSchemaInContext": 1,
    "epcisDocWithDefaultSchemaInContext": 1,
}


def golden_names() -> list[str]:
    """The golden documents in JSON; a single stand-in where the files are missing."""
    return sorted(file.stem for file in (FOLDER / "examples").glob("*.jsonld")) or ["(no files)"]


def golden(name: str) -> tuple[list[dict[str, Any]], list[Any], list[str]]:
    """The events of a golden document, their context, and the fields that it says to leave out."""
    file = FOLDER / "examples" / f"{name}.jsonld"
    if not file.exists():
        lacking(f"folder of golden event hashes at {FOLDER}")
    document = json.loads(file.read_text(encoding="utf-8"))
    results = document["epcisBody"].get("queryResults", {})
    ignored = [
        name
        for scope in (document, results)
        for key, names in scope.items()
        if key.endswith(":ignoreFields")
        for name in names
    ]
    return *events_of(document), ignored


def lines(name: str, ending: str) -> list[str]:
    """The lines of a file beside a golden document; none where there is no such file."""
    file = FOLDER / "examples" / f"{name}.{ending}"
    return file.read_text(encoding="utf-8").split("\n") if file.exists() else []


@pytest.mark.parametrize("name", golden_names())
def test_the_golden_hashes_come_out(name: str) -> None:
    events, context, ignored = golden(name)
    found = [event_hash(event, context, ignore=ignored) for event in events]
    assert found == [line for line in lines(name, "hashes") if line]


@pytest.mark.parametrize("name", golden_names())
def test_the_golden_texts_before_hashing_come_out(name: str) -> None:
    events, context, ignored = golden(name)
    broken = 0
    for event, text, hashed in zip(events, lines(name, "prehashes"), lines(name, "hashes"), strict=False):
        if hashlib.sha256(text.encode()).hexdigest() in hashed:
            assert pre_hash(event, context, ignore=ignored) == text
        else:
            broken += 1
    assert broken == BROKEN_TEXTS.get(name, 0)


def test_all_golden_hashes_of_json_documents_are_compared() -> None:
    hashes = [line for name in golden_names() for line in lines(name, "hashes") if golden(name) and line]
    assert (len(golden_names()), len(hashes)) == (GOLDEN_DOCUMENTS, GOLDEN_HASHES)


def test_two_events_that_are_said_to_be_equal_have_one_hash() -> None:
    golden("ReferenceEventHashAlgorithm")
    file = FOLDER / "expected_equal" / "ReferenceEventHashAlgorithm.json"
    events, context = events_of(json.loads(file.read_text(encoding="utf-8")))
    assert len(events) == 2
    assert len({event_hash(event, context) for event in events}) == 1


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same value with the fields of its objects and the items of its lists in another order."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    if isinstance(value, list):
        items = [shuffled(item, chance) for item in value]
        chance.shuffle(items)
        return items
    return value


def test_the_order_of_fields_and_items_changes_no_golden_hash() -> None:
    chance = random.Random(6)
    for name in golden_names():
        events, context, ignored = golden(name)
        for event in events:
            expected = event_hash(event, context, ignore=ignored)
            for _ in range(5):
                assert event_hash(shuffled(event, chance), context, ignore=ignored) == expected, name


def altered(value: Any) -> Any:
    """A value that is not the given one."""
    return value + "7" if isinstance(value, str) else value + 7 if isinstance(value, int | float) else "7"


def test_every_value_of_a_golden_event_that_counts_changes_the_hash() -> None:
    left_out = {"recordTime", "eventID", "errorDeclaration", "rdfs:comment"}
    for name in golden_names():
        events, context, _ = golden(name)
        for event in events:
            expected = event_hash(event, context)
            for field, value in event.items():
                if field in left_out or field == "eventTime" or isinstance(value, list | dict):
                    continue
                assert event_hash({**event, field: altered(value)}, context) != expected, (name, field)
                without = {key: kept for key, kept in event.items() if key != field}
                assert event_hash(without, context) != expected, (name, field)


def test_the_folder_of_golden_values_is_where_it_is_looked_for() -> None:
    golden("ReferenceEventHashAlgorithm")
    assert isinstance(FOLDER, Path) and FOLDER.is_dir()
