"""The resolver: from a scanned GS1 Digital Link, or a lot address of our own, to the page or list it stands for.

GS1 Digital Link Standard: URI Syntax; GS1-Conformant Resolver Standard 1.0; RFC 9264.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson
from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from data.record_facts import all_facts
from data.traceability.applicationids import application_identifiers
from data.traceability.identifiers import OWN_LOT_PATH, IdentifierError, from_public_path, parse
from data.traceability.resolving import Target, resolve
from services import context, scancounts
from services.errors import BadRequest, Missing
from services.linksets import DEFAULT, LANGUAGES, OFFERED, VOCABULARY, Level, Link, document, levels_of
from services.linksets import context_document as linkset_context

blueprint = Blueprint("digitallink", __name__)

LINKSET, JSON, JSON_LD = "application/linkset+json", "application/json", "application/ld+json"
CONTEXT_PATH = "/.well-known/gs1linkset-context.jsonld"
CONTEXT_RELATION = "http://www.w3.org/ns/json-ld#context"
PREFIXES = ("gs1:", VOCABULARY, "https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/")
#: Our own lot path as codes hold it, whose smaller alphabet has capitals only.
IN_CAPITALS = OWN_LOT_PATH.upper()
NOT_RESOLVED = frozenset({"8017", "8018"})
"""Keys of persons' service relations: no record of ours speaks of them, and none shall."""


def _resolvable() -> tuple[str, ...]:
    return tuple(ai for ai, known in application_identifiers().items() if known.is_key)


def _register() -> None:
    for key in _resolvable():
        for rule in (f"/{key}/<path:rest>", f"/{key}/"):
            blueprint.add_url_rule(rule, view_func=resolve_link, merge_slashes=False)
    for path in (OWN_LOT_PATH, IN_CAPITALS):
        blueprint.add_url_rule(f"{path}/<path:rest>", view_func=resolve_link, merge_slashes=False)


def resolve_link(rest: str = "") -> BaseResponse:
    """Send a scanned code on to its page, or answer with the list of its links.

    400 for a wrong code, 404 for an unknown thing or a link type that it does not have.
    """
    uri = _scanned()
    target = resolve(context.session(), context.actor(), uri)
    if not target.is_known:
        raise Missing("Không có gì trong hồ sơ dưới mã này; hãy xem lại mã, hoặc hỏi nơi bán.")
    root = request.url_root.rstrip("/")
    levels = levels_of(target, root)
    wanted = _wanted_type()
    if wanted == "linkset" or (wanted is None and _wants_linkset()):
        return _linkset(levels)
    link = _default(levels) if wanted in (None, DEFAULT) else _of_type(levels, wanted)
    _count(target)
    response = redirect(_forwarded(link), 307)
    response.headers["Link"] = _link_header(levels)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/.well-known/gs1resolver")
def description() -> Response:
    """Describe this resolver: where it is, which keys it takes, which link types it knows."""
    root = request.url_root.rstrip("/")
    body = {
        "name": _("Bộ phân giải mã truy xuất OCOP"),
        "resolverRoot": root,
        "supportedLinkType": [
            {"namespace": VOCABULARY, "prefix": "gs1:", "profile": "https://ref.gs1.org/voc/?show=linktypes"}
        ],
        "supportedPrimaryKeys": [key for key in _resolvable() if key not in NOT_RESOLVED],
        "linkTypeDefaultCanBeLinkset": False,
        "activeLinkTypes": {lang: [f"gs1:{kind}" for kind in OFFERED] for lang in LANGUAGES},
        "contact": {"fn": all_facts(context.session()).get("province_name") or _("Chương trình OCOP")},
        "jsonLdContextLocation": root + CONTEXT_PATH,
    }
    return _json(body, JSON)


@blueprint.get(CONTEXT_PATH)
def context_document() -> Response:
    """Give out the context that makes linked data of a linkset."""
    return _json(linkset_context(), JSON_LD)


@blueprint.after_request
def _open(response: Response) -> Response:
    """Let pages of other sites ask, and say in every answer which methods there are."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = "Accept, Accept-Language"
    response.headers["Access-Control-Expose-Headers"] = "Link, Location"
    response.vary.update(("Accept", "Accept-Language", "Cookie"))
    return response


# ---- what was asked


def _scanned() -> str:
    """Return the canonical name of the address as it was sent, percent-encoding and all."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    sent = (
        raw if raw.isascii() and raw else quote(request.path) + "?" + request.query_string.decode("latin-1")
    )
    parts = urlsplit(sent if sent.startswith("/") else urlunsplit(("", "", *urlsplit(sent)[2:])))
    path = parts.path.removeprefix(request.script_root)
    try:
        if path.startswith((f"{OWN_LOT_PATH}/", f"{IN_CAPITALS}/")):
            return from_public_path(OWN_LOT_PATH + path[len(OWN_LOT_PATH) :])
        return parse(f"https://{request.host}{path}?{parts.query}", strict=False).canonical
    except IdentifierError as error:
        raise BadRequest(error.message, parameter="uri", **error.facts) from error


def _wanted_type() -> str | None:
    """Return the link type that was asked for, without its prefix; None where none was."""
    asked = request.args.get("linkType")
    if not asked:
        return None
    if asked in ("linkset", "all"):
        return "linkset"
    prefix = next((p for p in PREFIXES if asked.startswith(p)), None)
    if prefix is None and asked not in OFFERED:
        raise Missing("Mã này không có liên kết loại “%(kind)s”.", kind=asked)
    return asked.removeprefix(prefix or "")


def _wants_linkset() -> bool:
    accepted = request.accept_mimetypes
    best = accepted.best_match(("text/html", LINKSET, JSON_LD, JSON))
    return bool(best) and best != "text/html" and not accepted.accept_html


# ---- which link


def _default(levels: Sequence[Level]) -> Link:
    """Return the default link, or its twin in the language that the caller's program prefers."""
    links = levels[0].links
    chosen = next(link for link in links if link.type == DEFAULT)
    lang = _preferred_language()
    if lang is None or lang == LANGUAGES[0]:
        return chosen
    page = chosen.href.partition("?")[0]
    twins = (x for x in links if lang in x.languages and x.href.partition("?")[0] == page)
    return next(twins, chosen)


def _of_type(levels: Sequence[Level], kind: str | None) -> Link:
    """Return the link of a type at the finest level that has one. Raises Missing."""
    for level in levels:
        links = [link for link in level.links if link.type == kind]
        if links:
            lang = _preferred_language() or LANGUAGES[0]
            return next((link for link in links if lang in link.languages), links[0])
    raise Missing("Mã này không có liên kết loại “%(kind)s”.", kind=kind)


def _preferred_language() -> str | None:
    """Return the language asked for: in the address, then by the reader's choice here, then by the browser."""
    chosen = request.args.get("lang") or request.cookies.get("lang")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES)


def _forwarded(link: Link) -> str:
    """Return the address of a link with the query of the scanned one added; what was scanned wins over ours."""
    if not link.forwards or not request.query_string:
        return link.href
    sent = parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
    names = {name for name, _value in sent}
    address, _mark, query = link.href.partition("?")
    ours = [(name, value) for name, value in parse_qsl(query) if name not in names]
    return f"{address}?{urlencode(ours + sent)}"


def _count(target: Target) -> None:
    if target.lot is not None:
        scancounts.note(target.uri, target.lot.id, target.state)


# ---- answers


def _linkset(levels: Sequence[Level]) -> Response:
    best = request.accept_mimetypes.best_match((LINKSET, JSON, JSON_LD))
    response = _json(document(levels), best if best in (JSON, JSON_LD) and not _names_linkset() else LINKSET)
    response.headers["Link"] = _link_header(levels)
    return response


def _names_linkset() -> bool:
    return LINKSET in request.accept_mimetypes.values() or request.accept_mimetypes.accept_html


def _link_header(levels: Sequence[Level]) -> str:
    root = request.url_root.rstrip("/")
    return (
        f'<{levels[0].anchor}?linkType=linkset>; rel="linkset"; type="{LINKSET}", '
        f'<{root}{CONTEXT_PATH}>; rel="{CONTEXT_RELATION}"; type="{JSON_LD}"'
    )


def _json(body: object, media: str) -> Response:
    response = Response(orjson.dumps(body), mimetype=media)
    response.headers["Cache-Control"] = "no-cache"
    return response


_register()
