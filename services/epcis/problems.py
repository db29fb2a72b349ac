"""Errors of the EPCIS service: RFC 7807 bodies with the exception types of EPCIS 2.0."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask_babel import gettext as _

from data.traceability.documents import TooLarge
from data.traceability.query import BadQuery, QueryTooLarge
from gis.errors import Refusal, marked
from services.errors import BadRequest, problem, status_of

MEDIA_TYPE = "application/problem+json"
EPCIS = "epcisException:"


class Fault(Refusal):
    """Something that EPCIS has a name for: the type, the status, and one sentence."""

    kind = "ImplementationException"
    status = 500


class ValidationFault(Fault):
    """A document, an event or a name in the address is not as the standard wants it; `faults` says where."""

    kind, status = "ValidationException", 400

    def __init__(self, message: str, *, faults: list[dict[str, str]] | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.faults = faults or []


class SubscriptionFault(Fault):
    """A subscription cannot be made as asked."""

    kind, status = "SubscriptionControlsException", 400


class Forbidden(Fault):
    """The caller may not do this."""

    kind, status = "SecurityException", 403


class NoSuchName(Fault):
    """There is nothing of this name for the caller."""

    kind, status = "NoSuchNameException", 404


class AlreadyExists(Fault):
    """Something of this name is there already; `location` is its address."""

    kind, status = "ResourceAlreadyExistsException", 409

    def __init__(self, message: str, *, location: str | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.location = location


class CannotAnswerSo(Fault):
    """The answer cannot be in the form or version that the caller wants."""

    kind, status = "NotAcceptableException", 406


class TooLong(Fault):
    """The address is longer than is read."""

    kind, status = "URITooLongException", 414


class TooMuch(Fault):
    """A capture is larger than is taken at once."""

    kind, status = "CaptureLimitExceededException", 413


class WrongContent(Fault):
    """The body is of a kind that is not taken."""

    kind, status = "UnsupportedMediaTypeException", 415


class NotDoneHere(Fault):
    """A part of the standard that this service does not offer."""

    kind, status = "ImplementationException", 501


_KINDS: dict[int, str] = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchNameException",
    405: "ValidationException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
    422: "ValidationException",
}
_TITLES: dict[str, str] = {
    "ValidationException": marked("Dữ liệu gửi lên không hợp lệ"),
    "SecurityException": marked("Không có quyền"),
    "NoSuchNameException": marked("Không tìm thấy"),
    "NotAcceptableException": marked("Không trả lời được theo dạng yêu cầu"),
    "ResourceAlreadyExistsException": marked("Đã có"),
    "CaptureLimitExceededException": marked("Dữ liệu gửi lên quá lớn"),
    "URITooLongException": marked("Địa chỉ quá dài"),
    "UnsupportedMediaTypeException": marked("Loại nội dung không nhận được"),
    "QueryParameterException": marked("Tham số truy vấn sai"),
    "QueryTooLargeException": marked("Kết quả quá lớn"),
    "SubscriptionControlsException": marked("Không đăng ký được"),
    "ImplementationException": marked("Máy chủ không làm được"),
}


def kind_of(error: Exception) -> tuple[str, int]:
    """Return the exception type of EPCIS for an error, without its prefix, and the HTTP status."""
    if isinstance(error, Fault):
        return error.kind, error.status
    if isinstance(error, BadQuery | BadRequest):
        return "QueryParameterException", 400
    if isinstance(error, QueryTooLarge):
        return "QueryTooLargeException", 413
    if isinstance(error, TooLarge):
        return "CaptureLimitExceededException", 413
    status = status_of(error)
    if status == 422:
        status = 400
    return _KINDS.get(status, "ImplementationException"), status


def title_of(kind: str) -> str:
    """Return the title of an exception type in the caller's language."""
    return str(_(_TITLES[kind]))


def answer(error: Exception) -> Response:
    """Answer an error as EPCIS wants it."""
    kind, status = kind_of(error)
    response = problem(error)
    body: dict[str, Any] = orjson.loads(response.get_data())
    body.update(type=EPCIS + kind, title=title_of(kind), status=status)
    if isinstance(error, BadQuery):
        body["parameter"] = error.parameter
    if isinstance(error, ValidationFault) and error.faults:
        body["errors"] = error.faults
    response.set_data(orjson.dumps(body))
    response.status_code = status
    if isinstance(error, AlreadyExists) and error.location:
        response.headers["Location"] = error.location
    return response
