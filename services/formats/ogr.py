"""Files that GDAL writes: FlatGeobuf, GeoPackage and shapefiles, in chunks, then sent as they lie on the disk."""

from __future__ import annotations

import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
from numpy.typing import NDArray

from gis.geopackage_schema import Column, describe
from layers.fields import FieldType
from layers.read import Rows
from services.formats.base import Context, Features, Shapes, is_textual, is_wgs84, text_of

FLATGEOBUF = "application/flatgeobuf"
GEOPACKAGE = "application/geopackage+sqlite3"
SHAPEFILE = "application/zip"

LONGEST_NAME = 10
LONGEST_TEXT = 254
PIECE = 256 * 1024
BATCH = 10_000

# These files are read once and thrown away, so nobody waits for the disk to be sure of them.
pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})

_UTC = 100
_KINDS = {
    "POINT": "Point",
    "MULTIPOINT": "MultiPoint",
    "LINESTRING": "LineString",
    "MULTILINESTRING": "MultiLineString",
    "POLYGON": "Polygon",
    "MULTIPOLYGON": "MultiPolygon",
}
_BLANK: Mapping[FieldType, tuple[Any, str]] = {
    FieldType.INTEGER: (0, "int64"),
    FieldType.NUMBER: (np.nan, "float64"),
    FieldType.BOOLEAN: (False, "bool"),
    FieldType.DATE: (np.datetime64("NaT"), "datetime64[D]"),
    FieldType.DATETIME: (np.datetime64("NaT"), "datetime64[ms]"),
}


def write_flatgeobuf(features: Features, context: Context) -> Iterator[bytes]:
    """A FlatGeobuf file; many pages pass through a GeoPackage, so that memory stays flat."""
    source = iter(features.pages)
    first = list(_take(source, 2))
    with tempfile.TemporaryDirectory(prefix="ocopmap-") as folder:
        path = Path(folder) / f"{features.layer.id}.fgb"
        index = {"SPATIAL_INDEX": "YES" if context.indexed else "NO"}
        sheet = _Sheet(features, context, driver="FlatGeobuf", layer_options=index)
        if len(first) < 2:
            sheet.write(path, first)
        else:
            between = Path(folder) / "between.gpkg"
            plain = _Sheet(features, context, driver="GPKG", layer_options={"SPATIAL_INDEX": "NO"})
            plain.write(between, chain(first, source))
            sheet.copy(between, path)
        yield from _bytes_of(path)


def write_geopackage(features: Features, context: Context) -> Iterator[bytes]:
    """A GeoPackage of version 1.2 with one table named like the layer, with titles of fields and codes."""
    with tempfile.TemporaryDirectory(prefix="ocopmap-") as folder:
        path = Path(folder) / f"{features.layer.id}.gpkg"
        _Sheet(features, context, driver="GPKG", dataset_options={"VERSION": "1.2"}).write(
            path, features.pages
        )
        with closing(sqlite3.connect(path)) as connection, connection:
            describe(connection, features.layer.id, _columns_of(features, context.language))
        yield from _bytes_of(path)


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


def write_shapefile(features: Features, context: Context) -> Iterator[bytes]:
    """A zip of one shapefile: names of ten letters, texts of 254 bytes, UTF-8 with its .cpg."""
    with tempfile.TemporaryDirectory(prefix="ocopmap-") as folder:
        path = Path(folder) / f"{features.layer.id}.shp"
        _Sheet(features, context, driver="ESRI Shapefile", encoding="UTF-8").write(path, features.pages)
        archive = Path(folder) / "archive.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as packed:
            for file in sorted(Path(folder).glob(f"{features.layer.id}.*")):
                packed.write(file, file.name)
        yield from _bytes_of(archive)


class _Sheet:
    """One file in the making."""

    def __init__(self, features: Features, context: Context, *, driver: str, **options: Any) -> None:
        self.features = features
        self.context = context
        self.driver = driver
        self.is_shapefile = driver == "ESRI Shapefile"
        names = ["id", *(f.name for f in features.fields)]
        self.names = short_names(names) if self.is_shapefile else names
        self.options = {
            "driver": driver,
            "layer": features.layer.id,
            "geometry_type": _KINDS[features.layer.geometry] if features.geometry else None,
            "crs": "EPSG:4326" if is_wgs84(context.target) else context.target.crs,
            **options,
        }

    def write(self, path: Path, pages: Iterable[Rows]) -> None:
        """Write pages one after the other; a file without rows still has its fields."""
        fields = self.features.fields
        empty = Rows(fields, np.empty(0, np.int64), np.empty(0, dtype=object), [[] for _ in fields])
        begun = False
        for batch in _batches(pages):
            self._write_page(path, batch, append=begun)
            begun = True
        if not begun:
            self._write_page(path, empty, append=False)

    def copy(self, source: Path, path: Path) -> None:
        """Let GDAL carry a file of its own over to another format, record batch by record batch."""
        with pyogrio.raw.open_arrow(source, use_pyarrow=False, batch_size=2_000) as (meta, reader):
            pyogrio.raw.write_arrow(
                reader, path, geometry_name=meta["geometry_name"] or "geom", **self.options
            )

    def _write_page(self, path: Path, page: Rows, *, append: bool) -> None:
        columns, masks = self._columns(page)
        shapes = Shapes(page, self.context.target)
        moments = [
            n for n, f in zip(self.names[1:], self.features.fields, strict=True) if self._is_moment(f.type)
        ]
        pyogrio.raw.write(
            str(path),
            geometry=shapes.wkb if self.features.geometry else None,
            field_data=columns,
            field_mask=masks,
            fields=np.array(self.names, dtype=object),
            gdal_tz_offsets={name: np.full(len(page), _UTC) for name in moments},
            append=append,
            **self.options,
        )

    def _is_moment(self, kind: FieldType) -> bool:
        return kind == FieldType.DATETIME and not self.is_shapefile

    def _columns(self, page: Rows) -> tuple[list[NDArray[Any]], list[NDArray[np.bool_] | None]]:
        ids = self.context.ids(self.features.layer, page)
        arrays: list[NDArray[Any]] = [np.array(ids, dtype=object if self.context.text_ids else np.int64)]
        masks: list[NDArray[np.bool_] | None] = [None]
        for field, column in zip(self.features.fields, page.columns, strict=True):
            array, mask = self._array(field.type, column)
            arrays.append(array)
            masks.append(mask)
        return arrays, masks

    def _array(self, kind: FieldType, column: Sequence[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Turn a column into what GDAL takes: an array of the field's type, and a mask of missing values."""
        if is_textual(kind, column) or (kind == FieldType.DATETIME and self.is_shapefile):
            cut: Callable[[str], str] = _cut if self.is_shapefile else str
            texts = [None if v is None else cut(text_of(v)) for v in column]
            return _objects(texts), None
        blank, numpy_kind = _BLANK[kind]
        missing = np.array([v is None for v in column], dtype=bool)
        if kind == FieldType.DATETIME:
            column = [None if v is None else v.replace(tzinfo=None) for v in column]
        return np.array([blank if v is None else v for v in column], dtype=numpy_kind), missing


def short_names(names: Sequence[str], length: int = LONGEST_NAME) -> list[str]:
    """Cut names to a shapefile's length and keep them different, also without regard to case."""
    taken: list[str] = []
    for name in names:
        short, number = name[:length], 1
        while short.lower() in (other.lower() for other in taken):
            number += 1
            short = f"{name[: length - len(str(number)) - 1]}_{number}"
        taken.append(short)
    return taken


def _cut(text: str) -> str:
    """A text of at most 254 bytes of UTF-8, with no letter cut in two."""
    if len(text) * 4 <= LONGEST_TEXT:
        return text
    return text.encode()[:LONGEST_TEXT].decode(errors="ignore")


def _objects(values: Sequence[Any]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _take(pages: Iterator[Rows], count: int) -> Iterator[Rows]:
    for _, page in zip(range(count), pages, strict=False):
        yield page


def _batches(pages: Iterable[Rows]) -> Iterator[Rows]:
    """Pages put together to some thousand rows: GDAL opens the file anew for every piece."""
    waiting: list[Rows] = []
    for page in pages:
        if len(page):
            waiting.append(page)
        if sum(map(len, waiting)) >= BATCH:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(pages: list[Rows]) -> Rows:
    if len(pages) == 1:
        return pages[0]
    ids, wkb = (np.concatenate([getattr(page, name) for page in pages]) for name in ("ids", "wkb"))
    columns = [list(chain.from_iterable(parts)) for parts in zip(*(p.columns for p in pages), strict=True)]
    return Rows(pages[0].fields, ids, wkb, [*columns])


def _bytes_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
