"""Workbooks of Office Open XML, written row by row: the rows, their shapes, the fields and the code lists.

Source: ECMA-376 (SpreadsheetML), Excel specifications and limits (rows, characters in a cell).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import shapely
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gis.errors import Refusal
from layers.fields import Field, FieldType, Label
from layers.read import Rows
from services.formats import companions
from services.formats.base import Context, Features, Shapes, bytes_of, is_textual, text_of
from services.formats.csv import harmless, inner_points

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
LONGEST_CELL = 32_767
TIME_ZONE = dt.timezone(dt.timedelta(hours=7))

SHAPES = Label("Hình dạng", "Shapes")
FIELDS = Label("Từ điển", "Fields")
CODES = Label("Bảng mã", "Code lists")
SHAPE_COLUMNS = (
    companions.ID_TITLE,
    Label("Đoạn thứ", "Piece"),
    Label("WKT (nối các đoạn theo thứ tự)", "WKT (put the pieces together in order)"),
)
_DEGREES = (Label("Kinh độ", "Longitude"), Label("Vĩ độ", "Latitude"))
_METRES = (Label("X Đông (m)", "X east (m)"), Label("Y Bắc (m)", "Y north (m)"))
_WIDTHS = {FieldType.INTEGER: 12, FieldType.NUMBER: 14, FieldType.BOOLEAN: 10, FieldType.DATE: 12}
_TEXT_WIDTH, _MOMENT_WIDTH, _LONG_WIDTH = 24, 17, 48
_FORMATS = {
    FieldType.INTEGER: "0",
    FieldType.NUMBER: "#,##0.####",
    FieldType.DATE: "dd/mm/yyyy",
    FieldType.DATETIME: "dd/mm/yyyy hh:mm:ss",
}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEAD_FONT = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="0B5A54")


class TooManyRows(Refusal):
    """A sheet has no room for so many rows."""


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A workbook: one row per feature under the titles of the fields, then shapes, fields and code lists.

    Points have their place in two columns; of other shapes the columns hold a point inside, and the sheet of
    shapes the whole as WKT in pieces that a cell holds. Moments are those of Vietnam. Raises TooManyRows.
    """
    book = Workbook(write_only=True)
    main = _Main(book, features, context)
    shapes = None
    if features.geometry and features.layer.geometry != "POINT":
        shapes = _sheet(book, SHAPES[context.language], SHAPE_COLUMNS, (14, 9, 100), context.language)
    written = 0
    for page in features.pages:
        written += len(page)
        if written > MOST_ROWS:
            raise TooManyRows(
                "Một trang tính chỉ chứa được %(limit)s dòng; hãy chọn CSV hoặc GeoPackage, hoặc lọc bớt.",
                limit=MOST_ROWS,
            )
        main.add(page)
        if shapes is not None:
            for row in _pieces(features, page, context):
                shapes.append(row)
    main.close(written)
    _explain(book, features, context)
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / f"{features.layer.id}.xlsx"
        book.save(path)
        yield from bytes_of(path)


def titles(fields: Sequence[Field], language: str) -> list[str]:
    """The titles of fields with their units; one that is taken gets the field's name after it."""
    taken: list[str] = []
    for field in fields:
        title = field.title[language] + (f" ({field.unit[language]})" if field.unit else "")
        taken.append(title if title not in taken else f"{title} [{field.name}]")
    return taken


class _Main:
    """The sheet of the features."""

    def __init__(self, book: Workbook, features: Features, context: Context) -> None:
        self.features, self.context = features, context
        lang = context.language
        head = [companions.ID_TITLE[lang], *titles(features.fields, lang)]
        widths = [12, *(_width(f) for f in features.fields)]
        if features.geometry:
            axes = _DEGREES if context.target.is_degrees else _METRES
            head += [axis[lang] for axis in axes]
            widths += [13, 13]
        self.sheet = book.create_sheet(_sheet_name(features.layer.title[lang]))
        _begin(self.sheet, head, widths, frozen="B2")
        self.columns = len(head)
        self.cells: dict[str, Any] = {}
        for kind in _FORMATS:
            cell = WriteOnlyCell(self.sheet)
            cell.number_format = _FORMATS[kind]
            self.cells[kind] = cell
        self.place = WriteOnlyCell(self.sheet)
        self.place.number_format = "0.0000000" if context.target.is_degrees else "0.000"

    def add(self, page: Rows) -> None:
        """Add the rows of a page."""
        ids = self.context.ids(self.features.layer, page)
        columns: list[Any] = [ids]
        writers: list[Callable[[Any], Any]] = [_same]
        for field, column in zip(self.features.fields, page.columns, strict=True):
            columns.append(column)
            writers.append(self._text(field) if is_textual(field.type, column) else self._typed(field.type))
        if self.features.geometry:
            x, y = inner_points(page, self.context)
            columns += [x.tolist(), y.tolist()]
            writers += [self._coordinate, self._coordinate]
        for row in zip(*columns, strict=True):
            # Each cell is written before the next one is made, so that one object serves a whole kind.
            self.sheet.append(
                write(value) if value is not None else None for write, value in zip(writers, row, strict=True)
            )

    def close(self, rows: int) -> None:
        """Put a filter on the head of the table."""
        self.sheet.auto_filter.ref = f"A1:{get_column_letter(self.columns)}{rows + 1}"

    def _text(self, field: Field) -> Callable[[Any], str]:
        def write(value: Any) -> str:
            text = harmless(_FORBIDDEN.sub("", text_of(value)))
            if len(text) > LONGEST_CELL:
                self.context.cut.add(field.name)
            return text[:LONGEST_CELL]

        return write

    def _typed(self, kind: FieldType) -> Callable[[Any], Any]:
        cell = self.cells.get(kind)
        if cell is None:
            return _same

        def write(value: Any) -> Any:
            if isinstance(value, dt.datetime):
                value = value.astimezone(TIME_ZONE).replace(tzinfo=None)
            elif isinstance(value, float) and not math.isfinite(value):
                return None
            cell.value = value
            return cell

        return write

    def _coordinate(self, value: float) -> Any:
        if math.isnan(value):
            return None
        self.place.value = value
        return self.place


def _same(value: Any) -> Any:
    return value


def _pieces(features: Features, page: Rows, context: Context) -> Iterator[list[Any]]:
    """The shapes of a page as WKT, in pieces that a cell holds."""
    moved = Shapes(page, context.target).moved
    texts = shapely.to_wkt(moved, rounding_precision=context.target.decimals)
    for row_id, text in zip(context.ids(features.layer, page), texts.tolist(), strict=True):
        for number, start in enumerate(range(0, len(text or ""), LONGEST_CELL), 1):
            yield [row_id, number, text[start : start + LONGEST_CELL]]


def _explain(book: Workbook, features: Features, context: Context) -> None:
    lang = context.language
    shown = titles(features.fields, lang)
    described = companions.entries(features, lang, [companions.ID_TITLE[lang], *shown])
    sheet = _sheet(book, FIELDS[lang], companions.COLUMNS, (30, 24, 30, 16, 14, 18, 40), lang)
    for entry in described:
        sheet.append(entry.cells())
    if rows := companions.code_rows(features.fields):
        sheet = _sheet(book, CODES[lang], companions.CODE_COLUMNS, (18, 22, 36, 36, 12, 12, 40), lang)
        for row in rows:
            sheet.append([harmless(cell) for cell in row])


def _sheet(book: Workbook, name: str, head: Sequence[Label], widths: Sequence[float], lang: str) -> Any:
    sheet = book.create_sheet(_sheet_name(name))
    _begin(sheet, [label[lang] for label in head], widths, frozen="A2")
    return sheet


def _begin(sheet: Any, head: Sequence[str], widths: Sequence[float], *, frozen: str) -> None:
    # What stands before the rows in the file must be said before the first row.
    sheet.freeze_panes = frozen
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append([_head_cell(sheet, title) for title in head])


def _head_cell(sheet: Any, title: str) -> Any:
    cell = WriteOnlyCell(sheet, value=title)
    cell.font, cell.fill = _HEAD_FONT, _HEAD_FILL
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31]


def _width(field: Field) -> float:
    if field.multiline:
        return _LONG_WIDTH
    if field.type == FieldType.DATETIME:
        return _MOMENT_WIDTH
    return _WIDTHS.get(field.type, _TEXT_WIDTH)
