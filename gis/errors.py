"""Refusals: errors that carry one plain sentence for the person who asked, and the facts in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


def marked(text: str) -> str:
    """Return a text as it is; the mark puts it into the translation catalogue when a name stands for it later."""
    return text


@dataclass(frozen=True)
class Sentence:
    """Something to be said to a person: Vietnamese with places for facts, and the key of its translation.

    A fact may itself be in two languages, a mapping with `vi` and `en`, or several sentences, a tuple of them.
    """

    message: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return _in_vietnamese(self.message, self.facts)


def _in_vietnamese(message: str, facts: Mapping[str, object]) -> str:
    return message % {name: _fact(fact) for name, fact in facts.items()} if facts else message


def _fact(fact: object) -> object:
    if isinstance(fact, Mapping):
        return fact["vi"]
    return "; ".join(map(str, fact)) if isinstance(fact, tuple) else fact


class Refusal(Exception):
    """What was asked cannot be done, and nothing was changed.

    `message` is a Vietnamese sentence that says what to do; it doubles as the key of the translation
    catalogue. Places for facts are written `%(name)s` and filled from the keywords.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return _in_vietnamese(self.message, self.facts)
