"""Output formats of GetFeature: which names callers use for them."""

from __future__ import annotations

from services.formats import FORMATS, Format
from services.formats.gml import MEDIA_TYPES
from services.wfs.dialects import Dialect
from services.wfs.exceptions import invalid

#: Names as old and new clients write them, without blanks and in small letters.
_ALIASES = {
    "gml32": "gml32",
    "gml3.2": "gml32",
    "application/gml+xml;version=3.2": "gml32",
    "application/gml+xml": "gml32",
    "text/xml;subtype=gml/3.2": "gml32",
    "text/xml;subtype=gml/3.2.1": "gml32",
    "gml3": "gml31",
    "gml31": "gml31",
    "text/xml;subtype=gml/3.1.1": "gml31",
    "text/xml;subtype=gml/3.1": "gml31",
    "application/gml+xml;version=3.1": "gml31",
    "gml2": "gml2",
    "xmlschema": "gml2",
    "text/xml;subtype=gml/2.1.2": "gml2",
    "application/json": "geojson",
    "application/geo+json": "geojson",
    "json": "geojson",
    "geojson": "geojson",
    "csv": "csv",
    "text/csv": "csv",
    "application/flatgeobuf": "flatgeobuf",
    "flatgeobuf": "flatgeobuf",
    "fgb": "flatgeobuf",
    "application/geopackage+sqlite3": "gpkg",
    "geopackage": "gpkg",
    "gpkg": "gpkg",
    "shape-zip": "shapefile",
    "shapezip": "shapefile",
    "shapefile": "shapefile",
    "application/zip": "shapefile",
    "application/x-zipped-shp": "shapefile",
}

#: XML without a version means the language of the dialect.
_PLAIN_XML = {"text/xml", "application/xml", "text/gml"}

#: The formats besides GML, in the order in which they are offered.
OTHER_NAMES = (
    "application/json",
    "application/geo+json",
    "application/flatgeobuf",
    "application/geopackage+sqlite3",
    "text/csv",
    "SHAPE-ZIP",
)
GML_NAMES = {"gml32": "3.2", "gml31": "3.1", "gml2": "2.1"}
_OWN_GML = {"2.0": "gml32", "1.1": "gml31", "1.0": "gml2"}
#: Formats whose readers page, or are told that there is more; the others are files that must be whole.
PAGED = frozenset({*GML_NAMES, "geojson"})


def offered(dialect: Dialect) -> tuple[str, ...]:
    """List the names of the formats that a version offers, its own GML first."""
    old = {
        "2.0": (MEDIA_TYPES["3.1"], MEDIA_TYPES["2.1"]),
        "1.1": (MEDIA_TYPES["3.2"], MEDIA_TYPES["2.1"]),
        "1.0": ("GML3",),
    }[dialect.family]
    return (dialect.gml_media_type, *old, *OTHER_NAMES)


def chosen(name: str | None, dialect: Dialect) -> Format:
    """Return the format that a request names, by default the GML of its version. Raises OwsError."""
    own = _OWN_GML[dialect.family]
    if name is None:
        return FORMATS[own]
    # A plus sign in an address is a blank by the time it arrives here.
    for text in (name, name.replace(" ", "+", 1)):
        key = text.strip().lower().replace("; ", ";").replace(" ", "").replace('"', "")
        if key in _PLAIN_XML:
            return FORMATS[own]
        if key in _ALIASES:
            return FORMATS[_ALIASES[key]]
    raise invalid("outputFormat", name)


def schema_version(name: str | None, dialect: Dialect) -> str:
    """Return the GML version of the schema that DescribeFeatureType is asked for. Raises OwsError."""
    found = chosen(name, dialect)
    if found.name not in GML_NAMES:
        raise invalid("outputFormat", name)
    return GML_NAMES[found.name]
