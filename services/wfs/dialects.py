"""The dialects of the service: namespaces, schemas and habits of each version, and which one is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WFS20 = "http://www.opengis.net/wfs/2.0"
WFS1 = "http://www.opengis.net/wfs"
FES = "http://www.opengis.net/fes/2.0"
OGC = "http://www.opengis.net/ogc"
OWS11 = "http://www.opengis.net/ows/1.1"
OWS10 = "http://www.opengis.net/ows"
GML32 = "http://www.opengis.net/gml/3.2"
GML = "http://www.opengis.net/gml"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

SCHEMAS = "http://schemas.opengis.net"


@dataclass(frozen=True)
class Dialect:
    """One version of the service as it is spoken: `family` is what its number begins with."""

    version: str
    family: str
    wfs: str
    filter: str
    ows: str
    gml: str
    gml_version: str
    gml_media_type: str
    schema: str
    transaction_schema: str
    gml_schema: str

    @property
    def is_new(self) -> bool:
        """Whether this is version 2: paging, stored queries, statuses of HTTP that say how it went."""
        return self.family == "2.0"

    @property
    def prefix_of_filter(self) -> str:
        """The usual prefix of the filter namespace."""
        return "fes" if self.is_new else "ogc"


def _second(version: str) -> Dialect:
    return Dialect(
        version=version,
        family="2.0",
        wfs=WFS20,
        filter=FES,
        ows=OWS11,
        gml=GML32,
        gml_version="3.2",
        gml_media_type="application/gml+xml; version=3.2",
        schema=f"{SCHEMAS}/wfs/2.0/wfs.xsd",
        transaction_schema=f"{SCHEMAS}/wfs/2.0/wfs.xsd",
        gml_schema=f"{SCHEMAS}/gml/3.2.1/gml.xsd",
    )


V200, V202 = _second("2.0.0"), _second("2.0.2")

V110 = Dialect(
    version="1.1.0",
    family="1.1",
    wfs=WFS1,
    filter=OGC,
    ows=OWS10,
    gml=GML,
    gml_version="3.1",
    gml_media_type="text/xml; subtype=gml/3.1.1",
    schema=f"{SCHEMAS}/wfs/1.1.0/wfs.xsd",
    transaction_schema=f"{SCHEMAS}/wfs/1.1.0/wfs.xsd",
    gml_schema=f"{SCHEMAS}/gml/3.1.1/base/gml.xsd",
)

V100 = Dialect(
    version="1.0.0",
    family="1.0",
    wfs=WFS1,
    filter=OGC,
    ows=OGC,
    gml=GML,
    gml_version="2.1",
    gml_media_type="text/xml; subtype=gml/2.1.2",
    schema=f"{SCHEMAS}/wfs/1.0.0/WFS-basic.xsd",
    transaction_schema=f"{SCHEMAS}/wfs/1.0.0/WFS-transaction.xsd",
    gml_schema=f"{SCHEMAS}/gml/2.1.2/feature.xsd",
)

#: What a caller gets who names no version: the one that every client of version 2 knows.
DEFAULT = V200
DIALECTS = (V202, V200, V110, V100)
_BY_VERSION = {dialect.version: dialect for dialect in DIALECTS}


def exact(version: str) -> Dialect | None:
    """Return the dialect of a version, if it is spoken; `2.0` and `1.1` name their last release."""
    text = version.strip()
    return _BY_VERSION.get(text) or {"2.0": V200, "1.1": V110, "1.0": V100}.get(text)


def accepted(versions: Sequence[str]) -> Dialect | None:
    """Return the first of the caller's versions that is spoken (OGC 06-121r3, 7.3.2)."""
    return next((found for text in versions if (found := exact(text)) is not None), None)


def nearest(version: str) -> Dialect:
    """Return the dialect for a version asked for in the old way: the highest that is not above it, else the lowest.

    Source: OGC 04-094, 6.2.4.
    """
    wanted = _number(version)
    below = [d for d in DIALECTS if wanted and _number(d.version) <= wanted]
    return below[0] if below else (DIALECTS[-1] if wanted else DEFAULT)


def _number(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.strip().split("."))
    except ValueError:
        return ()
