"""The result of several questions as one: how many rows match, and the rows from one position on, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from data.store import Store
from layers import read
from services.wfs.queries import Ask

#: Rows of a page; an answer that fits into one needs no count of its own.
PAGE = 1_500


@dataclass
class Part:
    """The part that one question has in an answer: how many rows match it, how many come, and those rows."""

    ask: Ask
    matched: int
    returned: int
    pages: Iterator[read.Rows] = field(default_factory=lambda: iter(()))


class Results:
    """Reads the answers of questions in one session, in which the record stands still."""

    def __init__(self, store: Store, asks: Sequence[Ask], *, start: int, count: int | None) -> None:
        self.session = Session(store.engine, autoflush=False)
        try:
            if not store.embedded:
                self.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            for ask in asks:
                read.check(self.session, ask.query)
            self.parts = self._parts(asks, start, count)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the session; to be called when the answer has been sent, or will not be."""
        self.session.close()

    def written(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on an answer piece by piece, and end the session after the last."""
        try:
            yield from body
        finally:
            self.close()

    @property
    def matched(self) -> int:
        """How many rows match all questions together."""
        return sum(part.matched for part in self.parts)

    @property
    def returned(self) -> int:
        """How many rows are in the answer."""
        return sum(part.returned for part in self.parts)

    def _parts(self, asks: Sequence[Ask], start: int, count: int | None) -> list[Part]:
        if len(asks) == 1 and start == 0 and count != 0:
            return [self._from_the_top(asks[0], count)]
        parts: list[Part] = []
        left = count
        for ask in asks:
            matched = read.count(self.session, ask.query)
            skipped = min(start, matched)
            start -= skipped
            taken = matched - skipped if left is None else min(left, matched - skipped)
            left = None if left is None else left - taken
            pages = self._pages(ask, skipped, taken)
            parts.append(Part(ask, matched, taken, pages))
        return parts

    def _from_the_top(self, ask: Ask, count: int | None) -> Part:
        """Answer a question from its first row; when all fits into a page, the page itself says how many match."""
        limit = None if count is None else count + 1
        pages = read.stream(self.session, replace(ask.query, limit=limit), chunk=PAGE)
        first = next(pages, None)
        found = 0 if first is None else len(first)
        whole = found < PAGE and (count is None or found <= count)
        matched = found if whole else read.count(self.session, ask.query)
        returned = matched if count is None else min(count, matched)
        return Part(ask, matched, returned, _cut(first, pages, returned))

    def _pages(self, ask: Ask, skipped: int, taken: int) -> Iterator[read.Rows]:
        if taken == 0:
            return
        after = read.cursor_at(self.session, ask.query, skipped) if skipped else None
        query = replace(ask.query, limit=taken, after=after)
        yield from _cut(None, read.stream(self.session, query, chunk=PAGE), taken)


def _cut(first: read.Rows | None, pages: Iterator[read.Rows], most: int) -> Iterator[read.Rows]:
    """Yield the first page and those that follow, until there are enough rows."""
    left = most
    for page in _joined(first, pages):
        if left <= 0:
            break
        yield page if len(page) <= left else page.first(left)
        left -= len(page)


def _joined(first: read.Rows | None, pages: Iterator[read.Rows]) -> Iterator[read.Rows]:
    if first is not None:
        yield first
    yield from pages


def count_only(store: Store, asks: Sequence[Ask]) -> list[int]:
    """Return how many rows match each question."""
    with store.reading() as session:
        return [read.count(session, ask.query) for ask in asks]
