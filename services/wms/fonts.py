"""Where the font of map labels lies: Be Vietnam Pro among the vendored browser files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import current_app

PATTERN = "vendor/be-vietnam-pro-ttf-*/BeVietnamPro_400Regular.ttf"


def font_file() -> Path | None:
    """Return the file of Be Vietnam Pro, or None so that a font of the system is taken."""
    return _newest(current_app.static_folder)


@lru_cache(maxsize=4)
def _newest(folder: str | None) -> Path | None:
    found = sorted(Path(folder).glob(PATTERN)) if folder else []
    return found[-1] if found else None
