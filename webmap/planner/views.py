"""The planner's map page and the picture that stands in where it cannot be drawn."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from webmap.planner.assets import font_files, import_map
from webmap.planner.strings import map_strings

blueprint = Blueprint("planner", __name__)


@blueprint.get("/map")
def map_page() -> str:
    """Show the planner's map."""
    context = _template_globals()
    config = {
        "layers": "/layers.json",
        "statistics": "/statistics.json",
        "crs": "/crs.json",
        "search": "/search",
        "fallback": "/map/province.svg",
        "bounds": [104.70, 8.55, 105.45, 9.60],
        "basemap": context.get("basemap"),
        "attribution": context["province_name"],
        "fonts": font_files(context["vendor"]),
    }
    return render_template(
        "planner/map.html", config=config, strings=map_strings(), import_map=import_map(context["vendor"], context["static"])
    )


def _template_globals() -> dict[str, Any]:
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    return context
