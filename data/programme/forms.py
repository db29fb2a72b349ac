"""Forms 01, 02 and 03 and the list of evidence, as reference data that pages, checks and documents share."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from data.programme.calendar import FOLDER

#: The product set of tourism services, for which no samples are handed in.
TOURISM_SET = 26


@dataclass(frozen=True)
class FormField:
    """One thing that a form asks for."""

    name: str
    title: Mapping[str, str]
    type: str
    required: bool
    codes: str | None = None
    options: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class EvidenceRow:
    """One row of the list of evidence, and the criteria that it commonly supports."""

    row: str
    title: Mapping[str, str]
    required: bool
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class FormSection:
    """A numbered section of form 02."""

    section: str
    title: Mapping[str, str]
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class Forms:
    """All forms of the decision."""

    basis: str
    form01: tuple[FormField, ...]
    form02: tuple[FormSection, ...]
    more: Mapping[str, tuple[FormField, ...]]
    evidence: tuple[EvidenceRow, ...]
    contents: Mapping[str, Mapping[str, str]]
    to_province: tuple[tuple[str, str], ...]
    to_ministry: tuple[tuple[str, str], ...]

    def fields(self, kind: str) -> Iterator[FormField]:
        """All fields that a dossier of a kind asks for, in order."""
        yield from self.form01
        for section in self.form02:
            yield from section.fields
        yield from self.more.get(kind, ())


@functools.cache
def forms() -> Forms:
    """Read the forms from their reference file."""
    document = orjson.loads((FOLDER / "forms.json").read_bytes())
    return Forms(
        basis=document["basis"],
        form01=_fields(document["form01"]),
        form02=tuple(FormSection(s["section"], _title(s), _fields(s["fields"])) for s in document["form02"]),
        more={kind: _fields(document[kind]) for kind in ("upgrade", "re_evaluation")},
        evidence=tuple(
            EvidenceRow(r["row"], _title(r), r["required"], tuple(r["criteria"]))
            for r in document["evidence"]
        ),
        contents={c["content"]: _title(c) for c in document["form03"]},
        to_province=tuple((a, b) for a, b in document["to_province"]),
        to_ministry=tuple((a, b) for a, b in document["to_ministry"]),
    )


def _title(document: Mapping[str, Any]) -> dict[str, str]:
    return {"vi": document["vi"], "en": document["en"]}


def _fields(documents: list[Mapping[str, Any]]) -> tuple[FormField, ...]:
    return tuple(
        FormField(
            d["name"],
            _title(d),
            d["type"],
            d["required"],
            d.get("codes"),
            tuple((a, b, c) for a, b, c in d.get("options", ())),
        )
        for d in documents
    )
