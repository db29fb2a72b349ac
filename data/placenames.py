"""Communes by what people write: a code or a name, of today or of an older edition, with the district if need be."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.admin_units import Commune, edition_in_use
from data.lineage import current_unit, heirs, meanings
from data.text import fold
from gis.errors import Refusal, marked

_KINDS = re.compile(r"^(xa|phuong|thi tran|tt|p|x)[. ]+")
_CODED = re.compile(r"\(?(mã\s*(xã|số)?\s*:?)?\s*\d{5}\)?", re.IGNORECASE)


class PlaceError(Refusal):
    """A name or code does not lead to one commune of today."""


class PlaceNames:
    """The communes of every edition by folded name, read once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._edition = edition_in_use(session)
        self._known: dict[str, list[Commune]] = {}
        for commune in session.scalars(sa.select(Commune)):
            self._known.setdefault(_bare(commune.name), []).append(commune)
        self._found: dict[tuple[str, str], int] = {}

    def commune(self, text: str, around: str = "") -> int:
        """Return the id of the commune in use; `around` (an address) tells communes of one name apart.

        Raises PlaceError or UnitError for a text that leads to none or to several.
        """
        key = (text, around)
        if key not in self._found:
            self._found[key] = self._looked_up(text, around)
        return self._found[key]

    def _looked_up(self, text: str, around: str) -> int:
        code = re.search(r"(?<!\d)\d{5}(?!\d)", text)
        if code:
            # A code may have passed on to another commune; the name beside it tells which was meant.
            spoken = _bare(_CODED.sub(" ", text.partition(",")[0]))
            for meaning in meanings(self.session, code[0]):
                if _bare(meaning.name) == spoken and len(meaning.now) == 1:
                    return meaning.now[0].id
            unit = current_unit(self.session, code[0])
            if isinstance(unit, Commune):
                return unit.id
        first, _, rest = text.partition(",")
        named = self._known.get(_bare(first), [])
        hints = fold(f"{rest} {around}")
        near = [c for c in named if c.district is not None and _bare(c.district.name) in hints]
        exact = [c for c in named if fold(c.full_name) == fold(first)]
        for candidates in ([c for c in near if c in exact], near, exact, named):
            today = {c.id for c in candidates if c.edition == self._edition}
            if len(today) == 1:
                return today.pop()
            later = {h.id for c in candidates for h in heirs(self.session, c.id)[:1]} if not today else set()
            if len(later) == 1:
                return later.pop()
        if named:
            raise PlaceError(marked("Có nhiều xã tên “%(name)s”; hãy ghi thêm huyện hoặc mã xã."), name=text)
        raise PlaceError(marked("Không có xã, phường, thị trấn nào tên “%(name)s”."), name=text)


def _bare(name: str) -> str:
    bare = re.sub(r"[\W_]+", " ", fold(name)).strip()
    return re.sub(r"^(huyen|thanh pho|tp|thi xa) ", "", _KINDS.sub("", bare))
