"""Reading the files of places that people upload, record by record, without trusting them.

GeoJSON, GeoPackage, shapefile (beside its files or zipped), KML and KMZ, GPX, FlatGeobuf, MapInfo TAB and MIF,
DXF, and tables in CSV or Excel with columns of coordinates. The format is told from the content, GDAL may use
only the driver of that format, and no path of GDAL's virtual file systems or address of another host gets
through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import fiona
import shapely
from fiona.errors import FionaError
from lxml.etree import XMLSyntaxError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import shape

from gis import encodings, gpx
from gis.archive import MAXIMUM_BYTES
from gis.fileerrors import VectorFileError, unreadable
from gis.inspection import EncodingGuess, Notice, TableColumns
from gis.kml import Placemark, read_placemarks
from gis.lettercodes import FONT_CODES, recode
from gis.letterevidence import decoded
from gis.placing import declared_srid, find_columns, placer
from gis.sheets import csv_head
from gis.tables import Table, open_csv, open_sheet
from gis.text import nfc
from gis.vectorformat import Layer, checked_path, layers_in

__all__ = ["Record", "VectorFile", "VectorFileError", "list_layers", "open_layer", "open_vector"]

_DRIVERS = {
    "geojson": ["GeoJSON", "GeoJSONSeq"],
    "gpkg": ["GPKG"],
    "shp": ["ESRI Shapefile"],
    "fgb": ["FlatGeobuf"],
    "mapinfo": ["MapInfo File"],
    "dxf": ["DXF"],
}
_RAW = "ISO-8859-1"
"""What GDAL is told, so that it hands over the bytes of a table as they are."""
_LON_LAT = "EPSG:4326"
_SAMPLE_RECORDS = 1_000
_FIELD_TYPES = {"int16": "int", "int32": "int", "int64": "int", "float32": "float"}


@dataclass(frozen=True, slots=True)
class Record:
    """One feature: its number in the file from 1, its fields in NFC, its 2D geometry or None and then why.

    Rows of a table are numbered as in the file, header included.
    """

    number: int
    properties: dict[str, Any]
    geometry: shapely.Geometry | None
    reason: Notice | None = None


class VectorFile:
    """An open layer; iterate it for its records, as often as wanted, while it is open.

    `layers` names every layer of the upload, `name` this one; `fields` maps each field to str, int, float,
    bool, date, time, datetime, bytes or list; `crs` is `EPSG:n`, WKT, or None where the file does not say;
    `geometry_type` is that of the schema (`Unknown` when mixed; a shapefile's `Polygon` may be multi);
    coordinates keep the order x, y. `encoding` tells how the letters are read and why, `columns` where a table
    keeps its coordinates, `warnings` what somebody should know.
    Iterating raises VectorFileError at a record whose text or geometry cannot be read.
    """

    def __init__(self, layer: Layer, layers: list[str], title: str, cleanup: ExitStack) -> None:
        self.name = nfc(layer.name)
        self.layers = layers
        self.fields: dict[str, str] = {}
        self.crs: str | None = None
        self.geometry_type = "Unknown"
        self.count = 0
        self.format = layer.format
        self.encoding = EncodingGuess("utf-8", "format", Notice("Định dạng này luôn dùng Unicode."))
        self.columns: TableColumns | None = None
        self.warnings: list[Notice] = []
        self._title, self._cleanup = title, cleanup

    def __iter__(self) -> Iterator[Record]:
        raise NotImplementedError

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> VectorFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and remove what was unpacked for it."""
        self._cleanup.close()


class _GdalFile(VectorFile):
    """A layer that GDAL reads; the letters of tables without Unicode are decoded here, on evidence."""

    def __init__(
        self, layer: Layer, layers: list[str], title: str, cleanup: ExitStack, encoding: str | None
    ) -> None:
        super().__init__(layer, layers, title, cleanup)
        raw = layer.format in ("shp", "mapinfo")
        try:
            self._collection = cleanup.enter_context(_collection(layer, _RAW if raw else None))
            schema = self._collection.schema
            self.crs = _crs_text(self._collection.crs_wkt)
            self.count = self._counted()
            self.encoding = self._code(layer, encoding)
        except (FionaError, OSError, ValueError, TypeError) as error:
            raise unreadable(title) from error
        self._letters = _raw_letters(self.encoding.chosen) if raw else _unicode_letters(self.encoding.chosen)
        self.fields = {self._letters(name): _field_type(kind) for name, kind in schema["properties"].items()}
        self.geometry_type = str(schema["geometry"]).removeprefix("3D ").removeprefix("Measured ")

    def __iter__(self) -> Iterator[Record]:
        number = 0
        try:
            for feature in self._collection:
                number += 1
                geometry = shape(feature.geometry) if feature.geometry is not None else None
                if geometry is not None and self.format == "dxf":
                    geometry = _closed(geometry)
                reason = Notice("Đối tượng không có hình.") if geometry is None else None
                properties = _properties(feature.properties, self._letters)
                yield Record(number, properties, shapely.force_2d(geometry), reason)
        except UnicodeDecodeError as error:
            raise VectorFileError(
                "Không đọc được chữ trong tệp %(file)s bằng bảng mã đã chọn; hãy chỉ ra bảng mã khác.",
                file=self._title,
            ) from error
        except (FionaError, ValueError, shapely.errors.ShapelyError) as error:
            raise _bad_record(self._title, max(1, number)) from error

    def _counted(self) -> int:
        try:
            return len(self._collection)
        except TypeError:
            # A drawing has no index of its entities.
            return sum(1 for _ in self._collection)

    def _code(self, layer: Layer, explicit: str | None) -> EncodingGuess:
        if layer.format == "shp":
            return encodings.for_shapefile(layer.path, explicit)
        texts = self._sample()
        if layer.format == "mapinfo":
            return encodings.for_mapinfo(
                layer.path, [t.encode("latin-1", "replace") for t in texts], explicit
            )
        return encodings.for_texts(texts, explicit)

    def _sample(self) -> list[str]:
        """Texts of the first features, to tell letters of old fonts by."""
        found: list[str] = []
        for feature in self._collection.filter(0, _SAMPLE_RECORDS):
            found += [value for value in feature["properties"].values() if isinstance(value, str)]
        return found


class _MarkedFile(VectorFile):
    """A KML or GPX document; it is read whole, because only its features tell which fields there are."""

    def __init__(
        self,
        layer: Layer,
        layers: list[str],
        title: str,
        cleanup: ExitStack,
        encoding: str | None,
        outlines: bool,
    ) -> None:
        super().__init__(layer, layers, title, cleanup)
        self._placemarks = _placemarks(layer, title)
        self._outlines = outlines
        texts = [text for mark in self._placemarks for text in mark.properties.values() if text]
        self.encoding = encodings.for_texts(texts, encoding)
        self._letters = _unicode_letters(self.encoding.chosen)
        names = dict.fromkeys(name for mark in self._placemarks for name in mark.properties)
        if layer.format == "gpx":
            given = {name for mark in self._placemarks for name, text in mark.properties.items() if text}
            names = {name: None for name in names if name in given}
        self.fields = {self._letters(name): "str" for name in names}
        self.crs = _LON_LAT
        self.count = len(self._placemarks)
        kinds = {r.geometry.geom_type for r in self if r.geometry is not None}
        self.geometry_type = kinds.pop() if len(kinds) == 1 else "Unknown"

    def __iter__(self) -> Iterator[Record]:
        for number, mark in enumerate(self._placemarks, start=1):
            given = _properties(mark.properties, self._letters)
            properties = {name: given.get(name) for name in self.fields}
            geometry, reason = mark.geometry, None
            if geometry is None:
                reason = Notice("Đối tượng không có hình.")
            elif self._outlines and "LineString" in geometry.geom_type:
                geometry, reason = _outlined(geometry)
            yield Record(number, properties, geometry, reason)


class _TableFile(VectorFile):
    """A table with coordinate columns; rows without a place come with geometry None and the reason."""

    def __init__(
        self,
        layer: Layer,
        layers: list[str],
        title: str,
        cleanup: ExitStack,
        encoding: str | None,
        columns: TableColumns | None,
    ) -> None:
        super().__init__(layer, layers, title, cleanup)
        self._table, self.encoding = _table(layer, encoding, columns)
        self._letters = _unicode_letters(self.encoding.chosen if layer.format == "xlsx" else None)
        self.columns = columns or find_columns(self._table)
        self.fields = {self._letters(column.name): column.type for column in self._table.columns}
        self.count = self._table.count
        self.warnings = self._table.warnings
        self._place = None
        if self.columns is not None:
            try:
                self._place = placer(self._table, self.columns)
            except KeyError as error:
                raise VectorFileError(
                    "Tệp %(file)s không có cột tọa độ “%(column)s”; các cột: %(known)s.",
                    file=title,
                    column=error.args[0],
                    known=", ".join(self._table.names),
                ) from error
            self.crs = declared_srid(self._table, self.columns)
            self.geometry_type = "Unknown" if self.columns.kind == "wkt" else "Point"

    def __iter__(self) -> Iterator[Record]:
        for number, row in self._table.rows():
            geometry, reason = (
                self._place(row) if self._place else (None, Notice("Bảng không có cột tọa độ."))
            )
            properties = _properties(self._table.typed(row), self._letters)
            yield Record(number, properties, geometry, reason)


class _Placed(VectorFile):
    """Another layer with its x and y exchanged, or in a reference system that somebody chose."""

    def __init__(self, inner: VectorFile, crs: str | None, swapped: bool) -> None:
        self.__dict__.update(inner.__dict__)
        self._inner, self._swapped = inner, swapped
        self.crs = crs or inner.crs

    def __iter__(self) -> Iterator[Record]:
        for record in self._inner:
            geometry = record.geometry
            if geometry is not None and self._swapped:
                geometry = shapely.transform(geometry, lambda xy: xy[:, ::-1])
            yield Record(record.number, record.properties, geometry, record.reason)


def open_vector(
    path: str | Path,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    swapped: bool = False,
    columns: TableColumns | None = None,
    outline_of_track: bool = False,
    limit_bytes: int = MAXIMUM_BYTES,
) -> VectorFile:
    """Open one layer of an uploaded file; to be used in a `with` statement.

    `layer` must be named when there are several (the sheets of a workbook are layers). `encoding` overrules
    what the file says or shows; on formats that are Unicode, `tcvn3`, `vni` and `viscii` read texts typed in
    old fonts. `crs` overrules the reference system of the file, and `swapped` exchanges x and y. `columns`
    overrules where a table keeps its coordinates. With `outline_of_track`, lines of a GPX or KML file that
    come back to their start become polygons.
    Raises VectorFileError when the file is missing, empty, too large, remote, of no known format, incomplete
    or damaged, a dangerous archive, has no features, or lacks the layer, the columns or the encoding.
    """
    source = checked_path(path, limit_bytes)
    if columns is not None and columns.sheet is not None:
        layer = layer or columns.sheet
    with ExitStack() as cleanup:
        found = layers_in(source, cleanup)
        chosen = _choose(found, layer, source.name)
        opened = open_layer(
            chosen,
            found,
            source.name,
            cleanup,
            encoding=encoding,
            columns=columns,
            outline_of_track=outline_of_track,
        )
        if crs is not None or swapped:
            opened = _Placed(opened, crs, swapped)
        opened._cleanup = cleanup.pop_all()
    return opened


def open_layer(
    chosen: Layer,
    found: list[Layer],
    title: str,
    cleanup: ExitStack,
    *,
    encoding: str | None = None,
    columns: TableColumns | None = None,
    outline_of_track: bool = False,
) -> VectorFile:
    """Open one of the layers that `vectorformat.layers_in` found; `cleanup` closes it. Errors as `open_vector`."""
    if encoding is not None and not encodings.is_known(encoding):
        raise VectorFileError("Không có bảng mã %(encoding)s.", encoding=encoding)
    names = [nfc(one.name) for one in found]
    opened: VectorFile
    if chosen.format in ("kml", "gpx"):
        opened = _MarkedFile(chosen, names, title, cleanup, encoding, outline_of_track)
    elif chosen.format in ("csv", "xlsx"):
        opened = _TableFile(chosen, names, title, cleanup, encoding, columns)
    else:
        opened = _GdalFile(chosen, names, title, cleanup, encoding)
    if opened.count == 0:
        raise VectorFileError("Tệp %(file)s không có đối tượng nào.", file=title)
    return opened


def list_layers(path: str | Path, *, limit_bytes: int = MAXIMUM_BYTES) -> list[str]:
    """The names of the layers that `open_vector` can open in a file; errors as there."""
    with ExitStack() as cleanup:
        return [nfc(layer.name) for layer in layers_in(checked_path(path, limit_bytes), cleanup)]


def _choose(found: list[Layer], name: str | None, title: str) -> Layer:
    wanted = [layer for layer in found if name is None or nfc(layer.name) == nfc(name)]
    names = ", ".join(nfc(layer.name) for layer in found)
    if not found:
        raise VectorFileError("Tệp %(file)s không có lớp bản đồ nào.", file=title)
    if not wanted:
        raise VectorFileError(
            "Tệp %(file)s không có lớp %(layer)s; các lớp là: %(layers)s.",
            file=title,
            layer=name,
            layers=names,
        )
    if len(wanted) > 1:
        raise VectorFileError(
            "Tệp %(file)s có nhiều lớp; hãy chọn một: %(layers)s.", file=title, layers=names
        )
    return wanted[0]


def _collection(layer: Layer, encoding: str | None) -> Any:
    """The layer opened by fiona with the one driver of its format."""
    # A Path, unlike a string, is never parsed for schemes and archives; the setting shuts GDAL's network
    # file systems for whatever a file may refer to.
    with fiona.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS="{none}"):
        return fiona.open(
            layer.path,
            layer=layer.name if layer.format == "gpkg" else None,
            enabled_drivers=_DRIVERS[layer.format],
            encoding=encoding,
        )


def _table(layer: Layer, encoding: str | None, columns: TableColumns | None) -> tuple[Table, EncodingGuess]:
    header = columns.header_row if columns is not None else None
    if layer.format == "csv":
        guess = encodings.for_bytes(csv_head(layer.path), encoding)
        return open_csv(layer.path, guess.chosen or "utf-8", header), guess
    table = open_sheet(layer.path, layer.name, header)
    texts = [cell for _, row in zip(range(_SAMPLE_RECORDS), table.rows(), strict=False) for cell in row[1]]
    return table, encodings.for_texts([text for text in texts if isinstance(text, str)], encoding)


def _placemarks(layer: Layer, title: str) -> list[Placemark]:
    found: list[Placemark] = []
    reading = gpx.read_gpx(layer.path, layer.name) if layer.format == "gpx" else read_placemarks(layer.path)
    try:
        for placemark in reading:
            found.append(placemark)
    except XMLSyntaxError as error:
        raise unreadable(title) from error
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise _bad_record(title, len(found) + 1) from error
    return found


def _outlined(track: shapely.Geometry) -> tuple[shapely.Geometry, Notice | None]:
    """The area that a track walks around; an open track stays a line, with the reason."""
    try:
        return gpx.outline_of_track(track), None
    except gpx.OpenTrack as error:
        return track, Notice(error.message, error.facts)


def _closed(geometry: shapely.Geometry) -> shapely.Geometry:
    """A closed polyline of a drawing as the area that it stands for."""
    if geometry.geom_type == "LineString" and geometry.is_ring:
        return shapely.Polygon(geometry)
    return geometry


def _raw_letters(encoding: str | None) -> Callable[[str], str]:
    """What turns the bytes that GDAL handed over as ISO 8859-1 into letters."""
    codec = encoding or "utf-8"
    return lambda text: text if text.isascii() else decoded(text.encode("latin-1", "replace"), codec)


def _unicode_letters(encoding: str | None) -> Callable[[str], str]:
    """What turns texts of a Unicode format into letters, where an old font stands behind them."""
    if encoding is None or encoding not in (*FONT_CODES, "cp1258"):
        return nfc
    return lambda text: recode(nfc(text), encoding)


def _bad_record(title: str, number: int) -> VectorFileError:
    return VectorFileError(
        "Không đọc được hình của đối tượng thứ %(number)s trong tệp %(file)s.", number=number, file=title
    )


def _crs_text(wkt: str) -> str | None:
    if not wkt:
        return None
    try:
        crs = CRS.from_wkt(wkt)
    except CRSError:
        return wkt
    if not (crs.is_geographic or crs.is_projected):
        return None
    # CRS84 is WGS84 with the axes in the order that every geometry here has anyway.
    if crs.to_authority() == ("OGC", "CRS84"):
        return _LON_LAT
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else wkt


def _field_type(kind: str) -> str:
    base = kind.split(":")[0].lower()
    return "list" if base.startswith("list") else _FIELD_TYPES.get(base, base)


def _properties(properties: Any, letters: Callable[[str], str]) -> dict[str, Any]:
    return {letters(name): _normal(value, letters) for name, value in properties.items()}


def _normal(value: Any, letters: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return letters(value)
    return [_normal(item, letters) for item in value] if isinstance(value, list) else value
