"""Remember how far the audit has come and what it has found; find what is new in the ledger.

The tables and the column may be there already: on PostgreSQL the index is made outside of their transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncd.db.new_indexes import add_indexes

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_progress",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_progress")),
        if_not_exists=True,
    )
    sku_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_finding",
        sa.Column("sku_id", sku_id, autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("off_by", sa.Text(), server_default="{}", nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_off_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sku_id", "rule", "subject", name=op.f("pk_audit_finding")),
        if_not_exists=True,
    )
    op.create_index("ix_audit_finding_subject", "audit_finding", ["rule", "subject"], if_not_exists=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE movement ADD COLUMN IF NOT EXISTS txid BIGINT")
        op.execute("ALTER TABLE movement ALTER COLUMN txid SET DEFAULT pg_current_xact_id()::text::bigint")
    else:
        op.add_column("movement", sa.Column("txid", sa.BigInteger(), server_default=sa.text("NULL"), nullable=True))
    add_indexes(("ix_movement_txid", "movement", ["txid"], "txid IS NOT NULL"))


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
