"""Profiles compiled to JSON Schema (draft 2020-12), and values checked against it in plain sentences."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from data.traceability.measures import UOMS
from data.traceability.profiles import Analyte, Ask, Block, Profile, blocks, profiles
from gis.errors import Refusal

LONGEST = 2_000


class Faulty(Refusal):
    """Values of a block cannot be kept; `faults` holds a sentence for each field, in the order of the form."""

    def __init__(self, faults: Mapping[str, Refusal]) -> None:
        first = next(iter(faults.values()))
        super().__init__(first.message, **first.facts)
        self.faults = dict(faults)


def schema_of(profile: Profile, block: str, step: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema of what is entered into a block, or into one step of the process."""
    described = blocks()[block]
    properties = {ask.name: _property(ask) for ask in described.fields}
    required = [ask.name for ask in described.fields if ask.required]
    if step is not None:
        parameters = profile.step(step).parameters
        properties["parameters"] = {
            "type": "object",
            "properties": {p.name: _property(p) for p in parameters},
            "required": [p.name for p in parameters if p.required],
            "additionalProperties": False,
        }
        if any(p.required for p in parameters):
            required.append("parameters")
    if "results" in properties:
        properties["results"] = _results(profile.tests)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": described.title["vi"],
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def schema_document(profile: Profile) -> dict[str, Any]:
    """Return every schema of a profile in one document: definitions by block, steps as step/code."""
    found = {code: schema_of(profile, code) for code in blocks() if code != "step" and profile.holds(code)}
    found |= {f"step/{s.code}": schema_of(profile, "step", s.code) for s in profile.steps}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": profile.title["vi"],
        "description": "; ".join(b["text"] for b in profile.basis),
        "$defs": found,
    }


def check(profile: Profile, block: str, values: Mapping[str, Any], step: str | None = None) -> None:
    """Check the values of a block, fields by name. Raises Faulty with a sentence for each field."""
    faults: dict[str, Refusal] = {}
    asked = asked_of(blocks()[block], profile, step)
    given = {"parameters": {}, **values} if step is not None else dict(values)
    for error in _validator(profile.id, block, step).iter_errors(given):
        name, fault = _fault(error, asked)
        faults.setdefault(name, fault)
    if faults:
        order = {name: number for number, name in enumerate(asked)}
        raise Faulty(dict(sorted(faults.items(), key=lambda pair: order.get(pair[0], len(order)))))


def asked_of(block: Block, profile: Profile, step: str | None) -> dict[str, Ask]:
    """Return all that the form of a block asks for, by the name of its input: parameters of a step as p:code."""
    asked = {ask.name: ask for ask in block.fields}
    if step is not None:
        asked |= {f"p:{p.name}": p for p in profile.step(step).parameters}
    return asked


@functools.cache
def _validator(profile_id: str, block: str, step: str | None) -> Draft202012Validator:
    schema = schema_of(profiles()[profile_id], block, step)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _property(ask: Ask) -> dict[str, Any]:
    made: dict[str, Any] = {"title": ask.title["vi"]}
    if ask.type in ("number", "integer"):
        made["type"] = ask.type
        if ask.minimum is not None:
            made["minimum"] = ask.minimum
        if ask.maximum is not None:
            made["maximum"] = ask.maximum
    elif ask.type == "date":
        made |= {"type": "string", "format": "date"}
    elif ask.type == "choice":
        made["enum"] = [c.value for c in ask.choices]
    elif ask.type == "uom":
        made["enum"] = list(UOMS)
    elif ask.type == "file":
        made |= {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("sha256", "name", "mediaType")},
            "required": ["sha256", "name", "mediaType"],
        }
    elif ask.type == "results":
        made["type"] = "array"
    else:
        made |= {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return made


def _results(tests: tuple[Analyte, ...]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return {
        "type": "array",
        "minItems": 1,
        "description": "; ".join(t.title["vi"] for t in tests),
        "items": {
            "type": "object",
            "properties": {
                **dict.fromkeys(
                    ("analyte", "title", "method", "value", "unit", "limit", "limitSource"), text
                ),
                "verdict": {"enum": ["conformant", "non_conformant"]},
            },
            "required": ["analyte", "value", "verdict"],
            "additionalProperties": False,
        },
    }


def _fault(error: ValidationError, asked: Mapping[str, Ask]) -> tuple[str, Refusal]:
    """Say an error of the validator as a sentence about one field of the form."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        # The validator makes an error for each missing name, and tells it in its message only.
        path.append(next(n for n in error.validator_value if error.message.startswith(repr(n))))
    if path[:1] == ["results"]:
        return "results", Refusal(
            "Mỗi chỉ tiêu cần kết quả và kết luận đạt hay không đạt; hãy ghi ít nhất một chỉ tiêu."
        )
    name = f"p:{path[1]}" if path[:1] == ["parameters"] and len(path) > 1 else (path or [""])[0]
    ask = asked.get(name)
    if ask is None:
        return name, Refusal("Biểu mẫu không có mục này; hãy tải lại trang.")
    title = ask.title
    if error.validator == "required":
        return name, Refusal("Hãy ghi “%(title)s”.", title=title)
    if error.validator in ("minimum", "maximum"):
        return name, _out_of_range(ask)
    if error.validator == "format":
        return name, Refusal("“%(title)s” phải là ngày.", title=title)
    if error.validator == "type" and ask.type in ("number", "integer"):
        return name, Refusal("“%(title)s” phải là số.", title=title)
    if error.validator == "enum":
        return name, Refusal("Hãy chọn “%(title)s” trong danh sách.", title=title)
    if error.validator == "maxLength":
        return name, Refusal("“%(title)s” dài quá %(limit)s ký tự.", title=title, limit=LONGEST)
    return name, Refusal("Hãy ghi lại “%(title)s”.", title=title)


def _out_of_range(ask: Ask) -> Refusal:
    unit = f" {ask.unit}" if ask.unit else ""
    if ask.maximum is None:
        return Refusal(
            "“%(title)s” phải từ %(low)s%(unit)s trở lên.",
            title=ask.title,
            low=_short(ask.minimum),
            unit=unit,
        )
    return Refusal(
        "“%(title)s” phải từ %(low)s đến %(high)s%(unit)s.",
        title=ask.title,
        low=_short(ask.minimum),
        high=_short(ask.maximum),
        unit=unit,
    )


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
