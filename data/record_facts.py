"""Facts about the record as a whole, by key: the province's name, whether it is a demonstration, the edition in use."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.tables import RecordFact


def all_facts(session: Session) -> dict[str, str | None]:
    """Return all facts by key."""
    rows = session.execute(sa.select(RecordFact.key, RecordFact.value))
    return {key: value for key, value in rows}


def get_fact(session: Session, key: str) -> str | None:
    """Return a fact, or None where the record does not hold it."""
    return session.scalar(sa.select(RecordFact.value).where(RecordFact.key == key))
