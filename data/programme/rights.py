"""Who sees and who acts on the rows of the programme: a SQL predicate, as for layers.

A producer sees and acts on what is theirs, an officer on what lies in their territory, a council member sees the
dossiers on the agendas of their own sessions and those that they advise on. Which moves a role may make is said by
the cycle's reference data.
"""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EDITORS_OF_ALL, EVERYTHING, Actor, Role, model_of, own_rows
from data.programme.tables import (
    AdvisoryReport,
    AgendaItem,
    CouncilMember,
    CouncilSession,
    Dossier,
    Participation,
)
from gis.errors import Refusal

Row = TypeVar("Row")


class NotYours(Refusal):
    """There is no such row for the actor, or it is not theirs to act on."""


def seen(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    """Say in SQL which rows of a programme table with `producer_id` and `commune_id` the actor sees."""
    if actor.role in EVERYTHING:
        return sa.true()
    if actor.role == Role.COUNCIL_MEMBER:
        return _on_own_agenda(actor, entity)
    own = own_rows(actor, entity)
    return sa.false() if own is None else own


def acts(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    """Say in SQL on which rows the actor acts: officers in their territory, producers on their own."""
    if actor.role in EDITORS_OF_ALL:
        return sa.true()
    own = own_rows(actor, entity)
    return sa.false() if own is None else own


def row_seen(session: Session, actor: Actor, model: type[Row], row_id: int) -> Row:
    """Return a row that the actor sees. Raises NotYours."""
    return _row(session, model, row_id, seen(actor, model))


def row_acted_on(session: Session, actor: Actor, model: type[Row], row_id: int) -> Row:
    """Return a row, locked for the transaction, on which the actor acts. Raises NotYours."""
    return _row(session, model, row_id, acts(actor, model), lock=True)


def _row(
    session: Session, model: type[Any], row_id: int, rule: sa.ColumnElement[bool], *, lock: bool = False
) -> Any:
    query = sa.select(model).where(model.id == row_id, rule)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotYours("Không có hồ sơ này trong phần việc của bạn.")
    return row


def _on_own_agenda(actor: Actor, entity: Any) -> sa.ColumnElement[bool]:
    dossiers = (
        sa.select(AgendaItem.dossier_id)
        .join(CouncilSession, CouncilSession.id == AgendaItem.session_id)
        .join(CouncilMember, CouncilMember.council_id == CouncilSession.council_id)
        .where(CouncilMember.account_id == actor.account_id, CouncilMember.left_on.is_(None))
    )
    advised = (
        sa.select(AdvisoryReport.dossier_id)
        .join(CouncilMember, CouncilMember.id == AdvisoryReport.member_id)
        .where(AdvisoryReport.account_id == actor.account_id, CouncilMember.left_on.is_(None))
    )
    own = sa.or_(Dossier.id.in_(dossiers), Dossier.id.in_(advised))
    if model_of(entity) is Dossier:
        return entity.id.in_(sa.select(Dossier.id).where(own))
    if model_of(entity) is Participation:
        return entity.id.in_(sa.select(Dossier.participation_id).where(own))
    return sa.false()
