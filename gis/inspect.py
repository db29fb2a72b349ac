"""Looking into a file that somebody brings: what it holds, how its letters read, and where it may lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.archive import MAXIMUM_BYTES
from gis.crsguess import guess_crs
from gis.fileerrors import VectorFileError
from gis.gpx import is_outline
from gis.inspection import (
    Bounds,
    Candidate,
    CrsGuess,
    CrsProposal,
    DatumShift,
    EncodingGuess,
    Inspection,
    LayerReport,
    Notice,
    TableColumns,
)
from gis.vectorfile import Record, VectorFile, open_layer
from gis.vectorformat import Layer, checked_path, layers_in

__all__ = [
    "Bounds",
    "Candidate",
    "CrsGuess",
    "CrsProposal",
    "DatumShift",
    "EncodingGuess",
    "Inspection",
    "LayerReport",
    "Notice",
    "TableColumns",
    "inspect",
]

SAMPLES = 5
SEEN_RECORDS = 5_000
"""So many records are looked at; the rest are counted."""


def inspect(
    path: str | Path,
    *,
    encoding: str | None = None,
    territory: Bounds | None = None,
    known: Sequence[shapely.Geometry] = (),
    limit_bytes: int = MAXIMUM_BYTES,
) -> Inspection:
    """Report every layer of an uploaded file.

    `encoding` is somebody's choice for all layers. `territory` is the box of the province in lon/lat, against
    which proposed reference systems are judged; `known` are outlines of the record in lon/lat (communes, say),
    against which a datum shift is measured. Layers and sheets without features are left out.
    Raises VectorFileError as `gis.vectorfile.open_vector` does.
    """
    source = checked_path(path, limit_bytes)
    with ExitStack() as cleanup:
        found = layers_in(source, cleanup)
        reports: list[LayerReport] = []
        problem: VectorFileError | None = None
        for layer in found:
            with ExitStack() as closing:
                try:
                    opened = open_layer(layer, found, source.name, closing, encoding=encoding)
                    reports.append(_report(opened, layer, territory, known))
                except VectorFileError as error:
                    # An empty sheet or one broken layer must not hide the others.
                    problem = problem or error
        if not reports:
            raise problem or VectorFileError("Tệp %(file)s không có lớp bản đồ nào.", file=source.name)
    sheets = tuple(layer.name for layer in found if layer.format == "xlsx")
    warnings = (Notice(problem.message, problem.facts),) if problem is not None else ()
    return Inspection(source.name, tuple(reports), sheets, warnings)


def _report(
    opened: VectorFile, layer: Layer, territory: Bounds | None, known: Sequence[shapely.Geometry]
) -> LayerReport:
    records = list(islice(opened, SEEN_RECORDS))
    shapes = [r.geometry for r in records if r.geometry is not None and not r.geometry.is_empty]
    bounds = tuple(float(value) for value in shapely.total_bounds(shapes)) if shapes else None
    if bounds is not None and not np.isfinite(bounds).all():
        bounds = None
    return LayerReport(
        name=opened.name,
        format=layer.format,
        geometry_type=opened.geometry_type,
        count=opened.count,
        fields=opened.fields,
        samples=_samples(records),
        encoding=opened.encoding,
        crs=guess_crs(shapes, opened.crs, territory=territory, known=known),
        columns=opened.columns,
        bounds=bounds,  # type: ignore[arg-type]
        without_place=len(records) - len(shapes),
        warnings=tuple(opened.warnings),
        track_outline=layer.format in ("gpx", "kml") and any(map(is_outline, shapes)),
    )


def _samples(records: Sequence[Record]) -> tuple[Mapping[str, Any], ...]:
    """A few rows, first those with letters beyond ASCII: they show whether the encoding is right."""
    return tuple(record.properties for record in sorted(records, key=_is_plain)[:SAMPLES])


def _is_plain(record: Record) -> bool:
    return all(value.isascii() for value in record.properties.values() if isinstance(value, str))
