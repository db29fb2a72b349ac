"""QGIS itself opens every layer of the record's file and edits it without harm."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from layers import catalogue
from tests.conftest import lacking

SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def qgis() -> str:
    check = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if check.returncode != 0:
        lacking("QGIS for Python (Debian: python3-qgis)")
    return SYSTEM_PYTHON


def test_qgis_opens_every_layer_and_its_edit_keeps_the_file_right(
    qgis: str, demo_gpkg: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "province.gpkg"
    shutil.copy(demo_gpkg, copy)
    names = ",".join(layer.id for layer in catalogue.LAYERS)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [qgis, str(Path(__file__).with_name("qgis_edit.py")), str(copy), names],
        capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    with sqlite3.connect(copy) as raw:
        for layer in catalogue.LAYERS:
            entry = seen[layer.id]
            assert entry["valid"], layer.id
            count = raw.execute(f"SELECT count(*) FROM {layer.id}").fetchone()[0]
            assert entry["count"] == count - (1 if layer.id == "growing_areas" else 0)
            assert entry["type"] == {"MULTIPOLYGON": 6, "POINT": 1}[layer.geometry]
            assert 104 < entry["extent"][0] < entry["extent"][2] < 106
            columns = {c.name for c in layer.model.__table__.c} - {"geom"}
            assert set(entry["fields"]) == columns
        assert seen["committed"], seen["errors"]
        tree, rows, counted = (
            raw.execute(statement).fetchone()[0]
            for statement in (
                "SELECT count(*) FROM rtree_growing_areas_geom",
                "SELECT count(*) FROM growing_areas",
                "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = 'growing_areas'",
            )
        )
        assert tree == rows == counted
        audit = raw.execute(
            "SELECT action, row_id FROM audit_rows WHERE source = 'outside' ORDER BY id"
        ).fetchall()
        assert ("insert", rows_id(raw)) in audit and ("update", seen["edited"]) in audit
        assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def rows_id(raw: sqlite3.Connection) -> int:
    return raw.execute("SELECT id FROM growing_areas WHERE name = 'Từ QGIS'").fetchone()[0]
