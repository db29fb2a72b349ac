"""The application factory: the record, the services and the pages put together for one process."""

from __future__ import annotations

from flask import Flask, Response, g, redirect, request
from flask_babel import Babel
from flask_compress import Compress
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers.response import Response as BaseResponse

from data.store import Store
from gis.errors import Refusal
from layers.tilecache import TileCache
from services import (
    context,
    digitallink,
    epcis,
    exports,
    finding,
    health,
    items,
    jobs,
    labels,
    negotiation,
    ogcapi,
    qgis,
    styles,
    tiles,
    wms,
)
from services import trace as tracing
from services.errors import problem, status_of
from services.imports import views as imports
from services.wfs import views as wfs
from webmap import account, office, outside, pages, planner, programme, public, security, trace
from webmap.settings import Settings

COMPRESSED = [
    "text/html",
    "text/css",
    "text/plain",
    "text/csv",
    "text/javascript",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/problem+json",
    "application/geo+json",
    "application/xml",
    "text/xml",
    "application/gml+xml",
    "application/schema+json",
    "application/vnd.oai.openapi+json",
    "application/vnd.ogc.fg+json",
    "application/vnd.ogc.sld+xml",
    "application/vnd.ogc.wms_xml",
    "application/vnd.mapbox.style+json",
    "image/svg+xml",
    tiles.MVT,
]
LARGEST_REQUEST = 64 * 1024 * 1024
PROGRAM_PATHS = (
    "/layers",
    "/tiles/",
    "/styles/",
    "/statistics",
    "/units.json",
    "/crs.json",
    "/health/",
    "/metrics",
    "/wfs",
    "/wms",
    "/qgis/",
    "/imports/",
    "/epcis",
    "/trace",
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from settings, by default from the environment."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=(settings.base_url or "").startswith("https://"),
        REMEMBER_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        OCOP_PRIVATE_WEBHOOKS=settings.private_webhooks,
        BABEL_DEFAULT_LOCALE="vi",
        BABEL_DEFAULT_TIMEZONE="Asia/Ho_Chi_Minh",
        COMPRESS_MIMETYPES=COMPRESSED,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
    )
    app.extensions["ocop_settings"] = settings
    if settings.base_url:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    context.install(
        app, Store(settings.database_url), TileCache(settings.instance / "cache" / "tiles.sqlite")
    )
    jobs.install(app.extensions["ocop_store"], settings.instance)
    Babel(app, locale_selector=context.language)
    Compress(app)
    health.measure(app)
    outside.install(app)
    security.install(app)
    pages.install(app)
    programs = [
        m.blueprint
        for m in (
            digitallink,
            epcis,
            labels,
            tiles,
            tracing,
            items,
            imports,
            exports,
            finding,
            health,
            ogcapi,
            wfs,
            wms,
            styles,
            qgis,
        )
    ]
    own = [m.blueprint for m in (public, account)]
    for blueprint in (
        *programs,
        *own,
        *planner.BLUEPRINTS,
        *office.BLUEPRINTS,
        *programme.BLUEPRINTS,
        *trace.BLUEPRINTS,
    ):
        app.register_blueprint(blueprint)
    security.exempt_services(app, programs)
    _errors(app)
    _languages(app)
    return app


def _errors(app: Flask) -> None:
    """Answer programs with problem+json and people with a page, each in one plain sentence."""

    def answer(error: Exception) -> Response | BaseResponse:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return error.get_response()
        if status_of(error) >= 500 and not isinstance(error, HTTPException):
            app.logger.error("%s %s", request.method, request.path, exc_info=error)
        if request.path.startswith(PROGRAM_PATHS) or not negotiation.prefers_html():
            return problem(error)
        return pages.error_page(error)

    for kind in (Refusal, HTTPException, Exception):
        app.register_error_handler(kind, answer)


def _languages(app: Flask) -> None:
    """Remember a language that was chosen in the address."""

    @app.before_request
    def start() -> BaseResponse | None:
        g.ocop_lang = context.language()
        unknown = request.url_rule is None and request.path.endswith("/")
        if unknown and request.method == "GET":
            return redirect(request.path.rstrip("/") or "/", 308)
        return None

    @app.after_request
    def remember(response: Response) -> Response:
        chosen = request.args.get("lang")
        if chosen in context.LANGUAGES:
            response.set_cookie("lang", chosen, max_age=31_536_000, samesite="Lax")
        if response.mimetype == "text/html":
            response.headers["Content-Language"] = context.language()
        return response
