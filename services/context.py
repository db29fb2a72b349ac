"""What a request works with: the store, one reading session, the caller and the language."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeAlias

from flask import Flask, current_app, g, request
from sqlalchemy.orm import Session

from data.accounts import PUBLIC, Actor
from data.store import Store
from layers.tilecache import TileCache

#: Bodies and headers of short answers, by their entity tags.
Answers: TypeAlias = OrderedDict[str, tuple[bytes, list[tuple[str, str]]]]

LANGUAGES = ("vi", "en")


def install(app: Flask, store: Store, cache: TileCache) -> None:
    """Hang the store and the tile cache on an application, and close the session after each request."""
    app.extensions["ocop_store"] = store
    app.extensions["ocop_tiles"] = cache
    app.extensions["ocop_answers"] = OrderedDict()
    app.teardown_appcontext(_close)


def store() -> Store:
    """Return the application's store."""
    found: Store = current_app.extensions["ocop_store"]
    return found


def tile_cache() -> TileCache:
    """Return the application's tile cache."""
    found: TileCache = current_app.extensions["ocop_tiles"]
    return found


def kept_answers() -> Answers:
    """Return the short answers that this process keeps, oldest first."""
    found: Answers = current_app.extensions["ocop_answers"]
    return found


def session() -> Session:
    """Return the request's reading session: one consistent state from the first question to the last."""
    if "ocop_session" not in g:
        g.ocop_session = Session(store().engine, autoflush=False)
    opened: Session = g.ocop_session
    return opened


def renew_session() -> None:
    """Let the rest of the request see what was written since it began."""
    opened = g.pop("ocop_session", None)
    if opened is not None:
        opened.close()


def actor() -> Actor:
    """Return who is asking; the application says so before each request."""
    found: Actor = g.get("ocop_actor", PUBLIC)
    return found


def language() -> str:
    """Return the caller's language: `lang=` in the address, then the cookie, then Vietnamese.

    A service that negotiates languages goes by Accept-Language where there is no cookie (`negotiate_language`).
    """
    chosen = request.args.get("lang") or request.cookies.get("lang") or g.get("ocop_language") or LANGUAGES[0]
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def negotiate_language() -> None:
    """Let this request be answered in the language that its Accept-Language header prefers, if it has one."""
    g.ocop_language = request.accept_languages.best_match(LANGUAGES)


def _close(error: Any) -> None:
    opened = g.pop("ocop_session", None)
    if opened is not None:
        opened.close()
