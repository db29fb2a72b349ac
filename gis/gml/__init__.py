"""GML geometries of versions 2.1, 3.1 and 3.2: written in bulk, read as every map client sends them."""

from gis.gml.read import GmlError, is_geometry, local_name, parse, srs_of
from gis.gml.write import NAMESPACES, Version, envelope_text, geometry_texts

__all__ = [
    "NAMESPACES",
    "GmlError",
    "Version",
    "envelope_text",
    "geometry_texts",
    "is_geometry",
    "local_name",
    "parse",
    "srs_of",
]
