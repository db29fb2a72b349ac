"""The data desk: long work, batches of edits, uploads and their remembered choices, saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _account(ondelete: str = "SET NULL") -> sa.Column[int]:
    return sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete=ondelete))


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _account(),
        sa.Column("actor", Document(), nullable=False),
        sa.Column("parameters", Document(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("done", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("total", sa.Integer()),
        sa.Column("message", sa.Text()),
        sa.Column("kept", Document()),
        sa.Column("result", Document()),
        sa.Column("file", sa.Text()),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("started_at", Moment()),
        sa.Column("heartbeat_at", Moment()),
        sa.Column("finished_at", Moment()),
        sa.Column("expires_at", Moment()),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_index("ix_jobs_account_id", "jobs", ["account_id"])
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text()),
        _account(),
        sa.Column("actor", sa.Text()),
        sa.Column("file_name", sa.Text()),
        sa.Column("sha256", sa.Text()),
        sa.Column("facts", Document()),
        sa.Column("rows", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("undone_at", Moment()),
        sa.Column("undone_by", sa.Integer(), sa.ForeignKey("batches.id", ondelete="SET NULL")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batches_table_name", "batches", ["table_name"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        _account("CASCADE"),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text()),
        sa.Column("choices", Document(), nullable=False),
        sa.Column("batch_id", sa.Integer(), sa.ForeignKey("batches.id", ondelete="SET NULL")),
        sa.Column("created_at", Moment(), nullable=False),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_uploads_account_id", "uploads", ["account_id"])
    op.create_table(
        "import_profiles",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("choices", Document(), nullable=False),
        _account(),
        sa.Column("used_at", Moment(), nullable=False),
        sa.UniqueConstraint("table_name", "source_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("settings", Document(), nullable=False),
        _account(),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("hidden_at", Moment()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_views_account_id", "saved_views", ["account_id"])
    op.add_column("audit_rows", sa.Column("batch_id", sa.Integer()))
    op.create_index("ix_audit_rows_batch_id", "audit_rows", ["batch_id"])
    op.create_index("ix_audit_rows_table_name_at", "audit_rows", ["table_name", "at"])


def downgrade() -> None:
    op.drop_index("ix_audit_rows_table_name_at", "audit_rows")
    op.drop_index("ix_audit_rows_batch_id", "audit_rows")
    op.drop_column("audit_rows", "batch_id")
    for table in ("saved_views", "import_profiles", "uploads", "batches", "jobs"):
        op.drop_table(table)
