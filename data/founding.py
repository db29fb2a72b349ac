"""Founding a record: an empty one or the demonstration province, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from data import migrate
from data.admin_units import Edition, Province
from data.backup import place_new, settle
from data.schema import known_schemas, newest_schema
from data.store import Store, StoreError
from data.tables import AuditRow
from gis.errors import marked

BUILDING = ".building-"


def found(
    store: Store,
    *,
    demo: bool = False,
    media: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """Create the record; with `demo`, fill it with the demonstration province and return its counts.

    A GeoPackage is built under another name and appears when it is complete. Raises StoreError when there
    is a record already, or a file that is none.
    """
    if store.embedded:
        return _found_file(store, demo=demo, media=media, progress=progress)
    if store.exists() and not is_blank(store):
        raise StoreError("Cơ sở dữ liệu “%(name)s” đã có bản ghi; không ghi đè.", name=store.url.database)
    migrate.upgrade(store)
    return _fill(store, media, progress) if demo else {}


def _fill(store: Store, media: Path | None, progress: Callable[[str], None] | None) -> dict[str, int]:
    """Build the demonstration; its generators are loaded only for that."""
    from data.demo.build import build

    return build(store, media, progress)


def _found_file(
    store: Store, *, demo: bool, media: Path | None, progress: Callable[[str], None] | None
) -> dict[str, int]:
    path = store.path
    if path.exists():
        raise StoreError("Bản ghi “%(path)s” đã có; không ghi đè.", path=path)
    _clear_abandoned(path)
    temporary = path.with_name(f"{path.name}{BUILDING}{os.getpid()}")
    young = Store(store.url.set(database=str(temporary)))
    try:
        migrate.upgrade(young)
        counts = _fill(young, media, progress) if demo else {}
        young.dispose()
        settle(temporary)
        place_new(temporary, path)
    finally:
        young.dispose()
        for file in _with_logs(temporary):
            file.unlink(missing_ok=True)
    return counts


def is_blank(store: Store) -> bool:
    """Tell whether a record has its tables but nothing in them, as after an interrupted founding."""
    with store.reading() as session:
        return not any(
            session.scalar(sa.select(model.id).limit(1)) for model in (Edition, Province, AuditRow)
        )


def require(store: Store) -> None:
    """Raise StoreError unless the record is there and has the schema of this program."""
    where = store.path if store.embedded else store.url.database
    if not store.exists():
        raise StoreError("Chưa có bản ghi ở “%(where)s”; hãy chạy ocopmap init.", where=where)
    schema = migrate.current(store)
    if schema not in known_schemas():
        raise StoreError(
            "Bản ghi “%(where)s” thuộc phiên bản mới hơn của chương trình (lược đồ %(schema)s).",
            where=where,
            schema=schema,
        )
    if schema != newest_schema():
        raise StoreError("Bản ghi “%(where)s” cần nâng cấp; hãy chạy ocopmap upgrade.", where=where)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what a database driver complains of into one sentence that says what to do."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = (
            str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        )
        known = next((text for sign, text in _COMPLAINTS.items() if sign in reason), None)
        raise StoreError(known or marked("Cơ sở dữ liệu báo lỗi: %(reason)s."), reason=reason) from error


_COMPLAINTS = {
    "not a database": marked(
        "Tệp bản ghi không phải là cơ sở dữ liệu (%(reason)s); hãy khôi phục từ bản sao lưu."
    ),
    "malformed": marked(
        "Tệp bản ghi bị hỏng (%(reason)s); hãy khôi phục từ bản sao lưu bằng ocopmap restore."
    ),
    "locked": marked("Bản ghi đang bận vì chương trình khác đang ghi (%(reason)s); hãy thử lại."),
    "unable to open": marked("Không mở được tệp bản ghi (%(reason)s); hãy kiểm tra thư mục và quyền."),
    "readonly": marked("Không được phép ghi vào tệp bản ghi (%(reason)s); hãy kiểm tra quyền."),
    "is full": marked("Đĩa đã đầy (%(reason)s); chưa có gì thay đổi."),
    "connection failed": marked("Không kết nối được máy chủ cơ sở dữ liệu: %(reason)s."),
    "does not exist": marked("Máy chủ cơ sở dữ liệu báo thiếu: %(reason)s."),
}


def _with_logs(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")]


def _clear_abandoned(path: Path) -> None:
    """Remove what a founding that was killed left behind."""
    for file in path.parent.glob(f"{path.name}{BUILDING}*"):
        process = file.name.removeprefix(f"{path.name}{BUILDING}").split("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            file.unlink(missing_ok=True)
