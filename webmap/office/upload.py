"""Reading the outline that a form brings: drawn or pasted GeoJSON, or an uploaded file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import orjson
import shapely
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from gis import crs, vectorfile
from gis.errors import Refusal

FEWEST_CORNERS = 3


class UploadError(Refusal):
    """The outline cannot be read."""

    field = "geometry"


def geometry_of(text: str, file: FileStorage | None) -> shapely.Geometry | None:
    """Return the outline in lon/lat: the file's when there is one, else the text's, else None.

    Several shapes in a file become one of several parts. Raises UploadError or the file reader's refusal.
    """
    if file is not None and file.filename:
        return _from_file(file)
    if not text.strip():
        return None
    try:
        return _joined(_geometries(orjson.loads(text)))
    except (ValueError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise UploadError(
            "Đoạn GeoJSON không đọc được; hãy dán một Feature, FeatureCollection hoặc hình."
        ) from error


def _geometries(document: dict[str, object]) -> list[shapely.Geometry]:
    kind = document["type"]
    if kind == "FeatureCollection":
        features = document["features"]
        assert isinstance(features, list)
        return [g for f in features for g in _geometries(f)]
    if kind == "Feature":
        inner = document["geometry"]
        return _geometries(inner) if isinstance(inner, dict) else []
    return [shapely.from_geojson(orjson.dumps(document))]


def _from_file(file: FileStorage) -> shapely.Geometry | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (secure_filename(file.filename or "") or "upload")
        file.save(path)
        try:
            with vectorfile.open_vector(path) as opened:
                shapes = [r.geometry for r in opened if r.geometry is not None]
                system = opened.crs
        except Refusal as error:
            raise UploadError(error.message, **error.facts) from error
    joined = _joined(shapes)
    if joined is None or system is None:
        return joined
    moved: shapely.Geometry = crs.transform(np.array([joined], dtype=object), system, 4326)[0]
    return moved


def _joined(shapes: list[shapely.Geometry]) -> shapely.Geometry | None:
    if not shapes:
        return None
    kinds = {s.geom_type.removeprefix("Multi") for s in shapes}
    if kinds == {"LineString"}:
        shapes = _outlines(shapes)
        kinds = {"Polygon"}
    if kinds == {"Polygon"}:
        return shapes[0] if len(shapes) == 1 else shapely.multipolygons(list(shapely.get_parts(shapes)))
    return shapes[0] if len(shapes) == 1 else shapely.geometrycollections(shapes)


def _outlines(lines: list[shapely.Geometry]) -> list[shapely.Geometry]:
    """Close tracks into the areas that they go round."""
    rings = [shapely.get_coordinates(line) for line in shapely.get_parts(lines)]
    areas = [shapely.Polygon(ring) for ring in rings if len(np.unique(ring, axis=0)) >= FEWEST_CORNERS]
    if not areas:
        raise UploadError("Đường trong tệp quá ngắn, không khép được thành vùng; cần ít nhất ba điểm.")
    return areas
