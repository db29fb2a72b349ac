"""The programme: cycle, rounds, dossiers, councils, ballots, certificates and inspections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "number_series",
    "rounds",
    "councils",
    "council_sessions",
    "council_members",
    "criteria_revisions",
    "inspections",
    "participations",
    "product_standards",
    "cycle_steps",
    "dossiers",
    "findings",
    "status_changes",
    "agenda_items",
    "certificates",
    "commune_checks",
    "conflicts_of_interest",
    "dossier_versions",
    "evidence",
    "receipts",
    "returned_items",
    "ballot_papers",
    "reminders",
)


def upgrade() -> None:
    op.create_table(
        "number_series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False, server_default="0"),
        sa.UniqueConstraint("series"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("opens_on", sa.Date()),
        sa.Column("receive_before", sa.Date(), nullable=False),
        sa.Column("decide_before", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="open"),
        sa.Column("rules", Document(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("level", "year", "number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "councils",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, server_default="council"),
        sa.Column("composition", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id")),
        sa.Column("decision_number", sa.Text()),
        sa.Column("decision_date", sa.Date()),
        sa.Column("dissolved_on", sa.Date()),
        sa.Column("rules", Document(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_councils_round_id", "councils", ["round_id"])
    op.create_table(
        "council_sessions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("council_id", sa.Integer(), sa.ForeignKey("councils.id"), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False, server_default="meeting"),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False, server_default="planned"),
        sa.Column("present", Document(), nullable=False),
        sa.Column("minutes", Document()),
        sa.Column("closed_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_council_sessions_council_id", "council_sessions", ["council_id"])
    op.create_table(
        "council_members",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("council_id", sa.Integer(), sa.ForeignKey("councils.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("votes", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("left_on", sa.Date()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_council_members_account_id", "council_members", ["account_id"])
    op.create_index("ix_council_members_council_id", "council_members", ["council_id"])
    op.create_table(
        "criteria_revisions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("set_number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", Document(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.UniqueConstraint("edition", "set_number", "revision"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("risk", sa.Double()),
        sa.Column("reasons", Document(), nullable=False),
        sa.Column("planned_on", sa.Date()),
        sa.Column("visited_on", sa.Date()),
        sa.Column("inspector_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("team", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False, server_default="planned"),
        sa.Column("checklist", Document(), nullable=False),
        sa.Column("samples", Document(), nullable=False),
        sa.Column("conclusion", sa.Text()),
        sa.Column("minutes_number", sa.Text()),
        sa.Column("longitude", sa.Double()),
        sa.Column("latitude", sa.Double()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inspections_commune_id", "inspections", ["commune_id"])
    op.create_index("ix_inspections_producer_id", "inspections", ["producer_id"])
    op.create_index("ix_inspections_product_id", "inspections", ["product_id"])
    op.create_table(
        "participations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("round_id", sa.Integer(), sa.ForeignKey("rounds.id")),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("owner_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("idea", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("product_id", "year"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_participations_commune_id", "participations", ["commune_id"])
    op.create_index("ix_participations_producer_id", "participations", ["producer_id"])
    op.create_index("ix_participations_product_id", "participations", ["product_id"])
    op.create_index("ix_participations_round_id", "participations", ["round_id"])
    op.create_index("ix_participations_status", "participations", ["status"])
    op.create_index("ix_participations_year", "participations", ["year"])
    op.create_table(
        "product_standards",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version_label", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("sha256", sa.Text()),
        sa.Column("file_name", sa.Text()),
        sa.Column("replaced_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_product_standards_product_id", "product_standards", ["product_id"])
    op.create_table(
        "cycle_steps",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "participation_id",
            sa.Integer(),
            sa.ForeignKey("participations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("planned_from", sa.Date()),
        sa.Column("planned_to", sa.Date()),
        sa.Column("actual_from", sa.Date()),
        sa.Column("actual_to", sa.Date()),
        sa.Column("responsible", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("documents", Document()),
        sa.UniqueConstraint("participation_id", "step"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cycle_steps_participation_id", "cycle_steps", ["participation_id"])
    op.create_table(
        "dossiers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("participation_id", sa.Integer(), sa.ForeignKey("participations.id"), nullable=False),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("set_number", sa.Integer(), nullable=False),
        sa.Column("set_revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("forms", Document(), nullable=False),
        sa.Column("choices", Document(), nullable=False),
        sa.Column("remarks", Document(), nullable=False),
        sa.Column("submitted_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dossiers_commune_id", "dossiers", ["commune_id"])
    op.create_index("ix_dossiers_participation_id", "dossiers", ["participation_id"])
    op.create_index("ix_dossiers_producer_id", "dossiers", ["producer_id"])
    op.create_index("ix_dossiers_product_id", "dossiers", ["product_id"])
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("inspection_id", sa.Integer(), sa.ForeignKey("inspections.id"), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("criterion", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("action", sa.Text()),
        sa.Column("due_on", sa.Date()),
        sa.Column("done_on", sa.Date()),
        sa.Column("verified_on", sa.Date()),
        sa.Column("answer", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_findings_inspection_id", "findings", ["inspection_id"])
    op.create_table(
        "status_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "participation_id",
            sa.Integer(),
            sa.ForeignKey("participations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("from_status", sa.Text()),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.Text()),
        sa.Column("account_id", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_status_changes_participation_id", "status_changes", ["participation_id"])
    op.create_table(
        "agenda_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("session_id", sa.Integer(), sa.ForeignKey("council_sessions.id"), nullable=False),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("turn", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("discussion", sa.Text()),
        sa.Column("result", Document()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("session_id", "dossier_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_agenda_items_dossier_id", "agenda_items", ["dossier_id"])
    op.create_index("ix_agenda_items_session_id", "agenda_items", ["session_id"])
    op.create_table(
        "certificates",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id")),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("points", sa.Double()),
        sa.Column("edition", sa.Text()),
        sa.Column("number", sa.Text()),
        sa.Column("decision_number", sa.Text(), nullable=False),
        sa.Column("decision_date", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("extended_to", sa.Date()),
        sa.Column("extension_reason", sa.Text()),
        sa.Column("replaced_by_id", sa.Integer(), sa.ForeignKey("certificates.id")),
        sa.Column("stopped_on", sa.Date()),
        sa.Column("revoked_on", sa.Date()),
        sa.Column("revocation_reason", sa.Text()),
        sa.Column("revocation_note", sa.Text()),
        sa.Column("revocation_decision", sa.Text()),
        sa.Column("concluded_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_certificates_dossier_id", "certificates", ["dossier_id"])
    op.create_index("ix_certificates_number", "certificates", ["number"])
    op.create_index("ix_certificates_product_id", "certificates", ["product_id"])
    op.create_table(
        "commune_checks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("contents", Document(), nullable=False),
        sa.Column("proposal", sa.Text()),
        sa.Column("letter_number", sa.Text()),
        sa.Column("checked_on", sa.Date()),
        sa.Column("finished_at", Moment()),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commune_checks_dossier_id", "commune_checks", ["dossier_id"])
    op.create_table(
        "conflicts_of_interest",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("council_members.id"), nullable=False),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text()),
        sa.Column("declared_at", Moment(), nullable=False),
        sa.Column("withdrawn_at", Moment()),
        sa.UniqueConstraint("member_id", "dossier_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conflicts_of_interest_dossier_id", "conflicts_of_interest", ["dossier_id"])
    op.create_index("ix_conflicts_of_interest_member_id", "conflicts_of_interest", ["member_id"])
    op.create_table(
        "dossier_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", Document(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.UniqueConstraint("dossier_id", "number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dossier_versions_dossier_id", "dossier_versions", ["dossier_id"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("criterion", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text()),
        sa.Column("media_type", sa.Text()),
        sa.Column("sha256", sa.Text()),
        sa.Column("size", sa.Integer()),
        sa.Column("table_name", sa.Text()),
        sa.Column("row_id", sa.Integer()),
        sa.Column("issued_by", sa.Text()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("withdrawn_at", Moment()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_dossier_id", "evidence", ["dossier_id"])
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("samples", sa.Integer()),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.UniqueConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipts_dossier_id", "receipts", ["dossier_id"])
    op.create_table(
        "returned_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("criterion", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment()),
        sa.Column("answer", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_returned_items_dossier_id", "returned_items", ["dossier_id"])
    op.create_table(
        "ballot_papers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("agenda_items.id"), nullable=False),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("council_members.id"), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("state", sa.Text(), nullable=False, server_default="draft"),
        sa.Column("choices", Document(), nullable=False),
        sa.Column("notes", Document(), nullable=False),
        sa.Column("rejected", Document(), nullable=False),
        sa.Column("stopped", Document(), nullable=False),
        sa.Column("opinion", sa.Text()),
        sa.Column("total", sa.Integer()),
        sa.Column("sha256", sa.Text()),
        sa.Column("submitted_at", Moment()),
        sa.Column("reopened_reason", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("item_id", "member_id", "turn"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ballot_papers_item_id", "ballot_papers", ["item_id"])
    op.create_index("ix_ballot_papers_member_id", "ballot_papers", ["member_id"])
    op.create_table(
        "reminders",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("certificate_id", sa.Integer(), sa.ForeignKey("certificates.id"), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=False),
        sa.Column("answered_at", Moment()),
        sa.Column("answer", sa.Text()),
        sa.UniqueConstraint("certificate_id", "days_before"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reminders_certificate_id", "reminders", ["certificate_id"])
    # Products that already carry a decision bring their certificate with them.
    op.execute(
        "INSERT INTO certificates (product_id, stars, number, decision_number, decision_date, issued_by, issued_on, "
        "expires_on, version, created_at) SELECT id, stars, certificate_number, decision_number, certified_on, "
        "coalesce(certified_by, ''), certified_on, expires_on, 1, updated_at FROM products "
        "WHERE stars >= 3 AND decision_number IS NOT NULL AND certified_on IS NOT NULL AND expires_on IS NOT NULL"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
