"""The cells of CSV files and Excel workbooks, row by row, without trusting them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
from lxml import etree
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from gis.archive import ArchiveError, check_archive
from gis.fileerrors import VectorFileError, unreadable
from gis.letterevidence import decoded
from gis.text import nfc

Cell = Any
"""A str, int, float, bool, date, datetime, time, or None for an empty cell or one that holds an error."""
Row = tuple[Cell, ...]

MOST_COLUMNS = 1_000
MOST_ROWS = 1_000_000
MOST_CELLS = 5_000_000
LONGEST_CELL = 8 * 1024 * 1024
_HEAD = 1024 * 1024
_DELIMITERS = (";", ",", "\t", "|")
_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BROKEN_WORKBOOK = (
    InvalidFileException,
    zipfile.BadZipFile,
    etree.XMLSyntaxError,
    ElementTree.ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
)


@dataclass
class Sheet:
    """One sheet in memory: rows from 1, merged ranges, and where a formula had failed.

    A merged cell stands in every cell of its range. `merged` gives (first column, first row, last column,
    last row), all from 1; `errors` gives (row, column, text such as #REF!).
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    errors: list[tuple[int, int, str]] = field(default_factory=list)


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def sheet_names(path: Path) -> list[str]:
    """The visible sheets of a workbook; raises VectorFileError for a broken or dangerous one."""
    _check_workbook(path)
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as book:
            return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except _BROKEN_WORKBOOK as error:
        raise unreadable(path.name) from error


def read_sheet(path: Path, name: str) -> Sheet:
    """One sheet of a workbook; raises VectorFileError for a broken, dangerous or too large one.

    Formulas give the value that was saved with them.
    """
    _check_workbook(path)
    sheet = Sheet(name)
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as book:
            source = book[name]
            # The size that a sheet states of itself is often wrong, and may be a lie.
            source.reset_dimensions()
            _fill(sheet, source.iter_rows(values_only=True), path.name)
        sheet.merged = _merged_ranges(path, name)
    except _BROKEN_WORKBOOK as error:
        raise unreadable(path.name) from error
    _spread(sheet)
    return sheet


def _fill(sheet: Sheet, rows: Iterator[Sequence[Any]], title: str) -> None:
    cells = 0
    for number, values in enumerate(rows, start=1):
        row = [_cell(sheet, number, at, value) for at, value in enumerate(values, start=1)]
        while row and row[-1] is None:
            row.pop()
        cells += len(row)
        if len(row) > MOST_COLUMNS or number > MOST_ROWS or cells > MOST_CELLS:
            raise _too_large(title)
        sheet.rows.append(tuple(row))
    while sheet.rows and not sheet.rows[-1]:
        sheet.rows.pop()


def _cell(sheet: Sheet, row: int, column: int, value: Any) -> Cell:
    if isinstance(value, str):
        if value.startswith("#") and value in _ERRORS:
            sheet.errors.append((row, column, value))
            return None
        return nfc(value).strip() or None
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date()
    return value


def _spread(sheet: Sheet) -> None:
    for left, top, right, bottom in sheet.merged:
        if top > len(sheet.rows) or left > len(sheet.rows[top - 1]):
            continue
        value = sheet.rows[top - 1][left - 1]
        right = min(right, MOST_COLUMNS)
        for at in range(top - 1, min(bottom, len(sheet.rows))):
            row = list(sheet.rows[at]) + [None] * (right - len(sheet.rows[at]))
            row[left - 1 : right] = [value] * (right - left + 1)
            sheet.rows[at] = tuple(row)


def _merged_ranges(path: Path, name: str) -> list[tuple[int, int, int, int]]:
    """The merged ranges of a sheet, which the streaming reader of openpyxl leaves out."""
    with zipfile.ZipFile(path) as archive:
        book = etree.fromstring(archive.read("xl/workbook.xml"), _parser())
        links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), _parser())
        relation = next(s.get(_RELATION) for s in book.iter(f"{_MAIN}sheet") if s.get("name") == name)
        target = next(str(link.get("Target")) for link in links if link.get("Id") == relation)
        member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found = []
        with archive.open(member) as stream:
            for _, element in etree.iterparse(
                stream, tag=(f"{_MAIN}mergeCell", f"{_MAIN}row"), resolve_entities=False, no_network=True
            ):
                if element.tag == f"{_MAIN}mergeCell":
                    left, top, right, bottom = range_boundaries(str(element.get("ref")))
                    if None not in (left, top, right, bottom):
                        found.append((int(left), int(top), int(right), int(bottom)))
                element.clear()
    return found


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _check_workbook(path: Path) -> None:
    """Refuse a workbook that is a dangerous archive, or whose parts declare entities."""
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            for part in archive.namelist():
                if part.lower().endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        _refuse_document_type(stream, path.name)
    except ArchiveError as error:
        raise VectorFileError(error.message, **error.facts) from error
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, etree.XMLSyntaxError) as error:
        raise unreadable(path.name) from error


def _refuse_document_type(stream: Any, title: str) -> None:
    for _, element in etree.iterparse(
        stream, events=("start",), resolve_entities=False, no_network=True, load_dtd=False
    ):
        if element.getroottree().docinfo.internalDTD is not None:
            raise VectorFileError(
                "Tệp %(file)s có khai báo thực thể XML, là thứ không có trong tệp Excel thật; tệp bị từ chối.",
                file=title,
            )
        return


def csv_delimiter(text: str) -> str:
    """The delimiter whose count is most even over the first lines; a semicolon or tab before a comma."""
    lines = [line for line in text.splitlines()[:60] if line.strip()]
    best, most = ",", 0.0
    for mark in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=mark)]
        except csv.Error:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        # A decimal comma parts every row too; but then the true delimiter parts them as evenly, and comes first.
        weight = widths.count(usual) / max(1, len(widths)) if usual > 1 else 0.0
        if weight > most + 0.1:
            best, most = mark, weight
    return best


def csv_head(path: Path) -> bytes:
    """The first bytes of a text file, up to its last whole line."""
    with path.open("rb") as stream:
        return stream.read(_HEAD)


def csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """The rows of a text file; raises VectorFileError when a cell or row is too large or has no end."""
    # The limit of Python's reader is one for the whole process; outlines as text need more than its 128 kB.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    with path.open("r", encoding=encoding, errors="replace", newline="") as stream:
        reader = csv.reader(_without_nul(stream, path.name), delimiter=delimiter)
        try:
            for number, row in enumerate(reader, start=1):
                if len(row) > MOST_COLUMNS or number > MOST_ROWS:
                    raise _too_large(path.name)
                if any(len(cell) > LONGEST_CELL for cell in row):
                    raise csv.Error
                yield tuple(nfc(cell).strip() or None for cell in row)
        except csv.Error as error:
            raise VectorFileError(
                "Dòng %(line)s của tệp %(file)s không đọc được: ô quá dài hoặc thiếu dấu ngoặc kép đóng.",
                file=path.name,
                line=reader.line_num,
            ) from error


def csv_sample(path: Path, encoding: str, rows: int) -> tuple[str, list[Row]]:
    """The delimiter of a text file and its first rows."""
    text = decoded(csv_head(path), encoding)
    delimiter = csv_delimiter(text)
    return delimiter, list(islice(csv_rows(path, encoding, delimiter), rows))


def _without_nul(stream: io.TextIOWrapper, title: str) -> Iterator[str]:
    while line := stream.readline(LONGEST_CELL):
        if len(line) >= LONGEST_CELL:
            raise _too_large(title)
        yield line.replace("\x00", "")


def _too_large(title: str) -> VectorFileError:
    return VectorFileError(
        "Bảng trong tệp %(file)s quá lớn (tối đa %(rows)s dòng, %(columns)s cột); hãy chia nhỏ tệp.",
        file=title,
        rows=MOST_ROWS,
        columns=MOST_COLUMNS,
    )
