"""Names of reference systems as map services write them, and the axis order that each form of a name implies.

Source: OGC 05-096r1 and 08-038r7 (axis order policy), RFC 5165 (URN), OGC 09-048r6 (URI). A URN or URI means
the order of axes that the authority gives; the short forms mean longitude or easting first, as ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from gis import crs as reference_systems
from gis.crs import UnknownCrs

CRS84 = "OGC:CRS84"
LONGEST_NAME = 200

_URN = re.compile(
    r"urn:(?:x-)?ogc:def:crs:(?P<authority>[A-Z]+):(?:[^:]*:)?(?P<code>[A-Z0-9]+)", re.IGNORECASE
)
_URI = re.compile(
    r"https?://(?:www\.)?opengis\.net/def/crs/(?P<authority>[A-Z]+)/[^/]+/(?P<code>[A-Z0-9]+)/?",
    re.IGNORECASE,
)
_XML = re.compile(r"https?://(?:www\.)?opengis\.net/gml/srs/epsg\.xml#(?P<code>\d+)", re.IGNORECASE)
_SHORT = re.compile(r"(?:(?P<authority>EPSG|OGC|CRS):)?(?P<code>\d+|CRS84|84)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SrsName:
    """A reference system as somebody named it.

    `text` is the name itself, `crs` its code for `gis.crs` (`EPSG:n` or `OGC:CRS84`), and `swapped` says that
    coordinates under this name are written north before east, while ours always run east before north.
    """

    text: str
    crs: str
    swapped: bool

    @property
    def urn(self) -> str:
        """The name as a URN, which also states the order of axes."""
        authority, code = self.crs.split(":")
        return f"urn:ogc:def:crs:{authority}:{'1.3' if authority == 'OGC' else ''}:{code}"

    @property
    def uri(self) -> str:
        """The name as an http URI, as OGC API writes it."""
        authority, code = self.crs.split(":")
        return f"http://www.opengis.net/def/crs/{authority}/{'1.3' if authority == 'OGC' else '0'}/{code}"

    @property
    def is_degrees(self) -> bool:
        """Whether coordinates are degrees rather than metres."""
        return bool(reference_systems.resolve(self.crs).is_geographic)

    @property
    def decimals(self) -> int:
        """How many decimals say a centimetre in degrees, or a millimetre in metres."""
        return 7 if self.is_degrees else 3

    def always_xy(self) -> SrsName:
        """The same system under a dialect that always writes east before north (WFS 1.0, GeoJSON of WFS)."""
        return replace(self, swapped=False)


@lru_cache(maxsize=256)
def parse(text: str) -> SrsName:
    """Read a URN, an http URI, the old epsg.xml form, `EPSG:n`, a bare number, or CRS84.

    Raises UnknownCrs for any other form, and for a code that PROJ does not know.
    """
    name = text.strip().removeprefix("<").removesuffix(">")
    code, states_axes = _code(name)
    resolved = reference_systems.resolve(code)
    if not (resolved.is_geographic or resolved.is_projected) or len(resolved.axis_info) != 2:
        raise UnknownCrs("Hệ tọa độ “%(crs)s” không dùng được cho bản đồ phẳng.", crs=name)
    return SrsName(name, code, states_axes and reference_systems.is_latlon(code))


def of(code: str) -> SrsName:
    """The URN of a code of ours (`EPSG:n` or `OGC:CRS84`)."""
    return parse(SrsName(code, code, False).urn)


def _code(name: str) -> tuple[str, bool]:
    """The code inside a name, and whether this form of name states the order of axes."""
    if len(name) <= LONGEST_NAME:
        if found := _URN.fullmatch(name) or _URI.fullmatch(name):
            return _known(name, found["authority"].upper(), found["code"].upper()), True
        if found := _XML.fullmatch(name):
            return f"EPSG:{int(found['code'])}", False
        if found := _SHORT.fullmatch(name):
            return _known(name, (found["authority"] or "").upper(), found["code"].upper()), False
    raise _unknown(name)


def _known(name: str, authority: str, code: str) -> str:
    if code in ("CRS84", "84") and authority != "EPSG":
        if code == "CRS84" or authority in ("CRS", "OGC"):
            return CRS84
    elif code.isdecimal() and authority in ("EPSG", ""):
        return f"EPSG:{int(code)}"
    raise _unknown(name)


def _unknown(name: str) -> UnknownCrs:
    return UnknownCrs("Không nhận ra hệ tọa độ “%(crs)s”; hãy chọn một mã EPSG.", crs=name[:LONGEST_NAME])
