"""The whole application on the demonstration province, for each database, asked as different people."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from data.accounts import add_account, make_api_key
from data.admin_units import find_unit
from data.store import Store
from layers import catalogue, read
from tests.services.wfs_client import Wfs
from webmap.app import create_app
from webmap.settings import Settings

PASSWORD = "mot-mat-khau-dai"


class ReadingClient(FlaskClient):
    """Reads every answer to its end, as a server does, so that no stream is left with its connection open."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)
        return super().open(*args, **kwargs)


@pytest.fixture
def app(demo_store: Store, tmp_path: Path) -> Any:
    settings = Settings.from_environment(
        {
            "OCOPMAP_DATABASE_URL": demo_store.url.render_as_string(hide_password=False),
            "OCOPMAP_INSTANCE": str(tmp_path / "instance"),
            "OCOPMAP_SECRET_KEY": "x" * 40,
        }
    )
    application = create_app(settings)
    application.config.update(TESTING=True)
    application.test_client_class = ReadingClient
    yield application
    application.extensions["ocop_store"].dispose()


@pytest.fixture
def client(app: Any) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def header_of(demo_store: Store) -> Callable[..., dict[str, str]]:
    """Make an account of a role and return the header that proves it."""

    def make(role: str, territory: str | None = None, producer_id: int | None = None) -> dict[str, str]:
        with demo_store.writing() as session:
            unit = find_unit(session, territory) if territory else None
            account = add_account(
                session, f"{role}-{territory}", role, password=PASSWORD, unit=unit, producer_id=producer_id
            )
            key = make_api_key(session, account, "thử")
            name = account.username
        token = base64.b64encode(f"{name}:{key}".encode()).decode()
        return {"Authorization": f"Basic {token}"}

    return make


@pytest.fixture(scope="module", params=["gpkg", "postgis"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The demonstration province, of each kind, only to be read."""
    if request.param == "gpkg":
        path = tmp_path_factory.mktemp("filters") / "province.gpkg"
        shutil.copy(request.getfixturevalue("demo_gpkg"), path)
        store = Store(f"gpkg:///{path}")
        yield store
        store.dispose()
        return
    databases, template = request.getfixturevalue("databases"), request.getfixturevalue("demo_database")
    url = databases.create(template.database)
    store = Store(url)
    yield store
    store.dispose()
    databases.drop(url)


@pytest.fixture
def wfs(app: Any) -> Wfs:
    """The feature service as anybody asks it."""
    return Wfs(app)


@pytest.fixture
def rows(demo_store: Any) -> Any:
    """Ask the read path."""

    areas = catalogue.layer("growing_areas")

    def ask(layer: Any = areas, **more: Any) -> read.Rows:
        with demo_store.reading() as session:
            return read.rows(session, read.Query(layer, **more))

    return ask
