"""Edits that came together, such as the rows of an imported file: shown, and undone as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, past
from data.accounts import EDITORS_OF_ALL, Actor
from data.base import Base, now
from data.batches import Batch
from data.boundaries.changes import SOURCE as BOUNDARY_CHANGE
from data.spatial import Box
from data.store import Store
from data.tables import AuditRow
from layers import catalogue
from layers.edit import Edits, editing
from layers.fields import Layer
from layers.refusals import EditError, NotAllowed, NotFound

SOURCE = UNDO = "undo"
LISTED = 200
NAMED = 20
AT_ONCE = 500
MOST_SHAPES = 5_000
#: Told how many rows are done, and of how many.
Progress = Callable[[int, int], None]
_ACTIONS = frozenset({"insert", "update", "delete"})
_WITH_LAYERS = frozenset({"certificates"})
"""Tables of the programme whose rows come and go with those of layers, such as the recognitions of a register."""


@dataclass(frozen=True)
class Later:
    """Something that came after a batch and builds on it: a change of one of its rows, or a row that names one."""

    table: str
    row_id: int
    name: str
    at: Any
    actor: str | None
    kind: str


@dataclass(frozen=True)
class Summary:
    """A batch with what it did: rows added, changed and deleted, by layer; `later` says why it cannot be undone."""

    batch: Batch
    counts: dict[str, dict[str, int]]
    box: Box | None
    later: tuple[Later, ...]
    refusal: EditError | None
    undone_by: Batch | None


class NotUndone(EditError):
    """A batch cannot be undone, and nothing was; `later` lists what stands in the way."""

    def __init__(self, message: str, *, later: Sequence[Later] = (), **facts: object) -> None:
        super().__init__(message, **facts)
        self.later = tuple(later)


@dataclass
class _Plan:
    """What a batch comes to for each row of a table: columns to give back, rows to bring back and to remove.

    `layer` is None for a table of the programme.
    """

    table: str
    layer: Layer | None
    model: Any
    remove: list[int] = field(default_factory=list)
    put_back: dict[int, past.State] = field(default_factory=dict)
    bring_back: dict[int, past.State] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        """Every row that would be touched."""
        return sorted([*self.remove, *self.put_back, *self.bring_back])


class _Steps:
    """Counts the rows that are done and tells of them."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def done(self, rows: int) -> None:
        """Tell of so many rows more."""
        self._done += rows
        if self._progress is not None:
            self._progress(self._done, self._total)


def listed(session: Session, actor: Actor) -> list[Batch]:
    """List the latest batches that the actor may see: all for the province's officers, else one's own."""
    query = sa.select(Batch).order_by(Batch.id.desc()).limit(LISTED)
    if actor.role not in EDITORS_OF_ALL:
        query = query.where(Batch.account_id == actor.account_id)
    return list(session.scalars(query)) if actor.may_edit_something else []


def find(session: Session, actor: Actor, batch_id: int, *, lock: bool = False) -> Batch:
    """Return a batch that the actor may see. Raises NotFound."""
    query = sa.select(Batch).where(Batch.id == batch_id)
    batch = session.scalar(query.with_for_update() if lock else query)
    known = batch is not None and actor.may_edit_something
    if (
        batch is None
        or not known
        or (actor.role not in EDITORS_OF_ALL and batch.account_id != actor.account_id)
    ):
        raise NotFound("Không có đợt sửa số %(id)s.", id=batch_id)
    return batch


def summary(session: Session, actor: Actor, batch_id: int) -> Summary:
    """Return what a batch did and whether it can be undone now. Raises NotFound."""
    batch = find(session, actor, batch_id)
    refusal: EditError | None = None
    try:
        _may_be_undone(session, batch)
    except EditError as error:
        refusal = error
    later = refusal.later if isinstance(refusal, NotUndone) else ()
    undone_by = session.get(Batch, batch.undone_by) if batch.undone_by else None
    return Summary(batch, _counts(session, batch), _box(session, batch), later, refusal, undone_by)


def undo(
    store: Store,
    actor: Actor,
    batch_id: int,
    *,
    progress: Progress | None = None,
    last: Callable[[Session, int], None] | None = None,
) -> int:
    """Take back a batch as a whole, in one transaction; return the id of the batch that does it.

    What undoes can be undone itself. `progress` is told the rows done and their number, and may raise to stop;
    `last` is the transaction's last step and is given the id. Raises NotFound, NotAllowed, or NotUndone when
    anything came after it, and what the edit path raises; then nothing is changed.
    """
    with store.reading() as session:
        title = find(session, actor, batch_id).title
    undoing = Batch(kind=UNDO, title=title, facts={"undoes": batch_id})
    with editing(store, actor, SOURCE, f"Hoàn tác đợt {batch_id}: {title}", batch=undoing) as edits:
        session = edits.session
        batch = find(session, actor, batch_id, lock=True)
        undoing.table_name = batch.table_name
        plans = _may_be_undone(session, batch, lock=True)
        _carry_out(edits, plans, _Steps(sum(len(plan.ids) for plan in plans), progress))
        batch.undone_at, batch.undone_by = now(), undoing.id
        first = (batch.facts or {}).get("undoes")
        done_again = session.get(Batch, first) if batch.kind == UNDO and first else None
        if done_again is not None:
            done_again.undone_at = done_again.undone_by = None
        session.flush()
        if last is not None:
            last(session, int(undoing.id))
        return int(undoing.id)


def _carry_out(edits: Edits, plans: Sequence[_Plan], steps: _Steps) -> None:
    """Bring back what others name before those others, and remove it after them."""
    if any(plan.layer is None for plan in plans) and edits.actor.role not in EDITORS_OF_ALL:
        raise NotAllowed("Bạn không có quyền hoàn tác đợt này.")
    order = [table.name for table in Base.metadata.sorted_tables]
    ordered = sorted(plans, key=lambda plan: order.index(plan.table))
    for plan in ordered:
        if plan.layer is not None:
            edits.bring_back(plan.layer, plan.bring_back)
        else:
            _bring_back(edits, plan)
        steps.done(len(plan.bring_back))
    for plan in ordered:
        for row_id, state in plan.put_back.items():
            if plan.layer is not None:
                edits.put_back(plan.layer, row_id, state)
            else:
                _put_back(edits, plan, row_id, state)
            steps.done(1)
    for plan in reversed(ordered):
        if plan.layer is not None:
            edits.delete_many(plan.layer, plan.remove)
        else:
            _remove(edits, plan)
        steps.done(len(plan.remove))


def _bring_back(edits: Edits, plan: _Plan) -> None:
    """Add deleted rows once more; what they name among themselves is named when all are there."""
    own = _own_names(plan)
    rows = {}
    for row_id, state in plan.bring_back.items():
        rows[row_id] = plan.model(**{**state, "id": row_id, **dict.fromkeys(own)})
    edits.session.add_all(rows.values())
    edits.session.flush()
    for row_id, row in rows.items():
        for name in own:
            setattr(row, name, plan.bring_back[row_id].get(name))
    edits.session.flush()
    for row_id, row in rows.items():
        _log(edits, plan, row_id, "insert", after=audit.snapshot(row))


def _put_back(edits: Edits, plan: _Plan, row_id: int, state: past.State) -> None:
    row = edits.session.get(plan.model, row_id)
    if row is None:
        raise NotUndone("Đợt này không còn gì để hoàn tác.")
    before = audit.snapshot(row)
    for name, value in state.items():
        if name not in past.BOOKKEEPING:
            setattr(row, name, value)
    edits.session.flush()
    old, new = audit.difference(before, audit.snapshot(row))
    _log(edits, plan, row_id, "update", before=old, after=new)


def _remove(edits: Edits, plan: _Plan) -> None:
    session, own = edits.session, _own_names(plan)
    rows = [row for row_id in plan.remove if (row := session.get(plan.model, row_id)) is not None]
    for row in rows:
        _log(edits, plan, row.id, "delete", before=audit.snapshot(row))
    for row in rows:
        for name in own:
            setattr(row, name, None)
    session.flush()
    for row in rows:
        session.delete(row)
    session.flush()


def _own_names(plan: _Plan) -> list[str]:
    """The columns that name other rows of the same table."""
    table = plan.model.__table__
    return [key.parent.name for key in table.foreign_keys if key.column.table is table]


def _log(edits: Edits, plan: _Plan, row_id: int, action: str, **held: dict[str, Any]) -> None:
    batch_id = edits.batch.id if edits.batch is not None else None
    audit.write(
        edits.session,
        edits.actor,
        edits.source,
        plan.table,
        row_id,
        action,
        before=held.get("before"),
        after=held.get("after"),
        reason=edits.reason,
        batch_id=batch_id,
    )


# ---- may it be undone?


def _may_be_undone(session: Session, batch: Batch, *, lock: bool = False) -> list[_Plan]:
    """Return what undoing a batch comes to, by layer. Raises NotUndone with all that stands in the way."""
    if batch.undone_at is not None:
        raise NotUndone("Đợt sửa này đã được hoàn tác.")
    if batch.kind == BOUNDARY_CHANGE:
        raise NotUndone("Đợt này là một thay đổi địa giới; hãy hoàn tác ở trang của chính thay đổi đó.")
    plans = _plans(session, batch)
    if lock:
        for plan in plans:
            _lock(session, plan)
    later = [*_changed_later(session, batch), *_named_by_others(session, plans)]
    if later:
        raise NotUndone(
            "Không hoàn tác được cả đợt: %(count)s bản ghi đã được sửa hoặc dùng sau đó. Chưa có gì thay đổi.",
            later=later,
            count=len(later),
        )
    return plans


def _plans(session: Session, batch: Batch) -> list[_Plan]:
    columns = (AuditRow.table_name, AuditRow.row_id, AuditRow.action, AuditRow.before)
    query = sa.select(*columns).where(AuditRow.batch_id == batch.id).order_by(AuditRow.id.desc())
    net: dict[tuple[str, int], past.State | None] = {}
    there: dict[tuple[str, int], bool] = {}
    for table, row_id, action, held in session.execute(query):
        layer = catalogue.layer_of_table(table)
        if (layer is None and table not in _WITH_LAYERS) or row_id is None or action not in _ACTIONS:
            raise NotUndone(
                "Đợt này thay đổi cả những phần của bản ghi không hoàn tác được ở đây; "
                "hãy dùng trang của chính việc đó."
            )
        there.setdefault((table, row_id), action != "delete")
        before = past.values(_model(table), held or {})
        known = net.get((table, row_id))
        net[table, row_id] = None if action == "insert" else {**(known or {}), **before}
    if not net:
        raise NotUndone("Đợt này không còn gì để hoàn tác.")
    plans: dict[str, _Plan] = {}
    for (table, row_id), state in net.items():
        plan = plans.setdefault(table, _Plan(table, catalogue.layer_of_table(table), _model(table)))
        if state is not None:
            (plan.put_back if there[table, row_id] else plan.bring_back)[row_id] = state
        elif there[table, row_id]:
            plan.remove.append(row_id)
    return list(plans.values())


def _model(table: str) -> Any:
    layer = catalogue.layer_of_table(table)
    return layer.model if layer is not None else past.model_of_table(table)


def _lock(session: Session, plan: _Plan) -> None:
    """Keep others from changing the rows until this transaction ends."""
    model, ids = plan.model, plan.ids
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        session.execute(sa.select(model.id).where(model.id.in_(some)).order_by(model.id).with_for_update())


def _changed_later(session: Session, batch: Batch) -> list[Later]:
    """List the latest change of each row that was changed after the batch, but for what was undone itself."""
    own = (
        sa.select(AuditRow.table_name, AuditRow.row_id, sa.func.max(AuditRow.id).label("last"))
        .where(AuditRow.batch_id == batch.id)
        .group_by(AuditRow.table_name, AuditRow.row_id)
        .subquery()
    )
    undone = sa.select(Batch.id).where(Batch.undone_by.is_not(None))
    undoing = sa.select(Batch.undone_by).where(Batch.undone_by.is_not(None))
    counts = sa.or_(
        AuditRow.batch_id.is_(None), AuditRow.batch_id.not_in(undone) & AuditRow.batch_id.not_in(undoing)
    )
    query = (
        sa.select(AuditRow.table_name, AuditRow.row_id, AuditRow.at, AuditRow.actor, AuditRow.action)
        .join(own, sa.and_(own.c.table_name == AuditRow.table_name, own.c.row_id == AuditRow.row_id))
        .where(AuditRow.id > own.c.last, AuditRow.action.in_(_ACTIONS), counts)
        .order_by(AuditRow.id.desc())
    )
    found: dict[tuple[str, int], Later] = {}
    for table, row, at, actor, action in session.execute(query):
        row_id = int(row or 0)
        if (table, row_id) not in found:
            name = _name(session, table, row_id) if len(found) < NAMED else str(row_id)
            found[table, row_id] = Later(table, row_id, name, at, actor, action)
    return list(found.values())


def _named_by_others(session: Session, plans: Sequence[_Plan]) -> list[Later]:
    """List rows that name one that would go and would not go with it."""
    going = {plan.table: set(plan.remove) for plan in plans}
    changing = {plan.table: plan.put_back for plan in plans}
    found: list[Later] = []
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            ids = sorted(going.get(key.column.table.name, ()))
            for start in range(0, len(ids), AT_ONCE):
                query = sa.select(table.c.id).where(key.parent.in_(ids[start : start + AT_ONCE]))
                for row_id in session.scalars(query):
                    given_back = changing.get(table.name, {}).get(row_id, {})
                    lets_go = key.parent.name in given_back and given_back[key.parent.name] not in ids
                    if row_id not in going.get(table.name, ()) and not lets_go:
                        name = _name(session, table.name, row_id) if len(found) < NAMED else str(row_id)
                        found.append(Later(table.name, row_id, name, None, None, "names"))
    return found


def _name(session: Session, table: str, row_id: int) -> str:
    layer = catalogue.layer_of_table(table)
    row = session.get(layer.model, row_id) if layer is not None else None
    return str(getattr(row, layer.name_field, None) or row_id) if layer is not None else str(row_id)


# ---- what it did


def _counts(session: Session, batch: Batch) -> dict[str, dict[str, int]]:
    query = (
        sa.select(AuditRow.table_name, AuditRow.action, sa.func.count())
        .where(AuditRow.batch_id == batch.id)
        .group_by(AuditRow.table_name, AuditRow.action)
    )
    found: dict[str, dict[str, int]] = {}
    for table, action, count in session.execute(query):
        found.setdefault(table, {})[action] = int(count)
    return found


def _box(session: Session, batch: Batch) -> Box | None:
    """Return the lon/lat box around what the batch's rows are now, or were when it deleted them."""
    entries = sa.select(AuditRow.table_name, AuditRow.row_id).where(AuditRow.batch_id == batch.id).distinct()
    ids: dict[str, list[int]] = {}
    for table, row_id in session.execute(entries.limit(MOST_SHAPES)):
        if row_id is not None and catalogue.layer_of_table(table) is not None:
            ids.setdefault(table, []).append(row_id)
    shapes: list[Any] = []
    for table, wanted in ids.items():
        layer = catalogue.layer_of_table(table)
        model: Any = layer.model if layer else None
        for start in range(0, len(wanted), AT_ONCE):
            query = sa.select(model.geom).where(model.id.in_(wanted[start : start + AT_ONCE]))
            shapes += [shape for shape in session.scalars(query) if shape is not None]
    deleted = sa.select(AuditRow.table_name, AuditRow.before).where(
        AuditRow.batch_id == batch.id, AuditRow.action == "delete"
    )
    for table, held in session.execute(deleted.limit(MOST_SHAPES)):
        layer = catalogue.layer_of_table(table)
        shape = past.values(layer.model, {"geom": (held or {}).get("geom")}).get("geom") if layer else None
        shapes += [shape] if shape is not None else []
    if not shapes:
        return None
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return west, south, east, north
