"""Changes of administrative boundaries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "boundary_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="draft"),
        sa.Column("decree", sa.Text()),
        sa.Column("decree_date", sa.Date()),
        sa.Column("authority", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("effective_on", sa.Date()),
        sa.Column("edition_before", sa.Text(), nullable=False),
        sa.Column("edition_after", sa.Text()),
        sa.Column("units_before", Document(), nullable=False),
        sa.Column("units_after", Document(), nullable=False),
        sa.Column("successions", Document()),
        sa.Column("accounts", Document()),
        sa.Column("effects", Document()),
        sa.Column("facts", Document()),
        sa.Column("batch_id", sa.Integer(), sa.ForeignKey("batches.id", ondelete="SET NULL")),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.Column("failure", sa.Text()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("applied_at", Moment()),
        sa.Column("applied_by", sa.Text()),
        sa.Column("undone_at", Moment()),
        sa.Column("undone_by", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_boundary_changes_state", "boundary_changes", ["state"])


def downgrade() -> None:
    op.drop_table("boundary_changes")
