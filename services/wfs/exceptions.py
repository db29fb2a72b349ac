"""Refusals of the service: what went wrong under the code that the standard has for it, in each version's report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app
from lxml import etree
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from data.wfs import ExpiredLock, UnknownLock
from gis.crs import OutsideCrs, UnknownCrs
from gis.errors import Refusal
from gis.gml import GmlError
from layers.edit import Conflict, Invalid, NotAllowed, NotFound
from layers.filters import FilterError
from layers.locks import LockNeeded, RowsLocked
from layers.read import ReadError
from services.context import language
from services.errors import BadRequest, sentence_of, status_of
from services.wfs.dialects import OGC, OWS10, OWS11, SCHEMAS, XSI, Dialect

MISSING, INVALID = "MissingParameterValue", "InvalidParameterValue"
NOT_SUPPORTED, OPTION = "OperationNotSupported", "OptionNotSupported"
PARSING, PROCESSING = "OperationParsingFailed", "OperationProcessingFailed"
NEGOTIATION, VALUE, NO_CODE = "VersionNegotiationFailed", "InvalidValue", "NoApplicableCode"
NOT_FOUND = "NotFound"

#: Statuses of the codes that are not simply the caller's mistake (OGC 09-025r2, table D.2).
_STATUSES = {PROCESSING: 403, "LockHasExpired": 403, NOT_FOUND: 404}


class OwsError(Refusal):
    """A refusal under a code of the standard; `locator` says which parameter, action or value is meant."""

    def __init__(self, message: str, *, code: str, locator: str | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.code = code
        self.locator = locator


def missing(name: str) -> OwsError:
    """Return the refusal of a request without a parameter that it needs."""
    return OwsError("Yêu cầu thiếu tham số “%(name)s”.", code=MISSING, locator=name, name=name)


def invalid(name: str, value: object) -> OwsError:
    """Return the refusal of a parameter's value."""
    return OwsError(
        "Tham số “%(name)s” không nhận giá trị “%(value)s”.",
        code=INVALID,
        locator=name,
        name=name,
        value=str(value)[:200],
    )


_CODES: tuple[tuple[type[Exception], str, str], ...] = (
    (FilterError, INVALID, "filter"),
    (ReadError, INVALID, "propertyName"),
    (UnknownCrs, INVALID, "srsName"),
    (OutsideCrs, INVALID, "srsName"),
    (LockNeeded, MISSING, "lockId"),
    (RowsLocked, "CannotLockAllFeatures", "lockId"),
    (ExpiredLock, "LockHasExpired", "lockId"),
    (UnknownLock, "InvalidLockId", "lockId"),
    (NotAllowed, PROCESSING, ""),
    (Conflict, PROCESSING, "version"),
    (NotFound, PROCESSING, ""),
    (Invalid, VALUE, ""),
    (GmlError, VALUE, ""),
    (BadRequest, INVALID, ""),
)


def code_of(error: Exception) -> tuple[str, str]:
    """Return the code and locator that an error is reported under."""
    if isinstance(error, OwsError):
        return error.code, error.locator or ""
    code, locator = next(
        ((code, locator) for kind, code, locator in _CODES if isinstance(error, kind)), (NO_CODE, "")
    )
    named = getattr(error, "locator", "") or getattr(error, "field", "") or getattr(error, "parameter", "")
    return code, str(named or locator)


def http_status(error: Exception) -> int:
    """Return the HTTP status of an error."""
    code, _ = code_of(error)
    if isinstance(error, HTTPException | OperationalError) or code == NO_CODE:
        return status_of(error)
    return _STATUSES.get(code, 400)


def report(error: Exception, dialect: Dialect) -> Response:
    """Answer with the exception report of a dialect.

    Versions 1.0 and 1.1 know no statuses, and clients of that time read the report only under 200; but a
    missing proof of identity and a fault of ours keep theirs.
    """
    status = http_status(error)
    if status >= 500:
        current_app.logger.error("WFS: %s", error, exc_info=error)
    if not dialect.is_new and status not in (401, 429) and status < 500:
        status = 200
    body = _RENDERERS[dialect.family](error)
    response = Response(body, status, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="ocopmap", charset="UTF-8"'
    if status in (429, 503):
        response.headers["Retry-After"] = "30"
    return response


def _ows(namespace: str, version: str, schema: str) -> Callable[[Exception], bytes]:
    def render(error: Exception) -> bytes:
        code, locator = code_of(error)
        # The namespace is the default one: some clients compare the element's name together with its prefix.
        root = etree.Element(
            f"{{{namespace}}}ExceptionReport", nsmap={None: namespace, "xsi": XSI}, version=version
        )
        lang = "{http://www.w3.org/XML/1998/namespace}lang" if namespace == OWS11 else "language"
        root.set(lang, language())
        root.set(f"{{{XSI}}}schemaLocation", f"{namespace} {SCHEMAS}/ows/{schema}/owsExceptionReport.xsd")
        exception = etree.SubElement(root, f"{{{namespace}}}Exception", exceptionCode=code)
        if locator:
            exception.set("locator", locator)
        etree.SubElement(exception, f"{{{namespace}}}ExceptionText").text = _sentence(error)
        return _bytes(root)

    return render


def _service(error: Exception) -> bytes:
    code, locator = code_of(error)
    root = etree.Element(f"{{{OGC}}}ServiceExceptionReport", nsmap={None: OGC, "xsi": XSI}, version="1.2.0")
    root.set(f"{{{XSI}}}schemaLocation", f"{OGC} {SCHEMAS}/wfs/1.0.0/OGC-exception.xsd")
    exception = etree.SubElement(root, f"{{{OGC}}}ServiceException", code=code)
    if locator:
        exception.set("locator", locator)
    exception.text = _sentence(error)
    return _bytes(root)


_RENDERERS: dict[str, Callable[[Exception], bytes]] = {
    "2.0": _ows(OWS11, "2.0.0", "1.1.0"),
    "1.1": _ows(OWS10, "1.0.0", "1.0.0"),
    "1.0": _service,
}


def _sentence(error: Exception) -> str:
    """Return the sentence without characters that XML cannot hold."""
    return "".join(c for c in sentence_of(error) if c in "\t\n\r" or c >= " ")


def _bytes(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
