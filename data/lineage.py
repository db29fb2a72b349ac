"""What became of an administrative unit, and what it came from, through any number of boundary changes.

Successions link one edition to the next. A unit that a change leaves alone goes on under its id, and a copy of it
stays in the older edition; a link to such a copy is no step in anybody's history and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.admin_units import (
    Commune,
    CommuneSuccession,
    District,
    Edition,
    Province,
    edition_in_use,
    find_unit,
)
from gis.errors import Refusal

WHOLE = 0.999
"""Shares above this are the whole unit: the rest is the rounding of coordinates."""
SMALLEST_SHARE = 0.005
"""Less ground than this is the rounding of two drawings of one border, not a part that went elsewhere."""


class UnitError(Refusal):
    """A code or name does not lead to one unit of today."""


@dataclass(frozen=True, slots=True)
class Heir:
    """A unit of the edition in use that holds ground of an older one; `share` is the part of the older one."""

    id: int
    code: str
    name: str
    kind: str
    share: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code meant in one edition, and which units hold that ground today, largest part first."""

    id: int
    code: str
    name: str
    kind: str
    edition: str
    valid_from: object
    valid_to: object
    in_use: bool
    now: tuple[Heir, ...]


def heirs(session: Session, commune_id: int) -> tuple[Heir, ...]:
    """Return the units in use that hold the ground of a unit, largest part first; itself when it is in use."""
    edition = edition_in_use(session)
    ground = {commune_id: 1.0}
    found: dict[int, float] = {}
    seen: set[int] = set()
    while ground:
        current: set[int] = set(session.scalars(_ids_of(ground, edition)))
        for unit in current:
            found[unit] = found.get(unit, 0.0) + ground.pop(unit)
        seen |= current | ground.keys()
        after: dict[int, float] = {}
        for old, new, share in session.execute(_links(ground)):
            if new not in seen or new in current:
                after[new] = after.get(new, 0.0) + ground[old] * share
        ground = after
    units = {u.id: u for u in session.scalars(sa.select(Commune).where(Commune.id.in_(found)))}
    kept = sorted(found.items(), key=lambda entry: -entry[1])
    return tuple(
        Heir(key, units[key].code, units[key].full_name, units[key].kind, min(1.0, share))
        for key, share in kept
        if share >= SMALLEST_SHARE or key == commune_id
    )


def _ids_of(ground: Iterable[int], edition: str) -> Any:
    return sa.select(Commune.id).where(Commune.id.in_(list(ground)), Commune.edition == edition)


def _links(ground: Iterable[int]) -> Any:
    links = CommuneSuccession
    return sa.select(links.old_id, links.new_id, links.share_of_old).where(links.old_id.in_(list(ground)))


def steps_back(session: Session, commune_id: int) -> list[CommuneSuccession]:
    """Return the successions that made a unit, with copies passed over; largest part of the new unit first."""
    return _steps(session, commune_id, back=True)


def steps_forward(session: Session, commune_id: int) -> list[CommuneSuccession]:
    """Return the successions that a unit went into, with copies passed over; largest part of it first."""
    return _steps(session, commune_id, back=False)


def _steps(session: Session, commune_id: int, *, back: bool) -> list[CommuneSuccession]:
    start, share = (
        (CommuneSuccession.new_id, CommuneSuccession.share_of_new)
        if back
        else (CommuneSuccession.old_id, CommuneSuccession.share_of_old)
    )
    found: list[CommuneSuccession] = []
    waiting, seen = [commune_id], {commune_id}
    while waiting:
        rows = session.scalars(
            sa.select(CommuneSuccession)
            .where(start.in_(waiting))
            .order_by(share.desc(), CommuneSuccession.id)
        ).all()
        waiting = []
        for row in rows:
            other = row.old_id if back else row.new_id
            if not is_copy(row):
                found.append(row)
            elif other not in seen:
                seen.add(other)
                waiting.append(other)
    return found


def is_copy(row: CommuneSuccession) -> bool:
    """Tell whether a succession only joins a unit to its copy in the edition before."""
    old, new = row.old, row.new
    same = (old.code, old.name, old.kind) == (new.code, new.name, new.kind)
    return same and row.decree is None and row.share_of_old >= WHOLE and row.share_of_new >= WHOLE


def meanings(session: Session, code: str) -> list[Meaning]:
    """Return every commune that a code has meant, the one in use first, then the latest."""
    edition = edition_in_use(session)
    units = session.scalars(
        sa.select(Commune)
        .outerjoin(Edition, Edition.code == Commune.edition)
        .where(Commune.code == code)
        .order_by(Commune.edition != edition, Edition.valid_from.desc(), Commune.id)
    ).all()
    found: list[Meaning] = []
    for unit in units:
        now = heirs(session, unit.id)
        if any(m.name == unit.full_name and m.now == now and now for m in found):
            continue
        found.append(
            Meaning(
                id=unit.id,
                code=unit.code,
                name=unit.full_name,
                kind=unit.kind,
                edition=unit.edition,
                valid_from=unit.valid_from,
                valid_to=unit.valid_to,
                in_use=unit.edition == edition,
                now=now,
            )
        )
    return found


def current_unit(session: Session, code: str) -> Province | District | Commune | None:
    """Find the unit of a code today: the one in use, or the only one that holds the ground of an older unit.

    Raises UnitError with the candidates and their shares when the older unit was split.
    """
    unit = find_unit(session, code)
    if unit is not None:
        return unit
    for meaning in meanings(session, code):
        if len(meaning.now) == 1:
            return session.get(Commune, meaning.now[0].id)
        if meaning.now:
            raise UnitError(
                "%(name)s (mã %(code)s) đã được chia; hãy chọn một trong các đơn vị nay giữ địa bàn đó: "
                "%(candidates)s.",
                name=meaning.name,
                code=code,
                candidates=", ".join(f"{h.code} {h.name} ({h.share:.0%})" for h in meaning.now),
            )
    return None
