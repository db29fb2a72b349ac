"""The office's pages: what one may edit, and a form with a map for growing areas and craft villages."""

from __future__ import annotations

from typing import Any

import orjson
import shapely
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data import codes
from data.batches import Batch
from data.traceability import duties, problems, scans
from gis.geometry import area_ha
from layers import catalogue, history, read
from layers.edit import KEEP, Conflict, EditError, Edits, NotAllowed, NotFound, editing, is_editable, may_edit
from layers.fields import Field, Layer
from services import context
from services.errors import sentence_of, status_of
from webmap.office import conflicts, takeover, upload
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
    return render_template(
        "office/home.html",
        sections=sections,
        looks_after_buyers=actor.role in duties.HANDLERS,
        problems_waiting=len(problems.waiting(session, actor)),
        alarms_waiting=scans.waiting_alarms(session, actor),
    )


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
    fields = _form_fields(layer)
    values = {f.name: request.form.get(f.name, "") for f in fields}
    version = request.form.get("version", type=int)
    try:
        shape = upload.geometry_of(request.form.get("geometry", ""), request.files.get("geometry_file"))
        plans = takeover.plans_of(request.form.get("neighbours", ""))
        with editing(context.store(), context.actor(), "web", batch=_batch(layer, values, plans)) as edits:
            if row_id is None:
                row_id = edits.insert(layer, values, shape)
            else:
                chosen, outline = _chosen(edits, layer, row_id, values, shape)
                edits.update(layer, row_id, chosen, outline, version=version)
            takeover.carry_out(edits, layer, row_id, plans)
            repairs = list(edits.repairs)
    except (EditError, upload.UploadError) as error:
        if _asked_by_script():
            raise
        return _refused(layer, row_id, values, error)
    flash(_("Đã lưu."), "ok")
    for _on, _id, repair in repairs:
        flash(
            _("Đường ranh được sửa cho hợp lệ: diện tích từ %(before)s ha thành %(after)s ha.")
            % {"before": f"{repair.area_before_ha:.4f}", "after": f"{repair.area_after_ha:.4f}"},
            "warning",
        )
    address = layer.page_address(row_id) or "/office"
    return {"location": address} if _asked_by_script() else redirect(address, 303)


def _asked_by_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _batch(layer: Layer, values: dict[str, Any], plans: list[takeover.Plan]) -> Batch | None:
    """Return a batch when neighbours change too, so that the whole can be undone as one."""
    if not plans:
        return None
    title = _("Gộp hoặc cắt thửa lân cận: %(name)s", name=values.get(layer.name_field) or layer.title)
    return Batch(kind="merge", title=title, table_name=layer.table)


def _chosen(
    edits: Edits, layer: Layer, row_id: int, values: dict[str, Any], shape: shapely.Geometry | None
) -> tuple[dict[str, Any], Any]:
    """Return what is to be written after the choices of a conflict; a script has put them into the form already."""
    outline = KEEP if shape is None else shape
    if "chosen" in request.form:
        return values, outline
    kept = {n: v for n, v in values.items() if request.form.get(f"choice-{n}") != "theirs"}
    choice = request.form.get("choice-geometry")
    if choice == "theirs":
        return kept, KEEP
    if choice == "merge" and shape is not None:
        base_version = request.form.get("base_version", 0, type=int)
        base = history.state_at(edits.session, layer, row_id, base_version)
        theirs = _record(layer, row_id)["geometry"]
        if theirs is not None:
            return kept, conflicts.merged(base["geom"] if base else None, shape, theirs)
    return kept, outline


def _refused(layer: Layer, row_id: int | None, values: dict[str, Any], error: Exception) -> tuple[str, int]:
    """Show the form again with what was typed, the reason, and in a conflict what was and what is kept."""
    context.renew_session()
    version = request.form.get("version", 1, type=int)
    sentence = sentence_of(error)
    conflict = None
    try:
        shape = upload.geometry_of(request.form.get("geometry", ""), None)
    except upload.UploadError:
        shape = None
    own = isinstance(error, Conflict) and error.row_id == row_id
    if isinstance(error, NotFound) and row_id is not None and not _exists(layer, row_id):
        row_id = None
        sentence = _(
            "Hồ sơ này vừa bị người khác xóa. Nội dung của bạn còn nguyên ở dưới; bấm Lưu để ghi thành hồ sơ mới."
        )
    elif row_id is not None and (own or "base_version" in request.form):
        base_version = version if own else request.form.get("base_version", version, type=int)
        conflict = _conflict(layer, row_id, base_version, values, shape)
        version = error.current if isinstance(error, Conflict) and own else version
    page = _form(layer, row_id, values, shape, version, error=error, sentence=sentence, conflict=conflict)
    return page, status_of(error)


def _exists(layer: Layer, row_id: int) -> bool:
    return read.is_visible(context.session(), layer, row_id, context.actor())


def _conflict(
    layer: Layer, row_id: int, base_version: int, values: dict[str, Any], shape: shapely.Geometry | None
) -> dict[str, Any]:
    """Return what the form shows of a conflict: by field, and as outlines."""
    theirs = _record(layer, row_id)
    base = history.state_at(context.session(), layer, row_id, base_version)
    rows = [
        {
            "name": d.field.name,
            "title": d.field.title[context.language()],
            "both": d.both,
            "base_known": d.base_known,
            "choice": request.form.get(f"choice-{d.field.name}") or d.preset,
            **{side: _form_field(d.field, getattr(d, side)) for side in ("base", "mine", "theirs")},
        }
        for d in conflicts.differences(_form_fields(layer), base, values, theirs)
    ]
    outlines = _outlines(base["geom"] if base else None, shape, theirs["geometry"])
    return {"rows": rows, "base_version": base_version, "outlines": outlines}


def _outlines(
    base: shapely.Geometry | None, mine: shapely.Geometry | None, theirs: shapely.Geometry | None
) -> dict[str, Any] | None:
    """Return the outlines of a conflict as GeoJSON with the choice that loses least, or None when they agree."""
    if mine is None or theirs is None or conflicts.same_shape(mine, theirs):
        return None
    by_me, by_them = (base is None or not conflicts.same_shape(base, s) for s in (mine, theirs))
    preset = "theirs" if by_them and not by_me else "merge" if by_me and by_them else "mine"
    shapes = {"base": base, "mine": mine, "theirs": theirs, "merge": conflicts.merged(base, mine, theirs)}
    return {
        "choice": request.form.get("choice-geometry") or preset,
        "both": by_me and by_them,
        "shapes": {n: orjson.loads(shapely.to_geojson(s)) for n, s in shapes.items() if s is not None},
        "hectares": {n: float(area_ha([s])[0]) for n, s in shapes.items() if s is not None},
    }


def _form(
    layer: Layer,
    row_id: int | None,
    values: dict[str, Any],
    shape: shapely.Geometry | None,
    version: int,
    *,
    error: Exception | None = None,
    sentence: str | None = None,
    conflict: dict[str, Any] | None = None,
) -> str:
    geometry = shapely.to_geojson(shape) if shape is not None else ""
    address = f"/edit/{layer.id}/{row_id or 'new'}"
    return render_template(
        "office/edit.html",
        layer=layer,
        row_id=row_id,
        address=address,
        draft_key=f"{context.actor().account_id}:{address}",
        fields=[_form_field(f, values.get(f.name)) for f in _form_fields(layer)],
        geometry=geometry,
        neighbours="" if isinstance(error, Conflict | NotFound) else request.form.get("neighbours", ""),
        version=version,
        sentence=sentence,
        bad_field=getattr(error, "field", None),
        conflict=conflict,
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
