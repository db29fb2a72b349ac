"""The forms that a resource has, which of them a caller wants, and the links that lead to the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header
from werkzeug.urls import iri_to_uri

from services import context
from services.caching import conditional, tag
from services.errors import BadRequest, NotAcceptable

Link = dict[str, Any]
_BARE_URI = re.compile(r';\s*([\w-]+)=([\w.-]+:[^\s",;]*)')


@dataclass(frozen=True)
class Form:
    """One form of a resource: the value of `f=`, its exact media type, and other names of either."""

    key: str
    media_type: str
    also: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    title: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title or self.key.upper()


JSON = Form("json", "application/json")
HTML = Form("html", "text/html", accepts=("application/xhtml+xml",))
SCHEMA = Form("json", "application/schema+json", accepts=("application/json",), title="JSON Schema")
OPENAPI = Form(
    "json",
    "application/vnd.oai.openapi+json;version=3.0",
    accepts=("application/openapi+json", "application/json"),
    title="OpenAPI 3.0",
)
PAGES = (JSON, HTML)


def choose(forms: Sequence[Form]) -> Form:
    """Return the form that the caller wants, the first for who takes anything.

    Raises BadRequest for an unknown `f=` and NotAcceptable when Accept names none of the forms.
    """
    key = request.args.get("f")
    if key is not None:
        for form in forms:
            if key == form.key or key in form.also or key == form.media_type:
                return form
        known = ", ".join(form.key for form in forms)
        raise BadRequest("Tham số “%(parameter)s” nhận: %(known)s.", parameter="f", known=known)
    accepted = _accepted()
    if not accepted:
        return forms[0]
    for plain, wanted in accepted:
        found = [form for form in forms if _is_of(form, plain)]
        if found:
            return next(
                (form for form in found if wanted.items() <= _split(form.media_type)[1].items()), found[0]
            )
    known = ", ".join(form.media_type for form in forms)
    raise NotAcceptable("Câu trả lời chỉ có các dạng: %(known)s.", known=known)


def _accepted() -> list[tuple[str, dict[str, str]]]:
    """Return the media types of the Accept header with their parameters, the best liked first.

    OGC API – Features writes the profiles of GML as URIs without quotes, which HTTP does not allow: they get some.
    """
    header = _BARE_URI.sub(r';\1="\2"', request.headers.get("Accept", ""))
    values = sorted(parse_accept_header(header, MIMEAccept), key=lambda entry: -entry[1])
    return [_split(value) for value, quality in values if quality > 0]


def _split(media_type: str) -> tuple[str, dict[str, str]]:
    plain, parameters = parse_options_header(_BARE_URI.sub(r';\1="\2"', media_type))
    return plain.strip().lower(), parameters


def _is_of(form: Form, plain: str) -> bool:
    own = (form.media_type.split(";")[0], *form.accepts)
    return plain == "*/*" or plain in own or (plain.endswith("/*") and own[0].startswith(plain[:-1]))


# ---- links


def root() -> str:
    """Return the absolute address of the API, without a slash at the end."""
    return url_for("ogcapi.landing", _external=True).rstrip("/")


def address(*parts: object, **arguments: str) -> str:
    """Return the absolute address of a resource below the API."""
    path = "".join(f"/{quote(str(part), safe='{}:')}" for part in parts)
    return root() + path + (f"?{urlencode(arguments)}" if arguments else "")


def link(rel: str, href: str, media_type: str | None = None, title: str | None = None, **more: Any) -> Link:
    """Return a link object."""
    made: Link = {"rel": rel, "href": href}
    if media_type:
        made["type"] = media_type
    if title:
        made["title"] = title
    return {**made, **more}


def own_links(forms: Sequence[Form], chosen: Form) -> list[Link]:
    """Return the link of this answer to itself, and one to each other form of it."""
    links = [
        link("self", iri_to_uri(request.url), chosen.media_type, _("Trang này"), hreflang=context.language())
    ]
    arguments = {k: v for k, v in request.args.items() if k != "f"}
    same = f"{iri_to_uri(request.base_url)}?{urlencode(arguments)}{'&' if arguments else ''}"
    for form in forms:
        if form is not chosen:
            links.append(link("alternate", f"{same}f={form.key}", form.media_type, form.name))
    return links


def header_links(links: Sequence[Link]) -> str:
    """Return links as the value of a Link header."""
    parts = []
    for entry in links:
        kind = f'; type="{entry["type"]}"' if "type" in entry else ""
        parts.append(f'<{entry["href"]}>; rel="{entry["rel"]}"{kind}')
    return ", ".join(parts)


# ---- answers


def answer(
    form: Form,
    document: Callable[[], Mapping[str, Any]],
    template: str,
    *depends_on: object,
    page: Callable[[], Mapping[str, Any]] | None = None,
) -> Response:
    """Answer with a document in a form: a page made with a template, else JSON tagged with what it depends on.

    `page` gives what the template needs besides the document.
    """
    if form is HTML:
        values = page() if page else {}
        return Response(render_template(template, document=document(), **values), mimetype="text/html")

    def make() -> Response:
        return Response(orjson.dumps(document()), content_type=form.media_type)

    etag = tag(form.media_type, request.url, context.language(), context.actor().audience_key, *depends_on)
    return conditional(etag, context.actor(), make)
