"""Photos as the public sees them: resized WebP files under the hash of the original, kept for good."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import Response, abort, current_app, send_file

from data.media import WIDTHS, Photo, folder_of, is_seen, photos_of
from services import context
from webmap.public.blueprint import blueprint

SHA256 = re.compile(r"[0-9a-f]{64}")
YEAR_SECONDS = 31_536_000


@dataclass(frozen=True)
class Picture:
    """A photo ready for a template."""

    src: str
    srcset: str
    width: int
    height: int
    alt: str
    credit: str | None


@blueprint.get("/media/<sha256>/<int:width>.webp")
def photo(sha256: str, width: int) -> Response:
    """Serve one width of a photo that belongs to a row the caller may see."""
    if not SHA256.fullmatch(sha256) or width not in WIDTHS:
        abort(404)
    media: Path = current_app.extensions["ocop_settings"].media
    file = folder_of(media, sha256) / f"{width}.webp"
    if not is_seen(context.session(), sha256, context.actor()) or not file.is_file():
        abort(404)
    response = send_file(file, mimetype="image/webp", max_age=YEAR_SECONDS)
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


def pictures_of(table: str, row_id: int) -> list[Picture]:
    """Return the photos of a row in their order."""
    return pictures(table, [row_id]).get(row_id, [])


def pictures(table: str, row_ids: Iterable[int]) -> dict[int, list[Picture]]:
    """Return the photos of several rows of a table, by row."""
    found: dict[int, list[Picture]] = {}
    for row in photos_of(context.session(), table, row_ids, context.actor()):
        found.setdefault(row.row_id, []).append(_picture(row))
    return found


def _picture(row: Photo) -> Picture:
    english = context.language() == "en" and row.alt_en
    widths = [w for w in WIDTHS if w <= row.width] or [WIDTHS[0]]
    shown = min(widths[-1], 640)
    return Picture(
        src=f"/media/{row.sha256}/{shown}.webp",
        srcset=", ".join(f"/media/{row.sha256}/{w}.webp {min(w, row.width)}w" for w in widths),
        width=shown,
        height=round(shown * row.height / row.width),
        alt=(row.alt_en if english else row.alt) or "",
        credit=row.credit,
    )
