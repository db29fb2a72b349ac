"""CSV (RFC 4180) that spreadsheets open as it is, with the place as WKT or as two columns."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.fields import FieldType
from layers.read import Rows
from services.formats.base import Context, Features, Shapes, is_textual, is_wgs84, text_of

MEDIA_TYPE = "text/csv"
MARK = "\ufeff"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[\d., ]+")


def write(features: Features, context: Context) -> Iterator[bytes]:
    """Lines of UTF-8 text under a line of field names, one piece per page.

    Points have their place in `longitude` and `latitude` (`x` and `y` in projected systems), other shapes as
    `wkt`, unless `context.lonlat` decides; two columns then hold a point inside the shape. x stands before y.
    """
    lonlat = features.layer.geometry == "POINT" if context.lonlat is None else context.lonlat
    place: list[str] = []
    if features.geometry:
        axes = ["longitude", "latitude"] if context.target.is_degrees else ["x", "y"]
        place = axes if lonlat else ["wkt"]
    head = _lines([["id", *(f.name for f in features.fields), *place]])
    yield ((MARK if context.marked else "") + head).encode()
    for page in features.pages:
        columns = [_cells(f.type, c) for f, c in zip(features.fields, page.columns, strict=True)]
        if place:
            columns += _places(page, context, lonlat=lonlat)
        yield _lines(zip(context.ids(features.layer, page), *columns, strict=True)).encode()


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cells(kind: FieldType, column: Sequence[Any]) -> list[Any]:
    if is_textual(kind, column):
        return [_text(value) for value in column]
    match kind:
        case FieldType.BOOLEAN:
            return ["" if v is None else "true" if v else "false" for v in column]
        case FieldType.DATETIME:
            return ["" if v is None else _moment(v) for v in column]
        case _:
            return list(column)


def _text(value: Any) -> str:
    return "" if value is None else harmless(text_of(value))


def harmless(text: str) -> str:
    """The text, marked as text where a spreadsheet would take it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _moment(value: dt.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _places(page: Rows, context: Context, *, lonlat: bool) -> list[list[str]]:
    shapes, decimals = Shapes(page, context.target), context.target.decimals
    if not lonlat:
        texts = shapely.to_wkt(shapes.moved, rounding_precision=decimals)
        return [["" if text is None else text for text in texts.tolist()]]
    return [_decimals(values, decimals) for values in inner_points(page, context)]


def inner_points(page: Rows, context: Context) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y in the target system of a point inside each shape (N each), NaN where there is none."""
    # The point is found before moving, so that it lies inside the shape as the record has it.
    points = shapely.point_on_surface(Shapes(page, context.target).lonlat)
    if not is_wgs84(context.target):
        points = Shapes(Rows((), page.ids, shapely.to_wkb(points), []), context.target).moved
    return shapely.get_x(points), shapely.get_y(points)


def _decimals(values: Any, decimals: int) -> list[str]:
    return ["" if np.isnan(v) else f"{v:.{decimals}f}" for v in values.tolist()]
