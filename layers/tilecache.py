"""Tiles kept on disk under (layer, revision, audience, z, x, y): nothing can be stale or need purging."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

LARGEST_BYTES = 256 * 1024 * 1024
CHECK_EVERY = 500

_SCHEMA = "CREATE TABLE IF NOT EXISTS tiles (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"


class TileCache:
    """A SQLite file of tile bytes shared by all workers; a failing cache only costs time."""

    def __init__(self, path: Path, largest_bytes: int = LARGEST_BYTES) -> None:
        self.path = path
        self.largest_bytes = largest_bytes
        self._local = threading.local()
        self._puts = 0

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=1, isolation_level=None)
            for pragma in ("journal_mode = WAL", "synchronous = OFF"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(_SCHEMA)
            self._local.connection = connection
        return connection

    def get(self, key: str) -> bytes | None:
        """Return the bytes kept under a key; b"" is a tile known to be empty."""
        with contextlib.suppress(sqlite3.Error, OSError):
            row = self._connection().execute("SELECT body FROM tiles WHERE key = ?", (key,)).fetchone()
            return row[0] if row else None
        return None

    def put(self, key: str, body: bytes) -> None:
        """Keep bytes under a key; when the file has grown too large, start it anew."""
        with contextlib.suppress(sqlite3.Error, OSError):
            connection = self._connection()
            connection.execute("INSERT OR REPLACE INTO tiles VALUES (?, ?)", (key, body))
            self._puts += 1
            if self._puts % CHECK_EVERY == 0 and self.path.stat().st_size > self.largest_bytes:
                connection.execute("DELETE FROM tiles")
                connection.execute("VACUUM")

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
