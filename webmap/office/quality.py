"""The pages of quality: how many faults a layer has, the list of them, and each one with its fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import shapely
from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data.accounts import EVERYTHING, TERRITORIAL
from data.quality import QualityException
from gis.quality import Kind
from layers import catalogue
from layers.fields import Layer
from layers.quality import exceptions, fixes, places
from layers.quality.check import may_check
from layers.quality.report import ERRORS, TITLES, Finding, Report, rules_of
from layers.refusals import Conflict, EditError, NotAllowed, NotFound
from services import context, quality
from services.errors import sentence_of, status_of
from webmap.office.quality_drawing import draw
from webmap.pages import number, static, vendor
from webmap.planner.assets import import_map

blueprint = Blueprint("quality", __name__)
PER_PAGE = 25


@dataclass(frozen=True)
class View:
    """What of a report is looked at: one commune, one kind, open or accepted faults."""

    commune: str = ""
    kind: str = ""
    show: str = "open"

    def query(self, **more: object) -> str:
        """The query string of this view, with changes."""
        values = {"commune": self.commune, "kind": self.kind, "show": self.show, **more}
        usual = {"commune": "", "kind": "", "show": "open", "page": 1}
        kept = {n: v for n, v in values.items() if v != usual.get(n)}
        return f"?{urlencode(kept)}" if kept else ""


@dataclass(frozen=True)
class Looked:
    """The findings of a report that concern the caller, and which of them are accepted."""

    report: Report
    findings: list[Finding]
    accepted: dict[str, QualityException]

    def shown(self, view: View) -> list[Finding]:
        """The findings of a view, in the order of the list."""
        wanted = view.show == "accepted"
        return [
            f
            for f in self.findings
            if (f.key in self.accepted) is wanted and (not view.kind or f.kind.value == view.kind)
        ]


@blueprint.get("/office/quality")
@login_required
def home() -> Any:
    """Choose a layer and a commune."""
    _must_look()
    chosen = request.args.get("layer", "")
    if chosen:
        layer = _layer(chosen)
        return redirect(f"/office/quality/{layer.id}{View(request.args.get('commune', '')).query()}", 303)
    sections = []
    for layer in catalogue.LAYERS:
        if not may_check(layer):
            continue
        report = quality.kept(context.store(), layer, rules_of(layer))
        sections.append({"layer": layer, "report": report if _sees_all() else None})
    return render_template(
        "office/quality.html",
        sections=sections,
        communes=places.communes(context.session()),
        titles=TITLES,
        errors=ERRORS,
    )


@blueprint.get("/office/quality/<layer_id>")
@login_required
def listing(layer_id: str) -> Any:
    """List the faults of a layer."""
    layer, view = _layer(layer_id), _view()
    looked = _looked(layer, view)
    if looked is None:
        return render_template("office/quality_wait.html", layer=layer)
    every = looked.shown(View(view.commune, "", view.show))
    shown = looked.shown(view)
    page = max(1, request.args.get("page", 1, type=int))
    start = (page - 1) * PER_PAGE
    rows = shown[start : start + PER_PAGE]
    names = places.names(context.session(), layer, context.actor(), {i for f in rows for i in f.ids})
    counts = {kind: sum(f.kind == kind for f in every) for kind in TITLES}
    return render_template(
        "office/quality_list.html",
        layer=layer,
        view=view,
        report=looked.report,
        rows=[_entry(f, names) for f in rows],
        counts={k: n for k, n in counts.items() if n},
        areas={k: sum(f.area_m2 for f in every if f.kind == k) for k, n in counts.items() if n},
        titles=TITLES,
        errors=ERRORS,
        accepted_count=len(looked.accepted),
        communes=places.communes(context.session()),
        total=len(shown),
        first=start + 1 if rows else 0,
        last=start + len(rows),
        page=page,
    )


@blueprint.get("/office/quality/<layer_id>/<key>")
@login_required
def fault(layer_id: str, key: str) -> Any:
    """Show one fault on a map, with what can be done about it."""
    return _fault_page(_layer(layer_id), key, _view())


@blueprint.post("/office/quality/<layer_id>/check")
@login_required
def check(layer_id: str) -> BaseResponse:
    """Ask for a job that checks a big layer."""
    layer = _layer(layer_id)
    key = quality.order(context.store(), context.actor(), layer, rules_of(layer), language=context.language())
    return redirect(f"/jobs/{key}", 303)


@blueprint.post("/office/quality/<layer_id>/<key>/fix")
@login_required
def fix(layer_id: str, key: str) -> Any:
    """Put a fault right in the way that was chosen."""
    layer, view = _layer(layer_id), _view()
    looked = _looked(layer, view)
    finding = _find(looked, key)
    following = _neighbours(looked.shown(view) if looked else [], key)[1]
    action, _colon, target = request.form.get("fix", "").partition(":")
    versions = {
        int(name.removeprefix("version-")): int(value)
        for name, value in request.form.items()
        if name.startswith("version-") and name.removeprefix("version-").isdigit() and value.isdigit()
    }
    try:
        made = fixes.apply(
            context.store(),
            context.actor(),
            layer,
            finding,
            action,
            int(target) if target.isdigit() else -1,
            versions,
        )
    except EditError as error:
        context.renew_session()
        if isinstance(error, Conflict):
            looked = _looked(layer, view)
            if looked is None or all(f.key != key for f in looked.findings):
                flash(
                    _("Người khác vừa sửa hồ sơ này nên lỗi không còn như trước; hãy xem lại danh sách."),
                    "warning",
                )
                return redirect(f"/office/quality/{layer.id}{view.query()}", 303)
        return _fault_page(layer, key, view, sentence=sentence_of(error)), status_of(error)
    change = number(abs(made.change_m2), 1)
    if made.after is None:
        flash(_("Đã xóa bản trùng “%(name)s”; nhật ký giữ lại toàn bộ.", name=made.name), "ok")
    elif made.change_m2 < 0:
        flash(_("Đã sửa “%(name)s”: diện tích giảm %(change)s m².", name=made.name, change=change), "ok")
    else:
        flash(_("Đã sửa “%(name)s”: diện tích tăng %(change)s m².", name=made.name, change=change), "ok")
    return _onward(layer, view, following)


@blueprint.post("/office/quality/<layer_id>/<key>/accept")
@login_required
def accept(layer_id: str, key: str) -> Any:
    """Keep a fault as it is, with the reason."""
    layer, view = _layer(layer_id), _view()
    looked = _looked(layer, view)
    finding = _find(looked, key)
    following = _neighbours(looked.shown(view) if looked else [], key)[1]
    try:
        exceptions.accept(context.store(), context.actor(), layer, finding, request.form.get("reason", ""))
    except EditError as error:
        context.renew_session()
        return _fault_page(layer, key, view, sentence=sentence_of(error)), status_of(error)
    flash(_("Đã giữ nguyên lỗi này; nó nằm trong mục đã chấp nhận."), "ok")
    return _onward(layer, view, following)


@blueprint.post("/office/quality/<layer_id>/<key>/withdraw")
@login_required
def withdraw(layer_id: str, key: str) -> BaseResponse:
    """Let an accepted fault be a fault again."""
    layer = _layer(layer_id)
    exceptions.withdraw(context.store(), context.actor(), layer, request.form.get("exception", 0, type=int))
    flash(_("Lỗi này lại nằm trong danh sách cần xử lý."), "ok")
    return redirect(f"/office/quality/{layer.id}/{key}", 303)


# ---- who and what


def _must_look() -> None:
    if context.actor().role not in EVERYTHING | TERRITORIAL:
        raise NotAllowed("Chỉ cán bộ quản lý dữ liệu xem được trang chất lượng hình.")


def _sees_all() -> bool:
    return context.actor().role in EVERYTHING


def _layer(layer_id: str) -> Layer:
    _must_look()
    try:
        layer = catalogue.layer(layer_id)
    except KeyError:
        raise NotFound("Không có lớp “%(layer)s”.", layer=layer_id) from None
    if not may_check(layer):
        raise NotFound("Lớp “%(layer)s” không phải lớp hình vùng.", layer=layer.title)
    return layer


def _view() -> View:
    kind, show = request.args.get("kind", ""), request.args.get("show", "open")
    return View(
        request.args.get("commune", "").strip(),
        kind if kind in set(Kind) else "",
        show if show in ("open", "accepted") else "open",
    )


def _looked(layer: Layer, view: View) -> Looked | None:
    session = context.session()
    report = quality.present(context.store(), session, layer, rules_of(layer))
    if report is None:
        return None
    found = exceptions.touching(session, layer, context.actor(), report.findings)
    if view.commune:
        found = places.within(session, layer, found, view.commune) or []
    return Looked(report, found, exceptions.accepted(session, layer, found))


def _find(looked: Looked | None, key: str) -> Finding:
    for finding in looked.findings if looked else ():
        if finding.key == key:
            return finding
    raise NotFound("Lỗi này không còn nữa: hình đã được sửa, hoặc nằm ngoài địa bàn của bạn.")


def _neighbours(shown: list[Finding], key: str) -> tuple[str | None, str | None]:
    keys = [f.key for f in shown]
    if key not in keys:
        return None, keys[0] if keys else None
    at = keys.index(key)
    return keys[at - 1] if at else None, keys[at + 1] if at + 1 < len(keys) else None


def _onward(layer: Layer, view: View, following: str | None) -> BaseResponse:
    """Go to the next fault while it is still there, else to the list."""
    context.renew_session()
    looked = _looked(layer, view) if following else None
    there = looked is not None and any(f.key == following for f in looked.findings)
    return redirect(f"/office/quality/{layer.id}{f'/{following}' if there else ''}{view.query()}", 303)


# ---- what is shown


def _fault_page(layer: Layer, key: str, view: View, *, sentence: str | None = None) -> str:
    looked = _looked(layer, view)
    finding = _find(looked, key)
    assert looked is not None
    session, actor = context.session(), context.actor()
    rows = fixes.members(session, layer, actor, finding)
    exception = looked.accepted.get(key)
    made = fixes.offers(session, layer, actor, finding) if exception is None else []
    shown = looked.shown(view)
    before, after = _neighbours(shown, key)
    keys = [f.key for f in shown]
    return render_template(
        "office/quality_fault.html",
        layer=layer,
        view=view,
        fault=_entry(finding, {m.id: m.name for m in rows if m.name}),
        rows=rows,
        fixes=made,
        exception=exception,
        may_accept=any(m.editable for m in rows),
        may_edit=layer.editable_in_office,
        sentence=sentence,
        reason=request.form.get("reason", ""),
        before=before,
        after=after,
        at=keys.index(key) + 1 if key in keys else None,
        total=len(shown),
        drawing=draw([m.geometry for m in rows], finding.geometry, [f.after for f in made]),
        document=_document(rows, finding, made),
        import_map=import_map(vendor, static),
    )


def _document(rows: list[fixes.Member], finding: Finding, made: list[fixes.Fix]) -> dict[str, Any]:
    """The shapes for the interactive map."""
    shapes = [m.geometry for m in rows if m.geometry is not None]
    focus = finding.geometry if finding.geometry is not None else (shapes[0] if shapes else None)
    return {
        "rows": [_mapping(shape) for shape in shapes],
        "fault": None if finding.geometry is None else _mapping(finding.geometry),
        "results": [None if f.after is None else _mapping(f.after) for f in made],
        "bounds": None if focus is None else list(focus.bounds),
    }


def _mapping(shape: Any) -> Any:
    return shapely.geometry.mapping(shapely.force_2d(shape))


def _entry(finding: Finding, names: dict[int, str]) -> dict[str, Any]:
    facts = finding.facts
    reason = _(facts["reason"]) % facts.get("reason_facts", {}) if facts.get("reason") else None
    return {
        "key": finding.key,
        "kind": finding.kind,
        "title": TITLES[finding.kind][context.language()],
        "is_error": finding.is_error,
        "rows": [(i, names.get(i)) for i in finding.ids],
        "area_m2": finding.area_m2,
        "width_m": finding.width_m,
        "lon": finding.lon,
        "lat": finding.lat,
        "facts": facts,
        "reason": reason,
    }
