"""Say which levels are low in a column of their own, and which events lose their bodies when they are settled.

The index of 0008 stood over quantities, so that every reservation wrote all of a level's indexes on PostgreSQL. The
indexes of what comes here are made by 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LOW = "CASE WHEN reserved > 0 AND on_hand - unavailable <= reserved + reserved THEN 1 ELSE 0 END"


def upgrade() -> None:
    op.drop_index("ix_level_low", "level")
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("ALTER TABLE level SET (fillfactor = 85)")  # before the column, which writes the whole table anew
    op.add_column("level", sa.Column("low", sa.Integer(), sa.Computed(_LOW, persisted=postgresql or None)))
    op.add_column("inbox", sa.Column("erase_asked_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
