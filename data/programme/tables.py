"""The tables of the programme: cycle, rounds, dossiers, councils, ballots, certificates, inspections."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.accounts import Account
from data.admin_units import Commune
from data.base import Base, Tracked, now
from data.producers import Producer
from data.products import Product

# ---- the yearly cycle


class Round(Tracked, Base):
    """A round of evaluation: when dossiers are received, and by when it must be decided."""

    name: Mapped[str]
    level: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    edition: Mapped[str]
    opens_on: Mapped[dt.date | None]
    receive_before: Mapped[dt.date]
    decide_before: Mapped[dt.date]
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    rules: Mapped[dict[str, Any]]

    __table_args__ = (sa.UniqueConstraint("level", "year", "number"), {"sqlite_autoincrement": True})


class Participation(Tracked, Base):
    """A product on its way through the cycle of a year, and how far it has come."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    round_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rounds.id"), index=True)
    year: Mapped[int] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(index=True)
    since: Mapped[dt.datetime] = mapped_column(default=now)
    due_on: Mapped[dt.date | None]
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    idea: Mapped[str | None]
    note: Mapped[str | None]
    product: Mapped[Product] = relationship()
    producer: Mapped[Producer | None] = relationship()
    commune: Mapped[Commune | None] = relationship()
    owner: Mapped[Account | None] = relationship()
    round: Mapped[Round | None] = relationship()
    steps: Mapped[list[CycleStep]] = relationship(
        back_populates="participation", order_by="CycleStep.step", cascade="all, delete-orphan"
    )
    changes: Mapped[list[StatusChange]] = relationship(
        back_populates="participation", order_by="StatusChange.id", cascade="all, delete-orphan"
    )

    __table_args__ = (sa.UniqueConstraint("product_id", "year"), {"sqlite_autoincrement": True})


class CycleStep(Base):
    """One of the six steps of the cycle for a product: planned and actual dates, who sees to it, papers."""

    participation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("participations.id", ondelete="CASCADE"), index=True
    )
    step: Mapped[int]
    planned_from: Mapped[dt.date | None]
    planned_to: Mapped[dt.date | None]
    actual_from: Mapped[dt.date | None]
    actual_to: Mapped[dt.date | None]
    responsible: Mapped[str | None]
    note: Mapped[str | None]
    documents: Mapped[list[Any] | None]
    participation: Mapped[Participation] = relationship(back_populates="steps")

    __table_args__ = (sa.UniqueConstraint("participation_id", "step"), {"sqlite_autoincrement": True})


class StatusChange(Base):
    """The trail of a product through the cycle: who moved it from where to where, when and why."""

    participation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("participations.id", ondelete="CASCADE"), index=True
    )
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(default=now)
    actor: Mapped[str | None]
    account_id: Mapped[int | None]
    reason: Mapped[str | None]
    participation: Mapped[Participation] = relationship(back_populates="changes")


# ---- criteria


class CriteriaRevision(Base):
    """A corrected revision of one product set of an edition; assessments already made keep theirs."""

    edition: Mapped[str]
    set_number: Mapped[int]
    revision: Mapped[int]
    document: Mapped[dict[str, Any]]
    reason: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    valid_from: Mapped[dt.date]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    __table_args__ = (
        sa.UniqueConstraint("edition", "set_number", "revision"),
        {"sqlite_autoincrement": True},
    )


# ---- dossiers


class Dossier(Tracked, Base):
    """What a producer hands in for a product: forms, own scores and evidence, under one frozen edition."""

    participation_id: Mapped[int] = mapped_column(sa.ForeignKey("participations.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    kind: Mapped[str]
    edition: Mapped[str]
    set_number: Mapped[int]
    set_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    forms: Mapped[dict[str, Any]]
    choices: Mapped[dict[str, Any]]
    remarks: Mapped[dict[str, Any]]
    submitted_on: Mapped[dt.date | None]
    participation: Mapped[Participation] = relationship()
    product: Mapped[Product] = relationship()
    producer: Mapped[Producer | None] = relationship()
    evidence: Mapped[list[Evidence]] = relationship(back_populates="dossier", order_by="Evidence.id")
    versions: Mapped[list[DossierVersion]] = relationship(
        back_populates="dossier", order_by="DossierVersion.number"
    )
    returns: Mapped[list[ReturnedItem]] = relationship(back_populates="dossier", order_by="ReturnedItem.id")
    receipts: Mapped[list[Receipt]] = relationship(back_populates="dossier", order_by="Receipt.id")
    checks: Mapped[list[CommuneCheck]] = relationship(back_populates="dossier", order_by="CommuneCheck.id")


class Evidence(Base):
    """A paper, a photo or a link to something in the record that supports a criterion or a row of the list."""

    __tablename__ = "evidence"

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    criterion: Mapped[str | None]
    kind: Mapped[str]
    title: Mapped[str]
    file_name: Mapped[str | None]
    media_type: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(index=True)
    size: Mapped[int | None]
    table_name: Mapped[str | None]
    row_id: Mapped[int | None]
    issued_by: Mapped[str | None]
    issued_on: Mapped[dt.date | None]
    expires_on: Mapped[dt.date | None]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[dt.datetime | None]
    dossier: Mapped[Dossier] = relationship(back_populates="evidence")


class DossierVersion(Base):
    """A dossier as it was submitted; never changed, and known by its hash."""

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    submitted_at: Mapped[dt.datetime] = mapped_column(default=now)
    dossier: Mapped[Dossier] = relationship(back_populates="versions")

    __table_args__ = (sa.UniqueConstraint("dossier_id", "number"), {"sqlite_autoincrement": True})


class ReturnedItem(Base):
    """One thing that was sent back to be completed or mended."""

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    level: Mapped[str]
    criterion: Mapped[str | None]
    text: Mapped[str]
    actor: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    settled_at: Mapped[dt.datetime | None]
    answer: Mapped[str | None]
    dossier: Mapped[Dossier] = relationship(back_populates="returns")


class NumberSeries(Base):
    """The last number that was given in a series; numbers are never given twice."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(unique=True)
    last: Mapped[int] = mapped_column(default=0, server_default="0")


class Receipt(Base):
    """That a level received a dossier, under a number of the law's pattern."""

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    level: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    received_on: Mapped[dt.date]
    due_on: Mapped[dt.date | None]
    samples: Mapped[int | None]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    dossier: Mapped[Dossier] = relationship(back_populates="receipts")


class CommuneCheck(Tracked, Base):
    """The commune's report on the four contents (form 03)."""

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    contents: Mapped[dict[str, Any]]
    proposal: Mapped[str | None]
    letter_number: Mapped[str | None]
    checked_on: Mapped[dt.date | None]
    finished_at: Mapped[dt.datetime | None]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    actor: Mapped[str | None]
    dossier: Mapped[Dossier] = relationship(back_populates="checks")


class AdvisoryReport(Tracked, Base):
    """What somebody of the advisory group found on a dossier: survey, remarks, advised options, tests asked for."""

    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("council_members.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("accounts.id", ondelete="SET NULL"), index=True
    )
    surveyed_on: Mapped[dt.date | None]
    survey: Mapped[str | None]
    remarks: Mapped[dict[str, Any]]
    choices: Mapped[dict[str, Any]]
    tests: Mapped[list[Any]]
    conclusion: Mapped[str | None]
    finished_at: Mapped[dt.datetime | None]
    dossier: Mapped[Dossier] = relationship()
    member: Mapped[CouncilMember] = relationship()

    __table_args__ = (sa.UniqueConstraint("dossier_id", "member_id"), {"sqlite_autoincrement": True})


# ---- councils


class Council(Tracked, Base):
    """A council or advisory group, set up by a decision under composition rules."""

    name: Mapped[str]
    level: Mapped[str]
    kind: Mapped[str] = mapped_column(default="council", server_default="council")
    composition: Mapped[str]
    round_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rounds.id"), index=True)
    decision_number: Mapped[str | None]
    decision_date: Mapped[dt.date | None]
    dissolved_on: Mapped[dt.date | None]
    rules: Mapped[dict[str, Any]]
    members: Mapped[list[CouncilMember]] = relationship(
        back_populates="council", order_by="CouncilMember.position, CouncilMember.id"
    )


class CouncilMember(Base):
    """Somebody who sits on a council, with role and agency."""

    council_id: Mapped[int] = mapped_column(sa.ForeignKey("councils.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("accounts.id", ondelete="SET NULL"), index=True
    )
    name: Mapped[str]
    title: Mapped[str | None]
    agency: Mapped[str]
    role: Mapped[str]
    votes: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    left_on: Mapped[dt.date | None]
    council: Mapped[Council] = relationship(back_populates="members")
    account: Mapped[Account | None] = relationship()


class CouncilSession(Tracked, Base):
    """A meeting of a council, or the gathering of its written opinions."""

    council_id: Mapped[int] = mapped_column(sa.ForeignKey("councils.id"), index=True)
    mode: Mapped[str] = mapped_column(default="meeting", server_default="meeting")
    starts_at: Mapped[dt.datetime]
    place: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    present: Mapped[list[Any]]
    minutes: Mapped[dict[str, Any] | None]
    closed_at: Mapped[dt.datetime | None]
    council: Mapped[Council] = relationship()
    items: Mapped[list[AgendaItem]] = relationship(
        back_populates="session", order_by="AgendaItem.position, AgendaItem.id"
    )


class AgendaItem(Tracked, Base):
    """One product on the agenda of a session, and what came of it."""

    session_id: Mapped[int] = mapped_column(sa.ForeignKey("council_sessions.id"), index=True)
    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    version_number: Mapped[int]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    turn: Mapped[int] = mapped_column(default=1, server_default="1")
    discussion: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]
    session: Mapped[CouncilSession] = relationship(back_populates="items")
    dossier: Mapped[Dossier] = relationship()
    ballots: Mapped[list[BallotPaper]] = relationship(
        back_populates="item", order_by="BallotPaper.turn, BallotPaper.id"
    )

    __table_args__ = (sa.UniqueConstraint("session_id", "dossier_id"), {"sqlite_autoincrement": True})


class ConflictOfInterest(Base):
    """That a member is related to a product and does not judge it."""

    __tablename__ = "conflicts_of_interest"

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("council_members.id"), index=True)
    dossier_id: Mapped[int] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    reason: Mapped[str]
    declared_by: Mapped[str | None]
    declared_at: Mapped[dt.datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[dt.datetime | None]

    __table_args__ = (sa.UniqueConstraint("member_id", "dossier_id"), {"sqlite_autoincrement": True})


class BallotPaper(Tracked, Base):
    """One member's ballot for one product in one turn; locked once it is submitted."""

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("agenda_items.id"), index=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("council_members.id"), index=True)
    turn: Mapped[int] = mapped_column(default=1, server_default="1")
    state: Mapped[str] = mapped_column(default="draft", server_default="draft")
    choices: Mapped[dict[str, Any]]
    notes: Mapped[dict[str, Any]]
    rejected: Mapped[list[Any]]
    stopped: Mapped[list[Any]]
    opinion: Mapped[str | None]
    total: Mapped[int | None]
    sha256: Mapped[str | None]
    submitted_at: Mapped[dt.datetime | None]
    reopened_reason: Mapped[str | None]
    item: Mapped[AgendaItem] = relationship(back_populates="ballots")
    member: Mapped[CouncilMember] = relationship()

    __table_args__ = (sa.UniqueConstraint("item_id", "member_id", "turn"), {"sqlite_autoincrement": True})


# ---- decisions and certificates


class Certificate(Tracked, Base):
    """A star that was recognised by a decision, for 36 months."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    dossier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dossiers.id"), index=True)
    stars: Mapped[int]
    points: Mapped[float | None]
    edition: Mapped[str | None]
    number: Mapped[str | None] = mapped_column(index=True)
    decision_number: Mapped[str]
    decision_date: Mapped[dt.date]
    issued_by: Mapped[str]
    issued_on: Mapped[dt.date]
    expires_on: Mapped[dt.date]
    extended_to: Mapped[dt.date | None]
    extension_reason: Mapped[str | None]
    replaced_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificates.id"))
    stopped_on: Mapped[dt.date | None]
    revoked_on: Mapped[dt.date | None]
    revocation_reason: Mapped[str | None]
    revocation_note: Mapped[str | None]
    revocation_decision: Mapped[str | None]
    concluded_on: Mapped[dt.date | None]
    product: Mapped[Product] = relationship()


class Reminder(Base):
    """That somebody was told of a date that comes near, and whether they answered."""

    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    days_before: Mapped[int]
    sent_at: Mapped[dt.datetime] = mapped_column(default=now)
    answered_at: Mapped[dt.datetime | None]
    answer: Mapped[str | None]

    __table_args__ = (sa.UniqueConstraint("certificate_id", "days_before"), {"sqlite_autoincrement": True})


# ---- inspection


class Inspection(Tracked, Base):
    """A visit to a producer: why, when, by whom, what was looked at and what was found."""

    producer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("producers.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    kind: Mapped[str]
    year: Mapped[int]
    risk: Mapped[float | None]
    reasons: Mapped[list[Any]]
    planned_on: Mapped[dt.date | None]
    visited_on: Mapped[dt.date | None]
    inspector_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id", ondelete="SET NULL"))
    team: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    checklist: Mapped[dict[str, Any]]
    samples: Mapped[list[Any]]
    conclusion: Mapped[str | None]
    minutes_number: Mapped[str | None]
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    product: Mapped[Product | None] = relationship()
    producer: Mapped[Producer | None] = relationship()
    findings: Mapped[list[Finding]] = relationship(back_populates="inspection", order_by="Finding.id")


class Finding(Tracked, Base):
    """Something that was not in order, what must be done about it by when, and whether it was."""

    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspections.id"), index=True)
    severity: Mapped[str]
    criterion: Mapped[str | None]
    text: Mapped[str]
    action: Mapped[str | None]
    due_on: Mapped[dt.date | None]
    done_on: Mapped[dt.date | None]
    verified_on: Mapped[dt.date | None]
    answer: Mapped[str | None]
    inspection: Mapped[Inspection] = relationship(back_populates="findings")


class ProductStandard(Tracked, Base):
    """The standard that a product is made by, built and upgraded over time."""

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    code: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    version_label: Mapped[str | None]
    issued_on: Mapped[dt.date | None]
    expires_on: Mapped[dt.date | None]
    sha256: Mapped[str | None]
    file_name: Mapped[str | None]
    replaced_on: Mapped[dt.date | None]
