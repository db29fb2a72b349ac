"""The pages of what was: a record's changes, deleted rows, a layer as of a date, and batches of edits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import shapely
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data import codes
from gis.errors import Refusal, marked
from layers import batches, catalogue, history, past, read
from layers.edit import NotAllowed, NotFound, may_edit
from layers.fields import Layer
from layers.history import Change, FieldChange
from services import context
from services import undo as undoing
from services.errors import sentence_of
from webmap.office import changemap
from webmap.pages import date_, hectares, moment, number

blueprint = Blueprint("history", __name__)

LISTED = 50
MOST_DRAWN = 5_000
SOURCES = {
    "web": marked("trang web"),
    "outside": marked("chương trình khác"),
    "import": marked("nhập tệp"),
    "api": marked("giao tiếp máy"),
    "ogcapi": marked("giao tiếp máy"),
    "wfs": marked("chương trình bản đồ"),
    "restore": marked("khôi phục"),
    "undo": marked("hoàn tác"),
    "quality": marked("sửa lỗi hình"),
    "boundaries": marked("thay đổi địa giới"),
    "demo": marked("dữ liệu minh hoạ"),
    "load": marked("nạp hàng loạt"),
}
KINDS = {
    "import": marked("Nhập tệp"),
    "undo": marked("Hoàn tác"),
    "bulk": marked("Sửa hàng loạt"),
    "merge": marked("Gộp, cắt thửa"),
    "quality": marked("Sửa lỗi hình"),
    "boundaries": marked("Thay đổi địa giới"),
}


@dataclass(frozen=True)
class Told:
    """A change as a person reads it."""

    change: Change
    headline: str
    sentences: list[str]
    picture: changemap.Picture | None
    shape_sentence: str | None
    restorable: bool


# ---- one record


@blueprint.get("/history/<layer_id>/<int:row_id>")
@login_required
def record(layer_id: str, row_id: int) -> str:
    """Show who changed what of a record and when, with the way back to each version."""
    layer = _layer(layer_id)
    story = history.story_of(context.session(), layer, row_id, context.actor())
    told = [_told(story, change) for change in story.changes]
    return render_template("office/history.html", layer=layer, story=story, told=told)


@blueprint.post("/history/<layer_id>/<int:row_id>/restore")
@login_required
def restore(layer_id: str, row_id: int) -> BaseResponse:
    """Give a record what it held after a change."""
    layer = _layer(layer_id)
    change, version = request.form.get("change", 0, type=int), request.form.get("version", type=int)
    try:
        history.restore(context.store(), layer, row_id, change, context.actor(), version=version)
    except Refusal as error:
        context.renew_session()
        flash(sentence_of(error), "error")
    else:
        flash(_("Đã khôi phục; phiên bản trước đó vẫn còn trong nhật ký."), "ok")
    return redirect(f"/history/{layer.id}/{row_id}", 303)


def _told(story: history.Story, change: Change) -> Told:
    lang = context.language()
    actions = {
        "insert": marked("%(who)s đã thêm bản ghi"),
        "update": marked("%(who)s đã sửa bản ghi"),
        "delete": marked("%(who)s đã xóa bản ghi"),
        "load": marked("%(who)s đã nạp bản ghi cùng nhiều bản ghi khác"),
    }
    who = change.actor or _("Một người không rõ tên")
    sentences = [_sentence(field, change.action, lang) for field in change.fields]
    goal = change.state if change.state is not None else change.before
    return Told(
        change,
        _(actions.get(change.action, marked("%(who)s đã thay đổi bản ghi")), who=who),
        sentences,
        changemap.of_change(change.shape) if change.shape is not None else None,
        _shape_sentence(change) if change.shape is not None else None,
        goal is not None and not change.is_now,
    )


def _sentence(change: FieldChange, action: str, lang: str) -> str:
    title, old, new = change.title[lang], _text(change, change.before), _text(change, change.after)
    if action in ("insert", "load"):
        return _("%(title)s: “%(new)s”.", title=title, new=new)
    if action == "delete":
        return _("%(title)s: “%(old)s”.", title=title, old=old)
    if not old:
        return _("Điền “%(title)s”: “%(new)s”.", title=title, new=new)
    if not new:
        return _("Bỏ trống “%(title)s”, trước đó là “%(old)s”.", title=title, old=old)
    return _("Đổi “%(title)s” từ “%(old)s” thành “%(new)s”.", title=title, old=old, new=new)


def _text(change: FieldChange, value: Any) -> str:
    if value is None or value == "":
        return ""
    if change.field is not None and change.field.codes:
        return str(codes.label(change.field.codes, value, context.language()))
    if isinstance(value, bool):
        return str(_("có") if value else _("không"))
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return date_(value)
    if isinstance(value, int | float) and not change.name.endswith(("_id", "_year")):
        unit = change.field.unit[context.language()] if change.field and change.field.unit else ""
        digits = None if float(value).is_integer() else 4
        return f"{number(value, digits)} {unit}".strip()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _shape_sentence(change: Change) -> str:
    shape = change.shape
    assert shape is not None
    if shape.added is None:
        return _("Vị trí đã thay đổi.") if shape.before is not None and shape.after is not None else ""
    if shape.before is None:
        return _("Đường ranh mới, rộng %(area)s.", area=hectares(shape.after_ha))
    if shape.after is None:
        return _("Bỏ đường ranh, trước đó rộng %(area)s.", area=hectares(shape.before_ha))
    return _(
        "Đường ranh: diện tích từ %(before)s thành %(after)s; thêm %(added)s, bớt %(removed)s.",
        before=hectares(shape.before_ha),
        after=hectares(shape.after_ha),
        added=hectares(shape.added_ha),
        removed=hectares(shape.removed_ha),
    )


# ---- one layer


@blueprint.get("/history/<layer_id>")
@login_required
def layer(layer_id: str) -> str:
    """Show a layer as of a date, and the rows that were deleted from it."""
    found, session, actor = _layer(layer_id), context.session(), context.actor()
    text = request.args.get("asof", "").strip()
    view: dict[str, Any] = {"asof": text, "sentence": None, "then": None}
    try:
        when = past.moment_of(text) if text else None
    except past.BadMoment as error:
        view["sentence"], when = sentence_of(error), None
    if when is not None:
        view["then"] = _then(found, when)
    gone = history.deleted(session, found, actor)
    return render_template("office/layer_history.html", layer=found, deleted=gone, **view)


def _then(layer: Layer, when: dt.datetime) -> dict[str, Any]:
    session, actor = context.session(), context.actor()
    names = [layer.name_field, *(n for n in ("commune_name", "area_ha", "status") if _has(layer, n))]
    query = read.Query(layer, actor, as_of=when, fields=tuple(names), limit=MOST_DRAWN)
    total = read.count(session, query)
    rows = read.rows(session, query)
    titles = {name: layer.field(name).title[context.language()] for name in names}
    shapes = [None if wkb is None else shapely.from_wkb(wkb) for wkb in rows.wkb]
    return {
        "when": when,
        "total": total,
        "now": read.count(session, read.Query(layer, actor)),
        "titles": titles,
        "rows": list(rows.first(LISTED).records()),
        "listed": LISTED,
        "picture": changemap.of_shapes(session, shapes),
    }


def _has(layer: Layer, name: str) -> bool:
    return any(f.name == name and f.readable(context.actor()) for f in layer.fields)


def _layer(layer_id: str) -> Layer:
    try:
        found = catalogue.layer(layer_id)
    except KeyError:
        raise NotFound("Không có lớp “%(layer)s”.", layer=layer_id) from None
    if not may_edit(context.actor(), found):
        raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=found.title)
    return found


# ---- batches


@blueprint.get("/office/batches")
@login_required
def batch_list() -> str:
    """List the batches of edits that the caller may see."""
    found = batches.listed(context.session(), context.actor())
    return render_template("office/batches.html", batches=found, kinds=_kinds(), layers=_titles())


@blueprint.get("/office/batches/<int:batch_id>")
@login_required
def batch(batch_id: int) -> str:
    """Show what a batch did, and whether it can be undone."""
    session = context.session()
    told = batches.summary(session, context.actor(), batch_id)
    picture = changemap.of_shapes(session, [shapely.box(*told.box)]) if told.box else None
    return render_template(
        "office/batch.html",
        told=told,
        picture=picture,
        kinds=_kinds(),
        layers=_titles(),
        refusal=sentence_of(told.refusal) if told.refusal else None,
        change=(told.batch.facts or {}).get("change"),
        large=undoing.is_large(told.batch),
    )


@blueprint.post("/office/batches/<int:batch_id>/undo")
@login_required
def undo(batch_id: int) -> BaseResponse:
    """Undo a batch as a whole, a large one as a job, or say why not."""
    try:
        done = undoing.undo(context.store(), context.actor(), batch_id, language=context.language())
    except Refusal as error:
        context.renew_session()
        flash(sentence_of(error), "error")
        return redirect(f"/office/batches/{batch_id}", 303)
    if isinstance(done, str):
        flash(_("Đợt này lớn nên được hoàn tác chạy nền; trang này cho biết khi nào xong."), "ok")
        return redirect(f"/jobs/{done}", 303)
    flash(_("Đã hoàn tác cả đợt; việc hoàn tác này cũng hoàn tác được."), "ok")
    return redirect(f"/office/batches/{done}", 303)


def _kinds() -> dict[str, str]:
    return {kind: _(title) for kind, title in KINDS.items()}


def _titles() -> dict[str, str]:
    return {layer.table: layer.title[context.language()] for layer in catalogue.LAYERS}


@blueprint.app_template_filter("source")
def source_title(name: str) -> str:
    """Write where a change came from."""
    return str(_(SOURCES[name])) if name in SOURCES else name
