"""The planner's map, and views of it that were kept."""

from webmap.planner import savedviews, views

BLUEPRINTS = (views.blueprint, savedviews.blueprint)

__all__ = ["BLUEPRINTS"]
