"""Locks on the rows of layers: one caller keeps rows for a while, and nobody else changes them by the services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data import wfs
from data.accounts import Actor, editable, visible
from data.store import Store
from data.wfs import LockNeeded, RowsLocked
from layers import read
from layers.edit import NotAllowed
from layers.fields import Layer

#: Rows by layer id.
RowIds = Mapping[str, Iterable[int]]

LONGEST_SECONDS = 86_400

__all__ = ["LockNeeded", "Locked", "RowsLocked", "extend", "finish", "held", "lock", "row_ids"]


@dataclass(frozen=True)
class Locked:
    """What came of a request for a lock: the key, the rows that are locked, and those that could not be."""

    key: str
    rows: dict[str, list[int]]
    refused: dict[str, list[int]]


def lock(
    store: Store, actor: Actor, queries: Sequence[read.Query], seconds: int, *, all_or_none: bool
) -> Locked:
    """Lock the rows of queries for some seconds, all of them or those that are free.

    Raises NotAllowed for callers who edit nothing, and RowsLocked when all were asked for and one is not free.
    """
    if not actor.may_edit_something:
        raise NotAllowed("Bạn không có quyền khóa bản ghi để sửa.")
    try:
        with store.writing() as session:
            wfs.forget_expired(session)
            free, taken = _sorted_out(session, actor, queries)
            if all_or_none and any(taken.values()):
                layer, ids = next((name, ids) for name, ids in taken.items() if ids)
                raise RowsLocked(
                    "Không khóa được %(layer)s.%(id)s: bản ghi đang bị khóa hoặc bạn không được sửa.",
                    layer=layer,
                    id=ids[0],
                )
            made = wfs.add_lock(session, actor.account_id, free, min(seconds, LONGEST_SECONDS))
            return Locked(made.key, free, taken)
    except IntegrityError as error:
        raise RowsLocked("Có người vừa khóa một trong các bản ghi này; hãy thử lại.") from error


def _sorted_out(
    session: Session, actor: Actor, queries: Sequence[read.Query]
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    free: dict[str, list[int]] = {}
    taken: dict[str, list[int]] = {}
    for query in queries:
        layer = query.layer
        asked = row_ids(session, query)
        known = {*free.get(layer.id, ()), *taken.get(layer.id, ())}
        barred = wfs.locked_rows(session, layer.table)
        own = _editable(session, layer, actor)
        for row_id in asked:
            if row_id in known:
                continue
            able = row_id not in barred and (own is None or row_id in own)
            (free if able else taken).setdefault(layer.id, []).append(row_id)
    return free, taken


def row_ids(session: Session, query: read.Query) -> list[int]:
    """Return the ids of all rows of a query, in its order."""
    bare = replace(query, fields=(), geometry=False)
    return [row_id for page in read.stream(session, bare) for row_id in page.ids.tolist()]


def _editable(session: Session, layer: Layer, actor: Actor) -> set[int] | None:
    """Return the ids of the rows that the actor may edit, or None when those are all."""
    model = layer.model
    rule = sa.and_(visible(actor, model), editable(actor, model))
    if str(rule) == str(sa.true()):
        return None
    return set(session.scalars(sa.select(model.id).where(rule)))


def extend(store: Store, actor: Actor, key: str, seconds: int | None) -> str:
    """Let the time of a lock begin anew. Raises UnknownLock, ExpiredLock, or NotAllowed for another's lock."""
    with store.writing() as session:
        found = held(session, actor, key)
        wfs.restart(found, min(seconds, LONGEST_SECONDS) if seconds else None)
        return found.key


def held(session: Session, actor: Actor, key: str) -> wfs.WfsLock:
    """Return a lock of the actor's. Raises UnknownLock, ExpiredLock, or NotAllowed for another's lock."""
    found = wfs.find_lock(session, key)
    if found.account_id is not None and found.account_id != actor.account_id:
        raise NotAllowed("Khóa này là của người khác.")
    return found


def finish(session: Session, own: wfs.WfsLock, touched: RowIds, *, release_all: bool) -> None:
    """End a change made under a lock: free all its rows, or those that were changed and let the rest wait on."""
    if release_all:
        wfs.release(session, own)
        return
    wfs.restart(own)
    wfs.release(session, own, touched)
