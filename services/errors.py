"""From refusals to answers: one table of statuses, one renderer for programs (RFC 9457 problem+json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, request
from flask_babel import gettext
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from data.accounts import AccountError
from data.boundaries.changes import ChangeConflict, ChangeNotAllowed, ChangeNotFound
from data.media import PhotoError
from data.programme.participations import Outdated
from data.programme.rights import NotYours
from data.store import StoreError
from gis.crs import OutsideCrs, UnknownCrs
from gis.errors import Refusal, Sentence, marked
from gis.gml import GmlError
from layers.edit import Conflict, EditError, Invalid, NotAllowed, NotFound
from layers.fields import Label
from layers.filters import FilterError
from layers.locks import LockNeeded, RowsLocked
from layers.read import ReadError
from services.context import language


class BadRequest(Refusal):
    """A parameter is unknown or its value cannot be used; `parameter` says which."""

    def __init__(self, message: str, *, parameter: str, **facts: object) -> None:
        super().__init__(message, parameter=parameter, **facts)
        self.parameter = parameter


class ExportError(Refusal):
    """A file cannot be written as asked."""


class Missing(Refusal):
    """There is nothing at this address for this caller."""


class Gone(Refusal):
    """What was at this address for a time is there no more."""


class NotAcceptable(Refusal):
    """The answer has none of the forms that the caller accepts."""


class UnsupportedContent(Refusal):
    """The body is of a kind that is not taken here."""


class PreconditionFailed(Refusal):
    """The row is not in the state that the caller named in If-Match; `current` is its version now."""

    def __init__(self, message: str, *, current: int | None, **facts: object) -> None:
        super().__init__(message, current=current, **facts)
        self.current = current


STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 400),
    (ExportError, 400),
    (FilterError, 400),
    (DataError, 400),
    (ReadError, 400),
    (GmlError, 400),
    (UnknownCrs, 400),
    (OutsideCrs, 400),
    (Missing, 404),
    (NotFound, 404),
    (NotAcceptable, 406),
    (Gone, 410),
    (PreconditionFailed, 412),
    (UnsupportedContent, 415),
    (NotAllowed, 403),
    (ChangeNotAllowed, 403),
    (ChangeNotFound, 404),
    (ChangeConflict, 409),
    (LockNeeded, 423),
    (RowsLocked, 423),
    (Conflict, 409),
    (Invalid, 422),
    (EditError, 422),
    (PhotoError, 422),
    (AccountError, 422),
    (NotYours, 404),
    (Outdated, 409),
    (StoreError, 503),
    (Refusal, 422),
    (OperationalError, 503),
)

BUSY = marked("Cơ sở dữ liệu đang bận hoặc chưa sẵn sàng; hãy thử lại sau ít phút.")
OUT_OF_RANGE = marked("Một con số trong yêu cầu vượt giới hạn của cơ sở dữ liệu; hãy dùng số nhỏ hơn.")


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HTTPException):
        return error.code or 500
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def _translated(text: str) -> str:
    return str(gettext(text))


def said(message: str, facts: Mapping[str, object]) -> str:
    """Return a sentence with its facts in the caller's language, also those facts that are in two languages."""
    text = _translated(message)
    filled = {name: _fact(fact) for name, fact in facts.items()}
    return text % filled if filled else text


def _fact(fact: object) -> object:
    if isinstance(fact, Sentence):
        return said(fact.message, fact.facts)
    if isinstance(fact, Label | Mapping):
        return fact[language()]
    if isinstance(fact, tuple):
        return "; ".join(str(_fact(part)) for part in fact)
    return fact


def sentence_of(error: Exception) -> str:
    """Return the sentence that the caller reads, in their language."""
    if isinstance(error, Refusal):
        return said(error.message, error.facts)
    if isinstance(error, OperationalError):
        return _translated(BUSY)
    if isinstance(error, DataError):
        return _translated(OUT_OF_RANGE)
    if isinstance(error, HTTPException):
        return _translated(_HTTP_SENTENCES.get(error.code or 500, _HTTP_SENTENCES[500]))
    return _translated(_HTTP_SENTENCES[500])


_HTTP_SENTENCES = {
    400: marked("Yêu cầu không đúng; hãy kiểm tra lại địa chỉ hoặc biểu mẫu."),
    401: marked("Cần đăng nhập bằng tên và mật khẩu, hoặc khóa API."),
    403: marked("Bạn không có quyền xem hoặc làm việc này."),
    404: marked("Không có gì ở địa chỉ này."),
    405: marked("Địa chỉ này không nhận cách gọi đó."),
    413: marked("Dữ liệu gửi lên quá lớn."),
    415: marked("Loại nội dung này không nhận được."),
    429: marked("Bạn đã thử quá nhiều lần; hãy đợi ít phút."),
    500: marked("Máy chủ gặp lỗi; sự việc đã được ghi lại."),
    503: BUSY,
}


def problem(error: Exception) -> Response:
    """Answer a program with application/problem+json."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": status,
        "detail": sentence_of(error),
        "instance": request.path,
    }
    if isinstance(error, BadRequest):
        body["parameter"] = error.parameter
    if isinstance(error, Invalid):
        body["field"] = error.field
    if isinstance(error, Conflict | PreconditionFailed):
        body["current"] = error.current
    response = Response(orjson.dumps(body), status, mimetype="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="ocopmap", charset="UTF-8"'
    if status in (429, 503):
        response.headers["Retry-After"] = "30"
    return response
