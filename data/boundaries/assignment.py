"""Giving every feature of the record to the commune that it lies in."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, spatial
from data.accounts import Actor
from data.base import Base, now
from data.boundaries.report import LayerMoves, OutsideFeature
from data.boundaries.write import SOURCE, touch
from gis import coverage, geopackage

METRES_PER_DEGREE = 110_000.0
NEAREST_M = spatial.NEAREST_DEGREES * METRES_PER_DEGREE
"""How far off every commune a feature is still given to the nearest: as far as in a single edit."""

Geometries = npt.NDArray[np.object_]


def located_models() -> list[Any]:
    """List the models whose rows have a place and belong to a commune, in the order of their tables."""
    models = {m.class_.__table__: m.class_ for m in Base.registry.mappers}
    return [models[t] for t in Base.metadata.sorted_tables if "geom" in t.c and "commune_id" in t.c]


def reassign(
    session: Session, communes: dict[int, Any], box: spatial.Box, actor: Actor, reason: str
) -> tuple[LayerMoves, ...]:
    """Set the commune of every feature by its inner point; `communes` are shapes by id.

    Rows that lie outside every commune lose theirs. Each layer with a move gets one audit row that keeps the
    communes from before, and a new revision over `box`.
    """
    ids = np.array(sorted(communes), dtype=np.int64)
    shapes = np.empty(len(ids), dtype=object)
    shapes[:] = [communes[i] for i in ids.tolist()]
    return tuple(
        _reassign_layer(session, model, ids, shapes, box, actor, reason) for model in located_models()
    )


def _reassign_layer(
    session: Session,
    model: Any,
    commune_ids: npt.NDArray[np.int64],
    shapes: Geometries,
    box: spatial.Box,
    actor: Actor,
    reason: str,
) -> LayerMoves:
    ids, before, points = _places(session, model)
    found = coverage.assign(points, shapes, NEAREST_M)
    inside = found.index >= 0
    after: list[int | None] = np.where(inside, commune_ids[found.index], 0).tolist()
    after = [commune or None for commune in after]
    moves = [(i, old, new) for i, old, new in zip(ids, before, after, strict=True) if old != new]
    outside = tuple(OutsideFeature(ids[at], points[at].x, points[at].y) for at in np.flatnonzero(~inside))
    moved = LayerMoves(
        table=model.__tablename__,
        total=len(ids),
        moved=len(moves),
        nearest=int((found.distance_m[inside] > 0).sum()),
        outside=outside,
    )
    if moves:
        _write(session, model.__table__, moves)
        _log(session, moved, moves, actor, reason)
        touch(session, moved.table, box)
    return moved


def _places(session: Session, model: Any) -> tuple[list[int], list[int | None], Geometries]:
    """Ids, communes and inner points of all rows of a model that have a geometry."""
    embedded = session.get_bind().dialect.name == "geopackage"
    raw = spatial.raw_geometry(model)
    stored = raw if embedded else sa.func.ST_AsBinary(raw, type_=sa.LargeBinary)
    query = sa.select(model.id, model.commune_id, stored).where(raw.is_not(None)).order_by(model.id)
    rows = session.execute(query).all()
    wkb = np.empty(len(rows), dtype=object)
    wkb[:] = [geopackage.wkb_of(row[2]) if embedded else bytes(row[2]) for row in rows]
    shapes = shapely.from_wkb(wkb)
    areal = shapely.get_type_id(shapes) != 0
    shapes[areal] = shapely.point_on_surface(shapes[areal])
    known = ~shapely.is_empty(shapes)
    kept = [row for row, usable in zip(rows, known.tolist(), strict=True) if usable]
    return [row[0] for row in kept], [row[1] for row in kept], shapes[known]


def _write(session: Session, table: sa.Table, moves: list[tuple[int, int | None, int | None]]) -> None:
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"))
        .values(
            commune_id=sa.bindparam("commune"), version=table.c.version + 1, updated_at=sa.bindparam("moment")
        )
    )
    moment = now()
    session.connection().execute(
        statement, [{"row": row, "commune": new, "moment": moment} for row, _, new in moves]
    )


def _log(
    session: Session,
    moved: LayerMoves,
    moves: list[tuple[int, int | None, int | None]],
    actor: Actor,
    reason: str,
) -> None:
    """One audit row for the layer: the rows by the commune that they had, and the counts."""
    before: dict[str, list[int]] = defaultdict(list)
    for row, old, _ in moves:
        before[str(old or "")].append(row)
    after = {
        "total": moved.total,
        "moved": moved.moved,
        "nearest": moved.nearest,
        "outside": [feature.id for feature in moved.outside],
    }
    audit.write(
        session,
        actor,
        SOURCE,
        moved.table,
        None,
        "reassign",
        before={"rows_by_commune_id": dict(before)},
        after=after,
        reason=reason,
    )
