"""The office: where officers add and change records."""

from webmap.office.views import blueprint

__all__ = ["blueprint"]
