"""One transaction of edits: whose it is, what its actor may touch, and what is written down of each change."""

from __future__ import annotations

from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import audit, spatial, store, wfs
from data.accounts import Account, Actor, editable, visible
from data.batches import Batch
from gis import geometry as shapes
from layers.fields import Layer
from layers.refusals import Conflict, Invalid, NotAllowed, NotFound


class Transaction:
    """One actor's rights and bookkeeping in one transaction; what is edited is `layers.edit.Edits`."""

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
            known = sa.select(Account.id).where(Account.id == actor.account_id)
            batch.account_id = batch.account_id or session.scalar(known)
            batch.actor = batch.actor or actor.name or actor.role.value
            session.add(batch)
            session.flush()

    # ---- rights

    def may_insert(self, layer: Layer) -> bool:
        """Tell whether the actor may add rows to a layer at all."""
        return may_edit(self.actor, layer)

    def _must_insert(self, layer: Layer) -> None:
        if not self.may_insert(layer):
            raise NotAllowed("Bạn không có quyền thêm vào lớp %(layer)s.", layer=layer.title)

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

    # ---- bookkeeping

    def _flush(self, layer: Layer) -> None:
        try:
            self.session.flush()
        except IntegrityError as error:
            raise clash(layer) from error

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
        self._touched[layer.table] = union(self._touched.get(layer.table), box)

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


def clash(layer: Layer) -> Invalid:
    """Return the refusal of what the database does not take: a row that others name, or one that is there twice."""
    return Invalid(
        "Bản ghi của lớp %(layer)s còn được dùng ở nơi khác, hoặc trùng với một bản ghi đã có.",
        layer=layer.title,
    )


def box_of(geometry: shapely.Geometry | None) -> spatial.Box | None:
    """Return the lon/lat box (west, south, east, north) of a shape; None where there is nothing."""
    if geometry is None or geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    return west, south, east, north


def union(a: spatial.Box | None, b: spatial.Box | None) -> spatial.Box | None:
    """Return the lon/lat box around two boxes, of which either may be missing."""
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
