"""The planner's map."""

from webmap.planner.views import blueprint

__all__ = ["blueprint"]
