"""KML for Google Earth and phones: folders by what the colours mean, Vietnamese titles, every value of the record.

Source: OGC 12-007r2 (KML 2.2).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from data import codes
from gis.kmlwrite import geometry_texts
from layers import styles
from layers.fields import Field, FieldType, Label
from layers.read import Rows
from services.formats import companions
from services.formats.base import Context, Features, Shapes, bytes_of, is_textual, text_of

MEDIA_TYPE = "application/vnd.google-earth.kml+xml"

_YES, _NO = Label("có", "yes"), Label("không", "no")
_FORBIDDEN = {code: None for code in (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)}


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A document in WGS84 with a style per colour of the layer, and a folder per colour that has features.

    A placemark's balloon tells the titles and the meanings of codes; its ExtendedData holds the values as the
    record has them, named like the fields, so that programs read them back.
    """
    layer, lang = companions.narrowed(features), context.language
    legend = styles.legend(layer)
    yield "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
            f"<name>{_xml(layer.title[lang])}</name>",
            f"<description>{_xml(layer.description[lang])}</description>",
            *(_style(layer.geometry, number, entry, layer.style) for number, entry in enumerate(legend)),
            "",
        ]
    ).encode()
    numbers = {entry["value"]: number for number, entry in enumerate(legend)}
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        parts = _Parts(Path(folder))
        for page in features.pages:
            _sort(page, features, context, numbers, layer.style.by, parts)
        parts.close()
        for number, entry in enumerate(legend):
            if number in parts.files:
                yield f"<Folder><name>{_xml(entry['label'][lang])}</name>\n".encode()
                yield from bytes_of(parts.path(number))
                yield b"</Folder>\n"
    yield b"</Document></kml>\n"


class _Parts:
    """The placemarks of each folder, kept on disk until all rows have been seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[int, IO[str]] = {}

    def path(self, number: int) -> Path:
        """Where the placemarks of a folder lie."""
        return self.folder / f"{number}.xml"

    def add(self, number: int, text: str) -> None:
        """Add one placemark."""
        if number not in self.files:
            self.files[number] = self.path(number).open("w", encoding="utf-8")
        self.files[number].write(text)

    def close(self) -> None:
        """Finish all files."""
        for file in self.files.values():
            file.close()


def _sort(
    page: Rows, features: Features, context: Context, numbers: dict[Any, int], by: str | None, parts: _Parts
) -> None:
    other = numbers.get(None, 0)
    kinds = page.by_name()[by] if by else [None] * len(page)
    bodies = _placemarks(page, features, context)
    for kind, body in zip(kinds, bodies, strict=True):
        number = numbers.get(None if kind is None else str(kind), other)
        parts.add(number, f"<Placemark{body[0]}<styleUrl>#s{number}</styleUrl>{body[1]}</Placemark>\n")


def _placemarks(page: Rows, features: Features, context: Context) -> Iterator[tuple[str, str]]:
    """What stands before and after the style of each placemark."""
    lang = context.language
    shapes = geometry_texts(Shapes(page, context.target).lonlat) if features.geometry else [""] * len(page)
    columns = [
        [None if v is None else _value(f, v, textual=textual) for v in column]
        for f, column in zip(features.fields, page.columns, strict=True)
        for textual in [is_textual(f.type, column)]
    ]
    name_field = features.layer.name_field
    heads = [(f, f.title[lang] + (f" ({f.unit[lang]})" if f.unit else "")) for f in features.fields]
    for row_id, shape, *values in zip(context.ids(features.layer, page), shapes, *columns, strict=True):
        told, data = [], [_data("id", companions.ID_TITLE[lang], str(row_id))]
        name = str(row_id)
        for (field, title), value in zip(heads, values, strict=True):
            if value is None:
                continue
            if field.name == name_field:
                name = value
            told.append(f"{title}: {_meaning(field, value, lang)}")
            data.append(_data(field.name, title, value))
        before = f' id="{features.layer.id}.{row_id}"><name>{_xml(name)}</name>'
        before += f"<description>{_xml(chr(10).join(told))}</description>"
        yield before, f"<ExtendedData>{''.join(data)}</ExtendedData>{shape}"


def _data(name: str, title: str, value: str) -> str:
    return f"<Data name={quoteattr(name)}><displayName>{_xml(title)}</displayName><value>{_xml(value)}</value></Data>"


def _value(field: Field, value: Any, *, textual: bool) -> str:
    if not textual and field.type == FieldType.BOOLEAN:
        return "true" if value else "false"
    if not textual and field.type == FieldType.NUMBER:
        return repr(float(value))
    return text_of(value)


def _meaning(field: Field, value: str, lang: str) -> str:
    if field.codes:
        return codes.label(field.codes, value, lang)
    if field.type == FieldType.BOOLEAN:
        return (_YES if value == "true" else _NO)[lang]
    return value


def _style(geometry: str, number: int, entry: dict[str, Any], style: Any) -> str:
    color = _color(entry["color"], 1.0)
    if geometry in ("POINT", "MULTIPOINT"):
        inner = f"<IconStyle><color>{color}</color><scale>0.9</scale></IconStyle>"
    else:
        fill = _color(entry["color"], style.opacity)
        inner = f"<LineStyle><color>{color}</color><width>1.5</width></LineStyle>"
        inner += f"<PolyStyle><color>{fill}</color><fill>{int(style.opacity > 0)}</fill></PolyStyle>"
    return f'<Style id="s{number}">{inner}</Style>'


def _color(color: str, opacity: float) -> str:
    """A colour as KML writes it: alpha, blue, green, red."""
    red, green, blue = color[1:3], color[3:5], color[5:7]
    return f"{round(opacity * 255):02x}{blue}{green}{red}".lower()


def _xml(text: str) -> str:
    return escape(text.translate(_FORBIDDEN))
