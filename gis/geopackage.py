"""GeoPackage without an extension library: geometry blobs, the SQL functions that triggers call, tables and R-tree.

Source: OGC 12-128r15 (GeoPackage 1.2.1), clauses 2.1.3 (blob), 1.1.2–1.1.3 (core tables), F.3 (R-tree).
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

APPLICATION_ID = 0x47504B47
USER_VERSION = 10200
ENVELOPE_BYTES = (0, 32, 48, 48, 64)
RTREE_DEFINITION = "http://www.geopackage.org/spec120/#extension_rtree"

_HEADER = struct.Struct("<2sBBi")
_ENVELOPE = struct.Struct("<4d")
_LITTLE_ENDIAN, _ENVELOPE_XY, _EMPTY = 0x01, 0x02, 0x10

WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],'
    'AUTHORITY["EPSG","4326"]]'
)


# ---- blobs


def encode(geometry: shapely.Geometry, srid: int) -> bytes:
    """Turn a shapely geometry (x = longitude) into a GeoPackage blob with an XY envelope unless point or empty."""
    wkb: bytes = shapely.to_wkb(geometry, byte_order=1, output_dimension=2)
    if geometry.is_empty:
        return _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _EMPTY, srid) + wkb
    if geometry.geom_type == "Point":
        return _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN, srid) + wkb
    west, south, east, north = geometry.bounds
    head = _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _ENVELOPE_XY, srid)
    return head + _ENVELOPE.pack(west, east, south, north) + wkb


def encode_all(geometries: NDArray[np.object_], srid: int) -> list[bytes]:
    """Turn N shapely geometries into N blobs, with bounds and WKB computed in bulk."""
    wkb = shapely.to_wkb(geometries, byte_order=1, output_dimension=2)
    bounds = shapely.bounds(geometries)
    plain = shapely.get_type_id(geometries) == 0
    empty = shapely.is_empty(geometries)
    point_head = _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN, srid)
    empty_head = _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _EMPTY, srid)
    shape_head = _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN | _ENVELOPE_XY, srid)
    envelopes = np.ascontiguousarray(bounds[:, [0, 2, 1, 3]], dtype="<f8").tobytes()
    return [
        empty_head + body
        if is_empty
        else point_head + body
        if is_point
        else shape_head + envelopes[32 * i : 32 * i + 32] + body
        for i, (body, is_point, is_empty) in enumerate(zip(wkb, plain.tolist(), empty.tolist(), strict=True))
    ]


def wkb_of(blob: bytes) -> bytes:
    """Cut the GeoPackage header off a blob."""
    return blob[8 + ENVELOPE_BYTES[(blob[3] >> 1) & 7] :]


def decode(blob: bytes | None) -> shapely.Geometry | None:
    """Turn a blob into a shapely geometry."""
    return None if blob is None else shapely.from_wkb(wkb_of(blob))


def decode_all(blobs: Iterable[bytes | None]) -> NDArray[np.object_]:
    """Cut the headers off many blobs: an object array of WKB bytes, None where there is no geometry."""
    rows = [None if b is None else b[8 + ENVELOPE_BYTES[(b[3] >> 1) & 7] :] for b in blobs]
    out = np.empty(len(rows), dtype=object)
    out[:] = rows
    return out


def envelope(blob: bytes) -> tuple[float, float, float, float]:
    """Return (minx, maxx, miny, maxy) of a blob, from its header where it has one."""
    flags = blob[3]
    if (flags >> 1) & 7:
        minx, maxx, miny, maxy = struct.unpack_from("<4d" if flags & 1 else ">4d", blob, 8)
        return minx, maxx, miny, maxy
    wkb = blob[8:]
    if len(wkb) == 21:
        x, y = struct.unpack_from("<2d" if wkb[0] else ">2d", wkb, 5)
        return x, x, y, y
    west, south, east, north = shapely.from_wkb(wkb).bounds
    return west, east, south, north


def from_ewkb(wkb: bytes | memoryview | str | None, srid: int = 0) -> bytes | None:
    """Turn (E)WKB into a blob, keeping the SRID inside it when there is one."""
    if wkb is None:
        return None
    geometry = shapely.from_wkb(bytes(wkb) if isinstance(wkb, memoryview) else wkb)
    return encode(geometry, int(shapely.get_srid(geometry)) or srid)


def from_ewkt(text: str | None) -> bytes | None:
    """Turn `SRID=4326;POINT (…)` into a blob."""
    if text is None:
        return None
    srid = 0
    if text[:5].upper() == "SRID=":
        head, text = text.split(";", 1)
        srid = int(head[5:])
    return encode(shapely.from_wkt(text), srid)


def as_ewkb(blob: bytes | None) -> str | None:
    """Turn a blob into upper-case hexadecimal EWKB."""
    if blob is None:
        return None
    srid = struct.unpack_from("<i" if blob[3] & 1 else ">i", blob, 4)[0]
    geometry = shapely.set_srid(shapely.from_wkb(wkb_of(blob)), srid)
    return str(shapely.to_wkb(geometry, hex=True, include_srid=True))


# ---- SQL functions


def _on_blob(fn: Callable[[bytes], object]) -> Callable[[bytes | None], object]:
    return lambda blob: None if blob is None else fn(blob)


def _predicate(test: Callable[[Any, Any], Any]) -> Callable[[bytes | None, bytes | None], int | None]:
    def call(a: bytes | None, b: bytes | None) -> int | None:
        return None if a is None or b is None else int(test(decode(a), decode(b)))

    return call


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a sqlite3 connection the spatial SQL functions that triggers, queries and GeoAlchemy2 call."""

    def define(names: Sequence[str], arguments: int, fn: Callable[..., Any]) -> None:
        for name in names:
            connection.create_function(name, arguments, fn, deterministic=True)

    for i, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        define([name], 1, _on_blob(lambda blob, i=i: envelope(blob)[i]))  # type: ignore[misc]
    define(["ST_IsEmpty"], 1, _on_blob(lambda blob: (blob[3] >> 4) & 1))
    define(
        ["ST_SRID"], 1, _on_blob(lambda blob: struct.unpack_from("<i" if blob[3] & 1 else ">i", blob, 4)[0])
    )
    define(["ST_GeometryType"], 1, _on_blob(lambda blob: shapely.from_wkb(wkb_of(blob)).geom_type.upper()))
    define(["ST_Area"], 1, _on_blob(lambda blob: shapely.from_wkb(wkb_of(blob)).area))
    define(["AsBinary", "ST_AsBinary"], 1, _on_blob(wkb_of))
    define(["AsEWKB", "ST_AsEWKB"], 1, as_ewkb)
    define(["GeomFromEWKT", "ST_GeomFromEWKT"], 1, from_ewkt)
    define(["GeomFromEWKB", "ST_GeomFromEWKB", "GeomFromWKB", "ST_GeomFromWKB"], 1, from_ewkb)
    define(["GeomFromEWKB", "ST_GeomFromEWKB", "GeomFromWKB", "ST_GeomFromWKB"], 2, from_ewkb)
    for name in ("intersects", "within", "contains", "touches", "crosses", "overlaps", "disjoint", "equals"):
        define([f"ST_{name.capitalize()}"], 2, _predicate(getattr(shapely, name)))
    # GeoAlchemy2's dialect calls these after CREATE TABLE; `spatial_ddl` does their work.
    define(["CheckGeoPackageMetaData"], 0, lambda: 1)
    define(["gpkgInsertEpsgSRID"], 1, lambda srid: 1)
    define(["gpkgAddGeometryTriggers", "gpkgAddSpatialIndex"], 2, lambda table, column: 1)


# ---- tables

CORE_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE IF NOT EXISTS gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE IF NOT EXISTS gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_ogr_contents (
  table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL);
"""

REFERENCE_SYSTEMS = (
    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", None),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
    ("WGS 84 geodetic", 4326, "EPSG", 4326, WGS84_WKT, None),
)


def initialise(connection: sqlite3.Connection) -> None:
    """Make an empty SQLite database a GeoPackage: identity, core tables and reference systems."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")
    for statement in CORE_TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.executemany(
        "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", REFERENCE_SYSTEMS
    )


def rtree_name(table: str, column: str) -> str:
    """Name the R-tree of a geometry column as the GeoPackage extension prescribes."""
    return f"rtree_{table}_{column}"


def rtree_triggers(table: str, column: str, key: str) -> dict[str, str]:
    """Return the R-tree triggers of GeoPackage 1.2, annex F.3, by name."""
    r = rtree_name(table, column)
    new, old = f"NEW.{column}", f"OLD.{column}"
    filled = f"({new} NOT NULL AND NOT ST_IsEmpty({new}))"
    blank = f"({new} IS NULL OR ST_IsEmpty({new}))"
    put = (
        f"INSERT OR REPLACE INTO {r} VALUES "
        f"(NEW.{key}, ST_MinX({new}), ST_MaxX({new}), ST_MinY({new}), ST_MaxY({new}));"
    )
    same, moved = f"OLD.{key} = NEW.{key}", f"OLD.{key} != NEW.{key}"
    drop_old = f"DELETE FROM {r} WHERE id = OLD.{key};"
    drop_both = f"DELETE FROM {r} WHERE id IN (OLD.{key}, NEW.{key});"
    bodies = {
        "insert": f"AFTER INSERT ON {table} WHEN {filled} BEGIN {put} END",
        "update1": f"AFTER UPDATE OF {column} ON {table} WHEN {same} AND {filled} BEGIN {put} END",
        "update2": f"AFTER UPDATE OF {column} ON {table} WHEN {same} AND {blank} BEGIN {drop_old} END",
        "update3": f"AFTER UPDATE ON {table} WHEN {moved} AND {filled} BEGIN {drop_old} {put} END",
        "update4": f"AFTER UPDATE ON {table} WHEN {moved} AND {blank} BEGIN {drop_both} END",
        "delete": f"AFTER DELETE ON {table} WHEN {old} NOT NULL BEGIN {drop_old} END",
    }
    return {f"{r}_{name}": f"CREATE TRIGGER {r}_{name} {body}" for name, body in bodies.items()}


def count_triggers(table: str) -> dict[str, str]:
    """Return the triggers that keep `gpkg_ogr_contents.feature_count` right, named as GDAL names them."""
    rows = {"insert": "+", "delete": "-"}
    return {
        f"trigger_{event}_feature_count_{table}": (
            f"CREATE TRIGGER trigger_{event}_feature_count_{table} AFTER {event.upper()} ON {table} BEGIN "
            f"UPDATE gpkg_ogr_contents SET feature_count = feature_count {sign} 1 "
            f"WHERE lower(table_name) = lower('{table}'); END"
        )
        for event, sign in rows.items()
    }


def spatial_ddl(table: str, column: str, key: str) -> list[str]:
    """Return what a new feature table needs besides its row in `gpkg_contents`: R-tree, counts and triggers."""
    return [
        f"CREATE VIRTUAL TABLE {rtree_name(table, column)} USING rtree(id, minx, maxx, miny, maxy)",
        f"INSERT INTO gpkg_extensions VALUES "
        f"('{table}','{column}','gpkg_rtree_index','{RTREE_DEFINITION}','write-only')",
        f"INSERT INTO gpkg_ogr_contents VALUES ('{table}', 0)",
        *rtree_triggers(table, column, key).values(),
        *count_triggers(table).values(),
    ]


def fill_rtree(
    connection: sqlite3.Connection,
    table: str,
    column: str,
    ids: NDArray[np.int64],
    bounds: NDArray[np.float64],
) -> None:
    """Write R-tree rows for `ids` (N) from `bounds` (N×4: west, south, east, north); NaN rows are left out."""
    present = ~np.isnan(bounds[:, 0])
    rows = zip(ids[present].tolist(), *bounds[present][:, [0, 2, 1, 3]].T.tolist(), strict=True)
    connection.executemany(f"INSERT INTO {rtree_name(table, column)} VALUES (?,?,?,?,?)", rows)
