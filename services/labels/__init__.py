"""QR labels of lots and jars: pictures, single labels and sheets, sized by what the code holds."""

from services.labels.views import blueprint

__all__ = ["blueprint"]
