"""What helps to read an edition: which papers show a level of 2019, and which set of 2019 became which of 2026."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

import orjson

from data.programme.criteria import ProductSet
from data.text import fold

#: The tourism set of 2019, whose criteria share names with others but not their meaning.
TOURISM_2019 = 8


@dataclass(frozen=True)
class Hint:
    """Which papers show a level of a criterion, or the criterion as a whole where `level` is None."""

    level: str | None
    text: str


@dataclass(frozen=True)
class Passage:
    """That a set of an old edition is judged by a set of a new one; either may be missing."""

    former: int | None
    present: int | None
    type: Literal["one", "split", "merge", "none"]
    note: str


def hints(edition: str, product_set: ProductSet) -> Mapping[str, tuple[Hint, ...]]:
    """Return what is known about the evidence of a set's criteria: {criterion code: hints}."""
    if edition != "2019" or product_set.number == TOURISM_2019:
        return {}
    known = _guidance()
    found = {}
    for code, criterion in product_set.criteria.items():
        sets, rows = known.get(fold(criterion.name), (None, ()))
        if rows and (sets is None or product_set.number in sets):
            found[code] = rows
    return found


@functools.cache
def crosswalk() -> tuple[Passage, ...]:
    """List what became of the sets of 2019 in 2026."""
    text = _folder().joinpath("crosswalk.csv").read_text(encoding="utf-8")
    return tuple(
        Passage(_number(r["set_2019"]), _number(r["set_2026"]), r["type"], r["note"])  # type: ignore[arg-type]
        for r in csv.DictReader(text.splitlines())
    )


@functools.cache
def _guidance() -> dict[str, tuple[frozenset[int] | None, tuple[Hint, ...]]]:
    document = orjson.loads(_folder().joinpath("evidence-2019.json").read_bytes())
    return {
        fold(c["name"]): (
            None if c["sets"] is None else frozenset(c["sets"]),
            tuple(Hint(g["level"], g["text"]) for g in c["guidance"]),
        )
        for c in document["criteria"]
    }


def _folder() -> Traversable:
    return resources.files("data").joinpath("reference", "criteria")


def _number(text: str) -> int | None:
    return int(text) if text else None
