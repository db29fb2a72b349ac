"""Why a file is not imported."""

from __future__ import annotations

from gis.errors import Refusal
from services.errors import Missing


class ImportRefused(Refusal):
    """Nothing was imported."""


class NoUpload(Missing):
    """There is no such file on the desk of this caller."""


class NotReady(ImportRefused):
    """A choice is missing or does not fit; `step` and `field` say where to make it."""

    def __init__(self, message: str, *, step: str, field: str = "", **facts: object) -> None:
        super().__init__(message, step=step, field=field, **facts)
        self.step = step
        self.field = field
