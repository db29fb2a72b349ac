"""Transaction: all actions in one unit of work, kept together or not at all (OGC 09-025r2, clause 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response
from werkzeug.exceptions import Unauthorized

from data import wfs as kept
from data.accounts import PUBLIC
from gis.errors import Refusal
from layers import locks
from layers.edit import NotAllowed, editing
from layers.locks import RowsLocked
from services import context
from services.formats import feature_id
from services.wfs import xml
from services.wfs.actions import Actions, Done
from services.wfs.dialects import XSI, Dialect
from services.wfs.exceptions import OwsError, code_of
from services.wfs.locking import add_id
from services.wfs.requests import Transaction
from services.wfs.xml import Writer


def editors_only() -> None:
    """Ask a stranger for a name, and refuse those who may edit nothing. Raises Unauthorized or NotAllowed."""
    actor = context.actor()
    if actor == PUBLIC:
        raise Unauthorized
    if not actor.may_edit_something:
        raise NotAllowed("Tài khoản này chỉ được xem, không được sửa.")


def answer(request: Transaction, reason: str | None = None) -> Response:
    """Carry out a transaction and tell what it did.

    Raises what layers.edit, filters and geometries raise; nothing is changed then.
    """
    editors_only()
    actor = context.actor()
    with editing(context.store(), actor, "wfs", reason) as edits:
        own = None if request.lock_key is None else locks.held(edits.session, actor, request.lock_key)
        edits.lock = own
        actions = Actions(edits, request.dialect, own, request.srs_name)
        for element in request.actions:
            _carry_out(actions, element)
        if own is not None:
            locks.finish(edits.session, own, actions.touched, release_all=request.release_all)
        elif actions.deleted:
            kept.forget_expired(edits.session)
    context.renew_session()
    body = _RESPONSES[request.dialect.family](actions, request.dialect)
    return Response(body, content_type="text/xml; charset=utf-8", headers={"Cache-Control": "no-store"})


def _carry_out(actions: Actions, element: Any) -> None:
    """Carry out an action; a refusal names its handle, when it has one and nothing closer is named."""
    try:
        actions.carry_out(element)
    except RowsLocked as error:
        raise OwsError(error.message, code="InvalidLockId", locator="lockId", **error.facts) from error
    except Refusal as error:
        code, locator = code_of(error)
        handle = element.get("handle")
        if handle is None or locator:
            raise
        raise OwsError(error.message, code=code, locator=handle, **error.facts) from error


# ---- responses


def _root(writer: Writer, name: str, dialect: Dialect) -> Any:
    spaces = {"wfs": dialect.wfs, dialect.prefix_of_filter: dialect.filter, "xsi": XSI}
    root = writer.root(name, spaces, version=dialect.version)
    root.set(f"{{{XSI}}}schemaLocation", f"{dialect.wfs} {dialect.transaction_schema}")
    return root


def _new(actions: Actions, dialect: Dialect) -> bytes:
    writer = Writer(dialect.wfs)
    root = _root(writer, "TransactionResponse", dialect)
    summary = writer.add(root, "TransactionSummary")
    parts = (
        ("Inserted", "InsertResults", actions.inserted),
        ("Updated", "UpdateResults", actions.updated),
        ("Replaced", "ReplaceResults", actions.replaced),
        ("Deleted", "", actions.deleted),
    )
    for name, _, done in parts:
        writer.add(summary, f"total{name}", len(done))
    for _, results, done in parts:
        if results and done:
            _features(writer, writer.add(root, results), done, dialect)
    return xml.to_bytes(root)


def _features(writer: Writer, parent: Any, done: Sequence[Done], dialect: Dialect) -> None:
    ids = Writer(dialect.filter)
    for one in done:
        feature = writer.add(parent, "Feature")
        if one.handle:
            feature.set("handle", one.handle)
        add_id(ids, feature, feature_id(one.layer, one.row_id), dialect)


def _second(actions: Actions, dialect: Dialect) -> bytes:
    writer = Writer(dialect.wfs)
    root = _root(writer, "TransactionResponse", dialect)
    summary = writer.add(root, "TransactionSummary")
    writer.add(summary, "totalInserted", len(actions.inserted))
    writer.add(summary, "totalUpdated", len(actions.updated) + len(actions.replaced))
    writer.add(summary, "totalDeleted", len(actions.deleted))
    results = writer.add(root, "InsertResults")
    _features(writer, results, actions.inserted, dialect)
    if not actions.inserted:
        # The schema of 1.1 wants a feature even where none was inserted.
        add_id(Writer(dialect.filter), writer.add(results, "Feature"), "none", dialect)
    return xml.to_bytes(root)


def _first(actions: Actions, dialect: Dialect) -> bytes:
    writer, ids = Writer(dialect.wfs), Writer(dialect.filter)
    root = _root(writer, "WFS_TransactionResponse", dialect)
    for one in actions.inserted:
        part = writer.add(root, "InsertResult")
        if one.handle:
            part.set("handle", one.handle)
        add_id(ids, part, feature_id(one.layer, one.row_id), dialect)
    writer.add(writer.add(writer.add(root, "TransactionResult"), "Status"), "SUCCESS")
    return xml.to_bytes(root)


_RESPONSES: dict[str, Callable[[Actions, Dialect], bytes]] = {"2.0": _new, "1.1": _second, "1.0": _first}
