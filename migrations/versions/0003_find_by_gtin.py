"""Find SKUs and listings by GTIN."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sku_gtin", "sku", ["gtin"])
    op.create_index("ix_listing_gtin", "listing", ["account_id", "gtin"])


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
