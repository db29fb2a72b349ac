"""What the rings share: databases of both kinds, the demonstration province, real files, a running server.

What a machine lacks is a skip that says what is missing; with CI=true it is a failure.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from data import migrate, people
from data.accounts import Role
from data.backup import settle
from data.demo.build import build
from data.store import Store

ROOT = Path(__file__).parents[1]
IN_CI = os.environ.get("CI") == "true"
PASSWORD = "mot-mat-khau-dai"
START_SECONDS = 60
STOP_SECONDS = 40


def lacking(what: str) -> NoReturn:
    """Skip the test because the machine lacks something, or fail where it must not."""
    if IN_CI:
        pytest.fail(f"with CI=true there must be {what}", pytrace=False)
    pytest.skip(f"this machine has no {what}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and all browser tests in one, which then share one server."""
    for item in items:
        ring = item.path.parent.relative_to(ROOT / "tests")
        group = "web" if ring.parts[:1] == ("web",) else str(item.path.relative_to(ROOT))
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextlib.contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Let one process at a time do something."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Make a file that all processes of this run share, in the first that asks."""
    path = folder / name
    with only_one(folder, name):
        if not path.exists():
            young = path.with_name(f"young-{name}")
            make(young)
            settle(young)
            young.rename(path)
    return path


# ---- PostgreSQL


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """The address of a PostGIS server: $OCOP_TEST_POSTGRES, or one of our own for this run."""
    given = os.environ.get("OCOP_TEST_POSTGRES")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    binaries = _postgis_binaries()
    folder = Path(tempfile.mkdtemp(prefix="ocopmap-postgres-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    cluster, port = folder / "cluster", _free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
    options += " -c synchronous_commit=off -c max_wal_size=4GB"
    control = [str(binaries / "pg_ctl"), "-D", str(cluster), "-w"]
    try:
        init = ["initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"]
        _as_postgres([str(binaries / init[0]), *init[1:], str(cluster)])
        _as_postgres([*control, "-l", str(folder / "log"), "-o", options, "start"])
        yield URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database="postgres")
    finally:
        if (cluster / "postmaster.pid").exists():
            _as_postgres([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _postgis_binaries() -> Path:
    for binaries in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        extension = Path("/usr/share/postgresql") / binaries.parent.name / "extension" / "postgis.control"
        if (binaries / "initdb").exists() and extension.exists():
            return binaries
    lacking("PostgreSQL server with PostGIS (Debian: postgresql-15-postgis-3)")


def _as_postgres(command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, cwd="/tmp", capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Databases:
    """Databases of one server, made from templates, with names that no other process uses."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        self.prefix = f"ocop_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
        self._number = 0
        self._names: list[str] = []

    def create(self, template: str | None = None) -> URL:
        """Create a database, as a copy of a template when one is given."""
        self._number += 1
        name = f"{self.prefix}_{self._number}"
        with self.engine.connect() as connection:
            copied = f" TEMPLATE {template}" if template else ""
            connection.exec_driver_sql(f"CREATE DATABASE {name}{copied}")
        self._names.append(name)
        return self.server.set(database=name)

    def drop(self, url: URL) -> None:
        """Drop a database, whoever is connected to it."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")
        self._names.remove(str(url.database))

    def close(self) -> None:
        """Drop what is left."""
        for name in list(self._names):
            self.drop(self.server.set(database=name))
        self.engine.dispose()


@pytest.fixture(scope="session")
def databases(postgres_url: URL) -> Iterator[Databases]:
    """The databases of this process on the PostGIS server."""
    made = Databases(postgres_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def empty_database(databases: Databases) -> URL:
    """A PostgreSQL database with the schema and no rows, to be copied."""
    return _filled_database(databases, migrate.upgrade)


@pytest.fixture(scope="session")
def demo_database(databases: Databases, empty_database: URL) -> URL:
    """A PostgreSQL database with the demonstration province, to be copied."""
    return _filled_database(databases, build, template=empty_database.database)


def _filled_database(
    databases: Databases, fill: Callable[[Store], object], template: str | None = None
) -> URL:
    url = databases.create(template)
    store = Store(url)
    fill(store)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    store.dispose()
    return url


# ---- GeoPackage


@pytest.fixture(scope="session")
def empty_gpkg(shared_folder: Path) -> Path:
    """A GeoPackage with the schema and no rows, to be copied."""
    return made_once(shared_folder, "empty.gpkg", lambda path: _fill_gpkg(path, migrate.upgrade))


@pytest.fixture(scope="session")
def demo_gpkg(shared_folder: Path, empty_gpkg: Path) -> Path:
    """The demonstration province as a file, only to be read or copied."""

    def make(path: Path) -> None:
        shutil.copy(empty_gpkg, path)
        _fill_gpkg(path, build)

    return made_once(shared_folder, "demo.gpkg", make)


def _fill_gpkg(path: Path, fill: Callable[[Store], object]) -> None:
    store = Store(f"gpkg:///{path}")
    fill(store)
    store.dispose()


# ---- stores


@pytest.fixture(params=["gpkg", "postgis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty record with the schema, of each kind."""
    yield from _store_of(request, tmp_path, gpkg="empty_gpkg", database="empty_database")


@pytest.fixture(params=["gpkg", "postgis"])
def demo_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The demonstration province, of each kind; the test may change it."""
    yield from _store_of(request, tmp_path, gpkg="demo_gpkg", database="demo_database")


@pytest.fixture
def gpkg_store(empty_gpkg: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty record with the schema in a file."""
    yield from _gpkg_copy(empty_gpkg, tmp_path)


def _store_of(request: pytest.FixtureRequest, tmp_path: Path, *, gpkg: str, database: str) -> Iterator[Store]:
    if request.param == "gpkg":
        yield from _gpkg_copy(request.getfixturevalue(gpkg), tmp_path)
        return
    databases: Databases = request.getfixturevalue("databases")
    template: URL = request.getfixturevalue(database)
    url = databases.create(template.database)
    opened = Store(url)
    yield opened
    opened.dispose()
    databases.drop(url)


def _gpkg_copy(template: Path, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "province.gpkg"
    shutil.copy(template, path)
    opened = Store(f"gpkg:///{path}")
    yield opened
    opened.dispose()


# ---- real files


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real boundary files: $OCOP_REAL_DATA, or shared/data beside the repository."""
    path = Path(os.environ.get("OCOP_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (path / "communes_legacy.geojson").exists():
        lacking(f"folder of real boundary files at {path}")
    return path


# ---- the whole program


@dataclass
class Server:
    """A running `ocopmap serve`; each role has an account of its name with `password`."""

    url: str
    instance: Path
    log_path: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    password: str = PASSWORD
    accounts: dict[str, str] = field(default_factory=dict)

    def log(self) -> str:
        """What the server has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise


def program(*arguments: str) -> list[str]:
    """The command line of the real program."""
    return [sys.executable, "-m", "webmap.cli", *arguments]


def environment_of(database_url: str, instance: Path) -> dict[str, str]:
    """The environment of a program run with settings of its own and none of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCOPMAP_")}
    own = {"OCOPMAP_DATABASE_URL": database_url, "OCOPMAP_INSTANCE": str(instance)}
    return {**kept, **own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def start_server(database_url: str, instance: Path, *, workers: int = 2) -> Server:
    """Start the real program on a free port and wait until it answers."""
    instance.mkdir(parents=True, exist_ok=True)
    port, log_path = _free_port(), instance / "server.log"
    environment = environment_of(database_url, instance)
    command = program("serve", "--port", str(port), "--workers", str(workers))
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=instance, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    server = Server(f"http://127.0.0.1:{port}", instance, log_path, environment, process)
    _wait_until_ready(server)
    return server


def _wait_until_ready(server: Server) -> None:
    pause = threading.Event()
    for _ in range(START_SECONDS * 10):
        if server.process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{server.url}/health/ready", timeout=5).close()
            return
        pause.wait(0.1)
    server.process.kill()
    server.process.wait()
    pytest.fail(f"the server did not start:\n{server.log()}", pytrace=False)


@pytest.fixture(scope="session")
def live_server(demo_gpkg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real program on a copy of the demonstration province, with an account for every role."""
    instance = tmp_path_factory.mktemp("live")
    shutil.copy(demo_gpkg, instance / "province.gpkg")
    url = f"gpkg:///{instance / 'province.gpkg'}"
    store = Store(url)
    accounts = _accounts(store)
    store.dispose()
    server = start_server(url, instance)
    server.accounts = accounts
    yield server
    server.stop()
    assert "Traceback" not in server.log(), server.log()


def _accounts(store: Store) -> dict[str, str]:
    """Add an account for every role: officers of the first commune and district, one producer."""
    with store.reading() as session:
        commune, district = session.execute(
            sa.text(
                "SELECT c.code, d.code FROM communes c JOIN districts d ON d.id = c.district_id "
                "WHERE c.edition = '2020' ORDER BY c.code"
            )
        ).first() or (None, None)
        producer = session.scalar(sa.text("SELECT min(id) FROM producers"))
    territories = {Role.COMMUNE_OFFICER: commune, Role.DISTRICT_OFFICER: district}
    for role in Role:
        if role != Role.PUBLIC:
            people.add_person(
                store,
                role.value,
                role.value,
                password=PASSWORD,
                territory=territories.get(role),
                producer_id=producer if role == Role.PRODUCER else None,
            )
    return {role.value: role.value for role in Role if role != Role.PUBLIC}
