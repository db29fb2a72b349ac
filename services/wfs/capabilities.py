"""GetCapabilities of version 2: what the service does for this caller, and which layers it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from data.accounts import Actor
from data.spatial import Box
from gis import srsname
from gis.crs import PROVINCE_CRS
from layers import catalogue, read
from layers.edit import may_edit
from layers.fields import Layer
from services import context
from services.formats.gml import NAMESPACE, PREFIX
from services.tiles import bounds_of
from services.wfs import formats, links
from services.wfs.dialects import DIALECTS, FES, GML32, OWS11, WFS20, XLINK, XSI, Dialect
from services.wfs.exceptions import invalid
from services.wfs.names import type_name
from services.wfs.requests import COUNT_DEFAULT
from services.wfs.xml import Writer, to_bytes

SECTIONS = (
    "ServiceIdentification",
    "ServiceProvider",
    "OperationsMetadata",
    "FeatureTypeList",
    "Filter_Capabilities",
)
RESOLVE = ("none", "local")
QUERY_LANGUAGE = "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression"


@dataclass(frozen=True)
class Service:
    """The service as one caller sees it."""

    dialect: Dialect
    actor: Actor
    language: str
    bounds: dict[str, Box | None]

    @property
    def edits(self) -> bool:
        """Whether the caller may change anything; who may not is not told about transactions."""
        return any(may_edit(self.actor, layer) for layer in catalogue.LAYERS)

    def title(self) -> str:
        """The title of the service."""
        return str(_("Dữ liệu OCOP của tỉnh"))

    def abstract(self) -> str:
        """What the service is about."""
        return str(_("Vùng trồng, làng nghề, sản phẩm OCOP và lô hàng của tỉnh, qua chuẩn WFS."))


def service_for(dialect: Dialect) -> Service:
    """Return the service as the present caller sees it."""
    session = context.session()
    revisions = read.all_revisions(session, catalogue.LAYERS)
    bounds = {layer.id: bounds_of(layer, revisions[layer.id]) for layer in catalogue.LAYERS}
    return Service(dialect, context.actor(), context.language(), bounds)


def document(service: Service, sections: frozenset[str]) -> bytes:
    """Return the capabilities of version 2, all of them or some sections. Raises OwsError."""
    for name in sections - {*SECTIONS, "All"}:
        raise invalid("sections", name)
    wanted = set(SECTIONS) if not sections or "All" in sections else sections
    wfs, ows = Writer(WFS20), Writer(OWS11)
    spaces = {"wfs": WFS20, "ows": OWS11, "fes": FES, "gml": GML32, "xlink": XLINK, "xsi": XSI}
    root = wfs.root("WFS_Capabilities", spaces, version=service.dialect.version)
    root.set(f"{{{XSI}}}schemaLocation", f"{WFS20} {service.dialect.schema}")
    if "ServiceIdentification" in wanted:
        identification(ows, root, service)
    if "ServiceProvider" in wanted:
        provider(ows, root, service)
    if "OperationsMetadata" in wanted:
        _operations(ows, root, service)
    if "FeatureTypeList" in wanted:
        listing = wfs.add(root, "FeatureTypeList")
        for layer in catalogue.LAYERS:
            _feature_type(wfs, ows, listing, layer, service)
    if "Filter_Capabilities" in wanted:
        _filters(root)
    return to_bytes(root)


# ---- who and what


def identification(ows: Writer, root: Any, service: Service) -> None:
    """Add the title of the service and the versions that it speaks."""
    part = ows.add(root, "ServiceIdentification")
    ows.add(part, "Title", service.title())
    ows.add(part, "Abstract", service.abstract())
    keywords = ows.add(part, "Keywords")
    for word in ("OCOP", "WFS", _("vùng trồng"), _("làng nghề"), _("truy xuất nguồn gốc")):
        ows.add(keywords, "Keyword", word)
    ows.add(part, "ServiceType", "WFS")
    for dialect in sorted(DIALECTS, key=lambda d: d.version != "2.0.0"):
        ows.add(part, "ServiceTypeVersion", dialect.version)
    ows.add(part, "Fees", "NONE")
    ows.add(part, "AccessConstraints", "NONE")


def provider(ows: Writer, root: Any, service: Service) -> None:
    """Add who offers the service."""
    part = ows.add(root, "ServiceProvider")
    ows.add(part, "ProviderName", service.title())
    contact = ows.add(part, "ServiceContact")
    info = ows.add(contact, "ContactInfo")
    site = ows.add(info, "OnlineResource")
    site.set(f"{{{XLINK}}}href", links.service_url().rpartition("/")[0] + "/")


# ---- operations


def operation(
    ows: Writer,
    parent: Any,
    name: str,
    *,
    get: bool = True,
    post: bool = True,
    parameters: Mapping[str, Sequence[str]] | None = None,
) -> Any:
    """Add an operation with its address and the values of its parameters; return it."""
    part = ows.add(parent, "Operation", name=name)
    http = ows.add(ows.add(part, "DCP"), "HTTP")
    for method, offered in (("Get", get), ("Post", post)):
        if offered:
            # A question mark at the end, since old clients simply put their parameters behind it.
            href = links.service_url() + ("?" if method == "Get" else "")
            ows.add(http, method).set(f"{{{XLINK}}}href", href)
    for key, values in (parameters or {}).items():
        parameter(ows, part, key, values)
    return part


def parameter(ows: Writer, parent: Any, name: str, values: Sequence[str]) -> None:
    """Add the values that a parameter takes; before version 2 they stand without a list around them."""
    part = ows.add(parent, "Parameter", name=name)
    holder = ows.add(part, "AllowedValues") if ows.uri == OWS11 else part
    for value in values:
        ows.add(holder, "Value", value)


def _operations(ows: Writer, root: Any, service: Service) -> None:
    part = ows.add(root, "OperationsMetadata")
    versions = [d.version for d in DIALECTS]
    output = formats.offered(service.dialect)
    gml = output[:3]
    operation(
        ows,
        part,
        "GetCapabilities",
        parameters={"AcceptVersions": versions, "AcceptFormats": ("text/xml",), "Sections": SECTIONS},
    )
    operation(ows, part, "DescribeFeatureType", parameters={"outputFormat": gml})
    operation(ows, part, "ListStoredQueries")
    operation(ows, part, "DescribeStoredQueries")
    asking = {"resultType": ("results", "hits"), "outputFormat": output, "resolve": RESOLVE}
    operation(ows, part, "GetFeature", parameters=asking)
    operation(ows, part, "GetPropertyValue", parameters={"resolve": RESOLVE, "outputFormat": gml[:1]})
    if service.edits:
        operation(ows, part, "Transaction", get=False, parameters={"releaseAction": ("ALL", "SOME")})
        operation(ows, part, "LockFeature", parameters={"lockAction": ("ALL", "SOME")})
        locking = {"resultType": ("results",), "outputFormat": output[:3], "resolve": RESOLVE}
        operation(ows, part, "GetFeatureWithLock", parameters=locking)
        creation = operation(ows, part, "CreateStoredQuery", get=False)
        parameter(ows, creation, "language", (QUERY_LANGUAGE,))
        operation(ows, part, "DropStoredQuery")
    parameter(ows, part, "version", [d.version for d in DIALECTS if d.is_new])
    for name, value in _constraints(service).items():
        constraint(ows, part, name, value)
    queries = ows.add(part, "Constraint", name="QueryExpressions")
    allowed = ows.add(queries, "AllowedValues")
    for value in ("wfs:Query", "wfs:StoredQuery"):
        ows.add(allowed, "Value", value)


def _constraints(service: Service) -> dict[str, str]:
    edits = "TRUE" if service.edits else "FALSE"
    return {
        "ImplementsBasicWFS": "TRUE",
        "ImplementsTransactionalWFS": edits,
        "ImplementsLockingWFS": edits,
        "KVPEncoding": "TRUE",
        "XMLEncoding": "TRUE",
        "SOAPEncoding": "FALSE",
        "ImplementsInheritance": "FALSE",
        "ImplementsRemoteResolve": "FALSE",
        "ImplementsResultPaging": "TRUE",
        "ImplementsStandardJoins": "FALSE",
        "ImplementsSpatialJoins": "FALSE",
        "ImplementsTemporalJoins": "FALSE",
        "ImplementsFeatureVersioning": "FALSE",
        "ManageStoredQueries": edits,
        "PagingIsTransactionSafe": "FALSE",
        "CountDefault": str(COUNT_DEFAULT),
    }


def constraint(ows: Writer, parent: Any, name: str, value: str) -> None:
    """Add a constraint with its value."""
    part = ows.add(parent, "Constraint", name=name)
    ows.add(part, "NoValues")
    ows.add(part, "DefaultValue", value)


# ---- layers


def crs_names() -> list[str]:
    """List the reference systems by URN, that of the record first."""
    codes = [system.code for system in PROVINCE_CRS]
    codes.sort(key=lambda code: code != "EPSG:4326")
    return [srsname.of(code).urn for code in codes]


def _feature_type(wfs: Writer, ows: Writer, parent: Any, layer: Layer, service: Service) -> None:
    # Declared here and not at the root: QGIS looks for the prefix on this element.
    part = wfs.add(parent, "FeatureType", None, {PREFIX: NAMESPACE})
    wfs.add(part, "Name", type_name(layer))
    wfs.add(part, "Title", layer.title[service.language])
    wfs.add(part, "Abstract", layer.description[service.language])
    keywords = ows.add(part, "Keywords")
    ows.add(keywords, "Keyword", layer.group[service.language])
    default, *others = crs_names()
    wfs.add(part, "DefaultCRS", default)
    for name in others:
        wfs.add(part, "OtherCRS", name)
    output = wfs.add(part, "OutputFormats")
    for name in formats.offered(service.dialect):
        wfs.add(output, "Format", name)
    bounding_box(ows, part, service.bounds[layer.id])


def bounding_box(ows: Writer, parent: Any, box: Box | None) -> None:
    """Add the lon/lat box of a layer, if it has one."""
    if box is None:
        return
    west, south, east, north = box
    part = ows.add(parent, "WGS84BoundingBox")
    ows.add(part, "LowerCorner", f"{west:.7f} {south:.7f}")
    ows.add(part, "UpperCorner", f"{east:.7f} {north:.7f}")


# ---- filters

_CONFORMANCE = {
    "ImplementsQuery": "TRUE",
    "ImplementsAdHocQuery": "TRUE",
    "ImplementsFunctions": "FALSE",
    "ImplementsResourceId": "TRUE",
    "ImplementsMinStandardFilter": "TRUE",
    "ImplementsStandardFilter": "TRUE",
    "ImplementsMinSpatialFilter": "TRUE",
    "ImplementsSpatialFilter": "TRUE",
    "ImplementsMinTemporalFilter": "TRUE",
    "ImplementsTemporalFilter": "TRUE",
    "ImplementsVersionNav": "FALSE",
    "ImplementsSorting": "TRUE",
    "ImplementsExtendedOperators": "FALSE",
    "ImplementsMinimumXPath": "TRUE",
    "ImplementsSchemaElementFunc": "FALSE",
}
_COMPARISONS = (
    "PropertyIsEqualTo",
    "PropertyIsNotEqualTo",
    "PropertyIsLessThan",
    "PropertyIsGreaterThan",
    "PropertyIsLessThanOrEqualTo",
    "PropertyIsGreaterThanOrEqualTo",
    "PropertyIsLike",
    "PropertyIsNull",
    "PropertyIsNil",
    "PropertyIsBetween",
)
GEOMETRY_OPERANDS = (
    "Envelope",
    "Point",
    "LineString",
    "Curve",
    "Polygon",
    "Surface",
    "MultiPoint",
    "MultiCurve",
    "MultiSurface",
)
SPATIAL_OPERATORS = (
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
_TEMPORAL_OPERATORS = (
    "After",
    "Before",
    "Begins",
    "BegunBy",
    "TContains",
    "During",
    "EndedBy",
    "Ends",
    "TEquals",
    "Meets",
    "MetBy",
    "TOverlaps",
    "OverlappedBy",
)


def _filters(root: Any) -> None:
    fes, ows = Writer(FES), Writer(OWS11)
    part = fes.add(root, "Filter_Capabilities")
    conformance = fes.add(part, "Conformance")
    for name, value in _CONFORMANCE.items():
        found = fes.add(conformance, "Constraint", name=name)
        ows.add(found, "NoValues")
        ows.add(found, "DefaultValue", value)
    fes.add(fes.add(part, "Id_Capabilities"), "ResourceIdentifier", name="fes:ResourceId")
    scalar = fes.add(part, "Scalar_Capabilities")
    fes.add(scalar, "LogicalOperators")
    comparisons = fes.add(scalar, "ComparisonOperators")
    for name in _COMPARISONS:
        fes.add(comparisons, "ComparisonOperator", name=name)
    _named(fes, part, "Spatial", "Geometry", GEOMETRY_OPERANDS, SPATIAL_OPERATORS)
    _named(fes, part, "Temporal", "Temporal", ("TimeInstant", "TimePeriod"), _TEMPORAL_OPERATORS)


def _named(
    fes: Writer, root: Any, kind: str, operand: str, operands: Sequence[str], operators: Sequence[str]
) -> None:
    part = fes.add(root, f"{kind}_Capabilities")
    holder = fes.add(part, f"{operand}Operands")
    for name in operands:
        fes.add(holder, f"{operand}Operand", name=f"gml:{name}")
    holder = fes.add(part, f"{kind}Operators")
    for name in operators:
        fes.add(holder, f"{kind}Operator", name=name)
