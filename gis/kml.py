"""Placemarks of a KML document (OGC 12-007r2) with all their data, which GDAL's plain driver leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from lxml import etree

Properties = dict[str, str | None]


class Placemark(NamedTuple):
    """One placemark: its name, description and extended data, and its geometry in lon/lat or None."""

    properties: Properties
    geometry: shapely.Geometry | None


def read_placemarks(path: Path) -> Iterator[Placemark]:
    """Every placemark of the document in order, whatever folder it is in; heights are dropped.

    Network links, styles, tracks and models are not followed. No entity is resolved and nothing is fetched.
    Raises lxml.etree.XMLSyntaxError on broken XML and ValueError on coordinates that make no geometry.
    """
    with path.open("rb") as stream:
        events = etree.iterparse(
            stream,
            events=("end",),
            tag="{*}Placemark",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        for _, element in events:
            yield Placemark(_properties(element), _geometry(element))
            element.clear()


def _properties(placemark: Any) -> Properties:
    found: Properties = {
        "name": _text(placemark.find("{*}name")),
        "description": _text(placemark.find("{*}description")),
    }
    for data in placemark.iterfind("{*}ExtendedData/{*}Data"):
        found[str(data.get("name", ""))] = _text(data.find("{*}value"))
    for data in placemark.iterfind("{*}ExtendedData/{*}SchemaData/{*}SimpleData"):
        found[str(data.get("name", ""))] = _text(data)
    return {name: value for name, value in found.items() if name}


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
        kind = etree.QName(child).localname
        if kind == "MultiGeometry":
            yield from _parts(child)
        elif kind == "Point":
            yield shapely.Point(_coordinates(child)[0])
        elif kind in ("LineString", "LinearRing"):
            yield shapely.LineString(_coordinates(child))
        elif kind == "Polygon":
            holes = child.iterfind("{*}innerBoundaryIs/{*}LinearRing")
            shell = child.find("{*}outerBoundaryIs/{*}LinearRing")
            if shell is None:
                raise ValueError("a polygon without an outer boundary")
            yield shapely.Polygon(_coordinates(shell), [_coordinates(hole) for hole in holes])


def _coordinates(element: Any) -> list[tuple[float, float]]:
    """Pairs of lon, lat from `lon,lat[,height]` tuples parted by white space."""
    text = element.findtext("{*}coordinates") or ""
    pairs = [tuple(float(number) for number in item.split(",")[:2]) for item in text.split()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError("coordinates are missing")
    return [(pair[0], pair[1]) for pair in pairs]
