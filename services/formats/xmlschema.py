"""The XML Schema of the layers as GML feature types: what DescribeFeatureType answers.

Source: OGC 07-036 §21 (application schemas), 10-100r3. Kept as plain as old readers need it: a global element with
a named `<layer>Type`, built-in types as attributes, `minOccurs="0"` where a value may be missing, never nillable.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.accounts import Actor
from gis.gml import NAMESPACES, Version
from layers.fields import FieldType, Layer
from services.formats.gml import GEOMETRY, NAMESPACE, PREFIX, SCHEMA_LOCATIONS

XML_SCHEMA = "http://www.w3.org/2001/XMLSchema"

_TYPES = {
    FieldType.STRING: "xsd:string",
    FieldType.INTEGER: "xsd:long",
    FieldType.NUMBER: "xsd:double",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
}
_GEOMETRY_TYPES = {
    "POINT": "Point",
    "MULTIPOINT": "MultiPoint",
    "LINESTRING": "LineString",
    "MULTILINESTRING": "MultiLineString",
    "POLYGON": "Polygon",
    "MULTIPOLYGON": "MultiPolygon",
}
_GEOMETRY_TYPES_32 = {
    **_GEOMETRY_TYPES,
    "LINESTRING": "Curve",
    "MULTILINESTRING": "MultiCurve",
    "POLYGON": "Surface",
    "MULTIPOLYGON": "MultiSurface",
}


def feature_type_schema(layers: Layer | Sequence[Layer], actor: Actor, gml_version: Version = "3.2") -> bytes:
    """The XML Schema of one or several layers with the fields that the actor reads, in the order of the features."""
    chosen = [layers] if isinstance(layers, Layer) else list(layers)
    base = "AbstractFeature" if gml_version == "3.2" else "_Feature"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xsd:schema xmlns:xsd="{XML_SCHEMA}" xmlns:gml="{NAMESPACES[gml_version]}" xmlns:{PREFIX}="{NAMESPACE}" '
        f'targetNamespace="{NAMESPACE}" elementFormDefault="qualified" version="1.0">',
        f'  <xsd:import namespace="{NAMESPACES[gml_version]}" '
        f'schemaLocation="{SCHEMA_LOCATIONS[gml_version]}"/>',
    ]
    for layer in chosen:
        lines.append(
            f'  <xsd:element name="{layer.id}" type="{PREFIX}:{layer.id}Type" substitutionGroup="gml:{base}"/>'
        )
        lines += _complex_type(layer, actor, gml_version)
    lines.append("</xsd:schema>")
    return "\n".join(lines).encode()


def geometry_type(layer: Layer, gml_version: Version) -> str:
    """The name of the geometry property type of a layer, such as `gml:MultiSurfacePropertyType`."""
    names = _GEOMETRY_TYPES_32 if gml_version == "3.2" else _GEOMETRY_TYPES
    return f"gml:{names[layer.geometry]}PropertyType"


def _complex_type(layer: Layer, actor: Actor, gml_version: Version) -> list[str]:
    elements = [
        f'          <xsd:element name="{field.name}" type="{_TYPES[field.type]}" minOccurs="0"/>'
        for field in layer.readable_fields(actor)
    ]
    return [
        f'  <xsd:complexType name="{layer.id}Type">',
        "    <xsd:complexContent>",
        '      <xsd:extension base="gml:AbstractFeatureType">',
        "        <xsd:sequence>",
        *elements,
        f'          <xsd:element name="{GEOMETRY}" type="{geometry_type(layer, gml_version)}" minOccurs="0"/>',
        "        </xsd:sequence>",
        "      </xsd:extension>",
        "    </xsd:complexContent>",
        "  </xsd:complexType>",
    ]
