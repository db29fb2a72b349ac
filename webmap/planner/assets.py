"""What pages with a map hand to their scripts: module addresses, fonts, sentences, where the data is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app

from data.spatial import Box
from layers import catalogue, read
from services import context
from webmap.pages import record_facts, static, vendor
from webmap.planner.strings import common_strings, edit_strings, table_strings

STATIC = Path(__file__).parent.parent / "static"
FONT = "be-vietnam-pro"
WEIGHTS = {"regular": 400, "bold": 700}
SUBSETS = ("vietnamese", "latin")
VIETNAM: Box = (102.1, 8.2, 109.6, 23.4)


@functools.cache
def import_map(vendor: Callable[[str, str], str], static: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Return the import map: library names, and each module's plain address to its hashed one.

    Modules import one another by relative address; without the second part a changed module would be
    taken from an old cache.
    """
    imports = {
        "maplibre-gl": vendor("maplibre-gl", "maplibre-gl.mjs"),
        "terra-draw": vendor("terra-draw", "terra-draw.modern.js"),
        "terra-draw-maplibre-gl-adapter": vendor(
            "terra-draw-maplibre-gl-adapter", "terra-draw-maplibre-gl-adapter.modern.js"
        ),
        "polyclip-ts": vendor("polyclip-ts", "index.js"),
        "bignumber.js": vendor("bignumber.js", "bignumber.mjs"),
        "splaytree-ts": vendor("splaytree-ts", "index.js"),
    }
    for file in sorted((STATIC / "js").rglob("*.js")):
        path = file.relative_to(STATIC).as_posix()
        imports[f"/static/{path}"] = static(path)
    return {"imports": imports}


def map_config() -> dict[str, Any]:
    """Return where a map finds its data, fonts and background, and where it opens."""
    basemap = current_app.extensions["ocop_settings"].basemap
    return {
        "layers": "/layers.json",
        "statistics": "/statistics.json",
        "crs": "/crs.json",
        "search": "/search",
        "fallback": "/map/province.svg",
        "stylesheet": vendor("maplibre-gl", "maplibre-gl.css"),
        "mapStylesheet": static("css/map.css"),
        "bounds": home_bounds(),
        "basemap": basemap.as_dict() if basemap else None,
        "attribution": record_facts().get("province_name") or "",
        "fonts": _font_files(),
    }


def embed_data() -> dict[str, Any]:
    """Return what a page with a map on demand hands to its script."""
    return {"import_map": import_map(vendor, static), "strings": common_strings(), "config": map_config()}


def edit_data() -> dict[str, Any]:
    """Return what the edit form hands to its script."""
    return {"strings": edit_strings(), "config": map_config()}


def table_data() -> dict[str, Any]:
    """Return what the attribute table hands to its script."""
    return {"strings": table_strings(), "config": map_config()}


def home_bounds() -> Box:
    """Return the box of the province, or of the country while the record has no boundaries."""
    session = context.session()
    for layer_id in ("provinces", "communes"):
        box = read.bounds(session, read.Query(catalogue.layer(layer_id)))
        if box is not None:
            return box
    return VIETNAM


def _font_files() -> dict[str, dict[str, str]]:
    return {
        name: {subset: vendor(FONT, f"{FONT}-{subset}-{weight}-normal.woff2") for subset in SUBSETS}
        for name, weight in WEIGHTS.items()
    }
