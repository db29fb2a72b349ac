"""API keys: one's own, and for administrators those of everybody and of machines."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers.response import Response as BaseResponse

from data import keys, people
from data.accounts import AccountError, Role
from services import context
from services.errors import sentence_of, status_of
from webmap.office.views import blueprint

SHOWN = ("name", "account", "role", "territory", "producer")


@blueprint.get("/office/keys")
@login_required
def own_keys() -> BaseResponse:
    """Show the caller's keys; to administrators all keys."""
    return _page()


@blueprint.post("/office/keys")
@login_required
def make_own_key() -> BaseResponse:
    """Make a key for the caller and show it, this once."""
    try:
        made = keys.make(context.store(), context.actor(), request.form.get("name", ""))
    except AccountError as error:
        return _page(sentence=sentence_of(error), status=status_of(error))
    return _made(made)


@blueprint.post("/office/keys/machine")
@login_required
def make_machine_key() -> BaseResponse:
    """Make a key for a machine's account, which is made with it, and show it, this once."""
    actor, form = context.actor(), request.form
    if actor.role != Role.ADMINISTRATOR:
        raise Forbidden
    producer = form.get("producer", "").strip()
    try:
        if producer and not (producer.isascii() and producer.isdigit() and len(producer) <= 9):
            raise AccountError("Số của chủ thể phải là số nguyên.")
        made = people.add_key(
            context.store(),
            form.get("account", ""),
            role=form.get("role", ""),
            territory=form.get("territory", "").strip() or None,
            producer_id=int(producer) if producer else None,
            actor=actor,
        )
    except AccountError as error:
        return _page(sentence=sentence_of(error), status=status_of(error))
    return _made(made)


@blueprint.post("/office/keys/<int:key_id>/revoke")
@login_required
def revoke_any_key(key_id: int) -> BaseResponse:
    """Make a key worthless."""
    try:
        keys.revoke(context.store(), context.actor(), key_id)
    except AccountError as error:
        return _page(sentence=sentence_of(error), status=status_of(error))
    flash(_("Đã thu hồi khóa; chương trình dùng khóa đó mất quyền trong vòng một phút."), "ok")
    return redirect("/office/keys", 303)


def _made(made: str) -> BaseResponse:
    context.renew_session()
    return _page(made=made, status=201)


def _page(*, made: str | None = None, sentence: str | None = None, status: int = 200) -> BaseResponse:
    session, actor = context.session(), context.actor()
    administers = actor.role == Role.ADMINISTRATOR
    facts: dict[str, Any] = {
        "administers": administers,
        "keys": keys.everybodys(session) if administers else keys.keys_of(session, actor),
        "roles": [role.value for role in Role if role != Role.PUBLIC],
        "made": made,
        "sentence": sentence,
        "given": {name: request.form.get(name, "") for name in SHOWN} if sentence else {},
    }
    response = make_response(render_template("office/keys.html", **facts), status)
    response.headers["Cache-Control"] = "no-store"
    return response
