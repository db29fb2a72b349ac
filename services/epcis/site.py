"""The blueprint of EPCIS 2.0 under /epcis: who may ask, versions and formats, and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, Unauthorized
from werkzeug.routing.exceptions import WebsocketMismatch

from data.accounts import Role
from data.traceability import documentlimits, documents
from gis.errors import Refusal
from services import context
from services.epcis import problems
from services.epcis.problems import CannotAnswerSo, NotDoneHere, TooLong, ValidationFault, WrongContent
from services.errors import status_of

blueprint = Blueprint("epcis", __name__, url_prefix="/epcis")

JSON, JSON_LD = "application/json", "application/ld+json"
VERSION: Final = "2.0.0"
CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
OWN_EXTENSION: Final = "ocop=urn:ocop:terms:"
EPC_FORMATS: Final = ("No_Preference", "Always_GS1_Digital_Link", "Never_Translates", "Always_EPC_URN")
VENDOR_VERSION: Final = "ocopmap-1"
#: What one capture may hold.
CAPTURE_EVENTS: Final = documentlimits.MOST_EVENTS
CAPTURE_BYTES: Final = documentlimits.MOST_BYTES
LONGEST_ADDRESS: Final = 16_000
#: Endpoints that anybody may read: what the service is, not what it holds.
OPEN: Final = frozenset({"epcis.landing", "epcis.api", "epcis.api_page"})
SENT_HEADERS: Final = (
    "Authorization, Content-Type, If-None-Match, GS1-EPCIS-Version, GS1-EPCIS-Min, GS1-EPCIS-Max, GS1-CBV-Version, "
    "GS1-CBV-Min, GS1-CBV-Max, GS1-EPC-Format, GS1-CBV-XML-Format, GS1-Extensions, GS1-Capture-Error-Behaviour"
)
SEEN_HEADERS: Final = (
    "ETag, Link, Location, Allow, GS1-EPCIS-Version, GS1-EPCIS-Min, GS1-EPCIS-Max, GS1-CBV-Version, GS1-CBV-Min, "
    "GS1-CBV-Max, GS1-EPC-Format, GS1-CBV-XML-Format, GS1-Extensions, GS1-Vendor-Version, "
    "GS1-Next-Page-Token-Expires, GS1-EPCIS-Capture-Limit, GS1-EPCIS-Capture-File-Size-Limit"
)
_NUMBERS = re.compile(r"^\d{1,4}(\.\d{1,4}){0,3}$")


@blueprint.before_request
def begin() -> Response | None:
    """Settle the language, answer OPTIONS, and let in only those who sign in and speak the same version."""
    context.negotiate_language()
    if request.method == "OPTIONS":
        return options()
    if len(request.url) > LONGEST_ADDRESS:
        raise TooLong(
            "Địa chỉ dài hơn %(most)s ký tự; hãy lưu truy vấn bằng POST /epcis/queries.", most=LONGEST_ADDRESS
        )
    if request.endpoint not in OPEN:
        if context.actor().role == Role.PUBLIC:
            raise Unauthorized
        _agree_on_versions()
        _agree_on_form()
    return None


@blueprint.before_app_request
def refuse_method() -> Response | None:
    """Answer a method that no resource at this address has, and an address that is none; both are of no blueprint."""
    error = request.routing_exception
    if error is None or not f"{request.path}/".startswith(f"{blueprint.url_prefix}/"):
        return None
    context.negotiate_language()
    if isinstance(error, MethodNotAllowed):
        if request.method == "OPTIONS":
            return finish(options(error.valid_methods))
        response = problems.answer(error)
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return finish(response)
    if isinstance(error, WebsocketMismatch):
        return finish(
            problems.answer(
                NotDoneHere(
                    "Dịch vụ này không đẩy sự kiện qua WebSocket; hãy đăng ký một địa chỉ nhận (webhook) của truy vấn."
                )
            )
        )
    if isinstance(error, HTTPException) and (error.code or 0) >= 400:
        return finish(problems.answer(error))
    return None


@blueprint.after_request
def finish(response: Response) -> Response:
    """Say which versions are spoken, let other sites read, and tell caches what an answer depends on."""
    headers = response.headers
    headers.setdefault("GS1-EPCIS-Version", VERSION)
    headers.setdefault("GS1-CBV-Version", VERSION)
    headers.setdefault("GS1-Extensions", OWN_EXTENSION)
    if response.status_code != 304:
        headers.setdefault("Content-Language", context.language())
    headers.setdefault("Cache-Control", "private, no-cache")
    headers.setdefault("Access-Control-Allow-Origin", "*")
    headers.setdefault("Access-Control-Expose-Headers", SEEN_HEADERS)
    response.vary.update(
        ("Accept", "Accept-Language", "Accept-Encoding", "Authorization", "Cookie", "GS1-EPC-Format")
    )
    return response


def _answer(error: Exception) -> Any:
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    if status_of(error) >= 500 and not isinstance(error, HTTPException | problems.Fault):
        current_app.logger.error("%s %s", request.method, request.path, exc_info=error)
    return problems.answer(error)


for _kind in (Refusal, HTTPException, Exception):
    blueprint.register_error_handler(_kind, _answer)


def options(methods: Any = None) -> Response:
    """Answer OPTIONS: what the service speaks, and the leave for pages of other sites to ask it."""
    if methods is None:
        adapter = current_app.create_url_adapter(request)
        methods = adapter.allowed_methods() if adapter is not None else ()
    allow = ", ".join(sorted({*methods, "OPTIONS"}))
    response = Response(status=204)
    response.headers.update(
        {
            "Allow": allow,
            "GS1-EPCIS-Version": VERSION,
            "GS1-EPCIS-Min": VERSION,
            "GS1-EPCIS-Max": VERSION,
            "GS1-CBV-Version": VERSION,
            "GS1-CBV-Min": VERSION,
            "GS1-CBV-Max": VERSION,
            "GS1-EPC-Format": "Always_GS1_Digital_Link, Never_Translates",
            "GS1-CBV-XML-Format": "Never_Translates",
            "GS1-Extensions": OWN_EXTENSION,
            "GS1-Vendor-Version": VENDOR_VERSION,
            "Access-Control-Allow-Methods": allow,
            "Access-Control-Allow-Headers": SENT_HEADERS,
            "Access-Control-Max-Age": "86400",
        }
    )
    if request.path.rstrip("/").endswith("/capture"):
        response.headers["GS1-EPCIS-Capture-Limit"] = str(CAPTURE_EVENTS)
        response.headers["GS1-EPCIS-Capture-File-Size-Limit"] = str(CAPTURE_BYTES)
        response.headers["GS1-Capture-Error-Behaviour"] = "rollback, proceed"
    return response


# ---- what both sides agree on


def _agree_on_versions() -> None:
    for subject in ("EPCIS", "CBV"):
        own = _numbers(VERSION)
        least, most = (request.headers.get(f"GS1-{subject}-{edge}") for edge in ("Min", "Max"))
        exact = request.headers.get(f"GS1-{subject}-Version")
        for name, text in (("Min", least), ("Max", most), ("Version", exact)):
            if text is not None and not _NUMBERS.match(text.strip()):
                raise ValidationFault(
                    "Đầu đề %(name)s phải là số phiên bản, ví dụ 2.0.0.", name=f"GS1-{subject}-{name}"
                )
        wrong = (
            (least is not None and _numbers(least) > own)
            or (most is not None and _numbers(most) < own)
            or (exact is not None and _numbers(exact)[:2] != own[:2])
        )
        if wrong:
            raise CannotAnswerSo(
                "Dịch vụ này chỉ nói %(subject)s phiên bản %(version)s.", subject=subject, version=VERSION
            )


def _numbers(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.strip().split(".")]
    return (*parts, 0, 0, 0)[:3]


def _agree_on_form() -> None:
    accepted = request.accept_mimetypes
    if request.headers.get("Accept") and not any(
        accepted[form] > 0 for form in (JSON, JSON_LD, problems.MEDIA_TYPE)
    ):
        raise CannotAnswerSo("Dịch vụ này trả lời bằng application/json hoặc application/ld+json.")


def media_type() -> str:
    """Return the form of documents that the caller prefers: JSON or JSON-LD, which are the same bytes."""
    return (
        request.accept_mimetypes.best_match([JSON, JSON_LD], JSON) if request.headers.get("Accept") else JSON
    )


def epc_format() -> str:
    """Return how things are to be named in the answer: as Digital Links, or as they were captured."""
    wanted = request.headers.get("GS1-EPC-Format", "Always_GS1_Digital_Link").strip()
    if wanted not in EPC_FORMATS:
        raise ValidationFault(
            "Đầu đề GS1-EPC-Format nhận một trong: %(known)s.", known=", ".join(EPC_FORMATS[:3])
        )
    if wanted == "Always_EPC_URN":
        raise CannotAnswerSo(
            "Không đổi được mã sang EPC URN vì Digital Link không cho biết độ dài tiền tố doanh nghiệp; "
            "hãy dùng Always_GS1_Digital_Link hoặc Never_Translates."
        )
    return "Never_Translates" if wanted == "No_Preference" else wanted


def extensions() -> list[Mapping[str, str]]:
    """Return the prefixes that the caller declares in GS1-Extensions: `ex=https://example.com/, …`."""
    found: dict[str, str] = {}
    for part in request.headers.get("GS1-Extensions", "").split(","):
        prefix, equals, namespace = part.strip().partition("=")
        if equals and prefix and namespace:
            found[prefix] = namespace.strip()
    return [found] if found else []


# ---- bodies


def body(*, most: int = 1024 * 1024) -> Any:
    """Return the JSON value of the request's body. Raises a Fault or DocumentError."""
    data = raw_body(most)
    return parsed(data)


def raw_body(most: int) -> bytes:
    """Return the bytes of a JSON body that is not too long."""
    if request.mimetype not in (JSON, JSON_LD):
        raise WrongContent(
            "Dịch vụ này nhận EPCIS 2.0 dạng JSON (application/json hoặc application/ld+json), không nhận “%(kind)s”.",
            kind=request.mimetype or "?",
        )
    length = request.content_length
    if length is not None and length > most:
        raise problems.TooMuch("Nội dung lớn hơn %(most)s byte; hãy chia nhỏ.", most=most)
    data = request.get_data(cache=False)
    if len(data) > most:
        raise problems.TooMuch("Nội dung lớn hơn %(most)s byte; hãy chia nhỏ.", most=most)
    return data


def parsed(data: bytes) -> Any:
    """Return the value of JSON text that a database can keep. Raises DocumentError or ValidationFault."""
    value = documents.parsed(data)
    if b"\\u0000" in data and _has_null(value):
        raise ValidationFault("Nội dung có ký tự rỗng (\\u0000), không lưu được.")
    return value


def _has_null(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_null(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_has_null, value))
