"""The application that gunicorn serves."""

from __future__ import annotations

from services import context
from webmap.app import create_app
from webmap.settings import Settings

app = create_app(Settings.from_environment())

# The workers are forked from this process: each must open connections of its own.
with app.app_context():
    context.store().dispose()
