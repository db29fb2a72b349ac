"""What explains a file where it is kept: a data dictionary, code lists, and the style of the layer.

Source: OGC 12-128r15 (attributes tables of a GeoPackage); `layer_styles` is the table that QGIS and GDAL look in.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from data import codes
from data.accounts import SYSTEM
from layers.fields import Field, FieldType, Label, Layer, Style
from services.formats.base import Features

STYLES = "layer_styles"
CODES_PREFIX = "codes_"

TYPES: Mapping[FieldType, Label] = {
    FieldType.STRING: Label("chữ", "text"),
    FieldType.INTEGER: Label("số nguyên", "whole number"),
    FieldType.NUMBER: Label("số thập phân", "decimal number"),
    FieldType.BOOLEAN: Label("có hoặc không", "yes or no"),
    FieldType.DATE: Label("ngày", "date"),
    FieldType.DATETIME: Label("ngày giờ", "date and time"),
}
ID_TITLE = Label("Số bản ghi", "Number of the record")
COLUMNS = (
    Label("Tên trong tệp", "Name in the file"),
    Label("Tên đầy đủ", "Full name"),
    Label("Tiêu đề", "Title"),
    Label("Kiểu", "Type"),
    Label("Đơn vị", "Unit"),
    Label("Danh mục mã", "Code list"),
    Label("Ghi chú", "Note"),
)
CODE_COLUMNS = (
    Label("Danh mục", "List"),
    Label("Mã", "Code"),
    Label("Tiếng Việt", "Vietnamese"),
    Label("Tiếng Anh", "English"),
    Label("Hiệu lực từ", "Valid from"),
    Label("Hiệu lực đến", "Valid to"),
    Label("Căn cứ", "Source"),
)


@dataclass(frozen=True)
class Entry:
    """What a data dictionary says of one column of a file."""

    name: str
    full_name: str
    title: str
    type: str
    unit: str
    codes: str
    note: str

    def cells(self) -> list[str]:
        """The entry in the order of `COLUMNS`."""
        return [self.name, self.full_name, self.title, self.type, self.unit, self.codes, self.note]


def entries(
    features: Features, language: str, names: Sequence[str] = (), notes: Mapping[str, str] | None = None
) -> list[Entry]:
    """Describe the id and every field; `names` are those in the file, where they differ, `notes` are by field."""
    fields, notes = features.fields, notes or {}
    names = names or ["id", *(f.name for f in fields)]
    described = [Entry(names[0], "id", ID_TITLE[language], TYPES[FieldType.INTEGER][language], "", "", "")]
    for name, field in zip(names[1:], fields, strict=True):
        described.append(
            Entry(
                name,
                field.name,
                field.title[language],
                TYPES[field.type][language],
                field.unit[language] if field.unit else "",
                field.codes or "",
                notes.get(field.name, ""),
            )
        )
    return described


def code_rows(fields: Sequence[Field]) -> list[list[str]]:
    """Return the values of all code lists that the fields use, in the order of `CODE_COLUMNS`."""
    lists = dict.fromkeys(f.codes for f in fields if f.codes)
    return [
        [name, code.value, code.vi, code.en, _day(code.valid_from), _day(code.valid_to), code.source]
        for name in lists
        for code in codes.code_list(name).values()
    ]


def csv_bytes(head: Sequence[Label], rows: Sequence[Sequence[str]], language: str) -> bytes:
    """A small table as CSV that spreadsheets open as it is."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([label[language] for label in head])
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def readable(features: Features, language: str, described: Sequence[Entry], remarks: Sequence[str]) -> bytes:
    """The data dictionary as text for people: the layer, remarks on the file, every field and its codes."""
    layer = features.layer
    lines = [layer.title[language], layer.description[language], "", *remarks, ""]
    for entry in described:
        unit = f", {entry.unit}" if entry.unit else ""
        full = "" if entry.name == entry.full_name else f" ({entry.full_name})"
        lines.append(f"{entry.name}{full}: {entry.title} [{entry.type}{unit}]")
        if entry.note:
            lines.append(f"    {entry.note}")
        if entry.codes:
            values = codes.code_list(entry.codes).values()
            lines += [f"    {code.value} = {code.label(language)}" for code in values]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def narrowed(features: Features) -> Layer:
    """The layer as far as the file holds it: only its fields, and a style that needs no others."""
    layer, held = features.layer, {f.name for f in features.fields}
    style: Style = layer.style
    if style.by not in held:
        style = replace(style, by=None, colors={})
    if style.label not in held:
        style = replace(style, label=None)
    return replace(layer, fields=features.fields, style=style)


def put_into_geopackage(connection: sqlite3.Connection, features: Features, language: str) -> None:
    """Write the layer's style, for QGIS and as SLD, and its code lists as attributes tables."""
    # The writers of styles are services of their own, which know formats.
    from services.styles import qml, sld

    layer = narrowed(features)
    connection.execute(
        f"CREATE TABLE {STYLES} (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, "
        "f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, "
        "styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, "
        "update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
    )
    drawn = qml.document(layer, SYSTEM, language, editable=False).decode()
    described = sld.document([layer], "1.1.0", language).decode()
    title = layer.title[language]
    connection.execute(
        f"INSERT INTO {STYLES} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, 'geom', ?, ?, ?, 1, ?, '')",
        (layer.id, layer.id, drawn, described, title),
    )
    _register(connection, STYLES, title)
    rows = code_rows(features.fields)
    for name in dict.fromkeys(row[0] for row in rows):
        table = f"{CODES_PREFIX}{name}"
        connection.execute(
            f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, code TEXT, vi TEXT, '
            "en TEXT, valid_from DATE, valid_to DATE, source TEXT)"
        )
        values = [[cell or None for cell in row[1:]] for row in rows if row[0] == name]
        connection.executemany(
            f'INSERT INTO "{table}" (code, vi, en, valid_from, valid_to, source) VALUES (?, ?, ?, ?, ?, ?)',
            values,
        )
        _register(connection, table, table)


def _register(connection: sqlite3.Connection, table: str, title: str) -> None:
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES (?, 'attributes', ?, ?)",
        (table, table, title),
    )


def _day(value: Any) -> str:
    return value.isoformat() if value else ""
