"""Which form of an answer the caller wants: `f=` in the address, else the Accept header."""

from __future__ import annotations

from flask import request

from services.errors import BadRequest


def wants_html(default: bool = True) -> bool:
    """Tell whether a person is asking (HTML) or a program (JSON), where an address serves both."""
    chosen = request.args.get("f")
    if chosen is not None:
        if chosen not in ("html", "json"):
            raise BadRequest("Tham số “%(parameter)s” nhận html hoặc json.", parameter="f")
        return chosen == "html"
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "")
    return best == "text/html" if request.headers.get("Accept", "*/*") != "*/*" else not default


def prefers_html() -> bool:
    """Tell whether a browser is asking, whatever the address."""
    if request.args.get("f") == "json":
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"], "") == "text/html"
