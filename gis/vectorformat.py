"""Which map layers an uploaded file holds, told from its content before any driver sees it."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from lxml.etree import XMLSyntaxError

from gis.archive import ArchiveError, unpack
from gis.dbase import rows_stated
from gis.errors import marked
from gis.fileerrors import VectorFileError, unreadable
from gis.gpx import layers_of
from gis.sheets import is_workbook, sheet_names

_FORMATS = (
    "GeoJSON, GeoPackage, shapefile (.zip), KML, KMZ, GPX, DXF, FlatGeobuf, MapInfo, CSV, Excel (.xlsx)"
)
_HEAD = 64 * 1024
_REMOTE = re.compile(r"^/vsi|^[A-Za-z][A-Za-z0-9+.-]+:", re.IGNORECASE)
_MAIN_SUFFIXES = (
    ".shp",
    ".gpkg",
    ".geojson",
    ".json",
    ".geojsonl",
    ".fgb",
    ".kml",
    ".tab",
    ".mif",
    ".gpx",
    ".dxf",
)
_TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
_TABLE_SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm")
_SIDE_SUFFIXES = (".shx", ".dbf", ".prj", ".cpg", ".dat", ".map", ".id", ".ind", ".mid")
_SIDE_FILES = {".shp": (".shx", ".dbf"), ".tab": (".dat", ".map", ".id"), ".mif": (".mid",)}
_SHAPE_HEADER, _SHAPE_INDEX = 100, 8
_DXF = re.compile(rb"\s*(999\s[^\n]*\n\s*)*0\s*\r?\n\s*SECTION", re.IGNORECASE)
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": marked(
        "Tệp %(file)s là Excel đời cũ (.xls); hãy mở bằng Excel và lưu lại thành .xlsx."
    ),
    b"AC10": marked("Tệp %(file)s là bản vẽ DWG; hãy lưu lại thành DXF rồi gửi."),
    b"\x08\x09\xfe\x02": marked("Tệp %(file)s là bản vẽ DGN; hãy lưu lại thành DXF hoặc shapefile rồi gửi."),
    b"%PDF": marked("Tệp %(file)s là PDF, không phải là tệp bản đồ; hãy xin tệp gốc của bản đồ."),
    b"Rar!": marked("Tệp %(file)s nén bằng RAR; hãy nén lại thành .zip."),
    b"7z\xbc\xaf": marked("Tệp %(file)s nén bằng 7-Zip; hãy nén lại thành .zip."),
}
"""First bytes of files that officers have at hand and that something else must open first."""


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
        members = unpack(source, folder, frozenset(_MAIN_SUFFIXES + _TABLE_SUFFIXES + _SIDE_SUFFIXES))
    except ArchiveError as error:
        raise VectorFileError(error.message, **error.facts) from error
    # A table beside a map explains it; only where there is no map is it what the archive is about.
    for suffixes in (_MAIN_SUFFIXES, _TABLE_SUFFIXES):
        found: list[Layer] = []
        for file in sorted(member for member in members if member.suffix in suffixes):
            inner = _format(file)
            if inner not in (None, "zip"):
                found += _file_layers(file, inner, source.name)
        if found:
            return found
    raise VectorFileError(
        "Trong tệp nén %(file)s không có tệp bản đồ nào đọc được (%(formats)s).",
        file=source.name,
        formats=_FORMATS,
    )


def _format(path: Path) -> str | None:
    """The format that the first bytes show, with the suffix where they cannot, or None."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        return "xlsx" if is_workbook(path) else "zip"
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
    if text.startswith(b"<") and re.search(rb"<(\w+:)?gpx[\s>]", text):
        return "gpx"
    if head.startswith(b"AutoCAD Binary DXF\r\n\x1a\x00") or _DXF.match(text):
        return "dxf"
    if text.lower().startswith((b"!table", b"version")) and path.suffix.lower() in (".tab", ".mif"):
        return "mapinfo"
    return "csv" if path.suffix.lower() in _TEXT_SUFFIXES and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Whether the first bytes may be a table of text: no zeros unless as wide characters, no mark-up."""
    if head.startswith(b"<") or any(head.startswith(magic) for magic in _FOREIGN):
        return False
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[:4096].count(0) > len(head[:4096]) // 5
    return wide or b"\x00" not in head


def _file_layers(path: Path, kind: str | None, title: str) -> list[Layer]:
    if kind is None:
        _refuse_foreign(path, title)
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
    if kind == "shp":
        _refuse_cut_off(path, title)
    if path.suffix.lower() == ".tab" and _refers_elsewhere(path):
        raise VectorFileError(
            "Bảng MapInfo %(layer)s chỉ trỏ sang tệp khác; hãy gửi bảng chứa dữ liệu.", layer=path.stem
        )
    return [Layer(path, kind, name) for name in _names(path, kind, title)]


def _refuse_cut_off(path: Path, title: str) -> None:
    """GDAL silently leaves out what is missing at the end of a shapefile; here it is a reason to refuse."""
    shapes, table = _beside(path, ".shx"), _beside(path, ".dbf")
    assert shapes is not None and table is not None
    rows = rows_stated(table)
    whole = all(_is_whole(part) for part in (path, shapes))
    if not whole or rows is None:
        raise VectorFileError(
            "Lớp %(layer)s trong %(file)s bị cắt cụt, thiếu phần cuối; hãy gửi lại cả bộ tệp.",
            layer=path.stem,
            file=title,
        )
    outlines = (shapes.stat().st_size - _SHAPE_HEADER) // _SHAPE_INDEX
    if rows != outlines:
        raise VectorFileError(
            "Lớp %(layer)s trong %(file)s có %(shapes)s hình nhưng bảng có %(rows)s dòng; hãy gửi lại cả bộ tệp.",
            layer=path.stem,
            file=title,
            shapes=outlines,
            rows=rows,
        )


def _is_whole(part: Path) -> bool:
    """Whether a .shp or .shx is as long as its header says, in words of two bytes."""
    with part.open("rb") as stream:
        header = stream.read(_SHAPE_HEADER)
    stated = 2 * int.from_bytes(header[24:28], "big")
    return len(header) == _SHAPE_HEADER and stated <= part.stat().st_size


def _names(path: Path, kind: str, title: str) -> list[str]:
    if kind == "gpkg":
        return _geopackage_layers(path, title)
    if kind == "xlsx":
        return sheet_names(path)
    if kind == "gpx":
        try:
            return layers_of(path)
        except (XMLSyntaxError, ValueError) as error:
            raise unreadable(title) from error
    return [path.stem]


def _refuse_foreign(path: Path, title: str) -> None:
    with path.open("rb") as stream:
        head = stream.read(8)
    for magic, sentence in _FOREIGN.items():
        if head.startswith(magic):
            raise VectorFileError(sentence, file=title)


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
