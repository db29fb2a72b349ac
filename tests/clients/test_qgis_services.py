"""QGIS itself opens the project that the server makes, signs in as the office page says, and shows the map service."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from owslib.util import ServiceException
from owslib.wms import WebMapService
from PIL import Image

from data.store import Store
from layers import catalogue
from tests.conftest import PASSWORD, Server, lacking

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("qgis_services.py")


@pytest.fixture(scope="module")
def qgis() -> None:
    check = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if check.returncode != 0:
        lacking("QGIS for Python (Debian: python3-qgis)")


@pytest.fixture(scope="module")
def area(live_server: Server) -> dict[str, Any]:
    """The largest published growing area, straight from its table."""
    store = Store(f"gpkg:///{live_server.instance / 'province.gpkg'}")
    model = catalogue.layer("growing_areas").model
    with store.reading() as session:
        row = session.scalars(
            sa.select(model).where(model.status == "published").order_by(model.area_ha.desc())
        ).first()
        found = {"name": row.name, "point": shapely.point_on_surface(row.geom), "box": row.geom.bounds}
    store.dispose()
    return found


def look(
    server: Server, folder: Path, area: dict[str, Any], *, via: str = "", user: str = ""
) -> dict[str, Any]:
    """Fetch the project, let QGIS open it, and return what it saw."""
    headers = {}
    if user:
        headers["Authorization"] = "Basic " + b64encode(f"{user}:{PASSWORD}".encode()).decode()
    address = f"{server.url}/qgis/project.qgz" + (f"?via={via}" if via else "")
    project = folder / "ocopmap.qgz"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        project.write_bytes(answer.read())
    asked = {
        "project": str(project),
        "wms": f"{server.url}/wms",
        "box": area["box"],
        "point": [area["point"].x, area["point"].y],
        "picture": str(folder / "map.png"),
        "username": user,
        "password": PASSWORD,
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [SYSTEM_PYTHON, str(SCRIPT), json.dumps(asked)],
        capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert lines, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(lines[-1].removeprefix("SEEN "))
    return seen


def visible_count(server: Server, layer: str, user: str = "") -> int:
    headers = {}
    if user:
        headers["Authorization"] = "Basic " + b64encode(f"{user}:{PASSWORD}".encode()).decode()
    address = f"{server.url}/layers/{layer}.geojson?limit=1"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        return int(json.load(answer)["numberMatched"])


def test_qgis_opens_the_project_of_a_visitor_with_names_lists_colours_and_relations(
    qgis: None, live_server: Server, tmp_path: Path, area: dict[str, Any]
) -> None:
    seen = look(live_server, tmp_path, area)
    assert seen["read"] and seen["crs"] == "EPSG:3857"
    assert seen["title"].startswith("Bản đồ OCOP")
    assert seen["groups"] == ["Chương trình OCOP", "Làng nghề", "Vùng sản xuất", "Địa giới"]
    west, south, east, north = seen["extent"]
    assert 11_600_000 < west < east < 11_800_000 and 900_000 < south < north < 1_100_000
    assert seen["relations"] and all(seen["relations"].values())
    for layer in catalogue.LAYERS:
        entry = seen["layers"][layer.id]
        assert entry["valid"], layer.id
        assert entry["provider"] == "OAPIF" and entry["read_only"]
        assert entry["count"] == visible_count(live_server, layer.id)
        for field in layer.fields:
            if field.name in entry["aliases"]:
                assert entry["aliases"][field.name].startswith(field.title.vi), field.name
        assert entry["labels"] == bool(layer.style.label)
        assert entry["display"] == f'"{layer.name_field}"'
    areas = seen["layers"]["growing_areas"]
    assert areas["crop_values"]["lúa"] == "rice" and areas["widgets"]["crop"] == "ValueMap"
    colors = {value: color for value, _label, color in areas["categories"] if value}
    assert colors == dict(catalogue.layer("growing_areas").style.colors)
    assert areas["first"][0] and areas["first"][1] > 0

    picture = np.asarray(Image.open(tmp_path / "map.png").convert("RGB"))
    assert seen["wms"]["valid"], seen["wms"]["error"]
    assert (picture != 255).any(axis=2).mean() > 0.05
    assert any(area["name"] in text for text in seen["wms"]["identified"])


def test_qgis_signs_in_with_the_configuration_that_the_office_names(
    qgis: None, live_server: Server, tmp_path: Path, area: dict[str, Any]
) -> None:
    officer = live_server.accounts["province_officer"]
    seen = look(live_server, tmp_path, area, via="oapif", user=officer)
    assert seen["signed_in"] and seen["read"]
    areas = seen["layers"]["growing_areas"]
    assert areas["valid"] and not areas["read_only"]
    assert areas["count"] == visible_count(live_server, "growing_areas", officer)
    assert areas["count"] > visible_count(live_server, "growing_areas")
    assert areas["aliases"]["owner_name"] == "Người đăng ký"


def test_qgis_opens_the_same_project_by_wfs(
    qgis: None, live_server: Server, tmp_path: Path, area: dict[str, Any]
) -> None:
    officer = live_server.accounts["province_officer"]
    seen = look(live_server, tmp_path, area, user=officer)
    for layer in catalogue.LAYERS:
        entry = seen["layers"][layer.id]
        assert entry["valid"] and entry["provider"] == "WFS", layer.id
        assert entry["count"] == visible_count(live_server, layer.id, officer)
    assert seen["layers"]["growing_areas"]["aliases"]["crop"] == "Cây trồng, vật nuôi"
    assert all(seen["relations"].values())


def test_gdal_reads_the_map_service(live_server: Server, tmp_path: Path, area: dict[str, Any]) -> None:
    program = shutil.which("gdal_translate")
    if program is None:
        lacking("gdal_translate (Debian: gdal-bin)")
    description = tmp_path / "wms.xml"
    west, south, east, north = area["box"]
    description.write_text(
        f"<GDAL_WMS><Service name='WMS'><Version>1.3.0</Version><ServerUrl>{live_server.url}/wms?</ServerUrl>"
        "<CRS>EPSG:4326</CRS><ImageFormat>image/png</ImageFormat><BBoxOrder>yxYX</BBoxOrder>"
        "<Layers>growing_areas</Layers><Styles></Styles></Service><DataWindow>"
        f"<UpperLeftX>{west}</UpperLeftX><UpperLeftY>{north}</UpperLeftY><LowerRightX>{east}</LowerRightX>"
        f"<LowerRightY>{south}</LowerRightY><SizeX>300</SizeX><SizeY>300</SizeY></DataWindow>"
        "<Projection>EPSG:4326</Projection><BandsCount>3</BandsCount></GDAL_WMS>",
        encoding="utf-8",
    )
    picture = tmp_path / "gdal.png"
    done = subprocess.run(
        [program, "-q", "-of", "PNG", str(description), str(picture)],
        capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    seen = np.asarray(Image.open(picture).convert("RGB"))
    column = int((area["point"].x - west) / (east - west) * 300)
    row = int((north - area["point"].y) / (north - south) * 300)
    assert (seen[row, column] != 255).any()


def test_owslib_reads_both_versions(live_server: Server, area: dict[str, Any]) -> None:
    west, south, east, north = area["box"]
    for version, box in (("1.3.0", (south, west, north, east)), ("1.1.1", (west, south, east, north))):
        service = WebMapService(f"{live_server.url}/wms", version=version)
        assert {layer.id for layer in catalogue.LAYERS} <= set(service.contents)
        assert service.contents["growing_areas"].title == "Vùng trồng, vùng nuôi"
        assert "EPSG:9207" in service.contents["growing_areas"].crsOptions
        answer = service.getmap(
            layers=["communes", "growing_areas"], styles=["default", "default"], srs="EPSG:4326",
            bbox=(west, south, east, north), size=(200, 200), format="image/png", transparent=True,
        )  # fmt: skip
        picture = np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGBA"))
        assert picture.shape == (200, 200, 4) and picture[:, :, 3].any(), box
        with pytest.raises(ServiceException):
            service.getmap(layers=["nope"], srs="EPSG:4326", bbox=box, size=(9, 9), format="image/png")
