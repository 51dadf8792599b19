"""Find at once what the status page shows: stock at risk, oversells, the last order and push, a SKU by a prefix."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LOW = "reserved > 0 AND on_hand - unavailable <= reserved + reserved"


def upgrade() -> None:
    for name, table, columns, where in (
        ("ix_level_low", "level", ["sku_id"], _LOW),
        ("ix_alert_open_kind", "alert", ["kind", "opened_at"], "closed_at IS NULL"),
        ("ix_cell_unheeded", "cell", ["listing_id"], "unheeded > 0"),
        ("ix_shortage_oversold", "shortage", ["opened_at"], "reason = 'oversold'"),
    ):
        wanted = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=wanted, postgresql_where=wanted)
    op.create_index("ix_push_batch_account_id_settled_at", "push_batch", ["account_id", "settled_at"])
    op.create_index("ix_sales_order_account_id_id", "sales_order", ["account_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("sku_alias", "normalised_code", type_=sa.Text(collation="C"))


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")
