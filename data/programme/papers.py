"""The files behind evidence: kept once under their hash, never changed, never trusted by their names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gis.errors import Refusal

LARGEST_BYTES = 25 * 1024 * 1024

#: What may be handed in, told from the first bytes: (start, media type).
KINDS = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"RIFF", "image/webp"),
    (b"PK\x03\x04", "application/zip"),
)
OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class PaperError(Refusal):
    """A file cannot be taken as evidence."""


def media_type(name: str, content: bytes) -> str:
    """Tell what a file is from its content. Raises PaperError for anything but PDF, pictures, Word and Excel."""
    if not content:
        raise PaperError("Tệp %(file)s trống.", file=name)
    if len(content) > LARGEST_BYTES:
        raise PaperError("Tệp %(file)s quá %(limit)s MB.", file=name, limit=LARGEST_BYTES // 2**20)
    for start, kind in KINDS:
        if content.startswith(start):
            office = OFFICE.get(Path(name).suffix.lower())
            if kind != "application/zip":
                return kind
            if office is not None:
                return office
    raise PaperError("Tệp %(file)s không phải PDF, ảnh, Word hay Excel.", file=name)


def keep(folder: Path, content: bytes) -> str:
    """Keep the bytes under their SHA-256 and return it; a file that is there already is left alone."""
    key = hashlib.sha256(content).hexdigest()
    path = path_of(folder, key)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        young = path.with_suffix(".young")
        young.write_bytes(content)
        young.rename(path)
    return key


def path_of(folder: Path, key: str) -> Path:
    """Where the file of a hash lies."""
    return folder / key[:2] / key
