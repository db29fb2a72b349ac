"""The edit path: every writer goes through here, and a change is kept whole or not at all.

An edit checks rights, fields and geometry, sets what follows from them (commune, area, search text), writes the
audit row, raises the layer's revision and remembers the changed box, in one transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import shapely
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import audit, spatial, store, wfs
from data.accounts import SYSTEM, Actor, editable, is_boundary, visible
from data.base import now
from data.batches import Batch
from data.store import Store
from data.tables import AuditRow
from data.text import normal
from gis import geometry as shapes
from gis.errors import Refusal
from layers import catalogue
from layers.fields import Field, FieldType, Layer
from layers.filters import FilterError, cast

KEEP: Final = object()


class EditError(Refusal):
    """An edit was refused; nothing was changed."""


class NotAllowed(EditError):
    """The actor may not make this change."""


class NotFound(EditError):
    """There is no such row for the actor."""


class Invalid(EditError):
    """A value or the geometry cannot be kept; `field` says which."""

    def __init__(self, message: str, *, field: str = "", **facts: object) -> None:
        super().__init__(message, field=field, **facts)
        self.field = field


class Conflict(EditError):
    """Somebody else changed the row since the actor read it; `current` is the version that is kept now."""

    def __init__(self, layer: Layer, row_id: int, current: int) -> None:
        super().__init__(
            "Bản ghi %(layer)s %(id)s đã được người khác sửa (phiên bản hiện tại %(current)s); "
            "chưa có gì bị ghi đè. Hãy xem lại rồi lưu lần nữa.",
            layer=layer.id,
            id=row_id,
            current=current,
        )
        self.layer = layer
        self.row_id = row_id
        self.current = current


@contextlib.contextmanager
def editing(
    record_store: Store, actor: Actor, source: str, reason: str | None = None, *, batch: Batch | None = None
) -> Iterator[Edits]:
    """Give the edits of one transaction: all are kept at the end, or none.

    A `batch` that is given is kept with them, and every audit row names it.
    """
    with record_store.writing() as session:
        edits = Edits(session, actor, source, reason, batch=batch)
        yield edits
        edits.finish()


class Edits:
    """The edits of one actor in one transaction."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        source: str,
        reason: str | None = None,
        *,
        batch: Batch | None = None,
    ) -> None:
        self.session = session
        self.actor = actor
        self.source = source
        self.reason = reason
        self.lock: wfs.WfsLock | None = None
        self.repairs: list[tuple[Layer, int, shapes.Repair]] = []
        self.batch = batch
        self._touched: dict[str, Any] = {}
        if batch is not None:
            session.add(batch)
            session.flush()

    # ---- the three edits

    def insert(self, layer: Layer, properties: Mapping[str, Any], geometry: shapely.Geometry | None) -> int:
        """Add a row; return its id. Raises NotAllowed or Invalid."""
        if not self.may_insert(layer):
            raise NotAllowed("Bạn không có quyền thêm vào lớp %(layer)s.", layer=layer.title)
        row = layer.model()
        self._set(layer, row, properties, creating=True)
        repair = self._place(layer, row, geometry) if geometry is not None else None
        self._derive(layer, row, moved=geometry is not None)
        self.session.add(row)
        self._flush(layer)
        self._must_own(layer, row.id)
        if repair and repair.changed:
            self.repairs.append((layer, row.id, repair))
        self._log(layer, row.id, "insert", after=audit.snapshot(row), box=_box(row.geom))
        return int(row.id)

    def update(
        self,
        layer: Layer,
        row_id: int,
        properties: Mapping[str, Any],
        geometry: Any = KEEP,
        *,
        version: int | None = None,
    ) -> int:
        """Change a row's fields and, unless KEEP, its geometry; return the new version.

        `version` is the one the actor read. Raises NotFound, NotAllowed, Conflict or Invalid.
        """
        row = self._own(layer, row_id, version)
        before = audit.snapshot(row)
        old_box = _box(row.geom)
        self._set(layer, row, properties, creating=False)
        repair: shapes.Repair | None = None
        if geometry is not KEEP:
            repair = self._place(layer, row, geometry)
        self._derive(layer, row, moved=geometry is not KEEP)
        changed_before, changed_after = audit.difference(before, audit.snapshot(row))
        if not changed_after:
            return int(row.version)
        row.version = row.version + 1
        row.updated_at = now()
        self._flush(layer)
        self._must_own(layer, row_id)
        if repair and repair.changed:
            self.repairs.append((layer, row_id, repair))
        box = _union(old_box, _box(row.geom)) if "geom" in changed_after else old_box
        self._log(layer, row_id, "update", before=changed_before, after=changed_after, box=box)
        return int(row.version)

    def delete(self, layer: Layer, row_id: int, *, version: int | None = None) -> None:
        """Remove a row; the audit row keeps all it held. Raises NotFound, NotAllowed, Conflict or Invalid."""
        row = self._own(layer, row_id, version)
        before, box = audit.snapshot(row), _box(row.geom)
        self.session.delete(row)
        self._flush(layer)
        self._log(layer, row_id, "delete", before=before, box=box)

    # ---- rights

    def may_insert(self, layer: Layer) -> bool:
        """Tell whether the actor may add rows to a layer at all."""
        return may_edit(self.actor, layer)

    def _own(self, layer: Layer, row_id: int, version: int | None) -> Any:
        model = layer.model
        lock = sa.select(model).where(model.id == row_id, visible(self.actor, model)).with_for_update()
        row = self.session.scalar(lock)
        if row is None:
            raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=row_id, layer=layer.title)
        self._must_own(layer, row_id)
        wfs.refuse_locked(self.session, layer.id, layer.table, [row_id], self.lock)
        if version is not None and version != row.version:
            raise Conflict(layer, row_id, int(row.version))
        return row

    def _must_own(self, layer: Layer, row_id: int) -> None:
        model = layer.model
        own = self.session.scalar(sa.select(model.id).where(model.id == row_id, editable(self.actor, model)))
        if own is None:
            raise NotAllowed(
                "Bản ghi nằm ngoài địa bàn bạn phụ trách; lớp %(layer)s chưa thay đổi.", layer=layer.title
            )

    # ---- values

    def _set(self, layer: Layer, row: Any, properties: Mapping[str, Any], *, creating: bool) -> None:
        fields = {f.name: f for f in layer.fields}
        for name, value in properties.items():
            field = fields.get(name)
            if field is None or not field.readable(self.actor):
                raise Invalid("Lớp không có trường “%(field)s”.", field=name)
            if not field.writable:
                continue
            typed = self._value(layer, field, value)
            if typed is not None or not _must_hold(layer, field):
                setattr(row, name, typed)
        missing = [f for f in layer.fields if f.required and getattr(row, f.name) in (None, "")]
        if missing and (creating or any(f.name in properties for f in missing)):
            raise Invalid(
                "Trường “%(title)s” không được để trống.", field=missing[0].name, title=missing[0].title
            )

    def _value(self, layer: Layer, field: Field, value: Any) -> Any:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            typed = cast(field, value)
        except FilterError as error:
            raise Invalid(error.message, **error.facts) from error  # type: ignore[arg-type]
        if field.type == FieldType.STRING:
            typed = str(value).strip() if field.multiline else normal(str(value))
        if field.code_list is not None and str(typed) not in field.code_list:
            raise Invalid(
                "“%(value)s” không có trong danh mục của trường “%(title)s”.",
                field=field.name,
                value=value,
                title=field.title,
            )
        if isinstance(typed, int | float) and not _within(field, typed):
            raise Invalid(
                "Giá trị %(value)s của “%(title)s” nằm ngoài giới hạn cho phép.",
                field=field.name,
                value=value,
                title=field.title,
            )
        self._check_reference(layer, field, typed)
        return typed

    def _check_reference(self, layer: Layer, field: Field, value: Any) -> None:
        """A number that points to another row must point to one that the actor sees."""
        for key in layer.model.__table__.c[field.name].foreign_keys:
            target = catalogue.layer_of_table(key.column.table.name)
            model = target.model if target else None
            if model is not None and not self.session.scalar(
                sa.select(model.id).where(model.id == value, visible(self.actor, model))
            ):
                raise Invalid(
                    "Không có bản ghi %(value)s cho trường “%(title)s”.",
                    field=field.name,
                    value=value,
                    title=field.title,
                )

    def _place(self, layer: Layer, row: Any, geometry: shapely.Geometry | None) -> shapes.Repair | None:
        if geometry is None:
            row.geom = None
            return None
        try:
            repair = shapes.repair(geometry, layer.geometry)  # type: ignore[arg-type]
        except Refusal as error:
            raise Invalid(error.message, **{**error.facts, "field": "geometry"}) from error  # type: ignore[arg-type]
        row.geom = repair.geometry
        return repair

    def _derive(self, layer: Layer, row: Any, *, moved: bool) -> None:
        derive(self.session, layer, row, moved=moved)

    # ---- bookkeeping

    def _flush(self, layer: Layer) -> None:
        try:
            self.session.flush()
        except IntegrityError as error:
            raise Invalid(
                "Bản ghi của lớp %(layer)s còn được dùng ở nơi khác, hoặc trùng với một bản ghi đã có.",
                layer=layer.title,
            ) from error

    def _log(
        self,
        layer: Layer,
        row_id: int,
        action: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        box: spatial.Box | None = None,
    ) -> None:
        audit.write(
            self.session,
            self.actor,
            self.source,
            layer.table,
            row_id,
            action,
            before=before,
            after=after,
            reason=self.reason,
            batch_id=self.batch.id if self.batch else None,
        )
        if self.batch is not None:
            self.batch.rows = (self.batch.rows or 0) + 1
        self._touched[layer.table] = _union(self._touched.get(layer.table), box)

    def finish(self) -> None:
        """Raise the revision of every touched table and let the file's extents cover the changes."""
        embedded = self.session.get_bind().dialect.name == "geopackage"
        for table, box in self._touched.items():
            store.bump(self.session, table, box)
            if embedded and box is not None:
                store.widen_extent(self.session, table, box)


def may_edit(actor: Actor, layer: Layer) -> bool:
    """Tell whether the actor may edit any row of a layer."""
    return actor.may_edit_something and str(editable(actor, layer.model)) != str(sa.false())


def is_editable(session: Session, layer: Layer, row_id: int, actor: Actor) -> bool:
    """Tell whether the actor may edit one row."""
    model = layer.model
    rule = sa.and_(visible(actor, model), editable(actor, model))
    return session.scalar(sa.select(model.id).where(model.id == row_id, rule)) is not None


def derive(session: Session, layer: Layer, row: Any, *, moved: bool) -> None:
    """Set what follows from a row's other values: its commune, its area on the ellipsoid, its search text."""
    if moved and row.geom is not None:
        if hasattr(row, "commune_id") and not is_boundary(layer.model):
            row.commune_id = spatial.commune_of(session, row.geom)
        if hasattr(row, "area_ha"):
            row.area_ha = round(float(shapes.area_ha([row.geom])[0]), 4)
    row.search = row.search_parts()


def outside_edits_waiting(session: Session) -> bool:
    """Tell whether another program changed the record since the last adoption."""
    return session.scalar(sa.select(AuditRow.id).where(AuditRow.adopted.is_(False)).limit(1)) is not None


def adopt_outside(record_store: Store) -> int:
    """Set what follows from edits that another program made in the file; return the number of edits adopted."""
    with record_store.writing() as session:
        waiting = list(
            session.scalars(sa.select(AuditRow).where(AuditRow.adopted.is_(False)).order_by(AuditRow.id))
        )
        edits = Edits(session, SYSTEM, "adoption")
        for table, row_id in dict.fromkeys((a.table_name, a.row_id) for a in waiting):
            layer = catalogue.layer_of_table(table)
            row = session.get(layer.model, row_id) if layer else None
            if layer is None or row is None:
                continue
            derive(session, layer, row, moved=True)
            edits._touched[table] = _union(edits._touched.get(table), _box(row.geom))
        for entry in waiting:
            entry.adopted = True
        session.flush()
        edits.finish()
        return len(waiting)


def _must_hold(layer: Layer, field: Field) -> bool:
    """Tell whether a field is never empty though nobody need fill it: it keeps what it holds, or its default."""
    return not field.required and not layer.model.__table__.c[field.name].nullable


def _within(field: Field, value: float) -> bool:
    low = field.minimum is None or value >= field.minimum
    return low and (field.maximum is None or value <= field.maximum)


def _box(geometry: shapely.Geometry | None) -> spatial.Box | None:
    if geometry is None or geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    return west, south, east, north


def _union(a: spatial.Box | None, b: spatial.Box | None) -> spatial.Box | None:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
