"""The OpenAPI 3.0 document of the EPCIS service."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from services.epcis import documents, paging
from services.epcis.lists import LISTS
from services.epcis.site import CAPTURE_EVENTS, VERSION, blueprint

Part = dict[str, Any]

#: Query parameters with how each is written; the order is that of the standard.
TEXTS = (
    "eventType",
    "EQ_action",
    "EQ_bizStep",
    "EQ_disposition",
    "EQ_persistentDisposition_set",
    "EQ_persistentDisposition_unset",
    "EQ_readPoint",
    "WD_readPoint",
    "EQ_bizLocation",
    "WD_bizLocation",
    "EQ_transformationID",
    "MATCH_epc",
    "MATCH_parentID",
    "MATCH_inputEPC",
    "MATCH_outputEPC",
    "MATCH_anyEPC",
    "MATCH_epcClass",
    "MATCH_inputEPCClass",
    "MATCH_outputEPCClass",
    "MATCH_anyEPCClass",
    "EQ_eventID",
    "EQ_errorReason",
    "EQ_correctiveEventID",
    "EQ_type",
    "EQ_deviceID",
    "EQ_dataProcessingMethod",
    "EQ_microorganism",
    "EQ_chemicalSubstance",
    "EQ_bizRules",
    "EQ_stringValue",
    "EQ_hexBinaryValue",
    "EQ_uriValue",
)
TIMES = tuple(
    f"{verb}_{field}"
    for field in ("eventTime", "recordTime", "errorDeclarationTime", "startTime", "endTime", "time")
    for verb in ("GE", "LT")
)
NUMBERS = tuple(f"{verb}_quantity" for verb in ("EQ", "GT", "GE", "LT", "LE"))
FLAGS = ("EXISTS_errorDeclaration", "EQ_booleanValue")
_DOCUMENT: Part = {"type": "object", "required": ["@context", "type", "epcisBody"]}
_EVENT: Part = {"type": "object", "required": ["type", "eventTime", "eventTimeZoneOffset"]}
_COLLECTION: Part = {
    "type": "object",
    "required": ["@context", "type", "member"],
    "properties": {"member": {"type": "array", "items": {"type": "string"}}},
}
_PROBLEM: Part = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "parameter": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


@blueprint.get("/openapi.json", endpoint="api")
def api() -> Response:
    """Serve the description of the service."""
    return documents.answer(document())


def document() -> Part:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": _("Dịch vụ EPCIS 2.0"),
            "description": _(
                "Ghi và hỏi sự kiện truy xuất theo GS1 EPCIS 2.0; sự kiện đã ghi không sửa, không xóa."
            ),
            "version": VERSION,
        },
        "servers": [{"url": f"{request.url_root}epcis"}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": {**_top(), **_capture(), **_events(), **_lists(), **_queries(), **_subscriptions()},
        "components": _components(),
        "externalDocs": {"url": "https://ref.gs1.org/standards/epcis/"},
    }


def _top() -> Part:
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/": {"get": {**_get("getTop", _("Các tài nguyên"), _ref("Collection")), "security": [{}]}},
        "/openapi.json": {"get": {**_get("getApi", _("Mô tả này"), {"type": "object"}), "security": [{}]}},
        "/nextPageToken/{token}": {
            "delete": _operation("dropToken", _("Hủy mã trang tiếp theo"), {"204": _said()}, [token])
        },
    }


def _capture() -> Part:
    behaviour = {
        "name": "GS1-Capture-Error-Behaviour",
        "in": "header",
        "schema": {"type": "string", "enum": ["rollback", "proceed"], "default": "rollback"},
    }
    repair = {"name": "repair", "in": "query", "schema": {"type": "boolean", "default": False}}
    posted = _operation(
        "capture",
        _("Ghi một tài liệu sự kiện, nhiều nhất %(most)s", most=CAPTURE_EVENTS),
        {"202": _said()},
        [behaviour, repair],
    )
    return {
        "/capture": {
            "get": _get("getCaptures", _("Các lần ghi của bạn"), _list(_ref("CaptureJob")), _pages()),
            "post": {**posted, "requestBody": _body(_ref("Document"))},
        },
        "/capture/{captureID}": {
            "get": _get("getCapture", _("Kết quả một lần ghi"), _ref("CaptureJob"), [_path("captureID")])
        },
    }


def _events() -> Part:
    posted = _operation("postEvent", _("Ghi một sự kiện"), {"201": _said(_ref("Event"))})
    return {
        "/events": {
            "get": _get("getEvents", _("Hỏi sự kiện"), _ref("Document"), [*_pages(), *_asking()]),
            "post": {**posted, "requestBody": _body(_ref("Event"))},
        },
        "/events/{eventID}": {
            "get": _get("getEvent", _("Một sự kiện"), _ref("Document"), [_path("eventID")]),
        },
    }


def _lists() -> Part:
    paths: Part = {}
    for name in LISTS:
        paths[f"/{name}"] = {
            "get": _get(f"get_{name}", _("Các giá trị của %(name)s", name=name), _ref("Collection"), _pages())
        }
        paths[f"/{name}/{{value}}/events"] = {
            "get": _get(
                f"get_{name}_events",
                _("Sự kiện theo %(name)s", name=name),
                _ref("Document"),
                [_path("value"), *_pages(), *_asking(without=LISTS[name])],
            )
        }
    return paths


def _queries() -> Part:
    posted = _operation("postQuery", _("Lưu một truy vấn"), {"201": _said(_ref("Query"))})
    name = _path("queryName")
    return {
        "/queries": {
            "get": _get("getQueries", _("Các truy vấn đã lưu"), _list(_ref("Query")), _pages()),
            "post": {**posted, "requestBody": _body(_ref("Query"))},
        },
        "/queries/{queryName}": {
            "get": _get("getQuery", _("Một truy vấn"), _ref("Query"), [name]),
            "delete": _operation("deleteQuery", _("Xóa một truy vấn"), {"204": _said()}, [name]),
        },
        "/queries/{queryName}/events": {
            "get": _get("getQueryEvents", _("Sự kiện của truy vấn"), _ref("Document"), [name, *_pages()])
        },
    }


def _subscriptions() -> Part:
    path, key = "/queries/{queryName}/subscriptions", _path("subscriptionID")
    name, shown = _path("queryName"), _ref("Subscription")
    posted = _operation("subscribe", _("Đăng ký nhận sự kiện mới"), {"201": _said(shown)}, [name])
    return {
        path: {
            "get": _get("getSubscriptions", _("Các đăng ký"), _list(shown), [name, *_pages()]),
            "post": {**posted, "requestBody": _body(shown)},
        },
        f"{path}/{{subscriptionID}}": {
            "get": _get("getSubscription", _("Một đăng ký"), shown, [name, key]),
            "delete": _operation("unsubscribe", _("Thôi nhận"), {"204": _said()}, [name, key]),
        },
    }


# ---- parts


def _get(name: str, summary: str, schema: Part, parameters: list[Part] | None = None) -> Part:
    return _operation(name, summary, {"200": _said(schema)}, parameters)


def _operation(name: str, summary: str, answers: Part, parameters: list[Part] | None = None) -> Part:
    problem = {"content": {"application/problem+json": {"schema": _ref("Problem")}}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {**answers, "default": {"description": _("Bị từ chối, kèm lý do"), **problem}},
    }


def _said(schema: Part | None = None) -> Part:
    said: Part = {"description": "OK"}
    if schema is not None:
        said["content"] = {"application/json": {"schema": schema}, "application/ld+json": {"schema": schema}}
    return said


def _body(schema: Part) -> Part:
    return {
        "required": True,
        "content": {"application/json": {"schema": schema}, "application/ld+json": {"schema": schema}},
    }


def _pages() -> list[Part]:
    limits = {"minimum": 1, "maximum": paging.LARGEST_PAGE, "default": paging.DEFAULT_PAGE}
    return [
        {"name": "perPage", "in": "query", "schema": {"type": "integer", **limits}},
        {"name": "nextPageToken", "in": "query", "schema": {"type": "string"}},
    ]


def _asking(*, without: str = "") -> list[Part]:
    text, time = {"type": "string", "minLength": 1}, {"type": "string", "format": "date-time"}
    order = {"type": "string", "enum": ["ASC", "DESC"], "default": "DESC"}
    count = {"type": "integer", "minimum": 1}
    schemas: dict[str, Part] = {
        **dict.fromkeys(TEXTS, text),
        **dict.fromkeys(TIMES, time),
        **{key: {"type": "number"} for key in NUMBERS},
        **{key: {"type": "boolean"} for key in FLAGS},
        "orderBy": text,
        "orderDirection": order,
        "eventCountLimit": count,
        "maxEventCount": count,
    }
    return [{"name": n, "in": "query", "schema": s} for n, s in schemas.items() if n != without]


def _path(name: str) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _list(items: Part) -> Part:
    return {"type": "array", "items": items}


def _ref(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}


def _components() -> Part:
    text, flag = {"type": "string"}, {"type": "boolean"}
    return {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {"type": "http", "scheme": "basic"},
        },
        "schemas": {
            "Document": _DOCUMENT,
            "Event": _EVENT,
            "Collection": _COLLECTION,
            "Problem": _PROBLEM,
            "CaptureJob": {
                "type": "object",
                "required": ["captureID", "running", "success", "captureErrorBehaviour", "errors"],
                "properties": {
                    "captureID": text,
                    "running": flag,
                    "success": flag,
                    "captureErrorBehaviour": text,
                    "errors": _list(_ref("Problem")),
                },
            },
            "Query": {
                "type": "object",
                "required": ["name", "query"],
                "properties": {"name": text, "query": {"type": "object"}},
            },
            "Subscription": {
                "type": "object",
                "required": ["dest"],
                "properties": {
                    "dest": text,
                    "signatureToken": text,
                    "stream": flag,
                    "schedule": {"type": "object"},
                    "reportIfEmpty": flag,
                    "initialRecordTime": {"type": "string", "format": "date-time"},
                },
            },
        },
    }
