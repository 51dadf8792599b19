"""Remember what people enter of goods that came, went or broke; a kit that contains itself cannot be stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "stock_entry",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku_id", number, nullable=False),
        sa.Column("warehouse_id", number, nullable=False),
        sa.Column("to_warehouse_id", number, nullable=True),
        sa.Column("pieces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("damaged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('receipt', 'return', 'adjustment', 'damage', 'transfer')", name=op.f("ck_stock_entry_kind")
        ),
        sa.CheckConstraint("pieces <> 0", name=op.f("ck_stock_entry_pieces")),
        sa.CheckConstraint(
            "(kind = 'transfer') = (to_warehouse_id IS NOT NULL)", name=op.f("ck_stock_entry_to_warehouse")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_entry_sku_id")),
        sa.ForeignKeyConstraint(["to_warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_entry_to_warehouse_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_entry_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_stock_entry_key")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _refuse_loops_on_sqlite()
    else:
        _refuse_loops_on_postgresql()


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")


_BELOW = (
    "WITH RECURSIVE below(id) AS (SELECT NEW.component_sku_id"
    " UNION SELECT b.component_sku_id FROM bill_of_materials b JOIN below ON b.sku_id = below.id) SELECT id FROM below"
)


def _refuse_loops_on_sqlite() -> None:
    """A kit never contains itself, however deep."""
    for name, event in (("insert", "INSERT"), ("update", "UPDATE OF sku_id, component_sku_id")):
        op.execute(
            f"CREATE TRIGGER bill_of_materials_no_loop_{name} AFTER {event} ON bill_of_materials"
            f" WHEN NEW.sku_id IN ({_BELOW}) BEGIN SELECT RAISE(ABORT, 'a kit cannot contain itself'); END"
        )


def _refuse_loops_on_postgresql() -> None:
    """A kit never contains itself, however deep. Who changes kits waits for whoever does so already."""
    op.execute(
        f"""
        CREATE FUNCTION bill_of_materials_no_loop() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock('bill_of_materials'::regclass::oid::bigint);
          IF NEW.sku_id IN ({_BELOW}) THEN
            RAISE EXCEPTION 'a kit cannot contain itself' USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER bill_of_materials_no_loop AFTER INSERT OR UPDATE OF sku_id, component_sku_id"
        " ON bill_of_materials FOR EACH ROW EXECUTE FUNCTION bill_of_materials_no_loop()"
    )
