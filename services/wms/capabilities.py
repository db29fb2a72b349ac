"""The capabilities document in both versions, walked from the layer declarations.

Source: OGC 06-042 (WMS 1.3.0) §7.2 and annex E.1, OGC 05-078r4 (SLD profile), OGC 01-068r3 (WMS 1.1.1) annex A.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from flask import request, url_for
from flask_babel import gettext as _
from lxml import etree

from gis import crs as reference_systems
from layers import catalogue, read
from layers.fields import Label, Layer
from services import context
from services.styles.symbols import scale_denominator
from services.tiles import bounds_of
from services.wms.information import INFO_FORMATS
from services.wms.legend import legend_size
from services.wms.request import (
    CRS_NAMES,
    DEFAULT_STYLE,
    LARGEST_SIDE,
    MAP_FORMATS,
    MOST_LAYERS,
    WHOLE_MAP,
    Box,
)

WMS = "http://www.opengis.net/wms"
SLD = "http://www.opengis.net/sld"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMAS = "http://schemas.opengis.net"
DTD = f"{SCHEMAS}/wms/1.1.1/WMS_MS_Capabilities.dtd"
LEGEND_FORMAT = "image/png"
EXCEPTIONS_OF_111 = (
    "application/vnd.ogc.se_xml",
    "application/vnd.ogc.se_inimage",
    "application/vnd.ogc.se_blank",
)
STEPS = 9
DEGREE_DIGITS, METRE_DIGITS = 7, 3


def document(version: str, title: str, sequence: str) -> bytes:
    """Return the capabilities for the caller in their language; `sequence` is the document's update sequence."""
    return _Writer(version).write(title, sequence)


@dataclass(frozen=True)
class _Place:
    """Where a layer lies, in degrees, and down to which scale it is drawn."""

    box: Box
    largest_scale: float | None


class _Writer:
    """Writes one document; both versions have the same tree under slightly different names."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.modern = version == "1.3.0"
        self.address = _address()

    def write(self, title: str, sequence: str) -> bytes:
        """Write the whole document."""
        if self.modern:
            root = etree.Element(
                f"{{{WMS}}}WMS_Capabilities", nsmap={None: WMS, "sld": SLD, "xlink": XLINK, "xsi": XSI}
            )
            locations = (
                WMS,
                f"{SCHEMAS}/wms/1.3.0/capabilities_1_3_0.xsd",
                SLD,
                f"{SCHEMAS}/sld/1.1.0/sld_capabilities.xsd",
            )
            root.set(f"{{{XSI}}}schemaLocation", " ".join(locations))
        else:
            root = etree.Element("WMT_MS_Capabilities", nsmap={"xlink": XLINK})
        root.set("version", self.version)
        root.set("updateSequence", sequence)
        self._service(root, title)
        capability = self._add(root, "Capability")
        self._requests(capability)
        self._exceptions(capability)
        self._layers(capability, title)
        doctype = None if self.modern else f'<!DOCTYPE WMT_MS_Capabilities SYSTEM "{DTD}">'
        body: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", doctype=doctype)
        return body

    # ---- parts

    def _service(self, root: etree._Element, title: str) -> None:
        service = self._add(root, "Service")
        self._add(service, "Name", "WMS" if self.modern else "OGC:WMS")
        self._add(service, "Title", title)
        self._add(service, "Abstract", _("Vùng trồng, làng nghề và sản phẩm OCOP của tỉnh trên một bản đồ."))
        self._keywords(service, ("OCOP", *dict.fromkeys(g[context.language()] for g in _groups())))
        self._link(service, "OnlineResource", request.url_root)
        self._add(service, "Fees", "none")
        self._add(service, "AccessConstraints", "none")
        if self.modern:
            self._add(service, "LayerLimit", str(MOST_LAYERS))
            self._add(service, "MaxWidth", str(LARGEST_SIDE))
            self._add(service, "MaxHeight", str(LARGEST_SIDE))

    def _requests(self, capability: etree._Element) -> None:
        requests = self._add(capability, "Request")
        own = "text/xml" if self.modern else "application/vnd.ogc.wms_xml"
        self._operation(requests, "GetCapabilities", (own,))
        self._operation(requests, "GetMap", MAP_FORMATS)
        self._operation(requests, "GetFeatureInfo", INFO_FORMATS)
        if self.modern:
            self._operation(requests, f"{{{SLD}}}GetLegendGraphic", (LEGEND_FORMAT,))
        else:
            self._operation(requests, "GetLegendGraphic", (LEGEND_FORMAT,))
            self._operation(requests, "GetStyles", ("application/vnd.ogc.sld+xml",))

    def _operation(self, requests: etree._Element, name: str, formats: Iterable[str]) -> None:
        operation = self._add(requests, name)
        for media_type in formats:
            self._add(operation, "Format", media_type)
        http = self._add(self._add(operation, "DCPType"), "HTTP")
        self._link(self._add(http, "Get"), "OnlineResource", self.address)

    def _exceptions(self, capability: etree._Element) -> None:
        formats = ("XML", "INIMAGE", "BLANK") if self.modern else EXCEPTIONS_OF_111
        exceptions = self._add(capability, "Exception")
        for name in formats:
            self._add(exceptions, "Format", name)

    def _layers(self, capability: etree._Element, title: str) -> None:
        lang = context.language()
        places = {layer.id: _place(layer) for layer in catalogue.LAYERS}
        whole = _Place(_union(place.box for place in places.values()), None)
        root = self._layer(capability, WHOLE_MAP, title, queryable=True)
        for name in CRS_NAMES:
            self._add(root, "CRS" if self.modern else "SRS", name)
        self._extent(root, whole)
        for group, members in groupby(catalogue.LAYERS, key=lambda layer: layer.group):
            inside = list(members)
            branch = self._layer(root, None, group[lang], queryable=False)
            self._extent(branch, _Place(_union(places[layer.id].box for layer in inside), None))
            for layer in inside:
                self._leaf(branch, layer, places[layer.id], lang)

    def _leaf(self, parent: etree._Element, layer: Layer, place: _Place, lang: str) -> None:
        node = self._layer(parent, layer.id, layer.title[lang], queryable=True)
        self._add(node, "Abstract", layer.description[lang])
        self._extent(node, place)
        data = self._add(node, "DataURL")
        self._add(data, "Format", "application/geo+json")
        self._link(data, "OnlineResource", url_for("items.collection", layer_id=layer.id, _external=True))
        style = self._add(node, "Style")
        self._add(style, "Name", DEFAULT_STYLE)
        self._add(style, "Title", layer.title[lang])
        width, height = legend_size(layer, lang)
        legend = self._add(style, "LegendURL", width=str(width), height=str(height))
        self._add(legend, "Format", LEGEND_FORMAT)
        query = f"service=WMS&request=GetLegendGraphic&version={self.version}&format=image/png"
        self._link(legend, "OnlineResource", f"{self.address}{query}&layer={layer.id}&style={DEFAULT_STYLE}")
        if place.largest_scale is not None:
            if self.modern:
                self._add(node, "MaxScaleDenominator", f"{place.largest_scale:.0f}")
            else:
                diagonal = place.largest_scale * 0.00028 * 2**0.5
                self._add(node, "ScaleHint", min="0", max=f"{diagonal:.1f}")

    def _layer(
        self, parent: etree._Element, name: str | None, title: str, *, queryable: bool
    ) -> etree._Element:
        node = self._add(parent, "Layer", queryable="1" if queryable else "0")
        if name is not None:
            self._add(node, "Name", name)
        self._add(node, "Title", title)
        return node

    def _extent(self, node: etree._Element, place: _Place) -> None:
        west, south, east, north = place.box
        edges = {"west": west, "east": east, "south": south, "north": north}
        if self.modern:
            box = self._add(node, "EX_GeographicBoundingBox")
            names = {"west": "Longitude", "east": "Longitude", "south": "Latitude", "north": "Latitude"}
            for side, value in edges.items():
                self._add(box, f"{side}Bound{names[side]}", _number(value))
        else:
            self._add(
                node, "LatLonBoundingBox", minx=_number(west), miny=_number(south),
                maxx=_number(east), maxy=_number(north),
            )  # fmt: skip
        for name, code in CRS_NAMES.items():
            min_x, min_y, max_x, max_y = _box_in(place.box, code)
            digits = METRE_DIGITS if max_x > 360 else DEGREE_DIGITS
            if self.modern and reference_systems.is_latlon(code):
                min_x, min_y, max_x, max_y = min_y, min_x, max_y, max_x
            values = zip(("minx", "miny", "maxx", "maxy"), (min_x, min_y, max_x, max_y), strict=True)
            limits = {edge: _number(value, digits) for edge, value in values}
            self._add(node, "BoundingBox", **{"CRS" if self.modern else "SRS": name}, **limits)

    # ---- elements

    def _add(
        self, parent: etree._Element, name: str, text: str | None = None, **attributes: str
    ) -> etree._Element:
        full = f"{{{WMS}}}{name}" if self.modern and not name.startswith("{") else name
        node = etree.SubElement(parent, full, attributes)
        node.text = text
        return node

    def _link(self, parent: etree._Element, name: str, address: str) -> None:
        node = self._add(parent, name)
        node.set(f"{{{XLINK}}}type", "simple")
        node.set(f"{{{XLINK}}}href", address)

    def _keywords(self, parent: etree._Element, words: Iterable[str]) -> None:
        keywords = self._add(parent, "KeywordList")
        for word in words:
            self._add(keywords, "Keyword", word)


def _address() -> str:
    """Return the address to which parameters are added; a language chosen in the address stays."""
    own = url_for("wms.serve", _external=True) + "?"
    return f"{own}lang={context.language()}&" if "lang" in request.args else own


def _groups() -> Iterable[Label]:
    return dict.fromkeys(layer.group for layer in catalogue.LAYERS)


def _place(layer: Layer) -> _Place:
    revision = read.revision(context.session(), layer)
    west, south, east, north = bounds_of(layer, revision) or reference_systems.VIETNAM_BOUNDS
    # A layer of one point has a box without area, which clients cannot zoom to.
    margin = 0.001 if west == east or south == north else 0.0
    box = (west - margin, south - margin, east + margin, north + margin)
    return _Place(box, scale_denominator(layer.minzoom) if layer.minzoom > 5 else None)


def _union(boxes: Iterable[Box]) -> Box:
    sides = np.array(list(boxes))
    low, high = sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@lru_cache(maxsize=512)
def _box_in(box: Box, code: str) -> Box:
    """Return the box of a lon/lat box in a reference system, its sides followed in steps; x, y order."""
    west, south, east, north = box
    across, up = np.linspace(west, east, STEPS), np.linspace(south, north, STEPS)
    lon = np.concatenate((across, across, np.full(STEPS, west), np.full(STEPS, east)))
    lat = np.concatenate((np.full(STEPS, south), np.full(STEPS, north), up, up))
    x, y = reference_systems.transform_points(lon, lat, "OGC:CRS84", code)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _number(value: float, digits: int = DEGREE_DIGITS) -> str:
    return f"{value:.{digits}f}"
