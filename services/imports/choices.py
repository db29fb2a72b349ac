"""What somebody decides about a file before it is imported; kept with the upload and remembered per source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gis.errors import marked
from gis.inspect import TableColumns
from layers.fields import Layer
from services.imports.refusals import NotReady

ADD, UPDATE, BOTH = "add", "update", "both"
MODES = (ADD, UPDATE, BOTH)
ROW_ID = "id"
"""The key of rows that came out of the record with their number."""

_FLAGS = ("swapped", "outlines", "skip_refused", "skip_duplicates", "without_place")
_TEXTS = ("layer", "encoding", "crs", "match")
_MAPS = ("fields", "fixed")
LONGEST = 2_000


@dataclass(frozen=True)
class Choices:
    """The choices for one file.

    `layer` is the layer within the file; `crs` what its numbers are in; `columns` where a table keeps its
    coordinates; `outlines` takes closed GPS tracks as areas; `fields` gives each field its column, `fixed` one
    value for all rows, `values` what texts of the file stand for in a code list. `mode` says whether rows are
    added, matched by `match`, or both.
    """

    layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    swapped: bool = False
    outlines: bool = False
    columns: dict[str, Any] | None = None
    fields: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    mode: str = ADD
    match: str | None = None
    skip_refused: bool = False
    skip_duplicates: bool = False
    without_place: bool = False

    @property
    def table(self) -> TableColumns | None:
        """The columns of the coordinates as the file reader wants them."""
        return TableColumns.of(self.columns) if self.columns else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def with_(self, changes: Mapping[str, Any]) -> Choices:
        """These choices with some made anew, from JSON; raises NotReady for what is no choice."""
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Choices:
        """Choices that were kept, unknown names left out."""
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        return cls().with_(known)


def _checked(name: str, value: Any) -> Any:
    right = (
        (name in _FLAGS and isinstance(value, bool))
        or (name in _TEXTS and (value is None or (isinstance(value, str) and len(value) <= LONGEST)))
        or (name in _MAPS and _is_texts(value))
        or (name == "values" and isinstance(value, Mapping) and all(_is_texts(v) for v in value.values()))
        or (name == "mode" and value in MODES)
        or (name == "columns" and (value is None or _is_columns(value)))
    )
    if not right:
        raise NotReady(marked("Lựa chọn “%(name)s” không đúng."), step="choices", name=name)
    if name in _MAPS:
        return {k: v for k, v in value.items() if v != ""}
    if name == "values":
        return {k: dict(v) for k, v in value.items()}
    return value or None if name in _TEXTS else value


def _is_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(k, str) and isinstance(v, str) and len(k) + len(v) <= LONGEST for k, v in value.items()
    )


def _is_columns(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    texts = all(value.get(name) is None or isinstance(value[name], str) for name in ("x", "y", "sheet"))
    row = value.get("header_row", 1)
    kinds = ("projected", "degrees", "dms", "parts", "pair", "wkt")
    return texts and isinstance(row, int) and 1 <= row <= 1000 and value.get("kind") in kinds


def source_key(columns: Iterable[str]) -> str:
    """Name the source of a file by its columns, whatever their order and case: files of one office share it."""
    names = sorted(name.casefold() for name in columns)
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:32]


def remembered(choices: Choices) -> dict[str, Any]:
    """What of the choices holds for the next file of the same source."""
    kept = choices.as_dict()
    for name in ("layer", "columns", "skip_refused"):
        del kept[name]
    return kept


def check_fields(layer: Layer, choices: Choices, columns: Iterable[str]) -> None:
    """Raise NotReady for unknown fields, columns and codes, and for required fields that nothing fills."""
    present = list(columns)
    writable = {f.name: f for f in layer.fields if f.writable}
    for name in (*choices.fields, *choices.fixed, *choices.values):
        if name not in writable:
            raise NotReady(
                marked("Lớp %(layer)s không có trường “%(name)s” để nhập; các trường: %(known)s."),
                step="fields",
                layer=layer.id,
                name=name,
                known=", ".join(writable),
            )
    for name, column in choices.fields.items():
        if column not in present:
            raise NotReady(
                marked("Tệp không có cột “%(column)s”; các cột: %(known)s."),
                step="fields",
                field=name,
                column=column,
                known=", ".join(present) or "–",
            )
    if choices.mode == ADD or choices.mode == BOTH:
        _check_required(layer, choices, present)
    if choices.mode != ADD:
        _check_match(layer, choices, present)


def _check_required(layer: Layer, choices: Choices, present: list[str]) -> None:
    filled = {*choices.fields, *choices.fixed}
    missing = [f for f in layer.fields if f.required and f.name not in filled]
    if missing:
        raise NotReady(
            marked(
                "Tệp không có cột cho trường bắt buộc “%(title)s”; hãy chọn cột, hoặc thêm "
                "--map %(name)s=TÊN_CỘT. Các cột: %(known)s."
            ),
            step="fields",
            field=missing[0].name,
            title=missing[0].title,
            name=missing[0].name,
            known=", ".join(present) or "–",
        )


def _check_match(layer: Layer, choices: Choices, present: list[str]) -> None:
    if choices.match == ROW_ID:
        if id_column(present) is None:
            raise NotReady(
                marked("Tệp không có cột id để khớp với bản ghi đã có."), step="fields", field="match"
            )
    elif choices.match is None or choices.match not in choices.fields:
        raise NotReady(
            marked("Hãy chọn trường dùng để khớp với bản ghi đã có, và cột của trường đó."),
            step="fields",
            field="match",
        )


def id_column(columns: Iterable[str]) -> str | None:
    """The column that holds the record's own numbers, as exports write it."""
    return next((name for name in columns if name.casefold() in ("id", "fid_ocop")), None)
