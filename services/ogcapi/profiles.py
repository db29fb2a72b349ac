"""The parameter `profile`: codes with their titles, references as addresses, schemas with their code lists.

Source: OGC 23-058r2, requirements classes profile-parameter, profile-references and profile-codelists. A profile
that is not known here is left out, as that standard recommends, not refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import request

from layers import catalogue
from layers.fields import Field, Layer
from services.formats.base import feature_id

REGISTER = "http://www.opengis.net/def/profile/OGC/0/"
VALUES_AS_CODES, VALUES_AS_TITLES = "val-as-code", "val-as-title"
KEYS, URIS, LINKS = "rel-as-key", "rel-as-uri", "rel-as-link"
FEATURE_PROFILES = (VALUES_AS_CODES, VALUES_AS_TITLES, KEYS, URIS, LINKS)
CODES_INLINE = "codelist-inline"
_NAME = re.compile(r"(?:https?://www\.opengis\.net/def/profile/OGC/0/|\[ogc-profile:)?([a-z0-9-]+)\]?")


def from_request() -> tuple[str, ...]:
    """Return the profiles that are asked for and known, one of each kind, in a fixed order."""
    found: set[str] = set()
    for text in request.args.get("profile", "").split(","):
        matched = _NAME.fullmatch(text.strip())
        name = matched[1] if matched else ""
        kind = name.split("-")[0]
        if name in FEATURE_PROFILES and not any(other.startswith(kind) for other in found):
            found.add(name)
    return tuple(name for name in FEATURE_PROFILES if name in found)


def link_value(names: Sequence[str]) -> str:
    """Return the Link header of the profiles that an answer keeps to."""
    return ", ".join(f'<{REGISTER}{name}>; rel="profile"' for name in names)


def reference_of(layer: Layer, field: Field) -> Layer | None:
    """Return the layer whose rows a field names by number, if it is such a field."""
    column = layer.model.__table__.c.get(field.path if isinstance(field.path, str) else "")
    for key in column.foreign_keys if column is not None else ():
        return catalogue.layer_of_table(key.column.table.name)
    return None


def columns(
    layer: Layer,
    fields: Sequence[Field],
    values: Sequence[Sequence[Any]],
    names: Sequence[str],
    language: str,
    root: str,
) -> list[Sequence[Any]]:
    """Return the columns of a page as the profiles want them; `root` is the address of the API."""
    made: list[Sequence[Any]] = []
    for field, column in zip(fields, values, strict=True):
        codes = field.code_list if VALUES_AS_TITLES in names else None
        target = reference_of(layer, field) if URIS in names or LINKS in names else None
        if codes:
            labels = {value: code.label(language) for value, code in codes.items()}
            column = [None if v is None else labels.get(str(v), str(v)) for v in column]
        elif target is not None:
            column = [None if v is None else _reference(root, target, v, LINKS in names) for v in column]
        made.append(column)
    return made


def _reference(root: str, target: Layer, row_id: int, with_title: bool) -> Any:
    name = feature_id(target, row_id)
    href = f"{root}/collections/{target.id}/items/{name}"
    return {"href": href, "title": name} if with_title else href
