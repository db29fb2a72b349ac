"""From queries as they were sent to questions for the read path: layers, filters, fields, order and coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from data.accounts import Actor
from data.spatial import Box
from gis import crs as reference_systems
from gis import srsname
from gis.crs import PROVINCE_CRS, OutsideCrs
from gis.errors import Refusal
from gis.srsname import SrsName
from layers import read
from layers.fields import Layer
from layers.filters import Always, Filter, Ids, Property, Shape, Spatial, all_of, cql2
from services.formats.gml import GEOMETRY
from services.wfs import fes, xml
from services.wfs.dialects import Dialect
from services.wfs.exceptions import INVALID, OPTION, OwsError, invalid
from services.wfs.names import ids_of, layers_of, reference
from services.wfs.requests import Query

SUPPORTED = frozenset(system.code for system in PROVINCE_CRS)
LONGEST_TEXT = 20_000
#: Points along each side of a box in metres, so that it keeps its shape in degrees.
BOX_STEPS = 16


@dataclass(frozen=True)
class Ask:
    """One question for the read path, and the reference system that its answer is written in.

    `bare` asks for the feature itself, without a collection around it.
    """

    query: read.Query
    target: SrsName
    bare: bool = False
    given_crs: bool = False


def understand(query: Query, dialect: Dialect, actor: Actor) -> list[Ask]:
    """Return the questions of one query: one for each type. Raises OwsError, FilterError, GmlError, UnknownCrs."""
    if query.single and dialect.is_new:
        raise OwsError("Dịch vụ không nối các lớp trong một truy vấn.", code=OPTION, locator="typeNames")
    locator = "typeNames" if dialect.is_new else "typeName"
    target = target_of(query.srs_name, dialect)
    found = [layer for name in query.type_names for layer in layers_of(name, query.namespaces, locator)]
    return [_ask(query, layer, target, dialect, actor) for layer in found]


def _ask(query: Query, layer: Layer, target: SrsName, dialect: Dialect, actor: Actor) -> Ask:
    fields, geometry = projection(query.properties, layer, actor)
    box, area = _box(query.bbox, dialect)
    where = all_of(
        None if query.filter is None else filter_of(query.filter, layer, dialect),
        None if query.cql is None else _cql(query.cql),
        Ids(ids_of(layer, query.ids)) if query.ids else None,
        area,
    )
    made = read.Query(
        layer,
        actor,
        box=box,
        where=where,
        fields=fields,
        geometry=geometry,
        sort=tuple(_sort(name, descending, layer, actor) for name, descending in query.sort),
    )
    return Ask(made, target, given_crs=query.srs_name is not None)


def target_of(name: str | None, dialect: Dialect) -> SrsName:
    """Return the reference system that an answer is wanted in; by default the record's own.

    Version 1.0 always writes east before north. Raises OwsError for a system that the province does not use.
    """
    if name is None:
        return default_target(dialect)
    try:
        found = srsname.parse(name)
    except Refusal as error:
        raise OwsError(error.message, code=INVALID, locator="SRSNAME", **error.facts) from error
    if found.crs not in SUPPORTED:
        raise invalid("SRSNAME", name)
    return found.always_xy() if dialect.family == "1.0" else found


def default_target(dialect: Dialect) -> SrsName:
    """Return the reference system that a version's answers are in when none is asked for."""
    return srsname.parse("EPSG:4326") if dialect.family == "1.0" else srsname.of("EPSG:4326")


def projection(
    names: Sequence[str] | None, layer: Layer, actor: Actor
) -> tuple[tuple[str, ...] | None, bool]:
    """Return the fields that an answer should have, None for all, and whether it should have the geometry."""
    if names is None:
        return None, True
    meant = [reference(name, layer, actor, "propertyName") for name in names]
    fields = {m.field.name for m in meant if m.field is not None}
    in_order = tuple(f.name for f in layer.readable_fields(actor) if f.name in fields)
    return in_order, any(m.kind == "geometry" for m in meant)


def _sort(name: str, descending: bool, layer: Layer, actor: Actor) -> tuple[str, bool]:
    meant = reference(name, layer, actor, "sortBy")
    if meant.field is None or not meant.field.sortable:
        raise invalid("sortBy", name)
    return meant.field.name, descending


# ---- filters


def filter_of(element: Any, layer: Layer, dialect: Dialect) -> Filter | None:
    """Return the filter of an element (FES 1.0, 1.1, 2.0) for a layer. Raises FilterError or OwsError.

    Geometries without srsName are in the system of the record, not in that of the answer.
    """
    xml.limit(element)
    if next(xml.children(element), None) is None:
        return None
    return fes.parse(element, layer=layer, version=dialect.family, default_crs=default_target(dialect).text)


def _cql(text: str) -> Filter:
    if len(text) > LONGEST_TEXT:
        raise invalid("CQL_FILTER", text)
    return cql2.parse_text(text)


def _box(text: str | None, dialect: Dialect) -> tuple[Box | None, Filter | None]:
    """Return the lon/lat box of `BBOX=`, or for a box in metres the area in degrees that it covers.

    The order of the numbers follows the form of the reference system's name; without one it is that of the layer's
    default system in version 2 (7.9.2.3), and east before north in version 1.
    """
    if text is None:
        return None, None
    parts = [part.strip() for part in text.split(",")]
    try:
        numbers = [float(part) for part in parts[:4]]
        system = srsname.parse(",".join(parts[4:])) if len(parts) > 4 else None
    except (ValueError, Refusal) as error:
        raise invalid("BBOX", text) from error
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise invalid("BBOX", text)
    if system is None:
        system = default_target(dialect) if dialect.is_new else srsname.parse("EPSG:4326")
    if dialect.family == "1.0":
        system = system.always_xy()
    a, b, c, d = numbers
    west, south, east, north = (b, a, d, c) if system.swapped else (a, b, c, d)
    if west > east or south > north:
        raise invalid("BBOX", text)
    if system.crs in (srsname.CRS84, "EPSG:4326"):
        return (max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)), None
    return None, Spatial("s_intersects", Property(GEOMETRY), Shape(_area((west, south, east, north), system)))


def _area(box: Box, system: SrsName) -> shapely.Geometry:
    west, south, east, north = box
    step = max(east - west, north - south) / BOX_STEPS
    outline = (
        shapely.segmentize(shapely.box(west, south, east, north), step)
        if step
        else shapely.Point(west, south)
    )
    try:
        moved = reference_systems.transform(np.array([outline], dtype=object), system.crs, srsname.CRS84)
    except OutsideCrs as error:
        raise OwsError(error.message, code=INVALID, locator="BBOX", **error.facts) from error
    return moved[0]


def nothing(ask: Ask) -> Ask:
    """Return a question that has no answer."""
    return replace(ask, query=replace(ask.query, where=Always(False)))


def by_layer(rows: Mapping[str, Sequence[int]], asks: Sequence[Ask]) -> list[Ask]:
    """Narrow questions to rows given by layer id."""
    return [
        replace(ask, query=replace(ask.query, where=Ids(tuple(rows.get(ask.query.layer.id, ()))), box=None))
        for ask in asks
    ]
