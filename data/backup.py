"""Backup and restore of the whole record while the server runs.

A GeoPackage is copied by SQLite's online backup, in both directions, so that running workers read either the
old or the new record and nothing between. PostgreSQL is left to pg_dump and pg_restore. After a restore every
revision is higher than both before and in the backup, so no cache can show what was there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data import backup_postgres, migrate
from data.schema import known_schemas
from data.store import MAIN_TABLE, Store
from gis import geopackage
from gis.errors import Refusal

#: How far revisions jump at a restore: more than the edits that can slip in between reading and replacing.
REVISION_JUMP = 1_000


class BackupError(Refusal):
    """A backup cannot be made or brought back; the record is as it was."""


@dataclass(frozen=True)
class Backup:
    """What a backup left behind: the record's copy, and the photos' archive where there are photos."""

    path: Path
    size: int
    media: Path | None = None


@dataclass(frozen=True)
class Restored:
    """What a restore did: where the former record is kept, and the schema revisions of the backup and now."""

    kept: Path | None
    schema: str
    upgraded_to: str
    media_files: int = 0
    replaced_file: bool = False


def backup(store: Store, path: Path, *, media: Path | None = None) -> Backup:
    """Copy the record to a file and its photos to `<file>.media.tar`, replacing an older backup at the end.

    Raises BackupError when the copy cannot be written or is not whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise BackupError("“%(path)s” là thư mục; hãy chỉ ra tên tệp sao lưu.", path=path)
    if store.embedded and path.resolve() == store.path.resolve():
        raise BackupError("Tệp sao lưu phải khác tệp bản ghi đang dùng.")
    with _part(path) as part:
        if store.embedded:
            _copy_gpkg(store.path, part)
            _check_whole(part)
        else:
            backup_postgres.dump(store, part)
        part.chmod(0o600)
        os.replace(part, path)
    archive = _archive_media(media, _media_archive(path)) if media else None
    return Backup(path, path.stat().st_size, archive)


def restore(store: Store, path: Path, *, keep_in: Path | None = None, media: Path | None = None) -> Restored:
    """Bring a backup back in one transaction, keeping the present record as a backup of its own.

    `keep_in` is where a PostgreSQL record is kept; a GeoPackage is kept beside itself. Photos that the backup
    has and the folder lacks are added. Raises BackupError when the file is no record of ours or unreadable.
    """
    if not path.is_file():
        raise BackupError("Không có tệp sao lưu “%(path)s”.", path=path)
    restored = (
        _restore_gpkg(store, path)
        if store.embedded
        else _restore_postgres(store, path, keep_in or path.parent)
    )
    added = _unpack_media(_media_archive(path), media) if media else 0
    return Restored(restored.kept, restored.schema, restored.upgraded_to, added, restored.replaced_file)


def keep_before(store: Store, what: str, folder: Path) -> Path:
    """Copy the record beside itself (PostgreSQL: into a folder) before something; return the copy."""
    stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    if store.embedded:
        kept = _free_name(store.path.with_name(f"{store.path.name}.before-{what}-{stamp}"))
    else:
        kept = _free_name(folder / f"before-{what}-{stamp}.dump")
    return backup(store, kept).path


def place_new(whole: Path, target: Path) -> None:
    """Give a finished file its name; raises BackupError when something has that name by now."""
    try:
        os.link(whole, target)
    except FileExistsError as error:
        raise BackupError("“%(path)s” đã có; không ghi đè.", path=target) from error
    whole.unlink()


def settle(path: Path) -> None:
    """Fold a closed GeoPackage's write-ahead log into the file, so that the file alone is the record."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")


# ---- GeoPackage


def _restore_gpkg(store: Store, path: Path) -> Restored:
    _check_is_ours(path)
    live = store.path
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=live.parent) as folder:
        prepared = Path(folder) / live.name
        _copy_gpkg(path, prepared)
        _check_whole(prepared)
        schema, upgraded_to = _upgrade_copy(store, prepared)
        if not live.exists():
            place_new(prepared, live)
            return Restored(None, schema, upgraded_to)
        store.dispose()
        if not _is_readable(live):
            return Restored(_replace_broken(live, prepared), schema, upgraded_to, replaced_file=True)
        kept = keep_before(store, "restore", live.parent)
        _raise_revisions(prepared, _revisions(live))
        _copy_gpkg(prepared, live)
    return Restored(kept, schema, upgraded_to)


def _copy_gpkg(source: Path, target: Path) -> None:
    """Copy a database into another in one transaction; readers and writers of either may be at work."""
    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"file:{_quoted(source)}?mode=ro", uri=True, timeout=60)
            ) as here,
            contextlib.closing(sqlite3.connect(target, timeout=60)) as there,
        ):
            here.backup(there)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(
            "Không chép được “%(source)s” sang “%(target)s”: %(reason)s.",
            source=source,
            target=target,
            reason=error,
        ) from error


def _check_is_ours(path: Path) -> None:
    """Refuse what is no GeoPackage, no record of ours, or made by a newer version of the program."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as connection:
            identity = connection.execute("PRAGMA application_id").fetchone()[0]
            names = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            ours = identity == geopackage.APPLICATION_ID and {MAIN_TABLE, "alembic_version"} <= names
            schema = (
                connection.execute("SELECT version_num FROM alembic_version").fetchone() if ours else None
            )
    except sqlite3.Error as error:
        raise BackupError("“%(path)s” không phải là tệp sao lưu GeoPackage đọc được.", path=path) from error
    if not ours or schema is None:
        raise BackupError("“%(path)s” không phải là bản ghi của chương trình này.", path=path)
    check_schema(schema[0])


def check_schema(schema: str) -> None:
    """Refuse a schema revision that this program does not know."""
    if schema not in known_schemas():
        raise BackupError(
            "Bản ghi này do phiên bản mới hơn của chương trình tạo ra (lược đồ %(schema)s); "
            "hãy nâng cấp chương trình.",
            schema=schema,
        )


def _check_whole(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        identity = connection.execute("PRAGMA application_id").fetchone()[0]
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok" or identity != geopackage.APPLICATION_ID:
        raise BackupError(
            "Bản sao “%(path)s” không nguyên vẹn: %(verdict)s.", path=path.name, verdict=verdict
        )


def _upgrade_copy(store: Store, prepared: Path) -> tuple[str, str]:
    copy = Store(store.url.set(database=str(prepared)))
    try:
        before, after = migrate.upgrade(copy)
    finally:
        copy.dispose()
    settle(prepared)
    return before or "", after


def _revisions(path: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (MAIN_TABLE,)).fetchone()
        return dict(connection.execute(f"SELECT table_name, revision FROM {MAIN_TABLE}")) if known else {}


def _raise_revisions(path: Path, before: dict[str, int]) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute(f"SELECT table_name, revision FROM {MAIN_TABLE}").fetchall()
        connection.executemany(
            f"UPDATE {MAIN_TABLE} SET revision = ? WHERE table_name = ?",
            [(max(revision, before.get(name, 0)) + REVISION_JUMP, name) for name, revision in rows],
        )


def _is_readable(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _replace_broken(live: Path, prepared: Path) -> Path:
    """Put the file in the place of one that SQLite cannot read, which is kept for rescuers."""
    kept = _free_name(live.with_name(f"{live.name}.broken"))
    shutil.copy2(live, kept)
    _raise_revisions(prepared, {})
    for log in (f"{live}-wal", f"{live}-shm"):
        Path(log).unlink(missing_ok=True)
    os.replace(prepared, live)
    return kept


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


# ---- PostgreSQL


def _restore_postgres(store: Store, path: Path, folder: Path) -> Restored:
    schema = backup_postgres.schema_of(store, path)
    if schema is None:
        raise BackupError("“%(path)s” không phải là bản ghi của chương trình này.", path=path)
    check_schema(schema)
    kept = keep_before(store, "restore", folder) if store.exists() else None
    backup_postgres.load(store, path, REVISION_JUMP)
    _, after = migrate.upgrade(store)
    return Restored(kept, schema, after)


# ---- photos


def _media_archive(path: Path) -> Path:
    return path.with_name(f"{path.name}.media.tar")


def _archive_media(media: Path, archive: Path) -> Path | None:
    if not media.is_dir() or not any(media.iterdir()):
        return None
    with _part(archive) as part:
        with tarfile.open(part, "w") as tar:
            tar.add(media, arcname="media")
        part.chmod(0o600)
        os.replace(part, archive)
    return archive


def _unpack_media(archive: Path, media: Path) -> int:
    """Add the photos that are not there; named by their hash, those that are there are equal."""
    if not archive.is_file():
        return 0
    added = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                target = media.parent / member.name
                if member.isfile() and member.name.startswith("media/") and not target.exists():
                    tar.extract(member, media.parent, filter="data")
                    added += 1
    except (tarfile.TarError, OSError) as error:
        raise BackupError(
            "Bản ghi đã khôi phục, nhưng không đọc được ảnh trong “%(path)s”: %(reason)s.",
            path=archive,
            reason=error,
        ) from error
    return added


# ---- files


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Give a name beside the target to write to; nothing of that name is left behind."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
    except OSError as error:
        raise BackupError(
            "Không ghi được “%(path)s”: %(reason)s.", path=path, reason=error.strerror
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    """Return the name, or the next free one, for two restores within a second."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate
