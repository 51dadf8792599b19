"""Remember how numbers and holds came about: by a write of ours, by units that came back on sale."""

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
    op.add_column("hold", sa.Column("given_back", sa.Integer(), server_default="0", nullable=False))
    given = sa.text("given_back > 0")
    op.create_index("ix_hold_given_back", "hold", ["listing_id"], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
