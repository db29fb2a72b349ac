"""Addresses of scripts and fonts: bare module names, and our own modules by the hash of their content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
SUBSETS = ("vietnamese", "latin")


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
    }
    for file in sorted((STATIC / "js").rglob("*.js")):
        path = file.relative_to(STATIC).as_posix()
        imports[f"/static/{path}"] = static(path)
    return {"imports": imports}


def font_files(vendor: Callable[[str, str], str]) -> dict[str, dict[str, str]]:
    """Return the font files that the map draws its labels with, by weight and subset."""
    weights = {"regular": 400, "bold": 700}
    return {
        name: {s: vendor("be-vietnam-pro", f"be-vietnam-pro-{s}-{weight}-normal.woff2") for s in SUBSETS}
        for name, weight in weights.items()
    }
