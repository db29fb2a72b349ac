"""Temporary."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from data import migrate
from data.store import Store


@pytest.fixture
def real_data():
    return Path("/work/shared/data")


@pytest.fixture(params=["gpkg", "postgis"])
def store(request, tmp_path):
    if request.param == "gpkg":
        s = Store(f"gpkg:///{tmp_path}/province.gpkg")
        migrate.upgrade(s)
        yield s
        s.dispose()
        return
    name = "h5_" + uuid.uuid4().hex[:8]
    sql = lambda q: subprocess.run(
        ["psql", "-q", "-h", "127.0.0.1", "-p", "54329", "-U", "postgres", "-c", q], check=True
    )
    sql(f"create database {name}")
    s = Store(f"postgresql+psycopg://postgres@127.0.0.1:54329/{name}")
    migrate.upgrade(s)
    yield s
    s.dispose()
    sql(f"drop database {name}")


@pytest.fixture
def demo_store(store):
    import sys
    sys.path.insert(0, "/tmp")
    from h5demo import build
    build(store)
    return store
