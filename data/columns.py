"""Column types that mean the same in a GeoPackage and in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import orjson
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry as StockGeometry
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, UserDefinedType

from gis import geopackage

SRID = 4326


@compiles(sa.String, "geopackage")
def _text(element: Any, compiler: Any, **kw: Any) -> str:
    """VARCHAR is no GeoPackage type: GDAL and QGIS would drop the column without a word."""
    return "TEXT"


class Geometry(StockGeometry):
    """A geometry column whose Python value is a shapely geometry, lon/lat.

    A GeoPackage stores and returns its own blobs, which is twice as fast as the stock path through EWKT.
    """

    cache_ok = True

    def __init__(self, geometry_type: str = "GEOMETRY", **kw: Any) -> None:
        kw.setdefault("srid", SRID)
        super().__init__(geometry_type, **kw)

    def bind_expression(self, bindvalue: Any) -> Any:
        return _FromBinary(bindvalue, type_=self)

    def column_expression(self, col: Any) -> Any:
        return _ToBinary(col, type_=self)

    def bind_processor(self, dialect: Any) -> Any:
        srid = self.srid
        if dialect.name == "geopackage":
            return lambda value: (
                value if value is None or isinstance(value, bytes) else geopackage.encode(value, srid)
            )
        return lambda value: (
            value if value is None or isinstance(value, bytes) else shapely.to_wkb(value, output_dimension=2)
        )

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        if dialect.name == "geopackage":
            return geopackage.decode
        return lambda value: None if value is None else shapely.from_wkb(bytes(value))


class _FromBinary(sa.sql.functions.GenericFunction[Any]):
    """The value on its way in: a blob as it is, or WKB that PostGIS must read."""

    name = "ocop_from_binary"
    inherit_cache = True


class _ToBinary(sa.sql.functions.GenericFunction[Any]):
    """The column on its way out: a blob as it is, or WKB from PostGIS."""

    name = "ocop_to_binary"
    inherit_cache = True


@compiles(_FromBinary, "geopackage")
@compiles(_ToBinary, "geopackage")
def _as_it_is(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(_FromBinary)
def _read_wkb(element: Any, compiler: Any, **kw: Any) -> str:
    return f"ST_GeomFromWKB({compiler.process(element.clauses, **kw)}, {SRID})"


@compiles(_ToBinary)
def _write_wkb(element: Any, compiler: Any, **kw: Any) -> str:
    return f"ST_AsBinary({compiler.process(element.clauses, **kw)})"


class _GeoPackageDateTime(UserDefinedType[str]):
    """A DATETIME column of a GeoPackage: ISO 8601 text in UTC with milliseconds."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "DATETIME"


class Moment(TypeDecorator[dt.datetime]):
    """A point in time, always aware and in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name == "geopackage":
            return dialect.type_descriptor(_GeoPackageDateTime())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> Any:
        if value is None or dialect.name != "geopackage":
            return value
        value = value.replace(tzinfo=value.tzinfo or dt.UTC).astimezone(dt.UTC)
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Any) -> dt.datetime | None:
        return value if value is None or isinstance(value, dt.datetime) else _moment(value)


@functools.lru_cache(maxsize=8192)
def _moment(text: str) -> dt.datetime:
    """Read a stored moment; rows that were written together share theirs."""
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)


class Document(TypeDecorator[Any]):
    """A small JSON value: text in a GeoPackage, jsonb in PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.dumps(value, default=str).decode()

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str | bytes) else value
