"""What rows held before: audit rows read back into column values, and changes taken back one by one.

An audit row by the platform holds what changed, or the whole row for an insert or delete, as `data.audit` writes
it. One by another program holds whole rows as its database writes JSON, and the geometry only as it was before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.audit import SECRET_COLUMNS
from data.base import Base
from data.columns import Document, Geometry, Moment
from data.tables import AuditRow
from gis import geopackage

State = dict[str, Any]

#: What a change does not hold, since it follows from the change itself.
BOOKKEEPING: Final = frozenset({"id", "version", "created_at", "updated_at", "search"})


def model_of_table(table: str) -> Any:
    """Return the model of a table; KeyError for a table that has none."""
    for mapper in Base.registry.mappers:
        if mapper.local_table is not None and getattr(mapper.local_table, "name", None) == table:
            return mapper.class_
    raise KeyError(table)


def columns_of(model: Any) -> dict[str, sa.Column[Any]]:
    """Return the columns of a model that the audit trail tells of, by name."""
    return {c.name: c for c in model.__table__.c if c.name not in SECRET_COLUMNS}


def state_of(row: Any) -> State:
    """Return what a row holds now, by column."""
    return {name: getattr(row, name) for name in columns_of(type(row))}


def values(model: Any, stored: Mapping[str, Any]) -> State:
    """Return the column values that an audit row stands for, without columns that are no more."""
    columns = columns_of(model)
    return {
        n: _reader(columns[n].type)(v) if v is not None else None for n, v in stored.items() if n in columns
    }


def before(model: Any, state: State | None, change: AuditRow | sa.Row[Any]) -> State | None:
    """Take one change of a row back: return what it held before, or None when it did not exist.

    `state` is what it held after the change.
    """
    if change.action in ("insert", "load"):
        return None
    held = values(model, change.before or {})
    if change.action == "delete":
        return held
    if state is None:
        return None
    earlier = {**state, **held}
    if "version" in earlier and "version" not in held:
        earlier["version"] = max(1, int(state["version"]) - 1)
    return earlier


def walk_back(
    model: Any, now: State | None, trail: Sequence[AuditRow]
) -> Iterator[tuple[AuditRow, State | None, State | None]]:
    """Take the changes of a row back, newest first: yield each with what the row held before it and after it.

    `now` is what the row holds, None when it is deleted; `trail` is what `changes` lists.
    """
    state = now
    for change in trail:
        earlier = before(model, state, change)
        yield change, earlier, None if change.action == "delete" else state
        state = earlier


def changes(session: Session, table: str, row_id: int) -> list[AuditRow]:
    """List every change of a row, newest first, with the load in which it came."""
    query = sa.select(AuditRow).where(AuditRow.table_name == table, AuditRow.row_id == row_id)
    found = list(session.scalars(query.order_by(AuditRow.id.desc())))
    return found + [load for load in loads(session, table) if row_id in span_of(load)]


def loads(session: Session, table: str, since: dt.datetime | None = None) -> list[AuditRow]:
    """List the loads of many rows into a table, newest first."""
    query = sa.select(AuditRow).where(
        AuditRow.table_name == table, AuditRow.row_id.is_(None), AuditRow.action == "load"
    )
    if since is not None:
        query = query.where(AuditRow.at > since)
    return list(session.scalars(query.order_by(AuditRow.id.desc())))


def span_of(load: AuditRow) -> range:
    """Return the ids of the rows that came in a load."""
    facts = load.after or {}
    return range(int(facts.get("first_id", 0)), int(facts.get("last_id", -1)) + 1)


def differing(a: State | None, b: State | None) -> list[str]:
    """Name the columns that two states of a row hold differently, bookkeeping aside."""
    names: Iterable[str] = dict.fromkeys([*(a or {}), *(b or {})])
    return [n for n in names if n not in BOOKKEEPING and not same((a or {}).get(n), (b or {}).get(n))]


def same(a: Any, b: Any) -> bool:
    """Tell whether two column values are the same."""
    if isinstance(a, shapely.Geometry) and isinstance(b, shapely.Geometry):
        return bool(shapely.equals_identical(a, b))
    return bool(a == b)


# ---- reading values


def _reader(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, Geometry):
        return _shape
    if isinstance(kind, Moment):
        return _moment
    if isinstance(kind, Document):
        return lambda v: orjson.loads(v) if isinstance(v, str) else v
    if isinstance(kind, sa.Boolean):
        return bool
    if isinstance(kind, sa.Date):
        return lambda v: dt.date.fromisoformat(v[:10])
    if isinstance(kind, sa.Integer):
        return int
    if isinstance(kind, sa.Double):
        return float
    return lambda v: v


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)


def _shape(value: Any) -> shapely.Geometry | None:
    """Read a geometry: WKB or a GeoPackage blob in hexadecimal, or GeoJSON."""
    if isinstance(value, Mapping):
        return shapely.from_geojson(orjson.dumps(value))
    if not value:
        return None
    raw = bytes.fromhex(value)
    return geopackage.decode(raw) if raw[:2] == b"GP" else shapely.from_wkb(raw)
