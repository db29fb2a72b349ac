"""Loading many rows at once: without per-row triggers, the index filled from bounds, one audit row per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data import audit, store
from data.accounts import SYSTEM, Actor
from data.base import Base
from data.columns import SRID
from gis import geopackage

BATCH = 20_000


def table_of(model: type[Base]) -> sa.Table:
    """Return the table behind a model."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


def load(
    session: Session,
    model: Any,
    columns: Mapping[str, Sequence[Any]],
    geometries: NDArray[np.object_] | None = None,
    *,
    actor: Actor = SYSTEM,
    source: str = "load",
    reason: str | None = None,
) -> tuple[int, int]:
    """Insert N rows given by column (and N shapely geometries, lon/lat) in the running transaction.

    The geometries must be valid and of the column's type. Returns the first and last id. Ids are consecutive.
    Nothing is kept unless the transaction is.
    """
    table = table_of(model)
    first, last = insert(session, table, columns, geometries)
    if last == 0:
        return 0, 0
    box = None
    if geometries is not None:
        west, south, east, north = shapely.total_bounds(geometries).tolist()
        box = (west, south, east, north)
        if session.get_bind().dialect.name == "geopackage":
            store.refresh_extent(session, table.name)
    store.bump(session, table.name, box)
    span = {"first_id": first, "last_id": last, "count": last - first + 1}
    audit.write(session, actor, source, table.name, None, "load", after=span, reason=reason)
    return first, last


def insert(
    session: Session,
    table: sa.Table,
    columns: Mapping[str, Sequence[Any]],
    geometries: NDArray[np.object_] | None = None,
) -> tuple[int, int]:
    """Insert N rows given by column (and N shapely geometries, lon/lat, or None) and nothing else.

    The caller sees to revision, extent and audit. Returns the first and last id, which are consecutive.
    """
    size = len(geometries) if geometries is not None else len(next(iter(columns.values())))
    if size == 0:
        return 0, 0
    embedded = session.get_bind().dialect.name == "geopackage"
    connection = session.connection()
    session.flush()
    first = _next_id(connection, table, size, embedded=embedded)
    values = _stored(table, columns, size, connection.dialect)
    ids = np.arange(first, first + size, dtype=np.int64)
    if embedded:
        _load_geopackage(connection, table, ids, values, geometries)
    else:
        _load_postgres(connection, table, ids, values, geometries)
    return first, first + size - 1


def _next_id(connection: sa.Connection, table: sa.Table, size: int, *, embedded: bool) -> int:
    """Reserve ids that were never used before."""
    if embedded:
        used = connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).scalar()
        return int(used or 0) + 1
    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
    first = int(connection.exec_driver_sql(f"SELECT nextval({sequence})").scalar_one())
    connection.exec_driver_sql(f"SELECT setval({sequence}, {first + size - 1})")
    return first


def _stored(
    table: sa.Table, columns: Mapping[str, Sequence[Any]], size: int, dialect: sa.Dialect
) -> dict[str, list[Any]]:
    """Turn Python values into what the driver stores, and fill in the columns' defaults."""
    stored: dict[str, list[Any]] = {}
    for column in table.c:
        if column.name in ("id", "geom"):
            continue
        if column.name in columns:
            values: Sequence[Any] = columns[column.name]
            values = values.tolist() if isinstance(values, np.ndarray) else values
        elif column.default is not None:
            default: Any = column.default
            values = [default.arg(None) if default.is_callable else default.arg] * size
        else:
            continue
        convert = column.type.dialect_impl(dialect).bind_processor(dialect)
        stored[column.name] = _converted(values, convert) if convert else list(values)
    return stored


def _converted(values: Sequence[Any], convert: Any) -> list[Any]:
    """Convert each distinct value once: dates and moments repeat, and writing them is slow."""
    try:
        known = {v: convert(v) for v in set(values)}
    except TypeError:
        return [convert(v) for v in values]
    return [known[v] for v in values]


def _load_geopackage(
    connection: sa.Connection,
    table: sa.Table,
    ids: NDArray[np.int64],
    values: dict[str, list[Any]],
    geometries: NDArray[np.object_] | None,
) -> None:
    driver: Any = connection.connection.driver_connection
    names = ["id", *values]
    series: list[Sequence[Any]] = [ids.tolist(), *values.values()]
    triggers = _insert_triggers(driver, table.name)
    if geometries is not None:
        names.append("geom")
        series.append(_blobs(geometries))
    for name in triggers:
        driver.execute(f"DROP TRIGGER {name}")
    places = ",".join("?" * len(names))
    driver.executemany(
        f"INSERT INTO {table.name} ({','.join(names)}) VALUES ({places})", zip(*series, strict=True)
    )
    if geometries is not None:
        geopackage.fill_rtree(driver, table.name, "geom", ids, shapely.bounds(geometries))
        driver.execute(
            "UPDATE gpkg_ogr_contents SET feature_count = feature_count + ? WHERE table_name = ?",
            (len(ids), table.name),
        )
    for statement in triggers.values():
        driver.execute(statement)


def _blobs(geometries: NDArray[np.object_]) -> list[bytes | None]:
    """Encode geometries, leaving out those that are missing."""
    present = ~shapely.is_missing(geometries)
    blobs = iter(geopackage.encode_all(geometries[present], SRID))
    return [next(blobs) if there else None for there in present.tolist()]


def _insert_triggers(driver: Any, table: str) -> dict[str, str]:
    """Return the triggers of a table that fire per inserted row, by name."""
    found = driver.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    )
    return {name: sql for name, sql in found if "AFTER INSERT" in sql}


def _load_postgres(
    connection: sa.Connection,
    table: sa.Table,
    ids: NDArray[np.int64],
    values: dict[str, list[Any]],
    geometries: NDArray[np.object_] | None,
) -> None:
    driver: Any = connection.connection.driver_connection
    names = ["id", *values]
    series: list[Sequence[Any]] = [ids.tolist(), *values.values()]
    if geometries is not None:
        names.append("geom")
        marked = shapely.set_srid(geometries, SRID)
        series.append(shapely.to_wkb(marked, hex=True, include_srid=True, output_dimension=2).tolist())
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({','.join(names)}) FROM STDIN") as copy:
        for row in zip(*series, strict=True):
            copy.write_row(row)
