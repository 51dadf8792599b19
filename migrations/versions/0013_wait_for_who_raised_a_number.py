"""Remember by how much a listing showed more than anything explains, until the orders that may explain it are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    listing_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "surplus",
        sa.Column("listing_id", listing_id, autoincrement=False, nullable=False),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_surplus_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_surplus")),
    )


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
