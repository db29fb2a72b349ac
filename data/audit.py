"""The audit trail: one row per change, with what was before and what is now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.tables import AuditRow

SECRET_COLUMNS = frozenset({"password_hash", "key_hash", "search"})


def plain(value: Any) -> Any:
    """Turn a column value into what JSON can hold: geometry as hexadecimal WKB, dates as ISO text."""
    if isinstance(value, shapely.Geometry):
        return str(shapely.to_wkb(value, hex=True))
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value


def snapshot(row: Any) -> dict[str, Any]:
    """Return the columns of an ORM row as JSON values, without secrets."""
    columns = sa.inspect(row).mapper.column_attrs
    return {c.key: plain(getattr(row, c.key)) for c in columns if c.key not in SECRET_COLUMNS}


def difference(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return only what changed, as it was and as it is."""
    changed = [k for k in after if before.get(k) != after[k]]
    return {k: before.get(k) for k in changed}, {k: after[k] for k in changed}


def write(
    session: Session,
    actor: Actor,
    source: str,
    table: str,
    row_id: int | None,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
    batch_id: int | None = None,
) -> AuditRow:
    """Add an audit row to the transaction."""
    row = AuditRow(
        actor=actor.name or actor.role.value,
        account_id=actor.account_id,
        source=source,
        table_name=table,
        row_id=row_id,
        action=action,
        before=before,
        after=after,
        reason=reason,
        batch_id=batch_id,
    )
    session.add(row)
    return row


def history(session: Session, table: str, row_id: int) -> list[AuditRow]:
    """List the changes of a row, newest first."""
    query = sa.select(AuditRow).where(AuditRow.table_name == table, AuditRow.row_id == row_id)
    return list(session.scalars(query.order_by(AuditRow.id.desc())))
