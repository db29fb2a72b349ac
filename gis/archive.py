"""Unpacking what people upload: a zip is opened only as far as it is harmless and holds wanted files."""

from __future__ import annotations

import errno
import lzma
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gis.errors import Refusal

MAXIMUM_BYTES = 512 * 1024 * 1024
MAXIMUM_RATIO = 200
MAXIMUM_ENTRIES = 1_000

_RATIO_MATTERS_FROM = 1024 * 1024
_CHUNK = 1024 * 1024
_ENCRYPTED = 0x1
_UNIX_MODE = 16
"""Bits that the mode of a file on Unix is shifted by among the attributes of a member."""
_LONGEST_NAME = 200
_OUR_FAULT = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE)
_UNSAFE_NAME = re.compile(r"(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[A-Za-z]:|[\x00-\x1f]")
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    EOFError,
    ValueError,
    OSError,
)


class ArchiveError(Refusal):
    """An archive that is broken, locked or dangerous."""


def unpack(archive: Path, folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Write the members with one of the suffixes into an empty folder; their paths, suffixes in lower case.

    Sizes are checked as declared before anything is written, and again while writing. Files of one folder
    stay in one folder; archives inside the archive and everything else are left packed.
    Raises ArchiveError: not a zip, broken, encrypted, unsafe names, symbolic links, more than
    MAXIMUM_ENTRIES members, more than MAXIMUM_BYTES unpacked, or more than MAXIMUM_RATIO times the packed size.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(archive, members)
            wanted = [m for m in members if _suffix(m) in suffixes and not _is_resource_fork(m.filename)]
            return _write(opened, archive, wanted, folder)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno in _OUR_FAULT:
            raise
        raise _broken(archive) from error


def check_archive(archive: Path) -> None:
    """Refuse a zip that `unpack` would refuse, without unpacking it; raises ArchiveError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            _check(archive, [member for member in opened.infolist() if not member.is_dir()])
    except _BROKEN as error:
        raise _broken(archive) from error


def _broken(archive: Path) -> ArchiveError:
    return ArchiveError("Tệp nén %(file)s bị hỏng; hãy nén lại rồi gửi lại.", file=archive.name)


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAXIMUM_ENTRIES:
        raise ArchiveError(
            "Tệp nén %(file)s có %(count)s tệp, nhiều hơn mức cho phép là %(limit)s.",
            file=archive.name,
            count=len(members),
            limit=MAXIMUM_ENTRIES,
        )
    for member in members:
        # zipfile cuts `filename` at a NUL and turns separators; `orig_filename` is what the archive says.
        if any(_is_unsafe(name) for name in (member.orig_filename, member.filename)):
            raise ArchiveError(
                "Tệp nén %(file)s có đường dẫn không an toàn; hãy nén lại mà không kèm đường dẫn.",
                file=archive.name,
            )
        if stat.S_ISLNK(member.external_attr >> _UNIX_MODE):
            raise ArchiveError(
                "Tệp nén %(file)s có liên kết tượng trưng (%(name)s); hãy nén lại với chính tệp đó.",
                file=archive.name,
                name=member.filename,
            )
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError("Tệp nén %(file)s có mật khẩu; hãy nén lại không mật khẩu.", file=archive.name)
    _check_size(archive, sum(member.file_size for member in members))


def _check_size(archive: Path, unpacked: int) -> None:
    packed = max(1, archive.stat().st_size)
    if unpacked > MAXIMUM_BYTES or (unpacked > _RATIO_MATTERS_FROM and unpacked > MAXIMUM_RATIO * packed):
        raise ArchiveError(
            "Tệp nén %(file)s phình ra quá lớn khi giải nén (%(size)s MB); hãy gửi tệp gốc hoặc chia nhỏ.",
            file=archive.name,
            size=unpacked // (1024 * 1024),
        )


def _write(
    opened: zipfile.ZipFile, archive: Path, members: list[zipfile.ZipInfo], folder: Path
) -> list[Path]:
    written: list[Path] = []
    folders: dict[PurePosixPath, Path] = {}
    total = 0
    for member in members:
        inside = PurePosixPath(member.filename)
        # Folders are numbered: files that belong together stay together, and no foreign path is created.
        home = folders.setdefault(inside.parent, folder / str(len(folders)))
        home.mkdir(exist_ok=True)
        target = home / f"{inside.stem}{inside.suffix.lower()}"
        with opened.open(member) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                total += len(chunk)
                _check_size(archive, total)
                sink.write(chunk)
        written.append(target)
    return written


def _is_unsafe(name: str) -> bool:
    too_long = any(len(part.encode("utf-8")) > _LONGEST_NAME for part in re.split(r"[\\/]", name))
    return too_long or bool(_UNSAFE_NAME.search(name))


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _is_resource_fork(name: str) -> bool:
    """Whether macOS added the member beside the real file."""
    return "__MACOSX" in name or PurePosixPath(name).name.startswith("._")
