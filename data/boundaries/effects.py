"""What a change of boundaries would do: which rows move where, what a new border cuts, what stands in the way."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Account, Role
from data.admin_units import Commune, District, Edition, edition_in_use
from data.base import Base
from data.boundaries import changes
from data.boundaries.errors import BoundaryError
from data.boundaries.outlines import merged
from data.boundary_changes import BoundaryChange
from data.lineage import meanings
from gis import coverage, partition
from gis.errors import marked
from gis.geometry import area_ha

REACH_M = 50_000.0
"""A row of a changed unit goes to the nearest new one however far off it lies; beyond this, to the largest."""
SMALLEST_CUT = 0.01
"""A new border that takes less than this share of an area is not said to cut it."""


@dataclass(frozen=True)
class Remark:
    """A sentence about a change: Vietnamese with %(places)s, its facts, and whether it stands in the way."""

    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    blocking: bool = False

    def __str__(self) -> str:
        return self.message % self.facts if self.facts else self.message


@dataclass(frozen=True, slots=True)
class Move:
    """A row that goes from an old unit to a new one (a position); `shares` are given when a new border cuts it."""

    row: int
    name: str
    old: int
    new: int
    placed: bool
    shares: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class TableMoves:
    """All rows of a table that move."""

    table: str
    moves: tuple[Move, ...]

    @property
    def by_unit(self) -> dict[int, int]:
        """How many rows each new unit (by position) receives."""
        return dict(Counter(move.new for move in self.moves))

    @property
    def cut(self) -> list[Move]:
        """The rows that a new border cuts."""
        return [move for move in self.moves if move.shares]

    @property
    def unplaced(self) -> int:
        """How many rows have no place and go to the unit with most of the old ground."""
        return sum(not move.placed for move in self.moves)


@dataclass(frozen=True)
class OfficerMove:
    """An officer whose unit changes; `new` and `choices` are positions of new units."""

    account: int
    username: str
    name: str
    old: int
    new: int
    choices: tuple[int, ...]


@dataclass(frozen=True)
class ParentChange:
    """A district whose ground changes."""

    id: int
    name: str
    before_ha: float
    after_ha: float


@dataclass(frozen=True)
class Effects:
    """Everything that a change would do."""

    tables: tuple[TableMoves, ...]
    officers: tuple[OfficerMove, ...]
    successions: tuple[coverage.Share, ...]
    districts: tuple[ParentChange, ...]
    faults: tuple[partition.Fault, ...]
    remarks: tuple[Remark, ...]

    @property
    def blocking(self) -> list[Remark]:
        """What stands in the way of applying the change."""
        return [remark for remark in self.remarks if remark.blocking]

    @property
    def total(self) -> int:
        """How many rows move."""
        return sum(len(table.moves) for table in self.tables)

    def summary(self) -> dict[str, Any]:
        """Return the counts, as they are kept with the change."""
        counts = {t.table: {"moved": len(t.moves), "cut": len(t.cut)} for t in self.tables}
        return {"tables": counts, "officers": len(self.officers), "fingerprint": self.fingerprint()}

    def fingerprint(self) -> str:
        """Return a short text that changes when any row would move otherwise."""
        moved = [(t.table, [(m.row, m.old, m.new) for m in t.moves]) for t in self.tables]
        people = [(o.account, o.new) for o in self.officers]
        return hashlib.sha256(orjson.dumps([moved, people], default=str)).hexdigest()[:16]


def effects(session: Session, change: BoundaryChange) -> Effects:
    """Work out what a change would do to the record as it is now; raises BoundaryError when units are gone."""
    before = changes.units_of(session, [unit["id"] for unit in change.units_before])
    shapes = changes.shapes_after(change)
    if not shapes:
        raise BoundaryError("Chưa có hình của các đơn vị mới; hãy làm bước ranh giới trước.")
    old_shapes = [row.geom for row in before]
    shares = tuple(coverage.succession_shares(old_shapes, shapes))
    heir = largest_part(shares)
    border = partition.new_borders(old_shapes, shapes)
    ids = [row.id for row in before]
    tables = [
        TableMoves(model.__tablename__, _moves(session, model, ids, shapes, heir, border))
        for model in models_in_communes()
    ]
    faults = tuple(partition.faults(shapes, merged(old_shapes)))
    return Effects(
        tables=tuple(t for t in tables if t.moves),
        officers=tuple(_officers(session, change, ids, shares, heir)),
        successions=shares,
        districts=tuple(_districts(session, change, before)),
        faults=faults,
        remarks=tuple(_remarks(session, change, before, shapes, faults)),
    )


def largest_part(shares: Sequence[coverage.Share]) -> dict[int, int]:
    """For each old unit (a position) the new one that receives most of its ground."""
    ordered = sorted(shares, key=lambda share: share.area_km2)
    return {share.old: share.new for share in ordered}


def models_in_communes() -> list[Any]:
    """List the models whose rows belong to a commune, people aside, in the order of their tables."""
    models = {m.class_.__table__: m.class_ for m in Base.registry.mappers}
    return [
        models[t]
        for t in Base.metadata.sorted_tables
        if t in models
        and models[t] is not Account
        and any(
            key.column.table is Commune.__table__
            for c in t.c
            if c.name == "commune_id"
            for key in c.foreign_keys
        )
    ]


def _moves(
    session: Session, model: Any, ids: list[int], shapes: list[Any], heir: dict[int, int], border: Any
) -> tuple[Move, ...]:
    table = model.__table__
    name = table.c.name if "name" in table.c else table.c.lot_number if "lot_number" in table.c else sa.null()
    geom = model.geom if "geom" in table.c else sa.null()
    query = sa.select(model.id, name, model.commune_id, geom).where(model.commune_id.in_(ids))
    rows = session.execute(query.order_by(model.id)).all()
    if not rows:
        return ()
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [row[3] for row in rows]
    points = geometry.copy()
    areal = np.isin(shapely.get_type_id(geometry), (3, 6)) & ~shapely.is_empty(geometry)
    points[areal] = shapely.point_on_surface(geometry[areal])
    found = coverage.assign(points, shapes, REACH_M).index
    position = {unit: at for at, unit in enumerate(ids)}
    crossing = areal & (False if border.is_empty else shapely.crosses(border, geometry))
    moves = []
    for at, (row, title, old, _) in enumerate(rows):
        placed = bool(found[at] >= 0)
        new = int(found[at]) if placed else heir[position[old]]
        shares = _shares(geometry[at], shapes) if crossing[at] else ()
        moves.append(Move(row, str(title or row), old, new, placed, shares))
    return tuple(moves)


def _shares(shape: Any, parts: list[Any]) -> tuple[tuple[int, float], ...]:
    """The parts (positions) that hold a worthwhile share of an area, or nothing when only one does."""
    areas = area_ha([shapely.intersection(shape, part) for part in parts])
    whole = max(float(areas.sum()), 1e-12)
    kept = [(at, float(a) / whole) for at, a in enumerate(areas.tolist()) if a / whole >= SMALLEST_CUT]
    return tuple(sorted(kept, key=lambda entry: -entry[1])) if len(kept) > 1 else ()


def _officers(
    session: Session,
    change: BoundaryChange,
    ids: list[int],
    shares: Sequence[coverage.Share],
    heir: dict[int, int],
) -> list[OfficerMove]:
    rows = session.scalars(
        sa.select(Account)
        .where(Account.commune_id.in_(ids), Account.role == Role.COMMUNE_OFFICER)
        .order_by(Account.username)
    )
    chosen = change.accounts or {}
    choices: dict[int, list[int]] = defaultdict(list)
    for share in shares:
        choices[share.old].append(share.new)
    found = []
    for row in rows:
        at = ids.index(row.commune_id or 0)
        new = chosen.get(str(row.id), heir[at])
        found.append(
            OfficerMove(row.id, row.username, row.display_name, ids[at], new, tuple(sorted(choices[at])))
        )
    return found


def _districts(session: Session, change: BoundaryChange, before: Sequence[Commune]) -> list[ParentChange]:
    """The districts that gain or lose ground."""
    gained: dict[int, float] = defaultdict(float)
    for row in before:
        gained[row.district_id or 0] -= row.area_ha or 0.0
    for unit in change.units_after:
        gained[unit["district_id"] or 0] += unit["area_ha"]
    moved = [key for key, area in gained.items() if key and abs(area) > 0.01]
    rows = session.scalars(sa.select(District).where(District.id.in_(moved)).order_by(District.name))
    return [
        ParentChange(row.id, row.full_name, row.area_ha or 0.0, (row.area_ha or 0.0) + gained[row.id])
        for row in rows
    ]


def cut_shapes(session: Session, found: Effects, limit: int) -> list[Any]:
    """Return the shapes that a new border cuts, at most so many of each table."""
    shapes: list[Any] = []
    for model in models_in_communes():
        cut = [move.row for t in found.tables if t.table == model.__tablename__ for move in t.cut]
        if cut:
            shapes += session.scalars(sa.select(model.geom).where(model.id.in_(cut[:limit])))
    return shapes


# ---- remarks


def _remarks(
    session: Session,
    change: BoundaryChange,
    before: Sequence[Commune],
    shapes: list[Any],
    faults: tuple[partition.Fault, ...],
) -> list[Remark]:
    return [
        *_decree_remarks(session, change),
        *_naming_remarks(session, change, before),
        *_shape_remarks(change, before, shapes, faults),
    ]


def _decree_remarks(session: Session, change: BoundaryChange) -> list[Remark]:
    found = []
    if not change.decree or change.decree_date is None or change.effective_on is None:
        found.append(Remark(marked("Chưa có số văn bản, ngày ban hành hoặc ngày hiệu lực."), blocking=True))
    elif change.decree_date > change.effective_on:
        found.append(Remark(marked("Ngày hiệu lực đứng trước ngày ban hành văn bản; hãy xem lại.")))
    edition = session.scalar(sa.select(Edition).where(Edition.code == edition_in_use(session)))
    if edition is not None and change.effective_on is not None and change.effective_on < edition.valid_from:
        found.append(
            Remark(
                marked("Ngày hiệu lực đứng trước ngày bắt đầu của địa giới đang dùng (%(day)s)."),
                {"day": f"{edition.valid_from:%d/%m/%Y}"},
                blocking=True,
            )
        )
    return found


def _naming_remarks(session: Session, change: BoundaryChange, before: Sequence[Commune]) -> list[Remark]:
    edition = edition_in_use(session)
    others = session.execute(
        sa.select(Commune.code, Commune.name, Commune.district_id).where(
            Commune.edition == edition, Commune.id.not_in([row.id for row in before])
        )
    ).all()
    taken = {code: name for code, name, _ in others}
    named = {(name, district) for _, name, district in others}
    codes = Counter(unit["code"] for unit in change.units_after)
    own = {row.code for row in before}
    found = []
    for unit in change.units_after:
        code, name = unit["code"], unit["name"]
        facts = {"code": code, "name": name or "?"}
        if not name or not unit["kind"]:
            found.append(Remark(marked("Có đơn vị mới chưa có tên hoặc loại."), blocking=True))
        if not re.fullmatch(r"[0-9]{5}", code):
            message = marked("Mã “%(code)s” của %(name)s không gồm 5 chữ số.")
            found.append(Remark(message, facts, blocking=True))
        elif code in taken:
            message = marked("Mã %(code)s đang là mã của %(other)s.")
            found.append(Remark(message, {"code": code, "other": taken[code]}, blocking=True))
        elif codes[code] > 1:
            message = marked("Mã %(code)s được đặt cho nhiều đơn vị mới.")
            found.append(Remark(message, facts, blocking=True))
        elif code not in own:
            found += _old_meanings(session, code, name)
        if (name, unit["district_id"]) in named:
            message = marked("Đã có một đơn vị khác tên %(name)s trong cùng huyện hoặc tỉnh.")
            found.append(Remark(message, facts))
    return _once(found)


def _once(remarks: list[Remark]) -> list[Remark]:
    return list({str(remark): remark for remark in remarks}.values())


def _old_meanings(session: Session, code: str, name: str) -> list[Remark]:
    return [
        Remark(
            marked(
                "Mã %(code)s trước đây là mã của %(other)s (địa giới %(edition)s); tra cứu sẽ nêu cả hai."
            ),
            {"code": code, "other": meaning.name, "edition": meaning.edition},
        )
        for meaning in meanings(session, code)
        if meaning.name != name
    ]


def _shape_remarks(
    change: BoundaryChange, before: Sequence[Commune], shapes: list[Any], faults: tuple[partition.Fault, ...]
) -> list[Remark]:
    found = []
    sentences = {
        "overlap": marked("Các đơn vị mới chồng lấn nhau ở %(count)s chỗ, tổng %(area).4f ha."),
        "gap": marked("Còn %(count)s khoảng trống không thuộc đơn vị mới nào, tổng %(area).4f ha."),
        "outside": marked("Các đơn vị mới vượt ra ngoài địa bàn cũ ở %(count)s chỗ, tổng %(area).4f ha."),
    }
    for kind, sentence in sentences.items():
        own = [fault for fault in faults if fault.kind == kind]
        if own:
            facts = {"count": len(own), "area": sum(fault.area_m2 for fault in own) / 10_000}
            found.append(Remark(sentence, facts, blocking=True))
    parts_before = sum(len(shapely.get_parts(row.geom)) for row in before)
    for unit, shape in zip(change.units_after, shapes, strict=True):
        parts = len(shapely.get_parts(shape))
        if parts > parts_before or (change.kind == "merge" and parts > 1 and not _touching(before)):
            found.append(
                Remark(
                    marked("%(name)s gồm %(parts)s phần rời nhau; hãy xem lại nếu đó không phải là đảo."),
                    {"name": unit["name"] or "?", "parts": parts},
                )
            )
    return found


def _touching(before: Sequence[Commune]) -> bool:
    """Whether the units form one block by land borders."""
    shapes = [row.geom for row in before]
    reached, waiting = {0}, [0]
    while waiting:
        at = waiting.pop()
        for other in range(len(shapes)):
            if other not in reached and shapely.intersects(shapes[at], shapes[other]):
                reached.add(other)
                waiting.append(other)
    return len(reached) == len(shapes)
