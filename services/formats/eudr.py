"""GeoJSON of plots for the information system of the EU's deforestation regulation.

Source: Regulation (EU) 2023/1115, Article 2(28) and 9(1)(d); EUDR GeoJSON File Description (European Commission).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gis.geometry import area_ha
from layers.read import Rows
from services.formats.base import Context, Features, Shapes

MEDIA_TYPE = "application/geo+json"
COUNTRY = "VN"
DECIMALS = 7
NEEDS_POLYGON_HA = 4.0
#: Fields of growing areas that the properties are made from, as far as the caller reads them.
FIELDS = (
    "name",
    "producer_name",
    "owner_name",
    "hamlet",
    "commune_name",
    "district_name",
    "area_ha",
    "declared_area_ha",
)


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A FeatureCollection of plots: polygons without holes, one per part, and points up to four hectares.

    Every coordinate has seven decimals, lon/lat of WGS84. ProducerName is the producer, else who registered the
    plot, else the plot's name. Area is in hectares, measured on the ellipsoid; of a point it is the declared one.
    A plot of more than four hectares that the record has only as a point is left out, since a point is not enough.
    """
    yield b'{"type":"FeatureCollection","features":['
    begun = False
    for page in features.pages:
        texts = [text for text in _feature_texts(page, context)]
        if texts:
            yield (b",\n" if begun else b"") + b",\n".join(texts)
            begun = True
    yield b"]}"


def _feature_texts(page: Rows, context: Context) -> Iterator[bytes]:
    shapes = Shapes(page, context.target).lonlat
    for record, shape in zip(page.records(), shapes, strict=True):
        if shape is None or shape.is_empty:
            continue
        for plot, area in _plots(shape, record):
            yield _feature(record, plot, area)


def _plots(shape: shapely.Geometry, record: Mapping[str, Any]) -> Iterator[tuple[shapely.Geometry, float]]:
    parts = shapely.get_parts(shape)
    for part in parts:
        if part.geom_type == "Polygon":
            for whole in without_holes(shapely.Polygon(part)):
                yield whole, float(area_ha(np.array([whole], dtype=object))[0])
        elif part.geom_type == "Point":
            area = float(record.get("area_ha") or record.get("declared_area_ha") or 0) / len(parts)
            if area <= NEEDS_POLYGON_HA:
                yield part, area


def without_holes(polygon: shapely.Polygon) -> list[shapely.Polygon]:
    """Pieces that cover a polygon and have no holes, cut from north to south through the middle of a hole.

    The system of the regulation takes no holes, and asks for such pieces in their place.
    """
    if not polygon.interiors:
        return [polygon]
    west, south, east, north = polygon.bounds
    middle = shapely.Polygon(polygon.interiors[0]).representative_point().x
    pieces: list[shapely.Polygon] = []
    for half in (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)):
        for part in shapely.get_parts(shapely.intersection(polygon, half)):
            if isinstance(part, shapely.Polygon) and part.area > 0:
                pieces += without_holes(part)
    return pieces


def _feature(record: Mapping[str, Any], plot: shapely.Geometry, area: float) -> bytes:
    place = [record.get(name) for name in ("name", "hamlet", "commune_name", "district_name")]
    properties = {
        "ProducerName": str(
            record.get("producer_name") or record.get("owner_name") or record.get("name") or record["id"]
        ),
        "ProducerCountry": COUNTRY,
        "ProductionPlace": ", ".join(str(part) for part in place if part),
        "Area": round(area, 4),
    }
    head = b'{"type":"Feature","properties":' + orjson.dumps(properties)
    if plot.geom_type == "Point":
        return head + f',"geometry":{{"type":"Point","coordinates":{_position(plot)}}}}}'.encode()
    ring = shapely.get_coordinates(shapely.orient_polygons(plot))
    positions = ",".join(_pair(x, y) for x, y in ring.tolist())
    return head + f',"geometry":{{"type":"Polygon","coordinates":[[{positions}]]}}}}'.encode()


def _position(point: shapely.Geometry) -> str:
    xy: NDArray[np.float64] = shapely.get_coordinates(point)
    return _pair(*xy[0].tolist())


def _pair(x: float, y: float) -> str:
    return f"[{x:.{DECIMALS}f},{y:.{DECIMALS}f}]"
