"""Dossiers: filled in, supported by evidence, and submitted as frozen versions.

Decision 26/2026/QĐ-TTg, articles 6 and 7. The file in the software has the legal value of the paper (article 7.1), so
a submitted version is never changed and is known by its hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import PUBLIC, Actor, visible
from data.base import now
from data.products import Product
from data.programme import criteria, participations, revisions, scoring
from data.programme.calendar import add_working_days, deadline
from data.programme.forms import forms
from data.programme.participations import SOURCE, check_version, touch
from data.programme.rights import row_acted_on
from data.programme.tables import (
    Dossier,
    DossierVersion,
    Evidence,
    Participation,
    ReturnedItem,
)
from data.traceability import scoringlinks
from data.traceability.lots import Lot
from gis.errors import Refusal, Sentence

KINDS = ("first", "upgrade", "re_evaluation")
OPEN_STATUSES = ("preparing", "returned_by_commune", "returned_by_province")


class DossierError(Refusal):
    """A dossier cannot be changed or handed on like this."""


class Incomplete(DossierError):
    """Things are missing; `items` names each of them."""

    def __init__(self, items: Sequence[Sentence]) -> None:
        super().__init__("Hồ sơ còn thiếu: %(items)s.", items=tuple(items))
        self.items = [str(item) for item in items]


# ---- filling in


def open_dossier(
    session: Session, actor: Actor, participation_id: int, kind: str, set_number: int, today: dt.date
) -> Dossier:
    """Begin the dossier of a product, under the edition in force. Raises NotYours, DossierError or CriteriaError."""
    participation = row_acted_on(session, actor, Participation, participation_id)
    if kind not in KINDS:
        raise DossierError("Không có loại hồ sơ “%(kind)s”.", kind=kind)
    if current_of(session, participation_id) is not None:
        raise DossierError("Sản phẩm đã có hồ sơ trong chu trình này.")
    edition = criteria.edition_at(today, kind=kind)
    if kind == "re_evaluation":
        _check_window(session, participation.product_id, today)
    edition.set(set_number)
    row = Dossier(
        participation_id=participation.id,
        product_id=participation.product_id,
        producer_id=participation.producer_id,
        commune_id=participation.commune_id,
        kind=kind,
        edition=edition.edition,
        set_number=set_number,
        set_revision=revisions.latest(session, edition.edition, set_number, today),
        forms=_first_values(participation),
        choices={},
        remarks={},
    )
    session.add(row)
    session.flush()
    audit.write(session, actor, SOURCE, "dossiers", row.id, "insert", after=audit.snapshot(row))
    return row


def current_of(session: Session, participation_id: int) -> Dossier | None:
    """Return the dossier of a participation."""
    query = sa.select(Dossier).where(Dossier.participation_id == participation_id)
    return session.scalars(query.order_by(Dossier.id.desc())).first()


def save(
    session: Session,
    actor: Actor,
    dossier_id: int,
    *,
    forms: Mapping[str, Any] | None = None,
    choices: Mapping[str, int | None] | None = None,
    remarks: Mapping[str, str] | None = None,
    version: int | None = None,
) -> Dossier:
    """Keep what was filled in; only what is given changes. Raises NotYours, Outdated, DossierError or BallotError."""
    row = _open(session, actor, dossier_id)
    check_version(row, version)
    before = audit.snapshot(row)
    if forms is not None:
        row.forms = {**row.forms, **_checked_forms(row.kind, forms)}
    if choices is not None:
        merged = {**row.choices, **choices}
        kept = {code: index for code, index in merged.items() if index is not None}
        scoring.mark(product_set(session, row), scoring.Ballot(kept))
        row.choices = kept
    if remarks is not None:
        row.remarks = {**row.remarks, **remarks}
    touch(session, actor, row, before)
    return row


def add_evidence(
    session: Session,
    actor: Actor,
    dossier_id: int,
    *,
    kind: str,
    title: str,
    criterion: str | None = None,
    file: tuple[str, str, bytes] | None = None,
    link: tuple[str, int] | None = None,
    issued_by: str | None = None,
    issued_on: dt.date | None = None,
    expires_on: dt.date | None = None,
) -> Evidence:
    """Add a paper or a link; `file` is (name, media type, content), whose bytes the caller keeps under the hash.

    `kind` is a row of the list of evidence. Raises NotYours or DossierError.
    """
    row = _open(session, actor, dossier_id)
    if kind not in {e.row for e in forms().evidence}:
        raise DossierError("Danh mục minh chứng không có mục “%(kind)s”.", kind=kind)
    if criterion and criterion not in product_set(session, row).criteria:
        raise DossierError("Bộ sản phẩm không có tiêu chí %(criterion)s.", criterion=criterion)
    if file is None and link is None:
        raise DossierError("Hãy kèm tệp hoặc chọn một bản ghi có sẵn làm minh chứng.")
    if issued_on and expires_on and expires_on < issued_on:
        raise DossierError("Ngày hết hạn phải sau ngày cấp.")
    evidence = Evidence(
        dossier_id=row.id,
        kind=kind,
        criterion=criterion,
        title=title.strip() or (file[0] if file else kind),
        issued_by=issued_by,
        issued_on=issued_on,
        expires_on=expires_on,
        account_id=actor.account_id,
    )
    if file is not None:
        name, media_type, content = file
        evidence.file_name, evidence.media_type = name, media_type
        evidence.sha256, evidence.size = hashlib.sha256(content).hexdigest(), len(content)
    if link is not None:
        evidence.table_name, evidence.row_id = link
    session.add(evidence)
    session.flush()
    audit.write(session, actor, SOURCE, "evidence", evidence.id, "insert", after=audit.snapshot(evidence))
    return evidence


def withdraw_evidence(session: Session, actor: Actor, evidence_id: int) -> Evidence:
    """Take a paper out of the next version; versions already submitted keep it. Raises NotYours or DossierError."""
    evidence = session.get(Evidence, evidence_id)
    if evidence is None or evidence.withdrawn_at is not None:
        raise DossierError("Không có minh chứng này trong hồ sơ.")
    _open(session, actor, evidence.dossier_id)
    evidence.withdrawn_at = now()
    session.flush()
    audit.write(session, actor, SOURCE, "evidence", evidence.id, "withdraw")
    return evidence


def linkable(session: Session, dossier: Dossier) -> list[tuple[str, int, str]]:
    """List what the record holds of the product that may serve as evidence: (table, id, name)."""
    product = dossier.product
    found = [("growing_areas", area.id, area.name) for area in product.growing_areas]
    query = sa.select(Lot).where(Lot.product_id == product.id, visible(PUBLIC, Lot)).order_by(Lot.id.desc())
    found += [("lots", lot.id, lot.lot_number) for lot in session.scalars(query)]
    story = [("products", product.id, product.name)] if scoringlinks.has_story(product) else []
    return found + story


def product_set(session: Session, dossier: Dossier) -> criteria.ProductSet:
    """Return the criteria that the dossier is judged by, as they were when it began."""
    return revisions.product_set(session, dossier.edition, dossier.set_number, dossier.set_revision)


def expected(session: Session, dossier: Dossier) -> scoring.Result | None:
    """What the producer's own scores come to, or None before the first."""
    if not dossier.choices:
        return None
    edition = criteria.edition(dossier.edition)
    return scoring.count(edition, product_set(session, dossier), [scoring.Ballot(dossier.choices)])


def missing(session: Session, dossier: Dossier, today: dt.date) -> list[Sentence]:
    """Name what a complete dossier of this kind still needs, in plain words."""
    items = [
        Sentence("%(title)s", {"title": f.title})
        for f in forms().fields(dossier.kind)
        if f.required and not dossier.forms.get(f.name)
    ]
    one = product_set(session, dossier)
    unanswered = scoring.mark(one, scoring.Ballot(dossier.choices)).missing
    if unanswered:
        items.append(Sentence("tự chấm các tiêu chí %(codes)s", {"codes": ", ".join(unanswered)}))
    present = [e for e in dossier.evidence if e.withdrawn_at is None]
    for row in forms().evidence:
        own = [e for e in present if e.kind == row.row]
        if row.required and not own:
            items.append(Sentence("%(title)s", {"title": row.title}))
        items += [
            Sentence("%(title)s (hết hạn %(day)s)", {"title": e.title, "day": f"{e.expires_on:%d/%m/%Y}"})
            for e in own
            if e.expires_on and e.expires_on < today
        ]
    items += [
        Sentence("trả lời: %(text)s", {"text": r.text})
        for r in dossier.returns
        if r.settled_at is None and not r.answer
    ]
    return items


# ---- handing in


def submit(
    session: Session, actor: Actor, dossier_id: int, today: dt.date, *, version: int | None = None
) -> DossierVersion:
    """Freeze a version with its hash and hand it to the commune, or back to the province.

    Raises NotYours, Outdated, Incomplete, DossierError, CriteriaError or TransitionRefused.
    """
    row = _open(session, actor, dossier_id)
    check_version(row, version)
    criteria.edition_at(today, kind=row.kind, submitted=row.submitted_on or today)
    lacking = missing(session, row, today)
    if lacking:
        raise Incomplete(lacking)
    document = contents_of(row)
    frozen = DossierVersion(
        dossier_id=row.id,
        number=len(row.versions) + 1,
        document=document,
        sha256=digest(document),
        account_id=actor.account_id,
        actor=actor.name,
    )
    session.add(frozen)
    before = audit.snapshot(row)
    row.submitted_on = row.submitted_on or today
    for returned in row.returns:
        returned.settled_at = returned.settled_at or now()
    to = "proposed" if row.participation.status == "returned_by_province" else "at_commune"
    participation = participations.move(session, actor, row.participation_id, to, by="system")
    if to == "at_commune":
        participation.due_on = add_working_days(today, deadline("commune_check", today).number)
    touch(session, actor, row, before, reason=f"nộp bản {frozen.number}: {frozen.sha256}")
    return frozen


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document in one canonical form: sorted keys, UTF-8, no spaces."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def contents_of(row: Dossier) -> dict[str, Any]:
    """Return all that a dossier holds at the moment, as it is frozen into a version."""
    return {
        "dossier": row.id,
        "product": row.product_id,
        "producer": row.producer_id,
        "kind": row.kind,
        "edition": row.edition,
        "set": row.set_number,
        "set_revision": row.set_revision,
        "forms": row.forms,
        "choices": row.choices,
        "remarks": row.remarks,
        "evidence": [
            {
                "id": e.id,
                "kind": e.kind,
                "criterion": e.criterion,
                "title": e.title,
                "file_name": e.file_name,
                "sha256": e.sha256,
                "link": [e.table_name, e.row_id] if e.table_name else None,
                "issued_on": e.issued_on.isoformat() if e.issued_on else None,
                "expires_on": e.expires_on.isoformat() if e.expires_on else None,
            }
            for e in row.evidence
            if e.withdrawn_at is None
        ],
    }


def answer_return(session: Session, actor: Actor, item_id: int, answer: str) -> ReturnedItem:
    """Say what was done about something that was sent back. Raises NotYours or DossierError."""
    item = session.get(ReturnedItem, item_id)
    if item is None or item.settled_at is not None:
        raise DossierError("Không có yêu cầu bổ sung này.")
    _open(session, actor, item.dossier_id)
    item.answer = answer.strip() or None
    session.flush()
    audit.write(session, actor, SOURCE, "returned_items", item.id, "update", after={"answer": item.answer})
    return item


# ---- details


def _open(session: Session, actor: Actor, dossier_id: int) -> Dossier:
    row = row_acted_on(session, actor, Dossier, dossier_id)
    if row.participation.status not in OPEN_STATUSES:
        raise DossierError("Hồ sơ đã nộp nên không sửa được; chỉ sửa khi được trả lại để bổ sung.")
    return row


def _first_values(participation: Participation) -> dict[str, Any]:
    """What the record knows already, so that nobody types it again."""
    producer, product = participation.producer, participation.product
    known: dict[str, Any] = {"product_name": product.name, "packaging": product.packaging}
    if producer is not None:
        known |= {
            "organisation": producer.name,
            "representative": producer.representative,
            "address": producer.address,
            "phone": producer.phone,
            "email": producer.email,
            "producer_kind": producer.kind,
            "registration_number": producer.registration_number,
            "workers": producer.workers,
        }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _checked_forms(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {f.name: f for f in forms().fields(kind)}
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            raise DossierError("Biểu mẫu không có mục “%(name)s”.", name=name)
        if field.type == "number" and value not in (None, "") and not isinstance(value, int | float):
            raise DossierError("“%(title)s” phải là số.", title=field.title["vi"])
    return dict(values)


def _check_window(session: Session, product_id: int, today: dt.date) -> None:
    product = session.get_one(Product, product_id)
    if product.expires_on is None:
        raise DossierError("Sản phẩm chưa có giấy chứng nhận để đánh giá lại.")
    earliest = product.expires_on - dt.timedelta(days=deadline("re_evaluation_earliest", today).number)
    if today < earliest:
        raise DossierError("Hồ sơ đánh giá lại nộp được từ ngày %(day)s.", day=earliest.strftime("%d/%m/%Y"))


def is_late_for_re_evaluation(expires_on: dt.date, today: dt.date) -> bool:
    """Tell whether a re-evaluation comes later than the law asks (article 7.6)."""
    return today > expires_on - dt.timedelta(days=deadline("re_evaluation_latest", today).number)
