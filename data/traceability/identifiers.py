"""Names of things: GS1 Digital Links, and names of our own for what has no GS1 key.

One thing has one canonical name, whatever host, stem or older notation a document uses for it.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from data.traceability.digitallinks import CANONICAL_STEM, GTIN, DigitalLink, build, gtin14, link_of, parse
from data.traceability.epcurns import digital_link_of
from data.traceability.valuechecks import CSET82, IdentifierError, check_digit, has_check_digit

__all__ = [
    "CANONICAL_STEM",
    "DigitalLink",
    "IdentifierError",
    "area_uri",
    "build",
    "canonical",
    "check_digit",
    "commune_uri",
    "from_public_path",
    "gtin14",
    "has_check_digit",
    "is_gtin",
    "kind_of",
    "lot_uri",
    "own_parts",
    "parse",
    "producer_uri",
    "public_path",
    "sale_point_uri",
]

LOT, SERIAL = "10", "21"
OWN = "urn:ocop:"
OWN_LOT_PATH = "/lo"

_OWN = re.compile(r"urn:ocop:(lot|area|producer|commune|salepoint):([^:]+)(?::([^:]+))?(?::([^:]+))?")
_OWN_PATH = re.compile(r"/lo/(\d{1,18})/([^/]+)(?:/([^/]+))?", re.ASCII)
_OWN_KINDS = {"area": "place", "producer": "party", "commune": "place", "salepoint": "place"}
_KINDS_OF_KEYS = {"00": "sscc", "414": "place", "417": "party", "8004": "instance"}

#: Length of the part of a key that names a class; a longer one names a single thing.
_CLASS_LENGTHS = {"8003": 14, "253": 13, "255": 13}


def is_gtin(number: str | None) -> bool:
    """Tell whether a text is a GTIN of 8, 12, 13 or 14 digits with the right check digit."""
    return number is not None and len(number) in (8, 12, 13, 14) and has_check_digit(number)


def canonical(uri: str) -> str:
    """Return the one name of a thing: EPC URNs and Digital Links of any host as `https://id.gs1.org/…`.

    A name that is neither, or is one with a mistake in its structure, stays as it is.
    """
    if uri.startswith("urn:epc:"):
        link = digital_link_of(uri)
        return link.canonical if link else uri
    if uri[:4].lower() != "http":
        return uri
    try:
        return link_of(uri, tolerant=True).canonical
    except IdentifierError:
        return uri


def kind_of(uri: str) -> str:
    """Return what a name stands for: lot, instance, class, sscc, place, party or other."""
    own = _OWN.fullmatch(uri)
    if own:
        return _OWN_KINDS.get(own[1]) or ("instance" if own[4] else "lot" if own[3] else "other")
    name = canonical(uri)
    if name.startswith("urn:epc:"):
        return {"id": "instance", "class": "lot", "idpat": "class"}.get(name.split(":")[2], "other")
    try:
        return _kind_of_link(link_of(name, tolerant=True))
    except IdentifierError:
        return "other"


def _kind_of_link(link: DigitalLink) -> str:
    qualifiers = {ai for ai, _ in link.qualifiers}
    if link.key in _KINDS_OF_KEYS:
        return _KINDS_OF_KEYS[link.key]
    if qualifiers & {SERIAL, "235", "8011"}:
        return "instance"
    if LOT in qualifiers:
        return "lot"
    if link.key in _CLASS_LENGTHS:
        return "instance" if len(link.value) > _CLASS_LENGTHS[link.key] else "class"
    return "class" if link.key in (GTIN, "8006", "8010") else "other"


def lot_uri(gtin: str | None, product_id: int, lot_number: str, serial: str | None = None) -> str:
    """Return the canonical name of a lot, or of one jar or sample of it.

    It is a Digital Link where the product has a real GTIN and the lot number fits the standard, else a name of
    our own under the product's number; a GTIN is never made up.
    """
    if not lot_number:
        raise IdentifierError("Lô chưa có số lô nên chưa có mã truy xuất.")
    if is_gtin(gtin) and _fits(lot_number) and (serial is None or _fits(serial)):
        qualifiers = ((LOT, lot_number),) if serial is None else ((LOT, lot_number), (SERIAL, serial))
        return DigitalLink(CANONICAL_STEM, GTIN, gtin14(gtin or ""), qualifiers).canonical
    parts = [str(product_id), lot_number] + ([serial] if serial else [])
    return _own("lot", *parts)


def _fits(text: str) -> bool:
    """Tell whether a text can be a lot or serial number of GS1."""
    return 0 < len(text) <= 20 and set(text) <= set(CSET82)


def _own(kind: str, *parts: str) -> str:
    return f"{OWN}{kind}:" + ":".join(quote(part, safe="") for part in parts)


def area_uri(area_id: int) -> str:
    """Return the name of a growing area."""
    return _own("area", str(area_id))


def producer_uri(producer_id: int) -> str:
    """Return the name of a producer."""
    return _own("producer", str(producer_id))


def commune_uri(code: str) -> str:
    """Return the name of a commune by its code."""
    return _own("commune", code)


def sale_point_uri(sale_point_id: int) -> str:
    """Return the name of a shop."""
    return _own("salepoint", str(sale_point_id))


def own_parts(uri: str) -> tuple[str, ...] | None:
    """Return the parts of a name of our own: `("lot", "12", "L01")`, `("area", "7")`; None for another name."""
    found = _OWN.fullmatch(uri)
    if found is None or (found[1] == "lot") != (found[3] is not None):
        return None
    return tuple(unquote(part) for part in found.groups() if part is not None)


def public_path(uri: str) -> str:
    """Return the path of a thing's public address: `/01/{gtin}/10/{lot}[/21/{serial}]`, `/lo/{product}/{lot}`."""
    own = own_parts(uri)
    if own and own[0] == "lot":
        return "/".join((OWN_LOT_PATH, *(quote(part, safe="") for part in own[1:])))
    name = canonical(uri)
    if name.startswith(f"{CANONICAL_STEM}/"):
        return name.removeprefix(CANONICAL_STEM)
    raise IdentifierError("Mã này không có địa chỉ công khai: %(uri)s.", uri=uri)


def from_public_path(path: str) -> str:
    """Return the canonical name behind a public path, percent-encoded as in the address; refuse a wrong one."""
    own = _OWN_PATH.fullmatch(path.rstrip("/"))
    if own:
        return _own("lot", *(unquote(part) for part in own.groups() if part is not None))
    if path.startswith(f"{OWN_LOT_PATH}/"):
        raise IdentifierError("Địa chỉ lô phải có dạng /lo/{mã sản phẩm}/{số lô}.")
    return parse(CANONICAL_STEM + path, strict=False).canonical
