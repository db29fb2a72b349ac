"""Noting that a code was read: after the answer is out, and not for programs that only follow addresses."""

from __future__ import annotations

import re

from flask import Response, after_this_request, request

from data.traceability import scans
from services import context

#: What programs say that read addresses without anybody holding a jar.
PROGRAMS = re.compile(r"bot|crawl|spider|slurp|preview|facebookexternalhit|monitor|curl|wget|libwww", re.I)


def note(uri: str, lot_id: int, state: str | None) -> None:
    """Let a reading of a lot's code be kept once this request is answered, so that nobody waits for it.

    Only a GET counts, by something that gives its name and does not merely fetch ahead.
    """
    if request.method != "GET" or is_program():
        return
    store = context.store()

    @after_this_request
    def count(response: Response) -> Response:
        response.call_on_close(lambda: scans.record(store, uri, lot_id, state))
        return response


def is_program() -> bool:
    """Tell whether the request comes from a program that reads addresses by itself."""
    agent = request.headers.get("User-Agent", "")
    ahead = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    return not agent or PROGRAMS.search(agent) is not None or ahead.startswith("prefetch")
