"""Remember of which SKUs more has become free, so that covering looks at these and not at everything that is short."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replenished",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_replenished_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", name=op.f("pk_replenished")),
    )
    op.execute(  # what came before may not have been looked at yet
        "INSERT INTO replenished (sku_id) SELECT DISTINCT sku_id FROM shortage"
        " WHERE closed_at IS NULL AND sku_id IS NOT NULL"
    )


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
