"""GS1 application identifiers: their formats, places in a Digital Link, and the check of their values.

The table is reference data in `data/reference/traceability/application_identifiers.csv`, after the GS1 General
Specifications and the GS1 Barcode Syntax Dictionary. A format is a row of components: character set (N digits,
X CSET 82, Y CSET 39, Z base64url), length, checks by name, `?` for a component that may be missing.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from data.traceability.valuechecks import CHECKS, CSET82, IdentifierError

TABLE = Path(__file__).parents[1] / "reference" / "traceability" / "application_identifiers.csv"

_CHARACTERS = {
    "N": frozenset("0123456789"),
    "X": frozenset(CSET82),
    "Y": frozenset("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "Z": frozenset("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz="),
}


@dataclass(frozen=True)
class Component:
    """One part of a value: which characters, how many, and what else must hold."""

    characters: str
    least: int
    most: int
    checks: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class ApplicationIdentifier:
    """One application identifier and its place in a Digital Link.

    `qualifiers` are the alternative orders of key qualifiers of a primary key, `requires` the alternative sets
    of others that must stand beside it, `excludes` the patterns that must not (`n` stands for any digit).
    """

    ai: str
    title: str
    components: tuple[Component, ...]
    is_key: bool
    qualifiers: tuple[tuple[str, ...], ...]
    is_attribute: bool
    requires: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]

    def allows_order(self, ais: tuple[str, ...]) -> bool:
        """Tell whether these qualifiers may follow the key in this order."""
        return any(_is_part(ais, order) for order in self.qualifiers or ((),))

    def check(self, value: str, *, content: bool = True) -> None:
        """Refuse a value of the wrong length or characters and, with `content`, of a wrong check digit or date."""
        rest = value
        for component in self.components:
            if not rest and component.optional:
                break
            part = rest[: component.most]
            rest = rest[component.most :]
            self._check_part(part, component, content=content)
        if rest:
            raise IdentifierError("Giá trị của mã AI %(ai)s dài quá mức cho phép.", ai=self.ai)

    def _check_part(self, part: str, component: Component, *, content: bool) -> None:
        if len(part) < component.least:
            raise IdentifierError("Giá trị của mã AI %(ai)s ngắn hơn quy định.", ai=self.ai)
        wrong = next((c for c in part if c not in _CHARACTERS[component.characters]), None)
        if wrong is not None:
            raise IdentifierError(
                "Giá trị của mã AI %(ai)s có ký tự không dùng được: “%(character)s”.",
                ai=self.ai,
                character=wrong,
            )
        if content:
            for name in component.checks:
                CHECKS[name](self.ai, part)


def _is_part(ais: tuple[str, ...], order: tuple[str, ...]) -> bool:
    """Tell whether a sequence appears in another in the same order, each at most once."""
    rest = iter(order)
    return all(ai in rest for ai in ais)


def _component(text: str) -> Component:
    head, *checks = text.removesuffix("?").split(":")
    least, _, most = head[1:].partition("-")
    return Component(head[0], int(least), int(most or least), tuple(checks), text.endswith("?"))


def _groups(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.replace("+", " ").split()) for group in text.split("|")) if text else ()


@functools.cache
def application_identifiers() -> dict[str, ApplicationIdentifier]:
    """Read the table once: application identifier → what is known of it; ranges are spread out."""
    table: dict[str, ApplicationIdentifier] = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            first, _, last = row["ai"].partition("-")
            for number in range(int(first), int(last or first) + 1):
                ai = str(number).zfill(len(first))
                table[ai] = ApplicationIdentifier(
                    ai=ai,
                    title=row["title"],
                    components=tuple(map(_component, row["format"].split())),
                    is_key=bool(row["key"]),
                    qualifiers=_groups(row["qualifiers"]),
                    is_attribute=bool(row["attribute"]),
                    requires=_groups(row["requires"]),
                    excludes=tuple(row["excludes"].split("|")) if row["excludes"] else (),
                )
    return table


def check_pairs(ais: list[str]) -> None:
    """Refuse application identifiers that may not stand together, or that lack the one they belong to."""
    table = application_identifiers()
    for ai in ais:
        known = table[ai]
        others = [other for other in ais if other != ai]
        clash = next((o for o in others if any(_matches(o, pattern) for pattern in known.excludes)), None)
        if clash is not None:
            raise IdentifierError(
                "Mã AI %(ai)s và mã AI %(other)s không được đi cùng nhau.", ai=ai, other=clash
            )
        if known.requires and not any(
            all(any(_matches(o, pattern) for o in others) for pattern in group) for group in known.requires
        ):
            raise IdentifierError(
                "Mã AI %(ai)s phải đi cùng mã AI %(needed)s.", ai=ai, needed=_alternatives(known.requires)
            )


def _matches(ai: str, pattern: str) -> bool:
    return len(ai) == len(pattern) and re.fullmatch(pattern.replace("n", r"\d"), ai) is not None


def _alternatives(groups: tuple[tuple[str, ...], ...]) -> str:
    return ", ".join("+".join(group) for group in groups)
