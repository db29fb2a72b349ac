"""Every table of the record, so that one import knows the whole schema."""

from __future__ import annotations

from data import (
    accounts,
    admin_units,
    batches,
    boundary_changes,
    craft_villages,
    growing_areas,
    jobs,
    media,
    producers,
    products,
    quality,
    tables,
    uploads,
    views,
    wfs,
)
from data.base import Base
from data.programme import tables as programme
from data.traceability import lots
from data.traceability import tables as traceability

metadata = Base.metadata

__all__ = [
    "accounts",
    "admin_units",
    "batches",
    "boundary_changes",
    "craft_villages",
    "growing_areas",
    "jobs",
    "lots",
    "media",
    "metadata",
    "producers",
    "products",
    "programme",
    "quality",
    "tables",
    "traceability",
    "uploads",
    "views",
    "wfs",
]
