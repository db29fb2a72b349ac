"""What every page uses: addresses of static files, numbers and dates the Vietnamese way, the error page."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request
from flask_babel import gettext
from flask_login import current_user

from data import codes
from data.record_facts import all_facts
from data.store import Failure
from gis.errors import Sentence
from services import context
from services.errors import said, sentence_of, status_of
from webmap.settings import Settings

STATIC = Path(__file__).parent / "static"
STATIC_SECONDS = 31_536_000
TIME_ZONE = dt.timezone(dt.timedelta(hours=7))


def install(app: Flask) -> None:
    """Give templates their globals and filters, and let versioned static files be kept for a year."""
    app.context_processor(_globals)
    app.jinja_env.filters.update(
        number=number,
        date_=date_,
        moment=moment,
        ha=hectares,
        label=code_label,
        money=money,
        said=_said,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.after_request
    def keep_static(response: Response) -> Response:
        versioned = "/vendor/" in request.path or "h" in request.args
        if request.endpoint == "static" and response.status_code == 200 and versioned:
            response.headers["Cache-Control"] = f"public, max-age={STATIC_SECONDS}, immutable"
        return response


def _said(sentence: Sentence) -> str:
    return said(sentence.message, sentence.facts)


def _globals() -> dict[str, Any]:
    settings: Settings = current_app.extensions["ocop_settings"]
    facts = record_facts()
    return {
        "lang": context.language(),
        "nonce": g.get("ocop_nonce", ""),
        "static": static,
        "vendor": vendor,
        "switch_language_url": switch_language_url,
        "province_name": facts.get("province_name") or gettext("Tỉnh"),
        "is_demo": facts.get("demo") == "1",
        "basemap": settings.basemap.as_dict() if settings.basemap else None,
        "actor": context.actor(),
        "current_user": current_user,
        "today": dt.datetime.now(TIME_ZONE).date(),
    }


def record_facts() -> dict[str, str | None]:
    """Return the facts about the record as a whole, once per request; none when it cannot be read."""
    if "ocop_facts" not in g:
        try:
            g.ocop_facts = all_facts(context.session())
        except Failure:
            g.ocop_facts = {}
    facts: dict[str, str | None] = g.ocop_facts
    return facts


# ---- addresses


@functools.cache
def _digest(path: str) -> str:
    file = STATIC / path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.is_file() else "0"


def static(path: str) -> str:
    """Return the address of one of our static files, with the hash of its content."""
    return f"/static/{path}?h={_digest(path)}"


@functools.cache
def _vendored() -> dict[str, str]:
    listing = STATIC / "vendor" / "vendor.json"
    if not listing.is_file():
        return {}
    return {entry["name"]: entry["version"] for entry in _entries(json.loads(listing.read_text("utf-8")))}


def _entries(document: Any) -> list[dict[str, str]]:
    return list(document["packages"] if isinstance(document, dict) else document)


def vendor(package: str, file: str) -> str:
    """Return the versioned address of a file of a browser library."""
    return f"/static/vendor/{package}-{_vendored().get(package, '0')}/{file}"


def switch_language_url(lang: str) -> str:
    """Return this page's address in another language."""
    arguments = {**request.args.to_dict(flat=False), **(request.view_args or {}), "lang": lang}
    if request.endpoint is None:
        return f"/?lang={lang}"
    return current_app.url_for(request.endpoint, **arguments)


# ---- numbers and dates


def number(value: float | int | None, digits: int | None = None) -> str:
    """Write a number as the language does: 1.234,5 in Vietnamese, 1,234.5 in English; — for none."""
    if value is None:
        return "—"
    if digits is None:
        digits = 0 if float(value).is_integer() else 1
    text = f"{value:,.{digits}f}"
    return text if context.language() == "en" else text.translate(str.maketrans(",.", ".,"))


def hectares(value: float | None) -> str:
    """Write an area in hectares."""
    return "—" if value is None else f"{number(value, 2 if value < 10 else 1)} ha"


def money(value: float | None) -> str:
    """Write an amount in đồng."""
    return "—" if value is None else f"{number(value, 0)} ₫"


def date_(value: dt.date | dt.datetime | None) -> str:
    """Write a date as day/month/year, in the province's time."""
    if value is None:
        return "—"
    day = value.astimezone(TIME_ZONE).date() if isinstance(value, dt.datetime) else value
    return (
        f"{day.day}/{day.month}/{day.year}"
        if context.language() == "vi"
        else f"{day.day} {day:%b} {day.year}"
    )


def moment(value: dt.datetime | None) -> str:
    """Write a moment as hour and date, in the province's time."""
    return "—" if value is None else f"{value.astimezone(TIME_ZONE):%H:%M} {date_(value)}"


def code_label(value: Any, list_name: str) -> str:
    """Write the label of a code-list value."""
    return codes.label(list_name, value, context.language()) or "—"


# ---- errors


def error_page(error: Exception) -> Response:
    """Show a person what went wrong, in one sentence, and where to go from here."""
    status = status_of(error)
    page = render_template("error.html", status=status, sentence=sentence_of(error))
    response = Response(page, status)
    if status in (429, 503):
        response.headers["Retry-After"] = "30"
    return response
