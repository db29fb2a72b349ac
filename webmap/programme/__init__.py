"""The programme's pages: work queue, cycle, dossiers, councils, certificates, inspection, reports."""

from webmap.programme import (
    advisory,
    certificates,
    compare,
    councils,
    criteria,
    cycle,
    dossiers,
    inspections,
    ministry,
    reports,
    voting,
)

BLUEPRINTS = (
    cycle.blueprint,
    dossiers.blueprint,
    councils.blueprint,
    certificates.blueprint,
    criteria.blueprint,
    advisory.blueprint,
    ministry.blueprint,
    compare.blueprint,
    inspections.blueprint,
    reports.blueprint,
    voting.blueprint,
)

__all__ = ["BLUEPRINTS"]
