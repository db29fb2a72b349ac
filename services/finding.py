"""Search and statistics for programs and for the map."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, request

from layers import catalogue, read, statistics
from layers.search import Hit
from layers.search import search as find
from services import context
from services.caching import conditional, tag
from services.errors import BadRequest, Missing
from services.parameters import integer, refuse_unknown

blueprint = Blueprint("finding", __name__)
LONGEST_QUERY = 200


def hits(limit: int = 20) -> tuple[str, list[Hit]]:
    """Return the query of the request and what it finds for the caller."""
    text = request.args.get("q", "").strip()
    if len(text) > LONGEST_QUERY:
        raise BadRequest("Câu tìm kiếm dài quá %(limit)s ký tự.", parameter="q", limit=LONGEST_QUERY)
    return text, find(context.session(), text, context.actor(), limit=limit, lang=context.language())


def hit_document(hit: Hit) -> dict[str, Any]:
    """Describe a hit for JSON."""
    return {
        "layer": hit.layer.id,
        "layer_title": hit.layer.title[context.language()],
        "id": hit.id,
        "title": hit.title,
        "subtitle": hit.subtitle,
        "edition": hit.edition,
        "bbox": hit.box,
        "point": hit.point,
        "url": hit.layer.page_address(hit.id),
    }


def search_json() -> Response:
    """Answer /search for a program."""
    refuse_unknown({"q", "limit"})
    text, found = hits(integer("limit", 20, minimum=1, maximum=100))
    document = {"query": text, "results": [hit_document(h) for h in found]}
    response = Response(orjson.dumps(document), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/statistics.json")
def indicator_list() -> Response:
    """List the indicators that can be shown by commune and district."""
    refuse_unknown(())
    entries = [
        {
            "id": i.id,
            "title": i.title.as_dict(),
            "unit": i.unit.as_dict(),
            "layer": i.layer,
            "details": list(i.details),
        }
        for i in statistics.INDICATORS
    ]
    return Response(
        orjson.dumps({"indicators": entries, "levels": list(statistics.LEVELS)}), mimetype="application/json"
    )


@blueprint.get("/statistics/<indicator_id>.json")
def indicator_values(indicator_id: str) -> Response:
    """Serve an indicator per unit with its classes; every unit with a value is in exactly one class."""
    refuse_unknown({"level"})
    try:
        chosen = statistics.indicator(indicator_id)
    except KeyError:
        raise Missing("Không có chỉ tiêu “%(indicator)s”.", indicator=indicator_id) from None
    level = request.args.get("level", "communes")
    if level not in statistics.LEVELS:
        raise BadRequest("Tham số “%(parameter)s” nhận communes hoặc districts.", parameter="level")
    actor, session = context.actor(), context.session()
    revisions = read.all_revisions(session, [catalogue.layer(chosen.layer), catalogue.layer("communes")])

    def make() -> Response:
        entries = statistics.table(session, chosen, level, actor)
        document = {
            "indicator": chosen.id,
            "title": chosen.title.as_dict(),
            "unit": chosen.unit.as_dict(),
            "level": level,
            "method": statistics.METHOD.as_dict(),
            "classes": statistics.classes([e["value"] for e in entries]),
            "no_data": {"count": sum(e["value"] is None for e in entries)},
            "values": entries,
        }
        return Response(orjson.dumps(document), mimetype="application/json")

    return conditional(tag(chosen.id, level, actor.audience_key, *revisions.values()), actor, make)
