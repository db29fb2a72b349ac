"""Profiles of lot dossiers: what the dossier of a kind of goods holds, as reference data.

One file per product group drives the forms, the check and the inspector's list; `schemas` compiles it to JSON Schema.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from data.codes import REFERENCE
from data.text import fold
from gis.errors import Refusal

FOLDER = REFERENCE / "traceability"

#: What the dossier itself adds to the blocks that profiles name.
EXTRA_BLOCKS = ("sample_disposal",)


class NoLots(Refusal):
    """Goods of this kind are not made in lots."""


@dataclass(frozen=True)
class Choice:
    """One value that may be chosen, with its titles."""

    value: str
    title: Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """One thing that a form asks for: a field of a block, or a parameter of a step."""

    name: str
    type: str
    title: Mapping[str, str]
    required: bool = False
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Block:
    """A part of every dossier, and the rule it rests on; `is_private` holds what outsiders never see."""

    code: str
    title: Mapping[str, str]
    basis: str
    many: bool
    is_private: bool
    fields: tuple[Ask, ...]


@dataclass(frozen=True)
class Step:
    """A step of the process with its parameters."""

    code: str
    title: Mapping[str, str]
    required: bool
    parameters: tuple[Ask, ...]


@dataclass(frozen=True)
class Analyte:
    """What is tested, and where its limit comes from."""

    code: str
    title: Mapping[str, str]
    unit: str | None
    required: bool
    limit_source: Mapping[str, str]


@dataclass(frozen=True)
class SampleRule:
    """How much is kept back, and for how many days beyond the expiry."""

    quantity: float
    uom: str
    margin_days: int
    source: Mapping[str, str]


@dataclass(frozen=True)
class YieldRange:
    """How much product a kilogram of main material commonly gives."""

    low: float
    high: float
    source: Mapping[str, str]


@dataclass(frozen=True)
class Profile:
    """What the dossier of a kind of goods holds.

    `blocks` gives each block with when it must be there: "open", "release", "after" or "" for never.
    """

    id: str
    sector: str
    title: Mapping[str, str]
    has_lots: bool
    sets: frozenset[int]
    words: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date | None
    basis: tuple[Mapping[str, str], ...]
    units: tuple[str, ...]
    shelf_days: int | None
    blocks: Mapping[str, str]
    steps: tuple[Step, ...]
    tests: tuple[Analyte, ...]
    sample: SampleRule | None
    yields: YieldRange | None
    label: tuple[Mapping[str, str], ...]
    inspection: tuple[Mapping[str, str], ...]

    def step(self, code: str) -> Step:
        """Return a step by its code; KeyError for one that the profile does not have."""
        return next((s for s in self.steps if s.code == code), None) or _missing(code)

    def holds(self, block: str) -> bool:
        """Tell whether dossiers of this profile have a block."""
        return block in self.blocks or (block in EXTRA_BLOCKS and "sample" in self.blocks)

    def valid_on(self, day: dt.date) -> bool:
        """Tell whether lots made on a day follow this profile."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def _missing(code: str) -> Any:
    raise KeyError(code)


@functools.cache
def blocks() -> dict[str, Block]:
    """Read the blocks of every dossier by their code, in the order of the dossier."""
    document = orjson.loads((FOLDER / "blocks.json").read_bytes())
    return {
        b["code"]: Block(
            b["code"], _title(b), b["basis"], b["many"], b.get("private", False),
            tuple(_ask(f, f["name"]) for f in b["fields"]),
        )
        for b in document["blocks"]
    }  # fmt: skip


@functools.cache
def profiles() -> dict[str, Profile]:
    """Read every profile by its id."""
    files = sorted((FOLDER / "profiles").glob("*.json"))
    return {p.id: p for p in (_profile(orjson.loads(file.read_bytes())) for file in files)}


def profile_for(product_set: int, product_name: str, day: dt.date) -> Profile:
    """Choose the profile of a product: one that names its goods before one of its set, a narrow before a wide one.

    Lots from before the first edition follow it too. Raises NoLots for services, and where no profile fits.
    """
    name = f" {fold(product_name)} "
    fitting = []
    for one in profiles().values():
        if product_set not in one.sets or (one.valid_to is not None and day > one.valid_to):
            continue
        named = max((len(w) for w in one.words if f" {fold(w)} " in name), default=0)
        if named or not one.words:
            fitting.append((one.valid_on(day), named, -len(one.sets), one.valid_from, one))
    if not fitting:
        raise NoLots("Chưa có mẫu hồ sơ lô cho nhóm của sản phẩm này.")
    chosen = max(fitting, key=lambda entry: entry[:4])[4]
    if not chosen.has_lots:
        raise NoLots("Dịch vụ du lịch không làm theo lô; không cần hồ sơ lô.")
    return chosen


# ---- reading


def _title(document: Mapping[str, Any]) -> dict[str, str]:
    return {"vi": document["vi"], "en": document["en"]}


def _ask(document: Mapping[str, Any], name: str) -> Ask:
    return Ask(
        name,
        document["type"],
        _title(document),
        document["required"],
        document.get("unit"),
        document.get("min"),
        document.get("max"),
        tuple(Choice(o["value"], _title(o)) for o in document.get("options", ())),
    )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _profile(document: Mapping[str, Any]) -> Profile:
    sample, yields = document["sample"], document["yield"]
    return Profile(
        id=document["id"],
        sector=document["sector"],
        title=_title(document),
        has_lots=document["has_lots"],
        sets=frozenset(document["sets"]),
        words=tuple(document["words"]),
        valid_from=dt.date.fromisoformat(document["valid_from"]),
        valid_to=_day(document["valid_to"]),
        basis=tuple(document["basis"]),
        units=tuple(document["units"]),
        shelf_days=document["shelf_days"],
        blocks={b["block"]: b["required"] for b in document["blocks"]},
        steps=tuple(
            Step(s["code"], _title(s), s["required"], tuple(_ask(p, p["code"]) for p in s["parameters"]))
            for s in document["steps"]
        ),
        tests=tuple(
            Analyte(t["analyte"], _title(t), t["unit"], t["required"], t["limit_source"])
            for t in document["tests"]
        ),
        sample=SampleRule(**sample) if sample else None,
        yields=YieldRange(**yields) if yields else None,
        label=tuple(document["label"]),
        inspection=tuple(document["inspection"]),
    )
