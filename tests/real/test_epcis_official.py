"""The examples and the schema that GS1 publishes: everything is taken, and every answer is valid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from data.accounts import Role
from data.store import Store
from tests.conftest import lacking
from tests.services.conftest import app, header_of  # noqa: F401
from tests.services.epcis_client import Epcis, events_in


@pytest.fixture
def official(real_data: Path) -> Path:
    folder = real_data / "epcis" / "gs1-epcis"
    if not folder.is_dir():
        lacking(f"folder of GS1's EPCIS examples at {folder}")
    return folder


@pytest.fixture
def admin(app: Any, header_of: Callable[..., dict[str, str]]) -> Epcis:  # noqa: F811
    return Epcis(app, header_of(Role.ADMINISTRATOR))


def examples(official: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((official / "JSON").rglob("*.jsonld")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def own(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document with ids of its own: several examples give different events the same id."""
    body = document["epcisBody"]
    events = body["eventList"] if "eventList" in body else body["queryResults"]["resultsBody"]["eventList"]
    for number, event in enumerate(events):
        if "eventID" in event:
            event["eventID"] = f"urn:example:{name}:{number}".replace(" ", "_")
    return document


def test_every_official_example_is_taken_and_every_answer_is_valid(
    official: Path, admin: Epcis, demo_store: Store
) -> None:
    schema = json.loads((official / "EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    taken = 0
    for name, document in examples(official):
        job = admin.job(admin.post("/capture", own(document, name)))
        assert job["success"], (name, job["errors"])
        taken += 1
    assert taken >= 47
    for headers in ({}, {"GS1-EPC-Format": "Never_Translates"}):
        answer = admin.get("/events", {"perPage": 1000}, **headers)
        faults = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer.json)]
        assert not faults, faults[:5]
    assert len(events_in(answer)) >= taken
