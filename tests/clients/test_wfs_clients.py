"""QGIS, GDAL and OWSLib read the running feature service in every version, and edit it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from owslib.wfs import WebFeatureService

from data.accounts import PUBLIC, SYSTEM
from data.store import Store
from layers import catalogue, read
from layers.filters import Comparison
from tests.conftest import Server, lacking

SYSTEM_PYTHON = "/usr/bin/python3"
AREAS = catalogue.layer("growing_areas")
BOX = (104.9, 9.0, 105.1, 9.2)


@pytest.fixture
def record(live_server: Server) -> Any:
    store = Store(f"gpkg:///{live_server.instance / 'province.gpkg'}")
    yield store
    store.dispose()


def counted(store: Store, **more: Any) -> int:
    with store.reading() as session:
        return read.count(session, read.Query(AREAS, **more))


def run_qgis(folder: Path, **asked: Any) -> dict[str, Any]:
    check = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if check.returncode != 0:
        lacking("python3-qgis")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    script = Path(__file__).with_name("qgis_wfs.py")
    done = subprocess.run(
        [SYSTEM_PYTHON, str(script), json.dumps(asked)],
        capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0", "auto"])
def test_qgis_reads_pages_and_filters(live_server, record, tmp_path, version) -> None:
    seen = run_qgis(tmp_path, url=f"{live_server.url}/wfs", version=version, srs="EPSG:4326", inside=BOX)
    assert seen["valid"]
    assert (seen["type"], seen["crs"]) == ("MultiPolygon", "EPSG:4326")
    assert seen["fields"] == [f.name for f in AREAS.readable_fields(PUBLIC)]
    assert seen["count"] == counted(record)
    assert seen["inside"] == counted(record, box=BOX) > 0
    assert seen["rice"] == counted(record, where=Comparison("crop", "=", "rice")) > 0
    assert not seen["editable"]


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
def test_qgis_edits_and_shows_what_was_refused(live_server, record, tmp_path, version) -> None:
    officer = live_server.accounts["province_officer"]
    seen = run_qgis(
        tmp_path,
        url=f"{live_server.url}/wfs",
        version=version,
        srs="EPSG:4326",
        inside=BOX,
        username=officer,
        password=live_server.password,
        name=f"Vùng từ QGIS {version}",
    )
    assert seen["editable"] and seen["added"] and seen["changed"], seen["errors"]
    assert seen["after"]["variety"] == "ST25"
    assert seen["after"]["households"] is None
    assert seen["after"]["moved_by"] == pytest.approx([0.001, 0, 0.001, 0], abs=1e-6)
    assert not seen["bad"] and "kryptonite" in seen["said_of_bad"][0]
    assert seen["deleted"]
    assert not seen["late"] and "có thể người khác đã xóa" in seen["said_of_late"][0]
    assert counted(record, actor=SYSTEM, where=Comparison("name", "=", f"Vùng từ QGIS {version}")) == 0


# ---- GDAL


def ogrinfo(*arguments: str) -> str:
    program = which("ogrinfo")
    if program is None:
        lacking("ogrinfo (Debian: gdal-bin)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
@pytest.mark.parametrize("layer", [la.id for la in catalogue.LAYERS])
def test_gdal_reads_every_layer(live_server, record, version, layer) -> None:
    text = ogrinfo("-ro", "-so", f"WFS:{live_server.url}/wfs?VERSION={version}", f"app:{layer}")
    with record.reading() as session:
        query = read.Query(catalogue.layer(layer))
        count, box = read.count(session, query), read.bounds(session, query)
    assert int(re.search(r"Feature Count: (\d+)", text)[1]) == count
    extent = [float(n) for n in re.search(r"Extent: \((.+), (.+)\) - \((.+), (.+)\)", text).groups()]
    assert extent == pytest.approx(list(box), abs=1e-4)


def test_gdal_filters_on_the_server(live_server, record) -> None:
    where = ("-where", "crop = 'rice'")
    text = ogrinfo("-ro", "-so", f"WFS:{live_server.url}/wfs", "app:growing_areas", *where)
    assert f"Feature Count: {counted(record, where=Comparison('crop', '=', 'rice'))}" in text
    box = [str(n) for n in BOX]
    text = ogrinfo("-ro", "-so", f"WFS:{live_server.url}/wfs", "app:growing_areas", "-spat", *box)
    assert f"Feature Count: {counted(record, box=BOX)}" in text


def test_gdal_pages_through_everything(live_server, record) -> None:
    text = ogrinfo(
        "-ro", "-q", "--config", "OGR_WFS_PAGE_SIZE", "100",
        f"WFS:{live_server.url}/wfs", "app:growing_areas", "-fields=NO", "-geom=NO",
    )  # fmt: skip
    assert len(re.findall(r"^OGRFeature", text, re.M)) == counted(record)


# ---- OWSLib


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0.0"])
def test_owslib_reads_what_the_service_offers(live_server, version) -> None:
    service = WebFeatureService(f"{live_server.url}/wfs", version=version)
    assert set(service.contents) == {f"app:{la.id}" for la in catalogue.LAYERS}
    assert service["app:communes"].boundingBoxWGS84[0] == pytest.approx(104.7, abs=0.1)
    answer = service.getfeature(typename=["app:communes"], maxfeatures=2).read()
    assert answer.count(b"<app:communes ") == 2
    if version != "1.0.0":
        assert "name" in service.get_schema("app:communes")["properties"]
    if version == "2.0.0":
        assert any(q.id.endswith("GetFeatureById") for q in service.storedqueries)
