"""Names in requests: which layer a type name means, which property a reference means, which row an id means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from data.accounts import Actor
from layers import catalogue
from layers.fields import Field, Layer
from services.formats.base import feature_id
from services.formats.gml import GEOMETRY, NAMESPACE, PREFIX
from services.wfs.dialects import GML, GML32
from services.wfs.exceptions import INVALID, OwsError

_ABSTRACT = {"AbstractFeature", "_Feature"}
_POSITION = re.compile(r"\[\s*1\s*\]$")
LARGEST_ID = 2**63 - 1


class Id(NamedTuple):
    """An id as it stands in a request: the layer that it names and the row's number."""

    layer: Layer
    number: int


class Reference(NamedTuple):
    """What a value reference means: a field, the geometry or the id of a feature; `standard` for gml:name and such."""

    kind: str
    field: Field | None = None
    standard: bool = False


def qualified(name: str, namespaces: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the namespace of a qualified name, None when its prefix is unknown, and its local part."""
    prefix, colon, local = name.strip().rpartition(":")
    uri = namespaces.get(prefix) if colon else (namespaces.get("") or None)
    if uri is None and prefix == PREFIX:
        uri = NAMESPACE
    return uri, local


def layers_of(name: str, namespaces: Mapping[str, str], locator: str = "typeNames") -> tuple[Layer, ...]:
    """Return the layer of a type name, or all layers for gml:AbstractFeature. Raises OwsError for another name."""
    uri, local = qualified(name, namespaces)
    if local in _ABSTRACT and (uri in (GML, GML32) or name.startswith("gml:")):
        return catalogue.LAYERS
    try:
        found = catalogue.layer(local)
    except KeyError:
        raise unknown_type(name, locator) from None
    # A default namespace is that of the request's own elements as often as not.
    if uri not in (None, NAMESPACE) and ":" in name:
        raise unknown_type(name, locator)
    return (found,)


def unknown_type(name: str, locator: str = "typeNames") -> OwsError:
    """Return the refusal of a type that is not served."""
    return OwsError("Không có lớp “%(name)s”.", code=INVALID, locator=locator, name=name[:100])


def each_once(layers: Iterable[Layer]) -> list[Layer]:
    """Return layers without repetition, in their order."""
    return list({layer.id: layer for layer in layers}.values())


def type_name(layer: Layer) -> str:
    """Return the name of a layer's feature type."""
    return f"{PREFIX}:{layer.id}"


def id_of(text: str) -> Id | None:
    """Return the row that an id names, or None for a text that is no id of ours."""
    layer_id, _, number = text.strip().rpartition(".")
    try:
        layer = catalogue.layer(layer_id)
    except KeyError:
        return None
    if not number.isascii() or not number.isdecimal() or int(number) > LARGEST_ID:
        return None
    return Id(layer, int(number)) if feature_id(layer, int(number)) == text.strip() else None


def ids_of(layer: Layer, texts: tuple[str, ...]) -> tuple[int, ...]:
    """Return the rows of a layer that ids name; unknown ones name none.

    Raises OwsError for the id of a row of another layer (OGC 09-025r2, 7.9.2.4.1).
    """
    found = [known for text in texts if (known := id_of(text)) is not None]
    for known in found:
        if known.layer is not layer:
            raise OwsError(
                "Mã “%(id)s” không thuộc lớp “%(layer)s”.",
                code=INVALID,
                locator="RESOURCEID",
                id=feature_id(known.layer, known.number),
                layer=layer.id,
            )
    return tuple(known.number for known in found)


def reference(text: str, layer: Layer, actor: Actor, locator: str = "valueReference") -> Reference:
    """Return what a value reference means: a name with or without prefix, or a short path that ends in one.

    Raises OwsError for anything that the caller's features do not have.
    """
    steps = [_POSITION.sub("", step.strip()) for step in text.strip().split("/")]
    steps = [step for step in steps if step not in ("", ".", "text()", "*")]
    if len(steps) > 1 and steps[0].rpartition(":")[2] == layer.id:
        steps = steps[1:]
    if len(steps) != 1:
        raise unknown_property(text, layer, locator)
    prefix, _, local = steps[0].rpartition(":")
    if steps[0] in ("@gml:id", "@fid", "@id"):
        return Reference("id")
    if prefix == "gml":
        return _standard(text, local, layer, actor, locator)
    if local == GEOMETRY:
        return Reference("geometry")
    return Reference("field", _field(text, local, layer, actor, locator))


def _standard(text: str, local: str, layer: Layer, actor: Actor, locator: str) -> Reference:
    """The properties that GML gives every feature: its name is the name that people call it by."""
    if local == "name":
        return Reference("field", layer.field(layer.name_field), standard=True)
    if local == "boundedBy":
        return Reference("bounds", standard=True)
    if local == "description" and any(f.name == "description" for f in layer.readable_fields(actor)):
        return Reference("field", layer.field("description"), standard=True)
    raise unknown_property(text, layer, locator)


def _field(text: str, name: str, layer: Layer, actor: Actor, locator: str) -> Field:
    for field in layer.readable_fields(actor):
        if field.name == name:
            return field
    raise unknown_property(text, layer, locator)


def unknown_property(text: str, layer: Layer, locator: str) -> OwsError:
    """Return the refusal of a property that a layer does not have."""
    return OwsError(
        "Lớp “%(layer)s” không có thuộc tính “%(name)s”.",
        code=INVALID,
        locator=locator,
        layer=layer.id,
        name=text[:100],
    )
