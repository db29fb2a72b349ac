"""The declared styles in the languages of desktop programs."""

from services.styles.views import blueprint

__all__ = ["blueprint"]
