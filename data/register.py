"""The legacy Excel register of OCOP products: 22 columns, merged cells, several recognitions of one product.

TT; product; group; kind; producer; commune; address; representative; telephone; star now; expiry; first and
second recognition (star, date, year, decision, issuer each); note.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.text import fold, normal
from gis.errors import Refusal, marked
from gis.fileerrors import VectorFileError
from gis.inspection import Notice
from gis.sheets import Sheet, read_sheet, sheet_names

WIDTH = 22
FIRST, SECOND = 11, 16
_BROKEN = re.compile(r"#(REF|VALUE|NAME|N/A|DIV/0|NULL|NUM)[!?]?", re.IGNORECASE)
_TAX = re.compile(r"(?<!\d)(\d{10}(?:-\d{3})?)(?!\d)")
_DAY = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})")


class RegisterError(Refusal):
    """The file is no register that can be read."""


@dataclass(frozen=True)
class Recognition:
    """One recognition as the register tells it; `day` is None when only the year is known."""

    stars: int
    day: dt.date | None
    year: int | None
    decision: str
    issuer: str


@dataclass
class Entry:
    """One product of the register: the row it begins in, the words of its cells, what is unreadable or doubtful."""

    row: int
    product: str
    group: str
    kind: str
    producer: str
    tax_number: str | None
    commune: str
    address: str
    representative: str
    phone: str
    stars: int | None
    expires_on: dt.date | None
    note: str
    recognitions: list[Recognition] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_register(path: Path) -> list[Entry]:
    """Read the first visible sheet that is a register. Raises RegisterError."""
    if not zipfile.is_zipfile(path):
        raise RegisterError(marked("Không đọc được sổ Excel “%(file)s”."), file=path.name)
    try:
        for name in sheet_names(path):
            grid = _grid(read_sheet(path, name))
            head = next((i for i, row in enumerate(grid[:30]) if _is_head(row)), None)
            if head is not None:
                return _entries(grid, head + 1)
    except VectorFileError as error:
        raise RegisterError(error.message, **error.facts) from error
    raise RegisterError(
        marked("Tệp “%(file)s” không phải sổ đăng ký 22 cột: không thấy dòng tiêu đề có “Tên sản phẩm”."),
        file=path.name,
    )


def _grid(sheet: Sheet) -> list[list[tuple[Any, bool]]]:
    """The cells, each with whether it only repeats a merged cell that began in a row above."""
    grid = [[(cell, False) for cell in (*row[:WIDTH], *[None] * (WIDTH - len(row)))] for row in sheet.rows]
    for left, top, right, bottom in sheet.merged:
        for row in range(top, min(bottom, len(grid))):
            for column in range(left - 1, min(right, WIDTH)):
                grid[row][column] = (grid[row][column][0], True)
    return grid


def _is_head(row: list[tuple[Any, bool]]) -> bool:
    words = [fold(_text(cell)) for cell, _ in row]
    return any(w.startswith(("ten san pham", "ten sp")) for w in words) and any("chu the" in w for w in words)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normal(_BROKEN.sub("", str(value)))


def _entries(grid: list[list[tuple[Any, bool]]], start: int) -> list[Entry]:
    entries: list[Entry] = []
    latest: list[Entry] = []
    for number, row in enumerate(grid[start:], start=start + 1):
        values = [cell for cell, _ in row]
        if not any(_text(v) for v in values) or _is_head(row) or _is_subhead(values):
            continue
        product, repeated = row[1]
        continues = repeated or not (_text(product) or _text(values[0]))
        if continues and latest:
            for entry in latest:
                _add_recognitions(entry, values)
            continue
        latest = _begun(number, values)
        entries += latest
    for entry in entries:
        entry.warnings += [str(notice) for notice in _doubts(entry)]
    return entries


def _doubts(entry: Entry) -> Iterator[Notice]:
    """What of an entry contradicts itself and can be kept all the same."""
    for told in entry.recognitions:
        if told.day is not None and told.year is not None and told.day.year != told.year:
            yield Notice(
                marked("Ngày công nhận %(day)s không thuộc năm %(year)s ghi bên cạnh; ngày được giữ."),
                {"day": told.day.strftime("%d/%m/%Y"), "year": told.year},
            )
    dated = [told for told in entry.recognitions if told.day is not None]
    if not dated:
        return
    last = max(dated, key=lambda told: told.day or dt.date.min)
    if entry.expires_on is not None and last.day is not None and entry.expires_on < last.day:
        yield Notice(
            marked(
                "Ngày hết hạn %(expiry)s đứng trước ngày công nhận %(day)s; thời hạn được tính lại là 36 tháng."
            ),
            {"expiry": entry.expires_on.strftime("%d/%m/%Y"), "day": last.day.strftime("%d/%m/%Y")},
        )
    if entry.stars is not None and entry.stars != last.stars:
        yield Notice(
            marked(
                "Hạng hiện tại %(stars)s sao khác lần công nhận cuối (%(last)s sao); lần công nhận được giữ."
            ),
            {"stars": entry.stars, "last": last.stars},
        )


def _is_subhead(values: list[Any]) -> bool:
    """The row under the headings: names of the recognitions' parts, or the numbers of the columns."""
    words = [fold(_text(v)) for v in values]
    numbered = words[:3] == ["1", "2", "3"] or words[:3] == ["(1)", "(2)", "(3)"]
    named = not words[0] and any(w in ("sao", "hang sao", "so qd", "so quyet dinh") for w in words[FIRST:])
    return numbered or named or (not words[4] and bool(words[0]) and not any(words[5:]))


def _begun(number: int, values: list[Any]) -> list[Entry]:
    cell = "" if values[1] is None else str(values[1])
    names = [normal(part) for part in re.split(r"[\n;]+", cell)]
    names = [re.sub(r"^(\d+[.)]|[-+•])\s*", "", name) for name in names if name.strip()]
    names = [name for name in names if name and not _BROKEN.search(name)]
    made = [_entry(number, name, values) for name in names or [""]]
    for entry in made:
        _add_recognitions(entry, values)
    return made


def _entry(number: int, name: str, values: list[Any]) -> Entry:
    text = [_text(v) for v in values]
    tax = _TAX.search(f"{text[4]} {text[6]}")
    entry = Entry(
        row=number,
        product=name,
        group=text[2],
        kind=text[3],
        producer=normal(re.sub(r"\(?\s*MST\s*:?\s*[\d-]+\s*\)?", "", text[4], flags=re.IGNORECASE)),
        tax_number=tax[1] if tax else None,
        commune=text[5],
        address=text[6],
        representative=text[7],
        phone=text[8],
        stars=_stars(values[9]),
        expires_on=_day(values[10]),
        note=text[21],
    )
    if not name:
        entry.problems.append(marked("Không có tên sản phẩm."))
    if not entry.producer:
        entry.problems.append(marked("Không có tên chủ thể."))
    if text[9] and entry.stars is None:
        entry.problems.append(marked("Hạng sao hiện tại không đọc được."))
    if text[10] and entry.expires_on is None:
        entry.problems.append(marked("Ngày hết hạn không đọc được."))
    return entry


def _add_recognitions(entry: Entry, values: list[Any]) -> None:
    for start in (FIRST, SECOND):
        part = values[start : start + 5]
        text = [_text(v) for v in part]
        if not any(text):
            continue
        stars, day = _stars(part[0]), _day(part[1])
        year = re.search(r"(19|20)\d\d", text[2])
        if stars is None:
            entry.problems.append(marked("Một lần công nhận không có hạng sao đọc được."))
            continue
        known = Recognition(
            stars, day, int(year[0]) if year else (day.year if day else None), text[3], text[4]
        )
        if known not in entry.recognitions:
            entry.recognitions.append(known)


def _stars(value: Any) -> int | None:
    text = _text(value)
    marks = text.count("★") or (text.count("*") if not re.search(r"\d", text) else 0)
    found = re.search(r"[1-5]", text)
    stars = marks or (int(found[0]) if found else 0)
    return stars if 1 <= stars <= 5 else None


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    found = _DAY.search(_text(value))
    if found is None:
        return None
    try:
        return dt.date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None
