"""The home page and the search page."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _

from layers import catalogue, read, statistics
from layers.filters import Comparison
from services import context, finding, negotiation
from webmap.pages import number
from webmap.public import svgmap
from webmap.public.blueprint import blueprint
from webmap.public.lists import NAMES, add_photos, english_names

FEATURED = 8
CANDIDATES = 60


@blueprint.get("/")
def home() -> str:
    """Show what the province has: figures, products with most stars, craft villages, the map."""
    products = _candidates("products", ("stars", "producer_name"), "stars")
    villages = _pictured(_candidates("craft_villages", ("kind", "craft"), "decision_date"))
    return render_template(
        "public/home.html",
        figures=_figures(),
        products=products[:FEATURED],
        villages=villages[:FEATURED],
        province=svgmap.province_map(context.session()),
    )


@blueprint.get("/search")
def search() -> str | Response:
    """Show what is found to a person, or answer a program."""
    if not negotiation.wants_html():
        return finding.search_json()
    query, hits = finding.hits(50)
    results = [
        {
            "title": hit.title,
            "subtitle": hit.subtitle,
            "kind": hit.layer.title[context.language()],
            "url": hit.layer.page_address(hit.id) or f"/map#selected={hit.layer.id}/{hit.id}",
        }
        for hit in hits
    ]
    return render_template("public/search.html", query=query, results=results)


@blueprint.get("/map/province.svg")
def province_svg() -> Response:
    """Serve the server-drawn map alone, for browsers that cannot draw the interactive one."""
    province = svgmap.province_map(context.session())
    drawing = render_template("public/province.svg", province=province)
    return Response(drawing, mimetype="image/svg+xml", headers={"Cache-Control": "private, max-age=300"})


def _figures() -> list[tuple[str, str, str | None]]:
    """The key numbers: title, value, address."""
    session, actor = context.session(), context.actor()

    def count(layer_id: str, where: Any = None) -> str:
        return number(read.count(session, read.Query(catalogue.layer(layer_id), actor, where=where)))

    total = statistics.total_area_ha(session, catalogue.layer("growing_areas"), actor)
    return [
        (_("sản phẩm từ 3 sao"), count("products", Comparison("stars", ">=", 3)), "/products"),
        (_("làng nghề"), count("craft_villages"), "/craft_villages"),
        (_("vùng trồng, vùng nuôi"), count("growing_areas"), "/growing_areas"),
        (_("héc-ta đã lập bản đồ"), number(round(total)), None),
        (_("chủ thể OCOP"), count("producers"), "/producers"),
        (_("xã, phường, thị trấn"), count("communes"), "/communes"),
    ]


def _candidates(layer_id: str, fields: tuple[str, ...], order: str) -> list[dict[str, Any]]:
    """The first rows of a layer by falling `order`, with their photos."""
    layer = catalogue.layer(layer_id)
    query = read.Query(
        layer,
        context.actor(),
        fields=(*NAMES, "name_en", *fields),
        sort=((order, True), ("name", False)),
        limit=CANDIDATES,
        geometry=False,
    )
    rows = list(read.rows(context.session(), query).records())
    english_names(rows)
    add_photos(layer, rows)
    return rows


def _pictured(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those with a photo first."""
    return sorted(rows, key=lambda row: row["photo"] is None)
