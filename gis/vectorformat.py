"""Which map layers an uploaded file holds, told from its content before any driver sees it."""

from __future__ import annotations

import re
import sqlite3
import tempfile
import unicodedata
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from gis.archive import ArchiveError, unpack
from gis.errors import Refusal

_FORMATS = "GeoJSON, GeoPackage, shapefile (.zip), KML, KMZ, FlatGeobuf, MapInfo"
_HEAD = 64 * 1024
_SAMPLE = 8 * 1024 * 1024
_REMOTE = re.compile(r"^/vsi|^[A-Za-z][A-Za-z0-9+.-]+:", re.IGNORECASE)
_MAIN_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".fgb", ".kml", ".tab", ".mif")
_SIDE_SUFFIXES = (".shx", ".dbf", ".prj", ".cpg", ".dat", ".map", ".id", ".ind", ".mid")
_SIDE_FILES = {".shp": (".shx", ".dbf"), ".tab": (".dat", ".map", ".id"), ".mif": (".mid",)}
_UTF8_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


class VectorFileError(Refusal):
    """A file that cannot be read as a map."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One readable layer: the file it is in, its format, and its name."""

    path: Path
    format: str
    name: str


def checked_path(path: str | Path, limit_bytes: int) -> Path:
    """The absolute path of a local file that is neither empty nor too large."""
    if _REMOTE.search(str(path)):
        raise VectorFileError("Chỉ đọc tệp trên máy này; hãy tải tệp về rồi thử lại.")
    source = Path(path).resolve()
    if not source.is_file():
        raise VectorFileError("Không thấy tệp %(file)s.", file=source.name)
    size = source.stat().st_size
    if size == 0:
        raise VectorFileError("Tệp %(file)s trống.", file=source.name)
    if size > limit_bytes:
        raise VectorFileError(
            "Tệp %(file)s nặng %(size)s MB, quá mức cho phép là %(limit)s MB.",
            file=source.name,
            size=-(-size // 2**20),
            limit=limit_bytes // 2**20,
        )
    return source


def layers_in(source: Path, cleanup: ExitStack) -> list[Layer]:
    """Every layer of a file, or of the map files in an archive, which `cleanup` removes again."""
    kind = _format(source)
    if kind != "zip":
        return _file_layers(source, kind, source.name)
    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="ocopmap-")))
    try:
        members = unpack(source, folder, frozenset(_MAIN_SUFFIXES + _SIDE_SUFFIXES))
    except ArchiveError as error:
        raise VectorFileError(error.message, **error.facts) from error
    found: list[Layer] = []
    for file in sorted(member for member in members if member.suffix in _MAIN_SUFFIXES):
        inner = _format(file)
        if inner not in (None, "zip"):
            found += _file_layers(file, inner, source.name)
    if not found:
        raise VectorFileError(
            "Trong tệp nén %(file)s không có tệp bản đồ nào đọc được (%(formats)s).",
            file=source.name,
            formats=_FORMATS,
        )
    return found


def shapefile_encoding(path: Path) -> str | None:
    """UTF-8 when no .cpg file says otherwise and the table is written so; None leaves it to GDAL."""
    if _beside(path, ".cpg"):
        return None
    table = _beside(path, ".dbf")
    if table is None:
        return None
    with table.open("rb") as stream:
        content = stream.read(_SAMPLE)[32:]
    high = len(_HIGH_BYTE.findall(content))
    in_sequences = sum(len(found) for found in _UTF8_SEQUENCE.findall(content))
    # A field may cut its last letter in two, so a few stray bytes are no proof against UTF-8.
    return "UTF-8" if high and in_sequences >= 0.95 * high else None


def unreadable(title: str) -> VectorFileError:
    """The refusal of a file that its format's reader cannot open."""
    return VectorFileError("Tệp %(file)s bị hỏng hoặc không đúng định dạng.", file=title)


def nfc(text: str) -> str:
    """Text in the one form in which the record keeps it; files from macOS come decomposed."""
    return unicodedata.normalize("NFC", text)


def _format(path: Path) -> str | None:
    """The format that the first bytes show, with the suffix where they cannot, or None."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"SQLite format 3\x00"):
        return "gpkg"
    if head.startswith(b"fgb\x03fgb"):
        return "fgb"
    if head.startswith(b"\x00\x00\x27\x0a") and path.suffix.lower() == ".shp":
        return "shp"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")
    if text.startswith(b"{"):
        return "geojson"
    if text.startswith(b"<") and re.search(rb"<(\w+:)?kml[\s>]", text):
        return "kml"
    if text.lower().startswith((b"!table", b"version")) and path.suffix.lower() in (".tab", ".mif"):
        return "mapinfo"
    return None


def _file_layers(path: Path, kind: str | None, title: str) -> list[Layer]:
    if kind is None:
        raise VectorFileError(
            "Tệp %(file)s không phải là tệp bản đồ đọc được (%(formats)s).", file=title, formats=_FORMATS
        )
    missing = [s for s in _SIDE_FILES.get(path.suffix.lower(), ()) if _beside(path, s) is None]
    if missing:
        raise VectorFileError(
            "Lớp %(layer)s trong %(file)s thiếu tệp %(missing)s đi kèm; hãy nén cả bộ vào một tệp .zip.",
            layer=path.stem,
            file=title,
            missing=", ".join(missing),
        )
    if path.suffix.lower() == ".tab" and _refers_elsewhere(path):
        raise VectorFileError(
            "Bảng MapInfo %(layer)s chỉ trỏ sang tệp khác; hãy gửi bảng chứa dữ liệu.", layer=path.stem
        )
    names = _geopackage_layers(path, title) if kind == "gpkg" else [path.stem]
    return [Layer(path, kind, name) for name in names]


def _beside(path: Path, suffix: str) -> Path | None:
    forms = (path.with_suffix(form) for form in (suffix, suffix.upper()))
    return next((form for form in forms if form.exists()), None)


def _refers_elsewhere(table: Path) -> bool:
    """Whether a MapInfo table is a view or seamless table, which opens other files by path."""
    with table.open("rb") as stream:
        text = stream.read(_HEAD).lower()
    return any(word in text for word in (b"create view", b"isseamless", b"type linked"))


def _geopackage_layers(path: Path, title: str) -> list[str]:
    query = "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY table_name"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return [str(name) for (name,) in connection.execute(query)]
    # Of a damaged file sqlite3 may not even be able to read its own message.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise unreadable(title) from error
