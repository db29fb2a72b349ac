"""The same polygons in PostGIS, asked of ours, pygeoapi and tipg: the two best known OGC API servers in Python.

Both are run from a virtual environment of their own, named by $OCOP_BENCH_PEERS (pygeoapi, tipg, gunicorn, uvicorn,
psycopg2-binary, geoalchemy2 installed by pip), since their dependencies would clash with ours. tipg reads PostGIS
only, so this table is about PostGIS.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import sqlalchemy as sa

from tests.bench.peers import (
    CLIENTS,
    LAYER,
    PROCESSES,
    Program,
    boxes,
    compare,
    lonlat,
    ours,
    over_http,
    until_it_answers,
)
from tests.bench.table import heading, row

PYGEOAPI, TIPG = 8797, 8798

PYGEOAPI_CONFIG = """
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json
  encoding: utf-8
  languages: [en-US]
  limits: {{default_items: 10, max_items: 10000}}
  map: {{url: "http://127.0.0.1/{{z}}/{{x}}/{{y}}.png", attribution: none}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: peer, description: peer, keywords: [peer], keywords_type: theme, terms_of_service: none,
    url: "http://127.0.0.1"}}
  license: {{name: none, url: "http://127.0.0.1"}}
  provider: {{name: peer, url: "http://127.0.0.1"}}
  contact: {{name: peer, email: peer@localhost}}
resources:
  {layer}:
    type: collection
    title: {layer}
    description: {layer}
    keywords: [peer]
    links: []
    extents: {{spatial: {{bbox: [104, 8, 106, 10], crs: "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}}}
    providers:
      - type: feature
        name: PostgreSQL
        data: {{host: {host}, port: {dbport}, dbname: {database}, user: {user}, password: "{password}",
          search_path: [public]}}
        id_field: id
        table: {layer}
        geom_field: geom
"""


def bench_python_peers(url: str, folder: Path, count: int) -> None:
    """Ask ours, pygeoapi and tipg in turns; print rates, processor time, memory and ratios."""
    heading(f"On PostGIS: {PROCESSES} processes each, {CLIENTS} clients, {count:,} polygons, in turns")
    environment = os.environ.get("OCOP_BENCH_PEERS")
    if not environment:
        row("pygeoapi, tipg: not installed", "(set OCOP_BENCH_PEERS); left out")
        return
    binaries, address = Path(environment) / "bin", sa.make_url(url)
    with contextlib.ExitStack() as stack:
        programs = [stack.enter_context(ours(url, folder / "postgis", count))]
        for name, start in (("pygeoapi", pygeoapi), ("tipg", tipg)):
            if (binaries / name).exists() or name == "tipg":
                programs.append(stack.enter_context(start(binaries, address, folder, count)))
        compare(programs)


@contextlib.contextmanager
def pygeoapi(binaries: Path, address: sa.URL, folder: Path, count: int) -> Iterator[Program]:
    """Serve the table with pygeoapi under gunicorn."""
    config, openapi = folder / "pygeoapi.yml", folder / "pygeoapi-openapi.yml"
    config.write_text(
        PYGEOAPI_CONFIG.format(
            port=PYGEOAPI,
            layer=LAYER,
            host=address.host,
            dbport=address.port,
            database=address.database,
            user=address.username,
            password=address.password or "",
        )
    )
    environment = {**os.environ, "PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    made = [str(binaries / "pygeoapi"), "openapi", "generate", str(config), "--output-file", str(openapi)]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    command = [
        str(binaries / "gunicorn"), "-w", str(PROCESSES), "-b", f"127.0.0.1:{PYGEOAPI}", "pygeoapi.flask_app:APP",
    ]  # fmt: skip
    items = f"/collections/{LAYER}/items?f=json"
    with _served(
        "pygeoapi", command, environment, PYGEOAPI, _questions(items, "resulttype=hits", count)
    ) as made_one:
        yield made_one


@contextlib.contextmanager
def tipg(binaries: Path, address: sa.URL, folder: Path, count: int) -> Iterator[Program]:
    """Serve the table with tipg under uvicorn."""
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    environment = {
        **os.environ,
        "DATABASE_URL": plain,
        "TIPG_MAX_FEATURES_PER_QUERY": "10000",
        "TIPG_DB_TABLES": f'["public.{LAYER}"]',
    }
    command = [
        str(binaries / "uvicorn"), "tipg.main:app", "--host", "127.0.0.1", "--port", str(TIPG),
        "--workers", str(PROCESSES), "--log-level", "error",
    ]  # fmt: skip
    items = f"/collections/public.{LAYER}/items?f=geojson"
    with _served("tipg", command, environment, TIPG, _questions(items, "limit=1", count)) as made_one:
        yield made_one


def _questions(items: str, hits: str, count: int) -> dict[str, list[str]]:
    return {
        "hits, all": [f"{items}&{hits}"],
        "GeoJSON in a box": [f"{items}&limit=5000&bbox={lonlat(b)}" for b in boxes()],
        "first page of 10": [f"{items}&limit=10"],
        "first page of 10 in a box": [f"{items}&limit=10&bbox={lonlat(b)}" for b in boxes()],
        "page of 10 at the end": [f"{items}&limit=10&offset={count - 10}"],
    }


@contextlib.contextmanager
def _served(
    name: str, command: list[str], environment: dict[str, str], port: int, questions: dict[str, list[str]]
) -> Iterator[Program]:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp"
    )
    try:
        ask = over_http((port,))
        until_it_answers(lambda: ask(0, questions["first page of 10"][0]))
        workers = tuple(psutil.Process(process.pid).children(recursive=True))
        yield Program(name, workers, ask, questions)
    finally:
        process.terminate()
        process.wait(20)
