"""Which column fills which field: by name, as a shapefile cuts it, by title, and by the words that offices use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.text import fold
from layers.fields import Field, Layer
from services.imports.source import said
from services.imports.texts import code_of

#: A shapefile cuts the names of its columns to this length.
SHAPEFILE_NAME = 10
SHOWN_VALUES = 60

#: Words for fields as they stand in the tables of offices, folded; titles of the catalogue need not be named.
WORDS: Mapping[str, tuple[str, ...]] = {
    "name": (
        "ten",
        "ten vung trong",
        "ten vung nuoi",
        "ten lang nghe",
        "ten lang",
        "ten san pham",
        "ten sp",
        "ten co so",
        "ten chu the",
        "ten diem",
        "ten ho",
        "ho ten",
        "ten doi tuong",
    ),
    "crop": ("cay trong", "vat nuoi", "loai cay", "cay", "doi tuong nuoi", "loai cay trong", "nuoi trong"),
    "farming_system": ("hinh thuc", "hinh thuc nuoi", "mo hinh", "loai hinh canh tac"),
    "declared_area_ha": ("dien tich", "dt", "dtich", "dien tich ha", "dt ha", "s ha", "dien tich vung"),
    "households": ("so ho", "ho", "tong so ho", "so ho dan"),
    "trade_households": ("so ho lam nghe", "ho lam nghe", "so ho nghe"),
    "expected_output_t": ("san luong", "san luong tan", "sl", "san luong du kien"),
    "crops_per_year": ("so vu", "vu", "so vu nam"),
    "hamlet": ("ap", "khom", "ap khom", "thon", "to dan pho"),
    "owner_name": ("chu ho", "ho ten chu ho", "chu vung", "nguoi dang ky", "chu so huu", "nguoi dai dien"),
    "owner_phone": ("dien thoai", "sdt", "so dien thoai", "dt lien he", "dien thoai lien he"),
    "owner_id_number": ("cccd", "so cccd", "cmnd"),
    "representative": ("dai dien", "nguoi dai dien", "ho ten nguoi dai dien"),
    "phone": ("dien thoai", "sdt", "so dien thoai", "dien thoai lien he"),
    "shop_phone": ("dien thoai", "sdt", "so dien thoai"),
    "contact_phone": ("dien thoai", "sdt", "so dien thoai"),
    "registration_number": ("mst", "ma so thue", "so dkkd", "giay dkkd", "ma so doanh nghiep"),
    "address": ("dia chi", "dchi"),
    "variety": ("giong", "ten giong"),
    "description": ("ghi chu", "mo ta", "dien giai"),
    "note": ("ghi chu",),
    "kind": ("loai", "loai hinh", "phan loai"),
    "craft": ("nghe", "nganh nghe", "ten nghe"),
    "decision_number": ("so qd", "so quyet dinh", "qd so"),
    "decision_date": ("ngay qd", "ngay quyet dinh", "ngay cong nhan"),
    "workers": ("lao dong", "so lao dong"),
    "product_set": ("bo san pham", "ma bo san pham", "nhom san pham"),
}


@dataclass(frozen=True)
class Match:
    """A column for a field: how it was found (`name`, `cut`, `title`, `words`)."""

    column: str
    how: str


def by_name(layer: Layer, columns: Iterable[str]) -> dict[str, str]:
    """Match fields to columns of their own name, without regard to case and as a shapefile cuts names."""
    return {name: m.column for name, m in suggestions(layer, columns).items() if m.how in ("name", "cut")}


def suggestions(layer: Layer, columns: Iterable[str]) -> dict[str, Match]:
    """Match every writable field to the column that most likely fills it; no column fills two fields."""
    present = list(columns)
    by_lower = {column.casefold(): column for column in reversed(present)}
    by_words = {_words(column): column for column in reversed(present)}
    by_letters = {_letters(column): column for column in reversed(present)}
    writable = [f for f in layer.fields if f.writable]
    found: dict[str, Match] = {}
    taken: set[str] = set()

    def take(field: Field, column: str | None, how: str) -> None:
        if column is not None and field.name not in found and column not in taken:
            found[field.name] = Match(column, how)
            taken.add(column)

    for field in writable:
        take(field, by_lower.get(field.name), "name")
    for field in writable:
        cut = by_lower.get(field.name[:SHAPEFILE_NAME])
        if cut is not None and sum(f.name.startswith(cut.casefold()) for f in layer.fields) == 1:
            take(field, cut, "cut")
    for titles, how in ((_titles, "title"), (_spoken, "words")):
        for field in writable:
            for words in titles(field):
                take(field, by_words.get(words) or by_letters.get(words.replace(" ", "")), how)
                if len(words.replace(" ", "")) > SHAPEFILE_NAME:
                    take(field, by_letters.get(words.replace(" ", "")[:SHAPEFILE_NAME]), how)
    return found


def _titles(field: Field) -> list[str]:
    return [_words(field.title.vi), _words(field.title.en)]


def _spoken(field: Field) -> tuple[str, ...]:
    return WORDS.get(field.name, ())


def _words(text: str) -> str:
    """A heading as words: “DIEN_TICH (ha)”, “Diện tích, ha” and “DienTich” read alike."""
    apart = re.sub(r"(?<=[a-zà-ỹ])(?=[A-ZÀ-Ỹ])", " ", text)
    return re.sub(r"[\W_]+", " ", fold(apart)).strip()


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text))


@dataclass(frozen=True)
class ListedValue:
    """A text that the file uses for a code-list field: how often, and the code it stands for if that is clear."""

    text: str
    count: int
    code: str | None


def listed_values(list_name: str, cells: Sequence[Any], chosen: Mapping[str, str]) -> list[ListedValue]:
    """The texts of a column, those without a clear meaning first, then by how often they stand there."""
    counts = Counter(said(cell) for cell in cells)
    counts.pop("", None)
    read = [ListedValue(t, n, chosen.get(t) or code_of(list_name, t)) for t, n in counts.items()]
    return sorted(read, key=lambda v: (v.code is not None, -v.count, v.text))[:SHOWN_VALUES]
