"""Landing page, conformance declaration and collections (OGC API – Features Part 1, Common Parts 1 and 2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Response
from flask_babel import gettext as _

from data.tables import RecordFact
from layers import catalogue, read
from layers.fields import Layer
from services import context
from services.ogcapi import counts, linkeddata, references
from services.ogcapi.conformance import CLASSES
from services.ogcapi.features import ITEMS
from services.ogcapi.forms import (
    HTML,
    OPENAPI,
    PAGES,
    Form,
    Link,
    address,
    answer,
    choose,
    link,
    own_links,
    root,
)
from services.ogcapi.site import blueprint
from services.parameters import refuse_unknown
from services.tiles import bounds_of, layer_or_missing

OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
JSON_TYPE, SCHEMA_TYPE = "application/json", "application/schema+json"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def title() -> str:
    """Return the title of the whole API."""
    return str(_("Bản đồ OCOP: dữ liệu qua OGC API"))


def description() -> str:
    """Return what the API offers, in one sentence."""
    return str(
        _("Vùng trồng, làng nghề, sản phẩm OCOP, lô truy xuất và địa giới của tỉnh, để xem, lọc, tải và sửa.")
    )


# ---- landing page


@blueprint.get("", strict_slashes=False)
def landing() -> Response:
    """Serve the landing page: what there is, and where."""
    form = choose(PAGES)
    refuse_unknown(())

    def page() -> dict[str, Any]:
        layers = [(layer, layer.title[context.language()]) for layer in catalogue.LAYERS]
        return {
            "linked_data": linkeddata.catalogue(title(), description(), layers),
            "layers": catalogue.LAYERS,
        }

    return answer(form, lambda: _landing(form), "ogc/landing.html", page=page)


def _landing(form: Form) -> dict[str, Any]:
    return {
        "title": title(),
        "description": description(),
        "links": [
            *own_links(PAGES, form),
            link("service-desc", address("api"), OPENAPI.media_type, _("Mô tả API (OpenAPI 3.0)")),
            link("service-doc", address("api", f="html"), HTML.media_type, _("Tài liệu API")),
            link("conformance", address("conformance"), JSON_TYPE, _("Các chuẩn được tuân theo")),
            link("data", address("collections"), JSON_TYPE, _("Các lớp dữ liệu")),
            link(f"{OGC}conformance", address("conformance"), JSON_TYPE, _("Các chuẩn được tuân theo")),
            link(f"{OGC}data", address("collections"), JSON_TYPE, _("Các lớp dữ liệu")),
            link(f"{OGC}tilesets-vector", address("tiles"), JSON_TYPE, _("Ô bản đồ véc-tơ của mọi lớp")),
            link(f"{OGC}tiling-schemes", address("tileMatrixSets"), JSON_TYPE, _("Các lưới ô bản đồ")),
            link(f"{OGC}styles", address("styles"), JSON_TYPE, _("Các kiểu vẽ")),
        ],
    }


@blueprint.get("/conformance", strict_slashes=False)
def conformance() -> Response:
    """Serve the list of standards that are kept to."""
    form = choose(PAGES)
    refuse_unknown(())

    def document() -> dict[str, Any]:
        return {"links": own_links(PAGES, form), "conformsTo": list(CLASSES)}

    return answer(form, document, "ogc/conformance.html")


# ---- collections


@blueprint.get("/collections", strict_slashes=False)
def collections() -> Response:
    """Serve all collections with their extents and links."""
    form = choose(PAGES)
    refuse_unknown(())
    revisions = read.all_revisions(context.session(), catalogue.LAYERS)
    licence = licence_links()

    def document() -> dict[str, Any]:
        entries = [
            {
                **collection_document(layer, revisions[layer.id]),
                "links": [*_collection_links(layer), *licence],
            }
            for layer in catalogue.LAYERS
        ]
        return {
            "links": [*own_links(PAGES, form), *licence],
            "crs": list(references.SUPPORTED),
            "collections": entries,
        }

    return answer(
        form,
        document,
        "ogc/collections.html",
        *revisions.values(),
        licence,
        page=lambda: {"layers": catalogue.LAYERS},
    )


@blueprint.get("/collections/<collection_id>", strict_slashes=False)
def collection(collection_id: str) -> Response:
    """Serve one collection."""
    layer = layer_or_missing(collection_id)
    form = choose(PAGES)
    refuse_unknown(())
    revision = read.revision(context.session(), layer)
    licence = licence_links()

    def document() -> dict[str, Any]:
        links = [*own_links(PAGES, form), *_collection_links(layer)[1:], *licence]
        return {**collection_document(layer, revision), "links": links}

    def page() -> dict[str, Any]:
        bounds = bounds_of(layer, revision)
        return {"layer": layer, "bbox": bounds, "linked_data": linkeddata.dataset(layer, bounds)}

    return answer(form, document, "ogc/collection.html", revision, licence, page=page)


def collection_document(layer: Layer, revision: str) -> dict[str, Any]:
    """Describe a collection, without its links."""
    lang = context.language()
    made: dict[str, Any] = {
        "id": layer.id,
        "title": layer.title[lang],
        "description": layer.description[lang],
        "keywords": [layer.group[lang], "OCOP"],
        "itemType": "feature",
        "dataType": "vector",
        "itemCount": counts.total(layer, revision),
        "crs": list(references.SUPPORTED),
        "storageCrs": references.STORAGE,
    }
    extent: dict[str, Any] = {}
    if (bounds := bounds_of(layer, revision)) is not None:
        extent["spatial"] = {"bbox": [list(bounds)], "crs": references.CRS84}
    times = counts.time_extent(layer, revision)
    if times is not None and times != (None, None):
        extent["temporal"] = {"interval": [[_moment(moment) for moment in times]], "trs": GREGORIAN}
    if extent:
        made["extent"] = extent
    return made


def licence_links() -> list[Link]:
    """Return the link to the licence of the data, when the record names one by its address."""
    asked = sa.select(RecordFact.value).where(RecordFact.key == "data_licence_url")
    href = context.session().scalar(asked) or ""
    return (
        [link("license", href, title=_("Giấy phép dữ liệu"))] if href.startswith(("https:", "http:")) else []
    )


def _moment(value: dt.date | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value.isoformat()}T00:00:00Z"


def _collection_links(layer: Layer) -> list[Link]:
    """The links of a collection: the first is to itself."""
    name = layer.title[context.language()]
    here = ("collections", layer.id)
    items = [
        link("items", address(*here, "items", f=form.key), form.media_type, form.name) for form in ITEMS[1:]
    ]
    return [
        link("self", address(*here), JSON_TYPE, name),
        link("items", address(*here, "items"), ITEMS[0].media_type, name),
        *items,
        link(f"{OGC}schema", address(*here, "schema"), SCHEMA_TYPE, _("Lược đồ của bản ghi")),
        link(f"{OGC}queryables", address(*here, "queryables"), SCHEMA_TYPE, _("Trường để lọc")),
        link(f"{OGC}sortables", address(*here, "sortables"), SCHEMA_TYPE, _("Trường để sắp xếp")),
        link(f"{OGC}tilesets-vector", address(*here, "tiles"), JSON_TYPE, _("Ô bản đồ véc-tơ")),
        link(f"{OGC}styles", address(*here, "styles"), JSON_TYPE, _("Các kiểu vẽ")),
        link("root", root(), JSON_TYPE, title()),
    ]
