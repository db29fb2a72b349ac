"""Refusals: errors that carry one plain sentence for the person who asked, and the facts in it."""

from __future__ import annotations


def marked(text: str) -> str:
    """Return a text as it is; the mark puts it into the translation catalogue when a name stands for it later."""
    return text


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
        return self.message % self.facts if self.facts else self.message
