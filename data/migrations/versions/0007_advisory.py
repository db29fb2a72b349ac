"""The advisory group: reports on dossiers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.columns import Document, Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "advisory_reports"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("dossier_id", sa.Integer(), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("council_members.id"), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id", ondelete="SET NULL")),
        sa.Column("surveyed_on", sa.Date()),
        sa.Column("survey", sa.Text()),
        sa.Column("remarks", Document(), nullable=False),
        sa.Column("choices", Document(), nullable=False),
        sa.Column("tests", Document(), nullable=False),
        sa.Column("conclusion", sa.Text()),
        sa.Column("finished_at", Moment()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment()),
        sa.Column("updated_at", Moment()),
        sa.Column("search", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.UniqueConstraint("dossier_id", "member_id"),
        sqlite_autoincrement=True,
    )
    for column in ("account_id", "dossier_id", "member_id"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


def downgrade() -> None:
    op.drop_table(TABLE)
