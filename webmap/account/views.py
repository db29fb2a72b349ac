"""The login page, with a limited number of tries."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import login_required, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired

from data import people
from data.accounts import Role, check_password
from services import context
from webmap.security import LOGIN_LIMIT, User, limiter

blueprint = Blueprint("account", __name__)

#: Who does not edit layers starts with what waits for them in the programme.
STARTS_WITH_TASKS = frozenset({Role.PRODUCER, Role.COUNCIL_MEMBER})
OWN_START = "/programme"


class LoginForm(FlaskForm):
    """Name and password."""

    username = StringField(lazy_gettext("Tên đăng nhập"), validators=[DataRequired()])
    password = PasswordField(lazy_gettext("Mật khẩu"), validators=[DataRequired()])


@blueprint.get("/login")
def login() -> str:
    """Show the login form."""
    return render_template("account/login.html", form=LoginForm(), next=_inside(request.args.get("next")))


@blueprint.post("/login")
@limiter.limit(LOGIN_LIMIT)
def sign_in() -> str | Response | tuple[str, int]:
    """Check name and password; the answer to a wrong one does not tell which was wrong."""
    form = LoginForm()
    target = _inside(request.form.get("next"))
    account = None
    if form.validate_on_submit():
        account = check_password(context.session(), form.username.data, form.password.data)
    if account is None:
        flash(_("Tên đăng nhập hoặc mật khẩu không đúng."), "error")
        return render_template("account/login.html", form=form, next=target), 401
    login_user(User(account))
    people.note_login(context.store(), account.id, "web")
    return redirect(target or (OWN_START if account.role in STARTS_WITH_TASKS else "/office"), 303)


@blueprint.post("/logout")
@login_required
def logout() -> Response:
    """Sign out."""
    logout_user()
    return redirect("/", 303)


def _inside(target: str | None) -> str:
    """Return a target only when it is a path of this site."""
    if not target:
        return ""
    parts = urlsplit(target)
    safe = (
        not parts.scheme
        and not parts.netloc
        and target.startswith("/")
        and not target.startswith(("//", "/\\"))
    )
    return target if safe else ""
