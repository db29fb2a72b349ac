"""Entity tags made from layer revisions: what has not changed is not sent again, and nothing is ever stale."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, request

from data.accounts import PUBLIC, Actor
from services import context

IMMUTABLE_SECONDS = 31_536_000

MOST_KEPT = 64
LARGEST_KEPT = 32 * 1024
"""Bytes of the longest answer that is kept in memory: 2 MB at most for all."""


def tag(*parts: object) -> str:
    """Return a short opaque tag for whatever an answer depends on."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:24]


def conditional(
    etag: str, actor: Actor, make: Callable[[], Response], *, versioned: bool = False, short: bool = False
) -> Response:
    """Answer 304 when the caller has this tag already, else make the answer and tag it.

    `versioned` says that the address itself names the revision, so that it may be kept for a year; `short` that
    the answer is no stream, and is worth keeping in memory for as long as its tag is asked for.
    """
    known = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if known else _made(etag, make, short=short)
    response.set_etag(etag, weak=True)
    scope = "public" if actor == PUBLIC else "private"
    kept = f"max-age={IMMUTABLE_SECONDS}, immutable" if versioned and actor == PUBLIC else "no-cache"
    response.headers["Cache-Control"] = f"{scope}, {kept}"
    response.headers["Vary"] = "Accept-Encoding, Accept, Authorization, Cookie"
    return response


def _made(etag: str, make: Callable[[], Response], *, short: bool) -> Response:
    """Make an answer; a short one only where none is kept under its tag, which names revision, audience and address."""
    if not short:
        return make()
    answers = context.kept_answers()
    found = answers.get(etag)
    if found is not None:
        return Response(found[0], headers=found[1])
    response = make()
    body = response.get_data()
    if response.status_code == 200 and len(body) <= LARGEST_KEPT:
        answers[etag] = body, response.headers.to_wsgi_list()
        if len(answers) > MOST_KEPT:
            answers.popitem(last=False)
    return response
