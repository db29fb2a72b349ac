"""Words of EPCIS 2.0 and its Core Business Vocabulary: where a bare word belongs, older names, default prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
GS1_CONTEXTS = (
    "https://ref.gs1.org/standards/epcis/",
    "https://gs1.github.io/EPCIS/",
    "https://gs1.github.io/epcis/",
)

EPCIS = "https://ref.gs1.org/epcis/"
CBV = "https://ref.gs1.org/cbv/"
GS1 = "https://gs1.org/voc/"
COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"

EPCIS_TYPES = ""
STEPS, DISPOSITIONS = CBV + "BizStep-", CBV + "Disp-"
TRANSACTION_TYPES, PARTY_TYPES = CBV + "BTT-", CBV + "SDT-"
COMPONENTS, REASONS = CBV + "Comp-", CBV + "ER-"
MEASUREMENTS = GS1

PREFIXES = {
    "bizStep": STEPS,
    "disposition": DISPOSITIONS,
    "component": COMPONENTS,
    "exception": GS1,
    "reason": REASONS,
}

OLD_NAMES = {
    "urn:epcglobal:cbv:bizstep:": STEPS,
    "urn:epcglobal:cbv:disp:": DISPOSITIONS,
    "urn:epcglobal:cbv:btt:": TRANSACTION_TYPES,
    "urn:epcglobal:cbv:sdt:": PARTY_TYPES,
    "urn:epcglobal:cbv:er:": REASONS,
}

DEFAULT_NAMESPACES = {
    "epcis": EPCIS,
    "cbv": CBV,
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": GS1,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}

URI_SCHEMES = frozenset(
    {"http", "https", "urn", "ni", "did", "geo", "tag", "info", "mailto", "data", "doi", "oid"}
)

KEY_WORDS = {
    "sscc": "00",
    "gtin": "01",
    "gdti": "253",
    "gcn": "255",
    "ginc": "401",
    "gsin": "402",
    "gln": "414",
    "party": "417",
    "grai": "8003",
    "giai": "8004",
    "itip": "8006",
    "cpid": "8010",
    "gsrnp": "8017",
    "gsrn": "8018",
}
QUALIFIER_WORDS = {"lot": "10", "ser": "21", "cpv": "22", "glnx": "254", "cpsn": "8011"}


def contexts(context: Any) -> list[Any]:
    """Return a JSON-LD context as a list, whatever of its three shapes it has."""
    if context is None:
        return []
    return list(context) if isinstance(context, list | tuple) else [context]


def namespaces(*of: Any) -> dict[str, str]:
    """Return {prefix: namespace} of contexts over the standard's own; later ones win."""
    found = dict(DEFAULT_NAMESPACES)
    for entry in _entries(of):
        if isinstance(entry, Mapping):
            for prefix, namespace in entry.items():
                target = namespace.get("@id") if isinstance(namespace, Mapping) else namespace
                if isinstance(target, str) and not prefix.startswith("@"):
                    found[prefix] = target
    return found


def foreign(*of: Any) -> bool:
    """Tell whether a context points at a document that is not GS1's, which may declare prefixes unseen here."""
    return any(isinstance(entry, str) and not entry.startswith(GS1_CONTEXTS) for entry in _entries(of))


def undeclared(name: str, known: Mapping[str, str]) -> str | None:
    """Return the prefix of a field's name if it is neither declared nor the scheme of a URI."""
    prefix, colon, rest = name.partition(":")
    if not colon or prefix in known or prefix in URI_SCHEMES or rest.startswith("//"):
        return None
    return prefix


def _entries(of: tuple[Any, ...]) -> Iterator[Any]:
    for context in of:
        yield from contexts(context)
