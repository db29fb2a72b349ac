"""A whole layer as a file: GeoJSON, GeoPackage, shapefile or CSV, through the one read path."""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data.accounts import PUBLIC, Actor
from data.store import Store
from gis import geojson
from gis.errors import Refusal
from layers import read
from layers.fields import FieldType, Layer

CHUNK = 2_000
#: A shapefile's text holds at most this many bytes.
SHAPEFILE_TEXT = 254
_NUMBER = re.compile(r"[+-]?[\d., ]+")


class ExportError(Refusal):
    """The file cannot be written as asked."""


@dataclass(frozen=True)
class Exported:
    """What was written: the number of rows, and the fields whose texts the format had to cut."""

    rows: int
    cut: tuple[str, ...] = ()


def export(store: Store, layer: Layer, path: Path, form: str, actor: Actor = PUBLIC) -> Exported:
    """Write all rows of a layer that the actor sees to a file of a format.

    The file appears whole or not at all and replaces one of the same name. Coordinates are WGS84, lon/lat. A
    shapefile comes with its side files, or as an archive when the name ends in `.zip`. Raises ExportError.
    """
    if form not in FORMATS:
        raise ExportError(
            "Không có định dạng “%(form)s”; các định dạng: %(known)s.", form=form, known=", ".join(FORMATS)
        )
    if not path.parent.is_dir():
        raise ExportError("Không có thư mục “%(folder)s”.", folder=path.parent)
    if path.is_dir():
        raise ExportError("“%(path)s” là thư mục; hãy chỉ ra tên tệp.", path=path)
    with (
        tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder,
        store.reading() as session,
    ):
        made = Path(folder) / "files" / (path.name if path.suffix != ".zip" else f"{path.stem}.shp")
        made.parent.mkdir()
        try:
            written = FORMATS[form](session, read.Query(layer, actor), made)
            _hand_over(made, path)
        except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise ExportError("Không ghi được “%(path)s”: %(reason)s.", path=path, reason=error) from error
    return written


def _hand_over(made: Path, path: Path) -> None:
    if path.suffix == ".zip":
        archive = shutil.make_archive(str(made.parent.with_name("archive")), "zip", made.parent)
        os.replace(archive, path)
        return
    for file in sorted(made.parent.iterdir()):
        os.replace(file, path.parent / file.name)


# ---- GeoJSON


def _write_geojson(session: Session, query: read.Query, path: Path) -> Exported:
    count = 0

    def texts() -> Iterator[list[bytes]]:
        nonlocal count
        for page in read.stream(session, query, chunk=CHUNK):
            count += len(page)
            yield geojson.feature_texts(page.ids, page.wkb, page.names, page.columns)

    head = {"name": query.layer.id, "title": query.layer.title.vi}
    with path.open("wb") as file:
        file.writelines(
            geojson.feature_collection(texts(), head, lambda written: {"numberReturned": written})
        )
    return Exported(count)


# ---- CSV


def _write_csv(session: Session, query: read.Query, path: Path) -> Exported:
    """Write text that spreadsheets open as it is: UTF-8 with its mark, an inner point, the shape as WKT."""
    count = 0
    names = [f.name for f in read.chosen_fields(query)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *names, "longitude", "latitude", "wkt"])
        for page in read.stream(session, query, chunk=CHUNK):
            geometries = shapely.from_wkb(page.wkb)
            points = shapely.point_on_surface(geometries)
            texts = shapely.to_wkt(geometries, rounding_precision=7)
            place = (_decimals(shapely.get_x(points)), _decimals(shapely.get_y(points)), texts)
            columns = [[_plain(v) for v in column] for column in page.columns]
            writer.writerows(zip(page.ids.tolist(), *columns, *place, strict=True))
            count += len(page)
    return Exported(count)


def _decimals(values: NDArray[np.float64]) -> list[str]:
    return ["" if np.isnan(v) else f"{v:.7f}" for v in values.tolist()]


def _plain(value: Any) -> Any:
    """A cell that a spreadsheet would take for a formula is marked as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


# ---- GeoPackage and shapefile


def _write_gpkg(session: Session, query: read.Query, path: Path) -> Exported:
    version = {"VERSION": "1.2"}
    return _write_ogr(session, query, path, driver="GPKG", layer=query.layer.id, dataset_options=version)


def _write_shp(session: Session, query: read.Query, path: Path) -> Exported:
    if path.suffix != ".shp":
        raise ExportError("Tên tệp shapefile phải kết thúc bằng .shp hoặc .zip.")
    return _write_ogr(session, query, path, driver="ESRI Shapefile", encoding="UTF-8")


def _write_ogr(session: Session, query: read.Query, path: Path, **how: Any) -> Exported:
    fields = read.chosen_fields(query)
    names, kinds = [f.name for f in fields], [f.type for f in fields]
    pages = list(read.stream(session, query, chunk=CHUNK))
    columns: list[list[Any]] = [[v for page in pages for v in page.columns[i]] for i in range(len(fields))]
    cut: tuple[str, ...] = ()
    if how["driver"] == "ESRI Shapefile":
        names = short_names(names)
        kinds = [FieldType.DATE if kind == FieldType.DATETIME else kind for kind in kinds]
        cut = tuple(f.name for f, column in zip(fields, columns, strict=True) if any(map(_too_long, column)))
    typed = [_array(kind, column) for kind, column in zip(kinds, columns, strict=True)]
    ids = np.array([i for page in pages for i in page.ids.tolist()], dtype=np.int64)
    wkb = np.array([w for page in pages for w in page.wkb], dtype=object)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*truncated to", category=RuntimeWarning)
        _raw_write(path, query.layer, ids, wkb, names, typed, how)
    return Exported(len(ids), cut)


def _raw_write(
    path: Path,
    layer: Layer,
    ids: NDArray[np.int64],
    wkb: NDArray[np.object_],
    names: Sequence[str],
    typed: Sequence[tuple[NDArray[Any], NDArray[np.bool_] | None]],
    how: Mapping[str, Any],
) -> None:
    pyogrio.raw.write(
        str(path),
        geometry=wkb,
        field_data=[ids, *(values for values, _ in typed)],
        field_mask=[None, *(mask for _, mask in typed)],
        fields=np.array(["record_id", *names], dtype=object),
        geometry_type="MultiPolygon" if layer.geometry == "MULTIPOLYGON" else "Point",
        crs="EPSG:4326",
        **how,
    )


def _too_long(value: Any) -> bool:
    return isinstance(value, str) and len(value.encode()) > SHAPEFILE_TEXT


def short_names(names: Sequence[str], length: int = 10) -> list[str]:
    """Cut names to a shapefile's length and keep them different."""
    taken: list[str] = []
    for name in names:
        short, number = name[:length], 1
        while short in taken:
            number += 1
            short = f"{name[: length - len(str(number)) - 1]}_{number}"
        taken.append(short)
    return taken


_BLANK: Mapping[FieldType, tuple[Any, str]] = {
    FieldType.INTEGER: (0, "int64"),
    FieldType.NUMBER: (np.nan, "float64"),
    FieldType.BOOLEAN: (False, "bool"),
    FieldType.DATE: (np.datetime64("NaT"), "datetime64[D]"),
    FieldType.DATETIME: (np.datetime64("NaT"), "datetime64[ms]"),
}


def _array(kind: FieldType, column: Sequence[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Turn a column into what GDAL takes: an array of the field's type, and a mask of missing values."""
    if kind == FieldType.STRING:
        return np.array([None if v is None else str(v) for v in column], dtype=object), None
    missing = np.array([v is None for v in column], dtype=bool)
    blank, numpy_kind = _BLANK[kind]
    plain = [v.replace(tzinfo=None) if isinstance(v, dt.datetime) else v for v in column]
    return np.array([blank if v is None else v for v in plain], dtype=numpy_kind), missing


FORMATS: Mapping[str, Callable[[Session, read.Query, Path], Exported]] = {
    "geojson": _write_geojson,
    "gpkg": _write_gpkg,
    "shp": _write_shp,
    "csv": _write_csv,
}
