"""Remember of a listing's number whether a write of ours made it, and when it must be looked at once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cell", sa.Column("anchor_written", sa.Integer(), server_default="0", nullable=False))
    op.add_column("cell", sa.Column("unknown_from_at", sa.BigInteger(), nullable=True))
    op.add_column("cell", sa.Column("verify_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
