"""Chance that falls the same way everywhere: every choice rests on uniform doubles of PCG64."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

SEED = 96

T = TypeVar("T")


class Dice:
    """A stream of choices for one subject, so that more rows of one subject do not change another."""

    def __init__(self, subject: str) -> None:
        self.rng = np.random.Generator(np.random.PCG64([SEED, zlib.crc32(subject.encode())]))

    def chance(self, share: float) -> bool:
        """Tell whether something with this probability happens."""
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        """Give a number from low to high."""
        return low + (high - low) * float(self.rng.random())

    def whole(self, low: int, high: int) -> int:
        """Give a whole number from low to high, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Take one of the choices."""
        return choices[self.whole(0, len(choices) - 1)]

    def weighted(self, choices: Sequence[T], weights: Sequence[float]) -> T:
        """Take one of the choices, each as likely as its weight."""
        left = float(self.rng.random()) * sum(weights)
        for choice, weight in zip(choices, weights, strict=True):
            left -= weight
            if left < 0:
                return choice
        return choices[-1]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """Give all choices in a random order."""
        order = np.argsort(self.rng.random(len(choices)), kind="stable")
        return [choices[k] for k in order]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """Take several different choices, fewer where there are not enough."""
        return self.shuffled(choices)[:count]

    def day(self, first: dt.date, last: dt.date) -> dt.date:
        """Give a day from first to last."""
        return first + dt.timedelta(days=self.whole(0, (last - first).days))
