"""Lists of councils, sessions and products that wait for one, for those who run them or sit on them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import EDITORS_OF_ALL, Account, Actor, Role
from data.programme.councils import CouncilError
from data.programme.tables import (
    AgendaItem,
    Council,
    CouncilMember,
    CouncilSession,
    Dossier,
    Participation,
)

OVERSEERS = EDITORS_OF_ALL | {Role.PLANNER, Role.INSPECTOR}


def councils_of(session: Session, actor: Actor) -> list[Council]:
    """List the councils that the actor runs, oversees or sits on, newest first."""
    query = sa.select(Council).order_by(Council.id.desc())
    if actor.role not in OVERSEERS:
        query = query.where(Council.id.in_(_own_councils(actor)))
    return list(session.scalars(query))


def council_seen(session: Session, actor: Actor, council_id: int) -> Council:
    """Return a council that the actor may look at. Raises CouncilError."""
    found = next((c for c in councils_of(session, actor) if c.id == council_id), None)
    if found is None:
        raise CouncilError("Không có Hội đồng này trong phần việc của bạn.")
    return found


def sessions_of(session: Session, council: Council) -> list[CouncilSession]:
    """List the sessions of a council, newest first."""
    query = sa.select(CouncilSession).where(CouncilSession.council_id == council.id)
    return list(session.scalars(query.order_by(CouncilSession.starts_at.desc())))


def session_seen(session: Session, actor: Actor, session_id: int) -> CouncilSession:
    """Return a session that the actor may look at. Raises CouncilError."""
    row = session.get(CouncilSession, session_id)
    if row is None:
        raise CouncilError("Không có phiên họp này trong phần việc của bạn.")
    council_seen(session, actor, row.council_id)
    return row


def waiting_dossiers(session: Session) -> list[Dossier]:
    """List the dossiers that wait for a council and are on no open agenda."""
    listed = sa.select(AgendaItem.dossier_id).where(AgendaItem.state != "closed")
    query = (
        sa.select(Dossier)
        .join(Participation, Participation.id == Dossier.participation_id)
        .where(Participation.status == "awaiting_council", Dossier.id.not_in(listed))
    )
    return list(session.scalars(query.order_by(Dossier.id)))


def possible_members(session: Session) -> list[Account]:
    """List the accounts of council members."""
    query = sa.select(Account).where(Account.role == Role.COUNCIL_MEMBER, Account.active.is_(True))
    return list(session.scalars(query.order_by(Account.display_name)))


def earlier_results(session: Session, dossier: Dossier) -> list[AgendaItem]:
    """List what councils found of the same product before."""
    query = (
        sa.select(AgendaItem)
        .join(Dossier, Dossier.id == AgendaItem.dossier_id)
        .where(
            Dossier.product_id == dossier.product_id,
            AgendaItem.state == "closed",
            AgendaItem.dossier_id != dossier.id,
        )
    )
    return list(session.scalars(query.order_by(AgendaItem.id.desc())))


def _own_councils(actor: Actor) -> sa.Select[int]:
    return sa.select(CouncilMember.council_id).where(
        CouncilMember.account_id == actor.account_id, CouncilMember.left_on.is_(None)
    )
