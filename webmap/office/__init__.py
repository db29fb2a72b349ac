"""The office: where officers add and change records, bring and take files, and look after their quality."""

from webmap.office import boundaries, export, history, imports, jobs, keys, qgis, quality, table, views

BLUEPRINTS = tuple(m.blueprint for m in (views, boundaries, export, history, imports, jobs, quality, table))

__all__ = ["BLUEPRINTS", "keys", "qgis"]
