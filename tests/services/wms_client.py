"""A caller of the map service for tests: asks, reads pictures and validates exceptions."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from lxml import etree
from PIL import Image

from data.store import Store
from layers import catalogue
from tests.xmlschemas import schema
from webmap.app import create_app
from webmap.settings import Settings

OGC = "http://www.opengis.net/ogc"
EXCEPTIONS_SCHEMA = {OGC: "http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"}
WORLD = (104.6, 8.5, 105.5, 9.6)


@contextmanager
def application(record: Store, instance: Path) -> Iterator[Any]:
    """The whole application on a record that is only read."""
    settings = Settings.from_environment(
        {
            "OCOPMAP_DATABASE_URL": record.url.render_as_string(hide_password=False),
            "OCOPMAP_INSTANCE": str(instance),
            "OCOPMAP_SECRET_KEY": "x" * 40,
        }
    )
    made = create_app(settings)
    made.config.update(TESTING=True)
    yield made
    made.extensions["ocop_store"].dispose()


def ask(
    client: FlaskClient, request: str, headers: dict[str, str] | None = None, **parameters: object
) -> Any:
    values = {"SERVICE": "WMS", "REQUEST": request, "VERSION": "1.3.0"} | parameters
    given = {name: str(value) for name, value in values.items() if value is not None}
    return client.get("/wms", query_string=given, headers=headers)


def get_map(client: FlaskClient, headers: dict[str, str] | None = None, **parameters: object) -> Any:
    usual = {
        "LAYERS": "growing_areas",
        "STYLES": "",
        "CRS": "CRS:84",
        "BBOX": ",".join(map(str, WORLD)),
        "WIDTH": 200,
        "HEIGHT": 200,
        "FORMAT": "image/png",
    }
    return ask(client, "GetMap", headers, **(usual | parameters))


def get_info(client: FlaskClient, headers: dict[str, str] | None = None, **parameters: object) -> Any:
    usual = {
        "LAYERS": "growing_areas",
        "QUERY_LAYERS": "growing_areas",
        "STYLES": "",
        "CRS": "CRS:84",
        "BBOX": ",".join(map(str, WORLD)),
        "WIDTH": 200,
        "HEIGHT": 200,
        "INFO_FORMAT": "application/json",
        "I": 100,
        "J": 100,
    }
    return ask(client, "GetFeatureInfo", headers, **(usual | parameters))


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))


def tree(answer: Any) -> etree._Element:
    return etree.fromstring(answer.data, etree.XMLParser(load_dtd=False, no_network=True))


def code_of(answer: Any, real_data: Path, status: int = 400) -> str:
    """Return the code of an exception after validating it and looking at its sentence."""
    assert answer.status_code == status and answer.mimetype == "text/xml"
    report = tree(answer)
    schema(real_data, EXCEPTIONS_SCHEMA).assertValid(report)
    assert report.get("version") == "1.3.0"
    entry = report.find(f"{{{OGC}}}ServiceException")
    assert entry.text.strip().endswith(".")
    return entry.get("code")


def one_area(record: Store, where: str = "status = 'published'") -> dict[str, Any]:
    """Return the largest growing area that meets a condition, straight from its table."""
    with record.reading() as session:
        row = session.execute(
            sa.text(
                f"SELECT id, name, crop, owner_name FROM growing_areas WHERE {where} ORDER BY area_ha DESC LIMIT 1"
            )
        ).one()
        shape = session.get(catalogue.layer("growing_areas").model, row.id).geom
    return {**row._mapping, "geom": shape, "inside": shapely.point_on_surface(shape)}


def around(point: shapely.Point, reach: float = 2e-5) -> tuple[float, float, float, float]:
    return point.x - reach, point.y - reach, point.x + reach, point.y + reach


def text_of(box: tuple[float, ...]) -> str:
    return ",".join(f"{value:.9f}" for value in box)
