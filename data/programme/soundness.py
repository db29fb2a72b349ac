"""Whether the programme's rows agree with one another: certificates, frozen versions, ballots and results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from data.products import Product
from data.programme import ballots, scoresheet
from data.programme.certificates import product_facts
from data.programme.councils import MEETING, excluded, voters
from data.programme.dossiers import digest
from data.programme.tables import AgendaItem, Certificate, CouncilSession, DossierVersion


@dataclass(frozen=True)
class Check:
    """What was looked at in a table, how many rows, and what is wrong."""

    table: str
    title: str
    rows: int
    problems: list[str]


def look_over(session: Session, today: dt.date) -> Iterator[Check]:
    """Check the programme's tables, one check after another; nothing is written."""
    yield _certificates(session, today)
    yield _versions(session)
    yield from _judged(session)


def _certificates(session: Session, today: dt.date) -> Check:
    """What a product shows is what its last certificate says that did not end by an act."""
    last: dict[int, Certificate | None] = {}
    rows = session.scalars(sa.select(Certificate).order_by(Certificate.issued_on, Certificate.id)).all()
    for row in rows:
        last.setdefault(row.product_id, None)
        stopped = row.stopped_on is not None and row.stopped_on <= today
        if row.revoked_on is None and row.replaced_by_id is None and not stopped:
            last[row.product_id] = row
    products = session.scalars(sa.select(Product).where(Product.id.in_(sa.select(Certificate.product_id))))
    wrong = []
    for product in products:
        certificate = last[product.id]
        facts = product_facts(certificate)
        if certificate is None:
            # One or two stars may stand without a certificate; three and more may not.
            facts = {name: value for name, value in facts.items() if name != "stars"}
        if any(getattr(product, name) != value for name, value in facts.items()):
            wrong.append(f"sản phẩm {product.id}")
    return Check("certificates", "khớp với sản phẩm", len(rows), wrong)


def _versions(session: Session) -> Check:
    rows = session.execute(sa.select(DossierVersion.id, DossierVersion.document, DossierVersion.sha256)).all()
    wrong = [str(key) for key, document, sha256 in rows if digest(document) != sha256]
    return Check("dossier_versions", "mã băm của bản nộp", len(rows), wrong)


def _judged(session: Session) -> Iterator[Check]:
    query = (
        sa.select(AgendaItem)
        .options(
            selectinload(AgendaItem.ballots),
            joinedload(AgendaItem.dossier),
            joinedload(AgendaItem.session).joinedload(CouncilSession.council),
        )
        .where(AgendaItem.state == "closed")
    )
    items = session.scalars(query).all()
    papers = [paper for item in items for paper in ballots.submitted(item)]
    broken = [str(paper.id) for paper in papers if paper.sha256 != ballots.seal(paper)]
    yield Check("ballot_papers", "mã băm của phiếu", len(papers), broken)
    yield Check(
        "agenda_items", "đủ phiếu", len(items), [str(i.id) for i in items if _lacks_ballots(session, i)]
    )
    yield Check(
        "agenda_items", "kết quả tính lại", len(items), [str(i.id) for i in items if _differs(session, i)]
    )


def _lacks_ballots(session: Session, item: AgendaItem) -> bool:
    """Tell whether somebody who was there judged nothing; members who left later are not asked for."""
    judged = {paper.member_id for paper in ballots.submitted(item)}
    away = excluded(session, item.dossier_id)
    meeting = item.session
    there = [m for m in voters(meeting.council) if meeting.mode != MEETING or m.id in set(meeting.present)]
    return not judged or any(m.id not in judged and m.id not in away for m in there)


def _differs(session: Session, item: AgendaItem) -> bool:
    """Tell whether the ballots no longer come to the result that was closed."""
    result = ballots.result_of(session, item)
    if result is None or item.result is None:
        return True
    again = scoresheet.sheet(result)
    return any(again[name] != item.result.get(name) for name in ("average", "band", "ceiling", "stars"))
