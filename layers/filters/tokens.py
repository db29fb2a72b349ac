"""A look at CQL2 text before it is parsed: limits that keep the parser's stack safe, and one spelling of numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal

from layers.filters.nodes import FilterError

LONGEST = 20_000
DEEPEST = 64
MOST_NODES = 2_000
LARGEST_EXPONENT = 300

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>[^\W\d][\w.:]*)
      | (?P<operator><>|<=|>=|!=|[=<>+\-*/^%])
      | (?P<mark>[(),])""",
    re.VERBOSE,
)
_BREAKS = {"AND", "OR"}


@dataclass
class Prepared:
    """The text for the parser, and where each token stood in the text as it was written."""

    text: str = ""
    _new: list[int] = field(default_factory=list)
    _old: list[int] = field(default_factory=list)

    def position(self, new: int) -> int:
        """Return the 1-based position in the original text of a 0-based position in the parser's."""
        index = bisect_right(self._new, new) - 1
        return self._old[index] + (new - self._new[index]) + 1 if index >= 0 else new + 1


def too_long(limit: int = LONGEST) -> FilterError:
    """Return the refusal of a filter that is too long."""
    return FilterError("Bộ lọc dài quá %(limit)s ký tự.", limit=limit)


def too_deep() -> FilterError:
    """Return the refusal of a filter that is nested too deeply."""
    return FilterError("Bộ lọc lồng nhau quá %(limit)s bậc.", limit=DEEPEST)


def too_many() -> FilterError:
    """Return the refusal of a filter with too many parts."""
    return FilterError("Bộ lọc có quá %(limit)s phần.", limit=MOST_NODES)


def prepared(text: str) -> Prepared:
    """Check the length and nesting of a CQL2 text and write its numbers as the parser reads them.

    Operators that follow each other count as nesting too. Raises FilterError.
    """
    if len(text) > LONGEST:
        raise too_long()
    out, pieces, length = Prepared(), [], 0
    open_groups: list[int] = []
    chain, position = 0, 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise FilterError(
                "Bộ lọc sai ở ký tự thứ %(position)s: “%(near)s”.",
                position=position + 1,
                near=text[position : position + 20],
            )
        token, kind = found.group(), found.lastgroup
        if token == "(":
            open_groups.append(chain)
            chain = 0
        elif token == ")":
            chain = open_groups.pop() if open_groups else 0
        elif token == "," or token.upper() in _BREAKS:
            chain = 0
        elif kind == "operator" or token.upper() == "NOT":
            chain += 1
        if len(open_groups) + sum(open_groups) + chain > DEEPEST:
            raise too_deep()
        if kind == "number":
            token = _numeral(token)
        out._new.append(length)
        out._old.append(position)
        pieces.append(token)
        length += len(token)
        position = found.end()
    out.text = "".join(pieces)
    return out


def _numeral(token: str) -> str:
    """Write .5 as 0.5, 5. as 5.0, and exponents out, which coordinates may have but the parser does not take."""
    if "e" in token.lower():
        number = Decimal(token)
        if abs(number.adjusted()) > LARGEST_EXPONENT:
            raise FilterError("Số “%(number)s” quá lớn hoặc quá nhỏ.", number=token[:40])
        token = f"{number:f}"
    if token.startswith("."):
        token = f"0{token}"
    return f"{token}0" if token.endswith(".") else token
