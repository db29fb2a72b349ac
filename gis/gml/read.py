"""GML geometries of any version as shapely geometries in lon/lat, as lenient as old clients need.

Elements are told apart by their local names, so that the namespaces of 2, 3.1 and 3.2 are read alike; curves of
straight segments and surfaces of polygon patches become lines and polygons, third coordinates are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis import crs as reference_systems
from gis import srsname
from gis.errors import Refusal, marked
from gis.srsname import SrsName

Floats = npt.NDArray[np.float64]

DEEPEST = 16
"""How deep geometries may be nested in each other."""

_NO_CONTENT = marked("Hình GML “%(element)s” không có tọa độ hoặc thiếu phần con.")


class GmlError(Refusal):
    """A GML geometry that cannot be read."""


def parse(
    element: Any, *, default_srs: str = srsname.CRS84, always_xy: bool = False, target: str = srsname.CRS84
) -> Any:
    """Return the 2D shapely geometry of a GML element (lxml), x east before y north, in `target`.

    `srsName` is taken from the element itself or from those that it contains, else `default_srs` stands; the form
    of the name says which axis comes first (see `gis.srsname`), unless `always_xy`, as in WFS 1.0. `Envelope`
    and `Box` become polygons. The geometry is not repaired.
    Raises GmlError for what is no geometry, UnknownCrs and OutsideCrs for its reference system.
    """
    name = srs_of(element, default_srs)
    geometry = _Reader(name.swapped and not always_xy).geometry(element, 0)
    if name.crs == target or {name.crs, target} == {srsname.CRS84, "EPSG:4326"}:
        return geometry
    moved = reference_systems.transform(np.array([geometry], dtype=object), name.crs, target)
    return moved[0]


def srs_of(element: Any, default_srs: str) -> SrsName:
    """Return the reference system of a GML element: its own srsName, the first one inside, or the default.

    Raises GmlError when two parts name different systems.
    """
    names = {e.get("srsName") for e in element.iter("{*}*") if e.get("srsName")}
    systems = {srsname.parse(name) for name in names} or {srsname.parse(default_srs)}
    if len({(system.crs, system.swapped) for system in systems}) > 1:
        raise GmlError("Các phần của một hình GML phải cùng một hệ tọa độ.")
    return systems.pop()


def is_geometry(element: Any) -> bool:
    """Tell whether an element is a GML geometry or envelope that `parse` reads."""
    return isinstance(element.tag, str) and local_name(element) in _READERS


def local_name(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _children(element: Any) -> Iterator[Any]:
    """The child elements, without comments and instructions."""
    return (child for child in element if isinstance(child.tag, str))


class _Reader:
    """Reads one geometry; `swapped` says that its text gives north before east."""

    def __init__(self, swapped: bool) -> None:
        self.swapped = swapped

    def geometry(self, element: Any, depth: int) -> Any:
        """Read any geometry element."""
        name = local_name(element)
        read = _READERS.get(name)
        if read is None:
            raise GmlError("“%(element)s” không phải là hình GML đọc được.", element=name)
        if depth > DEEPEST:
            raise GmlError("Hình GML lồng nhau quá sâu.")
        try:
            return read(self, element, depth)
        except (ValueError, shapely.errors.GEOSException) as error:
            raise GmlError("Hình GML “%(element)s” có tọa độ không hợp lệ.", element=name) from error

    # ---- positions

    def positions(self, element: Any) -> Floats:
        """The positions that stand in an element, as N×2, east before north."""
        found: list[Floats] = []
        for child in _children(element):
            match local_name(child):
                case "posList":
                    found.append(_numbers(child, _dimension(child, element)))
                case "pos":
                    found.append(_numbers(child, None))
                case "coordinates":
                    found.append(_tuples(child))
                case "coord":
                    found.append(np.array([[float(part.text or "") for part in _children(child)][:2]]))
                case "pointProperty" | "pointRep" | "Point":
                    points = [child] if local_name(child) == "Point" else list(_children(child))
                    found += [self._unswap(self.positions(point)) for point in points]
        if not found:
            raise GmlError(_NO_CONTENT, element=local_name(element))
        xy = np.concatenate(found)
        if xy.shape[1] != 2 or not np.isfinite(xy).all():
            raise GmlError("Hình GML “%(element)s” có tọa độ không hợp lệ.", element=local_name(element))
        return self._unswap(xy)

    def _unswap(self, xy: Floats) -> Floats:
        return np.ascontiguousarray(xy[:, ::-1]) if self.swapped else xy

    # ---- simple kinds

    def point(self, element: Any, depth: int) -> Any:
        """Read Point."""
        xy = self.positions(element)
        if len(xy) != 1:
            raise GmlError("Hình GML “Point” phải có đúng một vị trí.")
        return shapely.Point(xy[0])

    def line(self, element: Any, depth: int) -> Any:
        """Read LineString, or a LinearRing as a line."""
        return shapely.LineString(self.positions(element))

    def polygon(self, element: Any, depth: int) -> Any:
        """Read Polygon, PolygonPatch, Rectangle or Triangle."""
        shells, holes = [], []
        for child in _children(element):
            role = local_name(child)
            if role in ("exterior", "outerBoundaryIs"):
                shells.append(self._ring(child, depth))
            elif role in ("interior", "innerBoundaryIs"):
                holes.append(self._ring(child, depth))
        if len(shells) != 1:
            raise GmlError(_NO_CONTENT, element=local_name(element))
        return shapely.Polygon(shells[0], holes)

    def envelope(self, element: Any, depth: int) -> Any:
        """Read Envelope or Box as a polygon."""
        corners = [c for c in _children(element) if local_name(c) in ("lowerCorner", "upperCorner")]
        if corners:
            xy = self._unswap(np.concatenate([_numbers(corner, None) for corner in corners]))
        else:
            xy = self.positions(element)
        if xy.shape != (2, 2) or not np.isfinite(xy).all() or (xy[0] > xy[1]).any():
            raise GmlError("Khung GML phải có hai góc: góc dưới trái trước, góc trên phải sau.")
        return shapely.box(*xy[0], *xy[1])

    def _ring(self, role: Any, depth: int) -> Floats:
        inside = next(_children(role), None)
        if inside is None:
            raise GmlError(_NO_CONTENT, element=local_name(role))
        if local_name(inside) == "Ring":
            return np.asarray(shapely.get_coordinates(self.curve(inside, depth)))
        return self.positions(inside)

    # ---- kinds of several segments

    def curve(self, element: Any, depth: int) -> Any:
        """Read Curve, CompositeCurve, OrientableCurve or Ring: the segments end to end as one line."""
        if depth > DEEPEST:
            raise GmlError("Hình GML lồng nhau quá sâu.")
        pieces = [self._segment(child, depth) for child in _segments(element)]
        if not pieces:
            raise GmlError(_NO_CONTENT, element=local_name(element))
        joined = [pieces[0]]
        for piece in pieces[1:]:
            follows = np.array_equal(joined[-1][-1], piece[0])
            joined.append(piece[1:] if follows else piece)
        line = shapely.LineString(np.concatenate(joined))
        return line.reverse() if element.get("orientation") == "-" else line

    def _segment(self, element: Any, depth: int) -> Floats:
        name = local_name(element)
        if name in ("LineStringSegment", "LineString", "LinearRing"):
            return self.positions(element)
        if name in ("Curve", "CompositeCurve", "OrientableCurve"):
            return np.asarray(shapely.get_coordinates(self.curve(element, depth + 1)))
        raise GmlError("Chưa nhận đoạn cong “%(element)s”; hãy đổi sang đoạn thẳng.", element=name)

    def surface(self, element: Any, depth: int) -> Any:
        """Read Surface, PolyhedralSurface, CompositeSurface or OrientableSurface."""
        parts = [self.geometry(child, depth + 1) for child in _members(element)]
        polygons = [polygon for part in parts for polygon in shapely.get_parts(part)]
        if not polygons:
            raise GmlError(_NO_CONTENT, element=local_name(element))
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)

    def multi(self, element: Any, depth: int) -> Any:
        """Read MultiPoint, MultiCurve, MultiLineString, MultiSurface, MultiPolygon, MultiGeometry."""
        members = [self.geometry(child, depth + 1) for child in _members(element)]
        if not members:
            raise GmlError(_NO_CONTENT, element=local_name(element))
        if local_name(element) == "MultiGeometry":
            return shapely.GeometryCollection(members)
        build, wanted = _MULTI[local_name(element)]
        parts = [part for member in members for part in shapely.get_parts(member)]
        if any(part.geom_type not in wanted for part in parts):
            raise GmlError("Hình GML “%(element)s” chứa phần không cùng loại.", element=local_name(element))
        return build(parts)


def _members(element: Any) -> Iterator[Any]:
    """The geometries inside the properties (surfaceMember, patches, baseSurface …) of an element."""
    for child in _children(element):
        if local_name(child) in _PROPERTIES:
            yield from _children(child)


def _segments(element: Any) -> Iterator[Any]:
    for child in _children(element):
        if local_name(child) in ("segments", "curveMember", "baseCurve"):
            yield from _children(child)


def _dimension(pos_list: Any, parent: Any) -> int | None:
    """The number of coordinates of each position, as far as somebody states it."""
    for element in (pos_list, parent, *parent.iterancestors()):
        for name in ("srsDimension", "dimension"):
            if (text := element.get(name)) is not None:
                return int(text)
    return 2


def _numbers(element: Any, dimension: int | None) -> Floats:
    """The positions of pos or posList as N×2, further coordinates left out."""
    values = np.array((element.text or "").split(), dtype=np.float64)
    size = dimension or len(values)
    if size not in (2, 3) or len(values) == 0 or len(values) % size:
        raise ValueError(size)
    rows: Floats = values.reshape(-1, size)[:, :2]
    return rows


def _tuples(element: Any) -> Floats:
    """The positions of gml:coordinates, with the separators that it states."""
    decimal, cs, ts = element.get("decimal", "."), element.get("cs", ","), element.get("ts", " ")
    text = (element.text or "").strip()
    if not text or len(decimal) != 1 or len(cs) != 1 or len(ts) != 1:
        raise ValueError(text[:20])
    # Some clients write blanks after the comma, or line ends between the tuples.
    if cs == "," and ts == " " and decimal == ".":
        text = " ".join(text.replace(",", " , ").split()).replace(" , ", ",")
    tuples = text.split() if ts.isspace() else text.split(ts)
    rows = [[float(v.replace(decimal, ".")) for v in t.strip().split(cs)] for t in tuples if t.strip()]
    if any(len(row) not in (2, 3) for row in rows):
        raise ValueError(text[:20])
    return np.array([row[:2] for row in rows], dtype=np.float64)


_PROPERTIES = frozenset(
    {
        "patches",
        "polygonPatches",
        "trianglePatches",
        "baseSurface",
        "surfaceMember",
        "surfaceMembers",
        "polygonMember",
        "polygonMembers",
        "pointMember",
        "pointMembers",
        "lineStringMember",
        "lineStringMembers",
        "curveMember",
        "curveMembers",
        "geometryMember",
        "geometryMembers",
    }
)

_MULTI: dict[str, tuple[Callable[[list[Any]], Any], tuple[str, ...]]] = {
    "MultiPoint": (shapely.MultiPoint, ("Point",)),
    "MultiCurve": (shapely.MultiLineString, ("LineString", "LinearRing")),
    "MultiLineString": (shapely.MultiLineString, ("LineString", "LinearRing")),
    "MultiSurface": (shapely.MultiPolygon, ("Polygon",)),
    "MultiPolygon": (shapely.MultiPolygon, ("Polygon",)),
}

_READERS: dict[str, Callable[[_Reader, Any, int], Any]] = {
    "Point": _Reader.point,
    "LineString": _Reader.line,
    "LinearRing": _Reader.line,
    "Polygon": _Reader.polygon,
    "PolygonPatch": _Reader.polygon,
    "Rectangle": _Reader.polygon,
    "Triangle": _Reader.polygon,
    "Envelope": _Reader.envelope,
    "Box": _Reader.envelope,
    "Curve": _Reader.curve,
    "CompositeCurve": _Reader.curve,
    "OrientableCurve": _Reader.curve,
    "Surface": _Reader.surface,
    "PolyhedralSurface": _Reader.surface,
    "TriangulatedSurface": _Reader.surface,
    "Tin": _Reader.surface,
    "CompositeSurface": _Reader.surface,
    "OrientableSurface": _Reader.surface,
    "MultiGeometry": _Reader.multi,
    "MultiPoint": _Reader.multi,
    "MultiCurve": _Reader.multi,
    "MultiLineString": _Reader.multi,
    "MultiSurface": _Reader.multi,
    "MultiPolygon": _Reader.multi,
}
