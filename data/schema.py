"""Which schema revisions this program knows, and whether a record has the newest."""

from __future__ import annotations

import functools

from alembic.script import ScriptDirectory

from data.migrate import MIGRATIONS


@functools.cache
def known_schemas() -> tuple[str, ...]:
    """List the schema revisions that this program can read, newest first."""
    return tuple(step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def newest_schema() -> str:
    """Return the schema revision that this program works with."""
    return known_schemas()[0]
