"""Views of the map that somebody kept: an address that never dies, and the map as one file for mailing."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from data.admin_units import edition_in_use
from data.record_facts import all_facts
from data.store import Session
from data.views import SavedView, add_view, view_by_key, views_of
from layers import catalogue, statistics
from services import context
from services.errors import Missing, sentence_of, status_of
from webmap.folium_maps import standalone
from webmap.mapview import MapView, ViewError, from_settings, parse_fragment
from webmap.security import limiter

blueprint = Blueprint("views", __name__)
LONGEST_TITLE = 120
LONGEST_ADDRESS = 2_000
KEEP_LIMIT = "20 per minute; 300 per day"


@blueprint.get("/views")
def choose() -> str:
    """Show the form that keeps a view, and the views that the caller has kept."""
    return _page()


@blueprint.post("/views")
@limiter.limit(KEEP_LIMIT)
def keep() -> BaseResponse:
    """Keep a view: a map's address, or layers that were ticked."""
    title = " ".join(request.form.get("title", "").split())[:LONGEST_TITLE]
    fragment = request.form.get("address", "").strip()[:LONGEST_ADDRESS]
    if "#" not in fragment:
        fragment = f"#layers={','.join(request.form.getlist('layer'))}"
    as_json = request.accept_mimetypes.best == "application/json"
    try:
        if not title:
            raise ViewError("Hãy đặt tên cho bản đồ.")
        view = parse_fragment(title, fragment)
    except ViewError as error:
        if as_json:
            return make_response(jsonify(detail=sentence_of(error)), status_of(error))
        return make_response(_page(sentence_of(error)), status_of(error))
    with context.store().writing() as session:
        key = add_view(session, context.actor(), title, _lasting(session, view).settings())
    if as_json:
        return make_response(jsonify(key=key, address=f"/views/{key}", file=f"/views/{key}.html"), 201)
    return redirect(f"/views/{key}/about", 303)


def _lasting(session: Session, view: MapView) -> MapView:
    """The view with its edition named, so that it shows the same when another one comes into use."""
    if view.theme is None or view.theme.edition:
        return view
    return replace(view, theme=replace(view.theme, edition=edition_in_use(session)))


@blueprint.get("/views/<key>")
def show(key: str) -> BaseResponse:
    """Open the map as it was kept."""
    return redirect(_view(_kept(key)).address(), 302)


@blueprint.get("/views/<key>/about")
def about(key: str) -> str:
    """Show what a kept view holds, and lead to the map and to the file."""
    kept = _kept(key)
    view, lang = _view(kept), context.language()
    titles = [catalogue.layer(name).title[lang] for name in view.layers]
    if view.theme:
        titles.append(statistics.indicator(view.theme.indicator).title[lang])
    return render_template("planner/view.html", kept=kept, titles=titles)


@blueprint.get("/views/<key>.html")
def file(key: str) -> Response:
    """Hand out the map as one file, which opens without a network."""
    kept = _kept(key)
    facts = all_facts(context.session())
    body = standalone(
        context.store(),
        _view(kept),
        context.actor(),
        context.language(),
        province=facts.get("province_name") or "",
        demo=facts.get("demo") == "1",
    )
    response = Response(body, mimetype="text/html")
    # The file's own script may run once it is saved, not within this site.
    response.headers["Content-Disposition"] = f'attachment; filename="ban-do-{kept.key}.html"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _kept(key: str) -> SavedView:
    kept = view_by_key(context.session(), key)
    if kept is None:
        raise Missing("Không có bản đồ đã lưu nào ở địa chỉ này.")
    return kept


def _view(kept: SavedView) -> MapView:
    return from_settings(kept.title, kept.settings)


def _page(sentence: str | None = None) -> str:
    return render_template(
        "planner/views.html",
        sentence=sentence,
        layers=catalogue.LAYERS,
        ticked=request.form.getlist("layer"),
        address=request.form.get("address", ""),
        title_given=request.form.get("title", ""),
        kept=views_of(context.session(), context.actor()),
        hint=_("Mở bản đồ, bật các lớp cần xem, rồi chép cả địa chỉ trên thanh trình duyệt vào đây."),
    )
