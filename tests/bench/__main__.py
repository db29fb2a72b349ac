"""Speeds and memory in one run, printed as tables with ratios: `make bench` or `python -m tests.bench`.

Options: --areas N (100000), --postgres URL (ST_AsMVT as a rival), --only part,part (tiles, geojson, http,
peers, growth, demo). Figures are medians; ratios within one run mean something, single milliseconds do not.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import geopandas
import mapbox_vector_tile
import numpy as np
import psutil
import shapely
import sqlalchemy as sa

from data import bulk, migrate
from data.accounts import PUBLIC
from data.admin_units import Commune
from data.growing_areas import GrowingArea
from data.store import Store
from gis import crs, tilegrid
from layers import catalogue, read, tiles
from services.items import feature_texts
from tests.bench import parcels
from tests.bench.peers import bench_peers
from tests.bench.pythonpeers import bench_python_peers
from tests.bench.server import serve
from tests.bench.table import heading, row

AREAS = catalogue.layer("growing_areas")
CENTRE = (105.0, 9.0, 105.0001, 9.0001)
REAL = Path(os.environ.get("OCOP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def median_ms(work: Callable[[], Any], rounds: int = 9) -> float:
    """Return the median milliseconds of a piece of work, after one round that does not count."""
    work()
    times = []
    for _ in range(rounds):
        gc.disable()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
        gc.enable()
    return statistics.median(times) * 1000


def parcel_store(url: str, count: int) -> tuple[Store, float]:
    """Make a record with `count` parcels; return it and the seconds that the bulk load took."""
    store = Store(url)
    migrate.upgrade(store)
    with store.writing() as session:
        units = [
            Commune(code=f"{31000 + i}", name=f"Xã Đường {i}", kind="xã", edition="2020") for i in range(101)
        ]
        session.add_all(units)
        session.flush()
        ids = [u.id for u in units]
        columns, shapes = parcels.columns(count, ids), parcels.shapes(count)
        started = time.perf_counter()
        bulk.load(session, GrowingArea, columns, shapes, source="bench")
        seconds = time.perf_counter() - started
    return store, seconds


# ---- tiles


def with_mapbox(session: Any, tile: tuple[int, int, int]) -> bytes:
    """Encode the same rows with mapbox-vector-tile."""
    box = tilegrid.tile_box(*tile, buffer=64, extent=4096)
    rows = read.rows(session, read.Query(AREAS, PUBLIC, box=box, exact=False, tile_fields=True))
    shapes = shapely.transform(
        shapely.from_wkb(rows.wkb), lambda xy: np.column_stack(crs.to_mercator(xy[:, 0], xy[:, 1]))
    )
    west, south, east, north = tilegrid.tile_bounds(*tile)
    margin = (east - west) * 64 / 4096
    shapes = shapely.clip_by_rect(shapes, west - margin, south - margin, east + margin, north + margin)
    features = [
        {
            "geometry": g,
            "id": i,
            "properties": {k: v for k, v in zip(rows.names, values, strict=True) if v is not None},
        }
        for g, i, values in zip(shapes, rows.ids.tolist(), zip(*rows.columns, strict=True), strict=True)
    ]
    layer = [{"name": AREAS.id, "features": features}]
    options = {"quantize_bounds": (west, south, east, north), "extents": 4096}
    encoded: bytes = mapbox_vector_tile.encode(layer, default_options=options)
    return encoded


def with_postgis(store: Store, tile: tuple[int, int, int]) -> bytes:
    """Let PostGIS encode the same attributes of the same rows."""
    columns = [f for f in AREAS.readable_fields(PUBLIC) if f.in_tiles]
    joined = {
        "commune_code": "c.code",
        "commune_name": "c.name",
        "district_code": "d.code",
        "district_name": "d.name",
        "producer_name": "p.name",
    }
    fields = ", ".join(f"{joined.get(f.name, 'a.' + f.name)} AS {f.name}" for f in columns)
    z, x, y = tile
    statement = f"""
      SELECT ST_AsMVT(t, 'growing_areas', 4096, 'geom', 'id') FROM (
        SELECT a.id, {fields},
               ST_AsMVTGeom(ST_Transform(a.geom, 3857), ST_TileEnvelope({z},{x},{y}), 4096, 64, true) AS geom
        FROM growing_areas a
        LEFT JOIN communes c ON c.id = a.commune_id
        LEFT JOIN districts d ON d.id = c.district_id
        LEFT JOIN producers p ON p.id = a.producer_id AND p.status = 'published'
        WHERE a.status = 'published'
          AND a.geom && ST_Transform(ST_TileEnvelope({z},{x},{y}, margin => 64.0/4096), 4326)) t
      WHERE geom IS NOT NULL"""
    with store.engine.connect() as connection:
        return bytes(connection.exec_driver_sql(statement).scalar() or b"")


def invalid_polygons(body: bytes) -> tuple[int, int]:
    """Decode a tile; return the number of its features and of those with an invalid polygon."""
    features = mapbox_vector_tile.decode(body)[AREAS.id]["features"] if body else []
    shapes = [shapely.geometry.shape(f["geometry"]) for f in features]
    return len(features), int((~shapely.is_valid(shapes)).sum()) if shapes else 0


def bench_tiles(store: Store, postgres: Store | None) -> None:
    """Compare the time of one tile, rows of the record and all public attributes included."""
    heading("Tiles: ms from the rows of the record, all public attributes")
    row("zoom", "features", "KB", "ours", "mapbox-vt", "ratio", "ours PG", "ST_AsMVT", "ratio", "invalid")
    for zoom in (10, 12, 14):
        x, y, _, _ = tilegrid.tile_range(CENTRE, zoom)
        tile = (zoom, x, y)
        with store.reading() as session:
            body = tiles.encode(session, AREAS, PUBLIC, *tile)
            features, invalid = invalid_polygons(body)
            ours = median_ms(lambda t=tile, s=session: tiles.encode(s, AREAS, PUBLIC, *t))  # type: ignore[misc]
            rival = median_ms(lambda t=tile, s=session: with_mapbox(s, t), 3)  # type: ignore[misc]
        cells: list[object] = [
            zoom,
            features,
            len(body) // 1024,
            f"{ours:.1f}",
            f"{rival:.1f}",
            f"{rival / ours:.1f}x",
        ]
        if postgres is not None:
            with postgres.reading() as session:
                ours_pg = median_ms(lambda t=tile, s=session: tiles.encode(s, AREAS, PUBLIC, *t))  # type: ignore[misc]
            peer = median_ms(lambda t=tile: with_postgis(postgres, t))  # type: ignore[misc]
            cells += [f"{ours_pg:.1f}", f"{peer:.1f}", f"{ours / peer:.2f} of it"]
        else:
            cells += ["-", "-", "-"]
        row(*cells, invalid)


# ---- GeoJSON


def bench_geojson(store: Store) -> None:
    """Compare the text of 1,000 features with geopandas."""
    heading("GeoJSON of 1,000 features: ms, rows fetched beforehand")
    with store.reading() as session:
        rows = read.rows(session, read.Query(AREAS, PUBLIC, limit=1000))
        frame = geopandas.GeoDataFrame(
            rows.by_name(), geometry=shapely.from_wkb(rows.wkb), index=rows.ids, crs=4326
        )
        frame["updated_at"] = frame["updated_at"].astype(str)
        ours = median_ms(lambda: feature_texts(rows))
        rival = median_ms(lambda: frame.to_json(), 5)
        whole = median_ms(lambda: feature_texts(read.rows(session, read.Query(AREAS, PUBLIC, limit=1000))))
    row("", "ours", "with fetch", "to_json", "ratio")
    row("1,000 features", f"{ours:.1f}", f"{whole:.1f}", f"{rival:.1f}", f"{rival / ours:.1f}x")


# ---- through the server


def requests_per_second(address: str, count: int) -> float:
    """Ask an address many times from four threads; return answers per second."""
    from concurrent.futures import ThreadPoolExecutor

    def ask(_: int) -> int:
        request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return len(answer.read())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(8)))
        started = time.perf_counter()
        list(pool.map(ask, range(count)))
        return count / (time.perf_counter() - started)


def bench_http(store: Store, folder: Path) -> None:
    """Count requests per second through gunicorn with two workers, and their memory."""
    heading("Through gunicorn, 2 workers, 4 clients at once, 2 cores shared with the clients")
    process = serve(store.url.render_as_string(hide_password=False), folder / "instance", 8793)
    try:
        x, y, _, _ = tilegrid.tile_range(CENTRE, 12)
        base = "http://127.0.0.1:8793"
        box = "105.0,9.0,105.1,9.1"
        row("", "answers/s")
        row("tile z12, kept", f"{requests_per_second(f'{base}/tiles/growing_areas/12/{x}/{y}.mvt', 200):.0f}")
        address = f"{base}/layers/growing_areas.geojson?limit=1000&bbox={box}"
        row("GeoJSON of 1,000 by box", f"{requests_per_second(address, 60):.0f}")
        address = f"{base}/layers/growing_areas.geojson?limit=10"
        row("GeoJSON of 10", f"{requests_per_second(address, 200):.0f}")
        children = psutil.Process(process.pid).children()
        shares = [p.memory_full_info().pss // 2**20 for p in children]
        row("memory of the workers, MB (PSS)", " + ".join(map(str, shares)), f"= {sum(shares)}")
    finally:
        process.terminate()
        process.wait(20)


# ---- growth, loading, demonstration


def bench_growth(folder: Path) -> None:
    """Show what ten times as many areas cost."""
    heading("Growth of the record: ms")
    row("areas", "load, rows/s", "tile z12", "tile z14", "1,000 by box", "count")
    for count in (10_000, 100_000):
        store, seconds = parcel_store(f"gpkg:///{folder / f'growth{count}.gpkg'}", count)
        with store.reading() as session:
            cells = []
            for zoom in (12, 14):
                x, y, _, _ = tilegrid.tile_range(CENTRE, zoom)
                cells.append(median_ms(lambda t=(zoom, x, y), s=session: tiles.encode(s, AREAS, PUBLIC, *t)))  # type: ignore[misc]
            page = read.Query(AREAS, PUBLIC, box=(105.0, 9.0, 105.2, 9.2), limit=1000)
            cells.append(median_ms(lambda s=session, q=page: feature_texts(read.rows(s, q))))  # type: ignore[misc]
            cells.append(median_ms(lambda s=session: read.count(s, read.Query(AREAS, PUBLIC))))  # type: ignore[misc]
        row(f"{count:,}", f"{count / seconds:,.0f}", *(f"{c:.1f}" for c in cells))
        store.dispose()


def bench_demo(folder: Path) -> None:
    """Time the demonstration province and the import of real boundaries into it."""
    from data.boundaries import import_boundaries
    from data.demo.build import build

    heading("Building and importing: s")
    store = Store(f"gpkg:///{folder / 'demo.gpkg'}")
    migrate.upgrade(store)
    started = time.perf_counter()
    build(store)
    row("demonstration province", f"{time.perf_counter() - started:.1f}")
    real = REAL / "communes_legacy.geojson"
    if real.exists():
        started = time.perf_counter()
        import_boundaries(store, real, edition="2020")
        row("101 real communes", f"{time.perf_counter() - started:.1f}")
    store.dispose()


# ---- export

EXPORT = """
import sys, time
from pathlib import Path
from data.store import Store
from layers import catalogue
from services import exports
started = time.perf_counter()
exports.export(Store(sys.argv[1]), catalogue.layer("growing_areas"), Path(sys.argv[2]), sys.argv[3])
seconds = time.perf_counter() - started
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(seconds, int(peak.split()[1]) // 1024)
"""


def bench_export(store: Store, folder: Path) -> None:
    """Compare the export of all areas with ogr2ogr from the same file, each in a process of its own."""
    heading("Export of all areas with all public attributes: s, peak MB of the process")
    row("", "ours", "MB", "ogr2ogr", "ratio")
    drivers = {
        "shp": "ESRI Shapefile",
        "gpkg": "GPKG",
        "flatgeobuf": "FlatGeobuf",
        "csv": "",
        "parquet": "",
        "kml": "",
    }
    for form, driver in drivers.items():
        extension = {"shp": "shp.zip", "flatgeobuf": "fgb"}.get(form, form)
        runs = [_ours(store, folder / f"ours.{extension}", form) for _ in range(3)]
        seconds = statistics.median(s for s, _ in runs)
        peak = max(mb for _, mb in runs)
        cells = [f"{seconds:.2f}", str(peak)]
        if driver and store.path is not None and which("ogr2ogr"):
            rival = statistics.median(
                _ogr2ogr(store.path, folder / f"rival.{extension}", driver) for _ in range(3)
            )
            cells += [f"{rival:.2f}", f"{seconds / rival:.2f}x"]
        row(form, *cells)


def _ours(store: Store, path: Path, form: str) -> tuple[float, int]:
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", EXPORT, url, str(path), form]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(told[0]), int(told[1])


def _ogr2ogr(source: Path, path: Path, driver: str) -> float:
    path.unlink(missing_ok=True)
    started = time.perf_counter()
    command = ["ogr2ogr", "-q", "-f", driver, str(path), str(source), "growing_areas"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--areas", type=int, default=100_000)
    parser.add_argument("--postgres", default=os.environ.get("OCOP_BENCH_POSTGRES", ""))
    parser.add_argument("--only", default="tiles,geojson,http,peers,growth,demo")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, seconds = parcel_store(f"gpkg:///{folder / 'parcels.gpkg'}", options.areas)
        heading("Bulk load into the embedded record, index and audit included")
        row(f"{options.areas:,} polygons", f"{options.areas / seconds:,.0f} rows/s", f"{seconds:.2f} s")
        postgres = None
        if options.postgres:
            postgres = Store(options.postgres)
            with postgres.engine.connect() as connection:
                known = sa.inspect(connection).has_table("growing_areas")
            if not known:
                postgres, _ = parcel_store(options.postgres, options.areas)
                with postgres.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql("VACUUM ANALYZE growing_areas")
        if "tiles" in parts:
            bench_tiles(store, postgres)
        if "geojson" in parts:
            bench_geojson(store)
        if "http" in parts:
            bench_http(store, folder)
        if "peers" in parts:
            bench_peers(store.url.render_as_string(), store.path, folder, options.areas)
            if postgres is not None:
                bench_python_peers(options.postgres, folder, options.areas)
        if "growth" in parts:
            bench_growth(folder)
        if "demo" in parts:
            bench_demo(folder)
        if "export" in parts:
            bench_export(store, folder)
        store.dispose()


if __name__ == "__main__":
    main()
