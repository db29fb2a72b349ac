"""GeoParquet: columns of a table in row groups, with the geometry as WKB.

Source: GeoParquet 1.1.0 (opengeospatial/geoparquet).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from gis import crs as reference_systems
from services.formats.arrow import Table
from services.formats.base import Context, Features, bytes_of, is_wgs84

MEDIA_TYPE = "application/vnd.apache.parquet"
VERSION = "1.1.0"
GEOMETRY = "geometry"


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A GeoParquet file; x stands before y whatever the reference system says, as the standard wants it."""
    table = Table(features, context, names=["id", *(f.name for f in features.fields)], geometry=GEOMETRY)
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.parquet"
        found = _Found()
        with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
            for page in table.pages():
                batch = table.batch(page)
                if features.geometry:
                    found.look(batch.column(GEOMETRY))
                writer.write_batch(batch)
            if features.geometry:
                writer.add_key_value_metadata({"geo": orjson.dumps(found.described(context))})
        yield from bytes_of(path)


class _Found:
    """The kinds of shapes that went by, and their bounds."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def look(self, bodies: pa.Array) -> None:
        """Take note of a column of WKB."""
        shapes = shapely.from_wkb(bodies.to_numpy(zero_copy_only=False))
        shapes = shapes[~shapely.is_missing(shapes)]
        if not len(shapes):
            return
        self.kinds |= {_KINDS[kind] for kind in np.unique(shapely.get_type_id(shapes)).tolist()}
        bounds = shapely.total_bounds(shapes)
        self.bounds[:2] = np.fmin(self.bounds[:2], bounds[:2])
        self.bounds[2:] = np.fmax(self.bounds[2:], bounds[2:])

    def described(self, context: Context) -> dict[str, object]:
        """The value of the key `geo`."""
        column: dict[str, object] = {"encoding": "WKB", "geometry_types": sorted(self.kinds)}
        # Without a system the coordinates are OGC:CRS84.
        if not is_wgs84(context.target):
            column["crs"] = reference_systems.resolve(context.target.crs).to_json_dict()
        if np.isfinite(self.bounds).all():
            column["bbox"] = self.bounds.tolist()
        return {"version": VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


_KINDS = {
    0: "Point",
    1: "LineString",
    2: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
}
