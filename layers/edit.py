"""The edit path: every writer goes through here, and a change is kept whole or not at all.

An edit checks rights, fields and geometry, sets what follows from them (commune, area, search text), writes the
audit row, raises the layer's revision and remembers the changed box, in one transaction.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import shapely
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import audit, spatial, wfs
from data.accounts import SYSTEM, Actor, editable, is_boundary, visible
from data.admin_units import Commune, edition_in_use
from data.base import now
from data.batches import Batch
from data.past import BOOKKEEPING
from data.store import Store
from data.tables import AuditRow
from gis import geometry as shapes
from gis.errors import Refusal
from layers import catalogue
from layers.fields import Layer
from layers.many import Checked, check_rows, keep_rows
from layers.refusals import Conflict, EditError, Invalid, NotAllowed, NotFound
from layers.rules import Rules
from layers.transaction import Transaction, box_of, clash, may_edit, union

__all__ = [
    "KEEP",
    "Conflict",
    "EditError",
    "Edits",
    "Invalid",
    "NotAllowed",
    "NotFound",
    "adopt_outside",
    "derive",
    "editable_ids",
    "editing",
    "is_editable",
    "may_edit",
    "outside_edits_waiting",
]

KEEP: Final = object()
#: So many rows are looked at with one statement.
AT_ONCE: Final = 500


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


class Edits(Transaction):
    """The edits of one actor in one transaction."""

    # ---- the three edits

    def insert(
        self,
        layer: Layer,
        properties: Mapping[str, Any],
        geometry: shapely.Geometry | None,
        *,
        decided: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a row; return its id. Raises NotAllowed or Invalid.

        `decided` holds columns that nobody types, as in `update`; they stand over what follows from the place.
        """
        self._must_insert(layer)
        row = layer.model()
        self._set(layer, row, properties, creating=True)
        repair = self._place(layer, row, geometry) if geometry is not None else None
        self._derive(layer, row, moved=geometry is not None)
        for name, value in (decided or {}).items():
            setattr(row, name, value)
        self.session.add(row)
        self._flush(layer)
        self._must_own(layer, row.id)
        if repair and repair.changed:
            self.repairs.append((layer, row.id, repair))
        self._log(layer, row.id, "insert", after=audit.snapshot(row), box=box_of(row.geom))
        return int(row.id)

    def insert_many(
        self, layer: Layer, rows: Sequence[tuple[Mapping[str, Any], shapely.Geometry | None]]
    ) -> list[int]:
        """Add N rows given by properties and geometry (lon/lat) in a few statements; return their ids in order.

        Rules, audit rows and results are those of `insert`. Raises what `insert` would raise for the first
        row that cannot be kept; then none is.
        """
        return self.insert_checked(layer, self.checked(layer, rows))

    def checked(
        self, layer: Layer, rows: Sequence[tuple[Mapping[str, Any], shapely.Geometry | None]]
    ) -> list[Checked]:
        """Look at N rows as `insert_many` would, without keeping any; each says why it would be refused."""
        self._must_insert(layer)
        return check_rows(self.session, self.actor, layer, rows)

    def insert_checked(self, layer: Layer, rows: Sequence[Checked]) -> list[int]:
        """Keep rows that `checked` returned in this transaction; return their ids. Raises the first refusal."""
        if not rows:
            return []
        for row in rows:
            if row.refusal is not None:
                raise row.refusal
        self._must_insert(layer)
        try:
            ids, box = keep_rows(
                self.session,
                self.actor,
                self.source,
                layer,
                rows,
                reason=self.reason,
                batch_id=self.batch.id if self.batch else None,
            )
        except self.session.get_bind().dialect.loaded_dbapi.IntegrityError as error:
            raise clash(layer) from error
        self.repairs += [
            (layer, i, r.repair) for i, r in zip(ids, rows, strict=True) if r.repair and r.repair.changed
        ]
        if self.batch is not None:
            self.batch.rows = (self.batch.rows or 0) + len(ids)
        self._touched[layer.table] = union(self._touched.get(layer.table), box)
        return ids

    def update(
        self,
        layer: Layer,
        row_id: int,
        properties: Mapping[str, Any],
        geometry: Any = KEEP,
        *,
        version: int | None = None,
        decided: Mapping[str, Any] | None = None,
    ) -> int:
        """Change a row's fields and, unless KEEP, its geometry; return the new version.

        `version` is the one the actor read. `decided` holds columns that nobody types: what an act of the
        programme, such as a decision on stars, makes of the row. Raises NotFound, NotAllowed, Conflict or Invalid.
        """
        row = self._own(layer, row_id, version)
        before = audit.snapshot(row)
        old_box = box_of(row.geom)
        self._set(layer, row, properties, creating=False)
        for name, value in (decided or {}).items():
            setattr(row, name, value)
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
        box = union(old_box, box_of(row.geom)) if "geom" in changed_after else old_box
        self._log(layer, row_id, "update", before=changed_before, after=changed_after, box=box)
        return int(row.version)

    def delete(self, layer: Layer, row_id: int, *, version: int | None = None) -> None:
        """Remove a row; the audit row keeps all it held. Raises NotFound, NotAllowed, Conflict or Invalid."""
        row = self._own(layer, row_id, version)
        before, box = audit.snapshot(row), box_of(row.geom)
        self.session.delete(row)
        self._flush(layer)
        self._log(layer, row_id, "delete", before=before, box=box)

    def delete_many(self, layer: Layer, ids: Sequence[int]) -> None:
        """Remove N rows in a few statements, with an audit row each; nothing may refer to them.

        Raises NotFound, NotAllowed or Invalid for the first that cannot go; then none does.
        """
        model = layer.model
        wfs.refuse_locked(self.session, layer.id, layer.table, ids, self.lock)
        for start in range(0, len(ids), AT_ONCE):
            some = list(ids[start : start + AT_ONCE])
            query = sa.select(model).where(model.id.in_(some), visible(self.actor, model)).with_for_update()
            rows = {row.id: row for row in self.session.scalars(query)}
            own = set(
                self.session.scalars(
                    sa.select(model.id).where(model.id.in_(some), editable(self.actor, model))
                )
            )
            for row_id in some:
                if row_id not in rows or row_id not in own:
                    self._own(layer, row_id, None)
                self._log(
                    layer,
                    row_id,
                    "delete",
                    before=audit.snapshot(rows[row_id]),
                    box=box_of(rows[row_id].geom),
                )
            self._flush(layer)
            for row in rows.values():
                self.session.expunge(row)
            try:
                self.session.execute(sa.delete(model.__table__).where(model.__table__.c.id.in_(some)))
            except IntegrityError as error:
                raise clash(layer) from error

    # ---- back to what was

    def put_back(
        self, layer: Layer, row_id: int, state: Mapping[str, Any], *, version: int | None = None
    ) -> int:
        """Give a row the column values that it had before (`data.past`); return the new version.

        Fields that the layer does not publish come back too; the version goes on rising. Raises NotFound,
        NotAllowed, Conflict or Invalid.
        """
        row = self._own(layer, row_id, version)
        before, old_box = audit.snapshot(row), box_of(row.geom)
        self._assume(row, state)
        changed_before, changed_after = audit.difference(before, audit.snapshot(row))
        if not changed_after:
            return int(row.version)
        row.version = row.version + 1
        row.updated_at = now()
        self._flush(layer)
        self._must_own(layer, row_id)
        box = union(old_box, box_of(row.geom))
        self._log(layer, row_id, "update", before=changed_before, after=changed_after, box=box)
        return int(row.version)

    def bring_back(self, layer: Layer, states: Mapping[int, Mapping[str, Any]]) -> None:
        """Add N deleted rows once more, given by the id each had and what it held (`data.past`).

        Raises NotAllowed, or Invalid when an id is taken or what a row referred to is gone; then none is added.
        """
        self._must_insert(layer)
        model, ids = layer.model, list(states)
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            taken = self.session.scalar(sa.select(model.id).where(model.id.in_(some)).limit(1))
            if taken is not None:
                raise Invalid("Bản ghi %(id)s đã có trong lớp %(layer)s.", id=taken, layer=layer.title)
            rows = [self._made_again(layer, row_id, states[row_id]) for row_id in some]
            self.session.add_all(rows)
            self._flush(layer)
            own = sa.select(sa.func.count()).where(model.id.in_(some), editable(self.actor, model))
            if self.session.scalar(own) != len(some):
                for row_id in some:
                    self._must_own(layer, row_id)
            for row in rows:
                self._log(layer, row.id, "insert", after=audit.snapshot(row), box=box_of(row.geom))

    def _made_again(self, layer: Layer, row_id: int, state: Mapping[str, Any]) -> Any:
        row = layer.model(id=row_id)
        self._assume(row, state)
        row.created_at = state.get("created_at") or now()
        row.version = int(state.get("version") or 0) + 1
        return row

    def _assume(self, row: Any, state: Mapping[str, Any]) -> None:
        """Set a row's columns; a commune that is no longer in use gives way to the one that lies there now."""
        for name, value in state.items():
            if name not in BOOKKEEPING:
                setattr(row, name, value)
        placed = getattr(row, "geom", None) is not None
        if placed and hasattr(row, "commune_id") and not is_boundary(type(row)):
            with self.session.no_autoflush:
                if row.commune_id not in self._communes_in_use:
                    row.commune_id = spatial.commune_of(self.session, row.geom)
        row.search = row.search_parts()

    @functools.cached_property
    def _communes_in_use(self) -> frozenset[int]:
        query = sa.select(Commune.id).where(Commune.edition == edition_in_use(self.session))
        return frozenset(self.session.scalars(query))

    # ---- values

    def _set(self, layer: Layer, row: Any, properties: Mapping[str, Any], *, creating: bool) -> None:
        Rules(self.session, self.actor, layer).fill(row, properties, creating=creating)

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


def is_editable(session: Session, layer: Layer, row_id: int, actor: Actor) -> bool:
    """Tell whether the actor may edit one row."""
    model = layer.model
    rule = sa.and_(visible(actor, model), editable(actor, model))
    return session.scalar(sa.select(model.id).where(model.id == row_id, rule)) is not None


def editable_ids(session: Session, layer: Layer, ids: Sequence[int], actor: Actor) -> set[int]:
    """Return those of N row numbers whose rows the actor may edit."""
    model = layer.model
    rule = sa.and_(visible(actor, model), editable(actor, model))
    found: set[int] = set()
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        found.update(session.scalars(sa.select(model.id).where(model.id.in_(part), rule)))
    return found


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
            edits._touched[table] = union(edits._touched.get(table), box_of(row.geom))
        for entry in waiting:
            entry.adopted = True
        session.flush()
        edits.finish()
        return len(waiting)
