"""The office: where officers add and change records, and connect their desktop programs."""

from webmap.office import qgis
from webmap.office.views import blueprint

__all__ = ["blueprint", "qgis"]
