"""The web map service: every layer as an image, for programs that know nothing newer."""

from services.wms.views import blueprint

__all__ = ["blueprint"]
