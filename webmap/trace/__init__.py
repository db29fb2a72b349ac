"""Traceability pages: the public page of a lot, its dossier, the graph, recalls, labels."""

from __future__ import annotations

from flask import Blueprint

from webmap.trace import dossiers, drills, evidence, graph, labels, lotpage, problems, recalls, scanning

BLUEPRINTS: tuple[Blueprint, ...] = (
    drills.blueprint,
    dossiers.blueprint,
    evidence.blueprint,
    graph.blueprint,
    labels.blueprint,
    lotpage.blueprint,
    problems.blueprint,
    recalls.blueprint,
    scanning.blueprint,
)
