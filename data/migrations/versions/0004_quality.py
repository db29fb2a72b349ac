"""Accepted faults of geometry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality_exceptions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_ids", Document(), nullable=False),
        sa.Column("lon", sa.Double()),
        sa.Column("lat", sa.Double()),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("actor", sa.Text()),
        sa.Column("created_at", Moment(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quality_exceptions_table_name_kind", "quality_exceptions", ["table_name", "kind"])


def downgrade() -> None:
    op.drop_table("quality_exceptions")
