"""What lies under a pixel: the rows there, as text, HTML or GeoJSON. Source: OGC 06-042 §7.4."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from flask import Response, render_template
from flask_babel import gettext as _

from data import codes
from gis import geojson
from layers import read
from layers.fields import Field, Layer
from services import context
from services.styles.symbols import symbols
from services.wms.faults import ServiceException
from services.wms.picture import lonlat_box, visible_at, zoom_in
from services.wms.request import MOST_FEATURES, Box, MapRequest, Parameters, read_layers

TEXT, HTML, JSON, GEOJSON = "text/plain", "text/html", "application/json", "application/geo+json"
INFO_FORMATS = (TEXT, HTML, JSON, GEOJSON)
TOLERANCE = 3.0
"""Pixels around the asked one in which a shape still counts; for points their radius is added."""


def answer(parameters: Parameters, wanted: MapRequest) -> Response:
    """Answer GetFeatureInfo for a map."""
    layers = read_layers(parameters, "QUERY_LAYERS")
    foreign = [layer.id for layer in layers if layer not in wanted.layers]
    if foreign:
        raise ServiceException(
            "Lớp “%(layer)s” không nằm trong bản đồ được hỏi.",
            code="LayerNotDefined",
            locator="query_layers",
            layer=foreign[0],
        )
    media_type = parameters.get("INFO_FORMAT", TEXT).lower().replace(" ", "")
    if media_type not in INFO_FORMATS:
        raise ServiceException(
            "Không có định dạng “%(format)s”.",
            code="InvalidFormat",
            locator="info_format",
            format=media_type[:80],
        )
    column, row = _pixel(parameters, wanted)
    most = parameters.integer("FEATURE_COUNT", minimum=1, maximum=10_000, default=1)
    found = _found(layers, wanted, column, row, min(most, MOST_FEATURES))
    if media_type in (JSON, GEOJSON):
        return Response(_as_json(found), mimetype=media_type)
    sections = [_section(layer, page) for layer, page in found if len(page)]
    if media_type == HTML:
        return Response(render_template("wms/feature_info.html", sections=sections), mimetype=HTML)
    return Response(_as_text(sections), mimetype=TEXT)


def _pixel(parameters: Parameters, wanted: MapRequest) -> tuple[int, int]:
    names = ("I", "J") if wanted.version == "1.3.0" and parameters.has("I") else ("X", "Y")
    if wanted.version == "1.3.0" and names == ("X", "Y") and not parameters.has("X"):
        names = ("I", "J")
    place = []
    for name, size in zip(names, (wanted.width, wanted.height), strict=True):
        text = parameters.required(name)
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) >= size:
            raise ServiceException(
                "Điểm ảnh %(locator)s phải là số nguyên từ 0 đến %(most)s.",
                code="InvalidPoint",
                locator=name.lower(),
                most=size - 1,
            )
        place.append(int(text))
    return place[0], place[1]


def _found(
    layers: tuple[Layer, ...], wanted: MapRequest, column: int, row: int, most: int
) -> list[tuple[Layer, read.Rows]]:
    """Find the rows at a pixel, the uppermost layer first, not more than `most` of each."""
    whole = lonlat_box(wanted.frame, wanted.crs)
    if whole is None:
        return []
    zoom = zoom_in(whole, wanted.width)
    found = []
    for layer in reversed(layers):
        reach = TOLERANCE + (symbols(layer, zoom).paints[0].radius if layer.geometry == "POINT" else 0)
        box = lonlat_box(_around(wanted, column + 0.5, row + 0.5, reach), wanted.crs)
        if box is not None and visible_at(layer, zoom):
            query = read.Query(layer, context.actor(), box=box, limit=most)
            found.append((layer, read.rows(context.session(), query)))
    return found


def _around(wanted: MapRequest, column: float, row: float, reach: float) -> Box:
    min_x, min_y, max_x, max_y = wanted.frame
    wide, high = (max_x - min_x) / wanted.width, (max_y - min_y) / wanted.height
    x, y = min_x + column * wide, max_y - row * high
    return x - reach * wide, y - reach * high, x + reach * wide, y + reach * high


def _as_json(found: list[tuple[Layer, read.Rows]]) -> bytes:
    features: list[bytes] = []
    for layer, page in found:
        ids = [f"{layer.id}.{number}" for number in page.ids.tolist()]
        features += geojson.feature_texts(ids, page.wkb, page.names, page.columns)
    return b'{"type":"FeatureCollection","numberReturned":%d,"features":[%b]}' % (
        len(features),
        b",".join(features),
    )


def _section(layer: Layer, page: read.Rows) -> dict[str, Any]:
    """Put the rows of a layer into words: titles, labels of codes, units; values that are missing are left out."""
    lang = context.language()
    rows = []
    for record in page.records():
        facts = [
            (field.title[lang], _worded(field, record[field.name], lang))
            for field in page.fields
            if record[field.name] is not None
        ]
        rows.append(
            {
                "title": record.get(layer.name_field) or f"{layer.id}.{record['id']}",
                "page": layer.page_address(record["id"]),
                "facts": facts,
            }
        )
    return {"title": layer.title[lang], "rows": rows}


def _worded(field: Field, value: Any, lang: str) -> str:
    if field.codes:
        return codes.label(field.codes, value, lang)
    if isinstance(value, bool):
        return str(_("có") if value else _("không"))
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    text = f"{value:.10g}" if isinstance(value, float | np.floating) else str(value)
    return f"{text} {field.unit}" if field.unit else text


def _as_text(sections: list[dict[str, Any]]) -> str:
    if not sections:
        return str(_("Không có gì ở đây.")) + "\n"
    lines: list[str] = []
    for section in sections:
        lines.append(section["title"])
        for row in section["rows"]:
            lines += [f"  {row['title']}", *(f"    {name}: {text}" for name, text in row["facts"])]
    return "\n".join(lines) + "\n"
