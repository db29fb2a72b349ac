"""What people write into cells, read as the fields' types: Vietnamese numbers, dates, yes and no, list entries."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from data import codes
from data.text import accented, fold
from layers.fields import Field, FieldType

_THOUSANDS_DOT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?|[+-]?\d{1,3}(,\d{3})+\.\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:\s.*)?")
_IN_WORDS = re.compile(r"ngay (\d{1,2}) thang (\d{1,2}) nam (\d{4})")
_ISO_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?")
_UNIT_TAIL = re.compile(
    r"\s*(ha|tấn|tan|hộ|ho|người|nguoi|đồng|dong|đ|vnđ|vnd|%|phút|phut|triệu|trieu)\.?$", re.I
)
_YES = {"co", "x", "true", "dung", "yes", "1", "v", "✓", "☑"}
_NO = {"khong", "false", "sai", "no", "0", "chua", "☐"}
_NOTHING = {"", "-", "–", "—", "null", "n/a", "#n/a", "#ref!", "#value!", "#name?", "#div/0!", "<null>"}
_EXCEL_EPOCH = dt.date(1899, 12, 30)


def read_column(field: Field, values: Sequence[Any]) -> list[Any]:
    """Return the cells of a column in a form that the field's rules accept, or as they are when they make no sense.

    Cells that only say that there is nothing become None; judging the rest is left to the edit path. Whether
    a point parts thousands or begins a fraction is told from the whole column.
    """
    read = _READERS.get(field.type, _text)
    if field.type == FieldType.NUMBER and not _writes_commas(values):
        read = _fraction
    return [_read(read, value) for value in values]


def _read(read: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str):
        value = value.strip()
        if value.casefold() in _NOTHING:
            return None
    return read(value)


def _writes_commas(values: Sequence[Any]) -> bool:
    """Whether some number of the column has its fraction after a comma."""
    texts = (_UNIT_TAIL.sub("", value.strip()) for value in values if isinstance(value, str))
    return any(
        _DECIMAL_COMMA.fullmatch(text)
        or (_THOUSANDS_DOT.fullmatch(text) and text.count(".") + ("," in text) > 1)
        for text in texts
    )


def _text(value: Any) -> Any:
    """Numbers in text fields lose the point that a spreadsheet gives them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = _UNIT_TAIL.sub("", value.replace("\u00a0", " ").strip())
    text = re.sub(r"(?<=\d) (?=\d{3}(\D|$))", "", text)
    if _THOUSANDS_DOT.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _THOUSANDS_COMMA.fullmatch(text):
        return text.replace(",", "")
    if _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    return text


def _fraction(value: Any) -> Any:
    """Where no number of the column has a comma, a single group of three after a point is a fraction."""
    if isinstance(value, str):
        bare = _UNIT_TAIL.sub("", value.replace("\u00a0", " ").strip())
        if re.fullmatch(r"[+-]?\d{1,3}\.\d{3}", bare):
            return bare
    return _number(value)


def _whole(value: Any) -> Any:
    number = _number(value)
    if isinstance(number, str):
        try:
            exact = float(number)
        except ValueError:
            return number
        return int(exact) if exact.is_integer() and abs(exact) < 2**53 else number
    return number


def _date(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, int | float) and not isinstance(value, bool) and 20_000 <= value < 80_000:
        return _EXCEL_EPOCH + dt.timedelta(days=int(value))
    if not isinstance(value, str):
        return value
    found = _DAY_FIRST.fullmatch(value) or _IN_WORDS.search(fold(value))
    if found:
        day, month, year = (int(part) for part in found.groups()[:3])
        try:
            return dt.date(year, month, day)
        except ValueError:
            return value
    iso = _ISO_MOMENT.fullmatch(value)
    return iso[1] if iso else value


def _yes_no(value: Any) -> Any:
    said = fold(str(value))
    return True if said in _YES else False if said in _NO else value


_READERS: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.STRING: _text,
    FieldType.INTEGER: _whole,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _yes_no,
    FieldType.DATE: _date,
}


# ---- code lists


def code_of(list_name: str, text: Any) -> str | None:
    """The value of a code list that a text of a file stands for: the code, a title, or what is left of either.

    Accents and case do not matter; a title in brackets may be missing (“lác” for “lác (cói)”). None when it
    is none or several.
    """
    known = codes.code_list(list_name)
    said = str(int(text)) if isinstance(text, float) and text.is_integer() else str(text).strip()
    if said in known:
        return said
    exact = {v for v, c in known.items() if accented(said) in (accented(c.vi), accented(c.en))}
    if len(exact) == 1:
        return exact.pop()
    folded = _bare(said)
    if not folded:
        return None
    for forms in (_full_forms, _short_forms):
        matching = [v for v, c in known.items() if folded in {_bare(f) for f in forms(c, v)}]
        if len(matching) == 1:
            return matching[0]
    return None


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(text)).strip()


def _full_forms(code: codes.Code, value: str) -> list[str]:
    return [code.vi, code.en, value]


def _short_forms(code: codes.Code, value: str) -> list[str]:
    """A title without its brackets, and what stands in them."""
    inner = re.findall(r"\(([^)]*)\)", code.vi)
    return [re.sub(r"\([^)]*\)", "", code.vi), *inner, *code.vi.split(",")]
