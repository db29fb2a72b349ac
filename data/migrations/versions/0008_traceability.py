"""Traceability: events, things, edges, chains, recalls, scans and reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "chain_heads",
    "evidence_heads",
    "named_queries",
    "trace_events",
    "problem_reports",
    "scan_alarms",
    "subscriptions",
    "trace_event_facts",
    "trace_items",
    "lot_links",
    "recall_acts",
    "recall_drills",
    "scans",
    "trace_edges",
    "trace_event_items",
    "recall_notices",
)


def upgrade() -> None:
    op.create_table(
        "chain_heads",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("hash", sa.Text(), nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "evidence_heads",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.UniqueConstraint("day"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "named_queries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parameters", Document(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("removed_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "trace_events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("is_declaration", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("action", sa.Text()),
        sa.Column("event_time", Moment(), nullable=False),
        sa.Column("event_offset", sa.Text(), nullable=False),
        sa.Column("record_time", Moment(), nullable=False),
        sa.Column("biz_step", sa.Text()),
        sa.Column("disposition", sa.Text()),
        sa.Column("read_point", sa.Text()),
        sa.Column("biz_location", sa.Text()),
        sa.Column("transformation_id", sa.Text()),
        sa.Column("parent_uri", sa.Text()),
        sa.Column("document", Document(), nullable=False),
        sa.Column("context", Document()),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("captured_by", sa.Text(), nullable=False),
        sa.Column("declared_wrong_at", Moment()),
        sa.Column("wrong_reason", sa.Text()),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.UniqueConstraint("event_id", "is_declaration"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trace_events_biz_location", "trace_events", ["biz_location"])
    op.create_index("ix_trace_events_biz_step", "trace_events", ["biz_step"])
    op.create_index("ix_trace_events_commune_id", "trace_events", ["commune_id"])
    op.create_index("ix_trace_events_disposition", "trace_events", ["disposition"])
    op.create_index("ix_trace_events_event_time", "trace_events", ["event_time"])
    op.create_index("ix_trace_events_hash", "trace_events", ["hash"])
    op.create_index("ix_trace_events_producer_id", "trace_events", ["producer_id"])
    op.create_index("ix_trace_events_read_point", "trace_events", ["read_point"])
    op.create_index("ix_trace_events_record_time", "trace_events", ["record_time"])
    op.create_index("ix_trace_events_transformation_id", "trace_events", ["transformation_id"])
    op.create_table(
        "problem_reports",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text()),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id")),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text()),
        sa.Column("media", Document()),
        sa.Column("state", sa.Text(), nullable=False, server_default="new"),
        sa.Column("answer", sa.Text()),
        sa.Column("handled_by", sa.Text()),
        sa.Column("handled_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_problem_reports_commune_id", "problem_reports", ["commune_id"])
    op.create_index("ix_problem_reports_lot_id", "problem_reports", ["lot_id"])
    op.create_index("ix_problem_reports_producer_id", "problem_reports", ["producer_id"])
    op.create_index("ix_problem_reports_product_id", "problem_reports", ["product_id"])
    op.create_table(
        "scan_alarms",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("facts", Document(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="new"),
        sa.Column("handled_by", sa.Text()),
        sa.Column("remark", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_scan_alarms_commune_id", "scan_alarms", ["commune_id"])
    op.create_index("ix_scan_alarms_lot_id", "scan_alarms", ["lot_id"])
    op.create_index("ix_scan_alarms_producer_id", "scan_alarms", ["producer_id"])
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("query_id", sa.Integer(), sa.ForeignKey("named_queries.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("schedule", Document()),
        sa.Column("report_if_empty", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("last_event_id", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_sent_at", Moment()),
        sa.Column("due_at", Moment()),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text()),
        sa.Column("ended_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriptions_query_id", "subscriptions", ["query_id"])
    op.create_table(
        "trace_event_facts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("trace_events.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("number", sa.Double()),
        sa.Column("time", Moment()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trace_event_facts_event_id", "trace_event_facts", ["event_id"])
    op.create_index("ix_trace_event_facts_name_text", "trace_event_facts", ["name", "text"])
    op.create_table(
        "trace_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id")),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("products.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("state", sa.Text(), nullable=False, server_default="free"),
        sa.UniqueConstraint("uri"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trace_items_lot_id", "trace_items", ["lot_id"])
    op.create_index("ix_trace_items_producer_id", "trace_items", ["producer_id"])
    op.create_index("ix_trace_items_product_id", "trace_items", ["product_id"])
    op.create_table(
        "lot_links",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("trace_events.id"), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.UniqueConstraint("item_id", "position"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lot_links_event_id", "lot_links", ["event_id"])
    op.create_table(
        "recall_acts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id")),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("notice", sa.Text()),
        sa.Column("handling", sa.Text()),
        sa.Column("is_mandatory", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment()),
        sa.Column("closing_report", sa.Text()),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("trace_events.id")),
        sa.Column("part_of_id", sa.Integer(), sa.ForeignKey("recall_acts.id")),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recall_acts_commune_id", "recall_acts", ["commune_id"])
    op.create_index("ix_recall_acts_item_id", "recall_acts", ["item_id"])
    op.create_index("ix_recall_acts_lot_id", "recall_acts", ["lot_id"])
    op.create_index("ix_recall_acts_part_of_id", "recall_acts", ["part_of_id"])
    op.create_index("ix_recall_acts_producer_id", "recall_acts", ["producer_id"])
    op.create_table(
        "recall_drills",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("producer_id", sa.Integer(), sa.ForeignKey("producers.id")),
        sa.Column("commune_id", sa.Integer(), sa.ForeignKey("communes.id")),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment()),
        sa.Column("expected", Document()),
        sa.Column("answer", Document()),
        sa.Column("score", sa.Double()),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("answered_by", sa.Text()),
        sa.Column("remark", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recall_drills_commune_id", "recall_drills", ["commune_id"])
    op.create_index("ix_recall_drills_item_id", "recall_drills", ["item_id"])
    op.create_index("ix_recall_drills_producer_id", "recall_drills", ["producer_id"])
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("trace_items.id")),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lots.id")),
        sa.Column("scanned_at", Moment(), nullable=False),
        sa.Column("lon", sa.Double()),
        sa.Column("lat", sa.Double()),
        sa.Column("lot_state", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_scans_item_id", "scans", ["item_id"])
    op.create_index("ix_scans_lot_id", "scans", ["lot_id"])
    op.create_index("ix_scans_scanned_at", "scans", ["scanned_at"])
    op.create_index("ix_scans_uri", "scans", ["uri"])
    op.create_table(
        "trace_edges",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("target_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("trace_events.id"), nullable=False),
        sa.Column("quantity_in", sa.Double()),
        sa.Column("uom_in", sa.Text()),
        sa.Column("quantity_out", sa.Double()),
        sa.Column("uom_out", sa.Text()),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trace_edges_event_id", "trace_edges", ["event_id"])
    op.create_index("ix_trace_edges_source_id", "trace_edges", ["source_id"])
    op.create_index("ix_trace_edges_target_id", "trace_edges", ["target_id"])
    op.create_table(
        "trace_event_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("trace_events.id"), nullable=False),
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("trace_items.id"), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Double()),
        sa.Column("uom", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trace_event_items_event_id", "trace_event_items", ["event_id"])
    op.create_index("ix_trace_event_items_item_id_role", "trace_event_items", ["item_id", "role"])
    op.create_table(
        "recall_notices",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("recall_id", sa.Integer(), sa.ForeignKey("recall_acts.id"), nullable=False),
        sa.Column("dispatch_id", sa.Integer(), sa.ForeignKey("trace_events.id"), nullable=False),
        sa.Column("informed_at", Moment()),
        sa.Column("informed_by", sa.Text()),
        sa.Column("returned", sa.Double()),
        sa.Column("uom", sa.Text()),
        sa.Column("remark", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("recall_id", "dispatch_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recall_notices_dispatch_id", "recall_notices", ["dispatch_id"])
    op.create_index("ix_recall_notices_recall_id", "recall_notices", ["recall_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
