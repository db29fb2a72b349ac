"""Entity tags made from layer revisions: what has not changed is not sent again, and nothing is ever stale."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, request

from data.accounts import PUBLIC, Actor

IMMUTABLE_SECONDS = 31_536_000


def tag(*parts: object) -> str:
    """Return a short opaque tag for whatever an answer depends on."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:24]


def conditional(
    etag: str, actor: Actor, make: Callable[[], Response], *, versioned: bool = False
) -> Response:
    """Answer 304 when the caller has this tag already, else make the answer and tag it.

    `versioned` says that the address itself names the revision, so that it may be kept for a year.
    """
    known = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if known else make()
    response.set_etag(etag, weak=True)
    scope = "public" if actor == PUBLIC else "private"
    kept = f"max-age={IMMUTABLE_SECONDS}, immutable" if versioned and actor == PUBLIC else "no-cache"
    response.headers["Cache-Control"] = f"{scope}, {kept}"
    response.headers["Vary"] = "Accept-Encoding, Accept, Authorization, Cookie"
    return response
