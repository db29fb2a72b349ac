"""What the tables need besides their columns: R-trees, and guards that notice edits by other programs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from data import sqlfunctions
from data.record import metadata
from data.tables import LayerRevision
from gis import geopackage

GEOMETRY = "geom"

#: Child tables that a QGIS user may want to join; registering them hides all other plain tables from GDAL's list.
ATTRIBUTE_TABLES = (
    "editions",
    "commune_successions",
    "growing_area_codes",
    "certifications",
    "growing_area_status_changes",
    "craft_village_years",
    "artisans",
    "producer_upgrades",
    "product_growing_areas",
    "product_sale_points",
    "lot_growing_areas",
)


@event.listens_for(sa.Table, "after_create")
def _after_create(table: sa.Table, connection: sa.Connection, **kw: Any) -> None:
    if connection.dialect.name != "geopackage":
        return
    if GEOMETRY in table.c:
        for statement in geopackage.spatial_ddl(table.name, GEOMETRY, "id"):
            connection.exec_driver_sql(statement)
    elif table.name in ATTRIBUTE_TABLES:
        connection.exec_driver_sql(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)",
            (table.name, table.name),
        )


def guarded_tables() -> list[sa.Table]:
    """List the tables whose edits from outside must leave a trace."""
    names = set(ATTRIBUTE_TABLES)
    return [t for t in metadata.sorted_tables if GEOMETRY in t.c or t.name in names]


def install_guards(connection: sa.Connection) -> None:
    """Put the guards on every table anew and give each a revision; run after creation and after each migration."""
    present = set(connection.scalars(sa.select(LayerRevision.table_name)))
    for table in metadata.sorted_tables:
        if table.name not in present:
            connection.execute(sa.insert(LayerRevision).values(table_name=table.name))
    if connection.dialect.name == "geopackage":
        for table in guarded_tables():
            for name, statement in outside_triggers(table).items():
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
                connection.exec_driver_sql(statement)
    else:
        _install_postgres(connection)


# ---- GeoPackage


def _as_json(table: sa.Table, row: str, *, geometry: bool) -> str:
    pairs = [f"'{c.name}', {row}.{c.name}" for c in table.c if c.name not in (GEOMETRY, "search")]
    if geometry and GEOMETRY in table.c:
        pairs.append(f"'{GEOMETRY}', hex({row}.{GEOMETRY})")
    return f"json_object({', '.join(pairs)})"


def outside_triggers(table: sa.Table) -> dict[str, str]:
    """Return the GeoPackage triggers that give an outside edit an audit row, a new revision and a new version."""
    name = table.name
    outside = "NOT EXISTS (SELECT 1 FROM edit_contexts)"
    bump = (
        "UPDATE layer_revisions SET revision = revision + 1, "
        f"changed_at = strftime('%Y-%m-%dT%H:%M:%fZ','now') WHERE table_name = '{name}';"
    )

    def audit(action: str, key: str, before: str, after: str) -> str:
        return (
            "INSERT INTO audit_rows (at, actor, source, table_name, row_id, action, before, after, adopted) VALUES "
            f"(strftime('%Y-%m-%dT%H:%M:%fZ','now'), NULL, 'outside', '{name}', {key}, '{action}', "
            f"{before}, {after}, 0);"
        )

    update = audit(
        "update", "NEW.id", _as_json(table, "OLD", geometry=True), _as_json(table, "NEW", geometry=False)
    )
    if "version" in table.c:
        update += (
            f" UPDATE {name} SET version = OLD.version + 1, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ','now') "
            "WHERE id = NEW.id AND NEW.version = OLD.version;"
        )
    bodies = {
        "insert": audit("insert", "NEW.id", "NULL", _as_json(table, "NEW", geometry=False)),
        "update": update,
        "delete": audit("delete", "OLD.id", _as_json(table, "OLD", geometry=True), "NULL"),
    }
    # GDAL switches recursive triggers on: the trigger's own update of these two must not fire it again.
    edited = ", ".join(c.name for c in table.c if c.name not in ("version", "updated_at"))
    events = {"insert": "INSERT", "update": f"UPDATE OF {edited}", "delete": "DELETE"}
    return {
        f"outside_{name}_{kind}": (
            f"CREATE TRIGGER outside_{name}_{kind} AFTER {events[kind]} ON {name} WHEN {outside} "
            f"BEGIN {bump} {body} END"
        )
        for kind, body in bodies.items()
    }


# ---- PostgreSQL

_POSTGRES_FUNCTIONS = """
CREATE OR REPLACE FUNCTION ocop_outside() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE old_row jsonb; new_row jsonb;
BEGIN
  IF current_setting('ocopmap.inside', true) IS NOT DISTINCT FROM 'yes' THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN old_row := to_jsonb(OLD) - 'search'; END IF;
  IF TG_OP <> 'DELETE' THEN new_row := to_jsonb(NEW) - 'search' - 'geom'; END IF;
  UPDATE layer_revisions SET revision = revision + 1, changed_at = now() WHERE table_name = TG_TABLE_NAME;
  INSERT INTO audit_rows (at, actor, source, table_name, row_id, action, before, after, adopted)
  VALUES (now(), session_user, 'outside', TG_TABLE_NAME,
          coalesce((new_row->>'id')::bigint, (old_row->>'id')::bigint), lower(TG_OP), old_row, new_row, false);
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION ocop_outside_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('ocopmap.inside', true) IS DISTINCT FROM 'yes' AND NEW.version = OLD.version THEN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$;
"""


def _install_postgres(connection: sa.Connection) -> None:
    connection.exec_driver_sql(_POSTGRES_FUNCTIONS)
    sqlfunctions.install(connection)
    for table in guarded_tables():
        name = table.name
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER outside_{name} AFTER INSERT OR UPDATE OR DELETE ON {name} "
            "FOR EACH ROW EXECUTE FUNCTION ocop_outside()"
        )
        if "version" in table.c:
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER outside_version_{name} BEFORE UPDATE ON {name} "
                "FOR EACH ROW EXECUTE FUNCTION ocop_outside_version()"
            )
        if GEOMETRY in table.c:
            constraint = f"ck_{name}_geom_valid"
            connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {constraint}")
            connection.exec_driver_sql(
                f"ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK (geom IS NULL OR ST_IsValid(geom))"
            )
        if "search" in table.c:
            connection.exec_driver_sql(
                f"CREATE INDEX IF NOT EXISTS ix_{name}_search_trgm ON {name} USING gin (search gin_trgm_ops)"
            )
