"""Creating and upgrading the record's schema with Alembic, alike on both databases."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import alembic_helpers  # noqa: F401  teaches Alembic the gpkg dialect

from data.ddl import install_guards
from data.store import Store, StoreError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; return the revisions before and after."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise StoreError("Không tìm thấy các bước nâng cấp cơ sở dữ liệu.")
    with store.writer.begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        if before is None and not store.embedded:
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        mark_inside(connection, embedded=store.embedded)
        install_guards(connection)
        if store.embedded:
            connection.exec_driver_sql("DELETE FROM edit_contexts")
    return before, head


def mark_inside(connection: sa.Connection, *, embedded: bool) -> None:
    """Say in a plain connection's transaction that the platform itself is writing."""
    if embedded:
        connection.exec_driver_sql("INSERT INTO edit_contexts (inside) VALUES (1)")
    else:
        connection.exec_driver_sql("SELECT set_config('ocopmap.inside', 'yes', true)")


def current(store: Store) -> str | None:
    """Return the schema revision that the record has."""
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
