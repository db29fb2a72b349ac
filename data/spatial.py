"""Spatial questions to the store, alike on both databases: which rows meet a box, which commune holds a shape."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data.admin_units import Commune, edition_in_use
from data.columns import SRID
from gis import geopackage

Box: TypeAlias = tuple[float, float, float, float]

#: How far off every commune a shape may lie and still be given to the nearest one: about 1 km.
NEAREST_DEGREES = 0.01


def rtree(table: str) -> Any:
    """Return the R-tree of a table's geometry in a GeoPackage as an SQL table."""
    names = ("id", "minx", "maxx", "miny", "maxy")
    return sa.table(geopackage.rtree_name(table, "geom"), *(sa.column(n, sa.Double) for n in names))


def raw_geometry(model: Any) -> sa.ColumnElement[Any]:
    """Return the geometry column as the database keeps it, without conversion to shapely."""
    return sa.type_coerce(model.geom, sa.LargeBinary)


def is_derived(model: Any) -> bool:
    """Tell whether a model stands for the rows of a query, which no spatial index knows."""
    return isinstance(sa.inspect(model).selectable, sa.Subquery)


def meets_box(model: Any, box: Box, *, embedded: bool) -> sa.ColumnElement[bool]:
    """Say in SQL that a row's own box meets a lon/lat box, by the spatial index."""
    west, south, east, north = box
    if not embedded:
        return raw_geometry(model).op("&&")(sa.func.ST_MakeEnvelope(west, south, east, north, SRID))
    if is_derived(model):
        return sa.func.ocop_meets_box(raw_geometry(model), *box, type_=sa.Integer) == 1
    tree = rtree(model.__tablename__)
    touching = sa.select(tree.c.id).where(
        tree.c.maxx >= west, tree.c.minx <= east, tree.c.maxy >= south, tree.c.miny <= north
    )
    return model.id.in_(touching)


#: A box whose numbers are given when the statement runs, by `box_values`.
BOX: Any = tuple(sa.bindparam(name, type_=sa.Double) for name in ("west", "south", "east", "north"))


def box_values(box: Box) -> dict[str, Any]:
    """Return what a statement made with BOX needs when it runs."""
    return dict(zip(("west", "south", "east", "north"), box, strict=True))


def intersects_box(model: Any, *, embedded: bool) -> sa.ColumnElement[bool]:
    """Say in SQL that a row's geometry itself meets BOX."""
    if not embedded:
        return sa.func.ST_Intersects(
            raw_geometry(model), sa.func.ST_MakeEnvelope(*BOX, SRID), type_=sa.Boolean
        )
    exact = sa.func.ocop_meets_box(raw_geometry(model), *BOX, type_=sa.Integer) == 1
    return sa.and_(meets_box(model, BOX, embedded=True), exact)


def commune_of(session: Session, geometry: shapely.Geometry) -> int | None:
    """Return the id of the commune in use that holds an inner point of the geometry, or the nearest within 1 km."""
    point = geometry if geometry.geom_type == "Point" else shapely.point_on_surface(geometry)
    reach = NEAREST_DEGREES
    box = (point.x - reach, point.y - reach, point.x + reach, point.y + reach)
    embedded = session.get_bind().dialect.name == "geopackage"
    near = session.execute(
        sa.select(Commune.id, Commune.geom).where(
            Commune.edition == edition_in_use(session), meets_box(Commune, box, embedded=embedded)
        )
    ).all()
    distances = [(shapely.distance(geom, point), commune_id) for commune_id, geom in near]
    nearest = min(distances, default=(reach, None))
    return nearest[1] if nearest[0] < reach else None


def communes_of(
    session: Session, geometries: NDArray[np.object_], *, edition: str | None = None
) -> list[int | None]:
    """Return for N shapes (lon/lat, none missing) what `commune_of` says of each, reading the communes once.

    `edition` asks for the communes of another edition than the one in use.
    """
    if len(geometries) == 0:
        return []
    query = sa.select(Commune.id, Commune.geom).where(
        Commune.edition == (edition or edition_in_use(session)), Commune.geom.is_not(None)
    )
    known = session.execute(query).all()
    points = np.array(geometries, dtype=object)
    areal = shapely.get_type_id(points) != 0
    points[areal] = shapely.point_on_surface(points[areal])
    tree = shapely.STRtree([geom for _, geom in known])
    near, which = tree.query_nearest(points, max_distance=NEAREST_DEGREES, return_distance=False)
    nearest: list[int | None] = [None] * len(points)
    for i, commune_id in zip(near.tolist(), (known[w][0] for w in which.tolist()), strict=True):
        nearest[i] = min(nearest[i] or commune_id, commune_id)
    return nearest


def commune_outlines(session: Session) -> NDArray[np.object_]:
    """Return the outlines (lon/lat) of the communes in use."""
    query = sa.select(Commune.geom).where(
        Commune.edition == edition_in_use(session), Commune.geom.is_not(None)
    )
    outlines = list(session.scalars(query))
    found = np.empty(len(outlines), dtype=object)
    found[:] = outlines
    return found
