"""What a request for features asks: every parameter read, checked, and made into one query of the read path."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from flask import request

from data.accounts import Actor
from data.spatial import Box
from gis import srsname
from gis.srsname import SrsName
from layers import read
from layers.fields import Layer
from layers.filters import Filter, FilterError, IsNull, Not, Property, Spatial, all_of, at_time, cql2, shapes
from services.errors import BadRequest
from services.ogcapi import profiles, references
from services.parameters import (
    boolean,
    equalities,
    field_names,
    integer,
    queryable_names,
    refuse_unknown,
    sort,
)

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 10_000
LONGEST_FILTER = 50_000
GEOMETRY = "geometry"
#: Systems in which a box is a box in degrees too.
RECTANGULAR = (srsname.CRS84, "EPSG:4326", "EPSG:3857")
FILTER_LANGUAGES = ("cql2-text", "cql2-json")
ITEM_PARAMETERS = frozenset({"crs", "profile"})
PARAMETERS = ITEM_PARAMETERS | {
    "bbox",
    "bbox-crs",
    "datetime",
    "limit",
    "after",
    "sortby",
    "properties",
    "skipGeometry",
    "filter",
    "filter-lang",
    "filter-crs",
}


@dataclass(frozen=True)
class Asked:
    """One request for features."""

    query: read.Query
    target: SrsName
    profiles: tuple[str, ...]


def items(layer: Layer, actor: Actor) -> Asked:
    """Read the parameters of a request for the features of a layer. Raises BadRequest or FilterError."""
    refuse_unknown(PARAMETERS | queryable_names(layer, actor))
    box, within = _place()
    where = all_of(equalities(layer, actor), _time(layer), _filter(), within)
    query = read.Query(
        layer,
        actor,
        box=box,
        where=where,
        fields=field_names(layer, actor),
        sort=sort(layer, actor),
        limit=integer("limit", DEFAULT_LIMIT, minimum=1, maximum=LARGEST_LIMIT),
        after=request.args.get("after"),
        geometry=not boolean("skipGeometry"),
    )
    return Asked(query, references.parameter("crs"), profiles.from_request())


def _filter() -> Filter | None:
    language = request.args.get("filter-lang", FILTER_LANGUAGES[0])
    if language not in FILTER_LANGUAGES:
        raise BadRequest(
            "Tham số “%(parameter)s” nhận: %(known)s.",
            parameter="filter-lang",
            known=", ".join(FILTER_LANGUAGES),
        )
    system = references.parameter("filter-crs")
    text = request.args.get("filter")
    if text is None:
        return None
    if len(text) > LONGEST_FILTER:
        raise BadRequest("Bộ lọc dài quá %(limit)s ký tự.", parameter="filter", limit=LONGEST_FILTER)
    return cql2.parse(text, language, system.crs)


def _time(layer: Layer) -> Filter | None:
    text = request.args.get("datetime")
    if text is None:
        return None
    made: Filter | None = at_time(layer, text)
    # A moment chooses among all editions of the boundaries, not only the one in use.
    return all_of(made, Not(IsNull("edition"))) if layer.by_edition else made


def _place() -> tuple[Box | None, Filter | None]:
    """Return what `bbox` in the axis order of `bbox-crs` asks for: a lon/lat box, or a shape for other systems."""
    system = references.parameter("bbox-crs")
    text = request.args.get("bbox")
    if text is None:
        return None, None
    try:
        shape = shapes.from_bbox(text.split(","), system.crs)
    except FilterError as error:
        raise _bad_box() from error
    west, south, east, north = shape.geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _bad_box()
    if system.crs in RECTANGULAR and len(shapely.get_parts(shape.geometry)) == 1:
        return (west, south, east, north), None
    return None, Spatial("s_intersects", Property(GEOMETRY), shape)


def _bad_box() -> BadRequest:
    return BadRequest(
        "Tham số “%(parameter)s” phải là bốn (hoặc sáu) số: hai góc dưới và trên theo thứ tự trục của bbox-crs.",
        parameter="bbox",
    )
