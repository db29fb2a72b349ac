"""Who is asking (session, HTTP Basic or API key), form tokens, login limits, and the headers of every answer."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Unauthorized

from data.accounts import PUBLIC, Account, Actor, active_account, check_api_key, check_password
from services import context
from webmap.settings import Settings

login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, default_limits=[], storage_uri="memory://")

OPEN_TO_OTHER_SITES = ("/tiles/", "/layers", "/styles/", "/statistics", "/crs.json", "/ogc", "/wfs", "/wms")
LOGIN_LIMIT = "10 per minute; 60 per hour"
KEEP_CREDENTIALS_SECONDS = 60.0


class User(UserMixin):
    """The signed-in account as Flask-Login sees it."""

    def __init__(self, account: Account) -> None:
        self.id = str(account.id)
        self.name = account.display_name or account.username
        self.role = account.role
        self.actor = account.actor()


def install(app: Flask) -> None:
    """Put authentication, form tokens, limits and headers on an application."""
    login_manager.init_app(app)
    login_manager.login_view = "account.login"
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(_identify)
    app.after_request(_headers)


def exempt_services(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Services take no forms: their callers prove themselves by each request."""
    for blueprint in blueprints:
        csrf.exempt(blueprint)


@login_manager.user_loader
def _load(user_id: str) -> User | None:
    account = active_account(context.session(), int(user_id)) if user_id.isdigit() else None
    return User(account) if account is not None else None


def _identify() -> None:
    g.ocop_nonce = secrets.token_urlsafe(16)
    if request.endpoint == "static":
        return
    g.ocop_actor = _from_header() or _from_session()


def _from_session() -> Actor:
    return current_user.actor if current_user.is_authenticated else PUBLIC


def _from_header() -> Actor | None:
    """Read HTTP Basic (name and password, or any name and an API key) and Bearer keys."""
    header = request.authorization
    if header is None:
        return None
    if header.type == "bearer" and header.token:
        account = check_api_key(context.session(), header.token)
        actor = account.actor() if account else None
    elif header.type == "basic":
        actor = _basic(header.username or "", header.password or "")
    else:
        return None
    if actor is None:
        raise Unauthorized
    return actor


_proven: dict[str, tuple[float, Actor]] = {}


def _basic(username: str, password: str) -> Actor | None:
    """Check a name and password, or a key; a proof holds for a minute, since map clients send it with each tile."""
    proof = hashlib.sha256(f"{username}\x1f{password}".encode()).hexdigest()
    known = _proven.get(proof)
    if known is not None and time.monotonic() - known[0] < KEEP_CREDENTIALS_SECONDS:
        return known[1]
    session = context.session()
    if password.startswith("ocop_"):
        account = check_api_key(session, password)
    else:
        with limiter.limit(LOGIN_LIMIT):
            account = check_password(session, username, password)
    if account is None:
        return None
    if len(_proven) > 1_000:
        _proven.clear()
    actor = account.actor()
    _proven[proof] = (time.monotonic(), actor)
    return actor


def _headers(response: Response) -> Response:
    settings: Settings = current_app.extensions["ocop_settings"]
    basemap = settings.basemap.host if settings.basemap else ""
    sources = " ".join(filter(None, ("'self'", basemap)))
    nonce = g.get("ocop_nonce", "")
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; worker-src 'self'; connect-src {sources}; "
        f"img-src {sources} data: blob:; style-src 'self'; font-src 'self'; object-src 'none'; base-uri 'self'; "
        "frame-ancestors 'self'; form-action 'self'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    response.headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self), microphone=()")
    if response.mimetype == "text/html" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    if request.path.startswith(OPEN_TO_OTHER_SITES):
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
        response.headers.setdefault("Access-Control-Expose-Headers", "ETag, Link, OGC-NumberMatched")
    return response
