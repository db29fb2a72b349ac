"""Rounds of evaluation: opened with the law's dates, moved on until they are published."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, codes
from data.accounts import EDITORS_OF_ALL, Actor
from data.products import Product
from data.programme import criteria
from data.programme.participations import SOURCE, check_version, touch
from data.programme.rights import acts
from data.programme.tables import Participation, Round
from gis.errors import Refusal

MANAGERS = EDITORS_OF_ALL


class RoundError(Refusal):
    """A round cannot be opened or moved on like this."""


def all_of(session: Session, year: int) -> list[Round]:
    """List the rounds of a year."""
    return list(
        session.scalars(sa.select(Round).where(Round.year == year).order_by(Round.level, Round.number))
    )


def counts(session: Session, year: int) -> dict[int, int]:
    """Count the products of each round."""
    query = (
        sa.select(Participation.round_id, sa.func.count())
        .where(Participation.round_id.is_not(None), Participation.year == year)
        .group_by(Participation.round_id)
    )
    return {key: number for key, number in session.execute(query) if key is not None}


def open_round(
    session: Session,
    actor: Actor,
    *,
    name: str,
    level: str,
    year: int,
    receive_before: dt.date | None,
    decide_before: dt.date | None,
) -> Round:
    """Open a round; its edition is the one in force when it stops receiving. Raises RoundError or CriteriaError."""
    if actor.role not in MANAGERS:
        raise RoundError("Đợt đánh giá do cán bộ tỉnh mở.")
    if receive_before is None or decide_before is None:
        raise RoundError("Hãy ghi ngày đóng nhận và ngày hoàn thành.")
    if decide_before <= receive_before:
        raise RoundError("Ngày hoàn thành phải sau ngày đóng nhận.")
    last = session.scalar(
        sa.select(sa.func.max(Round.number)).where(Round.year == year, Round.level == level)
    )
    number = int(last or 0) + 1
    row = Round(
        name=name.strip() or f"Đợt {number} năm {year}",
        level=level,
        year=year,
        number=number,
        edition=criteria.edition_at(receive_before).edition,
        receive_before=receive_before,
        decide_before=decide_before,
        rules={},
    )
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "rounds", row.id, "insert", after=audit.snapshot(row))
    return row


def set_state(
    session: Session, actor: Actor, round_id: int, state: str, *, version: int | None = None
) -> Round:
    """Move a round on. Raises RoundError or Outdated."""
    if actor.role not in MANAGERS:
        raise RoundError("Trạng thái của đợt do cán bộ tỉnh đổi.")
    row = session.get(Round, round_id, with_for_update=True)
    if row is None:
        raise RoundError("Không có đợt số %(id)s.", id=round_id)
    if state not in codes.code_list("round_state"):
        raise RoundError("Không có trạng thái “%(state)s” của đợt.", state=state)
    check_version(row, version)
    before = audit.snapshot(row)
    row.state = state
    touch(session, actor, row, before)
    return row


def own_products(session: Session, actor: Actor) -> frozenset[int] | None:
    """Return the ids of the products on which the actor acts, or None for all."""
    if actor.role in EDITORS_OF_ALL:
        return None
    return frozenset(session.scalars(sa.select(Product.id).where(acts(actor, Product))))
