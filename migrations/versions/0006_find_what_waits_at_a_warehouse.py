"""Find at once what is reserved in a warehouse and was not handed over to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    held = sa.text("stage = 'held' AND quantity > 0")
    op.create_index("ix_reservation_held", "reservation", ["warehouse_id"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
