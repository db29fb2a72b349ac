"""DXF for drawing programs: a drawing layer per colour of the map, names as texts, the record's number as data."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis import dxf
from layers import styles
from layers.fields import Label
from services.formats import companions
from services.formats.base import Context, Features, Shapes, bytes_of

MEDIA_TYPE = "image/vnd.dxf"
TEXT_HEIGHT_M = 12.0
METRES_PER_DEGREE = 111_320.0

_REMARKS = (
    Label("{title}: đa giác vẽ thành các đường khép kín; {key} nằm trong dữ liệu mở rộng (XDATA) của mỗi đường.",
          "{title}: polygons are drawn as closed lines; {key} is in the extended data (XDATA) of each."),
    Label("Hệ tọa độ {crs}; X là hướng Đông, Y là hướng Bắc.", "Reference system {crs}; X is east, Y is north."),
)  # fmt: skip


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A drawing of release 12 in the target system; a polygon's holes are lines of their own.

    Drawings hold few attributes: each line has `layer=…`, `id=…` and `name=…` in its extended data.
    """
    layer, lang = companions.narrowed(features), context.language
    legend = styles.legend(layer)
    names = {entry["value"]: _drawing_layer(layer.id, entry["value"]) for entry in legend}
    height = TEXT_HEIGHT_M / METRES_PER_DEGREE if context.target.is_degrees else TEXT_HEIGHT_M
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as folder:
        path = Path(folder) / "entities"
        with path.open("w", encoding="ascii") as file:
            for page in features.pages:
                shapes = Shapes(page, context.target).moved
                found = shapely.total_bounds(shapes)
                bounds[:2], bounds[2:] = np.fmin(bounds[:2], found[:2]), np.fmax(bounds[2:], found[2:])
                columns = page.by_name()
                kinds = columns[layer.style.by] if layer.style.by else [None] * len(page)
                titles = columns.get(layer.name_field, [None] * len(page))
                for row_id, shape, kind, title in zip(page.ids.tolist(), shapes, kinds, titles, strict=True):
                    if shape is None or shape.is_empty:
                        continue
                    on = names.get(
                        None if kind is None else str(kind), names.get(None, names[next(iter(names))])
                    )
                    text = "" if title is None else str(title)
                    data = (f"layer={layer.id}", f"id={row_id}", f"name={text}")
                    file.write(dxf.entity_text(dxf.Entity(shape, on, text, data), text_height=height))
        drawn = [dxf.DrawingLayer(names[entry["value"]], entry["color"]) for entry in legend]
        facts = {"title": layer.title[lang], "key": "id", "crs": context.target.crs}
        remarks = [dxf.escaped(remark[lang].format(**facts)) for remark in _REMARKS]
        west, south, east, north = (bounds if np.isfinite(bounds).all() else np.zeros(4)).tolist()
        yield dxf.head(drawn, (west, south, east, north), remarks).encode("ascii")
        yield from bytes_of(path)
        yield dxf.tail().encode("ascii")


def _drawing_layer(layer_id: str, value: Any) -> str:
    return dxf.layer_name(layer_id if value is None else f"{layer_id}_{value}")
