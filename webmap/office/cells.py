"""Cells of the attribute table: what a value reads like, and what a script needs to change it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _

from data import codes
from layers.fields import Field, FieldType
from webmap.pages import date_, number


def described(field: Field, lang: str) -> dict[str, Any]:
    """Return what the page tells its script of a field."""
    listed = field.code_list
    return {
        "name": field.name,
        "title": field.title[lang] + (f" ({field.unit[lang]})" if field.unit else ""),
        "type": field.type.value,
        "writable": field.writable,
        "required": field.required,
        "multiline": field.multiline,
        "sortable": field.sortable,
        "queryable": field.queryable,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "is_number": field.type in (FieldType.INTEGER, FieldType.NUMBER) and not field.codes,
        "codes": [(value, code.label(lang)) for value, code in listed.items()] if listed else None,
    }


def cell_of(field: Field, value: Any, lang: str) -> dict[str, Any]:
    """Return a value as text to read and as text to change."""
    if value is None or value == "":
        return {"text": "", "value": ""}
    raw = value.isoformat() if isinstance(value, dt.date | dt.datetime) else value
    return {
        "text": _text(field, value, lang),
        "value": str(raw).lower() if isinstance(raw, bool) else str(raw),
    }


def _text(field: Field, value: Any, lang: str) -> str:
    if field.codes:
        return codes.label(field.codes, value, lang) or str(value)
    if field.type == FieldType.BOOLEAN:
        return _("Có") if value else _("Không")
    if isinstance(value, dt.date | dt.datetime):
        return date_(value)
    if field.type == FieldType.INTEGER:
        return (
            str(value) if field.name.endswith(("_year", "_id")) or field.name == "version" else number(value)
        )
    if field.type == FieldType.NUMBER:
        return number(value, 2 if not float(value).is_integer() else 0)
    return str(value)
