"""The names that a report's pages show: communes to choose from, and rows by id."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.admin_units import Commune, edition_in_use
from layers.fields import Layer
from layers.quality.check import commune_ids
from layers.quality.report import Finding


def communes(session: Session) -> list[tuple[str, str]]:
    """The communes in use by name: (code, name)."""
    query = sa.select(Commune.code, Commune.name).where(Commune.edition == edition_in_use(session))
    return [(code, name) for code, name in session.execute(query.order_by(Commune.name))]


def within(session: Session, layer: Layer, findings: list[Finding], code: str) -> list[Finding] | None:
    """The findings with a row in the commune of a code, or None where there is no such commune."""
    home = session.scalar(
        sa.select(Commune.id).where(Commune.code == code, Commune.edition == edition_in_use(session))
    )
    if home is None:
        return None
    of_row = commune_ids(session, layer)
    return [f for f in findings if any(of_row.get(i) == home for i in f.ids)]


def names(session: Session, layer: Layer, actor: Actor, ids: Iterable[int]) -> dict[int, str]:
    """The names of rows that the actor sees: {id: name}."""
    query = sa.select(layer.model.id, getattr(layer.model, layer.name_field)).where(
        layer.model.id.in_(sorted(ids)), visible(actor, layer.model)
    )
    return {row_id: str(name) for row_id, name in session.execute(query) if name}
