"""GetCapabilities of versions 1.1 and 1.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layers import catalogue
from layers.edit import may_edit
from layers.fields import Layer
from services.formats.gml import NAMESPACE, PREFIX
from services.wfs import formats, links
from services.wfs.capabilities import (
    Service,
    bounding_box,
    crs_names,
    identification,
    operation,
    provider,
)
from services.wfs.dialects import DIALECTS, GML, OGC, OWS10, WFS1, XLINK, XSI
from services.wfs.names import type_name
from services.wfs.xml import Writer, to_bytes

_EDITS = ("Insert", "Update", "Delete")
_SPATIAL = (
    "BBOX",
    "Equals",
    "Disjoint",
    "Intersects",
    "Touches",
    "Crosses",
    "Within",
    "Contains",
    "Overlaps",
    "Beyond",
    "DWithin",
)


def document_11(service: Service) -> bytes:
    """Return the capabilities of version 1.1."""
    wfs, ows = Writer(WFS1), Writer(OWS10)
    spaces = {"wfs": WFS1, "ows": OWS10, "ogc": OGC, "gml": GML, "xlink": XLINK, "xsi": XSI}
    root = wfs.root("WFS_Capabilities", spaces, version="1.1.0")
    root.set(f"{{{XSI}}}schemaLocation", f"{WFS1} {service.dialect.schema}")
    identification(ows, root, service)
    provider(ows, root, service)
    _operations(ows, root, service)
    listing = wfs.add(root, "FeatureTypeList")
    _permitted(wfs, listing, ("Query",))
    for layer in catalogue.LAYERS:
        _feature_type(wfs, ows, listing, layer, service)
    _filters_11(root)
    return to_bytes(root)


def _operations(ows: Writer, root: Any, service: Service) -> None:
    part = ows.add(root, "OperationsMetadata")
    output = formats.offered(service.dialect)
    versions = [d.version for d in DIALECTS]
    operation(
        ows, part, "GetCapabilities", parameters={"AcceptVersions": versions, "AcceptFormats": ("text/xml",)}
    )
    operation(ows, part, "DescribeFeatureType", parameters={"outputFormat": output[:3]})
    operation(ows, part, "GetFeature", parameters={"resultType": ("results", "hits"), "outputFormat": output})
    if service.edits:
        operation(ows, part, "LockFeature", parameters={"lockAction": ("ALL", "SOME")})
        operation(ows, part, "GetFeatureWithLock", parameters={"outputFormat": output[:3]})
        operation(ows, part, "Transaction", get=False)


def _permitted(wfs: Writer, parent: Any, names: Sequence[str]) -> None:
    part = wfs.add(parent, "Operations")
    for name in names:
        wfs.add(part, "Operation", name)


def _feature_type(wfs: Writer, ows: Writer, parent: Any, layer: Layer, service: Service) -> None:
    part = wfs.add(parent, "FeatureType", None, {PREFIX: NAMESPACE})
    wfs.add(part, "Name", type_name(layer))
    wfs.add(part, "Title", layer.title[service.language])
    wfs.add(part, "Abstract", layer.description[service.language])
    ows.add(ows.add(part, "Keywords"), "Keyword", layer.group[service.language])
    default, *others = crs_names()
    wfs.add(part, "DefaultSRS", default)
    for name in others:
        wfs.add(part, "OtherSRS", name)
    edits = (*_EDITS, "Lock") if may_edit(service.actor, layer) else ()
    _permitted(wfs, part, ("Query", *edits))
    output = wfs.add(part, "OutputFormats")
    for name in formats.offered(service.dialect):
        wfs.add(output, "Format", name)
    # The schema of 1.1 asks for a box even where a layer is empty.
    bounding_box(ows, part, service.bounds[layer.id] or (0.0, 0.0, 0.0, 0.0))


def _filters_11(root: Any) -> None:
    ogc = Writer(OGC)
    part = ogc.add(root, "Filter_Capabilities")
    spatial = ogc.add(part, "Spatial_Capabilities")
    operands = ogc.add(spatial, "GeometryOperands")
    for name in ("Envelope", "Point", "LineString", "Polygon"):
        ogc.add(operands, "GeometryOperand", f"gml:{name}")
    operators = ogc.add(spatial, "SpatialOperators")
    for name in _SPATIAL:
        ogc.add(operators, "SpatialOperator", name=name)
    scalar = ogc.add(part, "Scalar_Capabilities")
    ogc.add(scalar, "LogicalOperators")
    comparisons = ogc.add(scalar, "ComparisonOperators")
    for name in (
        "LessThan",
        "GreaterThan",
        "LessThanEqualTo",
        "GreaterThanEqualTo",
        "EqualTo",
        "NotEqualTo",
        "Like",
        "Between",
        "NullCheck",
    ):
        ogc.add(comparisons, "ComparisonOperator", name)
    ids = ogc.add(part, "Id_Capabilities")
    ogc.add(ids, "EID")
    ogc.add(ids, "FID")


# ---- 1.0


def document_10(service: Service) -> bytes:
    """Return the capabilities of version 1.0."""
    wfs = Writer(WFS1)
    root = wfs.root("WFS_Capabilities", {"wfs": WFS1, None: WFS1, "ogc": OGC, "xsi": XSI}, version="1.0.0")
    root.set(f"{{{XSI}}}schemaLocation", f"{WFS1} http://schemas.opengis.net/wfs/1.0.0/WFS-capabilities.xsd")
    part = wfs.add(root, "Service")
    wfs.add(part, "Name", "WFS")
    wfs.add(part, "Title", service.title())
    wfs.add(part, "Abstract", service.abstract())
    wfs.add(part, "OnlineResource", links.service_url())
    wfs.add(part, "Fees", "NONE")
    wfs.add(part, "AccessConstraints", "NONE")
    _capability(wfs, root, service)
    listing = wfs.add(root, "FeatureTypeList")
    wfs.add(wfs.add(listing, "Operations"), "Query")
    for layer in catalogue.LAYERS:
        _feature_type_10(wfs, listing, layer, service)
    _filters_10(root)
    return to_bytes(root)


def _capability(wfs: Writer, root: Any, service: Service) -> None:
    part = wfs.add(wfs.add(root, "Capability"), "Request")
    _http(wfs, wfs.add(part, "GetCapabilities"))
    describing = wfs.add(part, "DescribeFeatureType")
    wfs.add(wfs.add(describing, "SchemaDescriptionLanguage"), "XMLSCHEMA")
    _http(wfs, describing)
    getting = wfs.add(part, "GetFeature")
    # The schema of 1.0 lets no other format be named; more are given to those who ask.
    wfs.add(wfs.add(getting, "ResultFormat"), "GML2")
    _http(wfs, getting)
    if service.edits:
        _http(wfs, wfs.add(part, "Transaction"), get=False)
        _http(wfs, wfs.add(part, "LockFeature"))
        with_lock = wfs.add(part, "GetFeatureWithLock")
        wfs.add(wfs.add(with_lock, "ResultFormat"), "GML2")
        _http(wfs, with_lock)


def _http(wfs: Writer, parent: Any, *, get: bool = True) -> None:
    if get:
        address = links.service_url() + "?"
        wfs.add(wfs.add(wfs.add(parent, "DCPType"), "HTTP"), "Get", onlineResource=address)
    wfs.add(wfs.add(wfs.add(parent, "DCPType"), "HTTP"), "Post", onlineResource=links.service_url())


def _feature_type_10(wfs: Writer, parent: Any, layer: Layer, service: Service) -> None:
    part = wfs.add(parent, "FeatureType", None, {PREFIX: NAMESPACE})
    wfs.add(part, "Name", type_name(layer))
    wfs.add(part, "Title", layer.title[service.language])
    wfs.add(part, "Abstract", layer.description[service.language])
    wfs.add(part, "Keywords", layer.group[service.language])
    wfs.add(part, "SRS", "EPSG:4326")
    if may_edit(service.actor, layer):
        operations = wfs.add(part, "Operations")
        for name in ("Query", *_EDITS, "Lock"):
            wfs.add(operations, name)
    box = service.bounds[layer.id]
    if box is not None:
        edges = zip(("minx", "miny", "maxx", "maxy"), box, strict=True)
        wfs.add(part, "LatLongBoundingBox", **{name: f"{value:.7f}" for name, value in edges})


def _filters_10(root: Any) -> None:
    ogc = Writer(OGC)
    part = ogc.add(root, "Filter_Capabilities")
    operators = ogc.add(ogc.add(part, "Spatial_Capabilities"), "Spatial_Operators")
    for name in _SPATIAL:
        ogc.add(operators, "Intersect" if name == "Intersects" else name)
    scalar = ogc.add(part, "Scalar_Capabilities")
    ogc.add(scalar, "Logical_Operators")
    comparisons = ogc.add(scalar, "Comparison_Operators")
    for name in ("Simple_Comparisons", "Like", "Between", "NullCheck"):
        ogc.add(comparisons, name)
