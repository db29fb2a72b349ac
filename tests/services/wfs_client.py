"""A caller of the feature service for tests: asks by address or by document, reads and validates the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from lxml import etree

from tests.xmlschemas import schema

APP = "http://www.ocopmap.vn/ns"
NAMES = {
    "wfs": "http://www.opengis.net/wfs/2.0",
    "wfs1": "http://www.opengis.net/wfs",
    "fes": "http://www.opengis.net/fes/2.0",
    "ogc": "http://www.opengis.net/ogc",
    "ows": "http://www.opengis.net/ows/1.1",
    "ows1": "http://www.opengis.net/ows",
    "gml": "http://www.opengis.net/gml/3.2",
    "gml3": "http://www.opengis.net/gml",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "app": APP,
}
GML_ID = "{http://www.opengis.net/gml/3.2}id"
LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


@dataclass
class Answer:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def root(self) -> Any:
        return etree.fromstring(self.body)

    @property
    def kind(self) -> str:
        return etree.QName(self.root).localname

    def all(self, path: str) -> list[Any]:
        return self.root.xpath(path, namespaces=NAMES)

    def text(self, path: str) -> str:
        found = self.all(path)
        assert found, f"nothing at {path} in {self.body[:2000].decode()}"
        return found[0] if isinstance(found[0], str) else "".join(found[0].itertext())

    @property
    def ids(self) -> list[str]:
        return [str(i) for i in self.all("//wfs:member/app:*/@gml:id")]

    @property
    def code(self) -> str:
        return self.text("//*[local-name()='Exception']/@exceptionCode")

    @property
    def locator(self) -> str:
        return self.text("//*[local-name()='Exception']/@locator")

    def shows(self, status: int, code: str, locator: str | None = None) -> None:
        """Assert that this is an exception report of version 2 with a sentence in it."""
        assert self.kind == "ExceptionReport", self.body[:1000].decode()
        assert (self.status, self.code) == (status, code), self.body.decode()
        assert self.root.get("version") == "2.0.0"
        assert self.text("//ows:ExceptionText").strip()
        if locator is not None:
            assert self.locator.lower() == locator.lower()


class Wfs:
    """Asks the service in one application."""

    def __init__(self, app: Any, headers: Mapping[str, str] | None = None) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.headers = dict(headers or {})

    def acting(self, headers: Mapping[str, str]) -> Wfs:
        """The same as somebody else."""
        return Wfs(self.app, headers)

    def get(self, operation: str | None = None, **keys: object) -> Answer:
        """Ask by address, in version 2.0.0 unless another is named; a key that is None is left out."""
        every = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": operation, **keys}
        if operation == "GetCapabilities" and "VERSION" not in keys:
            del every["VERSION"]
        response = self.client.get(
            "/wfs",
            query_string={k: str(v) for k, v in every.items() if v is not None},
            headers=self.headers,
        )
        return _answer(response)

    def follow(self, address: str) -> Answer:
        """Ask for an address from an answer."""
        parts = urlsplit(address)
        response = self.client.get(f"{parts.path}?{parts.query}", headers=self.headers)
        return _answer(response)

    def post(self, text: str | bytes, content_type: str = "text/xml") -> Answer:
        """Ask by document."""
        response = self.client.post("/wfs", data=text, content_type=content_type, headers=self.headers)
        return _answer(response)

    def valid(self, answer: Answer, folder: Path) -> Answer:
        """Assert that an answer is valid by the schemas that it names itself."""
        root = answer.root
        parts = (root.get(LOCATION) or "").split()
        places = dict(zip(parts[::2], parts[1::2], strict=True))
        assert etree.QName(root).namespace in places
        own = {a: self.follow(a).body for n, a in places.items() if n == APP}
        found = _schema(folder, tuple(places.items()), tuple(own.items()))
        assert found.validate(root), str(found.error_log)[:3000]
        return answer


def _answer(response: Any) -> Answer:
    body = response.get_data()
    response.close()
    return Answer(response.status_code, response.headers, body)


@lru_cache(maxsize=16)
def _schema(folder: Path, places: tuple[tuple[str, str], ...], own: tuple[tuple[str, bytes], ...]) -> Any:
    return schema(folder, dict(places), dict(own))


def transaction(body: str, version: str = "2.0.0", **attributes: str) -> str:
    """A transaction with these actions."""
    new = version.startswith("2")
    wfs, filters, gml = (
        ("http://www.opengis.net/wfs/2.0", "fes", "http://www.opengis.net/gml/3.2")
        if new
        else ("http://www.opengis.net/wfs", "ogc", "http://www.opengis.net/gml")
    )
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<wfs:Transaction service="WFS" version="{version}"{more} xmlns:wfs="{wfs}" xmlns:app="{APP}" '
        f'xmlns:{filters}="{NAMES[filters]}" xmlns:gml="{gml}">{body}</wfs:Transaction>'
    )


def positions(answer: Answer) -> list[list[float]]:
    texts = answer.all("//*[local-name()='pos' or local-name()='posList']/text()")
    return [[float(n) for n in t.split()] for t in texts]


def post(query: str, version: str = "2.0.0", **attributes: str) -> str:
    wfs, fes = ("wfs", "fes") if version.startswith("2") else ("wfs1", "ogc")
    gml = "gml" if version.startswith("2") else "gml3"
    more = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return (
        f'<wfs:GetFeature service="WFS" version="{version}"{more} xmlns:wfs="{NAMES[wfs]}" '
        f'xmlns:app="{NAMES["app"]}" xmlns:{fes}="{NAMES[fes]}" xmlns:gml="{NAMES[gml]}">{query}</wfs:GetFeature>'
    )
