"""The office's pages: what one may edit, and a form with a map for growing areas and craft villages."""

from __future__ import annotations

from typing import Any

import shapely
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data import audit, codes
from layers import catalogue, read
from layers.edit import KEEP, Conflict, EditError, NotAllowed, NotFound, editing, is_editable, may_edit
from layers.fields import Field, Layer
from services import context
from services.errors import sentence_of, status_of
from webmap.office import upload
from webmap.pages import static, vendor
from webmap.planner.assets import import_map

blueprint = Blueprint("office", __name__)
RECENT = 20


@blueprint.get("/office")
@login_required
def home() -> str:
    """Show which layers the caller may edit, and the latest rows of each."""
    actor, session = context.actor(), context.session()
    sections = []
    for layer in catalogue.LAYERS:
        if not layer.editable_in_office or not may_edit(actor, layer):
            continue
        names = (layer.name_field, "commune_name", "updated_at", "status")
        query = read.Query(
            layer, actor, fields=names, sort=(("updated_at", True),), limit=RECENT * 5, geometry=False
        )
        rows = [
            r for r in read.rows(session, query).records() if is_editable(session, layer, r["id"], actor)
        ][:RECENT]
        sections.append({"layer": layer, "rows": rows})
    return render_template("office/home.html", sections=sections)


@blueprint.get("/edit/<layer_id>/new")
@login_required
def new(layer_id: str) -> str:
    """Show an empty form."""
    layer = _layer(layer_id)
    return _form(layer, None, {}, None, 1)


@blueprint.get("/edit/<layer_id>/<int:row_id>")
@login_required
def edit(layer_id: str, row_id: int) -> str:
    """Show the form of a row."""
    layer = _layer(layer_id)
    record = _record(layer, row_id)
    return _form(layer, row_id, record, record["geometry"], record["version"])


@blueprint.post("/edit/<layer_id>/new")
@login_required
def create(layer_id: str) -> Any:
    """Add a row from the form."""
    return _save(_layer(layer_id), None)


@blueprint.post("/edit/<layer_id>/<int:row_id>")
@login_required
def update(layer_id: str, row_id: int) -> Any:
    """Change a row from the form, unless somebody else changed it meanwhile."""
    return _save(_layer(layer_id), row_id)


@blueprint.post("/edit/<layer_id>/<int:row_id>/delete")
@login_required
def delete(layer_id: str, row_id: int) -> BaseResponse:
    """Remove a row; the audit trail keeps it."""
    layer = _layer(layer_id)
    version = request.form.get("version", type=int)
    with editing(context.store(), context.actor(), "web", request.form.get("reason")) as edits:
        edits.delete(layer, row_id, version=version)
    flash(_("Đã xóa; nhật ký giữ lại toàn bộ nội dung."), "ok")
    return redirect("/office", 303)


@blueprint.get("/history/<layer_id>/<int:row_id>")
@login_required
def history(layer_id: str, row_id: int) -> str:
    """Show who changed a row when."""
    layer = _layer(layer_id)
    record = _record(layer, row_id)
    changes = audit.history(context.session(), layer.table, row_id)
    titles = {f.name: f.title[context.language()] for f in layer.readable_fields(context.actor())}
    return render_template("office/history.html", layer=layer, record=record, changes=changes, titles=titles)


def _layer(layer_id: str) -> Layer:
    try:
        layer = catalogue.layer(layer_id)
    except KeyError:
        raise NotFound("Không có lớp “%(layer)s”.", layer=layer_id) from None
    if not layer.editable_in_office or not may_edit(context.actor(), layer):
        raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=layer.title)
    return layer


def _record(layer: Layer, row_id: int) -> dict[str, Any]:
    record = read.one(context.session(), layer, row_id, context.actor())
    if record is None:
        raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=row_id, layer=layer.title)
    if not is_editable(context.session(), layer, row_id, context.actor()):
        raise NotAllowed("Bản ghi nằm ngoài địa bàn bạn phụ trách.")
    return record


def _save(layer: Layer, row_id: int | None) -> Any:
    values = {f.name: request.form.get(f.name, "") for f in _form_fields(layer)}
    version = request.form.get("version", type=int)
    try:
        shape = upload.geometry_of(request.form.get("geometry", ""), request.files.get("geometry_file"))
        with editing(context.store(), context.actor(), "web") as edits:
            if row_id is None:
                row_id = edits.insert(layer, values, shape)
            else:
                edits.update(layer, row_id, values, KEEP if shape is None else shape, version=version)
            repairs = list(edits.repairs)
    except (EditError, upload.UploadError) as error:
        return _refused(layer, row_id, values, error)
    flash(_("Đã lưu."), "ok")
    for _on, _id, repair in repairs:
        flash(
            _("Đường ranh được sửa cho hợp lệ: diện tích từ %(before)s ha thành %(after)s ha.")
            % {"before": f"{repair.area_before_ha:.4f}", "after": f"{repair.area_after_ha:.4f}"},
            "warning",
        )
    return redirect(layer.page_address(row_id) or "/office", 303)


def _refused(layer: Layer, row_id: int | None, values: dict[str, Any], error: Exception) -> tuple[str, int]:
    """Show the form again with what was typed, the reason, and in a conflict what is kept now."""
    context.renew_session()
    theirs = None
    version = request.form.get("version", 1, type=int)
    if isinstance(error, Conflict) and row_id is not None:
        theirs = _record(layer, row_id)
        version = error.current
    text = request.form.get("geometry", "")
    try:
        shape = upload.geometry_of(text, None)
    except upload.UploadError:
        shape = None
    page = _form(layer, row_id, values, shape, version, error=error, theirs=theirs)
    return page, status_of(error)


def _form(
    layer: Layer,
    row_id: int | None,
    values: dict[str, Any],
    shape: shapely.Geometry | None,
    version: int,
    *,
    error: Exception | None = None,
    theirs: dict[str, Any] | None = None,
) -> str:
    geometry = shapely.to_geojson(shape) if shape is not None else ""
    return render_template(
        "office/edit.html",
        layer=layer,
        row_id=row_id,
        fields=[_form_field(f, values.get(f.name)) for f in _form_fields(layer)],
        geometry=geometry,
        version=version,
        sentence=sentence_of(error) if error else None,
        bad_field=getattr(error, "field", None),
        theirs=[_form_field(f, theirs.get(f.name)) for f in _form_fields(layer)] if theirs else None,
        import_map=import_map(vendor, static),
    )


def _form_fields(layer: Layer) -> list[Field]:
    return [f for f in layer.readable_fields(context.actor()) if f.writable]


def _form_field(field: Field, value: Any) -> dict[str, Any]:
    lang = context.language()
    listed = field.code_list
    return {
        "name": field.name,
        "title": field.title[lang],
        "type": field.type.value,
        "unit": field.unit[lang] if field.unit else None,
        "required": field.required,
        "multiline": field.multiline,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "help": field.help[lang] if field.help else None,
        "value": "" if value is None else value.isoformat() if hasattr(value, "isoformat") else value,
        "text": codes.label(field.codes, value, lang) if field.codes else value,
        "codes": [(v, c.label(lang)) for v, c in listed.items()] if listed else None,
    }
