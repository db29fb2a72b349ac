"""A backup holds the record as it was; a restore brings it back whole or changes nothing, and nothing goes stale."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import fiona
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from data import backup, backup_postgres, founding, integrity, migrate, people
from data.backup import BackupError
from data.backup_postgres import PostgresToolError
from data.schema import known_schemas
from data.store import Store, StoreError, revisions

PASSWORD = "mot-mat-khau-dai"


def add_person(store: Store, name: str) -> None:
    people.add_person(store, name, "planner", password=PASSWORD)


def people_in(store: Store) -> list[str]:
    with store.reading() as session:
        return [account.username for account, _ in people.everyone(session)]


def revisions_of(store: Store) -> dict[str, int]:
    with store.reading() as session:
        return revisions(session)


def digest(path: Path) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


@pytest.fixture
def needs_tools(store: Store) -> None:
    if not store.embedded:
        backup_postgres._tool("pg_dump", backup_postgres._server_version(store))


# ---- both kinds of record


@pytest.mark.usefixtures("needs_tools")
def test_a_restore_brings_back_what_was_backed_up_and_keeps_what_was_there(store: Store, tmp_path: Path):
    add_person(store, "truoc")
    made = backup.backup(store, tmp_path / "out" / "sao-luu")
    add_person(store, "sau")
    done = backup.restore(store, made.path, keep_in=tmp_path)
    assert people_in(store) == ["truoc"]
    assert done.kept is not None
    backup.restore(store, done.kept, keep_in=tmp_path)
    assert people_in(store) == ["sau", "truoc"]
    assert not integrity.has_errors(list(integrity.look_over(store)))


@pytest.mark.usefixtures("needs_tools")
def test_after_a_restore_every_revision_is_higher_than_ever_before(store: Store, tmp_path: Path):
    made = backup.backup(store, tmp_path / "sao-luu")
    in_backup = revisions_of(store)
    with store.writing() as session:
        session.execute(sa.text("UPDATE layer_revisions SET revision = revision + 41"))
    before = revisions_of(store)
    backup.restore(store, made.path, keep_in=tmp_path)
    after = revisions_of(store)
    assert set(after) == set(in_backup)
    assert all(after[name] > before[name] > in_backup[name] for name in after)


@pytest.mark.usefixtures("needs_tools")
def test_a_program_that_has_the_record_open_sees_the_restored_one(store: Store, tmp_path: Path):
    made = backup.backup(store, tmp_path / "sao-luu")
    worker = Store(store.url)
    add_person(store, "sau")
    assert people_in(worker) == ["sau"]
    backup.restore(store, made.path, keep_in=tmp_path)
    assert people_in(worker) == []
    add_person(worker, "moi")
    assert people_in(store) == ["moi"]
    worker.dispose()


@pytest.mark.usefixtures("needs_tools")
@pytest.mark.parametrize("content", [b"", b"khong phai ban sao luu", b"SQLite format 3\x00" + b"\x00" * 4096])
def test_a_file_that_is_no_backup_changes_nothing(store: Store, tmp_path: Path, content: bytes):
    add_person(store, "mot")
    bad = tmp_path / "tep-la"
    bad.write_bytes(content)
    with pytest.raises((BackupError, PostgresToolError)) as refusal:
        backup.restore(store, bad, keep_in=tmp_path)
    assert "\n" not in str(refusal.value)
    assert people_in(store) == ["mot"]


def test_a_missing_file_is_refused(store: Store, tmp_path: Path):
    with pytest.raises(BackupError, match="Không có tệp"):
        backup.restore(store, tmp_path / "khong-co", keep_in=tmp_path)


@pytest.mark.usefixtures("needs_tools")
def test_photos_go_along_and_come_back(store: Store, tmp_path: Path):
    media = tmp_path / "instance" / "media"
    photo = media / "ab" / "abcd" / "320.webp"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"anh")
    made = backup.backup(store, tmp_path / "sao-luu", media=media)
    assert made.media == tmp_path / "sao-luu.media.tar"
    shutil.rmtree(media)
    done = backup.restore(store, made.path, keep_in=tmp_path, media=media)
    assert photo.read_bytes() == b"anh" and done.media_files == 1


# ---- GeoPackage


def test_a_backup_is_a_geopackage_that_other_programs_open(demo_gpkg: Path, tmp_path: Path):
    store = Store(f"gpkg:///{demo_gpkg}")
    made = backup.backup(store, tmp_path / "sao-luu.gpkg")
    store.dispose()
    with closing(sqlite3.connect(made.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with fiona.open(made.path, layer="communes") as layer:
        assert len(layer) == 101
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sao-luu.gpkg"]


def test_a_backup_is_taken_while_somebody_writes_and_holds_only_what_was_kept(
    gpkg_store: Store, tmp_path: Path
):
    add_person(gpkg_store, "da-luu")
    with gpkg_store.writing() as session:
        session.execute(sa.text("UPDATE accounts SET username = 'chua-luu'"))
        made = backup.backup(gpkg_store, tmp_path / "sao-luu.gpkg")
    copy = Store(f"gpkg:///{made.path}")
    assert people_in(copy) == ["da-luu"]
    copy.dispose()


def test_a_backup_over_the_record_itself_is_refused(gpkg_store: Store):
    with pytest.raises(BackupError):
        backup.backup(gpkg_store, gpkg_store.path)


def test_a_foreign_geopackage_is_refused(gpkg_store: Store, tmp_path: Path):
    foreign = tmp_path / "nguoi-khac.gpkg"
    schema = {"geometry": "Point", "properties": {"ten": "str"}}
    with fiona.open(foreign, "w", driver="GPKG", crs="EPSG:4326", schema=schema):
        pass
    before = digest(gpkg_store.path)
    with pytest.raises(BackupError, match="không phải là bản ghi của chương trình này"):
        backup.restore(gpkg_store, foreign)
    assert digest(gpkg_store.path) == before


def test_a_backup_of_a_newer_program_is_refused(gpkg_store: Store, tmp_path: Path):
    made = backup.backup(gpkg_store, tmp_path / "moi-hon.gpkg")
    with closing(sqlite3.connect(made.path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BackupError, match="phiên bản mới hơn"):
        backup.restore(gpkg_store, made.path)


def test_a_damaged_backup_is_refused(gpkg_store: Store, tmp_path: Path):
    made = backup.backup(gpkg_store, tmp_path / "hong.gpkg")
    content = bytearray(made.path.read_bytes())
    content[8192:200_000] = b"\x5a" * (200_000 - 8192)
    made.path.write_bytes(content)
    add_person(gpkg_store, "mot")
    with pytest.raises(BackupError):
        backup.restore(gpkg_store, made.path)
    assert people_in(gpkg_store) == ["mot"]


def test_a_record_that_is_damaged_is_put_aside_and_replaced(gpkg_store: Store, tmp_path: Path):
    add_person(gpkg_store, "mot")
    made = backup.backup(gpkg_store, tmp_path / "sao-luu.gpkg")
    gpkg_store.dispose()
    gpkg_store.path.write_bytes(b"dia hong " * 1000)
    done = backup.restore(gpkg_store, made.path)
    assert done.replaced_file and done.kept is not None
    assert done.kept.read_bytes().startswith(b"dia hong")
    assert people_in(gpkg_store) == ["mot"]


def test_a_backup_founds_a_record_where_there_is_none(gpkg_store: Store, tmp_path: Path):
    add_person(gpkg_store, "mot")
    made = backup.backup(gpkg_store, tmp_path / "sao-luu.gpkg")
    other = Store(f"gpkg:///{tmp_path}/noi-khac/province.gpkg")
    done = backup.restore(other, made.path)
    assert done.kept is None
    assert people_in(other) == ["mot"]
    other.dispose()


def test_an_archive_that_reaches_outside_the_folder_writes_nothing_there(gpkg_store: Store, tmp_path: Path):
    made = backup.backup(gpkg_store, tmp_path / "sao-luu.gpkg")
    evil = tmp_path / "evil"
    evil.write_bytes(b"x")
    with tarfile.open(tmp_path / "sao-luu.gpkg.media.tar", "w") as tar:
        tar.add(evil, arcname="media/../../../outside")
    with pytest.raises(BackupError):
        backup.restore(gpkg_store, made.path, media=tmp_path / "a" / "b" / "media")
    assert not (tmp_path / "outside").exists()


# ---- records of older programs


@pytest.fixture
def old_store(tmp_path: Path) -> Iterator[Store]:
    """A record as the oldest program founded it, without what later schemas brought."""
    if len(known_schemas()) == 1:
        pytest.skip("there is only one schema so far")
    old = Store(f"gpkg:///{tmp_path}/old/province.gpkg")
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    with old.writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, known_schemas()[-1])
    yield old
    old.dispose()


def test_an_old_record_asks_for_an_upgrade_and_is_kept_before_it(old_store: Store):
    with pytest.raises(StoreError, match="ocopmap upgrade"):
        founding.require(old_store)
    kept = backup.keep_before(old_store, "upgrade", old_store.path.parent)
    migrate.upgrade(old_store)
    founding.require(old_store)
    copy = Store(f"gpkg:///{kept}")
    assert migrate.current(copy) == known_schemas()[-1]
    copy.dispose()
    assert not integrity.has_errors(list(integrity.look_over(old_store)))


def test_an_old_backup_is_upgraded_on_its_way_back(old_store: Store, gpkg_store: Store, tmp_path: Path):
    made = backup.backup(old_store, tmp_path / "cu.gpkg")
    done = backup.restore(gpkg_store, made.path)
    assert (done.schema, done.upgraded_to) == (known_schemas()[-1], known_schemas()[0])
    founding.require(gpkg_store)
    assert migrate.current(Store(f"gpkg:///{made.path}")) == known_schemas()[-1]


# ---- founding


def test_a_record_is_founded_once(tmp_path: Path):
    store = Store(f"gpkg:///{tmp_path}/province.gpkg")
    founding.found(store)
    assert store.exists()
    store.dispose()
    with pytest.raises(StoreError, match="đã có"):
        founding.found(Store(store.url))
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(("-wal", "-shm"))] == ["province.gpkg"]


def test_a_file_that_is_no_record_is_not_overwritten(tmp_path: Path):
    path = tmp_path / "province.gpkg"
    path.write_text("của tôi")
    with pytest.raises(StoreError, match="đã có"):
        founding.found(Store(f"gpkg:///{path}"))
    assert path.read_text() == "của tôi"


def test_a_founding_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object) -> None:
        raise RuntimeError("mất điện")

    monkeypatch.setattr(founding, "_fill", fail)
    with pytest.raises(RuntimeError):
        founding.found(Store(f"gpkg:///{tmp_path}/province.gpkg"), demo=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_driver_complains_of_becomes_a_sentence(tmp_path: Path):
    path = tmp_path / "province.gpkg"
    path.write_bytes(b"khong phai co so du lieu " * 100)
    with pytest.raises(StoreError, match="không phải là cơ sở dữ liệu"), founding.explained():
        Store(f"gpkg:///{path}").exists()
    with pytest.raises(StoreError, match="Không kết nối được"), founding.explained():
        Store("postgresql+psycopg://postgres@127.0.0.1:1/khong-co").exists()
