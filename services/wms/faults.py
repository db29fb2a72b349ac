"""What the map service answers when it cannot do what was asked: XML of the asked version, or an image.

Source: OGC 06-042 (WMS 1.3.0) §6.11 and annex E.1, §7.3.3.11; OGC 01-068r3 (WMS 1.1.1) annex A.3.
"""

from __future__ import annotations

from flask import Response
from lxml import etree

from gis.draw import Ink, blank
from gis.errors import Refusal
from services.errors import BadRequest, sentence_of, status_of
from services.wms.fonts import font_file

OGC = "http://www.opengis.net/ogc"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
EXCEPTIONS_SCHEMA = "http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"
EXCEPTIONS_DTD = "http://schemas.opengis.net/wms/1.1.1/WMS_exception_1_1_1.dtd"
INDENT = 12


class ServiceException(BadRequest):
    """A request that the map service cannot answer; `code` is the standard's, `locator` the parameter."""

    def __init__(self, message: str, *, code: str, locator: str, **facts: object) -> None:
        super().__init__(message, parameter=locator, locator=locator, **facts)
        self.code = code
        self.locator = locator


def as_xml(error: Refusal, version: str) -> Response:
    """Return a ServiceExceptionReport with one sentence."""
    modern = version == "1.3.0"
    prefix = f"{{{OGC}}}" if modern else ""
    report = etree.Element(f"{prefix}ServiceExceptionReport", nsmap={None: OGC, "xsi": XSI} if modern else {})
    report.set("version", version)
    if modern:
        report.set(f"{{{XSI}}}schemaLocation", f"{OGC} {EXCEPTIONS_SCHEMA}")
    entry = etree.SubElement(report, f"{prefix}ServiceException")
    if isinstance(error, ServiceException):
        entry.set("code", error.code)
        if modern:
            entry.set("locator", error.locator)
    entry.text = sentence_of(error)
    doctype = None if modern else f'<!DOCTYPE ServiceExceptionReport SYSTEM "{EXCEPTIONS_DTD}">'
    body = etree.tostring(report, xml_declaration=True, encoding="UTF-8", doctype=doctype)
    media_type = "text/xml" if modern else "application/vnd.ogc.se_xml"
    return Response(body, status_of(error), mimetype=media_type)


def as_image(error: Refusal | None, width: int, height: int, media_type: str, ground: str | None) -> Response:
    """Return an image of the asked size with the sentence written on it, or nothing drawn at all."""
    canvas = blank(width, height, background=ground, font=font_file())
    if error is not None:
        ink = Ink(size=12, color="#991b1b", longest_line=max(width - 2 * INDENT, INDENT))
        canvas.write(sentence_of(error), INDENT, INDENT, ink)
    body = canvas.jpeg() if media_type == "image/jpeg" else canvas.png()
    return Response(body, mimetype=media_type)
