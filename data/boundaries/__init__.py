"""Import of administrative boundaries: a file of communes becomes an edition, whole or not at all."""

from data.boundaries.errors import BoundaryError
from data.boundaries.load import import_boundaries
from data.boundaries.report import Report

__all__ = ["BoundaryError", "Report", "import_boundaries"]
