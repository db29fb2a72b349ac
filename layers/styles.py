"""Map styles and legends, made from the layer declarations. Source: MapLibre Style Specification, version 8."""

from __future__ import annotations

from typing import Any

from layers.fields import Layer, Style

FONT = ["Be Vietnam Pro"]


def maplibre_layers(layer: Layer, source: str) -> list[dict[str, Any]]:
    """Return the MapLibre layers that draw one of our layers from a vector source of the same id."""
    drawn = _points(layer) if layer.geometry == "POINT" else _polygons(layer)
    if layer.style.label:
        drawn.append(_labels(layer, layer.style.label))
    return [{"source-layer": layer.id, **part, "source": source} for part in drawn]


def maplibre_style(layer: Layer, tilejson: str) -> dict[str, Any]:
    """Return a whole MapLibre style for one layer; `tilejson` is the address of its TileJSON."""
    return {
        "version": 8,
        "name": layer.title.vi,
        "metadata": {"legend": legend(layer)},
        "sources": {layer.id: {"type": "vector", "url": tilejson}},
        "layers": maplibre_layers(layer, layer.id),
    }


def legend(layer: Layer) -> list[dict[str, Any]]:
    """Return the legend: one entry per colour, with labels in both languages."""
    shape = "circle" if layer.geometry == "POINT" else ("fill" if layer.style.opacity else "line")
    entries: list[dict[str, Any]] = []
    if layer.style.by:
        known = layer.field(layer.style.by).code_list or {}
        for value, color in layer.style.colors.items():
            code = known.get(value)
            names = {"vi": code.vi, "en": code.en} if code else {"vi": value, "en": value}
            entries.append({"label": names, "color": color, "shape": shape, "value": value})
        other = {"vi": "Khác", "en": "Other"}
        return [*entries, {"label": other, "color": layer.style.color, "shape": shape, "value": None}]
    color = layer.style.color if layer.style.opacity else layer.style.outline
    return [{"label": layer.title.as_dict(), "color": color, "shape": shape, "value": None}]


def color_expression(style: Style) -> Any:
    """Return the colour as a constant, or as a match on the field that decides it."""
    if not style.by:
        return style.color
    pairs = [part for value, color in style.colors.items() for part in (value, color)]
    return ["match", ["to-string", ["get", style.by]], *pairs, style.color]


def _points(layer: Layer) -> list[dict[str, Any]]:
    style = layer.style
    return [
        {
            "id": f"{layer.id}-circle",
            "type": "circle",
            "paint": {
                "circle-color": color_expression(style),
                "circle-radius": [
                    "interpolate",
                    ["linear"],
                    ["zoom"],
                    7,
                    style.radius * 0.5,
                    13,
                    style.radius * 1.4,
                ],
                "circle-stroke-color": style.outline,
                "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 7, 0.5, 13, 1.5],
                "circle-opacity": style.opacity,
            },
        }
    ]


def _polygons(layer: Layer) -> list[dict[str, Any]]:
    style = layer.style
    fill = {
        "id": f"{layer.id}-fill",
        "type": "fill",
        "paint": {"fill-color": color_expression(style), "fill-opacity": style.opacity},
    }
    width = {"provinces": 2.4, "districts": 1.6}.get(layer.id, 0.8)
    line = {
        "id": f"{layer.id}-outline",
        "type": "line",
        "layout": {"line-join": "round"},
        "paint": {
            "line-color": style.outline,
            "line-width": ["interpolate", ["linear"], ["zoom"], 7, width * 0.6, 14, width * 1.8],
        },
    }
    return [fill, line]


def _labels(layer: Layer, field: str) -> dict[str, Any]:
    offset = [0, 0.9] if layer.geometry == "POINT" else [0, 0]
    return {
        "id": f"{layer.id}-label",
        "type": "symbol",
        "source-layer": layer.style.label_layer(layer.id),
        "minzoom": layer.style.label_minzoom,
        "layout": {
            "text-field": ["get", field],
            "text-font": FONT,
            "text-size": 13 if layer.id == "districts" else 12,
            "text-max-width": 8,
            "text-offset": offset,
            "text-anchor": "top" if layer.geometry == "POINT" else "center",
            "text-optional": True,
        },
        "paint": {"text-color": "#12302c", "text-halo-color": "#ffffff", "text-halo-width": 1.4},
    }
