"""Photos: kept once by their hash, shown resized, never with the camera's position for the public."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from sqlalchemy.orm import Mapped, Session, mapped_column

from data.accounts import Actor, visible
from data.base import Base, Published, now
from gis.errors import Refusal

WIDTHS = (320, 640, 1280)
LARGEST_BYTES = 25 * 1024 * 1024
LARGEST_PIXELS = 60_000_000


class PhotoError(Refusal):
    """The file is no picture that can be kept."""


class Photo(Published, Base):
    """A photo of a record, with words for those who cannot see it."""

    table_name: Mapped[str]
    row_id: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    alt: Mapped[str | None]
    alt_en: Mapped[str | None]
    credit: Mapped[str | None]
    licence: Mapped[str | None]
    taken_at: Mapped[dt.datetime | None]
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]

    __table_args__ = (sa.Index(None, "table_name", "row_id"), {"sqlite_autoincrement": True})


def photos_of(session: Session, table: str, row_ids: Iterable[int], actor: Actor) -> list[Photo]:
    """List the photos of some rows of a table that the actor sees, row by row in their order."""
    query = sa.select(Photo).where(
        Photo.table_name == table, Photo.row_id.in_(list(row_ids)), visible(actor, Photo)
    )
    return list(session.scalars(query.order_by(Photo.row_id, Photo.position, Photo.id)))


def is_seen(session: Session, sha256: str, actor: Actor) -> bool:
    """Tell whether any row shows the actor the picture of a hash."""
    query = sa.select(Photo.id).where(Photo.sha256 == sha256, visible(actor, Photo)).limit(1)
    return session.scalar(query) is not None


def folder_of(media: Path, sha256: str) -> Path:
    """Return the folder that holds the versions of one picture."""
    return media / sha256[:2] / sha256


def store_photo(media: Path, content: bytes) -> Photo:
    """Keep a picture under its hash as WebP in three widths, without metadata; return an unattached row.

    Raises PhotoError when the bytes are too many, are no picture, or unpack to too many pixels.
    """
    if len(content) > LARGEST_BYTES:
        raise PhotoError("Ảnh lớn hơn %(limit)s MB.", limit=LARGEST_BYTES // 1024 // 1024)
    try:
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > LARGEST_PIXELS:
            raise PhotoError("Ảnh có quá nhiều điểm ảnh.")
        exif = picture.getexif()
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError) as error:
        raise PhotoError("Tệp không phải là ảnh đọc được.") from error
    sha256 = hashlib.sha256(content).hexdigest()
    folder = folder_of(media, sha256)
    folder.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        copy = upright.copy()
        copy.thumbnail((width, width * 4))
        copy.save(folder / f"{width}.webp", "WEBP", quality=80)
    longitude, latitude = _position(exif)
    return Photo(
        sha256=sha256,
        width=upright.width,
        height=upright.height,
        taken_at=now(),
        longitude=longitude,
        latitude=latitude,
    )


def _position(exif: Image.Exif) -> tuple[float | None, float | None]:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        latitude = _degrees(gps[2]) * (-1 if gps.get(1) == "S" else 1)
        longitude = _degrees(gps[4]) * (-1 if gps.get(3) == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None, None
    return longitude, latitude


def _degrees(parts: tuple[float, float, float]) -> float:
    degrees, minutes, seconds = (float(p) for p in parts)
    return degrees + minutes / 60 + seconds / 3600
