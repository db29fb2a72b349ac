"""A layer as of a moment: today's rows with every later change taken back, for the one read path.

Rows that changed since are put together again in a table of this transaction only; the rest are today's. Who sees
a former row is decided twice: by what the row held then, and by what it holds now, or last held before it was
deleted. So nothing comes to light again that was withdrawn. Names from other tables are those of today.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from data import past
from data.accounts import Actor, visible
from data.tables import AuditRow
from gis.errors import Refusal
from layers.fields import Layer

PROVINCE_TIME = dt.timezone(dt.timedelta(hours=7))
#: What a row of the table of former rows stands for: the row as of the moment, as it was last, or its absence then.
THEN, LAST, ABSENT = 0, 1, 2
KIND = "ocop_kind"
AT_ONCE = 500


class BadMoment(Refusal):
    """A text that should say a date or a moment does not."""


def moment_of(text: str) -> dt.datetime:
    """Read a moment: a date stands for the end of that day in the province, a time without zone is the province's.

    Raises BadMoment.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time.max, PROVINCE_TIME).astimezone(dt.UTC)
        moment = dt.datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return moment.replace(tzinfo=moment.tzinfo or PROVINCE_TIME).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise BadMoment(
            "“%(value)s” không phải là ngày; hãy viết như 2026-01-31 hoặc 2026-01-31T14:30.", value=text
        ) from error


def layer_at(session: Session, layer: Layer, actor: Actor, moment: dt.datetime) -> Layer:
    """Return a layer like the one given whose rows are those of a moment, for this session only.

    In PostgreSQL a session that asks nothing else before reads one consistent state.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    known: dict[Any, Layer] = session.info.setdefault("ocop_past", {})
    session.connection()
    key = (layer.id, actor, moment, session.get_transaction())
    if key not in known:
        known[key] = _layer_at(session, layer, actor, moment, number=len(known))
    return known[key]


def _layer_at(session: Session, layer: Layer, actor: Actor, moment: dt.datetime, *, number: int) -> Layer:
    table: sa.Table = layer.model.__table__
    spans = [past.span_of(load) for load in past.loads(session, layer.table, moment)]
    then, last = _former(session, layer, moment, spans)
    former = _keep(session, layer.model, then, last, f"ocop_past_{layer.table}_{number}")
    today = sa.select(*table.c).where(table.c.id.not_in(sa.select(former.c.id)))
    for span in spans:
        today = today.where(sa.not_(table.c.id.between(span.start, span.stop - 1)))
    earlier = sa.select(*(former.c[c.name] for c in table.c)).where(former.c[KIND] == THEN)
    rows = sa.union_all(today, earlier.where(_still_visible(former, layer, actor)))
    return replace(layer, model=aliased(layer.model, rows.subquery(layer.table)))


def _still_visible(former: Any, layer: Layer, actor: Actor) -> sa.ColumnElement[bool]:
    """Say which former rows the actor sees as they are now, or were last."""
    model = layer.model
    if str(visible(actor, model)) == str(sa.true()):
        return sa.true()
    columns = [former.c[c.name] for c in model.__table__.c]
    rows = sa.select(*columns).where(former.c[KIND] == LAST).subquery()
    ended = aliased(model, rows, adapt_on_names=True)
    now = sa.select(model.id).where(visible(actor, model))
    then = sa.select(ended.id).where(visible(actor, ended))
    return sa.or_(former.c.id.in_(now), former.c.id.in_(then))


def _former(
    session: Session, layer: Layer, moment: dt.datetime, spans: list[range]
) -> tuple[dict[int, past.State | None], dict[int, past.State]]:
    """Take back every change after a moment: return the rows as they were then, and deleted ones as they were last."""
    model = layer.model
    columns = (AuditRow.id, AuditRow.row_id, AuditRow.action, AuditRow.before, AuditRow.at)
    query = (
        sa.select(*columns)
        .where(AuditRow.table_name == layer.table, AuditRow.row_id.is_not(None), AuditRow.at > moment)
        .where(AuditRow.action.in_(("insert", "update", "delete")))
        .order_by(AuditRow.id.desc())
    )
    found = session.execute(query).all()
    then: dict[int, past.State | None] = _today(
        session, model, [c.row_id for c in found if c.action == "update"]
    )
    last: dict[int, past.State] = {}
    for change in found:
        state = past.before(model, then.get(change.row_id), change)
        if change.action == "delete" and state is not None and change.row_id not in then:
            last[change.row_id] = state
        then[change.row_id] = state
    for row_id in then:
        if any(row_id in span for span in spans):
            then[row_id] = None
    _date(session, layer, then, moment)
    return then, last


def _today(session: Session, model: Any, ids: list[int]) -> dict[int, past.State | None]:
    found: dict[int, past.State | None] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        for row in session.scalars(sa.select(model).where(model.id.in_(part))):
            found[row.id] = past.state_of(row)
            session.expunge(row)
    return found


def _date(session: Session, layer: Layer, then: dict[int, past.State | None], moment: dt.datetime) -> None:
    """Say when the rows were last changed before the moment."""
    held = {row_id: state for row_id, state in then.items() if state is not None and "updated_at" in state}
    ids = sorted(held)
    for start in range(0, len(ids), AT_ONCE):
        newest = (
            sa.select(AuditRow.row_id, sa.func.max(AuditRow.at, type_=AuditRow.at.type))
            .where(AuditRow.table_name == layer.table, AuditRow.at <= moment)
            .where(AuditRow.row_id.in_(ids[start : start + AT_ONCE]))
            .group_by(AuditRow.row_id)
        )
        known = {row_id: at for row_id, at in session.execute(newest)}
        for row_id in ids[start : start + AT_ONCE]:
            state = held[row_id]
            state["updated_at"] = known.get(row_id) or state.get("created_at")


def _keep(
    session: Session,
    model: Any,
    then: dict[int, past.State | None],
    last: dict[int, past.State],
    name: str,
) -> Any:
    """Write former rows to a table that goes with the transaction; absent ones hold their id alone."""
    connection, table = session.connection(), model.__table__
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} AS SELECT t.*, 0 AS {KIND} FROM {table.name} t WHERE 1 = 0"
    )
    former = sa.table(name, *(sa.column(c.name, c.type) for c in table.c), sa.column(KIND, sa.Integer))
    empty = dict.fromkeys(c.name for c in table.c)
    rows = [{**empty, "id": row_id, KIND: ABSENT} for row_id, state in then.items() if state is None]
    for kind, states in ((THEN, then), (LAST, last)):
        rows += [
            {**empty, **state, "id": row_id, "search": model(**state).search_parts(), KIND: kind}
            for row_id, state in states.items()
            if state is not None
        ]
    if rows:
        connection.execute(sa.insert(former), rows)
    return former
