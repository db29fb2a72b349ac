"""Waypoints, routes and tracks of a GPS device (GPX 1.0 and 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from lxml import etree

from gis.crs import EARTH_RADIUS
from gis.errors import Refusal
from gis.kml import Placemark, Properties

WAYPOINTS, ROUTES, TRACKS = "waypoints", "routes", "tracks"
_KINDS = {"wpt": WAYPOINTS, "rte": ROUTES, "trk": TRACKS}
_FIELDS = ("name", "cmt", "desc", "src", "type", "sym", "number", "time", "ele")

WIDEST_OPENING = 0.1
"""A walk around a field seldom ends on its first point; a gap up to this share of its length closes."""
_FEWEST_CORNERS = 3


class OpenTrack(Refusal):
    """A track that is no outline."""


def layers_of(path: Path) -> list[str]:
    """Which of waypoints, routes and tracks a file holds; raises lxml.etree.XMLSyntaxError on broken XML."""
    found = {_KINDS[etree.QName(element).localname] for element in _elements(path)}
    return [name for name in (WAYPOINTS, ROUTES, TRACKS) if name in found]


def read_gpx(path: Path, layer: str) -> Iterator[Placemark]:
    """Every feature of one layer in order, in lon/lat; a track of several segments is a MultiLineString.

    Heights stay in the field `ele` of waypoints; `time` of a track is that of its first point.
    Raises lxml.etree.XMLSyntaxError on broken XML and ValueError on coordinates that make no geometry.
    """
    for element in _elements(path):
        if _KINDS[etree.QName(element).localname] == layer:
            yield Placemark(_properties(element), _geometry(element))


def outline_of_track(track: shapely.Geometry) -> shapely.Polygon:
    """The area that a track in lon/lat walks around; segments are joined in their order.

    Raises OpenTrack when it has fewer than three corners or its ends lie apart by more than a tenth of its length.
    """
    points = shapely.get_coordinates(track)
    if len(np.unique(points, axis=0)) < _FEWEST_CORNERS:
        raise OpenTrack("Vết GPS có quá ít điểm để thành một vùng.")
    scale = np.cos(np.radians(points[:, 1].mean()))
    metres = np.radians(points) * EARTH_RADIUS * (scale, 1.0)
    length = float(np.hypot(*np.diff(metres, axis=0).T).sum())
    gap = float(np.hypot(*(metres[-1] - metres[0])))
    if gap > WIDEST_OPENING * length:
        raise OpenTrack("Vết GPS không khép kín: điểm đầu và điểm cuối cách nhau %(gap).0f m.", gap=gap)
    return shapely.Polygon(points)


def is_outline(track: shapely.Geometry | None) -> bool:
    """Whether a track walks around an area."""
    if track is None or "LineString" not in track.geom_type:
        return False
    try:
        outline_of_track(track)
    except OpenTrack:
        return False
    return True


def _elements(path: Path) -> Iterator[Any]:
    with path.open("rb") as stream:
        events = etree.iterparse(
            stream,
            events=("end",),
            tag=tuple(f"{{*}}{name}" for name in _KINDS),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        for _, element in events:
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _properties(element: Any) -> Properties:
    found: Properties = {}
    for name in _FIELDS:
        text = (element.findtext(f"{{*}}{name}") or "").strip()
        found[name] = text or None
    if found["time"] is None:
        found["time"] = element.findtext("{*}trkseg/{*}trkpt/{*}time")
    return found


def _geometry(element: Any) -> shapely.Geometry | None:
    kind = etree.QName(element).localname
    if kind == "wpt":
        return shapely.Point(_position(element))
    if kind == "rte":
        return _line([_position(point) for point in element.iterfind("{*}rtept")])
    segments = [
        [_position(point) for point in segment.iterfind("{*}trkpt")]
        for segment in element.iterfind("{*}trkseg")
    ]
    lines = [line for line in map(_line, segments) if line is not None]
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines) if lines else None


def _line(points: list[tuple[float, float]]) -> shapely.LineString | None:
    """The line of the points; a segment of one point, which devices write when they lose sight, is dropped."""
    return shapely.LineString(points) if len(points) > 1 else None


def _position(element: Any) -> tuple[float, float]:
    lon, lat = float(element.get("lon", "nan")), float(element.get("lat", "nan"))
    if not (np.isfinite(lon) and np.isfinite(lat)):
        raise ValueError("a point without coordinates")
    return lon, lat
