"""Corrected revisions of criteria: published with a reason, never touching what was judged before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import Actor, Role
from data.programme import criteria
from data.programme.criteria import CriteriaError, Criterion, ProductSet
from data.programme.tables import CriteriaRevision, Dossier

SOURCE = "programme"


@dataclass(frozen=True)
class Change:
    """One thing in which a revision differs: of a criterion, or of its option counted from 0."""

    criterion: str
    what: str
    option: int | None
    before: str
    after: str


def publish(
    session: Session,
    actor: Actor,
    edition: str,
    document: Mapping[str, Any],
    reason: str,
    valid_from: dt.date,
) -> CriteriaRevision:
    """Publish a corrected product set; dossiers that began before keep theirs. Raises CriteriaError."""
    if actor.role != Role.ADMINISTRATOR:
        raise CriteriaError("Chỉ người quản trị công bố được bản đính chính của bộ tiêu chí.")
    if not reason.strip():
        raise CriteriaError("Hãy nêu lý do đính chính.")
    one = checked_set(edition, document)
    row = CriteriaRevision(
        edition=edition,
        set_number=one.number,
        revision=latest(session, edition, one.number) + 1,
        document=dict(document),
        reason=reason.strip(),
        account_id=actor.account_id,
        actor=actor.name,
        valid_from=valid_from,
    )
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "criteria_revisions", row.id, "insert", reason=reason)
    return row


def checked_set(edition: str, document: Mapping[str, Any]) -> ProductSet:
    """Read a set that somebody wrote, and refuse one that is not whole. Raises CriteriaError."""
    known = criteria.edition(edition)
    try:
        one = criteria.read_set(document)
        _check_values(one)
        found = criteria.defects_of_set(one)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CriteriaError("Bản đính chính không đúng cấu trúc của một bộ tiêu chí.") from error
    known.set(one.number)
    grave = [d for d in found if d.grave]
    if grave:
        raise CriteriaError(grave[0].text, **grave[0].facts)
    for part in one.parts:
        if part.max != known.parts.get(part.code):
            raise CriteriaError(
                "Phần %(part)s của bộ %(set)s có tối đa %(max)s điểm, khác %(wanted)s.",
                part=part.code,
                set=one.number,
                max=part.max,
                wanted=known.parts.get(part.code),
            )
    return one


def _check_values(one: ProductSet) -> None:
    """Refuse values of a wrong kind, which a file may hold where the form does not let them in."""
    codes = {c.code for section in one.sections for c in section.criteria}
    texts = [one.name, *(c.name for c in one.criteria.values())]
    numbers = [one.number, *(part.max for part in one.parts), *(s.max for s in one.sections)]
    for criterion in one.criteria.values():
        numbers.append(criterion.max)
        texts += [o.label for o in criterion.options]
        numbers += [o.points for o in criterion.options]
        numbers += [o.min_star for o in criterion.options if o.min_star is not None]
        if any(o.points < 0 or o.min_star not in (None, *range(3, 6)) for o in criterion.options):
            raise ValueError(criterion.code)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
        raise ValueError("numbers")
    if any(not isinstance(t, str) or not t.strip() for t in texts):
        raise ValueError("texts")
    named = {c for r in one.rules for c in (r.criterion, r.on, *r.among) if c}
    headings = {code.rsplit(".", 1)[0] for code in codes} | {s.code for s in one.sections}
    if not named <= codes | headings:
        raise ValueError("rules")


def latest(session: Session, edition: str, set_number: int, day: dt.date | None = None) -> int:
    """Return the number of the newest revision of a set, valid on a day; 0 is the law as it was published."""
    query = sa.select(sa.func.max(CriteriaRevision.revision)).where(
        CriteriaRevision.edition == edition, CriteriaRevision.set_number == set_number
    )
    if day is not None:
        query = query.where(CriteriaRevision.valid_from <= day)
    return int(session.scalar(query) or 0)


def history(session: Session, edition: str, set_number: int | None = None) -> list[CriteriaRevision]:
    """List the revisions of an edition, or of one of its sets, the newest first."""
    query = sa.select(CriteriaRevision).where(CriteriaRevision.edition == edition)
    if set_number is not None:
        query = query.where(CriteriaRevision.set_number == set_number)
    return list(session.scalars(query.order_by(CriteriaRevision.id.desc())))


def document_of(session: Session, edition: str, set_number: int, revision: int = 0) -> dict[str, Any]:
    """Return a set as plain values, as it stood at a revision. Raises CriteriaError."""
    if revision == 0:
        return criteria.set_document(edition, set_number)
    row = next((r for r in history(session, edition, set_number) if r.revision == revision), None)
    if row is None:
        raise CriteriaError(
            "Bộ %(set)s không có bản đính chính %(revision)s.", set=set_number, revision=revision
        )
    return dict(row.document)


def dossiers_by_revision(session: Session, edition: str, set_number: int) -> dict[int, int]:
    """Count the dossiers that were begun under each revision of a set, which stay under it."""
    query = (
        sa.select(Dossier.set_revision, sa.func.count())
        .where(Dossier.edition == edition, Dossier.set_number == set_number)
        .group_by(Dossier.set_revision)
    )
    return {revision: number for revision, number in session.execute(query)}


def differences(former: ProductSet, present: ProductSet) -> list[Change]:
    """List what a revision changed: names, maxima, and each option's points, label and star."""
    found: list[Change] = []
    for code in dict.fromkeys([*former.criteria, *present.criteria]):
        old, new = former.criteria.get(code), present.criteria.get(code)
        if old is None or new is None:
            found.append(Change(code, "criterion", None, old.name if old else "", new.name if new else ""))
            continue
        if old.name != new.name:
            found.append(Change(code, "name", None, old.name, new.name))
        if old.max != new.max:
            found.append(Change(code, "max", None, str(old.max), str(new.max)))
        found += _changed_options(old, new)
    if former.rules != present.rules:
        before, after = ("; ".join(r.text for r in one.rules) for one in (former, present))
        found.append(Change("", "rules", None, before, after))
    return found


def _changed_options(old: Criterion, new: Criterion) -> list[Change]:
    found = []
    for number in range(max(len(old.options), len(new.options))):
        was = old.options[number] if number < len(old.options) else None
        now = new.options[number] if number < len(new.options) else None
        if was is None or now is None:
            found.append(
                Change(old.code, "option", number, was.label if was else "", now.label if now else "")
            )
            continue
        pairs = (
            ("points", was.points, now.points),
            ("label", was.label, now.label),
            ("min_star", was.min_star or "", now.min_star or ""),
        )
        found += [Change(old.code, what, number, str(a), str(b)) for what, a, b in pairs if a != b]
    return found


def product_set(session: Session, edition: str, set_number: int, revision: int = 0) -> ProductSet:
    """Return a set as it stood at a revision. Raises CriteriaError when there is none."""
    if revision == 0:
        return criteria.edition(edition).set(set_number)
    document = session.scalar(
        sa.select(CriteriaRevision.document).where(
            CriteriaRevision.edition == edition,
            CriteriaRevision.set_number == set_number,
            CriteriaRevision.revision == revision,
        )
    )
    if document is None:
        raise CriteriaError(
            "Bộ %(set)s không có bản đính chính %(revision)s.", set=set_number, revision=revision
        )
    return criteria.read_set(document)
