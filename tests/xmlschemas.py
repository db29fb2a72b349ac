"""XML Schemas of OGC and W3C from the folder of real data, so that answers are validated without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

ROOTS = {"schemas.opengis.net": "ogc", "www.w3.org": "w3c"}


class _Offline(etree.Resolver):  # type: ignore[misc]
    """Reads every schema under its one canonical address; two addresses of a file would declare it twice."""

    def __init__(self, folder: Path, documents: Mapping[str, bytes]) -> None:
        self.folder = folder
        self.documents = documents

    def resolve(self, address: str, public_id: str, context: Any) -> Any:
        if address in self.documents:
            return self.resolve_string(self.documents[address], context, base_url=address)
        host, _, path = address.partition("://")[2].partition("/")
        if host not in ROOTS:
            raise AssertionError(f"a schema outside the folder: {address}")
        text = (self.folder / "ogc-schemas" / ROOTS[host] / path).read_bytes()
        return self.resolve_string(text, context, base_url=f"http://{host}/{path}")


def schema(
    folder: Path, addresses: Mapping[str, str], documents: Mapping[str, bytes] | None = None
) -> etree.XMLSchema:
    """Return a schema that imports namespaces from addresses; `documents` are schemas of our own by address."""
    parser = etree.XMLParser()
    parser.resolvers.add(_Offline(folder, documents or {}))
    imports = "".join(
        f"<xsd:import namespace={quoteattr(namespace)} schemaLocation={quoteattr(address)}/>"
        for namespace, address in addresses.items()
    )
    text = f'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">{imports}</xsd:schema>'
    return etree.XMLSchema(etree.fromstring(text, parser, base_url="http://schemas.opengis.net/test.xsd"))
