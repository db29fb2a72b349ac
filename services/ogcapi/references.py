"""Reference systems by their names (OGC API – Features Part 2): which there are, and which one a caller means."""

from __future__ import annotations

import re

from flask import request

from gis import srsname
from gis.crs import PROVINCE_CRS, UnknownCrs
from gis.srsname import SrsName
from services.errors import BadRequest

CRS84 = srsname.of(srsname.CRS84).uri
SUPPORTED = tuple(srsname.of(system.code).uri for system in PROVINCE_CRS)
STORAGE = CRS84
_CODES = frozenset(system.code for system in PROVINCE_CRS)
_CURIE = re.compile(r"\[(EPSG|OGC):([A-Za-z0-9]+)\]", re.IGNORECASE)


def named(text: str, parameter: str) -> SrsName:
    """Return a reference system of the province by its URI, URN or safe CURIE; BadRequest for any other."""
    if found := _CURIE.fullmatch(text.strip()):
        text = f"urn:ogc:def:crs:{found[1]}::{found[2]}"
    try:
        name = srsname.parse(text)
    except UnknownCrs as error:
        raise _unsupported(text, parameter) from error
    if (
        name.crs not in _CODES
        or ":" not in name.text
        or re.match(r"(EPSG|CRS|OGC):", name.text, re.IGNORECASE)
    ):
        raise _unsupported(text, parameter)
    return name


def parameter(name: str) -> SrsName:
    """Return the reference system of a parameter, CRS84 when it is absent."""
    return named(request.args.get(name, CRS84), name)


def of_body() -> SrsName:
    """Return the reference system of the body: Content-Crs with or without angle brackets, else CRS84."""
    text = request.headers.get("Content-Crs", CRS84).strip()
    return named(text.removeprefix("<").removesuffix(">"), "Content-Crs")


def header_value(name: SrsName) -> str:
    """Return the value of Content-Crs: the URI that the caller wrote, or ours for another kind of name."""
    return f"<{name.text if name.text.startswith('http') else name.uri}>"


def _unsupported(text: str, parameter: str) -> BadRequest:
    return BadRequest(
        "Hệ tọa độ “%(crs)s” không có trong danh sách của lớp; hãy xem mục crs của lớp.",
        parameter=parameter,
        crs=text[: srsname.LONGEST_NAME],
    )
