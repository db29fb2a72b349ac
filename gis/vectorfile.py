"""Reading the map files that people upload, record by record, without trusting them.

GeoJSON, GeoPackage, shapefile (beside its files or zipped), KML and KMZ, FlatGeobuf, MapInfo TAB and MIF.
The format is told from the content, GDAL may use only the driver of that format, and no path of GDAL's
virtual file systems or address of another host gets through.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
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

from gis.archive import MAXIMUM_BYTES
from gis.kml import Placemark, read_placemarks
from gis.vectorformat import (
    Layer,
    VectorFileError,
    checked_path,
    layers_in,
    nfc,
    shapefile_encoding,
    unreadable,
)

__all__ = ["Record", "VectorFile", "VectorFileError", "list_layers", "open_vector"]

_DRIVERS = {
    "geojson": ["GeoJSON", "GeoJSONSeq"],
    "gpkg": ["GPKG"],
    "shp": ["ESRI Shapefile"],
    "fgb": ["FlatGeobuf"],
    "mapinfo": ["MapInfo File"],
}
_LON_LAT = "EPSG:4326"
_FIELD_TYPES = {"int16": "int", "int32": "int", "int64": "int", "float32": "float"}


@dataclass(frozen=True, slots=True)
class Record:
    """One feature: its number in the file from 1, its fields in NFC, its 2D geometry or None."""

    number: int
    properties: dict[str, Any]
    geometry: shapely.Geometry | None


class VectorFile:
    """An open layer; iterate it for its records, as often as wanted, while it is open.

    `layers` names every layer of the upload, `name` this one; `fields` maps each field to str, int, float,
    bool, date, time, datetime, bytes or list; `crs` is `EPSG:n`, WKT, or None where the file does not say;
    `geometry_type` is that of the schema (`Unknown` when mixed; a shapefile's `Polygon` may be multi);
    coordinates keep the order x, y.
    Iterating raises VectorFileError at a record whose text or geometry cannot be read.
    """

    def __init__(self, layer: Layer, layers: list[str], title: str, cleanup: ExitStack) -> None:
        self.name = nfc(layer.name)
        self.layers = layers
        self.fields: dict[str, str] = {}
        self.crs: str | None = None
        self.geometry_type = "Unknown"
        self.count = 0
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
    """A layer that GDAL reads."""

    def __init__(
        self, layer: Layer, layers: list[str], title: str, cleanup: ExitStack, encoding: str | None
    ) -> None:
        super().__init__(layer, layers, title, cleanup)
        try:
            self._collection = cleanup.enter_context(_collection(layer, encoding))
            schema = self._collection.schema
            self.crs = _crs_text(self._collection.crs_wkt)
            self.count = len(self._collection)
        except (FionaError, OSError, ValueError, TypeError) as error:
            raise unreadable(title) from error
        self.fields = {nfc(name): _field_type(kind) for name, kind in schema["properties"].items()}
        self.geometry_type = str(schema["geometry"]).removeprefix("3D ").removeprefix("Measured ")

    def __iter__(self) -> Iterator[Record]:
        number = 0
        try:
            for feature in self._collection:
                number += 1
                geometry = shape(feature.geometry) if feature.geometry is not None else None
                yield Record(number, _properties(feature.properties), shapely.force_2d(geometry))
        except UnicodeDecodeError as error:
            raise VectorFileError(
                "Không đọc được chữ trong tệp %(file)s bằng bảng mã đã chọn; hãy chỉ ra bảng mã khác.",
                file=self._title,
            ) from error
        except (FionaError, ValueError, shapely.errors.ShapelyError) as error:
            raise _bad_record(self._title, max(1, number)) from error


class _KmlFile(VectorFile):
    """A KML document; it is read whole, because only its placemarks tell which fields there are."""

    def __init__(self, layer: Layer, layers: list[str], title: str, cleanup: ExitStack) -> None:
        super().__init__(layer, layers, title, cleanup)
        self._placemarks = _placemarks(layer.path, title)
        kinds = {mark.geometry.geom_type for mark in self._placemarks if mark.geometry is not None}
        self.fields = {nfc(name): "str" for mark in self._placemarks for name in mark.properties}
        self.geometry_type = kinds.pop() if len(kinds) == 1 else "Unknown"
        self.crs = _LON_LAT
        self.count = len(self._placemarks)

    def __iter__(self) -> Iterator[Record]:
        blank = dict.fromkeys(self.fields)
        for number, mark in enumerate(self._placemarks, start=1):
            yield Record(number, {**blank, **_properties(mark.properties)}, mark.geometry)


def open_vector(
    path: str | Path,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limit_bytes: int = MAXIMUM_BYTES,
) -> VectorFile:
    """Open one layer of an uploaded file; to be used in a `with` statement.

    `layer` must be named when there are several; `encoding` overrules what a shapefile or MapInfo file says.
    Raises VectorFileError when the file is missing, empty, too large, remote, of no known format, incomplete
    or damaged, a dangerous archive, has no features, or lacks the layer.
    """
    source = checked_path(path, limit_bytes)
    if encoding is not None and not _is_known(encoding):
        raise VectorFileError("Không có bảng mã %(encoding)s.", encoding=encoding)
    with ExitStack() as cleanup:
        found = layers_in(source, cleanup)
        names = [nfc(one.name) for one in found]
        chosen = _choose(found, layer, source.name)
        opened: VectorFile
        if chosen.format == "kml":
            opened = _KmlFile(chosen, names, source.name, cleanup)
        else:
            opened = _GdalFile(chosen, names, source.name, cleanup, encoding)
        if opened.count == 0:
            raise VectorFileError("Tệp %(file)s không có đối tượng nào.", file=source.name)
        opened._cleanup = cleanup.pop_all()
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
    if encoding is None and layer.format == "shp":
        encoding = shapefile_encoding(layer.path)
    # A Path, unlike a string, is never parsed for schemes and archives; the setting shuts GDAL's network
    # file systems for whatever a file may refer to.
    with fiona.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS="{none}"):
        return fiona.open(
            layer.path,
            layer=layer.name if layer.format == "gpkg" else None,
            enabled_drivers=_DRIVERS[layer.format],
            encoding=encoding,
        )


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _placemarks(path: Path, title: str) -> list[Placemark]:
    found: list[Placemark] = []
    try:
        for placemark in read_placemarks(path):
            found.append(placemark)
    except XMLSyntaxError as error:
        raise unreadable(title) from error
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise _bad_record(title, len(found) + 1) from error
    return found


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


def _properties(properties: Any) -> dict[str, Any]:
    return {nfc(name): _normal(value) for name, value in properties.items()}


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return nfc(value)
    return [_normal(item) for item in value] if isinstance(value, list) else value
