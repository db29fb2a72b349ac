"""Styled Layer Descriptors of the declared styles, version 1.0.0 and 1.1.0 (with Symbology Encoding 1.1.0).

Source: OGC 02-070 (SLD 1.0.0), OGC 05-078r4 (SLD 1.1.0), OGC 05-077r4 (SE 1.1.0).
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from gis.draw import Ink, Paint
from layers import styles
from layers.fields import Layer
from services.styles.symbols import scale_denominator, symbols

SLD = "http://www.opengis.net/sld"
SE = "http://www.opengis.net/se"
OGC = "http://www.opengis.net/ogc"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ZOOM = 13.0
HALO_RADIUS = "1.4"


def document(layers: Sequence[Layer], version: str, lang: str) -> bytes:
    """Return the styles of some layers as one document; `version` is 1.0.0 or 1.1.0."""
    return _Writer(version, lang).write(layers)


class _Writer:
    """Writes one document: 1.1.0 moves what draws into a namespace of its own and renames parameters."""

    def __init__(self, version: str, lang: str) -> None:
        self.version = version
        self.modern = version == "1.1.0"
        self.lang = lang
        self.space = SE if self.modern else SLD

    def write(self, layers: Sequence[Layer]) -> bytes:
        """Write the whole document."""
        spaces = {None: SLD, "ogc": OGC, "xlink": XLINK, "xsi": XSI}
        root = etree.Element(
            f"{{{SLD}}}StyledLayerDescriptor", nsmap={**spaces, "se": SE} if self.modern else spaces
        )
        root.set("version", self.version)
        schema = f"http://schemas.opengis.net/sld/{self.version}/StyledLayerDescriptor.xsd"
        root.set(f"{{{XSI}}}schemaLocation", f"{SLD} {schema}")
        for layer in layers:
            self._layer(root, layer)
        body: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return body

    def _layer(self, root: etree._Element, layer: Layer) -> None:
        named = etree.SubElement(root, f"{{{SLD}}}NamedLayer")
        self._add(named, "Name", layer.id)
        style = etree.SubElement(named, f"{{{SLD}}}UserStyle")
        self._add(style, "Name", "default")
        self._titled(style, layer.title[self.lang], layer.description[self.lang])
        etree.SubElement(style, f"{{{SLD}}}IsDefault").text = "1"
        drawn = self._add(style, "FeatureTypeStyle")
        look = symbols(layer, ZOOM)
        for entry in styles.legend(layer):
            value = entry["value"]
            paint = look.paints[0 if value is None else look.values.index(value) + 1]
            self._rule(drawn, layer, value, entry["label"][self.lang], paint)
        if layer.style.label:
            self._labels(style, layer, layer.style.label)

    def _rule(self, drawn: etree._Element, layer: Layer, value: str | None, title: str, paint: Paint) -> None:
        rule = self._add(drawn, "Rule")
        self._add(rule, "Name", f"{layer.id}-{value or 'other'}")
        self._titled(rule, title)
        if value is not None:
            condition = etree.SubElement(rule, f"{{{OGC}}}Filter")
            equal = etree.SubElement(condition, f"{{{OGC}}}PropertyIsEqualTo")
            etree.SubElement(equal, f"{{{OGC}}}PropertyName").text = layer.style.by
            etree.SubElement(equal, f"{{{OGC}}}Literal").text = value
        elif layer.style.by:
            self._add(rule, "ElseFilter")
        if layer.minzoom > 5:
            self._add(rule, "MaxScaleDenominator", f"{scale_denominator(layer.minzoom):.0f}")
        if layer.geometry == "POINT":
            self._point(rule, paint)
        else:
            self._polygon(rule, paint)

    def _polygon(self, rule: etree._Element, paint: Paint) -> None:
        symbolizer = self._add(rule, "PolygonSymbolizer")
        if paint.opacity > 0 and paint.fill:
            self._fill(symbolizer, paint)
        self._stroke(symbolizer, paint)

    def _point(self, rule: etree._Element, paint: Paint) -> None:
        graphic = self._add(self._add(rule, "PointSymbolizer"), "Graphic")
        mark = self._add(graphic, "Mark")
        self._add(mark, "WellKnownName", "circle")
        self._fill(mark, paint)
        self._stroke(mark, paint)
        self._add(graphic, "Size", f"{paint.radius * 2:.1f}")

    def _labels(self, style: etree._Element, layer: Layer, field: str) -> None:
        """Write labels as a style of their own, so that they are drawn above every shape of the layer."""
        rule = self._add(self._add(style, "FeatureTypeStyle"), "Rule")
        self._add(rule, "Name", f"{layer.id}-label")
        self._add(rule, "MaxScaleDenominator", f"{scale_denominator(layer.style.label_minzoom):.0f}")
        ink = symbols(layer, max(ZOOM, layer.style.label_minzoom)).ink
        symbolizer = self._add(rule, "TextSymbolizer")
        label = self._add(symbolizer, "Label")
        etree.SubElement(label, f"{{{OGC}}}PropertyName").text = field
        font = self._add(symbolizer, "Font")
        self._parameter(font, "font-family", styles.FONT[0])
        self._parameter(font, "font-size", f"{ink.size:.0f}")
        self._placement(symbolizer, layer)
        self._halo(symbolizer, ink)
        self._parameter(self._add(symbolizer, "Fill"), "fill", ink.color)

    def _placement(self, symbolizer: etree._Element, layer: Layer) -> None:
        point = self._add(self._add(symbolizer, "LabelPlacement"), "PointPlacement")
        anchor = self._add(point, "AnchorPoint")
        below = layer.geometry == "POINT"
        self._add(anchor, "AnchorPointX", "0.5")
        self._add(anchor, "AnchorPointY", "1" if below else "0.5")
        if below:
            shift = self._add(point, "Displacement")
            self._add(shift, "DisplacementX", "0")
            self._add(shift, "DisplacementY", f"{-layer.style.radius * 1.4 - 1:.0f}")

    def _halo(self, symbolizer: etree._Element, ink: Ink) -> None:
        halo = self._add(symbolizer, "Halo")
        self._add(halo, "Radius", HALO_RADIUS)
        self._parameter(self._add(halo, "Fill"), "fill", ink.halo)

    def _fill(self, parent: etree._Element, paint: Paint) -> None:
        fill = self._add(parent, "Fill")
        self._parameter(fill, "fill", paint.fill or "#000000")
        self._parameter(fill, "fill-opacity", f"{paint.opacity:g}")

    def _stroke(self, parent: etree._Element, paint: Paint) -> None:
        stroke = self._add(parent, "Stroke")
        self._parameter(stroke, "stroke", paint.outline or "#ffffff")
        self._parameter(stroke, "stroke-width", f"{paint.width:.2f}")
        self._parameter(stroke, "stroke-linejoin", "round")

    # ---- elements

    def _add(self, parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
        node = etree.SubElement(parent, f"{{{self.space}}}{name}")
        node.text = text
        return node

    def _parameter(self, parent: etree._Element, name: str, value: str) -> None:
        node = self._add(parent, "SvgParameter" if self.modern else "CssParameter", value)
        node.set("name", name)

    def _titled(self, parent: etree._Element, title: str, abstract: str | None = None) -> None:
        holder = self._add(parent, "Description") if self.modern else parent
        self._add(holder, "Title", title)
        if abstract:
            self._add(holder, "Abstract", abstract)
