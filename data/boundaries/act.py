"""What applying a change of boundaries and taking it back share: their batch, their trail, and what they renew."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy.orm import Session

from data import audit, store
from data.accounts import Actor
from data.admin_units import Commune
from data.base import now
from data.batches import Batch
from data.boundaries.changes import SOURCE
from data.boundaries.write import touch
from data.boundary_changes import BoundaryChange


class Act:
    """One act on a change within one transaction; every audit row of it names its batch."""

    def __init__(self, session: Session, change: BoundaryChange, actor: Actor, **facts: Any) -> None:
        self.session = session
        self.change = change
        self.actor = actor
        self.moment = now()
        self.batch = Batch(
            kind=SOURCE,
            title=change.decree or "",
            table_name="communes",
            account_id=actor.account_id,
            actor=actor.name,
            facts={"change": change.id, **facts},
        )

    def _log(
        self,
        table: str,
        row_id: int | None,
        action: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        audit.write(
            self.session,
            self.actor,
            SOURCE,
            table,
            row_id,
            action,
            before=before,
            after=after,
            reason=self.change.decree,
            batch_id=self.batch.id,
        )
        self.batch.rows = (self.batch.rows or 0) + 1


def renew_everything(session: Session, units: list[Commune], moved: list[str]) -> None:
    """Raise the revision of all that shows units, their names or what lies in them."""
    west, south, east, north = shapely.total_bounds([row.geom for row in units]).tolist()
    box = (west, south, east, north)
    spatial = {table.name for table in store.spatial_tables()}
    for table in dict.fromkeys(["provinces", "districts", "communes", *sorted(spatial), *moved]):
        if table in spatial:
            touch(session, table, box)
        else:
            store.bump(session, table, box)
    for table in ("editions", "commune_successions", "record_facts", "accounts", "boundary_changes"):
        store.bump(session, table)
