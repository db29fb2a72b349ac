"""What became of a row: who changed what and when, what it held after each change, and the way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from data import past
from data.accounts import Actor, own_communes, visible
from data.admin_units import Commune
from data.store import Store
from data.tables import AuditRow
from gis.geometry import area_ha
from layers.edit import editing, is_editable, may_edit
from layers.fields import Field, Label, Layer
from layers.refusals import NotAllowed, NotFound

SOURCE = "restore"
LISTED = 200

#: What columns that no field of a layer shows are called.
OTHER_TITLES: Mapping[str, Label] = {
    "commune_id": Label("Xã, phường, thị trấn", "Commune"),
    "district_id": Label("Huyện, thành phố", "District"),
    "season_calendar": Label("Lịch thời vụ", "Season calendar"),
    "source": Label("Nguồn dữ liệu", "Source of the data"),
}


@dataclass(frozen=True)
class FieldChange:
    """One field of a change, as it was and as it is; `field` is None for a column that no field shows."""

    name: str
    title: Label
    before: Any
    after: Any
    field: Field | None = None


@dataclass(frozen=True)
class ShapeChange:
    """What a change did to the geometry: lon/lat shapes and areas in hectares."""

    before: shapely.Geometry | None
    after: shapely.Geometry | None
    added: shapely.Geometry | None
    removed: shapely.Geometry | None
    before_ha: float
    after_ha: float
    added_ha: float
    removed_ha: float


@dataclass(frozen=True)
class Change:
    """One change of a row. `id` names it in the audit trail; `state` is what the row held after it, or None."""

    id: int
    at: dt.datetime
    actor: str | None
    source: str
    action: str
    reason: str | None
    batch_id: int | None
    fields: tuple[FieldChange, ...]
    shape: ShapeChange | None
    state: past.State | None = field(repr=False, default=None)
    before: past.State | None = field(repr=False, default=None)
    is_now: bool = False


@dataclass(frozen=True)
class Story:
    """A row's changes, newest first; `now` is what it holds, or None when it was deleted."""

    layer: Layer
    row_id: int
    name: str
    version: int | None
    now: past.State | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Deleted:
    """A row that was deleted and is not back."""

    row_id: int
    name: str
    at: dt.datetime
    actor: str | None
    reason: str | None
    change_id: int


def story_of(session: Session, layer: Layer, row_id: int, actor: Actor) -> Story:
    """Tell what became of a row that the actor may edit, also of one that was deleted.

    Fields that the actor may not read are left out. Raises NotFound or NotAllowed.
    """
    row = session.get(layer.model, row_id, populate_existing=True)
    trail = past.changes(session, layer.table, row_id)
    if row is None and not trail:
        raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=row_id, layer=layer.title)
    now = past.state_of(row) if row is not None else None
    found = _changes(session, layer, now, trail, actor)
    last = now or next((c.before for c in found if c.before is not None), None)
    _check(session, layer, row_id, actor, now, last)
    name = str((last or {}).get(layer.name_field) or row_id)
    return Story(layer, row_id, name, row.version if row is not None else None, now, tuple(found))


def state_at(session: Session, layer: Layer, row_id: int, version: int) -> past.State | None:
    """Return the columns of a row as they were at a version, typed, with `geom` as a shape (lon/lat) or None.

    None when there is no such row now or the audit trail knows no such version. Rights are the caller's business.
    """
    row = session.get(layer.model, row_id)
    if row is None:
        return None
    now = past.state_of(row)
    trail = past.changes(session, layer.table, row_id)
    earlier = (before for _, before, _ in past.walk_back(layer.model, now, trail))
    states = (state for state in (now, *earlier) if state is not None)
    return next((state for state in states if state["version"] == version), None)


def _check(
    session: Session,
    layer: Layer,
    row_id: int,
    actor: Actor,
    now: past.State | None,
    last: past.State | None,
) -> None:
    if now is not None:
        seen = sa.select(layer.model.id).where(layer.model.id == row_id, visible(actor, layer.model))
        if session.scalar(seen) is None:
            raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=row_id, layer=layer.title)
        allowed = is_editable(session, layer, row_id, actor)
    else:
        allowed = may_edit(actor, layer) and _is_home(own_communes(session, actor), last)
    if not allowed:
        raise NotAllowed("Bản ghi nằm ngoài địa bàn bạn phụ trách.")


def _is_home(own: frozenset[int] | None, state: past.State | None) -> bool:
    return own is None or (state or {}).get("commune_id") in own


def _changes(
    session: Session, layer: Layer, now: past.State | None, trail: Sequence[AuditRow], actor: Actor
) -> list[Change]:
    """Walk back from what a row holds now, change by change."""
    found = []
    for number, (entry, earlier, after) in enumerate(past.walk_back(layer.model, now, trail)):
        names = past.differing(earlier, after)
        found.append(
            Change(
                id=entry.id,
                at=entry.at,
                actor=entry.actor,
                source=entry.source,
                action=entry.action,
                reason=entry.reason,
                batch_id=entry.batch_id,
                fields=_fields(session, layer, names, earlier or {}, after or {}, actor),
                shape=_shape(earlier or {}, after or {}) if "geom" in names else None,
                state=after,
                before=earlier,
                is_now=number == 0 and now is not None,
            )
        )
    return found


def _fields(
    session: Session, layer: Layer, names: Sequence[str], before: past.State, after: past.State, actor: Actor
) -> tuple[FieldChange, ...]:
    declared = {f.path: f for f in layer.fields if isinstance(f.path, str)}
    found = []
    for name in names:
        if name == "geom":
            continue
        known = declared.get(name)
        if known is not None and not known.readable(actor):
            continue
        title = known.title if known else OTHER_TITLES.get(name)
        if title is not None:
            old, new = (_shown(session, name, state.get(name)) for state in (before, after))
            found.append(FieldChange(name, title, old, new, known))
    return tuple(found)


def _shown(session: Session, name: str, value: Any) -> Any:
    if name == "commune_id" and value is not None:
        commune = session.get(Commune, value)
        return commune.full_name if commune is not None else value
    return value


def _shape(before: past.State, after: past.State) -> ShapeChange:
    old, new = before.get("geom"), after.get("geom")
    added = removed = None
    if all(shape is None or shape.geom_type in ("Polygon", "MultiPolygon") for shape in (old, new)):
        nothing = shapely.Polygon()
        added = shapely.difference(new or nothing, old or nothing)
        removed = shapely.difference(old or nothing, new or nothing)
    return ShapeChange(old, new, added, removed, *(_hectares(s) for s in (old, new, added, removed)))


def _hectares(shape: shapely.Geometry | None) -> float:
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"] if shape is not None else []
    return float(area_ha(polygons).sum()) if polygons else 0.0


# ---- the way back


def restore(
    store: Store, layer: Layer, row_id: int, change_id: int, actor: Actor, *, version: int | None = None
) -> int:
    """Give a row what it held after a change, as a new edit; of a deletion, what it held before. Return the version.

    A row that is deleted now comes back with its id. `version` is the one the actor read. Raises NotFound,
    NotAllowed, Conflict or Invalid.
    """
    with editing(store, actor, SOURCE) as edits:
        story = story_of(edits.session, layer, row_id, actor)
        change = next((c for c in story.changes if c.id == change_id), None)
        state = (change.state or change.before) if change is not None else None
        if change is None or state is None:
            raise NotFound("Nhật ký không có phiên bản này của bản ghi %(id)s.", id=row_id)
        edits.reason = f"Khôi phục phiên bản lúc {change.at:%Y-%m-%d %H:%M} UTC"
        if story.now is None:
            edits.bring_back(layer, {row_id: state})
            return int(edits.session.get_one(layer.model, row_id).version)
        return edits.put_back(layer, row_id, state, version=version)


def deleted(session: Session, layer: Layer, actor: Actor) -> list[Deleted]:
    """List the rows of a layer that were deleted and that the actor could bring back, the latest first."""
    if not may_edit(actor, layer):
        raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=layer.title)
    model, later = layer.model, aliased(AuditRow)
    own = own_communes(session, actor)
    gone = (
        sa.select(AuditRow)
        .where(AuditRow.table_name == layer.table, AuditRow.action == "delete")
        .where(AuditRow.row_id.is_not(None), AuditRow.row_id.not_in(sa.select(model.id)))
        .where(
            ~sa.exists().where(
                later.table_name == layer.table,
                later.row_id == AuditRow.row_id,
                later.action == "delete",
                later.id > AuditRow.id,
            )
        )
        .order_by(AuditRow.id.desc())
    )
    found: list[Deleted] = []
    for entry in session.scalars(gone.execution_options(yield_per=LISTED)):
        held = {n: v for n, v in (entry.before or {}).items() if n in ("commune_id", layer.name_field)}
        if _is_home(own, held):
            name = str(held.get(layer.name_field) or entry.row_id)
            found.append(Deleted(int(entry.row_id or 0), name, entry.at, entry.actor, entry.reason, entry.id))
        if len(found) >= LISTED:
            break
    return found
