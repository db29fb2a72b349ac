"""What can be put right safely: each fix with its effect before it is made, and made through the edit path."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.admin_units import Commune
from data.batches import Batch
from data.store import Store
from gis import mending, vertices
from gis.errors import Refusal
from gis.geometry import area_ha, repair
from gis.quality import Kind
from layers.edit import editing
from layers.fields import Label, Layer
from layers.quality.check import province_shape
from layers.quality.exceptions import editable_ids
from layers.quality.report import TITLES, Finding
from layers.refusals import Conflict, NotFound

LARGEST_LOSS = 0.5
"""A row that would lose more of its ground than this is somebody's decision."""
LARGEST_REPAIR = 0.01
LARGEST_SLIVER = 0.02
WIDEST_FILL_M = 20.0
"""A wider gap may be water or land of nobody here."""
MOST_OFFERS = 6

TITLES_OF_ACTIONS: Final[Mapping[str, Label]] = {
    "repair": Label("Sửa hình cho hợp lệ", "Repair the geometry"),
    "clean": Label("Bỏ đỉnh trùng và gai", "Remove repeated vertices and spikes"),
    "delete": Label("Xóa bản trùng", "Delete the duplicate"),
    "trim": Label("Cắt phần chồng lấn khỏi", "Trim the overlap from"),
    "fill": Label("Kéo sát vào vùng bên cạnh", "Snap to the neighbour"),
    "drop": Label("Bỏ mảnh vụn", "Drop the sliver"),
    "cut": Label("Cắt theo ranh giới xã", "Cut to the commune"),
    "cut_province": Label("Cắt theo ranh giới tỉnh", "Cut to the province"),
}


@dataclass(frozen=True)
class Member:
    """A row of a fault as the caller may know it; `editable` tells whether they may change it."""

    id: int
    name: str | None
    version: int | None
    geometry: Any
    editable: bool


@dataclass(frozen=True)
class Fix:
    """One way to put a fault right: the row that changes, and its shape before and after (None: it goes)."""

    action: str
    target: int
    name: str
    before: Any
    after: Any
    before_ha: float
    after_ha: float

    @property
    def title(self) -> Label:
        """What the fix does, in words."""
        return TITLES_OF_ACTIONS[self.action]

    @property
    def change_m2(self) -> float:
        """By how much the area changes."""
        return (self.after_ha - self.before_ha) * 10_000.0


def members(session: Session, layer: Layer, actor: Actor, finding: Finding) -> list[Member]:
    """The rows of a finding, with names and shapes as far as the actor sees them."""
    model = layer.model
    own = editable_ids(session, layer, actor, finding.ids)
    query = sa.select(model).where(model.id.in_(finding.ids), visible(actor, model))
    rows = {row.id: row for row in session.scalars(query)}
    found = []
    for row_id in finding.ids:
        row = rows.get(row_id)
        if row is None:
            found.append(Member(row_id, None, None, None, False))
            continue
        name = str(getattr(row, layer.name_field) or row_id)
        found.append(Member(row_id, name, row.version, row.geom, row_id in own))
    return found


def offers(session: Session, layer: Layer, actor: Actor, finding: Finding) -> list[Fix]:
    """The fixes of a finding that are safe and that the actor may make, the likeliest first."""
    rows = [m for m in members(session, layer, actor, finding) if m.geometry is not None]
    if not any(m.editable for m in rows):
        return []
    make = _MAKERS.get(finding.kind)
    if make is None:
        return []
    found = []
    for action, row, compute in make(session, layer, finding, rows):
        try:
            after = compute()
        except Refusal:
            continue
        before_ha, after_ha = (float(a) for a in area_ha([row.geometry, after]))
        found.append(Fix(action, row.id, row.name or "", row.geometry, after, before_ha, after_ha))
    return [fix for fix in found if _is_safe(fix)][:MOST_OFFERS]


def apply(
    store: Store,
    actor: Actor,
    layer: Layer,
    finding: Finding,
    action: str,
    target: int,
    versions: Mapping[int, int],
    *,
    source: str = "web",
) -> Fix:
    """Make a fix; `versions` are those of the finding's rows when the actor looked at the preview.

    Raises Conflict when one of them changed since, NotFound when the fix is no longer there or not allowed, and
    what the edit path raises.
    """
    with store.reading() as session:
        for member in members(session, layer, actor, finding):
            if member.version is not None and versions.get(member.id) != member.version:
                raise Conflict(layer, member.id, member.version)
        fix = next(
            (f for f in offers(session, layer, actor, finding) if (f.action, f.target) == (action, target)),
            None,
        )
    if fix is None:
        raise NotFound("Cách sửa này không còn áp dụng được; hãy xem lại lỗi.")
    reason = f"Sửa lỗi hình: {TITLES[finding.kind].vi} – {fix.title.vi}"
    batch = Batch(
        kind="quality",
        title=f"{reason}: {fix.name}",
        table_name=layer.table,
        account_id=actor.account_id,
        actor=actor.name or actor.role.value,
        facts={"kind": finding.kind.value, "ids": list(finding.ids), "change_m2": fix.change_m2},
    )
    with editing(store, actor, source, reason, batch=batch) as edits:
        if fix.after is None:
            edits.delete(layer, target, version=versions[target])
        else:
            edits.update(layer, target, {}, fix.after, version=versions[target])
    return fix


Offer = tuple[str, Member, Callable[[], Any]]
Maker = Callable[[Session, Layer, Finding, list[Member]], Iterator[Offer]]


def _repairs(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    row = rows[0]
    if "refused" not in finding.facts:
        yield "repair", row, lambda: repair(row.geometry, "MULTIPOLYGON").geometry


def _cleaning(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    row = rows[0]
    yield "clean", row, lambda: repair(vertices.without_spikes(row.geometry), "MULTIPOLYGON").geometry


def _deletions(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    """The later row first; only a copy that says nothing of its own may go."""
    if len(rows) < 2:
        return
    for row, other in ((rows[-1], rows[0]), (rows[0], rows[-1])):
        if row.editable and _says_nothing_new(session, layer, row.id, other.id):
            yield "delete", row, lambda: None


def _trims(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    """From the row that was added later first."""
    if len(rows) != 2:
        return
    for row, other in ((rows[1], rows[0]), (rows[0], rows[1])):
        if row.editable:
            yield "trim", row, functools.partial(mending.trimmed, row.geometry, other.geometry)


def _fills(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    """The neighbour with the longest common border first; all rows around must be seen to be kept clear of."""
    if finding.width_m > WIDEST_FILL_M or len(rows) != len(finding.ids):
        return
    best = rows[mending.best_neighbour(finding.geometry, [m.geometry for m in rows])]
    for row in sorted(rows, key=lambda m: m is not best):
        if row.editable:
            others = [m.geometry for m in rows if m is not row]
            yield "fill", row, functools.partial(mending.filled, row.geometry, finding.geometry, others)


def _drops(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    row = rows[0]
    if not finding.facts.get("whole") and finding.facts.get("share", 1.0) <= LARGEST_SLIVER:
        yield "drop", row, lambda: mending.without_part(row.geometry, finding.geometry)


def _cuts(session: Session, layer: Layer, finding: Finding, rows: list[Member]) -> Iterator[Offer]:
    row = rows[0]
    if finding.kind == Kind.ABROAD:
        yield "cut_province", row, lambda: mending.cut_to(row.geometry, province_shape(session))
        return
    home = session.scalar(
        sa.select(Commune.geom)
        .join(layer.model, layer.model.commune_id == Commune.id)
        .where(layer.model.id == row.id)
    )
    if home is not None:
        yield "cut", row, lambda: mending.cut_to(row.geometry, home)


_MAKERS: Mapping[Kind, Maker] = {
    Kind.INVALID: _repairs,
    Kind.REPEATED: _cleaning,
    Kind.SPIKE: _cleaning,
    Kind.DUPLICATE: _deletions,
    Kind.OVERLAP: _trims,
    Kind.GAP: _fills,
    Kind.NARROW_GAP: _fills,
    Kind.SLIVER: _drops,
    Kind.OUTSIDE: _cuts,
    Kind.ABROAD: _cuts,
}


def _is_safe(fix: Fix) -> bool:
    if fix.after is None:
        return True
    change = abs(fix.after_ha - fix.before_ha) / max(fix.before_ha, 1e-12)
    return change <= (LARGEST_REPAIR if fix.action in ("repair", "clean") else LARGEST_LOSS)


def _says_nothing_new(session: Session, layer: Layer, row_id: int, other_id: int) -> bool:
    """Whether a row holds no value that the other lacks, and nothing hangs on it."""
    row, other = session.get(layer.model, row_id), session.get(layer.model, other_id)
    names = [f.name for f in layer.fields if f.writable and f.name != "status"]
    if any(getattr(row, n) not in (None, "", getattr(other, n)) for n in names):
        return False
    return not any(_referred(session, table, column, row_id) for table, column in _references(layer))


def _references(layer: Layer) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """The columns of other tables that point to rows of the layer."""
    for table in layer.model.metadata.tables.values():
        for column in table.c:
            if any(key.column.table is layer.model.__table__ for key in column.foreign_keys):
                yield table, column


def _referred(session: Session, table: sa.Table, column: sa.Column[Any], row_id: int) -> bool:
    query = sa.select(sa.literal(1)).select_from(table).where(column == row_id).limit(1)
    return session.scalar(query) is not None
