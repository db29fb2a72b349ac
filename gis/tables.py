"""Tables as officers make them: the header under title rows, merged heads, section rows, decimal commas."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from gis.coordinates import COMMA, POINT, is_marked_angle, parse_number, style_shown
from gis.inspection import Notice
from gis.sheets import Cell, Row, Sheet, csv_rows, csv_sample, read_sheet

SEARCHED_ROWS = 60
DEEPEST_HEADER = 4
SAMPLE_ROWS = 500

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})|(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?")
_FRACTION = re.compile(r"[+-]?\d+[.,]\d+")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type (str, int, float, date, datetime or bool) and how it writes fractions."""

    name: str
    type: str = "str"
    style: str = POINT


@dataclass
class Table:
    """A table with its header found; iterate `rows()` as often as wanted.

    `header_row` is the last row of the header, from 1; 0 when there is none. `count` are the data rows.
    """

    name: str
    format: str
    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    sheet: Sheet | None = None
    header_row: int = 0
    columns: list[Column] = field(default_factory=list)
    count: int = 0
    warnings: list[Notice] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of the columns, each once."""
        return [column.name for column in self.columns]

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Number in the file (from 1) and cells of every data row, as wide as the header."""
        width = len(self.columns)
        for number, row in enumerate(self._all(), start=1):
            if number <= self.header_row or _is_empty(row) or self._is_aside(number, row):
                continue
            yield number, (*row[:width], *[None] * (width - len(row)))

    def typed(self, row: Row) -> dict[str, Any]:
        """The cells of a row by column name, as values of the column's type."""
        return {c.name: _value(c, cell) for c, cell in zip(self.columns, row, strict=True)}

    def _all(self) -> Iterator[Row]:
        if self.sheet is not None:
            return iter(self.sheet.rows)
        assert self.encoding is not None and self.delimiter is not None
        return csv_rows(self.path, self.encoding, self.delimiter)

    def _is_aside(self, number: int, row: Row) -> bool:
        """Whether a row is a line of column numbers, or the heading of a section."""
        filled = [str(cell) for cell in row if cell is not None]
        if number == self.header_row + 1 and len(filled) >= 3:
            return [cell.strip("()[] ") for cell in filled] == [str(n) for n in range(1, len(filled) + 1)]
        wide = self.format == "xlsx" and len(self.columns) >= 4
        return (
            wide
            and len(set(filled)) == 1
            and not (row[0] is not None and len(filled) == 1 and _is_number(row[0]))
        )


def open_csv(path: Path, encoding: str, header_row: int | None = None) -> Table:
    """The table of a text file; errors as `sheets.csv_rows`."""
    delimiter, head = csv_sample(path, encoding, SEARCHED_ROWS)
    table = Table(path.stem, "csv", path, encoding=encoding, delimiter=delimiter)
    _head(table, head, header_row, [])
    _measure(table)
    return table


def open_sheet(path: Path, name: str, header_row: int | None = None) -> Table:
    """The table on one sheet of a workbook; errors as `sheets.read_sheet`."""
    sheet = read_sheet(path, name)
    table = Table(name, "xlsx", path, sheet=sheet)
    _head(table, sheet.rows[:SEARCHED_ROWS], header_row, sheet.merged)
    _measure(table)
    errors = [error for error in sheet.errors if error[0] > table.header_row]
    if errors:
        table.warnings.append(
            Notice(
                "%(count)s ô có công thức hỏng (%(text)s), ô đầu tiên ở dòng %(row)s; các ô đó được coi là trống.",
                {"count": len(errors), "text": errors[0][2], "row": errors[0][0]},
            )
        )
    return table


def parse_date(value: object) -> dt.date | None:
    """A date from a cell: day first as written in Vietnam (22/5/2026), or 2026-05-22; None when it is none."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    day, month, year, iso_year, iso_month, iso_day = found.groups()
    try:
        return dt.date(int(year or iso_year), int(month or iso_month), int(day or iso_day))
    except ValueError:
        return None


def _head(
    table: Table, rows: Sequence[Row], header_row: int | None, merged: Sequence[tuple[int, int, int, int]]
) -> None:
    first, last = _header_rows(rows, merged) if header_row is None else (header_row, header_row)
    if header_row:
        first = _upwards(first, rows, merged)
    table.header_row = last
    width = max((len(row) for row in rows[max(0, first - 1) :]), default=0)
    names: list[str] = []
    for at in range(width):
        parts: list[str] = []
        for row in rows[first - 1 : last] if last else ():
            text = " ".join(str(row[at]).split()) if at < len(row) and row[at] is not None else ""
            if text and text not in parts:
                parts.append(text)
        names.append(" ".join(parts))
    while (
        names and not names[-1] and all(len(row) < len(names) or row[len(names) - 1] is None for row in rows)
    ):
        names.pop()
    table.columns = [Column(name) for name in _once(names)]


def _header_rows(rows: Sequence[Row], merged: Sequence[tuple[int, int, int, int]]) -> tuple[int, int]:
    """First and last row of the header, from 1; (0, 0) when no row looks like one."""
    widths = [len({str(cell) for cell in row if cell is not None}) for row in rows]
    usual = max(sorted(widths)[int(0.8 * len(widths)) :], default=0)
    for number, row in enumerate(rows, start=1):
        texts = {cell for cell in row if isinstance(cell, str) and not _FRACTION.fullmatch(cell)}
        filled = {str(cell) for cell in row if cell is not None}
        if len(texts) >= max(2 if usual > 1 else 1, usual / 2) and len(texts) >= 0.6 * len(filled):
            if _is_data(row):
                return 0, 0
            return _upwards(number, rows, merged), _downwards(number, merged)
    return 0, 0


def _upwards(number: int, rows: Sequence[Row], merged: Sequence[tuple[int, int, int, int]]) -> int:
    """The top row of the header: rows above that share a merged cell, or group columns under one."""
    top = number
    while top > 1 and number - top < DEEPEST_HEADER - 1:
        shared = any(m[1] <= top - 1 and m[3] >= top for m in merged)
        if not shared or len({cell for cell in rows[top - 2] if cell is not None}) < 2:
            break
        top -= 1
    return top


def _downwards(number: int, merged: Sequence[tuple[int, int, int, int]]) -> int:
    below = [m[3] for m in merged if m[1] <= number < m[3] and m[3] - number < DEEPEST_HEADER]
    return max([number, *below])


def _is_data(row: Row) -> bool:
    """Whether a row holds numbers with fractions or dates, which no header does."""
    texts = [cell for cell in row if isinstance(cell, str)]
    return any(isinstance(cell, float | dt.date) for cell in row) or any(
        _FRACTION.fullmatch(text) or _DATE.fullmatch(text) for text in texts
    )


def _once(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for at, name in enumerate(names, start=1):
        base = name or f"cot_{at}"
        seen[base] += 1
        result.append(base if seen[base] == 1 else f"{base} ({seen[base]})")
    return result


def _measure(table: Table) -> None:
    """Count the rows and find the type of each column from all of its cells."""
    marks = [_Marks() for _ in table.columns]
    for _, row in table.rows():
        table.count += 1
        for mark, cell in zip(marks, row, strict=True):
            mark.see(cell)
    shown = Counter(style for mark in marks for style in mark.styles)
    common = shown.most_common(1)[0][0] if len(shown) == 1 else None
    table.columns = [mark.column(c.name, common) for mark, c in zip(marks, table.columns, strict=True)]
    for mark, column in zip(marks, table.columns, strict=True):
        if column.type == "float" and mark.doubtful and not mark.styles and common is None:
            table.warnings.append(
                Notice(
                    "Cột “%(column)s” có số như %(example)s: dấu ấy được hiểu là dấu thập phân; hãy kiểm tra.",
                    {"column": column.name, "example": mark.doubtful},
                )
            )


class _Marks:
    """What the cells of one column have in common so far."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.styles: set[str] = set()
        self.doubtful: str | None = None

    def see(self, cell: Cell) -> None:
        if cell is None:
            return
        if not isinstance(cell, str):
            self.kinds.add("datetime" if isinstance(cell, dt.datetime) else type(cell).__name__)
        elif _INTEGER.fullmatch(cell):
            self.kinds.add("int")
        elif _looks_numeric(cell):
            self._number(cell)
        else:
            self.kinds.add("date" if len(cell) <= 30 and parse_date(cell) else "str")

    def _number(self, cell: str) -> None:
        self.kinds.add("float")
        style = style_shown(cell)
        if style is not None:
            self.styles.add(style)
        else:
            self.doubtful = self.doubtful or cell

    def column(self, name: str, common: str | None) -> Column:
        if self.kinds and self.kinds <= {"int", "float"}:
            otherwise = common or (COMMA if self.doubtful and "," in self.doubtful else POINT)
            style = next(iter(self.styles)) if len(self.styles) == 1 else otherwise
            return Column(name, "float" if "float" in self.kinds else "int", style)
        if len(self.kinds) == 1:
            return Column(name, next(iter(self.kinds)))
        return Column(name, "datetime" if self.kinds == {"date", "datetime"} else "str")


def _value(column: Column, cell: Cell) -> Any:
    if cell is None:
        return None
    if column.type == "int":
        return int(cell)
    if column.type == "float":
        return parse_number(cell, column.style)
    if column.type == "date":
        return parse_date(cell)
    if column.type == "datetime" and isinstance(cell, str | dt.date) and not isinstance(cell, dt.datetime):
        day = parse_date(cell)
        return dt.datetime.combine(day, dt.time()) if day else None
    if column.type == "str" and not isinstance(cell, str):
        return cell.strftime("%d/%m/%Y") if isinstance(cell, dt.date) else str(cell)
    return cell


def sample(table: Table) -> list[Row]:
    """The first data rows."""
    return [row for _, row in islice(table.rows(), SAMPLE_ROWS)]


def _is_empty(row: Row) -> bool:
    return all(cell is None for cell in row)


def _looks_numeric(cell: str) -> bool:
    """Whether a text is a number to compute with: no code or telephone with a leading nought, no angle."""
    code = cell.startswith(("0", "-0", "+")) and not re.match(r"-?0[.,]", cell)
    return len(cell) <= 30 and not code and not is_marked_angle(cell) and parse_number(cell) is not None


def _is_number(cell: Cell) -> bool:
    return parse_number(cell) is not None
