"""`/export/{layer}.{format}`: a file at once when it is small, else a job with a link that expires."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import orjson
from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers.response import Response as BaseResponse

from data.accounts import Actor
from data.record_facts import get_fact
from layers import read
from services import context, negotiation
from services.errors import ExportError
from services.exports import work
from services.exports.wish import Wish, parse
from services.exports.write import body
from services.formats import features_of
from services.tiles import layer_or_missing

blueprint = Blueprint("exports", __name__)
#: How many rows are sent at once where the record has no fact `export_rows_at_once`.
ROWS_AT_ONCE = 20_000
ROWS_FACT = "export_rows_at_once"


@blueprint.get("/export/<layer_id>.<form>")
def export_file(layer_id: str, form: str) -> BaseResponse:
    """Answer with the file, or 303 (202 for programs) to the job that makes it."""
    layer, actor = layer_or_missing(layer_id), context.actor()
    for name, values in request.args.lists():
        if len(values) > 1:
            raise ExportError("Tham số “%(parameter)s” chỉ được nêu một lần.", parameter=name)
    asked = {"lang": context.language(), **request.args.to_dict()}
    asked.pop("f", None)
    wish = parse(layer, form, asked, actor)
    query = wish.query(actor)
    read.check(context.session(), query)
    rows = read.count(context.session(), query)
    if rows > rows_at_once():
        return _as_job(wish, actor)
    response = Response(_stream(wish, actor), content_type=wish.form.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{_dated(wish)}"'
    response.headers["OGC-NumberMatched"] = str(rows)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def rows_at_once() -> int:
    """Return how many rows an export sends at once instead of as a job."""
    kept = get_fact(context.session(), ROWS_FACT) or ""
    return int(kept) if kept.isdecimal() else ROWS_AT_ONCE


def _as_job(wish: Wish, actor: Actor) -> BaseResponse:
    key = work.asked_for(context.store(), wish, actor)
    address = f"/jobs/{key}"
    if negotiation.prefers_html():
        return redirect(address, 303)
    document = {"job": address, "status": f"{address}.json"}
    response = Response(orjson.dumps(document), 202, mimetype="application/json")
    response.headers["Location"] = f"{address}.json"
    return response


def _stream(wish: Wish, actor: Actor) -> Iterator[bytes]:
    """The file as a stream, begun at once, so that what refuses to be written is refused before the answer."""
    pieces = body(features_of(context.store(), wish.query(actor)), wish, wish.context())
    first = next(pieces, b"")

    def rest() -> Iterator[bytes]:
        yield first
        yield from pieces

    return rest()


def _dated(wish: Wish) -> str:
    name, dot, extension = wish.file_name().partition(".")
    return f"{name}-{dt.datetime.now(dt.UTC):%Y%m%d}{dot}{extension}"
