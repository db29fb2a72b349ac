"""The read path: every reader (tiles, items, exports, pages, search, counts) asks here, and sees only what it may."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from data import spatial
from data.accounts import PUBLIC, Actor
from data.spatial import Box
from data.store import address_of, revisions
from gis import geopackage
from gis.errors import Refusal
from layers import past
from layers.fields import Field, Layer
from layers.filters import Filter, Ids, is_small, names_in, names_rows, split_box, to_sql
from layers.plan import Plan

CHUNK = 1_000


class ReadError(Refusal):
    """A request for rows names an unknown field or a cursor that is none of ours."""


@dataclass(frozen=True)
class Query:
    """What somebody asks of a layer. `box` is west, south, east, north in degrees; `after` a cursor of ours.

    `as_of` asks for the rows as they were at a moment.
    """

    layer: Layer
    actor: Actor = PUBLIC
    box: Box | None = None
    exact: bool = True
    where: Filter | None = None
    fields: tuple[str, ...] | None = None
    tile_fields: bool = False
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    after: str | None = None
    geometry: bool = True
    as_of: dt.datetime | None = None


@dataclass
class Rows:
    """Rows by column: N ids, N WKB bytes (None where absent), and one sequence of N values per field."""

    fields: tuple[Field, ...]
    ids: NDArray[np.int64]
    wkb: NDArray[np.object_]
    columns: list[Sequence[Any]]
    next: str | None = None
    sort_values: list[Sequence[Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def names(self) -> list[str]:
        """The names of the fields, in the order of the columns."""
        return [f.name for f in self.fields]

    def by_name(self) -> dict[str, Sequence[Any]]:
        """The columns by field name."""
        return dict(zip(self.names, self.columns, strict=True))

    def first(self, count: int) -> Rows:
        """The first rows of these."""
        return Rows(
            self.fields, self.ids[:count], self.wkb[:count], [column[:count] for column in self.columns]
        )

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dictionary with its id."""
        names = self.names
        for i, row_id in enumerate(self.ids.tolist()):
            yield {"id": row_id, **{n: c[i] for n, c in zip(names, self.columns, strict=True)}}


def _prepared(session: Session, query: Query) -> Query:
    """Make a query ready for its statement: of another moment it asks the layer as of then."""
    if query.as_of is None or spatial.is_derived(query.layer.model):
        return _eased(query)
    then = past.layer_at(session, query.layer, query.actor, query.as_of)
    return _eased(replace(query, layer=then))


def _eased(query: Query) -> Query:
    """Ask for a box of the filter as the query's own box, whose statement is remembered for all boxes."""
    if query.where is None or query.box is not None or not query.exact:
        return query
    box, where = split_box(query.layer, query.where)
    return query if box is None else replace(query, box=box, where=where)


def chosen_fields(query: Query) -> tuple[Field, ...]:
    """Return the fields of an answer: those asked for, as far as the caller may read them."""
    readable = query.layer.readable_fields(query.actor)
    if query.fields is None:
        return tuple(f for f in readable if f.in_tiles) if query.tile_fields else readable
    known = {f.name: f for f in readable}
    unknown = [name for name in query.fields if name not in known]
    if unknown:
        raise ReadError(
            "Lớp “%(layer)s” không có trường “%(field)s”.", layer=query.layer.id, field=unknown[0]
        )
    return tuple(known[name] for name in query.fields)


def rows(session: Session, query: Query) -> Rows:
    """Return one page of rows, with the cursor of the next page when there are more."""
    query = _prepared(session, query)
    plan, statement, fields, keys = _statement(session, query)
    limit = query.limit
    values = _values(query, limit if limit is None else limit + 1)
    result = session.connection().execute(statement, values, execution_options=_options(query)).all()
    more = limit is not None and len(result) > limit
    found = _columnar(plan, result[:limit] if more else result, fields, len(keys), geometry=query.geometry)
    if more and len(found):
        found.next = _cursor([c[-1] for c in found.sort_values], int(found.ids[-1]))
    return found


def check(session: Session, query: Query) -> None:
    """Refuse a query that cannot be answered, before an answer has begun."""
    _statement(session, _prepared(session, query))


def stream(session: Session, query: Query, *, chunk: int = CHUNK) -> Iterator[Rows]:
    """Yield all rows of a query in chunks, holding no more than one chunk in memory."""
    query = _prepared(session, query)
    plan, statement, fields, keys = _statement(session, query)
    options = {**_options(query), "yield_per": chunk}
    values = _values(query, query.limit)
    result = session.connection().execute(statement, values, execution_options=options)
    for part in result.partitions(chunk):
        yield _columnar(plan, part, fields, len(keys), geometry=query.geometry)


def cursor_at(session: Session, query: Query, position: int) -> str | None:
    """Return the cursor after so many rows of a query, or None when it has fewer; only ids and keys are read."""
    bare = _prepared(session, replace(query, fields=(), geometry=False, limit=None, after=None))
    plan, statement, _, keys = _statement(session, bare)
    statement = statement.limit(1).offset(position - 1)
    result = session.connection().execute(statement, _values(bare)).all()
    if not result:
        return None
    found = _columnar(plan, result, (), len(keys), geometry=False)
    return _cursor([c[-1] for c in found.sort_values], int(found.ids[-1]))


def one(session: Session, layer: Layer, row_id: int, actor: Actor = PUBLIC) -> dict[str, Any] | None:
    """Return one row with its id and `geometry` (shapely or None), or None when there is none to be seen."""
    plan = Plan(layer, actor, session.get_bind().dialect.name)
    fields = layer.readable_fields(actor)
    columns = [plan.expression(f) for f in fields]
    statement = plan.joined(sa.select(plan.model.id, plan.geometry, *columns)).where(
        plan.model.id == row_id, plan.condition(edition_given=True)
    )
    found = _columnar(plan, session.execute(statement).all(), fields, 0, geometry=True)
    if not len(found):
        return None
    record = next(found.records())
    record["geometry"] = None if found.wkb[0] is None else shapely.from_wkb(found.wkb[0])
    return record


def versions(session: Session, layer: Layer, ids: Sequence[int], actor: Actor = PUBLIC) -> dict[int, int]:
    """Return the versions of those of N rows that the caller sees, by row number."""
    query = Query(layer, actor, where=Ids(tuple(ids)), fields=("version",), geometry=False)
    return {record["id"]: record["version"] for record in rows(session, query).records()}


def is_visible(session: Session, layer: Layer, row_id: int, actor: Actor) -> bool:
    """Tell whether the caller sees a row."""
    return count(session, Query(layer, actor), row_id=row_id) > 0


def count(session: Session, query: Query, *, row_id: int | None = None) -> int:
    """Count the rows of a query, whatever its limit and cursor."""
    query = _prepared(session, query)
    plain = query.where is None and query.box is None and row_id is None and query.as_of is None
    if (
        plain
        and not query.layer.by_edition
        and not session.get_bind().get_execution_options().get("ocop_write")
    ):
        return _total(session, query)
    return _counted(session, query, row_id)


_totals: dict[tuple[str, str, str], tuple[str, int]] = {}


def _total(session: Session, query: Query) -> int:
    """Count all rows of a layer that the caller sees, once for each revision."""
    key = (address_of(session), query.layer.id, query.actor.audience_key)
    current = revision(session, query.layer)
    remembered = _totals.get(key)
    if remembered is None or remembered[0] != current:
        if len(_totals) >= REMEMBERED:
            _totals.clear()
        remembered = _totals[key] = (current, _counted(session, query, None))
    return remembered[1]


def _counted(session: Session, query: Query, row_id: int | None) -> int:
    plan = Plan(query.layer, query.actor, session.get_bind().dialect.name)
    conditions = _conditions(plan, query)
    if row_id is not None:
        conditions = [plan.model.id == row_id, plan.condition(edition_given=True)]
    statement = plan.joined(sa.select(sa.func.count())).where(*conditions)
    return int(session.scalar(statement, _values(query), execution_options=_options(query)) or 0)


def bounds(session: Session, query: Query) -> Box | None:
    """Return the lon/lat box of the rows of a query, or None when there are none."""
    query = _prepared(session, query)
    plan = Plan(query.layer, query.actor, session.get_bind().dialect.name)
    if plan.embedded and query.as_of is not None:
        raw = spatial.raw_geometry(plan.model)
        low, high = sa.func.min, sa.func.max
        edges = [low(sa.func.ST_MinX(raw)), low(sa.func.ST_MinY(raw)), high(sa.func.ST_MaxX(raw))]
        statement = plan.joined(sa.select(*edges, high(sa.func.ST_MaxY(raw))))
    elif plan.embedded:
        tree = spatial.rtree(query.layer.table)
        edges = [
            sa.func.min(tree.c.minx),
            sa.func.min(tree.c.miny),
            sa.func.max(tree.c.maxx),
            sa.func.max(tree.c.maxy),
        ]
        statement = plan.joined(sa.select(*edges)).join(tree, tree.c.id == plan.model.id)
    else:
        extent = sa.func.ST_Extent(spatial.raw_geometry(plan.model))
        edges = [getattr(sa.func, f)(extent) for f in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")]
        statement = plan.joined(sa.select(*edges))
    found = session.execute(
        statement.where(*_conditions(plan, query)), _values(query), execution_options=_options(query)
    )
    west, south, east, north = found.one()
    return None if west is None else (float(west), float(south), float(east), float(north))


def group_by(
    session: Session, query: Query, key: str, measures: Mapping[str, Any]
) -> dict[Any, dict[str, Any]]:
    """Aggregate the visible rows of a query by a column of the model: {key: {measure: value}}.

    `measures` maps a name to a function that makes an SQL aggregate from the model.
    """
    query = _prepared(session, query)
    plan = Plan(query.layer, query.actor, session.get_bind().dialect.name)
    column = getattr(plan.model, key)
    aggregates = [measure(plan.model).label(name) for name, measure in measures.items()]
    statement = plan.joined(sa.select(column, *aggregates)).where(*_conditions(plan, query)).group_by(column)
    found = session.execute(statement, _values(query), execution_options=_options(query))
    return {row[0]: dict(zip(measures, row[1:], strict=True)) for row in found}


def revision(session: Session, layer: Layer) -> str:
    """Return the revision of a layer: it changes when its table or one that it shows names from changes."""
    known = revisions(session)
    return _revision(layer, known)


def all_revisions(session: Session, layers: Sequence[Layer]) -> dict[str, str]:
    """Return the revisions of several layers with one query."""
    known = revisions(session)
    return {layer.id: _revision(layer, known) for layer in layers}


def _revision(layer: Layer, known: Mapping[str, int]) -> str:
    return f"r{sum(known.get(t, 0) for t in (layer.table, *layer.depends_on))}-{layer.fingerprint}"


# ---- statements

REMEMBERED = 256

#: How many rows at most, given when a statement runs: one text of a statement serves pages of every size.
LIMIT: sa.BindParameter[int] = sa.bindparam("row_limit", type_=sa.Integer)

_statements: dict[Any, Any] = {}


def _conditions(plan: Plan, query: Query) -> list[sa.ColumnElement[bool]]:
    where = query.where
    conditions = [plan.condition(edition_given="edition" in names_in(where) or names_rows(where))]
    if where is not None:
        conditions.append(to_sql(where, plan))
    if query.box is not None:
        conditions.append(plan.in_box(exact=query.exact))
    return conditions


def _options(query: Query) -> dict[str, Any]:
    """Keep statements that rarely come again out of SQLAlchemy's memory."""
    return {} if is_small(query.where) else {"compiled_cache": None}


def _values(query: Query, limit: int | None = None) -> dict[str, Any]:
    values = {} if query.box is None else spatial.box_values(query.box)
    return values if limit is None else {**values, LIMIT.key: limit}


def _statement(session: Session, query: Query) -> tuple[Plan, sa.Select[Any], tuple[Field, ...], list[Any]]:
    """Make the statement of a query, or take the one made before for the same question about another box or limit."""
    dialect = session.get_bind().dialect.name
    key = (
        dialect,
        query.layer.id,
        query.actor,
        query.box is None,
        query.exact,
        query.where,
        query.fields,
        query.tile_fields,
        query.sort,
        query.geometry,
        query.limit is None,
    )
    remembered = query.after is None and query.as_of is None and is_small(query.where)
    if remembered and key in _statements:
        return _statements[key]  # type: ignore[no-any-return]
    plan = Plan(query.layer, query.actor, dialect)
    fields = chosen_fields(query)
    columns = [plan.expression(f) for f in fields]
    keys = [(plan.lookup(name)[1], descending) for name, descending in query.sort]
    conditions = _conditions(plan, query)
    if query.after is not None:
        conditions.append(_beyond(plan, keys, query.after))
    geometry = [plan.geometry] if query.geometry else []
    selected = [plan.model.id, *geometry, *columns, *(expression for expression, _ in keys)]
    order: list[Any] = []
    for expression, descending in keys:
        order += [expression.is_(None), expression.desc() if descending else expression]
    statement = plan.joined(sa.select(*selected)).where(*conditions).order_by(*order, plan.model.id)
    if query.limit is not None:
        statement = statement.limit(LIMIT)
    if remembered:
        if len(_statements) >= REMEMBERED:
            _statements.clear()
        _statements[key] = (plan, statement, fields, keys)
    return plan, statement, fields, keys


def _columnar(
    plan: Plan, result: Sequence[Any], fields: tuple[Field, ...], keys: int, *, geometry: bool
) -> Rows:
    if not result:
        empty = np.empty(0, dtype=object)
        return Rows(fields, np.empty(0, dtype=np.int64), empty, [[] for _ in fields])
    columns = list(zip(*result, strict=True))
    ids = np.array(columns[0], dtype=np.int64)
    start = 2 if geometry else 1
    wkb = np.empty(len(ids), dtype=object)
    if geometry:
        if plan.embedded:
            wkb = geopackage.decode_all(columns[1])
        else:
            wkb[:] = columns[1]
    end = start + len(fields)
    return Rows(fields, ids, wkb, list(columns[start:end]), sort_values=list(columns[end : end + keys]))


def _cursor(values: list[Any], row_id: int) -> str:
    if not values:
        return str(row_id)
    return base64.urlsafe_b64encode(orjson.dumps([*values, row_id], default=str)).decode().rstrip("=")


def _beyond(plan: Plan, keys: list[tuple[Any, bool]], cursor: str) -> sa.ColumnElement[bool]:
    """Say that a row comes after the cursor in the order of the keys, nulls last, then by id."""
    values = _cursor_values(cursor, len(keys))
    alternatives: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for (expression, descending), value in zip(keys, values[:-1], strict=True):
        if value is None:
            same.append(expression.is_(None))
            continue
        typed = sa.cast(sa.literal(value), expression.type) if isinstance(value, str) else sa.literal(value)
        beyond = expression < typed if descending else expression > typed
        alternatives.append(sa.and_(*same, sa.or_(beyond, expression.is_(None))))
        same.append(expression == typed)
    alternatives.append(sa.and_(*same, plan.model.id > values[-1]))
    return sa.or_(*alternatives)


def _cursor_values(cursor: str, keys: int) -> list[Any]:
    try:
        if keys == 0:
            return [int(cursor)]
        padded = cursor + "=" * (-len(cursor) % 4)
        values = orjson.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(values, list) or len(values) != keys + 1 or not isinstance(values[-1], int):
            raise ValueError(cursor)
    except (ValueError, binascii.Error) as error:
        raise ReadError(
            "Dấu trang “%(cursor)s” không hợp lệ; hãy bắt đầu lại từ trang đầu.", cursor=cursor
        ) from error
    return values
