"""Code lists: the values that a field may take, with Vietnamese and English labels and validity dates.

They are reference data in `data/reference/code_lists.csv`, each value with the text it rests on.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"


@dataclass(frozen=True)
class Code:
    """One value of a code list."""

    value: str
    vi: str
    en: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    source: str = ""

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        return self.en if lang == "en" else self.vi

    def valid_on(self, day: dt.date) -> bool:
        """Tell whether the value may be chosen on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@functools.cache
def code_lists() -> dict[str, dict[str, Code]]:
    """Read every code list once: list name → value → code, in the file's order."""
    lists: dict[str, dict[str, Code]] = {}
    with (REFERENCE / "code_lists.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = Code(
                value=row["code"],
                vi=row["vi"],
                en=row["en"],
                valid_from=_date(row["valid_from"]),
                valid_to=_date(row["valid_to"]),
                source=row["source"],
            )
            lists.setdefault(row["list"], {})[code.value] = code
    return lists


def code_list(name: str) -> dict[str, Code]:
    """Return one code list by its name; KeyError for an unknown one."""
    return code_lists()[name]


def label(list_name: str, value: object, lang: str = "vi") -> str:
    """Return the label of a value, or the value itself where the list does not know it."""
    if value is None:
        return ""
    code = code_lists().get(list_name, {}).get(str(value))
    return code.label(lang) if code else str(value)


def _date(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
