"""The planner's map page."""

from __future__ import annotations

from flask import Blueprint, render_template

from webmap.pages import static, vendor
from webmap.planner.assets import edit_data, embed_data, import_map, map_config, table_data
from webmap.planner.strings import map_strings

blueprint = Blueprint("planner", __name__)
blueprint.app_context_processor(
    lambda: {"embed_data": embed_data, "edit_data": edit_data, "table_data": table_data}
)


@blueprint.get("/map")
def map_page() -> str:
    """Show the planner's map; its script reads the catalogue and draws it."""
    return render_template(
        "planner/map.html",
        config=map_config(),
        strings=map_strings(),
        import_map=import_map(vendor, static),
    )
