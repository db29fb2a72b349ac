"""What a transaction does, action by action: features and properties in XML become edits of the one edit path."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from data import wfs as kept
from data.wfs import WfsLock
from gis import gml
from gis.errors import Refusal
from gis.gml import GmlError
from gis.srsname import SrsName
from layers import catalogue, locks, read
from layers.edit import KEEP, Edits, NotFound
from layers.fields import Field, FieldType, Layer
from layers.filters import Filter, FilterError, Ids, cast
from services.formats.gml import GEOMETRY, NAMESPACE
from services.wfs import xml
from services.wfs.dialects import GML, GML32, XSI, Dialect
from services.wfs.exceptions import NOT_SUPPORTED, OPTION, VALUE, OwsError, invalid, missing
from services.wfs.names import layers_of, reference
from services.wfs.queries import filter_of, target_of

_GML_SPACES = (GML, GML32)
_IGNORED = {"boundedBy", "identifier", "location", "metaDataProperty", "descriptionReference"}
_COLLECTIONS = {"FeatureCollection", "featureMember", "featureMembers", "member"}
VERSION_FIELD = "version"


@dataclass(frozen=True)
class Done:
    """A row that an action made or changed, and the handle of the action."""

    layer: Layer
    row_id: int
    handle: str | None


@dataclass
class Actions:
    """Carries out the actions of one transaction, and remembers what they did."""

    edits: Edits
    dialect: Dialect
    lock: WfsLock | None = None
    srs_name: str | None = None
    inserted: list[Done] = field(default_factory=list)
    updated: list[Done] = field(default_factory=list)
    replaced: list[Done] = field(default_factory=list)
    deleted: list[Done] = field(default_factory=list)

    @property
    def touched(self) -> dict[str, list[int]]:
        """The rows of all actions, by table."""
        found: dict[str, list[int]] = {}
        for done in (*self.inserted, *self.updated, *self.replaced, *self.deleted):
            found.setdefault(done.layer.table, []).append(done.row_id)
        return found

    def carry_out(self, element: Any) -> None:
        """Carry out one action. Raises EditError, OwsError and what filters and geometries raise."""
        match xml.local(element):
            case "Insert":
                self._insert(element)
            case "Update":
                self._update(element)
            case "Replace":
                self._replace(element)
            case "Delete":
                self._delete(element)
            case "Native" if (element.get("safeToIgnore") or "").lower() in ("true", "1"):
                return
            case name:
                raise OwsError(
                    "Giao dịch không nhận hành động “%(action)s”.",
                    code=NOT_SUPPORTED,
                    locator=element.get("handle") or name,
                    action=name,
                )

    # ---- the actions

    def _insert(self, element: Any) -> None:
        if (element.get("idgen") or "GenerateNew") != "GenerateNew":
            raise OwsError("Mã của bản ghi mới do máy chủ đặt.", code=OPTION, locator="idgen")
        default = self._system(element)
        for feature in _features_in(element):
            layer = _layer_of(feature)
            values, geometry, _ = self._values(layer, feature, default)
            row_id = self.edits.insert(layer, values, None if geometry is KEEP else geometry)
            self.inserted.append(Done(layer, row_id, element.get("handle")))

    def _update(self, element: Any) -> None:
        default = self._system(element)
        properties = list(xml.children(element, "Property"))
        if not properties:
            raise missing("Property")
        for layer in self._layers(element):
            values: dict[str, Any] = {}
            geometry: Any = KEEP
            fixed: dict[str, str] = {}
            version: int | None = None
            for part in properties:
                name, value = self._property(layer, part, default)
                if name == GEOMETRY:
                    geometry = value
                elif name == VERSION_FIELD:
                    version = _whole(layer, value)
                elif layer.field(name).writable:
                    values[name] = value
                elif value is not None:
                    fixed[name] = value
            rows = self._rows(layer, element)
            self._unchanged(layer, fixed, rows)
            for row_id in rows:
                self.edits.update(layer, row_id, values, geometry, version=version)
                self.updated.append(Done(layer, row_id, element.get("handle")))

    def _replace(self, element: Any) -> None:
        default = self._system(element)
        feature = next((e for e in xml.children(element) if xml.local(e) != "Filter"), None)
        if feature is None:
            raise missing("Feature")
        layer = _layer_of(feature)
        found = self._rows(layer, element, needed=True)
        if len(found) != 1:
            raise OwsError(
                "Bộ lọc của Replace phải chỉ đúng một bản ghi, nay chỉ %(count)s.",
                code=VALUE,
                locator=element.get("handle") or "Filter",
                count=len(found),
            )
        given, geometry, version = self._values(layer, feature, default)
        readable = layer.readable_fields(self.edits.actor)
        values = {f.name: given.get(f.name) for f in readable if f.writable}
        self.edits.update(layer, found[0], values, None if geometry is KEEP else geometry, version=version)
        self.replaced.append(Done(layer, found[0], element.get("handle")))

    def _delete(self, element: Any) -> None:
        for layer in self._layers(element):
            for row_id in self._rows(layer, element, needed=True):
                self.edits.delete(layer, row_id)
                self.deleted.append(Done(layer, row_id, element.get("handle")))

    # ---- which rows

    def _layers(self, element: Any) -> tuple[Layer, ...]:
        name = element.get("typeName")
        if not name:
            raise missing("typeName")
        return layers_of(name, xml.prefixes(element), "typeName")

    def _rows(self, layer: Layer, element: Any, *, needed: bool = False) -> list[int]:
        """Return the ids of the rows that an action is about, none of which is under somebody else's lock."""
        selected = xml.first(element, "Filter")
        where = None if selected is None else filter_of(selected, layer, self.dialect)
        if where is None and needed:
            raise missing("Filter")
        query = read.Query(layer, self.edits.actor, where=where)
        found = locks.row_ids(self.edits.session, query)
        _all_there(layer, where, found)
        kept.refuse_locked(self.edits.session, layer.id, layer.table, found, self.lock)
        return found

    def _unchanged(self, layer: Layer, fixed: Mapping[str, str], rows: Sequence[int]) -> None:
        """Refuse new values of fields that nobody sets; old ones may be repeated, as GDAL does with every field."""
        names = tuple(n for n in fixed if layer.field(n).type != FieldType.DATETIME)
        if not names or not rows:
            return
        query = read.Query(layer, self.edits.actor, where=Ids(tuple(rows)), fields=names, geometry=False)
        for page in read.stream(self.edits.session, query):
            for known, column in zip(page.fields, page.columns, strict=True):
                if not all(_same(known, value, fixed[known.name]) for value in column):
                    raise _read_only(layer, known.name)

    # ---- values

    def _system(self, element: Any) -> SrsName:
        return target_of(element.get("srsName") or self.srs_name, self.dialect)

    def _values(self, layer: Layer, feature: Any, default: SrsName) -> tuple[dict[str, Any], Any, int | None]:
        """Return the fields, the geometry or KEEP, and the version of a feature element."""
        values: dict[str, Any] = {}
        named: dict[str, Any] = {}
        geometry: Any = KEEP
        version: int | None = None
        for child in xml.children(feature):
            name = xml.local(child)
            if xml.namespace(child) in _GML_SPACES:
                if name in ("name", "description"):
                    named[name] = _text(layer, child)
                elif name not in _IGNORED:
                    raise _unknown(layer, name)
            elif name == GEOMETRY:
                geometry = self._geometry(child, default)
            elif name == VERSION_FIELD and _field(layer, name, self.edits) is not None:
                version = _whole(layer, _text(layer, child))
            elif _field(layer, name, self.edits) is None:
                raise _unknown(layer, name)
            else:
                values[name] = _text(layer, child)
        return {**self._standard(layer, named), **values}, geometry, version

    def _standard(self, layer: Layer, named: dict[str, Any]) -> dict[str, Any]:
        """What gml:name and gml:description mean where the feature's own fields do not say it."""
        found = {layer.name_field: named["name"]} if "name" in named else {}
        if "description" in named and _field(layer, "description", self.edits) is not None:
            found["description"] = named["description"]
        return found

    def _property(self, layer: Layer, part: Any, default: SrsName) -> tuple[str, Any]:
        """Return the field and the new value of a Property element; without a value it is emptied."""
        name = xml.first(part, "ValueReference", "Name")
        if name is None or not xml.text_of(name):
            raise missing("ValueReference" if self.dialect.is_new else "Name")
        text = xml.text_of(name)
        action = name.get("action") or "replace"
        if action not in ("replace", "remove"):
            raise invalid("action", action)
        try:
            meant = reference(text, layer, self.edits.actor)
        except OwsError as error:
            raise OwsError(error.message, code=VALUE, locator=text, **error.facts) from error
        value = None if action == "remove" else xml.first(part, "Value")
        if meant.kind == "geometry":
            return GEOMETRY, None if value is None else self._geometry(value, default)
        if meant.field is None:
            raise _read_only(layer, text)
        return meant.field.name, None if value is None else _text(layer, value)

    def _geometry(self, holder: Any, default: SrsName) -> shapely.Geometry | None:
        element = next(xml.children(holder), None)
        if element is None:
            return None
        old = self.dialect.family == "1.0"
        try:
            found: shapely.Geometry = gml.parse(element, default_srs=default.text, always_xy=old)
        except Refusal as error:
            code = VALUE if isinstance(error, GmlError) else "InvalidParameterValue"
            raise OwsError(error.message, code=code, locator=GEOMETRY, **error.facts) from error
        return found


def _features_in(element: Any) -> Iterator[Any]:
    """Yield the features inside an Insert, however they are wrapped."""
    found = False
    for child in xml.children(element):
        if xml.local(child) in _COLLECTIONS:
            yield from _features_in(child)
            found = True
        elif not (xml.namespace(child) in _GML_SPACES and xml.local(child) == "boundedBy"):
            yield child
            found = True
    if not found and xml.local(element) == "Insert":
        raise missing("Feature")


def _layer_of(feature: Any) -> Layer:
    try:
        if xml.namespace(feature) in (NAMESPACE, ""):
            return catalogue.layer(xml.local(feature))
    except KeyError:
        pass
    raise OwsError(
        "Không có lớp “%(name)s” để ghi.", code=VALUE, locator=xml.local(feature), name=xml.local(feature)
    )


def _all_there(layer: Layer, where: Filter | None, found: list[int]) -> None:
    """Refuse a change of named rows of which one is gone: its editor should know that somebody was faster."""
    if not isinstance(where, Ids):
        return
    known = set(found)
    for wanted in where.ids:
        number = str(wanted).rpartition(".")[2]
        if not number.isdecimal() or int(number) not in known:
            raise NotFound(
                "Không có bản ghi %(id)s trong lớp %(layer)s; có thể người khác đã xóa. Hãy tải lại lớp.",
                id=number[:40],
                layer=layer.title,
            )


def _field(layer: Layer, name: str, edits: Edits) -> Field | None:
    return next((f for f in layer.readable_fields(edits.actor) if f.name == name), None)


def _text(layer: Layer, element: Any) -> str | None:
    """Return the text of a simple property; an empty one, or one that is nil, has no value."""
    if (element.get(f"{{{XSI}}}nil") or "").lower() in ("true", "1"):
        return None
    if next(xml.children(element), None) is not None:
        raise OwsError(
            "Thuộc tính “%(name)s” của lớp %(layer)s chỉ nhận giá trị đơn.",
            code=VALUE,
            locator=xml.local(element),
            name=xml.local(element),
            layer=layer.id,
        )
    return "".join(element.itertext()) or None


def _same(known: Field, value: Any, text: str) -> bool:
    """Tell whether a text says what a field holds already; numbers may have lost their last digits on the way."""
    try:
        if known.type == FieldType.DATE:
            return bool(value == cast(known, text.replace("/", "-")[:10]))
        given: Any = cast(known, text)
    except FilterError:
        return False
    if known.type == FieldType.NUMBER and value is not None:
        return math.isclose(value, given, rel_tol=1e-6)
    return bool(value == given)


def _whole(layer: Layer, value: str | None) -> int | None:
    if value is None:
        return None
    if not value.strip().isdecimal() or len(value) > 18:
        raise OwsError(
            "“%(value)s” không phải số phiên bản.", code=VALUE, locator=VERSION_FIELD, value=value[:40]
        )
    return int(value)


def _unknown(layer: Layer, name: str) -> OwsError:
    return OwsError(
        "Lớp “%(layer)s” không có thuộc tính “%(name)s”.",
        code=VALUE,
        locator=name,
        layer=layer.id,
        name=name[:100],
    )


def _read_only(layer: Layer, name: str) -> OwsError:
    return OwsError(
        "Thuộc tính “%(name)s” của lớp %(layer)s chỉ đọc.",
        code=VALUE,
        locator=name,
        name=name,
        layer=layer.id,
    )
