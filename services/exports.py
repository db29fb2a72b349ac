"""A whole layer as a file, in any format that features leave in, through the one read path."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyogrio

from data.accounts import PUBLIC, Actor
from data.store import Store
from gis.errors import Refusal
from layers import read
from layers.fields import Layer
from services import formats
from services.formats import Context, Format, features_of
from services.formats.ogr import LONGEST_TEXT

#: A shapefile's text holds at most this many bytes.
SHAPEFILE_TEXT = LONGEST_TEXT
FORMATS: Mapping[str, Format] = {
    "geojson": formats.FORMATS["geojson"],
    "gpkg": formats.FORMATS["gpkg"],
    "shp": formats.FORMATS["shapefile"],
    "csv": formats.FORMATS["csv"],
    "flatgeobuf": formats.FORMATS["flatgeobuf"],
    "jsonfg": formats.FORMATS["jsonfg"],
    "gml": formats.FORMATS["gml32"],
}


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
    if form == "shp" and path.suffix not in (".shp", ".zip"):
        raise ExportError("Tên tệp shapefile phải kết thúc bằng .shp hoặc .zip.")
    if not path.parent.is_dir():
        raise ExportError("Không có thư mục “%(folder)s”.", folder=path.parent)
    if path.is_dir():
        raise ExportError("“%(path)s” là thư mục; hãy chỉ ra tên tệp.", path=path)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        try:
            return _write(store, layer, path, form, actor, Path(folder))
        except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise ExportError("Không ghi được “%(path)s”: %(reason)s.", path=path, reason=error) from error


def _write(store: Store, layer: Layer, path: Path, form: str, actor: Actor, folder: Path) -> Exported:
    features = features_of(store, read.Query(layer, actor))
    seen = _Seen(features.pages, looks=form == "shp")
    head = {"name": layer.id, "title": layer.title.vi} if form == "geojson" else {}
    context = Context(text_ids=False, head=head, marked=True, indexed=True)
    made = folder / "file"
    with made.open("wb") as file:
        file.writelines(FORMATS[form].encode(replace(features, pages=seen), context))
    if form == "shp" and path.suffix == ".shp":
        _unpack(made, path, folder)
    else:
        os.replace(made, path)
    return Exported(seen.rows, tuple(f.name for f in features.fields if f.name in seen.cut))


def _unpack(archive: Path, path: Path, folder: Path) -> None:
    """Lay the files of a shapefile beside each other, named like the path."""
    with zipfile.ZipFile(archive) as packed:
        unpacked = [Path(packed.extract(name, folder)) for name in packed.namelist()]
    for file in unpacked:
        os.replace(file, path.with_suffix(file.suffix))


@dataclass
class _Seen:
    """Pages on their way into a file: how many rows there were, and which fields hold texts that are cut."""

    pages: Iterable[read.Rows]
    looks: bool
    rows: int = 0
    cut: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[read.Rows]:
        for page in self.pages:
            self.rows += len(page)
            if self.looks:
                self.cut |= {n for n, column in page.by_name().items() if any(map(_too_long, column))}
            yield page


def _too_long(value: object) -> bool:
    return isinstance(value, str) and len(value.encode()) > SHAPEFILE_TEXT
