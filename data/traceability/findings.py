"""What is found in a document: where, in which event, and a plain sentence about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.traceability.epcisschema import Step
from gis.errors import marked

LONGEST = 60

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)

OF_EVENT = marked("Sự kiện %(event)s: %(sentence)s")


@dataclass(frozen=True)
class Finding:
    """A sentence about a place of a document; `event` counts from 1, None for what is about the whole.

    `message` is the Vietnamese sentence with places for `facts`, and the key of the translation catalogue.
    """

    path: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    event: int | None = None

    @property
    def sentence(self) -> str:
        """The sentence in Vietnamese, with the number of the event."""
        said = self.message % self.facts if self.facts else self.message
        return said if self.event is None else OF_EVENT % {"event": self.event, "sentence": said}

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


class Fault(Finding):
    """Something that the standard does not allow."""


class Repair(Finding):
    """Something that was put right while a document was read leniently."""


def path_of(steps: Sequence[Step]) -> str:
    """Return a JSON path: `$.epcisBody.eventList[3].bizStep`, `$['ocop:test']`."""
    return "$" + "".join(map(_step, steps))


def _step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if len(step) <= LONGEST and _PLAIN.fullmatch(step) else f"['{shown(step)}']"


def shown(value: Any, most: int = LONGEST) -> str:
    """Return a value short enough for a sentence."""
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
