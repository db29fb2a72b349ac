"""Taking in what another program changed in the record's file: looked for at most every two seconds."""

from __future__ import annotations

import time

from flask import Flask

from data.store import Unavailable
from layers.edit import adopt_outside, outside_edits_waiting
from services import context

EVERY_SECONDS = 2.0


def install(app: Flask) -> None:
    """Look for outside edits before requests, and set what follows from them (commune, area, search text)."""
    last = 0.0

    @app.before_request
    def look() -> None:
        nonlocal last
        moment = time.monotonic()
        if moment - last < EVERY_SECONDS:
            return
        last = moment
        try:
            if outside_edits_waiting(context.session()):
                context.renew_session()
                adopt_outside(context.store())
                context.renew_session()
        except Unavailable as error:
            app.logger.warning("outside edits not adopted yet: %s", error.orig)
