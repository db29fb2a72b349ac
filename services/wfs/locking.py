"""LockFeature and GetFeatureWithLock (OGC 09-025r2, clauses 12 and 13; 04-094, clause 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response

from data.wfs import UnknownLock
from layers import catalogue, locks
from layers.filters import Ids, Not, all_of
from services import context
from services.formats import feature_id
from services.formats.gml import NAMESPACE, PREFIX
from services.wfs import features, xml
from services.wfs.dialects import XSI, Dialect
from services.wfs.exceptions import PARSING, OwsError, missing
from services.wfs.queries import Ask
from services.wfs.requests import COUNT_DEFAULT, GetFeature, Lock, LockFeature
from services.wfs.xml import Writer


def lock_features(request: LockFeature, asks: Sequence[Ask]) -> Response:
    """Answer LockFeature: lock the rows of queries, or let a lock's time begin anew.

    Raises RowsLocked, NotAllowed, ExpiredLock or OwsError.
    """
    lock = request.lock
    if lock.key is not None:
        # A lock that never was is reported like one that expired (OGC 09-025r2, 12.4).
        try:
            key = locks.extend(context.store(), context.actor(), lock.key, lock.seconds)
        except UnknownLock as error:
            raise OwsError(error.message, code="LockHasExpired", locator="lockId", **error.facts) from error
        if asks:
            raise OwsError(
                "Một yêu cầu chỉ nêu khóa đã có hoặc truy vấn, không cả hai.", code=PARSING, locator="lockId"
            )
        made = locks.Locked(key, {}, {})
    else:
        made = _lock(asks, lock)
    context.renew_session()
    return _answer(made, request.dialect)


def _lock(asks: Sequence[Ask], lock: Lock) -> locks.Locked:
    if not asks:
        raise missing("typeNames")
    return locks.lock(
        context.store(),
        context.actor(),
        [ask.query for ask in asks],
        lock.seconds,
        all_or_none=not lock.some,
    )


def features_with_lock(request: GetFeature, asks: Sequence[Ask]) -> Response:
    """Answer GetFeatureWithLock: the features that could be locked, and the key of the lock.

    Raises RowsLocked, NotAllowed or OwsError.
    """
    lock = request.lock or Lock()
    wanted = asks
    if request.count is not None or request.start:
        wanted = _window(request, asks)
    made = _lock(wanted, lock)
    context.renew_session()
    free = [_without(ask, made.refused) for ask in wanted]
    plain = replace(request, count=None, start=0)
    return features.answer(plain, free, made.key)


def _window(request: GetFeature, asks: Sequence[Ask]) -> list[Ask]:
    """Narrow questions to the rows from the start to the count of the request."""
    start, left = request.start, COUNT_DEFAULT if request.count is None else request.count
    found: list[Ask] = []
    for ask in asks:
        ids = locks.row_ids(context.session(), replace(ask.query, limit=start + left))
        chosen = ids[start : start + left]
        start, left = max(start - len(ids), 0), left - len(chosen)
        found.append(replace(ask, query=replace(ask.query, where=Ids(tuple(chosen)), box=None)))
    return found


def _without(ask: Ask, refused: Mapping[str, Sequence[int]]) -> Ask:
    barred = tuple(refused.get(ask.query.layer.id, ()))
    if not barred:
        return ask
    return replace(ask, query=replace(ask.query, where=all_of(ask.query.where, Not(Ids(barred)))))


def _answer(made: locks.Locked, dialect: Dialect) -> Response:
    writer = Writer(dialect.wfs)
    spaces = {"wfs": dialect.wfs, dialect.prefix_of_filter: dialect.filter, PREFIX: NAMESPACE, "xsi": XSI}
    if dialect.family == "1.0":
        root = writer.root("WFS_LockFeatureResponse", spaces)
        writer.add(root, "LockId", made.key)
    elif dialect.is_new:
        root = writer.root("LockFeatureResponse", spaces, lockId=made.key)
    else:
        root = writer.root("LockFeatureResponse", spaces)
        writer.add(root, "LockId", made.key)
    root.set(f"{{{XSI}}}schemaLocation", f"{dialect.wfs} {dialect.transaction_schema}")
    for name, rows in (("FeaturesLocked", made.rows), ("FeaturesNotLocked", made.refused)):
        if any(rows.values()):
            _ids(writer.add(root, name), rows, dialect)
    return Response(xml.to_bytes(root), content_type=features.XML, headers={"Cache-Control": "no-store"})


def _ids(parent: Any, rows: Mapping[str, Sequence[int]], dialect: Dialect) -> None:
    writer = Writer(dialect.filter)
    for layer_id, ids in rows.items():
        layer = catalogue.layer(layer_id)
        for number in ids:
            add_id(writer, parent, feature_id(layer, number), dialect)


def add_id(writer: Writer, parent: Any, own_id: str, dialect: Dialect) -> None:
    """Add the element that a version names a feature by."""
    if dialect.is_new:
        writer.add(parent, "ResourceId", rid=own_id)
    else:
        writer.add(parent, "FeatureId", fid=own_id)
