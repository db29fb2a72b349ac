"""The attribute table of a layer: sorted, filtered, changed cell by cell or many rows at once, beside a map."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from data.accounts import Actor
from data.batches import Batch
from gis.errors import Refusal
from layers import catalogue, read
from layers.edit import Invalid, NotAllowed, NotFound, editable_ids, editing, may_edit
from layers.fields import Field, Layer
from layers.filters import FilterError, Ids
from services import context, items, parameters
from services.errors import sentence_of, status_of
from webmap.office.cells import cell_of, described
from webmap.office.rowfilters import PREFIX, filter_of, texts_of
from webmap.pages import static, vendor
from webmap.planner.assets import import_map

blueprint = Blueprint("table", __name__)
PAGE = 50
COLUMNS = 8
MOST_SELECTED = 5_000
MOST_DRAWN = 1_000
HIDDEN_AT_START = ("source", "version", "updated_at", "description", "search")


@blueprint.get("/office/table/<layer_id>")
@login_required
def page(layer_id: str) -> Response:
    """Show one page of the table; a wrong filter is said and shows no rows."""
    layer, actor = _layer(layer_id), context.actor()
    texts, cql = texts_of(layer, actor, request.args), request.args.get("cql", "")
    chosen = _columns(layer, actor)
    sort = _sort(layer, actor)
    found: dict[str, Any] = {"rows": [], "total": 0, "first": 0, "page": 1, "pages": 1}
    error: Refusal | None = None
    try:
        found = _found(layer, actor, texts, cql, chosen, sort)
    except (FilterError, read.ReadError) as refused:
        error = refused
    body = render_template(
        "office/table.html",
        layer=layer,
        columns=[described(f, context.language()) for f in chosen],
        fields=[described(f, context.language()) for f in layer.readable_fields(actor)],
        texts=texts,
        cql=cql,
        sort=request.args.get("sort", ""),
        sentence=sentence_of(error) if error else None,
        address=_address,
        prefix=PREFIX,
        may_edit=may_edit(actor, layer),
        import_map=import_map(vendor, static),
        **found,
    )
    return make_response(body, status_of(error) if error else 200)


@blueprint.get("/office/table/<layer_id>/ids.json")
@login_required
def ids(layer_id: str) -> Response:
    """List the numbers and versions of all rows of the filter, within a box when one is given."""
    layer, actor = _layer(layer_id), context.actor()
    where = filter_of(layer, texts_of(layer, actor, request.args), request.args.get("cql", ""))
    query = read.Query(
        layer,
        actor,
        box=parameters.box(),
        where=where,
        fields=tuple(_with_version(layer, actor)),
        limit=MOST_SELECTED,
        geometry=False,
    )
    found = read.rows(context.session(), query)
    rows = [[r["id"], r.get("version")] for r in found.records()]
    return jsonify(rows=rows, more=found.next is not None)


@blueprint.post("/office/table/<layer_id>/shapes")
@login_required
def shapes(layer_id: str) -> Response:
    """Give the outlines of chosen rows as GeoJSON, for the map beside the table."""
    layer, numbers = _layer(layer_id), _document().get("ids")
    if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
        raise Invalid("Không đọc được những dòng đã chọn; hãy chọn lại.")
    where = Ids(tuple(numbers[:MOST_DRAWN]))
    found = read.rows(context.session(), read.Query(layer, context.actor(), where=where, fields=()))
    body = b'{"type":"FeatureCollection","features":[' + b",".join(items.feature_texts(found)) + b"]}"
    return Response(body, mimetype="application/geo+json")


@blueprint.post("/office/table/<layer_id>/<int:row_id>")
@login_required
def change(layer_id: str, row_id: int) -> Response:
    """Change one cell unless somebody else changed the row meanwhile; answer with the cell as it is now."""
    layer, document = _layer(layer_id), _document()
    field = _writable(layer, str(document.get("field", "")))
    with editing(context.store(), context.actor(), "web") as edits:
        version = edits.update(layer, row_id, {field.name: document.get("value")}, version=_version(document))
    context.renew_session()
    record = read.one(context.session(), layer, row_id, context.actor()) or {}
    return jsonify(version=version, cell=cell_of(field, record.get(field.name), context.language()))


@blueprint.post("/office/table/<layer_id>/bulk")
@login_required
def bulk(layer_id: str) -> Response:
    """Change fields of many rows in one transaction, or say beforehand what that would change."""
    layer, actor, document = _layer(layer_id), context.actor(), _document()
    rows, values = _rows(document), _values(layer, document)
    if document.get("preview"):
        return jsonify(_preview(layer, actor, rows, values))
    titles = ", ".join(layer.field(name).title[context.language()] for name in values)
    batch = Batch(
        kind="bulk",
        title=_("Sửa hàng loạt %(n)s dòng: %(fields)s", n=len(rows), fields=titles),
        table_name=layer.table,
        facts={"fields": list(values)},
    )
    with editing(context.store(), actor, "web", batch=batch) as edits:
        for row_id, version in rows:
            edits.update(layer, row_id, values, version=version)
        changed, number = batch.rows, batch.id
    return jsonify(changed=changed, rows=len(rows), batch=number)


# ---- what is shown


def _found(
    layer: Layer,
    actor: Actor,
    texts: dict[str, str],
    cql: str,
    columns: tuple[Field, ...],
    sort: tuple[tuple[str, bool], ...],
) -> dict[str, Any]:
    session, lang = context.session(), context.language()
    names = dict.fromkeys([layer.name_field, *(f.name for f in columns), *_with_version(layer, actor)])
    query = read.Query(
        layer,
        actor,
        where=filter_of(layer, texts, cql),
        fields=tuple(names),
        sort=sort,
        limit=PAGE,
        geometry=False,
    )
    total = read.count(session, query)
    pages = max(1, math.ceil(total / PAGE))
    number = min(parameters.integer("page", 1, minimum=1, maximum=pages), pages)
    after = read.cursor_at(session, query, (number - 1) * PAGE) if number > 1 else None
    records = list(read.rows(session, dataclasses.replace(query, after=after)).records())
    own = editable_ids(session, layer, [r["id"] for r in records], actor)
    rows = [
        {
            "id": r["id"],
            "version": r.get("version"),
            "editable": r["id"] in own,
            "name": r[layer.name_field] or r["id"],
            "cells": [cell_of(f, r[f.name], lang) for f in columns],
        }
        for r in records
    ]
    return {"rows": rows, "total": total, "first": (number - 1) * PAGE, "page": number, "pages": pages}


def _with_version(layer: Layer, actor: Actor) -> list[str]:
    return ["version"] if any(f.name == "version" for f in layer.readable_fields(actor)) else []


def _columns(layer: Layer, actor: Actor) -> tuple[Field, ...]:
    """Return the columns asked for by `col`, or the first telling ones."""
    readable = {f.name: f for f in layer.readable_fields(actor)}
    asked = [readable[name] for name in request.args.getlist("col") if name in readable]
    if asked:
        return tuple(asked)
    usual = [f for f in readable.values() if f.name not in HIDDEN_AT_START and not f.multiline]
    usual.sort(key=lambda f: (f.name != layer.name_field, not f.writable))
    return tuple(usual[:COLUMNS])


def _sort(layer: Layer, actor: Actor) -> tuple[tuple[str, bool], ...]:
    text = request.args.get("sort", "")
    name, descending = text.lstrip("-"), text.startswith("-")
    known = any(f.name == name and f.sortable for f in layer.readable_fields(actor))
    return ((name, descending),) if known else ()


def _address(**changes: Any) -> str:
    """Return this page's address with some parameters changed; None takes one away."""
    arguments: dict[str, Any] = {k: v for k, v in request.args.to_dict(flat=False).items() if any(v)}
    for name, value in {"page": None, **changes}.items():
        arguments.pop(name, None)
        if value is not None:
            arguments[name] = value
    return f"{request.path}?{urlencode(arguments, doseq=True)}"


# ---- what is asked


def _layer(layer_id: str) -> Layer:
    try:
        layer = catalogue.layer(layer_id)
    except KeyError:
        raise NotFound("Không có lớp “%(layer)s”.", layer=layer_id) from None
    if not context.actor().is_staff:
        raise NotAllowed("Bảng thuộc tính chỉ dành cho cán bộ chương trình.")
    return layer


def _document() -> dict[str, Any]:
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise Invalid("Nội dung gửi lên không đọc được; hãy tải lại trang.")
    return document


def _writable(layer: Layer, name: str) -> Field:
    field = next((f for f in layer.readable_fields(context.actor()) if f.name == name), None)
    if field is None:
        raise Invalid("Lớp không có trường “%(field)s”.", field=name)
    if not field.writable:
        raise Invalid("Trường “%(title)s” không sửa được.", field=name, title=field.title)
    return field


def _version(document: dict[str, Any]) -> int:
    version = document.get("version")
    if not isinstance(version, int):
        raise Invalid("Thiếu phiên bản của dòng; hãy tải lại trang.")
    return version


def _rows(document: dict[str, Any]) -> list[tuple[int, int]]:
    try:
        rows = [(int(row_id), int(version)) for row_id, version in document["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid("Không đọc được những dòng đã chọn; hãy chọn lại.") from error
    if not 0 < len(rows) <= MOST_SELECTED:
        raise Invalid("Mỗi lần sửa được từ 1 đến %(most)s dòng.", most=MOST_SELECTED)
    return rows


def _values(layer: Layer, document: dict[str, Any]) -> dict[str, Any]:
    values = document.get("values")
    if not isinstance(values, dict) or not values:
        raise Invalid("Hãy chọn ít nhất một trường để sửa.")
    for name in values:
        _writable(layer, name)
    return values


def _preview(
    layer: Layer, actor: Actor, rows: list[tuple[int, int]], values: dict[str, Any]
) -> dict[str, int]:
    """Count the rows that may be changed, that are not the caller's, and that somebody changed meanwhile."""
    session = context.session()
    asked = dict(rows)
    own = editable_ids(session, layer, list(asked), actor)
    current = {n: v for n, v in read.versions(session, layer, list(asked), actor).items() if n in own}
    stale = sum(1 for n, v in current.items() if v != asked[n])
    return {"rows": len(asked), "editable": len(own), "refused": len(asked) - len(own), "stale": stale}
