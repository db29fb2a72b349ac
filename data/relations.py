"""Spatial relations between rows and a given shape in SQL, alike on both databases: the spatial index first."""

from __future__ import annotations

from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from data.columns import SRID
from data.spatial import meets_box, raw_geometry
from gis.predicates import RELATIONS, GivenShape, reach_degrees

#: Between so many degrees an arc leaves the straight line by less than a metre in Vietnam's latitudes.
LONGEST_EDGE_DEGREES = 0.1
MOST_EDGES = 10_000

_POSTGIS = {name: f"ST_{name.capitalize()}" for name in RELATIONS}


class _Number(TypeDecorator[GivenShape]):
    """A given shape as the number by which SQL functions know it; the statement that holds it keeps it alive."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: GivenShape | None, dialect: Any) -> Any:
        return value.number if value is not None else None


def related(
    model: Any, relation: str, shape: GivenShape, *, embedded: bool, indexed: bool = True
) -> sa.ColumnElement[bool]:
    """Say that a row's geometry stands in one of RELATIONS to a lon/lat shape; NULL where there is no geometry.

    With `indexed`, rows without a geometry may count as false instead of unknown, which only a negation would show.
    """
    geometry = raw_geometry(model)
    if not embedded:
        return getattr(sa.func, _POSTGIS[relation])(geometry, _constant(shape), type_=sa.Boolean)
    exact = _called(f"ocop_{relation}", geometry, _number(shape))
    if relation == "disjoint" or not indexed:
        return exact
    return sa.and_(meets_box(model, shape.bounds, embedded=True), exact)


def within_distance(
    model: Any, shape: GivenShape, metres: float, *, embedded: bool, indexed: bool = True
) -> sa.ColumnElement[bool]:
    """Say that a row's geometry is within a distance of a lon/lat shape, on the WGS84 ellipsoid."""
    geometry = raw_geometry(model)
    if embedded:
        exact = _called("ocop_dwithin", geometry, _number(shape), sa.literal(metres, sa.Double))
    else:
        near = sa.func.ST_DWithin(
            _geography(geometry), _geography(_bent(shape)), sa.literal(metres, sa.Double), type_=sa.Boolean
        )
        # What lies inside a wide shape is told on the map: on the globe its inside may be its outside.
        exact = sa.or_(related(model, "intersects", shape, embedded=False), near)
    if not indexed:
        return exact
    return sa.and_(meets_box(model, reach_degrees(shape.bounds, metres), embedded=embedded), exact)


def _called(name: str, *arguments: Any) -> sa.ColumnElement[bool]:
    return getattr(sa.func, name)(*arguments, type_=sa.Integer) == 1


def _number(shape: GivenShape) -> Any:
    return sa.literal(shape, _Number)


def _bent(shape: GivenShape) -> Any:
    """The edges of a geography are arcs of great circles; short ones keep to the straight line between degrees."""
    longest = max(LONGEST_EDGE_DEGREES, shape.geometry.length / MOST_EDGES)
    return _wkb(shapely.segmentize(shape.geometry, longest))


def _constant(shape: GivenShape) -> Any:
    return _wkb(shape.geometry)


def _wkb(geometry: shapely.Geometry) -> Any:
    wkb = shapely.to_wkb(geometry, output_dimension=2)
    return sa.func.ST_GeomFromWKB(sa.literal(wkb, sa.LargeBinary), SRID, type_=sa.LargeBinary)


def _geography(geometry: Any) -> Any:
    return sa.func.geography(geometry, type_=sa.LargeBinary)
