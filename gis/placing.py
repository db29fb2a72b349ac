"""Finding the coordinate columns of a table, and making points and outlines of its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import shapely
from shapely.errors import ShapelyError

from gis.coordinates import COMMA, POINT, is_marked_angle, number_style, parse_angle, parse_number, parse_pair
from gis.inspection import Notice, TableColumns
from gis.sheets import Cell, Row
from gis.tables import Table, sample
from gis.text import fold

Placer = Callable[[Row], tuple[shapely.Geometry | None, Notice | None]]

# Ranges of Vietnam; in its projections the northing is always the larger number.
_LON, _LAT = (101.0, 118.0), (6.0, 24.0)
_EAST, _NORTH = (150_000.0, 900_000.0), (900_000.0, 2_650_000.0)

_WKT = re.compile(r"(SRID=(\d+);)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\b", re.IGNORECASE)
_LON_NAME = re.compile(r"\b(lon|long|lng|longitude|kinh ?do|k ?do|kd)\b")
_LAT_NAME = re.compile(r"\b(lat|latitude|vi ?do|v ?do|vd)\b")
_X_NAME = re.compile(r"\b(x|xcoord|x ?vn2000|pointx|coordx|toadox|tdx)\b")
_Y_NAME = re.compile(r"\b(y|ycoord|y ?vn2000|pointy|coordy|toadoy|tdy)\b")
_EAST_NAME = re.compile(r"(toa do )?(e|east|easting|dong)( m)?")
_NORTH_NAME = re.compile(r"(toa do )?(n|north|northing|bac)( m)?")
_MINUTES = re.compile(r"\b(phut|ph|p|minutes?|min|m)\b")
_SECONDS = re.compile(r"\b(giay|gi|g|seconds?|sec|s)\b")
_MOST, _HALF = 0.8, 0.5
"""Share of the cells that must fit: where only they tell, and where the column's name tells too."""


def find_columns(table: Table) -> TableColumns | None:
    """The coordinate columns of a table, by their names and by what they hold; None when there are none."""
    rows = sample(table)
    cells = {name: [row[at] for row in rows if row[at] is not None] for at, name in enumerate(table.names)}
    found = _wkt(cells) or _parts(cells) or _named(cells) or _pair(cells) or _by_values(cells)
    if found is None:
        return None
    x, y, kind, surveyor = found
    return TableColumns(
        x, y, kind, table.header_row, table.name if table.format == "xlsx" else None, surveyor
    )


def placer(table: Table, columns: TableColumns) -> Placer:
    """What makes the geometry of a row, or says why the row has none; raises KeyError for unknown columns."""
    at = {name: number for number, name in enumerate(table.names)}
    x = at[columns.x or ""]
    if columns.kind == "wkt":
        return lambda row: _outline(row[x])
    if columns.kind == "pair":
        return lambda row: _pair_point(row[x])
    y = at[columns.y or ""]
    if columns.kind == "parts":
        if max(x, y) + 2 >= len(table.names):
            raise KeyError(table.names[max(x, y)])
        return lambda row: _point(row[x], row[y], _joined(row[x : x + 3]), _joined(row[y : y + 3]))
    rows = sample(table)
    styles = [_style([row[column] for row in rows], columns.kind) for column in (x, y)]
    read = _number if columns.kind == "projected" else _degrees

    def place(row: Row) -> tuple[shapely.Geometry | None, Notice | None]:
        return _point(row[x], row[y], read(row[x], styles[0]), read(row[y], styles[1]))

    return place


def declared_srid(table: Table, columns: TableColumns) -> str | None:
    """The reference system that every outline of a text column names, as EWKT does; else None."""
    if columns.kind != "wkt":
        return None
    at = table.names.index(columns.x or "")
    marks = [_WKT.match(str(row[at])) for row in sample(table) if row[at] is not None]
    numbers = {mark[2] for mark in marks if mark}
    return f"EPSG:{numbers.pop()}" if len(numbers) == 1 and None not in numbers else None


def _wkt(cells: dict[str, list[Cell]]) -> tuple[str, str | None, str, bool] | None:
    for name, values in cells.items():
        if _share(values, lambda value: isinstance(value, str) and bool(_WKT.match(value))) >= _MOST:
            return name, None, "wkt", False
    return None


def _parts(cells: dict[str, list[Cell]]) -> tuple[str, str | None, str, bool] | None:
    """Degrees, minutes and seconds in three columns side by side, for the longitude and for the latitude."""
    names = list(cells)
    found: dict[str, list[str]] = {"lon": [], "lat": []}
    for degrees, minutes, seconds in zip(names, names[1:], names[2:], strict=False):
        named = _MINUTES.search(_simple(minutes)) and _SECONDS.search(_simple(seconds))
        if not named or not all(_within(cells[n], (0.0, 60.0), _number, _MOST) for n in (minutes, seconds)):
            continue
        for side, span in (("lon", _LON), ("lat", _LAT)):
            if _within(cells[degrees], span, _number, _MOST):
                found[side].append(degrees)
    lon, lat = found["lon"], found["lat"]
    return (lon[0], lat[0], "parts", False) if len(lon) == len(lat) == 1 else None


def _joined(cells: Sequence[Cell]) -> float | None:
    """Decimal degrees of degrees, minutes and seconds; a missing second is none, a missing degree no place."""
    degrees, minutes, seconds = (0.0 if cell is None else parse_number(cell, COMMA) for cell in cells)
    if cells[0] is None or degrees is None or minutes is None or seconds is None:
        return None
    if not (0 <= minutes < 60 and 0 <= seconds < 60):
        return None
    return degrees + minutes / 60 + seconds / 3600


def _named(cells: dict[str, list[Cell]]) -> tuple[str, str | None, str, bool] | None:
    """The pair of columns whose names and values agree; degrees before metres when a table has both."""
    pairs = [
        (lon, lat)
        for east, north, exact in (
            (_LON_NAME, _LAT_NAME, False),
            (_X_NAME, _Y_NAME, False),
            (_EAST_NAME, _NORTH_NAME, True),
        )
        for lon in _names(cells, east, exact)
        for lat in _names(cells, north, exact)
        if lon != lat
    ]
    for first, second in pairs:
        found = _judged(first, second, cells)
        if found is not None:
            return found
    for first, second in pairs:
        if _is_numeric(cells[first]) and _is_numeric(cells[second]):
            return _by_size(first, second, cells)
    return None


def _names(cells: dict[str, list[Cell]], pattern: re.Pattern[str], exact: bool) -> list[str]:
    match = pattern.fullmatch if exact else pattern.search
    return [name for name in cells if match(_simple(name))]


def _simple(name: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold(name)).split())


def _judged(first: str, second: str, cells: dict[str, list[Cell]]) -> tuple[str, str, str, bool] | None:
    for a, b, turned in ((first, second, False), (second, first, True)):
        exact = any(map(_has_fraction, (*cells[a], *cells[b])))
        if exact and _within(cells[a], _LON, _degrees, _HALF) and _within(cells[b], _LAT, _degrees, _HALF):
            marked = _share([*cells[a], *cells[b]], is_marked_angle) >= 0.5
            return a, b, "dms" if marked else "degrees", turned
        if _within(cells[a], _EAST, _number, _HALF) and _within(cells[b], _NORTH, _number, _HALF):
            return a, b, "projected", turned
    return None


def _by_size(first: str, second: str, cells: dict[str, list[Cell]]) -> tuple[str, str, str, bool]:
    """Columns outside the ranges of Vietnam, taken as their names say, metres when a value is beyond 360."""
    sizes = [abs(_number(value, POINT) or 0.0) for name in (first, second) for value in cells[name]]
    return first, second, "projected" if max(sizes, default=0.0) > 360 else "degrees", False


def _pair(cells: dict[str, list[Cell]]) -> tuple[str, str | None, str, bool] | None:
    for name, values in cells.items():
        if _share(values, lambda value: parse_pair(value) is not None) >= _MOST:
            points = [point for value in values if (point := parse_pair(value)) is not None]
            if _inside([p[0] for p in points], _LON) and _inside([p[1] for p in points], _LAT):
                return name, None, "pair", False
    return None


def _by_values(cells: dict[str, list[Cell]]) -> tuple[str, str | None, str, bool] | None:
    """The only two columns that can be the coordinates, whatever they are called."""
    for east, north, kind, read in (
        (_LON, _LAT, "degrees", _degrees),
        (_EAST, _NORTH, "projected", _number),
    ):
        telling = {name: values for name, values in cells.items() if any(map(_has_fraction, values))}
        lon = [name for name, values in telling.items() if _within(values, east, read, _MOST)]
        lat = [name for name, values in telling.items() if _within(values, north, read, _MOST)]
        if len(lon) == 1 and len(lat) == 1 and lon != lat:
            marked = kind == "degrees" and _share(cells[lon[0]], is_marked_angle) >= 0.5
            return lon[0], lat[0], "dms" if marked else kind, False
    return None


def _has_fraction(value: Cell) -> bool:
    number = parse_number(value)
    return is_marked_angle(value) if number is None else number != int(number)


def _is_numeric(values: Sequence[Cell]) -> bool:
    return _share(values, lambda value: parse_angle(value) is not None) >= _HALF


def _within(
    values: Sequence[Cell], span: tuple[float, float], read: Callable[[Cell, str], float | None], share: float
) -> bool:
    """Whether that share of the cells lies in the range, in one way of writing fractions."""
    for style in (POINT, COMMA):
        numbers = [read(value, style) for value in values]
        inside = sum(n is not None and span[0] <= n <= span[1] for n in numbers)
        if values and inside >= share * len(values):
            return True
    return False


def _inside(numbers: Sequence[float], span: tuple[float, float]) -> bool:
    return sum(span[0] <= n <= span[1] for n in numbers) >= _MOST * len(numbers)


def _share(values: Sequence[Cell], test: Callable[[Cell], bool]) -> float:
    return sum(map(test, values)) / len(values) if values else 0.0


def _style(values: Sequence[Cell], kind: str) -> str:
    spans = (_EAST, _NORTH) if kind == "projected" else (_LON, _LAT)
    shown = [number_style(values, *span) for span in spans]
    return next((style for style in shown if style is not None), POINT)


def _number(value: Cell, style: str) -> float | None:
    return parse_number(value, style)


def _degrees(value: Cell, style: str) -> float | None:
    angle = parse_angle(value, style)
    return angle.degrees if angle is not None else None


def _point(
    x_cell: Cell, y_cell: Cell, x: float | None, y: float | None
) -> tuple[shapely.Geometry | None, Notice | None]:
    if x is not None and y is not None:
        if x == 0 and y == 0:
            return None, Notice("Tọa độ của dòng là 0, 0: coi như không có vị trí.")
        return shapely.Point(x, y), None
    if x_cell is None and y_cell is None:
        return None, _no_place()
    if x_cell is None or y_cell is None:
        return None, Notice("Dòng chỉ có một trong hai tọa độ.")
    return None, _unclear(x_cell if x is None else y_cell)


def _pair_point(cell: Cell) -> tuple[shapely.Geometry | None, Notice | None]:
    pair = parse_pair(cell)
    if pair is not None:
        return shapely.Point(pair), None
    return None, _no_place() if cell is None else _unclear(cell)


def _outline(cell: Cell) -> tuple[shapely.Geometry | None, Notice | None]:
    if cell is None:
        return None, _no_place()
    found = _WKT.match(str(cell))
    text = str(cell)[len(found[1] or "") :] if found else ""
    try:
        shape = shapely.from_wkt(text) if found else None
    except ShapelyError:
        shape = None
    return (shapely.force_2d(shape), None) if shape is not None else (None, _unclear(str(cell)[:60]))


def _no_place() -> Notice:
    return Notice("Dòng không có tọa độ.")


def _unclear(cell: Cell) -> Notice:
    return Notice("Tọa độ “%(text)s” không đọc được.", {"text": cell})
