"""Refusals of files that people bring."""

from __future__ import annotations

from gis.errors import Refusal


class VectorFileError(Refusal):
    """A file that cannot be read as a map or a table of places."""


def unreadable(title: str) -> VectorFileError:
    """The refusal of a file that its format's reader cannot open."""
    return VectorFileError("Tệp %(file)s bị hỏng hoặc không đúng định dạng.", file=title)
