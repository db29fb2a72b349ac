"""The store: one engine for either database, units of work, and the revision of every table.

Writing sessions mark the transaction as ours, so that triggers can tell an edit by another program
(QGIS, ogr2ogr, psql) and leave an audit row and a new revision for it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geoalchemy2  # noqa: F401  registers the gpkg dialect and its table events
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session as Session

from data import sqlfunctions, tables
from data.base import Base
from gis import geopackage, predicates
from gis.errors import Refusal

BUSY_MILLISECONDS = 15_000
#: Pages of the file that are read where the system keeps them, once for all workers, instead of being copied.
MAPPED_BYTES = 256 * 1024 * 1024
MAIN_TABLE = "layer_revisions"

#: Whatever a database raises when a statement fails, for want of tables as well.
Failure = SQLAlchemyError
#: A failure that may pass: the database is locked, gone or refuses connections.
Unavailable = OperationalError


class StoreError(Refusal):
    """The record cannot be opened or is not of the kind that was named."""


def read_address(text: str) -> URL:
    """Read a database URL; raises StoreError for text that is none."""
    try:
        return make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            "Địa chỉ cơ sở dữ liệu phải bắt đầu bằng gpkg:// hoặc postgresql+psycopg://."
        ) from error


def address_of(session: Session) -> str:
    """Return the database URL behind a session, without its password: the key of what is remembered per record."""
    return session.get_bind().engine.url.render_as_string()


class Store:
    """The record behind a database URL: `gpkg:///path/province.gpkg` or `postgresql+psycopg://…`."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "gpkg"
        if not self.embedded and self.url.get_backend_name() != "postgresql":
            raise StoreError("Địa chỉ cơ sở dữ liệu phải bắt đầu bằng gpkg:// hoặc postgresql+psycopg://.")
        self.engine = self._gpkg_engine() if self.embedded else self._postgres_engine()
        self.writer = self.engine.execution_options(ocop_write=True)

    @property
    def path(self) -> Path:
        """The file of an embedded record."""
        return Path(self.url.database or "")

    def _gpkg_engine(self) -> Engine:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(self.url, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
        event.listen(engine, "connect", _prepare_gpkg)
        event.listen(engine, "begin", _begin_gpkg)
        return engine

    def _postgres_engine(self) -> Engine:
        engine = sa.create_engine(self.url, pool_pre_ping=True, pool_size=4, max_overflow=4)
        event.listen(engine, "connect", _prepare_postgres)
        return engine

    # ---- sessions

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one consistent state and writes nothing."""
        with Session(self.engine, autoflush=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are kept all together at the end, or not at all."""
        with Session(self.writer) as session, session.begin():
            self.mark_inside(session)
            yield session
            session.flush()
            self._unmark(session)

    @contextlib.contextmanager
    def writing_soon(self, milliseconds: int) -> Iterator[Session]:
        """Give a writing session that waits so long at most for others who write, then raises Unavailable."""
        with self.writer.connect() as connection:
            if self.embedded:
                _be_patient(connection, milliseconds)
            try:
                with Session(connection) as session, session.begin():
                    if not self.embedded:
                        session.execute(sa.text(f"SET LOCAL lock_timeout = {int(milliseconds)}"))
                    self.mark_inside(session)
                    yield session
                    session.flush()
                    self._unmark(session)
            finally:
                if self.embedded:
                    _be_patient(connection, BUSY_MILLISECONDS)

    def mark_inside(self, session: Session) -> None:
        """Say in the transaction that the platform itself is writing."""
        if self.embedded:
            session.execute(sa.text("INSERT INTO edit_contexts (inside) VALUES (1)"))
        else:
            session.execute(sa.text("SELECT set_config('ocopmap.inside', 'yes', true)"))

    def _unmark(self, session: Session) -> None:
        if self.embedded:
            session.execute(sa.text("DELETE FROM edit_contexts"))

    # ---- state

    def exists(self) -> bool:
        """Tell whether the record's tables are there."""
        if self.embedded and not self.path.exists():
            return False
        with self.engine.connect() as connection:
            return bool(sa.inspect(connection).has_table(MAIN_TABLE))

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


_REVISIONS = sa.select(*(tables.LayerRevision.__table__.c[name] for name in ("table_name", "revision")))


def revisions(session: Session) -> dict[str, int]:
    """Return the revision of every table that has one."""
    return {name: revision for name, revision in session.connection().execute(_REVISIONS)}


def bump(session: Session, table: str, box: tuple[float, float, float, float] | None = None) -> int:
    """Raise the revision of a table in this transaction and remember the changed box; return the new revision."""
    revision = session.execute(
        sa.update(tables.LayerRevision)
        .where(tables.LayerRevision.table_name == table)
        .values(revision=tables.LayerRevision.revision + 1, changed_at=sa.bindparam("at"))
        .returning(tables.LayerRevision.revision),
        {"at": tables.now()},
    ).scalar_one()
    if box is not None:
        west, south, east, north = box
        session.add(
            tables.LayerChange(
                table_name=table, revision=revision, west=west, south=south, east=east, north=north
            )
        )
    return int(revision)


def spatial_tables() -> list[sa.Table]:
    """List the tables that have a geometry column."""
    return [t for t in Base.metadata.sorted_tables if "geom" in t.c]


def refresh_extent(session: Session, table: str) -> None:
    """Write the exact extent and time of change of a feature table to the GeoPackage's contents."""
    session.execute(
        sa.text(
            "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now'), "
            "(min_x, max_x, min_y, max_y) = "
            f"(SELECT min(minx), max(maxx), min(miny), max(maxy) FROM rtree_{table}_geom) "
            "WHERE table_name = :table"
        ),
        {"table": table},
    )


def widen_extent(session: Session, table: str, box: tuple[float, float, float, float]) -> None:
    """Let the contents' extent cover a changed box, without reading the whole index."""
    west, south, east, north = box
    session.execute(
        sa.text(
            "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now'), "
            "min_x = min(coalesce(min_x, :w), :w), min_y = min(coalesce(min_y, :s), :s), "
            "max_x = max(coalesce(max_x, :e), :e), max_y = max(coalesce(max_y, :n), :n) WHERE table_name = :table"
        ),
        {"table": table, "w": west, "s": south, "e": east, "n": north},
    )


# ---- connections


def _prepare_gpkg(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    geopackage.register_functions(connection)
    predicates.register(connection)
    sqlfunctions.register(connection)
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "cache_size = -32768",
        f"mmap_size = {MAPPED_BYTES}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'gpkg_contents'").fetchone():
        _initialise_gpkg(connection)


def _be_patient(connection: sa.Connection, milliseconds: int) -> None:
    """Set how long a connection waits for the file's lock, outside any transaction."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")


def _initialise_gpkg(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        geopackage.initialise(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _begin_gpkg(connection: sa.Connection) -> None:
    """Take the write lock at the start of a writing transaction, so that it cannot fail half-way as busy."""
    writing = connection.get_execution_options().get("ocop_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _prepare_postgres(connection: Any, record: Any) -> None:
    """Plans made for the values at hand, not compiled: generic plans and JIT double the time of box queries."""
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_custom_plan")
        cursor.execute("SET jit = off")
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()
