"""Features of a collection: pages of them in every form, and each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
import orjson
import shapely
from flask import Response, render_template, request
from flask_babel import gettext as _

from data.base import now
from layers import read
from layers.fields import Layer
from services import context
from services.caching import conditional, tag
from services.formats import FORMATS, Context, Features, feature_id
from services.formats import geojson as geojson_format
from services.formats import gml as gml_format
from services.formats import jsonfg as jsonfg_format
from services.ogcapi import asked, counts, linkeddata, profiles, references
from services.ogcapi.asked import Asked
from services.ogcapi.forms import HTML, Form, Link, address, choose, header_links, link, own_links, root
from services.ogcapi.site import blueprint, no_feature, number_or_missing
from services.parameters import refuse_unknown
from services.tiles import layer_or_missing, store_mark

GEOJSON = Form(
    "geojson",
    FORMATS["geojson"].media_type,
    also=("json",),
    accepts=("application/json", "application/vnd.geo+json"),
    title="GeoJSON",
)
JSONFG = Form("jsonfg", FORMATS["jsonfg"].media_type, accepts=("application/fg+json",), title="JSON-FG")
#: Simple features of level 0 keep to level 2 as well, so both names stand for the same bytes.
GML_PROFILE = "application/gml+xml;version=3.2;profile=http://www.opengis.net/def/profile/ogc/2.0/gml-"
GML = Form("gml", f"{GML_PROFILE}sf0", also=("gmlsf0",), title="GML 3.2 (SF-0)")
GML_SF2 = Form("gmlsf2", f"{GML_PROFILE}sf2", title="GML 3.2 (SF-2)")
CSV = Form("csv", "text/csv", title="CSV")
FLATGEOBUF = Form("flatgeobuf", FORMATS["flatgeobuf"].media_type, also=("fgb",), title="FlatGeobuf")
ITEMS = (GEOJSON, HTML, JSONFG, GML, GML_SF2, FLATGEOBUF, CSV)
ITEM = (GEOJSON, HTML, JSONFG, GML, GML_SF2)
_WRITERS = {
    "geojson": "geojson",
    "jsonfg": "jsonfg",
    "gml": "gml32",
    "gmlsf2": "gml32",
    "flatgeobuf": "flatgeobuf",
    "csv": "csv",
}
#: Forms in which a field may hold other values than the record does.
_TEXTUAL = ("geojson", "jsonfg", "csv", "html")
#: Formats that write their numbers and links into the answer itself.
_SELF_TELLING = ("geojson", "jsonfg")
#: How many rows a page shows to people who name no limit.
PAGE_OF_PEOPLE = 25
#: Up to how many rows a page is kept whole in memory, for those who ask for the same one next.
SHORT_PAGE = 20


@blueprint.get("/collections/<collection_id>/items", strict_slashes=False)
def items(collection_id: str) -> Response:
    """Serve a page of features."""
    layer, actor = layer_or_missing(collection_id), context.actor()
    form = choose(ITEMS)
    wanted = asked.items(layer, actor)
    if form is HTML and "limit" not in request.args:
        wanted = replace(wanted, query=replace(wanted.query, limit=PAGE_OF_PEOPLE))
    revision = read.revision(context.session(), layer)

    def make() -> Response:
        page = _Page(layer, revision, form, wanted)
        response = page.html() if form is HTML else page.response()
        response.headers["Content-Crs"] = references.header_value(wanted.target)
        response.headers["OGC-NumberMatched"] = str(page.matched)
        return response

    if form is HTML:
        return make()
    etag = tag(
        layer.id, revision, store_mark(), actor.audience_key, request.url, form.key, context.language()
    )
    short = (wanted.query.limit or asked.DEFAULT_LIMIT) <= SHORT_PAGE
    return conditional(etag, actor, make, short=short)


class _Page:
    """One page of features: the first rows are read at once, so that what is wrong shows before the answer."""

    def __init__(self, layer: Layer, revision: str, form: Form, wanted: Asked) -> None:
        self.layer = layer
        self.form = form
        self.wanted = wanted
        self.query = wanted.query
        self.store = context.store()
        self.language = context.language()
        limit = self.query.limit or asked.DEFAULT_LIMIT
        self.first = read.rows(context.session(), replace(self.query, limit=min(limit, read.CHUNK)))
        complete = self.query.after is None and self.first.next is None
        self.matched = len(self.first) if complete else counts.matched(self.query, revision)
        self.left = limit - len(self.first)
        self.streamed = self.left > 0 and self.first.next is not None
        self.profiles = wanted.profiles if form.key in _TEXTUAL else ()
        self.root = root()
        self.arguments = request.args.to_dict()
        self.base = address("collections", layer.id, "items")
        self.links = [
            *own_links(ITEMS, form),
            link(
                "collection", address("collections", layer.id), "application/json", layer.title[self.language]
            ),
            *(link("profile", profiles.REGISTER + name) for name in self.profiles),
        ]

    # ---- answers

    def response(self) -> Response:
        """Write the page in its format, streamed when it is long."""
        headers: dict[str, str] = {}
        telling = self.form.key in _SELF_TELLING
        links = [*self.links, *self.next_links(self._last_cursor())] if not telling else self.links
        if not telling or self.profiles:
            headers["Link"] = header_links(links)
        made = FORMATS[_WRITERS[self.form.key]].encode(self._features(), self._context())
        return Response(made, content_type=self._content_type(), headers=headers)

    def _content_type(self) -> str:
        return f"{self.form.media_type}; charset=utf-8" if self.form is CSV else self.form.media_type

    def _features(self) -> Features:
        return Features(self.layer, self.first.fields, self._pages(), self.query.geometry)

    def _context(self) -> Context:
        head = {"numberMatched": self.matched, "timeStamp": now().strftime("%Y-%m-%dT%H:%M:%SZ")}
        return Context(
            target=self.wanted.target,
            language=self.language,
            head=head if self.form.key in (*_SELF_TELLING, "gml", "gmlsf2") else {},
            tail=self._tail if self.form.key in _SELF_TELLING else None,
            schema=_xml_schema(self.layer),
        )

    def _tail(self, returned: int, cursor: str | None) -> dict[str, Any]:
        return {"numberReturned": returned, "links": [*self.links, *self.next_links(cursor)]}

    def next_links(self, cursor: str | None) -> list[Link]:
        """Return the link to the next page, when there is one."""
        if cursor is None:
            return []
        href = f"{self.base}?{urlencode({**self.arguments, 'after': cursor})}"
        return [link("next", href, self.form.media_type, title="next")]

    def _last_cursor(self) -> str | None:
        """Find where the page ends without its shapes and values, for formats that tell it beforehand."""
        if not self.streamed:
            return self.first.next
        with self.store.reading() as session:
            return read.rows(session, replace(self.query, fields=(), geometry=False)).next

    # ---- rows

    def _pages(self) -> Iterator[read.Rows]:
        yield self._as_wanted(self.first)
        left, after = self.left, self.first.next
        if not self.streamed:
            return
        with self.store.reading() as session:
            while left > 0 and after is not None:
                page = read.rows(session, replace(self.query, limit=min(left, read.CHUNK), after=after))
                yield self._as_wanted(page)
                left, after = left - len(page), page.next

    def _as_wanted(self, page: read.Rows) -> read.Rows:
        return _with_profiles(self.layer, page, self.profiles, self.language, self.root)

    # ---- people

    def html(self) -> Response:
        """Show the page as a table with links to each feature and to the map."""
        rows = profiles_for_people(self.layer, self.first, self.language)
        values = {
            "layer": self.layer,
            "fields": self.first.fields,
            "rows": rows,
            "matched": self.matched,
            "links": self.links,
            "next_url": next((entry["href"] for entry in self.next_links(self.first.next)), None),
            "start_url": self.base if self.query.after else None,
            "bbox": _box_of(self.first),
        }
        return Response(render_template("ogc/items.html", **values), mimetype="text/html")


def _xml_schema(layer: Layer) -> str:
    return address("collections", layer.id, "schema", f="xsd")


def profiles_for_people(layer: Layer, page: read.Rows, language: str) -> list[dict[str, Any]]:
    """Return the rows of a page with the titles of codes, and the id that every service knows them by."""
    shown = _with_profiles(layer, page, (profiles.VALUES_AS_TITLES,), language, root())
    return [{**record, "id": feature_id(layer, record["id"])} for record in shown.records()]


def _with_profiles(
    layer: Layer, page: read.Rows, names: Sequence[str], language: str, root: str
) -> read.Rows:
    if not names:
        return page
    return replace(page, columns=profiles.columns(layer, page.fields, page.columns, names, language, root))


def _box_of(page: read.Rows) -> list[float] | None:
    shapes = [shape for shape in shapely.from_wkb(page.wkb) if shape is not None]
    return [float(value) for value in shapely.total_bounds(shapes)] if shapes else None


# ---- one feature


@blueprint.get("/collections/<collection_id>/items/<feature_id>", strict_slashes=False)
def item(collection_id: str, feature_id: str) -> Response:
    """Serve one feature; its tag names its version to those who may change it."""
    layer, actor = layer_or_missing(collection_id), context.actor()
    form = choose(ITEM)
    refuse_unknown(asked.ITEM_PARAMETERS)
    target, names = references.parameter("crs"), profiles.from_request()
    number = number_or_missing(layer, feature_id)
    record = read.one(context.session(), layer, number, actor)
    if record is None:
        raise no_feature(layer, feature_id)
    if form is HTML:
        response = _item_page(layer, number, record)
    else:
        response = item_response(layer, number, record, form, Asked(read.Query(layer, actor), target, names))
    response.headers["Content-Crs"] = references.header_value(target)
    return response


def item_response(layer: Layer, number: int, record: dict[str, Any], form: Form, wanted: Asked) -> Response:
    """Write one feature in a form."""
    actor = context.actor()
    etag = item_tag(layer, number, record, request.url, form.key)
    if request.method in ("GET", "HEAD") and request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        page = _with_profiles(layer, _rows_of(layer, record), wanted.profiles, context.language(), root())
        response = Response(_item_bytes(layer, number, page, form, wanted), content_type=form.media_type)
        if form in (GML, GML_SF2) or wanted.profiles:
            links = [
                *own_links(ITEM, form),
                *(link("profile", profiles.REGISTER + n) for n in wanted.profiles),
            ]
            response.headers["Link"] = header_links(links)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "public, no-cache" if not actor.account_id else "private, no-cache"
    return response


def item_tag(layer: Layer, number: int, record: dict[str, Any], *parts: object) -> str:
    """Return a strong tag that begins with the version of the row, where the caller reads it."""
    revision = read.revision(context.session(), layer)
    digest = tag(
        layer.id, number, revision, store_mark(), context.actor().audience_key, context.language(), *parts
    )
    version = record.get("version")
    return f"v{version}-{digest}" if version is not None else digest


def _rows_of(layer: Layer, record: dict[str, Any]) -> read.Rows:
    fields = layer.readable_fields(context.actor())
    wkb = np.empty(1, dtype=object)
    shape = record.get("geometry")
    wkb[0] = None if shape is None else shapely.to_wkb(shape)
    return read.Rows(fields, np.array([record["id"]]), wkb, [[record[f.name]] for f in fields])


def _item_bytes(layer: Layer, number: int, page: read.Rows, form: Form, wanted: Asked) -> bytes:
    plan = Context(target=wanted.target, language=context.language(), schema=_xml_schema(layer))
    if form in (GML, GML_SF2):
        return gml_format.feature_document(layer, page, version="3.2", context=plan)
    links = [
        *own_links(ITEM, form),
        link("collection", address("collections", layer.id), "application/json", layer.title[plan.language]),
    ]
    if (own_page := layer.page_address(number)) is not None:
        links.append(link("alternate", request.url_root.rstrip("/") + own_page, "text/html", _("Hồ sơ")))
    extra: dict[str, Any] = {"links": links}
    if form is JSONFG:
        text = jsonfg_format.feature_texts(layer, page, plan)[0]
        extra = {**jsonfg_format.head(layer, plan), **extra}
    else:
        text = geojson_format.feature_texts(layer, page, plan)[0]
    return text[:-1] + b"," + orjson.dumps(extra)[1:]


def _item_page(layer: Layer, number: int, record: dict[str, Any]) -> Response:
    page = _rows_of(layer, record)
    (shown,) = profiles_for_people(layer, page, context.language())
    shape = record["geometry"]
    values = {
        "layer": layer,
        "fields": page.fields,
        "record": shown,
        "name": record.get(layer.name_field) or shown["id"],
        "bbox": list(shape.bounds) if shape is not None else None,
        "links": own_links(ITEM, HTML),
        "page_url": layer.page_address(number),
        "linked_data": linkeddata.feature(layer, shown, record, shape),
    }
    return Response(render_template("ogc/item.html", **values), mimetype="text/html")
