"""The yearly cycle: six steps, the statuses of a product on its way, and which moves who may make."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from data.accounts import Actor
from data.programme.calendar import FOLDER
from gis.errors import Refusal


class TransitionRefused(Refusal):
    """A product cannot be moved from one status to another like this."""


@dataclass(frozen=True)
class Step:
    """One of the six steps."""

    number: int
    title: Mapping[str, str]


@dataclass(frozen=True)
class Status:
    """Where a product stands; `kind` says whether the way goes on, ended, or led to recognition."""

    status: str
    step: int
    kind: Literal["open", "ended", "recognised"]
    title: Mapping[str, str]


@dataclass(frozen=True)
class Transition:
    """A move that the law knows; one by the `system` follows from an act such as a submission or a decision."""

    start: str | None
    to: str
    title: Mapping[str, str]
    roles: frozenset[str]
    needs_reason: bool
    by: Literal["person", "system"]
    basis: str


@dataclass(frozen=True)
class Cycle:
    """The steps, statuses and transitions together."""

    steps: tuple[Step, ...]
    statuses: Mapping[str, Status]
    transitions: tuple[Transition, ...]

    def next_of(self, status: str | None, actor: Actor | None = None) -> list[Transition]:
        """List the moves from a status; with an actor, those that this role may make by hand."""
        moves = [t for t in self.transitions if t.start == status]
        return moves if actor is None else [t for t in moves if t.by == "person" and actor.role in t.roles]

    def move(self, start: str | None, to: str, actor: Actor, *, reason: str | None, by: str) -> Transition:
        """Find the transition for a move. Raises TransitionRefused when it may not be made like this."""
        found = next(
            (t for t in self.transitions if t.start == start and t.to == to and t.by in (by, "person")), None
        )
        if found is None:
            raise TransitionRefused(
                "Không thể chuyển từ “%(start)s” sang “%(to)s”.",
                start=self.statuses[start].title["vi"] if start else "chưa tham gia",
                to=self.statuses[to].title["vi"] if to in self.statuses else to,
            )
        if actor.role not in found.roles:
            raise TransitionRefused("Vai trò của bạn không được “%(action)s”.", action=found.title["vi"])
        if found.needs_reason and not (reason or "").strip():
            raise TransitionRefused("Hãy nêu lý do để “%(action)s”.", action=found.title["vi"])
        return found


@functools.cache
def cycle() -> Cycle:
    """Read the cycle from its reference file."""
    document = orjson.loads((FOLDER / "cycle.json").read_bytes())
    statuses = {
        s["status"]: Status(s["status"], s["step"], s["kind"], {"vi": s["vi"], "en": s["en"]})
        for s in document["statuses"]
    }
    return Cycle(
        steps=tuple(Step(s["step"], {"vi": s["vi"], "en": s["en"]}) for s in document["steps"]),
        statuses=statuses,
        transitions=tuple(
            Transition(
                t["from"],
                t["to"],
                {"vi": t["vi"], "en": t["en"]},
                frozenset(t["roles"]),
                t["reason"],
                t["by"],
                t["basis"],
            )
            for t in document["transitions"]
        ),
    )
