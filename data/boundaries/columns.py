"""Which column of a file means what, and how codes, names and types of units are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data.boundaries.errors import BoundaryError, some
from data.text import fold, normal

CODE, NAME, TYPE = "code", "name", "type"
DISTRICT_CODE, DISTRICT_NAME = "district_code", "district_name"

#: Usual names, folded and without separators; the cut ones are what a shapefile's ten characters leave.
ALIASES = {
    CODE: "code communecode wardcode gsocode maxa maphuongxa maxaphuong mapx maxp macapxa madvhc madonvi "
    "madonvihanhchinh codexa ma",
    NAME: "name communename wardname tenxa tenphuongxa tenxaphuong tenpx tenxp tencapxa tendvhc tendonvi "
    "tendonvihanhchinh namevi ten",
    TYPE: "type kind communetype loai loaixa loaidvhc loaihinh loaidonvi",
    DISTRICT_CODE: "districtcode districtc mahuyen maquanhuyen maqh macaphuyen codehuyen",
    DISTRICT_NAME: "districtname districtn tenhuyen tenquanhuyen tenqh tencaphuyen",
}

#: Types of unit, longest first, with the abbreviations that precede names.
KINDS = ("thành phố", "thị trấn", "đặc khu", "thị xã", "phường", "huyện", "quận", "tỉnh", "xã")
ABBREVIATIONS = {
    "tp": "thành phố",
    "tt": "thị trấn",
    "tx": "thị xã",
    "p": "phường",
    "h": "huyện",
    "q": "quận",
    "x": "xã",
}

DIGITS = {5: "communes", 3: "districts", 2: "provinces"}
"""Length of the official codes of each level (Decision 124/2004/QĐ-TTg)."""


def recognise(columns: Sequence[str], mapping: Mapping[str, str] | None = None) -> dict[str, str]:
    """Say which column holds which fact; what the mapping states goes before the usual names.

    Raises BoundaryError for a mapping to a column that is not there, and when no column holds the code.
    """
    chosen = dict(_stated(columns, mapping or {}))
    by_name = {_key(column): column for column in reversed(columns)}
    for role, aliases in ALIASES.items():
        found = next((by_name[alias] for alias in aliases.split() if alias in by_name), None)
        if role not in chosen and found is not None and found not in chosen.values():
            chosen[role] = found
    if CODE not in chosen:
        raise BoundaryError(
            "Tệp không có cột mã đơn vị hành chính; hãy chỉ ra bằng --map code=TÊN_CỘT "
            "(các cột có trong tệp: %(columns)s).",
            columns=", ".join(columns) or "–",
        )
    return chosen


def _stated(columns: Sequence[str], mapping: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for role, wanted in mapping.items():
        if role not in ALIASES:
            raise BoundaryError(
                "Không có mục “%(role)s” để gán cột; các mục: %(known)s.", role=role, known=", ".join(ALIASES)
            )
        exact = [c for c in columns if c == wanted] or [c for c in columns if _key(c) == _key(wanted)]
        if not exact:
            raise BoundaryError(
                "Tệp không có cột “%(column)s”; các cột có trong tệp: %(columns)s.",
                column=wanted,
                columns=", ".join(columns) or "–",
            )
        yield role, exact[0]


def _key(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(column))


def unit_codes(values: Sequence[Any]) -> list[str]:
    """Return codes as text: numbers keep no zeros in front, so those of communes are put back."""
    codes = [code_text(value) for value in values]
    numeric = all(isinstance(value, int | float) for value in values if value is not None)
    longest = max((len(code) for code in codes), default=0)
    return [code.zfill(5) if code and numeric and longest > 3 else code for code in codes]


def code_text(value: Any) -> str:
    """Return one code as text; 964.0 is 964, nothing is the empty text."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normal(str(value))


def text(value: Any) -> str:
    """Return a cell as text of one normal form."""
    return "" if value is None else normal(str(value))


def level_of(codes: Sequence[str]) -> str:
    """Say which level all the codes belong to; raises BoundaryError when they are no codes of one level."""
    lengths = {len(code) for code in codes}
    if all(re.fullmatch(r"[0-9]+", code) for code in codes) and len(lengths) == 1 and lengths <= set(DIGITS):
        return DIGITS[lengths.pop()]
    odd = [code for code in codes if not re.fullmatch(r"[0-9]{5}", code)]
    raise BoundaryError(
        "Cột mã có giá trị không phải mã đơn vị cấp xã gồm 5 chữ số (%(codes)s); "
        "hãy chỉ ra cột đúng bằng --map code=TÊN_CỘT.",
        codes=some(odd),
    )


def kind_of(stated: str, name: str) -> str | None:
    """Return the type of a unit from its type column or else from its name; None when neither tells."""
    for candidate in (stated, name):
        folded = fold(candidate)
        kind = next((k for k in KINDS if folded == fold(k) or folded.startswith(fold(k) + " ")), None)
        if kind is not None:
            return kind
        short = re.match(r"(tp|tt|tx|p|h|q|x)\b\.?", folded)
        if short is not None:
            return ABBREVIATIONS[short[1]]
    return None
