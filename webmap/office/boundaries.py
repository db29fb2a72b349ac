"""The assistant for changes of boundaries: units, decree, outlines and names, preview, then applied or scheduled."""

from __future__ import annotations

import datetime as dt
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec

import orjson
import shapely
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.utils import secure_filename
from werkzeug.wrappers.response import Response as BaseResponse

from data.admin_units import Commune, edition_in_use
from data.boundaries import applying, changes, effects, outlines, undoing
from data.boundaries.effects import Effects
from data.boundary_changes import BoundaryChange, ChangeKind, ChangeState
from data.codes import code_list
from data.spatial import commune_outlines
from gis.errors import Refusal
from layers import catalogue
from services import context
from services.errors import sentence_of, status_of
from webmap.office.boundary_drawing import Picture, picture
from webmap.pages import TIME_ZONE, static, vendor
from webmap.planner.assets import home_bounds, import_map, map_config
from webmap.planner.strings import common_strings
from webmap.public.svgmap import province_map

blueprint = Blueprint("boundaries", __name__)
HERE = "/office/boundaries/changes"
KINDS_OF_UNIT = ("xã", "phường", "thị trấn", "đặc khu")
SHOWN = 100
Parameters = ParamSpec("Parameters")


def kinds() -> dict[str, str]:
    """Name what a decree can do to units."""
    return {
        ChangeKind.MERGE: _("Nhập nhiều đơn vị thành một"),
        ChangeKind.SPLIT: _("Chia một đơn vị"),
        ChangeKind.BORDER: _("Điều chỉnh địa giới giữa các đơn vị"),
        ChangeKind.RENAME: _("Đổi tên, đổi loại hoặc đổi mã"),
    }


def states() -> dict[str, str]:
    """Name how far a change can have come."""
    return {
        ChangeState.DRAFT: _("Bản nháp"),
        ChangeState.PREVIEWED: _("Đã xem trước"),
        ChangeState.SCHEDULED: _("Chờ đến ngày"),
        ChangeState.APPLIED: _("Đã áp dụng"),
        ChangeState.UNDONE: _("Đã hoàn tác"),
    }


def office_only(view: Callable[Parameters, Any]) -> Callable[Parameters, Any]:
    """Let only those in who may change boundaries."""

    @login_required
    @functools.wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Any:
        changes.must_be_allowed(context.actor())
        return view(*args, **kwargs)

    return guarded


@blueprint.get("/office/boundaries")
@office_only
def start() -> BaseResponse:
    """Lead to the list."""
    return redirect(HERE)


@blueprint.get(HERE)
@office_only
def listing() -> str:
    """List the changes and the editions that came of them."""
    session = context.session()
    return render_template(
        "office/boundaries/list.html",
        changes=changes.all_changes(session),
        editions=changes.editions(session),
        in_use=edition_in_use(session),
        kinds=kinds(),
        states=states(),
    )


# ---- step 1: units


@blueprint.get(f"{HERE}/new")
@office_only
def new() -> str:
    """Show the choice of kind and units."""
    return _units_page(None, request.args.get("kind", ""), set())


@blueprint.post(f"{HERE}/new")
@office_only
def create() -> Any:
    """Start a change."""
    kind, ids = request.form.get("kind", ""), _chosen_units()
    try:
        change_id = changes.begin(context.store(), context.actor(), kind, ids)
    except Refusal as error:
        return _units_page(None, kind, set(ids), error), status_of(error)
    return redirect(f"{HERE}/{change_id}/decree", 303)


@blueprint.get(f"{HERE}/<int:change_id>/units")
@office_only
def units(change_id: int) -> Any:
    """Show the chosen units."""
    change = changes.find(context.session(), change_id)
    if not change.is_open:
        return redirect(f"{HERE}/{change_id}/preview")
    return _units_page(change, change.kind, {unit["id"] for unit in change.units_before})


@blueprint.post(f"{HERE}/<int:change_id>/units")
@office_only
def choose(change_id: int) -> Any:
    """Choose other units."""
    change = changes.find(context.session(), change_id)
    kind, ids = request.form.get("kind", ""), _chosen_units()
    try:
        changes.choose_units(context.store(), context.actor(), change_id, kind, ids, version=_version())
    except Refusal as error:
        return _units_page(change, kind, set(ids), error), status_of(error)
    return redirect(f"{HERE}/{change_id}/decree", 303)


def _chosen_units() -> list[int]:
    return [int(value) for value in request.form.getlist("unit") if value.isdigit()]


def _units_page(
    change: BoundaryChange | None, kind: str, chosen: set[int], error: Refusal | None = None
) -> str:
    session = context.session()
    rows = changes.units_in_use(session)
    groups: dict[str, list[Commune]] = {}
    for row in rows:
        groups.setdefault(row.district.full_name if row.district else "", []).append(row)
    return render_template(
        "office/boundaries/units.html",
        **_common(change, "units", error),
        groups=sorted(groups.items()),
        chosen=chosen,
        kind=kind,
        map=province_map(session),
    )


# ---- step 2: the decree


@blueprint.get(f"{HERE}/<int:change_id>/decree")
@office_only
def decree(change_id: int) -> Any:
    """Show by which decree the change is made."""
    change = changes.find(context.session(), change_id)
    if not change.is_open:
        return redirect(f"{HERE}/{change_id}/preview")
    return _decree_page(change, vars(change))


@blueprint.post(f"{HERE}/<int:change_id>/decree")
@office_only
def set_decree(change_id: int) -> Any:
    """Keep the decree."""
    change = changes.find(context.session(), change_id)
    try:
        changes.set_decree(
            context.store(),
            context.actor(),
            change_id,
            decree=request.form.get("decree", ""),
            decree_date=_date("decree_date"),
            authority=request.form.get("authority", ""),
            effective_on=_date("effective_on"),
            note=request.form.get("note", ""),
            version=_version(),
        )
    except Refusal as error:
        return _decree_page(change, request.form, error), status_of(error)
    return redirect(f"{HERE}/{change_id}/outlines", 303)


def _decree_page(change: BoundaryChange, values: Any, error: Refusal | None = None) -> str:
    return render_template("office/boundaries/decree.html", **_common(change, "decree", error), values=values)


def _date(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


# ---- step 3: outlines and names


@blueprint.get(f"{HERE}/<int:change_id>/outlines")
@office_only
def show_outlines(change_id: int) -> Any:
    """Show the new outlines and what the units are called."""
    change = changes.find(context.session(), change_id)
    if not change.is_open:
        return redirect(f"{HERE}/{change_id}/preview")
    return _outlines_page(change)


@blueprint.post(f"{HERE}/<int:change_id>/outlines")
@office_only
def set_outlines(change_id: int) -> Any:
    """Take over drawn or imported outlines, fit them, or keep the names and go on to the preview."""
    session, store, actor = context.session(), context.store(), context.actor()
    change = changes.find(session, change_id)
    todo = request.form.get("todo", "")
    try:
        if todo == "outlines":
            shapes = [u.geom for u in changes.units_of(session, [b["id"] for b in change.units_before])]
            changes.set_outlines(store, actor, change_id, _given_outlines(shapes), version=_version())
        elif todo == "fit":
            changes.fit_outlines(store, actor, change_id, version=_version())
        else:
            changes.describe(store, actor, change_id, _descriptions(), version=_version())
            applying.mark_previewed(store, actor, change_id)
            return redirect(f"{HERE}/{change_id}/preview", 303)
    except Refusal as error:
        context.renew_session()
        change = changes.find(context.session(), change_id)
        return _outlines_page(change, error, _descriptions()), status_of(error)
    return redirect(f"{HERE}/{change_id}/outlines#names", 303)


def _given_outlines(before: list[Any]) -> list[outlines.Piece]:
    file = request.files.get("geometry_file")
    if file is None or not file.filename:
        return outlines.from_geojson(request.form.get("geometry", ""), before)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (secure_filename(file.filename) or "upload")
        file.save(path)
        return outlines.from_file(path, before)


def _descriptions() -> list[dict[str, Any]]:
    names = ("code", "name", "kind", "district_id")
    columns = {name: request.form.getlist(name) for name in names}
    return [
        {name: columns[name][at] if at < len(columns[name]) else "" for name in names}
        for at in range(len(columns["code"]))
    ]


def _outlines_page(
    change: BoundaryChange, error: Refusal | None = None, given: list[dict[str, Any]] | None = None
) -> str:
    session = context.session()
    unit_rows = [dict(unit) for unit in change.units_after]
    for unit, typed in zip(unit_rows, given or [], strict=False):
        unit.update(typed)
    common = _common(change, "outlines", error)
    before: list[Any] = []
    faults: list[Any] = []
    try:
        before = [u.geom for u in changes.units_of(session, [b["id"] for b in change.units_before])]
        faults = list(effects.effects(session, change).faults) if change.units_after else []
    except Refusal as gone:
        common["sentence"] = common["sentence"] or sentence_of(gone)
    drawing = None
    if before:
        drawing = _picture(session, before, changes.shapes_after(change), faults=[f.geometry for f in faults])
    labels = code_list("unit_kind")
    return render_template(
        "office/boundaries/outlines.html",
        **common,
        units=unit_rows,
        districts=changes.districts_in_use(session),
        unit_kinds=[(k, labels[k].label(context.language()) if k in labels else k) for k in KINDS_OF_UNIT],
        faults=faults,
        picture=drawing,
        drawable=change.kind in (ChangeKind.SPLIT, ChangeKind.BORDER) and bool(before),
        geometry=request.form.get("geometry", ""),
        old_shapes=orjson.loads(shapely.to_geojson(shapely.GeometryCollection(before))) if before else None,
        import_map=import_map(vendor, static),
        strings=_map_strings(),
        config=map_config() | {"bounds": _bounds(before)},
    )


def _bounds(shapes: list[Any]) -> list[float]:
    return list(shapely.total_bounds(shapes).tolist()) if shapes else list(home_bounds())


def _map_strings() -> dict[str, str]:
    return common_strings() | {
        "drawn_nothing": _("Chưa vẽ gì."),
        "drawn_lines": _("%(count)s đường chia."),
        "drawn_areas": _("%(count)s vùng."),
    }


def _picture(
    session: Any,
    old: list[Any],
    new: list[Any],
    *,
    cut: list[Any] | None = None,
    faults: list[Any] | None = None,
) -> Picture:
    ground = shapely.union_all(old)
    around = [shape for shape in commune_outlines(session) if shapely.dwithin(shape, ground, 0.05)]
    return picture(old, new, around=around, cut=cut or [], faults=faults or [])


# ---- step 4: preview, apply, schedule, undo


@blueprint.get(f"{HERE}/<int:change_id>")
@office_only
def change_page(change_id: int) -> BaseResponse:
    """Lead to where the change stands."""
    change = changes.find(context.session(), change_id)
    if change.is_open and change.decree is None:
        return redirect(f"{HERE}/{change_id}/decree")
    ready = not change.is_open or bool(change.units_after)
    return redirect(f"{HERE}/{change_id}/{'preview' if ready else 'outlines'}")


@blueprint.get(f"{HERE}/<int:change_id>/preview")
@office_only
def preview(change_id: int) -> Any:
    """Show what the change does or did."""
    return _preview_page(changes.find(context.session(), change_id))


@blueprint.post(f"{HERE}/<int:change_id>/preview")
@office_only
def act(change_id: int) -> Any:
    """Apply, schedule, take back, or say which unit an officer keeps."""
    store, actor = context.store(), context.actor()
    todo = request.form.get("todo", "")
    try:
        if todo == "accounts":
            chosen = {
                key.removeprefix("account-"): int(value)
                for key, value in request.form.items()
                if key.startswith("account-") and value.isdigit()
            }
            changes.choose_accounts(store, actor, change_id, chosen, version=_version())
            applying.mark_previewed(store, actor, change_id)
        elif todo in ("apply", "schedule"):
            _carry_out(change_id, todo)
        elif todo == "unschedule":
            applying.unschedule(store, actor, change_id)
            flash(_("Đã hủy lịch; thay đổi trở lại thành bản nháp."), "ok")
        elif todo == "undo":
            undoing.undo(store, actor, change_id)
            flash(_("Đã hoàn tác thay đổi địa giới; mọi thứ trở lại như trước."), "ok")
        elif todo == "discard":
            changes.discard(store, actor, change_id)
            flash(_("Đã bỏ bản nháp."), "ok")
            return redirect(HERE, 303)
    except Refusal as error:
        context.renew_session()
        change = changes.find(context.session(), change_id)
        return _preview_page(change, error), status_of(error)
    return redirect(f"{HERE}/{change_id}/preview", 303)


def _carry_out(change_id: int, todo: str) -> None:
    """Apply or schedule what was looked at; the fingerprint in the form tells whether it is still the same."""
    store, actor = context.store(), context.actor()
    applying.mark_previewed(store, actor, change_id, version=_version())
    if todo == "schedule":
        day = applying.schedule(store, actor, change_id)
        flash(_("Đã lên lịch; thay đổi tự áp dụng vào ngày %(day)s.", day=f"{day:%d/%m/%Y}"), "ok")
        return
    seen = request.form.get("fingerprint") or None
    applying.apply(store, actor, change_id, day=_today(), fingerprint=seen)
    flash(_("Đã áp dụng thay đổi địa giới."), "ok")


def _preview_page(change: BoundaryChange, error: Refusal | None = None) -> Any:
    session = context.session()
    common = _common(change, "preview", error)
    found: Effects | None = None
    drawing = None
    if change.is_open or change.state == ChangeState.SCHEDULED:
        try:
            found = effects.effects(session, change)
        except Refusal as gone:
            common["sentence"] = common["sentence"] or sentence_of(gone)
    if change.units_after:
        old = changes.outlines_of(session, [unit["id"] for unit in change.units_before])
        drawing = _picture(
            session,
            old,
            changes.shapes_after(change),
            cut=effects.cut_shapes(session, found, SHOWN) if found else [],
            faults=[f.geometry for f in found.faults] if found else [],
        )
    return render_template(
        "office/boundaries/preview.html",
        **common,
        effects=found,
        picture=drawing,
        titles=_table_titles(),
        columns={table.table: _columns(table) for table in found.tables} if found else {},
        names={unit["id"]: unit["full_name"] for unit in change.units_before},
        shown=SHOWN,
        due=change.effective_on is not None and change.effective_on <= _today(),
        obstacles=[_(m, **f) for m, f in undoing.obstacles(session, change)]
        if change.state == ChangeState.APPLIED
        else [],
        remark_texts=[(_(r.message, **r.facts), r.blocking) for r in found.remarks] if found else [],
    )


def _columns(table: effects.TableMoves) -> list[tuple[int, int]]:
    return sorted(table.by_unit.items())


def _table_titles() -> dict[str, str]:
    return {layer.table: layer.title[context.language()] for layer in catalogue.LAYERS}


# ---- what all steps share


def _common(change: BoundaryChange | None, step: str, error: Refusal | None) -> dict[str, Any]:
    return {
        "change": change,
        "step": step,
        "here": f"{HERE}/{change.id}" if change is not None else f"{HERE}/new",
        "kinds": kinds(),
        "states": states(),
        "sentence": sentence_of(error) if error else None,
    }


def _version() -> int | None:
    return request.form.get("version", type=int)


def _today() -> dt.date:
    return dt.datetime.now(TIME_ZONE).date()
