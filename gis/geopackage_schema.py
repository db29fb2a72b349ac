"""Titles and value lists of the columns of a GeoPackage, which GDAL and QGIS show instead of the bare names.

Source: OGC 12-128r15 (GeoPackage 1.2.1), annex F.9 (schema extension).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DEFINITION = "http://www.geopackage.org/spec121/#extension_schema"

TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
  min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""


@dataclass(frozen=True)
class Column:
    """What is said of one column: its title, a sentence about it, and the titles of the values it may take."""

    name: str
    title: str
    description: str | None = None
    list_name: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def describe(connection: sqlite3.Connection, table: str, columns: Sequence[Column]) -> None:
    """Write titles and value lists of a table's columns; a title that is taken gets the column's name after it."""
    for statement in filter(str.strip, TABLES.split(";")):
        connection.execute(statement)
    connection.executemany(
        "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
        [(name, DEFINITION) for name in ("gpkg_data_columns", "gpkg_data_column_constraints")],
    )
    taken: set[str] = set()
    for column in columns:
        title = column.title if column.title not in taken else f"{column.title} ({column.name})"
        taken.add(title)
        constraint = column.list_name if column.values else None
        connection.execute(
            "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)",
            (table, column.name, title, title, column.description, constraint),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
            [(constraint, value, text) for value, text in column.values.items()],
        )
