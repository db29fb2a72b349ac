"""Many rows at once: looked at together and kept in a few statements, by the same rules as single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, bulk, spatial
from data.accounts import Actor, editable, is_boundary, own_communes
from data.base import now
from data.tables import AuditRow
from gis import geometry as shapes
from gis.errors import Refusal
from layers.fields import Layer
from layers.refusals import Invalid, NotAllowed
from layers.rules import Rules

_TABLE = "__table__"


@dataclass(frozen=True, slots=True)
class Checked:
    """A row that was looked at and not yet kept.

    `row` is the model's object, filled and outside of every session; `repair` what its geometry (lon/lat)
    became; `refusal` why it cannot be kept, or None.
    """

    row: Any
    repair: shapes.Repair | None
    refusal: Refusal | None = None


def check_rows(
    session: Session,
    actor: Actor,
    layer: Layer,
    rows: Sequence[tuple[Mapping[str, Any], shapely.Geometry | None]],
    *,
    creating: bool = True,
) -> list[Checked]:
    """Look at N rows given by properties and geometry (lon/lat); nothing is written.

    Values, geometry and territory are judged as `Edits.insert` does; the first refusal of a row counts.
    Without `creating` the rows are changes of records, in which required fields may be left out.
    """
    rules = Rules(session, actor, layer)
    made: list[Any] = []
    refusals: list[Refusal | None] = []
    for properties, _ in rows:
        row = layer.model()
        made.append(row)
        try:
            rules.fill(row, properties, creating=creating)
        except Invalid as error:
            refusals.append(error)
        else:
            refusals.append(None)
    geometries = np.empty(len(rows), dtype=object)
    geometries[:] = [geometry for _, geometry in rows]
    repairs = _placed(layer, made, geometries, refusals)
    _derive(session, layer, made)
    _check_territory(session, actor, layer, made, refusals)
    return [Checked(*facts) for facts in zip(made, repairs, refusals, strict=True)]


def _placed(
    layer: Layer, made: Sequence[Any], geometries: Any, refusals: list[Refusal | None]
) -> list[shapes.Repair | None]:
    present = np.flatnonzero(~shapely.is_missing(geometries))
    repairs: list[shapes.Repair | None] = [None] * len(made)
    outcomes = shapes.repair_all(geometries[present], layer.geometry)  # type: ignore[arg-type]
    for i, outcome in zip(present.tolist(), outcomes, strict=True):
        if isinstance(outcome, Refusal):
            refused = Invalid(outcome.message, **{**outcome.facts, "field": "geometry"})  # type: ignore[arg-type]
            refusals[i] = refusals[i] or refused
        else:
            repairs[i] = outcome
            made[i].geom = outcome.geometry
    return repairs


def _derive(session: Session, layer: Layer, made: Sequence[Any]) -> None:
    """Set commune, area on the ellipsoid and search text, for all rows at once."""
    placed = [row for row in made if row.geom is not None]
    shapes_of = np.empty(len(placed), dtype=object)
    shapes_of[:] = [row.geom for row in placed]
    if hasattr(layer.model, "commune_id") and not is_boundary(layer.model):
        for row, commune in zip(placed, spatial.communes_of(session, shapes_of), strict=True):
            row.commune_id = commune
    if hasattr(layer.model, "area_ha"):
        for row, area in zip(placed, shapes.area_ha(shapes_of).tolist(), strict=True):
            row.area_ha = round(area, 4)
    for row in made:
        row.search = row.search_parts()


def _check_territory(
    session: Session, actor: Actor, layer: Layer, made: Sequence[Any], refusals: list[Refusal | None]
) -> None:
    own = own_communes(session, actor)
    if own is None:
        return
    for i, row in enumerate(made):
        if refusals[i] is None and getattr(row, "commune_id", None) not in own:
            refusals[i] = _outside(layer)


def _outside(layer: Layer) -> NotAllowed:
    return NotAllowed(
        "Bản ghi nằm ngoài địa bàn bạn phụ trách; lớp %(layer)s chưa thay đổi.", layer=layer.title
    )


def keep_rows(
    session: Session,
    actor: Actor,
    source: str,
    layer: Layer,
    rows: Sequence[Checked],
    *,
    reason: str | None,
    batch_id: int | None,
) -> tuple[list[int], spatial.Box | None]:
    """Insert checked rows with an audit row each; return their ids in order and the lon/lat box around them.

    Raises NotAllowed when one of them is not the actor's, and the driver's IntegrityError.
    """
    table: sa.Table = getattr(layer.model, _TABLE)
    series = _series(table, [r.row for r in rows])
    geometries = np.empty(len(rows), dtype=object)
    geometries[:] = [r.row.geom for r in rows]
    first, last = bulk.insert(session, table, series, geometries)
    ids = list(range(first, last + 1))
    mine = sa.select(sa.func.count()).where(layer.model.id.between(first, last), editable(actor, layer.model))
    if session.scalar(mine.select_from(layer.model)) != len(rows):
        raise _outside(layer)
    _audit(session, actor, source, table, ids, series, geometries, reason=reason, batch_id=batch_id)
    return ids, _box(geometries)


def _series(table: sa.Table, made: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the rows by column, defaults filled in; columns that hold nothing are left out."""
    series: dict[str, list[Any]] = {}
    moment = now()
    for column in table.c:
        if column.name in ("id", "geom"):
            continue
        values = [getattr(row, column.name) for row in made]
        if column.default is not None:
            default: Any = column.default
            filled = moment if default.is_callable else default.arg
            values = [filled if value is None else value for value in values]
        if any(value is not None for value in values):
            series[column.name] = values
    return series


def _audit(
    session: Session,
    actor: Actor,
    source: str,
    table: sa.Table,
    ids: Sequence[int],
    series: Mapping[str, Sequence[Any]],
    geometries: Any,
    *,
    reason: str | None,
    batch_id: int | None,
) -> None:
    shown = {name: values for name, values in series.items() if name not in audit.SECRET_COLUMNS}
    blank = {c.name: None for c in table.c if c.name not in audit.SECRET_COLUMNS}
    plain = {name: [audit.plain(value) for value in values] for name, values in shown.items()}
    plain["id"] = list(ids)
    plain["geom"] = shapely.to_wkb(geometries, hex=True).tolist()
    names = list(plain)
    after = [{**blank, **dict(zip(names, row, strict=True))} for row in zip(*plain.values(), strict=True)]
    count = len(ids)
    columns: dict[str, Sequence[Any]] = {
        "actor": [actor.name or actor.role.value] * count,
        "account_id": [actor.account_id] * count,
        "source": [source] * count,
        "table_name": [table.name] * count,
        "row_id": list(ids),
        "action": ["insert"] * count,
        "after": after,
        "reason": [reason] * count,
        "batch_id": [batch_id] * count,
    }
    bulk.insert(session, getattr(AuditRow, _TABLE), columns)


def _box(geometries: Any) -> spatial.Box | None:
    west, south, east, north = shapely.total_bounds(geometries).tolist()
    return None if np.isnan(west) else (west, south, east, north)
