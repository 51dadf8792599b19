"""Find at once what waits too long or beyond the cap for a dead receiver, and what people were told before."""

from __future__ import annotations

from syncd.db.new_indexes import add_indexes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_indexes(
        ("ix_delivery_waiting_created", "delivery", ["route", "created_at"], "state = 'waiting'"),
        ("ix_delivery_waiting_plain", "delivery", ["route", "id"], "state = 'waiting' AND subject IS NULL"),
        ("ix_alert_told", "alert", ["key", "told_at"], "told_at IS NOT NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
