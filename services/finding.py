"""Search and statistics for programs and for the map."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask_babel import gettext as _

from data.lineage import meanings
from layers import catalogue, read, statistics
from layers.redistribution import LIST, METHOD_TITLES, METHODS, editions, known_edition
from layers.search import Hit
from layers.search import search as find
from services import context
from services.caching import conditional, tag
from services.errors import BadRequest, Missing
from services.parameters import integer, refuse_unknown

blueprint = Blueprint("finding", __name__)
LONGEST_QUERY = 200
LONGEST_CODE = 20
TIME_ZONE = dt.timezone(dt.timedelta(hours=7))


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


@blueprint.get("/units.json")
def units_by_code() -> Response:
    """Say what a commune's code means and has meant, and which units of today hold each one's ground."""
    refuse_unknown({"code"})
    code = request.args.get("code", "").strip()
    if not code or len(code) > LONGEST_CODE:
        raise BadRequest("Tham số “%(parameter)s” cần mã của một xã, phường hoặc thị trấn.", parameter="code")
    found = [
        {
            "id": m.id,
            "code": m.code,
            "name": m.name,
            "kind": m.kind,
            "edition": m.edition,
            "valid_from": m.valid_from,
            "valid_to": m.valid_to,
            "in_use": m.in_use,
            "url": f"/communes/{m.id}",
            "now": [
                {
                    "id": h.id,
                    "code": h.code,
                    "name": h.name,
                    "share": round(h.share, 6),
                    "url": f"/communes/{h.id}",
                }
                for h in m.now
            ],
        }
        for m in meanings(context.session(), code)
    ]
    response = Response(orjson.dumps({"code": code, "units": found}), mimetype="application/json")
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
        for i in statistics.indicators(context.actor())
    ]
    response = Response(
        orjson.dumps(
            {
                "indicators": entries,
                "levels": list(statistics.LEVELS),
                "editions": editions(context.session()),
                "methods": {method: METHOD_TITLES[method].as_dict() for method in METHODS},
            }
        ),
        mimetype="application/json",
    )
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response


@blueprint.get("/statistics/<indicator_id>.json")
def indicator_values(indicator_id: str) -> Response:
    """Serve an indicator per unit with its classes; every unit with a value is in exactly one class."""
    chosen, level, edition, method, version = _asked(indicator_id)
    actor, session = context.actor(), context.session()

    def make() -> Response:
        table = statistics.on_edition(
            session, chosen, level, actor, edition=edition, method=method, day=_today()
        )
        entries = table.entries
        document = {
            "indicator": chosen.id,
            "title": chosen.title.as_dict(),
            "unit": chosen.unit.as_dict(),
            "level": level,
            "edition": table.edition,
            "method_id": table.method_id,
            "method": table.method.as_dict(),
            "unplaced": table.unplaced,
            "classes": statistics.classes([e["value"] for e in entries]),
            "no_data": {"count": sum(e["value"] is None for e in entries)},
            "values": entries,
        }
        return Response(orjson.dumps(document), mimetype="application/json")

    return conditional(tag(chosen.id, level, edition, method, actor.audience_key, version), actor, make)


@blueprint.get("/statistics/<indicator_id>.csv")
def indicator_csv(indicator_id: str) -> Response:
    """Serve an indicator as a table for spreadsheets; edition and method stand in every row."""
    chosen, level, edition, method, version = _asked(indicator_id)
    actor, session, lang = context.actor(), context.session(), context.language()

    def make() -> Response:
        table = statistics.on_edition(
            session, chosen, level, actor, edition=edition, method=method, day=_today()
        )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        measures = ["value", *chosen.details]
        writer.writerow(["code", "name", "district", *measures, "unit", "edition", "method"])
        tail = [chosen.unit[lang], table.edition, table.method[lang]]
        for entry in table.entries:
            row = [entry["code"], entry["name"], entry["district"], *(entry[name] for name in measures)]
            writer.writerow([_harmless(cell) for cell in [*row, *tail]])
        if any(table.unplaced.values()):
            writer.writerow(
                ["", _("không thuộc đơn vị nào"), "", *(table.unplaced[n] for n in measures), *tail]
            )
        name = f"{chosen.id}-{level}-{table.edition}-{table.method_id}.csv"
        response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return conditional(
        tag("csv", chosen.id, level, edition, method, lang, actor.audience_key, version), actor, make
    )


def _asked(indicator_id: str) -> tuple[statistics.Indicator, str, str, str, str]:
    """The indicator, level, edition and method of the request, and the revision of what they are made from."""
    refuse_unknown({"level", "edition", "method"})
    try:
        chosen = statistics.indicator(indicator_id, context.actor())
    except KeyError:
        raise Missing("Không có chỉ tiêu “%(indicator)s”.", indicator=indicator_id) from None
    level, method = request.args.get("level", "communes"), request.args.get("method", LIST)
    if level not in statistics.LEVELS:
        raise BadRequest("Tham số “%(parameter)s” nhận communes hoặc districts.", parameter="level")
    if method not in METHODS:
        raise BadRequest(
            "Tham số “%(parameter)s” nhận list (theo danh sách) hoặc area (theo diện tích).",
            parameter="method",
        )
    session = context.session()
    edition = known_edition(session, request.args.get("edition") or None)
    layers = [catalogue.layer(chosen.layer), catalogue.layer("communes")]
    revisions = [*read.all_revisions(session, layers).values(), statistics.stamp(session, chosen, _today())]
    return chosen, level, edition, method, "-".join(revisions)


def _today() -> dt.date:
    """The day in the province."""
    return dt.datetime.now(TIME_ZONE).date()


def _harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
