"""Find at once what is low and what is to be erased, with indexes that PostgreSQL makes while orders come in."""

from __future__ import annotations

from syncd.db.new_indexes import add_indexes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_indexes(
        ("ix_level_low", "level", ["sku_id"], "low = 1"),
        ("ix_inbox_erase_asked", "inbox", ["id"], "erase_asked_at IS NOT NULL"),
        ("ix_recipient_kept", "recipient", ["order_id"], "erased_at IS NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
