"""Edits that another program makes in the record itself leave a trace and are taken in."""

from __future__ import annotations

import sqlite3

import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from data import audit
from data.growing_areas import GrowingArea
from data.store import Store, revisions
from layers.edit import adopt_outside, outside_edits_waiting


@pytest.fixture
def file_store(demo_store: Store) -> Store:
    if not demo_store.embedded:
        pytest.skip("the file is the embedded record's")
    return demo_store


def append_with_gdal(store: Store, name: str) -> None:
    """Add a growing area with GDAL, as ogr2ogr and QGIS do."""
    import geopandas

    frame = geopandas.GeoDataFrame(
        {"name": [name], "crop": ["rice"], "status": ["published"], "version": [1]},
        geometry=[shapely.multipolygons([shapely.box(105.0, 9.0, 105.01, 9.01)])],
        crs=4326,
    )
    pyogrio.write_dataframe(frame, store.path, layer="growing_areas", driver="GPKG", append=True)


def test_a_row_added_by_gdal_keeps_index_and_counts_right_and_is_audited(file_store: Store) -> None:
    with file_store.reading() as session:
        before = revisions(session)["growing_areas"]
        count = session.scalar(sa.select(sa.func.count()).select_from(GrowingArea))
    file_store.dispose()
    append_with_gdal(file_store, "Vùng thêm từ QGIS")

    with sqlite3.connect(file_store.path) as raw:
        assert raw.execute("SELECT count(*) FROM rtree_growing_areas_geom").fetchone()[0] == count + 1
        counted = "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = 'growing_areas'"
        assert raw.execute(counted).fetchone()[0] == count + 1
    with file_store.reading() as session:
        assert revisions(session)["growing_areas"] > before
        row = session.scalar(sa.select(GrowingArea).where(GrowingArea.name == "Vùng thêm từ QGIS"))
        entry = audit.history(session, "growing_areas", row.id)[0]
        assert (entry.source, entry.action) == ("outside", "insert")
        assert outside_edits_waiting(session)

    assert adopt_outside(file_store) >= 1
    with file_store.reading() as session:
        row = session.scalar(sa.select(GrowingArea).where(GrowingArea.name == "Vùng thêm từ QGIS"))
        assert row.commune_id is not None
        assert row.area_ha == pytest.approx(121.6, rel=0.01)
        assert "qgis" in row.search
        assert not outside_edits_waiting(session)


def test_the_running_server_shows_an_outside_edit_at_once(client, app, demo_store: Store) -> None:
    first = client.get("/layers/growing_areas.geojson?limit=1")
    with demo_store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE growing_areas SET name = 'Đổi tên từ ngoài' WHERE id = 1")
    second = client.get(
        "/layers/growing_areas.geojson?limit=1", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]


def test_an_outside_update_raises_the_version_so_that_a_stale_form_conflicts(demo_store: Store) -> None:
    with demo_store.reading() as session:
        version = session.get(GrowingArea, 5).version
    with demo_store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE growing_areas SET variety = 'X' WHERE id = 5")
    with demo_store.reading() as session:
        assert session.get(GrowingArea, 5).version == version + 1
        entry = audit.history(session, "growing_areas", 5)[0]
        assert entry.source == "outside"
        assert entry.after["variety"] == "X"


def test_a_row_deleted_from_outside_is_kept_with_its_outline(demo_store: Store) -> None:
    with demo_store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM lot_growing_areas WHERE growing_area_id = 7")
        connection.exec_driver_sql("DELETE FROM growing_areas WHERE id = 7")
    with demo_store.reading() as session:
        entry = audit.history(session, "growing_areas", 7)[0]
        assert (entry.source, entry.action) == ("outside", "delete")
        assert entry.before["geom"]
