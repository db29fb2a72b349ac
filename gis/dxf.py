"""DXF of release 12, the form that every drawing program reads: points, polylines, names, data of each entity.

Source: AutoCAD DXF reference, release 12 (AC1009). Release 12 knows no areas, so a polygon is the closed polylines
of its rings; letters beyond ASCII are written as `\\U+XXXX`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

APPLICATION = "OCOPMAP"
LONGEST_LAYER = 31
LONGEST_STRING = 250
DECIMALS = 4
CLOSED, OPEN = 1, 0

_COLORS = {
    1: (255, 0, 0),
    2: (255, 255, 0),
    3: (0, 255, 0),
    4: (0, 255, 255),
    5: (0, 0, 255),
    6: (255, 0, 255),
    8: (128, 128, 128),
    30: (255, 127, 0),
    42: (204, 178, 102),
    94: (0, 153, 0),
    140: (0, 191, 255),
    12: (189, 0, 0),
    200: (191, 0, 255),
}


@dataclass(frozen=True)
class DrawingLayer:
    """One layer of the drawing: its name, and its colour as `#rrggbb`."""

    name: str
    color: str


@dataclass(frozen=True)
class Entity:
    """One shape (x, y in drawing units), the layer it is on, a text at a point of it, and data that belong to it."""

    shape: shapely.Geometry
    layer: str
    text: str = ""
    data: Sequence[str] = field(default_factory=tuple)


def layer_name(text: str) -> str:
    """A name that release 12 takes: capitals, digits, `$`, `-` and `_`, no more than 31."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^A-Z0-9$_-]+", "_", plain.upper()).strip("_")[:LONGEST_LAYER] or "0"


def head(
    layers: Sequence[DrawingLayer], bounds: tuple[float, float, float, float], remarks: Sequence[str] = ()
) -> str:
    """The beginning of a drawing: remarks, extent (min x, min y, max x, max y) and layers."""
    west, south, east, north = bounds
    lines = _pairs(*((999, remark) for remark in remarks))
    lines += _pairs((0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009"))
    lines += _pairs((9, "$EXTMIN"), (10, _number(west)), (20, _number(south)), (30, "0.0"))
    lines += _pairs((9, "$EXTMAX"), (10, _number(east)), (20, _number(north)), (30, "0.0"), (0, "ENDSEC"))
    lines += _pairs((0, "SECTION"), (2, "TABLES"), (0, "TABLE"), (2, "LTYPE"), (70, 1), (0, "LTYPE"))
    lines += _pairs(
        (2, "CONTINUOUS"), (70, 0), (3, "Solid line"), (72, 65), (73, 0), (40, "0.0"), (0, "ENDTAB")
    )
    lines += _pairs((0, "TABLE"), (2, "LAYER"), (70, len(layers)))
    for layer in layers:
        lines += _pairs(
            (0, "LAYER"), (2, layer.name), (70, 0), (62, nearest_color(layer.color)), (6, "CONTINUOUS")
        )
    lines += _pairs(
        (0, "ENDTAB"), (0, "TABLE"), (2, "APPID"), (70, 1), (0, "APPID"), (2, APPLICATION), (70, 0)
    )
    return lines + _pairs((0, "ENDTAB"), (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES"))


def tail() -> str:
    """The end of a drawing."""
    return _pairs((0, "ENDSEC"), (0, "EOF"))


def entity_text(entity: Entity, *, text_height: float) -> str:
    """The entities that draw one shape: points, and polylines that are closed where they are rings."""
    parts = list(_parts(entity.shape))
    written = "".join(_part(entity, part) for part in parts)
    if entity.text and parts:
        point = entity.shape.representative_point()
        written += _pairs(
            (0, "TEXT"), (8, entity.layer), (10, _number(point.x)), (20, _number(point.y)), (30, "0.0"),
            (40, _number(text_height)), (1, escaped(entity.text)),
        )  # fmt: skip
    return written


def escaped(text: str) -> str:
    """A text on one line, in ASCII."""
    flat = " ".join(text.split())
    return "".join(letter if letter.isascii() else _escape(letter) for letter in flat)


def nearest_color(color: str) -> int:
    """The number of the drawing colour that is nearest to `#rrggbb`."""
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return min(_COLORS, key=lambda number: int(((np.array(_COLORS[number]) - wanted) ** 2).sum()))


def _escape(letter: str) -> str:
    code = letter.encode("utf-16-be").hex().upper()
    return "".join(f"\\U+{code[i : i + 4]}" for i in range(0, len(code), 4))


def _part(entity: Entity, part: tuple[np.ndarray, int] | np.ndarray) -> str:
    data = _data(entity.data)
    if isinstance(part, np.ndarray):
        x, y = part[0]
        return _pairs((0, "POINT"), (8, entity.layer), (10, _number(x)), (20, _number(y)), (30, "0.0")) + data
    xy, closed = part
    begin = _pairs(
        (0, "POLYLINE"), (8, entity.layer), (66, 1), (10, "0.0"), (20, "0.0"), (30, "0.0"), (70, closed)
    )
    vertices = "".join(
        f"0\nVERTEX\n8\n{entity.layer}\n10\n{_number(x)}\n20\n{_number(y)}\n30\n0.0\n" for x, y in xy.tolist()
    )
    return begin + data + vertices + _pairs((0, "SEQEND"), (8, entity.layer))


def _parts(shape: shapely.Geometry) -> Iterator[tuple[np.ndarray, int] | np.ndarray]:
    for part in shapely.get_parts(shape):
        if part.is_empty:
            continue
        if part.geom_type == "Point":
            yield shapely.get_coordinates(part)
        elif part.geom_type == "Polygon":
            for ring in shapely.get_rings(part):
                yield shapely.get_coordinates(ring)[:-1], CLOSED
        elif part.geom_type == "GeometryCollection":
            yield from _parts(part)
        else:
            yield shapely.get_coordinates(part), OPEN


def _data(strings: Sequence[str]) -> str:
    if not strings:
        return ""
    return _pairs((1001, APPLICATION), *((1000, escaped(text)[:LONGEST_STRING]) for text in strings))


def _number(value: float) -> str:
    return f"{value:.{DECIMALS}f}" if abs(value) > 400 else f"{value:.8f}"


def _pairs(*pairs: tuple[int, object]) -> str:
    return "".join(f"{code}\n{value}\n" for code, value in pairs)
