"""What QGIS opens without further setting up."""

from services.qgis.views import blueprint

__all__ = ["blueprint"]
