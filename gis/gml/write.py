"""GML geometries as text: the coordinates of a whole page of features are written by one call.

Source: OGC 07-036 (GML 3.2.1), OGC 03-105r1 (3.1.1), OGC 02-069 (2.1.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt
import orjson
import shapely

Version = Literal["3.2", "3.1", "2.1"]
Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[Any]

NAMESPACES: dict[Version, str] = {
    "3.2": "http://www.opengis.net/gml/3.2",
    "3.1": "http://www.opengis.net/gml",
    "2.1": "http://www.opengis.net/gml",
}
"""The XML namespace of each version; its prefix in our texts is always `gml`."""

_POINT, _LINE, _RING, _POLYGON = 0, 1, 2, 3
_MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = 4, 5, 6, 7
_SINGLE = {_RING: _LINE, _MULTIPOINT: _POINT, _MULTILINE: _LINE, _MULTIPOLYGON: _POLYGON}


@dataclass(frozen=True)
class _Dialect:
    """The element names of one version."""

    elements: dict[int, str]
    members: dict[int, str]
    shell: tuple[bytes, bytes]
    hole: tuple[bytes, bytes]
    line: tuple[bytes, bytes]
    point: tuple[bytes, bytes]
    has_ids: bool
    has_commas: bool


def _ring(role: str, coordinates: str) -> tuple[bytes, bytes]:
    return (
        f"<gml:{role}><gml:LinearRing><gml:{coordinates}>".encode(),
        f"</gml:{coordinates}></gml:LinearRing></gml:{role}>".encode(),
    )


_OLD_ELEMENTS = {
    _POINT: "Point",
    _LINE: "LineString",
    _POLYGON: "Polygon",
    _MULTIPOINT: "MultiPoint",
    _MULTILINE: "MultiLineString",
    _MULTIPOLYGON: "MultiPolygon",
    _COLLECTION: "MultiGeometry",
}
_OLD_MEMBERS = {
    _MULTIPOINT: "pointMember",
    _MULTILINE: "lineStringMember",
    _MULTIPOLYGON: "polygonMember",
    _COLLECTION: "geometryMember",
}
_POS_LIST = (b"<gml:posList>", b"</gml:posList>")
_POS = (b"<gml:pos>", b"</gml:pos>")
_COORDINATES = (b"<gml:coordinates>", b"</gml:coordinates>")

_DIALECTS: dict[Version, _Dialect] = {
    "3.2": _Dialect(
        elements={**_OLD_ELEMENTS, _MULTILINE: "MultiCurve", _MULTIPOLYGON: "MultiSurface"},
        members={**_OLD_MEMBERS, _MULTILINE: "curveMember", _MULTIPOLYGON: "surfaceMember"},
        shell=_ring("exterior", "posList"),
        hole=_ring("interior", "posList"),
        line=_POS_LIST,
        point=_POS,
        has_ids=True,
        has_commas=False,
    ),
    "3.1": _Dialect(
        elements=_OLD_ELEMENTS,
        members=_OLD_MEMBERS,
        shell=_ring("exterior", "posList"),
        hole=_ring("interior", "posList"),
        line=_POS_LIST,
        point=_POS,
        has_ids=False,
        has_commas=False,
    ),
    "2.1": _Dialect(
        elements=_OLD_ELEMENTS,
        members=_OLD_MEMBERS,
        shell=_ring("outerBoundaryIs", "coordinates"),
        hole=_ring("innerBoundaryIs", "coordinates"),
        line=_COORDINATES,
        point=_COORDINATES,
        has_ids=False,
        has_commas=True,
    ),
}


def geometry_texts(
    geometries: Geometries,
    *,
    version: Version = "3.2",
    srs_name: str,
    swap: bool,
    ids: Sequence[str],
    precision: int = 7,
) -> list[bytes]:
    """One GML geometry per geometry, as UTF-8 text; empty text for missing and empty ones.

    `geometries` (N) are in the system that `srs_name` names, x east before y north; `swap` writes y before x.
    `ids` (N) begin the gml:id of each geometry and its parts, which version 3.2 demands. Coordinates are two
    dimensional with at most `precision` decimals; shells run counter-clockwise. The prefix is `gml`.
    Raises ValueError for coordinates that are not finite.
    """
    oriented: Geometries = shapely.orient_polygons(np.asarray(geometries, dtype=object))
    types = shapely.get_type_id(oriented)
    types[shapely.is_empty(oriented)] = -1
    page = _Page(version, srs_name, swap, precision)
    texts: list[bytes] = [b""] * len(oriented)
    families: tuple[tuple[int, ...], ...] = (
        (_POLYGON, _MULTIPOLYGON),
        (_POINT, _MULTIPOINT),
        (_LINE, _RING, _MULTILINE),
    )
    for family in families:
        rows = np.flatnonzero(np.isin(types, family))
        if len(rows):
            own_ids = [ids[row] for row in rows.tolist()]
            written = page.family(oriented[rows], types[rows], own_ids)
            for row, text in zip(rows.tolist(), written, strict=True):
                texts[row] = text
    for row in np.flatnonzero(types == _COLLECTION).tolist():
        texts[row] = page.collection(oriented[row], ids[row])
    return texts


def envelope_text(
    bounds: Sequence[float], *, version: Version, srs_name: str, swap: bool, precision: int = 7
) -> bytes:
    """A gml:Envelope, or gml:Box in version 2.1, of west, south, east, north."""
    west, south, east, north = (round(float(value), precision) for value in bounds)
    low, high = ((south, west), (north, east)) if swap else ((west, south), (east, north))
    name = quoteattr(srs_name)
    if version == "2.1":
        corners = f"<gml:coordinates>{low[0]},{low[1]} {high[0]},{high[1]}</gml:coordinates>"
        return f"<gml:Box srsName={name}>{corners}</gml:Box>".encode()
    corners = f"<gml:lowerCorner>{low[0]} {low[1]}</gml:lowerCorner>"
    corners += f"<gml:upperCorner>{high[0]} {high[1]}</gml:upperCorner>"
    return f"<gml:Envelope srsName={name}>{corners}</gml:Envelope>".encode()


class _Page:
    """The writer of one page of geometries in one dialect."""

    def __init__(self, version: Version, srs_name: str, swap: bool, precision: int) -> None:
        self.version: Version = version
        self.dialect = _DIALECTS[version]
        self.srs_name = srs_name
        self.srs = f" srsName={quoteattr(srs_name)}".encode()
        self.swap = swap
        self.precision = precision

    def family(self, geometries: Geometries, types: Integers, ids: Sequence[str]) -> list[bytes]:
        """Write points, lines or polygons, single and multi, all of one dimension."""
        parts, owner = _parts(geometries)
        single = _SINGLE.get(int(types[0]), int(types[0]))
        bodies = self._bodies(parts, single)
        name = self.dialect.elements[single].encode()
        if len(parts) == len(geometries) and (types == types[0]).all():
            return self._of_one_part(int(types[0]), name, ids, bodies)
        groups: list[list[bytes]] = [[] for _ in range(len(geometries))]
        for own, body in zip(owner.tolist(), bodies, strict=True):
            groups[own].append(body)
        return [
            self._multi(kind, name, group, own_id)
            if kind in self.dialect.members
            else self._element(name, self.srs, own_id, group[0])
            for kind, group, own_id in zip(types.tolist(), groups, ids, strict=True)
        ]

    def _of_one_part(
        self, kind: int, part: bytes, ids: Sequence[str], bodies: Iterable[bytes]
    ) -> list[bytes]:
        """Write geometries of one kind with one part each: all texts alike but for the id and the body."""
        own, mark = "\x00", b"\x01"
        if kind in self.dialect.members:
            model = self._multi(kind, part, [mark], own)
        else:
            model = self._element(part, self.srs, own, mark)
        before, after = model.split(mark)
        begin, *rest = before.decode().split(own)
        if not rest:
            return [before + body + after for body in bodies]
        if len(rest) == 1:
            heads = [f"{begin}{own_id}{rest[0]}" for own_id in ids]
        else:
            heads = [f"{begin}{own_id}{rest[0]}{own_id}{rest[1]}" for own_id in ids]
        return [head.encode() + body + after for head, body in zip(heads, bodies, strict=True)]

    def collection(self, geometry: Any, own_id: str) -> bytes:
        """Write a geometry collection, each member as a geometry of its own."""
        members = shapely.get_parts(geometry)
        ids = [f"{own_id}.{number}" for number in range(1, len(members) + 1)]
        texts = geometry_texts(
            members,
            version=self.version,
            srs_name=self.srs_name,
            swap=self.swap,
            ids=ids,
            precision=self.precision,
        )
        body = b"".join(b"<gml:geometryMember>%b</gml:geometryMember>" % text for text in texts if text)
        return self._element(b"MultiGeometry", self.srs, own_id, body)

    def _multi(self, kind: int, part: bytes, bodies: list[bytes], own_id: str) -> bytes:
        member = self.dialect.members[kind].encode()
        name = self.dialect.elements[kind].encode()
        texts = [
            b"<gml:%b>%b</gml:%b>" % (member, self._element(part, b"", f"{own_id}.{number}", body), member)
            for number, body in enumerate(bodies, 1)
        ]
        return self._element(name, self.srs, own_id, b"".join(texts))

    def _element(self, name: bytes, srs: bytes, own_id: str, body: bytes) -> bytes:
        if self.dialect.has_ids:
            return b'<gml:%b gml:id="%b"%b>%b</gml:%b>' % (name, own_id.encode(), srs, body, name)
        return b"<gml:%b%b>%b</gml:%b>" % (name, srs, body, name)

    def _bodies(self, parts: Geometries, kind: int) -> Iterable[bytes]:
        """What stands inside the element of each part."""
        if kind != _POLYGON:
            before, after = self.dialect.point if kind == _POINT else self.dialect.line
            return [before + text + after for text in self._positions(parts)]
        rings, part = shapely.get_rings(parts, return_index=True)
        texts = self._positions(rings)
        (shell, shell_end), (hole, hole_end) = self.dialect.shell, self.dialect.hole
        if len(texts) == len(parts):
            return [shell + text + shell_end for text in texts]
        first = np.concatenate(([True], part[1:] != part[:-1])).tolist()
        bodies: list[list[bytes]] = [[] for _ in range(len(parts))]
        for own, is_shell, text in zip(part.tolist(), first, texts, strict=True):
            bodies[own].append(shell + text + shell_end if is_shell else hole + text + hole_end)
        return map(b"".join, bodies)

    def _positions(self, paths: Geometries) -> list[bytes]:
        """The positions of every point, line or ring: `x y x y` or, in version 2.1, `x,y x,y`."""
        xy, path = shapely.get_coordinates(paths, return_index=True)
        if not np.isfinite(xy).all():
            raise ValueError("coordinates must be finite")
        # A row of NaN, written as null,null, marks where one path ends and the next begins.
        marked = np.full((len(xy) + len(paths) - 1, 2), np.nan)
        marked[np.arange(len(xy)) + path] = np.round(xy[:, ::-1] if self.swap else xy, self.precision)
        if self.dialect.has_commas:
            text = orjson.dumps(marked, option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
            return text.replace(b"],[", b" ").split(b" null,null ")
        text = orjson.dumps(marked.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        return text.replace(b",", b" ").split(b" null null ")


def _parts(geometries: Geometries) -> tuple[Geometries, Integers]:
    """The non-empty parts of all geometries, and the geometry that each belongs to."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    empty = shapely.is_empty(parts)
    return (parts[~empty], owner[~empty]) if empty.any() else (parts, owner)
