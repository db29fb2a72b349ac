"""The list of layers, and every layer as GeoJSON (RFC 7946): by box, by field, page by page, streamed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
import orjson
import shapely
from flask import Blueprint, Response, request, url_for

from data.base import now
from gis import crs as reference_systems
from gis import geojson
from layers import catalogue, read
from layers.fields import Layer
from services import context
from services.caching import conditional, tag
from services.errors import Missing
from services.formats.base import Counted, pages
from services.parameters import (
    as_of,
    boolean,
    box,
    equalities,
    field_names,
    integer,
    queryable_names,
    refuse_unknown,
    sort,
)
from services.tiles import bounds_of, layer_or_missing

blueprint = Blueprint("items", __name__)
GEOJSON = "application/geo+json"
DEFAULT_LIMIT = 1_000
LARGEST_LIMIT = 100_000
PARAMETERS = {"bbox", "limit", "after", "sortby", "properties", "skipGeometry", "asof"}


@blueprint.get("/layers.json")
def layer_list() -> Response:
    """List every layer with its fields, counts, bounds and addresses."""
    refuse_unknown(())
    actor, session = context.actor(), context.session()
    revisions = read.all_revisions(session, catalogue.LAYERS)

    def make() -> Response:
        entries = [_entry(layer, revisions[layer.id]) for layer in catalogue.LAYERS]
        return Response(orjson.dumps({"layers": entries}), mimetype="application/json")

    return conditional(tag("layers", actor.audience_key, *revisions.values()), actor, make)


def _entry(layer: Layer, revision: str) -> dict[str, Any]:
    actor = context.actor()
    return {
        "id": layer.id,
        "title": layer.title.as_dict(),
        "group": layer.group.as_dict(),
        "description": layer.description.as_dict(),
        "geometry": layer.geometry,
        "count": read.count(context.session(), read.Query(layer, actor)),
        "revision": revision,
        "bounds": bounds_of(layer, revision),
        "minzoom": layer.minzoom,
        "maxzoom": layer.maxzoom,
        "tilejson": url_for("tiles.tilejson", layer_id=layer.id),
        "style": url_for("tiles.style", layer_id=layer.id),
        "geojson": url_for("items.collection", layer_id=layer.id),
        "page": f"/{layer.id}/{{id}}" if layer.has_page else None,
        "visible": layer.visible_at_start,
        "name_field": layer.name_field,
        "fields": [
            {
                "name": f.name,
                "type": f.type.value,
                "title": f.title.as_dict(),
                "unit": f.unit.as_dict() if f.unit else None,
                "codes": {v: {"vi": c.vi, "en": c.en} for v, c in f.code_list.items()}
                if f.code_list
                else None,
                "sortable": f.sortable,
                "in_tiles": f.in_tiles,
            }
            for f in layer.readable_fields(actor)
        ],
    }


@blueprint.get("/layers/<layer_id>.geojson")
def collection(layer_id: str) -> Response:
    """Serve a layer as a FeatureCollection, streamed, with the exact count and a link to the next page."""
    layer, actor = layer_or_missing(layer_id), context.actor()
    refuse_unknown(PARAMETERS | queryable_names(layer, actor))
    query = read.Query(
        layer,
        actor,
        box=box(),
        where=equalities(layer, actor),
        fields=field_names(layer, actor),
        sort=sort(layer, actor),
        limit=integer("limit", DEFAULT_LIMIT, minimum=1, maximum=LARGEST_LIMIT),
        after=request.args.get("after"),
        geometry=not boolean("skipGeometry"),
        as_of=as_of(),
    )
    session = context.session()
    revision = read.revision(session, layer)
    etag = tag(layer.id, revision, actor.audience_key, request.full_path, request.host_url)

    links = _Links(layer)

    def make() -> Response:
        matched = read.count(session, query)
        read.check(session, query)
        head = {
            "name": layer.id,
            "title": layer.title[context.language()],
            "numberMatched": matched,
            "timeStamp": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        page_by_page = Counted(pages(context.store(), query))
        texts = (feature_texts(page, with_geometry=query.geometry) for page in page_by_page)
        body = geojson.feature_collection(
            texts, head, lambda written: {"numberReturned": written, "links": links.of(page_by_page.next)}
        )
        return Response(body, mimetype=GEOJSON, headers={"OGC-NumberMatched": str(matched)})

    return conditional(etag, actor, make)


class _Links:
    """The links of an answer, with the request's address kept, since a stream outlives the request."""

    def __init__(self, layer: Layer) -> None:
        self.own = request.url
        self.arguments = request.args.to_dict()
        self.base = url_for("items.collection", layer_id=layer.id, _external=True)

    def of(self, cursor: str | None) -> list[dict[str, str]]:
        """Return self, and next when there is a next page."""
        links = [{"rel": "self", "type": GEOJSON, "href": self.own}]
        if cursor is not None:
            address = f"{self.base}?{urlencode({**self.arguments, 'after': cursor})}"
            links.append({"rel": "next", "type": GEOJSON, "href": address})
        return links


def feature_texts(page: read.Rows, *, with_geometry: bool = True) -> list[bytes]:
    """Write the rows of a page as GeoJSON feature texts."""
    wkb = page.wkb if with_geometry else [None] * len(page)
    return geojson.feature_texts(page.ids, wkb, page.names, page.columns)


@blueprint.get("/layers/<layer_id>/<int:row_id>.geojson")
def item(layer_id: str, row_id: int) -> Response:
    """Serve one row as a Feature with its box and the address of its page."""
    refuse_unknown(())
    layer, actor = layer_or_missing(layer_id), context.actor()
    record = read.one(context.session(), layer, row_id, actor)
    if record is None:
        raise Missing("Không có bản ghi %(id)s trong lớp %(layer)s.", id=row_id, layer=layer.id)
    revision = read.revision(context.session(), layer)
    return conditional(
        tag(layer.id, row_id, revision, actor.audience_key), actor, lambda: _feature(layer, row_id, record)
    )


def _feature(layer: Layer, row_id: int, record: dict[str, Any]) -> Response:
    shape = record.pop("geometry")
    record.pop("id")
    wkb = np.empty(1, dtype=object)
    wkb[0] = None if shape is None else shapely.to_wkb(shape)
    text = geojson.feature_texts([row_id], wkb, list(record), [[v] for v in record.values()])[0]
    extra: dict[str, Any] = {"bbox": list(shape.bounds) if shape is not None else None}
    extra["links"] = [
        {"rel": "collection", "href": url_for("items.collection", layer_id=layer.id, _external=True)}
    ]
    if (page := layer.page_address(row_id)) is not None:
        extra["links"].append(
            {"rel": "alternate", "type": "text/html", "href": request.url_root.rstrip("/") + page}
        )
    return Response(text[:-1] + b"," + orjson.dumps(extra)[1:], mimetype=GEOJSON)


@blueprint.get("/crs.json")
def coordinate_systems() -> Response:
    """Serve what a browser needs to show VN-2000 coordinates: projections and the shift of EPSG:6960."""
    return Response(orjson.dumps(reference_systems.vn2000_parameters()), mimetype="application/json")
