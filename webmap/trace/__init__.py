"""Traceability pages: the public page of a lot, its dossier, the graph, recalls, labels."""

from __future__ import annotations

from flask import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
