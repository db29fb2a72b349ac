"""What the maps of the desk draw: the rows of a dry run, and where a file would lie in each reference system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from gis import crs as reference_systems
from gis.inspect import LayerReport
from gis.vectorfile import open_vector
from services.imports.choices import Choices
from services.imports.rows import BARRED, Report, RowReport, Shapes

MOST_SHAPES = 4_000
MOST_SAMPLES = 300
SIMPLE_DEGREES = 0.00002
MERIDIANS = ((104.5, "104°30′"), (105.0, "105°00′"))
SOUTH, NORTH = 8.0, 11.0


def write(path: Path, report: Report, shapes: Shapes) -> None:
    """Write the rows that have a shape as GeoJSON, those with something to say first, a bounded number."""
    order = sorted(range(len(report.rows)), key=lambda i: _rank(report.rows[i]))
    drawn = [i for i in order if shapes[i] is not None][:MOST_SHAPES]
    lighter = shapely.simplify(shapes[drawn], SIMPLE_DEGREES) if drawn else []
    features = [_feature(report.rows[i], shape) for i, shape in zip(drawn, lighter, strict=True)]
    left_out = sum(shape is not None for shape in shapes) - len(drawn)
    document = {"type": "FeatureCollection", "features": features, "left_out": left_out}
    path.write_bytes(orjson.dumps(document))


def _rank(row: RowReport) -> int:
    if row.state in BARRED:
        return 0
    return 1 if row.repaired or row.overlaps or row.same_row or row.same_record else 2


def _feature(row: RowReport, shape: shapely.Geometry) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row.number,
        "properties": {"state": str(row.state), "name": row.name, "repaired": row.repaired},
        "geometry": orjson.Fragment(shapely.to_geojson(shape)),
    }


def places(path: Path, report: LayerReport, choices: Choices) -> dict[str, Any]:
    """Return GeoJSON of a sample of the file in each proposed reference system, and the VN-2000 meridians.

    Features carry `proposal` (the number of the proposal), or `meridian` with its name.
    """
    features = [
        {
            "type": "Feature",
            "properties": {"meridian": name},
            "geometry": {"type": "LineString", "coordinates": [[lon, SOUTH], [lon, NORTH]]},
        }
        for lon, name in MERIDIANS
    ]
    for number, proposal in enumerate(report.crs.proposals):
        if not proposal.plausible and number > 2:
            continue
        for shape in _sample(path, report, choices, proposal.crs, proposal.swapped):
            features.append(
                {
                    "type": "Feature",
                    "properties": {"proposal": number},
                    "geometry": orjson.Fragment(shapely.to_geojson(shape)),
                }
            )
    return {"type": "FeatureCollection", "features": features}


def _sample(path: Path, report: LayerReport, choices: Choices, crs: str, swapped: bool) -> list[Any]:
    shapes: list[Any] = []
    with open_vector(
        path,
        layer=report.name,
        encoding=choices.encoding,
        crs=crs,
        swapped=swapped,
        columns=choices.table or report.columns,
    ) as file:
        for record in file:
            if record.geometry is not None and not record.geometry.is_empty:
                shapes.append(record.geometry)
            if len(shapes) == MOST_SAMPLES:
                break
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    try:
        carried = reference_systems.transform(array, crs, "OGC:CRS84")
    except reference_systems.OutsideCrs:
        return []
    good = shapely.is_valid_input(carried) & np.isfinite(shapely.bounds(carried)).all(axis=1)
    return list(shapely.simplify(carried[good], SIMPLE_DEGREES))
