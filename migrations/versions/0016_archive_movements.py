"""Know which movements were moved into files, and what they sum up to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "archive",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive")),
    )
    op.create_table(
        "archive_file",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("movements", sa.Integer(), server_default="0", nullable=False),
        sa.Column("from_sku_id", number, nullable=False),
        sa.Column("from_warehouse_id", number, nullable=False),
        sa.Column("from_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("to_sku_id", number, nullable=False),
        sa.Column("to_warehouse_id", number, nullable=False),
        sa.Column("to_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_archive_file")),
    )
    op.create_table(
        "archived_level",
        sa.Column("sku_id", number, autoincrement=False, nullable=False),
        sa.Column("warehouse_id", number, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unavailable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_archived_level_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_archived_level_warehouse_id")),
        sa.PrimaryKeyConstraint("sku_id", "warehouse_id", name=op.f("pk_archived_level")),
    )


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
