"""Note what cells have not heeded, which SKUs a warehouse no longer names, and since when an account is live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cell", sa.Column("unheeded", sa.Integer(), server_default="0", nullable=False))
    op.add_column("cell", sa.Column("unheeded_at", sa.BigInteger(), nullable=True))
    op.add_column("warehouse_item", sa.Column("unnamed_since_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_warehouse_item_unnamed",
        "warehouse_item",
        ["warehouse_id"],
        sqlite_where=sa.text("unnamed_since_at IS NOT NULL"),
        postgresql_where=sa.text("unnamed_since_at IS NOT NULL"),
    )
    op.create_index("ix_listing_code", "listing", ["account_id", "code"])
    op.add_column("account", sa.Column("live_since_at", sa.BigInteger(), nullable=True))
    # The state of a paused account changed last when it was paused: it is live since it goes on.
    op.execute("UPDATE account SET live_since_at = state_changed_at WHERE state = 'live'")


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
