"""The same questions over the same polygons to ours, QGIS Server and MapServer, in turns within one run.

Each program has two processes; four clients ask at once. Rounds alternate between the programs, so that other load
on the machine strikes all alike, and the processor time of each program is counted beside its answers per second.
QGIS Server is asked through its own HTTP server (qgis_mapserver), MapServer as FastCGI without any, which saves
it the time of one. A program that is not installed is named and left out. No box is asked for twice; the plain
first page is the same question each time, which ours answers from memory as long as the revision stands.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import socket
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench import fastcgi, parcels
from tests.bench.server import serve
from tests.bench.table import heading, row

LAYER = "growing_areas"
PROCESSES, CLIENTS = 2, 4
ROUNDS, SECONDS = 5, 1.0
OURS, QGIS_PORT = 8795, 8796
BOX_DEGREES = 0.066
"""The side of a box that holds about 800 of 100,000 parcels."""

SYSTEM_PYTHON = "/usr/bin/python3"
QUESTIONS = (
    "hits, all",
    "GML in a box",
    "GeoJSON in a box",
    "first page of 10",
    "first page of 10 in a box",
    "page of 10 at the end",
    "GetMap 512 x 512",
)
BOXES = 3_000
"""More than are asked for in one run."""


@dataclass(frozen=True)
class Program:
    """One program: the processes that do its work, how it is asked, and its questions by name."""

    name: str
    processes: tuple[psutil.Process, ...]
    ask: Callable[[int, str], bytes]
    questions: dict[str, list[str]]

    def seconds(self) -> float:
        """Return the processor time that its processes have used so far."""
        return float(sum(p.cpu_times().user + p.cpu_times().system for p in self.processes))

    def megabytes(self) -> float:
        """Return the memory that its processes hold, what they share counted once (PSS)."""
        return float(sum(p.memory_full_info().pss for p in self.processes)) / 2**20


@dataclass
class Measured:
    """What the rounds of one question gave for one program."""

    rates: list[float]
    seconds: float = 0.0
    answers: int = 0
    length: float = 0

    @property
    def rate(self) -> float:
        """Answers per second in the middling round."""
        return statistics.median(self.rates)

    @property
    def milliseconds(self) -> float:
        """Processor time of the program for one answer."""
        return 1000 * self.seconds / self.answers


@functools.cache
def boxes() -> list[tuple[float, float, float, float]]:
    """Return boxes within the parcels, the same ones in each run."""
    chance = random.Random(3)
    found = []
    for _ in range(BOXES):
        west = chance.uniform(parcels.WEST, parcels.EAST - BOX_DEGREES)
        south = chance.uniform(parcels.SOUTH, parcels.NORTH - BOX_DEGREES)
        found.append((west, south, west + BOX_DEGREES, south + BOX_DEGREES))
    return found


def lonlat(box: tuple[float, ...]) -> str:
    return ",".join(f"{value:.5f}" for value in box)


def _latlon(box: tuple[float, ...]) -> str:
    west, south, east, north = box
    return lonlat((south, west, north, east)) + ",urn:ogc:def:crs:EPSG::4326"


def _map(box: tuple[float, ...]) -> str:
    return (
        f"SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS={LAYER}&STYLES=&SRS=EPSG:4326"
        f"&BBOX={lonlat(box)}&WIDTH=512&HEIGHT=512&FORMAT=image/png"
    )


# ---- the programs


def over_http(ports: tuple[int, ...]) -> Callable[[int, str], bytes]:
    def ask(number: int, path: str) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{ports[number % len(ports)]}{path}")
        request.add_header("Accept-Encoding", "identity")
        with urllib.request.urlopen(request, timeout=120) as answer:
            body: bytes = answer.read()
            return body

    return ask


@contextlib.contextmanager
def ours(url: str, folder: Path, count: int) -> Iterator[Program]:
    """Serve the record with this tree's program."""
    process = serve(url, folder / "ours", OURS, PROCESSES)
    items, wfs = f"/ogc/collections/{LAYER}/items?f=json", "/wfs?SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature"
    wfs += f"&TYPENAMES={LAYER}"
    at_end = f"{wfs}&OUTPUTFORMAT=application/json&COUNT=10&STARTINDEX={count - 10}"
    questions = {
        "hits, all": [f"{wfs}&RESULTTYPE=hits"],
        "GML in a box": [f"{wfs}&BBOX={_latlon(b)}" for b in boxes()],
        "GeoJSON in a box": [f"{items}&limit=5000&bbox={lonlat(b)}" for b in boxes()],
        "first page of 10": [f"{items}&limit=10"],
        "first page of 10 in a box": [f"{items}&limit=10&bbox={lonlat(b)}" for b in boxes()],
        "page of 10 at the end": [at_end],
        "GetMap 512 x 512": [f"/wms?{_map(b)}" for b in boxes()],
    }
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        # The worker of the long jobs answers no request.
        workers = tuple(p for p in children if "webmap.wsgi:app" in p.cmdline())
        yield Program("ours", workers, over_http((OURS,)), questions)
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def qgis(record: Path, folder: Path, count: int) -> Iterator[Program]:
    """Serve the record with QGIS Server, each process with its own port."""
    project = folder / "peer.qgs"
    script = Path(__file__).with_name("qgis_project.py")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QGIS_SERVER_LOG_LEVEL": "2"}
    made = [SYSTEM_PYTHON, str(script), str(record), LAYER, str(project)]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    ports = tuple(QGIS_PORT + i for i in range(PROCESSES))
    started = [
        subprocess.Popen(
            ["qgis_mapserver", "-p", str(project), f"127.0.0.1:{port}"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in ports
    ]
    wfs = f"/?SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME={LAYER}"
    items = f"/wfs3/collections/{LAYER}/items.geojson?limit=10"
    questions = {
        "hits, all": [f"{wfs}&RESULTTYPE=hits"],
        "GML in a box": [f"{wfs}&OUTPUTFORMAT=GML3&BBOX={lonlat(b)}" for b in boxes()],
        "GeoJSON in a box": [f"{wfs}&OUTPUTFORMAT=application/json&BBOX={lonlat(b)}" for b in boxes()],
        "first page of 10": [items],
        "first page of 10 in a box": [f"{items}&bbox={lonlat(b)}" for b in boxes()],
        "page of 10 at the end": [f"{items}&offset={count - 10}"],
        "GetMap 512 x 512": [f"/?{_map(b)}" for b in boxes()],
    }
    try:
        ask = over_http(ports)
        for number in range(PROCESSES):
            until_it_answers(lambda n=number: ask(n, items))  # type: ignore[misc]
        yield Program("QGIS Server", tuple(psutil.Process(p.pid) for p in started), ask, questions)
    finally:
        for process in started:
            # Both are without state, and MapServer takes no notice of a request to end.
            process.kill()
            process.wait(20)


MAPFILE = """
MAP
  NAME "peer"
  SIZE 512 512
  EXTENT {west} {south} {east} {north}
  IMAGETYPE png
  PROJECTION "init=epsg:4326" END
  OUTPUTFORMAT
    NAME "geojson" DRIVER "OGR/GEOJSON" MIMETYPE "application/json"
    FORMATOPTION "STORAGE=memory" FORMATOPTION "FORM=SIMPLE" FORMATOPTION "LCO:COORDINATE_PRECISION=7"
  END
  WEB METADATA
    "ows_title" "peer" "ows_enable_request" "*" "ows_srs" "EPSG:4326 EPSG:3857"
    "ows_onlineresource" "http://127.0.0.1/mapserv?"
    "wfs_getfeature_formatlist" "geojson"
  END END
  LAYER
    NAME "{layer}" TYPE POLYGON STATUS ON
    CONNECTIONTYPE OGR CONNECTION "{record}" DATA "{layer}"
    PROCESSING "CLOSE_CONNECTION=DEFER"
    PROJECTION "init=epsg:4326" END
    EXTENT {west} {south} {east} {north}
    METADATA
      "ows_title" "{layer}" "gml_include_items" "all" "gml_featureid" "id" "wfs_geometry_precision" "7"
      "wfs_getfeature_formatlist" "geojson" "gml_types" "auto"
    END
    CLASS STYLE COLOR 42 157 143 OPACITY 55 OUTLINECOLOR 255 255 255 WIDTH 1 END END
    TEMPLATE "none"
  END
END
"""


@contextlib.contextmanager
def mapserver(record: Path, folder: Path, count: int) -> Iterator[Program]:
    """Serve the record with MapServer as FastCGI, each process with its own socket."""
    mapfile = folder / "peer.map"
    sides = {"west": parcels.WEST, "south": parcels.SOUTH, "east": parcels.EAST, "north": parcels.NORTH}
    mapfile.write_text(MAPFILE.format(layer=LAYER, record=record, **sides))
    settings = folder / "mapserver.conf"
    settings.write_text('CONFIG ENV MS_MAP_PATTERN "." END END\n')
    sockets = [folder / f"mapserver{i}.sock" for i in range(PROCESSES)]
    started = [_fastcgi_process(address, settings) for address in sockets]

    def ask(number: int, query: str) -> bytes:
        head, body = fastcgi.ask(sockets[number % PROCESSES], query, MS_MAPFILE=str(mapfile))
        if b"Status: 5" in head or b"Exception" in body[:600]:
            raise RuntimeError(body[:400].decode(errors="replace"))
        return body

    wfs = f"SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES={LAYER}"
    json = f"{wfs}&OUTPUTFORMAT=geojson"
    questions = {
        "hits, all": [f"{wfs}&RESULTTYPE=hits"],
        "GML in a box": [f"{wfs}&BBOX={_latlon(b)}" for b in boxes()],
        "GeoJSON in a box": [f"{json}&BBOX={_latlon(b)}" for b in boxes()],
        "first page of 10": [f"{json}&COUNT=10"],
        "first page of 10 in a box": [f"{json}&COUNT=10&BBOX={_latlon(b)}" for b in boxes()],
        "page of 10 at the end": [f"{json}&COUNT=10&STARTINDEX={count - 10}"],
        "GetMap 512 x 512": [_map(b) for b in boxes()],
    }
    try:
        yield Program("MapServer", tuple(psutil.Process(p.pid) for p in started), ask, questions)
    finally:
        for process in started:
            # Both are without state, and MapServer takes no notice of a request to end.
            process.kill()
            process.wait(20)


def _fastcgi_process(address: Path, settings: Path) -> subprocess.Popen[bytes]:
    """Start a process that takes its questions from a listening socket, as FastCGI has it on descriptor 0."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen(64)
        return subprocess.Popen(
            ["mapserv"],
            stdin=listening.fileno(),
            env={**os.environ, "MAPSERVER_CONFIG_FILE": str(settings)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def until_it_answers(ask: Callable[[], bytes], seconds: float = 60) -> None:
    last = time.monotonic() + seconds
    while True:
        try:
            ask()
            return
        except OSError:
            if time.monotonic() > last:
                raise
            time.sleep(0.2)


# ---- the run


def bench_peers(url: str, record: Path, folder: Path, count: int) -> None:
    """Ask all programs that are there in turns; print rates, processor time and ratios by question."""
    title = (
        f"Against other servers: {PROCESSES} processes each, {CLIENTS} clients, {count:,} polygons, in turns"
    )
    heading(title)
    with contextlib.ExitStack() as stack:
        programs = [stack.enter_context(ours(url, folder, count))]
        for name, command, start in (
            ("QGIS Server", "qgis_mapserver", qgis),
            ("MapServer", "mapserv", mapserver),
        ):
            if shutil.which(command):
                programs.append(stack.enter_context(start(record, folder, count)))
            else:
                row(f"{name}: not installed", f"({command}); left out")
        compare(programs)


def compare(programs: list[Program]) -> None:
    """Ask programs in turns, each question that the first of them knows; print what came of it."""
    row("", *(f"{p.name}, /s" for p in programs), *(f"to {p.name}" for p in programs[1:]))
    answers = {q: _compare(q, programs) for q in QUESTIONS if any(q in p.questions for p in programs[1:])}
    heading("The same: processor ms for one answer, KB")
    row("", *(p.name for p in programs), *(f"to {p.name}" for p in programs[1:]))
    for question, found in answers.items():
        used = [f"{m.milliseconds:.1f} ({m.length / 1024:.0f})" if m else "-" for m in found]
        ratios = [
            f"{m.milliseconds / found[0].milliseconds:.2f}x" if m and found[0] else "-" for m in found[1:]
        ]
        row(question, *used, *ratios)
    for program in programs:
        row(f"memory of {program.name}", f"{program.megabytes():.0f} MB")


def _compare(question: str, programs: list[Program]) -> list[Measured | None]:
    found: list[Measured | None] = [Measured([]) if question in p.questions else None for p in programs]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(ROUNDS):
            for place, program in enumerate(programs):
                measured = found[place]
                if measured is None:
                    continue
                try:
                    _round(program, question, measured, pool)
                except (OSError, RuntimeError) as error:
                    row(f"{question}: {program.name}", str(error)[:120])
                    found[place] = None
    rates = [m.rate if m else None for m in found]
    first = rates[0]
    ratios = [f"{first / rate:.2f}x" if rate and first else "-" for rate in rates[1:]]
    row(question, *(f"{rate:.1f}" if rate else "-" for rate in rates), *ratios)
    return found


def _round(program: Program, question: str, measured: Measured, pool: ThreadPoolExecutor) -> None:
    """Ask on and on for a while, each client at once."""
    asked = program.questions[question]

    def one(number: int) -> int:
        return len(program.ask(number, asked[number % len(asked)]))

    if not measured.answers:
        list(pool.map(one, range(-2 * PROCESSES, 0)))
    used, started, count = program.seconds(), time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < SECONDS:
        first = measured.answers + count
        measured.length = statistics.median(pool.map(one, range(first, first + CLIENTS)))
        count += CLIENTS
    measured.rates.append(count / elapsed)
    measured.seconds += program.seconds() - used
    measured.answers += count
