"""Reading a copy of a record that cannot, or must not, be written: nothing is created beside the file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.store import MAIN_TABLE, StoreError


@contextlib.contextmanager
def reading_copy(path: Path) -> Iterator[Session]:
    """Give a session on a GeoPackage that nobody writes meanwhile; raises StoreError when it is no record."""
    if not path.is_file():
        raise StoreError("Không có tệp “%(path)s”.", path=path)
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    engine = sa.create_engine("gpkg://", creator=lambda: sqlite3.connect(address, uri=True))
    try:
        try:
            with engine.connect() as connection:
                found = sa.inspect(connection).has_table(MAIN_TABLE)
        except sa.exc.DatabaseError:
            found = False
        if not found:
            raise StoreError("Tệp “%(path)s” không phải là bản ghi của chương trình này.", path=path)
        with Session(engine, autoflush=False) as session:
            yield session
    finally:
        engine.dispose()
