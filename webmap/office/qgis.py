"""The page that connects a desktop program: addresses, the ready project, and one's own API keys."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data import keys
from data.accounts import AccountError, active_account
from services import context
from services.errors import sentence_of, status_of
from services.qgis.project import AUTHENTICATION
from webmap.office.views import blueprint

ADDRESSES = (
    ("OGC API – Features", "/ogc"),
    ("WFS 2.0, 1.1, 1.0", "/wfs"),
    ("WMS 1.3.0, 1.1.1", "/wms"),
)


@blueprint.get("/office/qgis")
@login_required
def qgis() -> BaseResponse:
    """Show the addresses and the caller's keys."""
    return _page()


@blueprint.post("/office/qgis/keys")
@login_required
def make_key() -> BaseResponse:
    """Make a key and show it, this once."""
    try:
        made = keys.make(context.store(), context.actor(), request.form.get("name", ""))
    except AccountError as error:
        return _page(sentence=sentence_of(error), status=status_of(error))
    context.renew_session()
    return _page(made=made, status=201)


@blueprint.post("/office/qgis/keys/<int:key_id>/revoke")
@login_required
def revoke_key(key_id: int) -> BaseResponse:
    """Make a key worthless."""
    keys.revoke(context.store(), context.actor(), key_id)
    flash(_("Đã thu hồi khóa; chương trình dùng khóa đó mất quyền trong vòng một phút."), "ok")
    return redirect("/office/qgis", 303)


def _page(*, made: str | None = None, sentence: str | None = None, status: int = 200) -> BaseResponse:
    session, actor = context.session(), context.actor()
    account = active_account(session, actor.account_id)
    root = request.url_root.rstrip("/")
    facts: dict[str, Any] = {
        "addresses": [(title, root + path) for title, path in ADDRESSES],
        "authentication": AUTHENTICATION,
        "username": account.username if account else "",
        "keys": keys.keys_of(session, actor),
        "made": made,
        "sentence": sentence,
        "name": request.form.get("name", "") if sentence else "",
    }
    response = make_response(render_template("office/qgis.html", **facts), status)
    response.headers["Cache-Control"] = "no-store"
    return response
