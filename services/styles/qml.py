"""QGIS layer styles of the declared layers: symbols, labels, aliases, value lists and forms.

The elements are those of QGIS 3.22 and later (`qgsrenderer`, `qgspallabeling`, `qgsvectorlayer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from data.accounts import Actor
from gis.draw import Paint
from layers import styles
from layers.fields import Field, FieldType, Layer
from services.styles.symbols import Symbols, scale_denominator, symbols

QGIS_VERSION = "3.22.0-Białowieża"
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
ZOOM = 13.0
MILLIMETRES_PER_PIXEL = 0.28
POINTS_PER_PIXEL = 0.75
OVER_POINT, AROUND_POINT, HORIZONTAL = "1", "6", "4"
NULL = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
"""What QGIS writes for NULL in a list of values."""


def document(layer: Layer, actor: Actor, lang: str, *, editable: bool) -> bytes:
    """Return the QML of a layer with the fields that the caller reads."""
    root = etree.Element("qgis", version=QGIS_VERSION, styleCategories="AllStyleCategories")
    root.set("labelsEnabled", "1" if layer.style.label else "0")
    add_style(root, layer, actor, lang, editable=editable)
    etree.SubElement(root, "layerGeometryType").text = "0" if layer.geometry == "POINT" else "2"
    body: bytes = etree.tostring(root, encoding="UTF-8", doctype=DOCTYPE, pretty_print=True)
    return body


def add_style(parent: etree._Element, layer: Layer, actor: Actor, lang: str, *, editable: bool) -> None:
    """Add everything that QGIS keeps as the style of a layer to an element of a style or project file."""
    fields = layer.readable_fields(actor)
    _renderer(parent, layer, lang)
    if layer.style.label:
        _labeling(parent, layer, layer.style.label)
    _forms(parent, layer, fields, lang, editable=editable)


# ---- symbols


def _renderer(parent: etree._Element, layer: Layer, lang: str) -> None:
    look = symbols(layer, ZOOM)
    single = not look.by
    renderer = etree.SubElement(
        parent, "renderer-v2", type="singleSymbol" if single else "categorizedSymbol",
        symbollevels="0", forceraster="0", enableorderby="0",
    )  # fmt: skip
    entries = styles.legend(layer)
    if look.by:
        renderer.set("attr", look.by)
        categories = etree.SubElement(renderer, "categories")
        for number, entry in enumerate(entries):
            etree.SubElement(
                categories, "category", value=entry["value"] or "", symbol=str(number),
                label=entry["label"][lang], render="true",
            )  # fmt: skip
    drawn = etree.SubElement(renderer, "symbols")
    for number, entry in enumerate(entries):
        _symbol(drawn, layer, str(number), _paint_of(look, entry["value"]))


def _paint_of(look: Symbols, value: str | None) -> Paint:
    return look.paints[0 if value is None else look.values.index(value) + 1]


def _symbol(parent: etree._Element, layer: Layer, name: str, paint: Paint) -> None:
    point = layer.geometry == "POINT"
    symbol = etree.SubElement(
        parent, "symbol", name=name, type="marker" if point else "fill", alpha="1",
        clip_to_extent="1", force_rhr="0",
    )  # fmt: skip
    part = etree.SubElement(
        symbol, "layer", {"class": "SimpleMarker" if point else "SimpleFill"},
        enabled="1", locked="0", **{"pass": "0"},
    )  # fmt: skip
    shared = {
        "color": _color(paint.fill or "#000000", paint.opacity),
        "outline_color": _color(paint.outline or "#ffffff"),
        "outline_style": "solid",
        "outline_width": f"{paint.width * MILLIMETRES_PER_PIXEL:.2f}",
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }
    if point:
        size = f"{paint.radius * 2 * MILLIMETRES_PER_PIXEL:.2f}"
        own = {"name": "circle", "size": size, "size_unit": "MM", "scale_method": "diameter"}
    else:
        own = {"style": "solid" if paint.opacity > 0 else "no"}
    options = etree.SubElement(part, "Option", type="Map")
    for key, value in {**shared, **own}.items():
        etree.SubElement(options, "Option", type="QString", name=key, value=value)
        # Before 3.26 QGIS also reads these; some of 3.22's code knows nothing else.
        etree.SubElement(part, "prop", k=key, v=value)


def _color(color: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(opacity * 255)}"


def _labeling(parent: etree._Element, layer: Layer, field: str) -> None:
    ink = symbols(layer, max(ZOOM, layer.style.label_minzoom)).ink
    settings = etree.SubElement(etree.SubElement(parent, "labeling", type="simple"), "settings")
    text = etree.SubElement(
        settings, "text-style", fieldName=field, isExpression="0", fontFamily=styles.FONT[0],
        fontSize=f"{ink.size * POINTS_PER_PIXEL:g}", fontSizeUnit="Point", textColor=_color(ink.color),
        textOpacity="1", fontWeight="50", fontItalic="0", multilineHeight="1",
    )  # fmt: skip
    families = etree.SubElement(text, "families")
    for family in (styles.FONT[0], "DejaVu Sans", "Arial"):
        etree.SubElement(families, "family", name=family)
    etree.SubElement(
        text, "text-buffer", bufferDraw="1", bufferSize="0.4", bufferSizeUnits="MM",
        bufferColor=_color(ink.halo), bufferOpacity="1", bufferJoinStyle="128", bufferNoFill="1",
    )  # fmt: skip
    etree.SubElement(settings, "text-format", autoWrapLength="24", multilineAlign="1")
    point = layer.geometry == "POINT"
    etree.SubElement(
        settings, "placement", placement=AROUND_POINT if point else HORIZONTAL, priority="5",
        dist="1" if point else "0", distUnits="MM", layerType="PointGeometry" if point else "PolygonGeometry",
        predefinedPositionOrder="B,T,R,L", centroidWhole="0", centroidInside="1",
    )  # fmt: skip
    smallest = f"{scale_denominator(layer.style.label_minzoom):.0f}"
    etree.SubElement(
        settings, "rendering", drawLabels="1", scaleVisibility="1", scaleMin="0", scaleMax=smallest,
        obstacle="1", obstacleFactor="1",
    )  # fmt: skip


# ---- forms


def _forms(
    parent: etree._Element, layer: Layer, fields: Sequence[Field], lang: str, *, editable: bool
) -> None:
    configuration = etree.SubElement(parent, "fieldConfiguration")
    aliases = etree.SubElement(parent, "aliases")
    constraints = etree.SubElement(parent, "constraints")
    may_write = etree.SubElement(parent, "editable")
    for number, field in enumerate(fields):
        kind, options = _widget(field, lang)
        entry = etree.SubElement(configuration, "field", name=field.name, configurationFlags="None")
        widget = etree.SubElement(entry, "editWidget", type=kind)
        _option(etree.SubElement(widget, "config"), None, options)
        title = f"{field.title[lang]} ({field.unit})" if field.unit else field.title[lang]
        etree.SubElement(aliases, "alias", field=field.name, index=str(number), name=title)
        needed = editable and field.required
        etree.SubElement(
            constraints, "constraint", field=field.name, constraints="1" if needed else "0",
            notnull_strength="1" if needed else "0", unique_strength="0", exp_strength="0",
        )  # fmt: skip
        written = editable and field.writable
        etree.SubElement(may_write, "field", name=field.name, editable="1" if written else "0")
    etree.SubElement(parent, "editorlayout").text = "generatedlayout"
    etree.SubElement(parent, "previewExpression").text = f'"{layer.name_field}"'
    etree.SubElement(parent, "mapTip").text = f'<b>[% "{layer.name_field}" %]</b>'


def _widget(field: Field, lang: str) -> tuple[str, dict[str, Any]]:
    """Return QGIS's name of the widget for a field, and its settings."""
    listed = field.code_list
    if listed:
        values = [{code.label(lang): value} for value, code in listed.items()]
        return "ValueMap", {"map": values if field.required else [*values, {"—": NULL}]}
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        timed = field.type == FieldType.DATETIME
        return "DateTime", {
            "allow_null": True,
            "calendar_popup": True,
            "display_format": "dd/MM/yyyy HH:mm" if timed else "dd/MM/yyyy",
            "field_format": "yyyy-MM-dd HH:mm:ss" if timed else "yyyy-MM-dd",
            "field_iso_format": timed,
        }
    if field.type == FieldType.BOOLEAN:
        return "CheckBox", {"CheckedState": "true", "UncheckedState": "false"}
    return "TextEdit", {"IsMultiline": field.multiline, "UseHtml": False}


def _option(parent: etree._Element, name: str | None, value: Any) -> None:
    """Write a value as QGIS writes a QVariant."""
    named = {} if name is None else {"name": name}
    if isinstance(value, dict):
        node = etree.SubElement(parent, "Option", type="Map", **named)
        for key, inner in value.items():
            _option(node, key, inner)
    elif isinstance(value, list):
        node = etree.SubElement(parent, "Option", type="List", **named)
        for inner in value:
            _option(node, None, inner)
    elif isinstance(value, bool):
        etree.SubElement(parent, "Option", type="bool", value=str(value).lower(), **named)
    else:
        etree.SubElement(parent, "Option", type="QString", value=str(value), **named)
