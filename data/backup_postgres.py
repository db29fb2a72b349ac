"""Backup and restore of a PostgreSQL record with the server's own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa

from data.store import MAIN_TABLE, Store
from gis.errors import Refusal

DEBIAN_TOOLS = Path("/usr/lib/postgresql")
LOCK_SECONDS = 60


class PostgresToolError(Refusal):
    """A tool of PostgreSQL is missing, too old, or failed; nothing was changed."""


def dump(store: Store, path: Path) -> None:
    """Write the database to a file in pg_dump's custom format."""
    _run(
        store,
        "pg_dump",
        ["--format=custom", "--no-owner", "--no-privileges", f"--file={path}", _address(store)],
    )


def schema_of(store: Store, path: Path) -> str | None:
    """Return the schema revision inside a dump, or None when it is no record of ours."""
    listing = _run(store, "pg_restore", ["--list", str(path)])
    if not re.search(rf"\bTABLE DATA \S+ {MAIN_TABLE}\b", listing):
        return None
    text = _run(store, "pg_restore", ["--data-only", "--table=alembic_version", "--file=-", str(path)])
    found = re.search(r"^COPY \S*alembic_version\b.*?;\n(\S+)\n\\\.", text, re.MULTILINE)
    return found[1] if found else None


def load(store: Store, path: Path, revision_jump: int) -> None:
    """Replace the record by a dump and raise its revisions, in one transaction.

    The dump goes through a script instead of straight into the database, so that revisions rise with it;
    extensions stay as they are, since dropping them needs rights that the record's owner may lack.
    """
    with tempfile.TemporaryDirectory(prefix="ocopmap-") as folder:
        contents, script = Path(folder) / "contents", Path(folder) / "restore.sql"
        listing = _run(store, "pg_restore", ["--list", str(path)])
        kept = [line for line in listing.splitlines() if " EXTENSION " not in line]
        contents.write_text("\n".join(kept), encoding="utf-8")
        options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", f"--use-list={contents}"]
        _run(store, "pg_restore", [*options, f"--file={script}", str(path)])
        with script.open("a", encoding="utf-8") as file:
            file.write(_raise_revisions(store, revision_jump))
        store.dispose()
        quiet = ["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
        _run(store, "psql", [*quiet, "--single-transaction", f"--file={script}", _address(store)])


def _raise_revisions(store: Store, jump: int) -> str:
    before: dict[str, int] = {}
    if store.exists():
        with store.reading() as session:
            rows = session.execute(sa.text(f"SELECT table_name, revision FROM {MAIN_TABLE}"))
            before = {name: int(revision) for name, revision in rows if re.fullmatch(r"[a-z_]+", name)}
    statements = ["SELECT pg_catalog.set_config('search_path', 'public', false);"]
    statements += [
        f"UPDATE {MAIN_TABLE} SET revision = greatest(revision, {revision}) WHERE table_name = '{name}';"
        for name, revision in before.items()
    ]
    return "\n".join(["", *statements, f"UPDATE {MAIN_TABLE} SET revision = revision + {jump};", ""])


# ---- tools


def _address(store: Store) -> str:
    """The address without the password, which would show in the list of processes."""
    url = store.url.set(drivername="postgresql")
    return "--dbname=" + url._replace(password=None).render_as_string(hide_password=False)


def _run(store: Store, name: str, arguments: list[str]) -> str:
    tool = _tool(name, _server_version(store))
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PGOPTIONS": f"-c lock_timeout={LOCK_SECONDS}s"}
    if store.url.password:
        environment["PGPASSWORD"] = str(store.url.password)
    done = subprocess.run(
        [str(tool), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if line] or [f"mã {done.returncode}"]
        raise PostgresToolError("%(tool)s không làm được: %(reason)s", tool=name, reason=lines[0])
    return done.stdout


def _server_version(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000


def _tool(name: str, server: int) -> Path:
    """Find a tool that is at least as new as the server."""
    found = shutil.which(name)
    candidates = [*(Path(p) for p in ([found] if found else [])), *DEBIAN_TOOLS.glob(f"*/bin/{name}")]
    versions = {path: _version(path) for path in candidates}
    if not versions:
        raise PostgresToolError(
            "Không tìm thấy %(tool)s; hãy cài gói postgresql-client-%(server)s trên máy này.",
            tool=name,
            server=server,
        )
    good = [path for path, version in versions.items() if version >= server]
    if not good:
        raise PostgresToolError(
            "%(tool)s trên máy là bản %(version)s, cũ hơn máy chủ PostgreSQL %(server)s; "
            "hãy cài gói postgresql-client-%(server)s.",
            tool=name,
            version=max(versions.values()),
            server=server,
        )
    return good[0]


def _version(path: Path) -> int:
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)(?:\.\d+)*", done.stdout)
    return int(found[1]) if done.returncode == 0 and found else 0
