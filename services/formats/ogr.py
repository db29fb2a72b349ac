"""Files that GDAL writes: FlatGeobuf and GeoPackage, in one pass of Arrow batches, sent as they lie on the disk."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyogrio

from gis.geopackage_schema import Column, describe
from layers.read import Rows
from services.formats import companions
from services.formats.arrow import Table
from services.formats.base import Context, Features, bytes_of, is_wgs84

FLATGEOBUF = "application/flatgeobuf"
GEOPACKAGE = "application/geopackage+sqlite3"

# These files are read once and thrown away, so nobody waits for the disk to be sure of them.
pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})

KINDS = {
    "POINT": "Point",
    "MULTIPOINT": "MultiPoint",
    "LINESTRING": "LineString",
    "MULTILINESTRING": "MultiLineString",
    "POLYGON": "Polygon",
    "MULTIPOLYGON": "MultiPolygon",
}


def write_flatgeobuf(features: Features, context: Context) -> Iterator[bytes]:
    """A FlatGeobuf file, with its spatial index where the context wants one."""
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.fgb"
        index = {"SPATIAL_INDEX": "YES" if context.indexed else "NO"}
        write_table(_table(features, context), path, driver="FlatGeobuf", layer_options=index)
        yield from bytes_of(path)


def write_geopackage(features: Features, context: Context) -> Iterator[bytes]:
    """A GeoPackage of version 1.2 with one table named like the layer, with titles of fields and codes.

    With companions it also holds the layer's style for QGIS and others, and its code lists as tables.
    """
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.gpkg"
        write_table(_table(features, context), path, driver="GPKG", dataset_options={"VERSION": "1.2"})
        with closing(sqlite3.connect(path)) as connection, connection:
            describe(connection, features.layer.id, _columns_of(features, context.language))
            if context.companions:
                companions.put_into_geopackage(connection, features, context.language)
        yield from bytes_of(path)


def write_table(
    table: Table,
    path: Path,
    *,
    driver: str,
    layer: str | None = None,
    kind: str | None = None,
    pages: Iterable[Rows] | None = None,
    **options: Any,
) -> None:
    """Let GDAL write the rows of a table in one pass, or only some `pages` of them.

    `kind` is the type of geometry, by default that of the layer. Raises what reading the rows raised, and
    pyogrio's errors of writing.
    """
    features, context = table.features, table.context
    try:
        pyogrio.raw.write_arrow(
            table.reader(pages),
            str(path),
            layer=layer or features.layer.id,
            driver=driver,
            geometry_name=table.geometry if features.geometry else None,
            geometry_type=(kind or KINDS[features.layer.geometry]) if features.geometry else None,
            crs="EPSG:4326" if is_wgs84(context.target) else context.target.crs,
            **options,
        )
    except Exception as error:
        raise (table.failure or error) from error


def _table(features: Features, context: Context) -> Table:
    return Table(features, context, names=["id", *(f.name for f in features.fields)])


def _columns_of(features: Features, language: str) -> list[Column]:
    return [
        Column(
            field.name,
            field.title[language],
            None if field.unit is None else field.unit[language],
            field.codes,
            {value: code.label(language) for value, code in (field.code_list or {}).items()},
        )
        for field in features.fields
    ]
