"""Shapes as KML elements (OGC 12-007r2), for whole pages at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely

DECIMALS = 7


def geometry_texts(geometries: npt.NDArray[np.object_]) -> list[str]:
    """One KML geometry per lon/lat geometry, "" for missing and empty ones; shells run counter-clockwise."""
    return [_text(shape) for shape in shapely.orient_polygons(np.asarray(geometries, dtype=object))]


def _text(shape: shapely.Geometry | None) -> str:
    if shape is None or shape.is_empty:
        return ""
    single = _SINGLE.get(shape.geom_type)
    if single is not None:
        return single(shape)
    return f"<MultiGeometry>{''.join(_text(part) for part in shapely.get_parts(shape))}</MultiGeometry>"


def _point(shape: shapely.Geometry) -> str:
    return f"<Point>{_coordinates(shape)}</Point>"


def _line(shape: shapely.Geometry) -> str:
    return f"<LineString><tessellate>1</tessellate>{_coordinates(shape)}</LineString>"


def _polygon(shape: shapely.Geometry) -> str:
    assert isinstance(shape, shapely.Polygon)
    holes = "".join(
        f"<innerBoundaryIs><LinearRing>{_coordinates(ring)}</LinearRing></innerBoundaryIs>"
        for ring in shape.interiors
    )
    shell = f"<outerBoundaryIs><LinearRing>{_coordinates(shape.exterior)}</LinearRing></outerBoundaryIs>"
    return f"<Polygon>{shell}{holes}</Polygon>"


_SINGLE: dict[str, Callable[[shapely.Geometry], str]] = {
    "Point": _point,
    "LineString": _line,
    "LinearRing": _line,
    "Polygon": _polygon,
}


def _coordinates(path: shapely.Geometry) -> str:
    xy = np.round(shapely.get_coordinates(path), DECIMALS).tolist()
    return f"<coordinates>{' '.join(f'{x!r},{y!r}' for x, y in xy)}</coordinates>"
