"""The folder of an upload: the file under a harmless name, and what was found out about it."""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from data.text import bare
from gis.errors import marked
from services.imports.refusals import ImportRefused

LARGEST_UPLOAD = 256 * 1024 * 1024
"""The largest file, in bytes, that the desk takes; the one place where this is said."""

_CHUNK = 1024 * 1024
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_LONGEST_NAME = 80
_LONGEST_SHOWN = 200


class Folder:
    """The folder `instance/uploads/<key>`."""

    def __init__(self, instance: Path, key: str) -> None:
        if not _KEY.fullmatch(key):
            raise ValueError(key)
        self.path = instance / "uploads" / key

    @property
    def file(self) -> Path:
        """The file that was brought. Raises ImportRefused when it was swept away."""
        files = list((self.path / "file").glob("*"))
        if len(files) != 1:
            raise ImportRefused("Tệp này không còn được giữ trên máy chủ; hãy tải lên lại.")
        return files[0]

    @property
    def report(self) -> Path:
        """The report of the last dry run."""
        return self.path / "report.json"

    @property
    def preview(self) -> Path:
        """The shapes of the last dry run as GeoJSON."""
        return self.path / "preview.geojson"

    def inspection(self, encoding: str | None) -> Path:
        """What was found in the file when it is read with an encoding."""
        return self.path / f"inspection-{re.sub(r'[^A-Za-z0-9]', '', encoding or 'auto')[:40]}.json"

    def receive(self, files: Sequence[tuple[str, IO[bytes]]]) -> tuple[str, str, int]:
        """Keep what somebody sends; return the name to show, the SHA-256 and the size.

        Several files, such as the parts of a shapefile, are kept as one archive. Raises ImportRefused for an
        empty or too large file; then nothing is kept.
        """
        target = self.path / "file"
        target.mkdir(parents=True)
        try:
            if len(files) == 1:
                name, stream = files[0]
                shown, kept = shown_name(name), target / kept_name(name)
                with kept.open("xb") as sink:
                    copy_limited(stream, sink)
            else:
                shown, kept = _archived(files, target)
            size = kept.stat().st_size
            if size == 0:
                raise ImportRefused(marked("Tệp %(file)s trống."), file=shown)
            return shown, digest_of(kept), size
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Forget the file and all that was found out about it."""
        shutil.rmtree(self.path, ignore_errors=True)


def _archived(files: Sequence[tuple[str, IO[bytes]]], target: Path) -> tuple[str, Path]:
    first = shown_name(files[0][0])
    kept = target / f"{Path(kept_name(files[0][0])).stem}.zip"
    with zipfile.ZipFile(kept, "x", zipfile.ZIP_DEFLATED) as archive:
        names = set()
        for name, stream in files:
            member = kept_name(name)
            if member in names:
                raise ImportRefused(marked("Hai tệp gửi lên có cùng tên %(file)s."), file=shown_name(name))
            names.add(member)
            # A fixed date: the same files make the same archive, and so the same SHA-256.
            entry = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as sink:
                copy_limited(stream, sink)
    return f"{Path(first).stem} ({len(files)})", kept


def copy_limited(source: IO[bytes], sink: IO[bytes]) -> None:
    """Copy a stream to its end. Raises ImportRefused past the largest size."""
    total = 0
    while chunk := source.read(_CHUNK):
        total += len(chunk)
        if total > LARGEST_UPLOAD:
            limit = LARGEST_UPLOAD // 2**20
            raise ImportRefused(marked("Tệp nặng hơn %(limit)s MB; hãy chia nhỏ hoặc nén lại."), limit=limit)
        sink.write(chunk)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def kept_name(name: str) -> str:
    """A harmless name for the disk: plain letters, no folders, the suffix in lower case."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", bare(re.split(r"[\\/]", name)[-1])).strip("._-")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    stem = stem.strip(".")[:_LONGEST_NAME] or "tep"
    return f"{stem}.{suffix.lower()[:10]}" if suffix else stem


def shown_name(name: str) -> str:
    """The name as people know it: without folders and control characters, in NFC."""
    last = unicodedata.normalize("NFC", re.split(r"[\\/]", name)[-1])
    return re.sub(r"[\x00-\x1f\x7f]", "", last).strip()[:_LONGEST_SHOWN] or "tep"
