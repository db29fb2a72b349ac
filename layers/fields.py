"""The words a layer is declared in: labels, fields, styles and the layer itself."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data import codes as code_lists
from data.accounts import Actor, Audience, scope

#: Raised when tiles or features of an unchanged record come to be written differently.
ANSWER_FORMAT = 1


@dataclass(frozen=True)
class Label:
    """A text in both languages."""

    vi: str
    en: str

    def __getitem__(self, lang: str) -> str:
        return self.en if lang == "en" else self.vi

    def __str__(self) -> str:
        return self.vi

    def as_dict(self) -> dict[str, str]:
        """Return {"vi": …, "en": …}."""
        return {"vi": self.vi, "en": self.en}


class FieldType(enum.StrEnum):
    """The types that every output format can carry."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


PYTHON_TYPES: Mapping[FieldType, type] = {
    FieldType.STRING: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: bool,
    FieldType.DATE: dt.date,
    FieldType.DATETIME: dt.datetime,
}


@dataclass(frozen=True)
class Field:
    """One published attribute.

    `source` is a column of the model, a path over relationships (`commune.district.name`), or a function that
    makes SQL from the model. `audience` says who reads it; `writable` whether editors may set it, and `while_`
    (a column and its value) until when: afterwards only an act of the programme changes it.
    """

    name: str
    title: Label
    type: FieldType = FieldType.STRING
    source: str | Callable[[Any], Any] = ""
    audience: Audience = Audience.PUBLIC
    writable: bool = False
    required: bool = False
    codes: str | None = None
    unit: Label | None = None
    queryable: bool = True
    sortable: bool = True
    in_tiles: bool = True
    minimum: float | None = None
    maximum: float | None = None
    multiline: bool = False
    help: Label | None = None
    while_: tuple[str, str] | None = None

    @property
    def path(self) -> str | Callable[[Any], Any]:
        """Where the value comes from."""
        return self.source or self.name

    @property
    def code_list(self) -> dict[str, code_lists.Code] | None:
        """The values the field may take, if they are listed."""
        return code_lists.code_list(self.codes) if self.codes else None

    def readable(self, actor: Actor) -> bool:
        """Tell whether the actor reads the field on at least some rows."""
        return scope(actor, self.audience) != "none"


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: one colour, or a colour per value of a field."""

    color: str
    outline: str = "#ffffff"
    opacity: float = 0.55
    by: str | None = None
    colors: Mapping[str, str] = field(default_factory=dict)
    radius: float = 5
    label: str | None = None
    label_minzoom: int = 11
    label_points: bool = False

    def label_layer(self, layer_id: str) -> str:
        """Name the tile layer that the names are drawn from: points of their own, or the shapes themselves."""
        return f"{layer_id}_labels" if self.label_points else layer_id


@dataclass(frozen=True)
class Layer:
    """One published layer: everything that any output needs to know of it.

    `temporal_field` (and `temporal_end`, where rows hold for a span) say which time `datetime` asks about.
    `is_coverage` says that the polygons tile their territory, without overlap or gap; `declared_area` names the
    field with the area in hectares that the owner stated.
    """

    id: str
    title: Label
    group: Label
    description: Label
    model: Any
    geometry: str
    fields: tuple[Field, ...]
    style: Style
    name_field: str = "name"
    search_title: str = "name"
    subtitle: tuple[str, ...] = ()
    minzoom: int = 5
    detail_zoom: int = 5
    maxzoom: int = 16
    overview_by: str | None = None
    by_edition: bool = False
    has_page: bool = False
    visible_at_start: bool = False
    editable_in_office: bool = False
    depends_on: tuple[str, ...] = ()
    temporal_field: str | None = "updated_at"
    temporal_end: str | None = None
    is_coverage: bool = False
    declared_area: str | None = None

    @property
    def table(self) -> str:
        """The table that holds the rows; layers and tables share their names."""
        return str(self.model.__tablename__)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A short hash of what the declaration shows: answers made under another declaration are not reused."""
        shown = [
            (f.name, f.type.value, int(f.audience), f.codes, f.in_tiles, f.title.vi) for f in self.fields
        ]
        zooms = (self.minzoom, self.detail_zoom, self.maxzoom, self.overview_by)
        described = repr((ANSWER_FORMAT, shown, zooms, self.style))
        return hashlib.sha256(described.encode()).hexdigest()[:6]

    def field(self, name: str) -> Field:
        """Return a field by name; KeyError when the layer has none of that name."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def readable_fields(self, actor: Actor) -> tuple[Field, ...]:
        """List the fields that the actor reads on at least some rows."""
        return tuple(f for f in self.fields if f.readable(actor))

    def page_address(self, row_id: int | str) -> str | None:
        """Return the address of a row's page."""
        return f"/{self.id}/{row_id}" if self.has_page else None
