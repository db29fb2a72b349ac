"""Placemarks of a KML document (OGC 12-007r2) with all their data, which GDAL's plain driver leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from lxml import etree

Properties = dict[str, str | None]

FOLDER = "folder"
"""The field that keeps the names of the folders around a placemark."""

_DEEPEST = 60
_AFTER_COMMA = re.compile(r",\s+")
_TABLE_ROW = re.compile(
    r"<tr[^>]*>\s*<td[^>]*>([^<]{1,64})</td>\s*<td[^>]*>([^<]*)</td>\s*</tr>", re.IGNORECASE
)


class Placemark(NamedTuple):
    """One placemark: its name, description and extended data, and its geometry in lon/lat or None."""

    properties: Properties
    geometry: shapely.Geometry | None


def read_placemarks(path: Path) -> Iterator[Placemark]:
    """Every placemark of the document in order, whatever folder it is in; heights are dropped.

    The folders around it are the field `folder`, "Huyện Đầm Dơi / Xã Tân Tiến", the document's own name left
    out. Tracks (`gx:Track`) become lines. Rows of a two-column table in the description, which ArcGIS writes,
    become fields. Network links, styles and models are not followed. No entity is resolved and nothing is
    fetched. Raises lxml.etree.XMLSyntaxError on broken XML and ValueError on coordinates that make no geometry.
    """
    folders: list[list[str]] = []
    with path.open("rb") as stream:
        for event, element in _events(stream):
            kind = _local(element)
            if kind == "Folder":
                _enter_or_leave(folders, event, element)
            elif event == "end" and kind == "name":
                _note_name(folders, element)
            elif event == "end" and kind == "Placemark":
                properties = _properties(element)
                names = [folder[0] for folder in folders if folder]
                if names:
                    properties.setdefault(FOLDER, " / ".join(names))
                yield Placemark(properties, _geometry(element))
                element.clear()


def _events(stream: Any) -> Any:
    return etree.iterparse(
        stream,
        events=("start", "end"),
        tag=("{*}Placemark", "{*}Folder", "{*}name"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # Phones write gx: without declaring it; the rest of such a document is good.
        recover=_lacks_namespace(stream),
    )


def _lacks_namespace(stream: Any) -> bool:
    head = stream.read(4096 * 4)
    stream.seek(0)
    return b"<gx:" in head and b"xmlns:gx" not in head


def _enter_or_leave(folders: list[list[str]], event: str, folder: Any) -> None:
    if event == "start":
        if len(folders) >= _DEEPEST:
            raise ValueError("folders are nested too deep")
        folders.append([])
    else:
        folders.pop()
        folder.clear()


def _note_name(folders: list[list[str]], element: Any) -> None:
    parent = element.getparent()
    if folders and not folders[-1] and parent is not None and _local(parent) == "Folder":
        text = _text(element)
        if text:
            folders[-1].append(text)


def _properties(placemark: Any) -> Properties:
    description = _text(placemark.find("{*}description"))
    found: Properties = {"name": _text(placemark.find("{*}name")), "description": description}
    for name, value in _TABLE_ROW.findall(description or ""):
        found[" ".join(name.split())] = value.strip() or None
    for path in ("{*}TimeStamp/{*}when", "{*}TimeSpan/{*}begin"):
        time = _text(placemark.find(path))
        if time is not None:
            found["time"] = time
    for data in placemark.iterfind("{*}ExtendedData/{*}Data"):
        found[str(data.get("name", ""))] = _text(data.find("{*}value"))
    for data in placemark.iterfind("{*}ExtendedData/{*}SchemaData/{*}SimpleData"):
        found[str(data.get("name", ""))] = _text(data)
    return {name: value for name, value in found.items() if name}


def _local(element: Any) -> str:
    """The name of an element without its namespace, also where a prefix was never declared."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def _text(element: Any) -> str | None:
    text = "".join(element.itertext()).strip() if element is not None else ""
    return text or None


def _geometry(parent: Any) -> shapely.Geometry | None:
    """The geometry of a placemark; several become a multi geometry of their kind, or a collection."""
    parts = list(_parts(parent))
    if len(parts) <= 1:
        return parts[0] if parts else None
    kinds = {part.geom_type for part in parts}
    builders = {
        "Point": shapely.MultiPoint,
        "LineString": shapely.MultiLineString,
        "Polygon": shapely.MultiPolygon,
    }
    build = builders[kinds.pop()] if len(kinds) == 1 else shapely.GeometryCollection
    return build(parts)


def _parts(parent: Any) -> Iterator[shapely.Geometry]:
    for child in parent.iterchildren(tag=etree.Element):
        kind = _local(child)
        if kind in ("MultiGeometry", "MultiTrack"):
            yield from _parts(child)
        elif kind == "Point":
            yield shapely.Point(_coordinates(child)[0])
        elif kind in ("LineString", "LinearRing"):
            yield shapely.LineString(_coordinates(child))
        elif kind == "Track":
            yield from _track(child)
        elif kind == "Polygon":
            holes = child.iterfind("{*}innerBoundaryIs/{*}LinearRing")
            shell = child.find("{*}outerBoundaryIs/{*}LinearRing")
            if shell is None:
                raise ValueError("a polygon without an outer boundary")
            yield shapely.Polygon(_coordinates(shell), [_coordinates(hole) for hole in holes])


def _track(element: Any) -> Iterator[shapely.Geometry]:
    """The line of a track, whose positions are `lon lat height`; of a single position, its point."""
    places = [
        (_text(child) or "").split()
        for child in element.iterchildren(tag=etree.Element)
        if _local(child) == "coord"
    ]
    pairs = [(float(place[0]), float(place[1])) for place in places if len(place) >= 2]
    if len(pairs) == 1:
        yield shapely.Point(pairs[0])
    elif pairs:
        yield shapely.LineString(pairs)


def _coordinates(element: Any) -> list[tuple[float, float]]:
    """Pairs of lon, lat from `lon,lat[,height]` tuples parted by white space."""
    text = _AFTER_COMMA.sub(",", element.findtext("{*}coordinates") or "")
    pairs = [tuple(float(number) for number in item.split(",")[:2]) for item in text.split()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError("coordinates are missing")
    return [(pair[0], pair[1]) for pair in pairs]
