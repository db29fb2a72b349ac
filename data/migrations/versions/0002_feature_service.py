"""Locks and stored queries of the feature service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wfs_locks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="CASCADE")),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "wfs_locked_rows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lock_id", sa.Integer(), sa.ForeignKey("wfs_locks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.UniqueConstraint("table_name", "row_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wfs_locked_rows_lock_id", "wfs_locked_rows", ["lock_id"])
    op.create_table(
        "stored_queries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("created_at", Moment(), nullable=False),
        sa.UniqueConstraint("identifier"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in ("stored_queries", "wfs_locked_rows", "wfs_locks"):
        op.drop_table(table)
