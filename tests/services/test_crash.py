"""A writer that is killed leaves a record that opens, is whole, and holds nothing of the unfinished change."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.growing_areas import GrowingArea
from data.store import Store, revisions

ROOT = Path(__file__).parents[2]

LOAD = """
import sys, time
from data.store import Store
from data import bulk
from data.growing_areas import GrowingArea
from tests.bench import parcels
store = Store(sys.argv[1])
with store.writing() as session:
    bulk.load(session, GrowingArea, parcels.columns(2000, [1]), parcels.shapes(2000))
    session.flush()
    print("ready", flush=True)
    time.sleep(60)
"""

EDIT = """
import sys, time, shapely
from data.store import Store
from data.accounts import SYSTEM
from layers import catalogue
from layers.edit import editing
store = Store(sys.argv[1])
with editing(store, SYSTEM, "test") as edits:
    layer = catalogue.layer("growing_areas")
    edits.insert(layer, {"name": "Nửa chừng", "crop": "rice"}, shapely.box(105, 9, 105.01, 9.01))
    edits.update(layer, 1, {"name": "Nửa chừng"})
    print("ready", flush=True)
    time.sleep(60)
"""


def state(store: Store) -> tuple[int, int, str, int]:
    with store.reading() as session:
        return (
            session.scalar(sa.select(sa.func.count()).select_from(GrowingArea)),
            revisions(session)["growing_areas"],
            session.get(GrowingArea, 1).name,
            session.scalar(sa.text("SELECT count(*) FROM audit_rows")),
        )


@pytest.mark.parametrize("program", [LOAD, EDIT], ids=["bulk load", "edit"])
def test_a_killed_writer_leaves_all_or_nothing(demo_store: Store, program: str) -> None:
    before = state(demo_store)
    url = demo_store.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-c", program, url],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=dict(os.environ),
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)

    assert state(demo_store) == before
    if demo_store.embedded:
        with sqlite3.connect(demo_store.path) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert raw.execute("SELECT count(*) FROM edit_contexts").fetchone()[0] == 0
            tree = raw.execute("SELECT count(*) FROM rtree_growing_areas_geom").fetchone()[0]
            assert tree == before[0]
            triggers = raw.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'growing_areas'"
            ).fetchone()[0]
            assert triggers == 11
    with demo_store.writing() as session:
        session.get(GrowingArea, 1).variety = "sau sự cố"
