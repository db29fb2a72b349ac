"""Which rows on their way in repeat one another or a record, and which overlap; by shape and name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.spatial import Box, meets_box
from data.text import fold
from gis.geometry import area_ha
from layers.fields import Layer

Shapes = npt.NDArray[np.object_]

#: Two areas are the same when they share this part of what they cover together.
SAME_SHARE = 0.98
#: Two points are the same place within so many degrees, about 10 m.
SAME_POINT = 0.0001
#: Overlaps below this many hectares are the noise of digitising.
LEAST_OVERLAP_HA = 0.01
MOST_PAIRS = 400_000


@dataclass
class Neighbours:
    """What lies where a row lies; rows by their place in the list.

    `same_row` and `same_record` name what a row repeats; `overlaps` lists (hectares, row or None, record id
    or None), largest first.
    """

    same_row: dict[int, int] = field(default_factory=dict)
    same_record: dict[int, int] = field(default_factory=dict)
    overlaps: dict[int, list[tuple[float, int | None, int | None]]] = field(default_factory=dict)


def neighbours(
    session: Session,
    actor: Actor,
    layer: Layer,
    names: Sequence[str],
    shapes: Shapes,
    updated: dict[int, int],
) -> Neighbours:
    """Compare N rows (valid lon/lat shapes or None) with one another and with the layer's rows.

    `updated` gives the record that a row is going to change: a row does not repeat or overlap that one.
    """
    found = Neighbours()
    present = np.flatnonzero(~shapely.is_missing(shapes))
    if len(present) == 0:
        return found
    here, folded = shapes[present], [fold(names[i]) for i in present.tolist()]
    areal = layer.geometry.endswith("POLYGON")
    tree = shapely.STRtree(here)
    left, right = _pairs(tree, here, areal=areal)
    later = left > right
    _compare(
        found,
        present,
        left[later],
        right[later],
        here[left[later]],
        here[right[later]],
        same_name=[folded[a] == folded[b] for a, b in zip(left[later], right[later], strict=True)],
        other=present,
        records=False,
        areal=areal,
    )
    ids, known_names, known = _records(session, actor, layer, shapely.total_bounds(here).tolist())
    if len(ids):
        found_rows, found_known = _pairs(shapely.STRtree(known), here, areal=areal)
        own = np.array([updated.get(int(i), -1) for i in present])
        other = own[found_rows] != ids[found_known]
        rows, others = found_rows[other], found_known[other]
        _compare(
            found,
            present,
            rows,
            others,
            here[rows],
            known[others],
            same_name=[folded[a] == known_names[b] for a, b in zip(rows, others, strict=True)],
            other=ids,
            records=True,
            areal=areal,
        )
    for overlaps in found.overlaps.values():
        overlaps.sort(key=lambda entry: -entry[0])
    return found


def _pairs(tree: shapely.STRtree, shapes: Shapes, *, areal: bool) -> tuple[Any, Any]:
    """Pairs of (shape, shape of the tree) that share ground, or lie at the same place."""
    if areal:
        pairs = tree.query(shapes, predicate="intersects")
    else:
        pairs = tree.query(shapes, predicate="dwithin", distance=SAME_POINT)
    return pairs[0][:MOST_PAIRS], pairs[1][:MOST_PAIRS]


def _compare(
    found: Neighbours,
    present: Any,
    rows: Any,
    others: Any,
    mine: Shapes,
    theirs: Shapes,
    *,
    same_name: list[bool],
    other: Any,
    records: bool,
    areal: bool,
) -> None:
    same_where = found.same_record if records else found.same_row
    if not areal:
        for row, name_agrees, what in zip(rows, same_name, others, strict=True):
            if name_agrees:
                same_where.setdefault(int(present[row]), int(other[what]))
        return
    if len(rows) == 0:
        return
    shared = area_ha(_areal(shapely.intersection(mine, theirs)))
    together = area_ha(mine) + area_ha(theirs) - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        same = shared / together >= SAME_SHARE
    for i in np.flatnonzero(shared >= LEAST_OVERLAP_HA).tolist():
        row, what = int(present[rows[i]]), int(other[others[i]])
        if same[i]:
            same_where.setdefault(row, what)
            continue
        entry = (float(shared[i]), None if records else what, what if records else None)
        found.overlaps.setdefault(row, []).append(entry)
        if not records:
            found.overlaps.setdefault(what, []).append((float(shared[i]), row, None))
    for i in np.flatnonzero(same & (shared < LEAST_OVERLAP_HA)).tolist():
        same_where.setdefault(int(present[rows[i]]), int(other[others[i]]))


def _areal(shapes: Shapes) -> Shapes:
    """Shapes that touch besides overlapping give collections, of which only the areas count."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    for i in mixed.tolist():
        shapes[i] = shapely.union_all(
            [g for g in shapely.get_parts(shapes[i]) if g.geom_type.endswith("Polygon")]
        )
    return shapes


def _records(session: Session, actor: Actor, layer: Layer, box: list[float]) -> tuple[Any, list[str], Shapes]:
    model = layer.model
    embedded = session.get_bind().dialect.name == "geopackage"
    reach: Box = (box[0] - SAME_POINT, box[1] - SAME_POINT, box[2] + SAME_POINT, box[3] + SAME_POINT)
    query = sa.select(model.id, getattr(model, layer.name_field), model.geom).where(
        visible(actor, model), model.geom.is_not(None), meets_box(model, reach, embedded=embedded)
    )
    rows = session.execute(query).all()
    known = np.empty(len(rows), dtype=object)
    known[:] = [geom for _, _, geom in rows]
    return np.array([i for i, _, _ in rows], dtype=np.int64), [fold(name) for _, name, _ in rows], known
