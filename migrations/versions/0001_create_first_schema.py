"""Create the first schema: parties, catalogue, the book, orders, publishing, operations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_account()
    _create_lease()
    _create_sku()
    _create_tally()
    _create_warehouse()
    _create_alert()
    _create_bill_of_materials()
    _create_cursor()
    _create_inbox()
    _create_lag_bucket()
    _create_level()
    _create_listing()
    _create_movement()
    _create_pool()
    _create_push_batch()
    _create_sales_order()
    _create_sku_alias()
    _create_cell()
    _create_decision()
    _create_dirty_listing()
    _create_hold()
    _create_listing_component()
    _create_order_line()
    _create_push_row()
    _create_recipient()
    _create_line_component()
    _create_reservation()
    _create_shortage()
    if op.get_bind().dialect.name == "sqlite":
        _guard_ledger_on_sqlite()
    else:
        _guard_ledger_on_postgresql()


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")


def _guard_ledger_on_sqlite() -> None:
    """The ledger is append-only: no update ever, no delete but of archived rows."""
    op.execute(
        "CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: movements are never updated'); END"
    )
    op.execute(
        "CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement"
        " WHEN OLD.seq > coalesce((SELECT archived_seq FROM level"
        " WHERE sku_id = OLD.sku_id AND warehouse_id = OLD.warehouse_id), 0)"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: only archived movements may be deleted'); END"
    )


def _guard_ledger_on_postgresql() -> None:
    """The ledger is append-only: no update ever, no delete but of archived rows."""
    op.execute(
        """
        CREATE FUNCTION movement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE' THEN
            RAISE EXCEPTION 'the ledger is append-only: movements are never updated';
          END IF;
          IF OLD.seq > coalesce((SELECT archived_seq FROM level
                                 WHERE sku_id = OLD.sku_id AND warehouse_id = OLD.warehouse_id), 0) THEN
            RAISE EXCEPTION 'the ledger is append-only: only archived movements may be deleted';
          END IF;
          RETURN OLD;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER movement_guard BEFORE UPDATE OR DELETE ON movement"
        " FOR EACH ROW EXECUTE FUNCTION movement_guard()"
    )


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="observing", nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("buffer", sa.Integer(), server_default="0", nullable=False),
        sa.Column("floor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("state_changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('observing', 'live', 'paused')", name=op.f("ck_account_state")),
        sa.CheckConstraint("buffer >= 0", name=op.f("ck_account_buffer")),
        sa.CheckConstraint("floor >= 0", name=op.f("ck_account_floor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("key", name=op.f("uq_account_key")),
    )


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _create_sku() -> None:
    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("safety_stock", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("safety_stock >= 0", name=op.f("ck_sku_safety_stock")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("code", name=op.f("uq_sku_code")),
    )


def _create_tally() -> None:
    op.create_table(
        "tally",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_tally")),
    )


def _create_warehouse() -> None:
    op.create_table(
        "warehouse",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('own', '3pl', 'fba')", name=op.f("ck_warehouse_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("key", name=op.f("uq_warehouse_key")),
    )


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("impact", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(
        "uq_alert_open",
        "alert",
        ["key"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _create_bill_of_materials() -> None:
    op.create_table(
        "bill_of_materials",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "component_sku_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_bill_of_materials_units")),
        sa.ForeignKeyConstraint(["component_sku_id"], ["sku.id"], name=op.f("fk_bill_of_materials_component_sku_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_bill_of_materials_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", "component_sku_id", name=op.f("pk_bill_of_materials")),
    )
    op.create_index(
        op.f("ix_bill_of_materials_component_sku_id"), "bill_of_materials", ["component_sku_id"], unique=False
    )


def _create_cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("polled_to", sa.BigInteger(), nullable=True),
        sa.Column("horizon_at", sa.BigInteger(), nullable=True),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_cursor_account_id")),
        sa.PrimaryKeyConstraint("account_id", "stream", name=op.f("pk_cursor")),
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('new', 'hinted', 'applied', 'ignored', 'parked')", name=op.f("ck_inbox_state")),
        sa.CheckConstraint("way IN ('webhook', 'poll', 'fetch', 'daemon')", name=op.f("ck_inbox_way")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_inbox_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("account_id", "event_key", name=op.f("uq_inbox_account_id_event_key")),
    )
    op.create_index(
        "ix_inbox_hinted",
        "inbox",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("state = 'hinted'"),
        postgresql_where=sa.text("state = 'hinted'"),
    )
    op.create_index(
        "ix_inbox_new",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "ix_inbox_parked",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'parked'"),
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_index(
        "ix_inbox_prunable",
        "inbox",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('applied', 'ignored')"),
        postgresql_where=sa.text("state IN ('applied', 'ignored')"),
    )
    op.create_index(
        "ix_inbox_settled",
        "inbox",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )


def _create_lag_bucket() -> None:
    op.create_table(
        "lag_bucket",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lag_bucket_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "bucket", name=op.f("pk_lag_bucket")),
    )


def _create_level() -> None:
    op.create_table(
        "level",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unavailable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("short", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("archived_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.CheckConstraint("reserved <= on_hand - unavailable + short", name=op.f("ck_level_covered")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_level_reserved")),
        sa.CheckConstraint("short >= 0", name=op.f("ck_level_short")),
        sa.CheckConstraint("unavailable >= 0", name=op.f("ck_level_unavailable")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_level_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_level_warehouse_id")),
        sa.PrimaryKeyConstraint("sku_id", "warehouse_id", name=op.f("pk_level")),
    )
    op.create_index(
        "ix_level_short",
        "level",
        ["sku_id"],
        unique=False,
        sqlite_where=sa.text("short > 0"),
        postgresql_where=sa.text("short > 0"),
    )


def _create_listing() -> None:
    op.create_table(
        "listing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_sku", sa.Text(), nullable=False),
        sa.Column("channel_location", sa.Text(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("budget_key", sa.Text(), nullable=False),
        sa.Column("back_orderable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unwritable", sa.Text(), nullable=True),
        sa.Column("buffer", sa.Integer(), nullable=True),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_listing_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint(
            "account_id",
            "channel_sku",
            "channel_location",
            name=op.f("uq_listing_account_id_channel_sku_channel_location"),
        ),
    )
    op.create_index("ix_listing_line_key", "listing", ["account_id", "line_key"], unique=False)


def _create_movement() -> None:
    op.create_table(
        "movement",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("d_on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("d_unavailable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("d_reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('receipt', 'reservation', 'release', 'shipment', 'adjustment', 'count', 'transfer_out', 'transfer_in', 'return', 'damage', 'snapshot')",
            name=op.f("ck_movement_kind"),
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_movement_seq")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_movement_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_movement_warehouse_id")),
        sa.PrimaryKeyConstraint("sku_id", "warehouse_id", "seq", name=op.f("pk_movement")),
        sa.UniqueConstraint("cause_key", name=op.f("uq_movement_cause_key")),
    )
    op.create_index(
        "ix_movement_goods_at",
        "movement",
        ["sku_id", "warehouse_id", "at"],
        unique=False,
        sqlite_where=sa.text("d_on_hand != 0 OR d_unavailable != 0"),
        postgresql_where=sa.text("d_on_hand != 0 OR d_unavailable != 0"),
    )


def _create_pool() -> None:
    op.create_table(
        "pool",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pool_account_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_pool_warehouse_id")),
        sa.PrimaryKeyConstraint("account_id", "warehouse_id", name=op.f("pk_pool")),
    )


def _create_push_batch() -> None:
    op.create_table(
        "push_batch",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="in_flight", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("settle_by", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('in_flight', 'settled', 'abandoned')", name=op.f("ck_push_batch_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_push_batch_account_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_push_batch")),
    )
    op.create_index(
        "ix_push_batch_in_flight",
        "push_batch",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("state = 'in_flight'"),
        postgresql_where=sa.text("state = 'in_flight'"),
    )
    op.create_index("ix_push_batch_settled", "push_batch", ["settled_at"], unique=False)


def _create_sales_order() -> None:
    op.create_table(
        "sales_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_order_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("test", sa.Integer(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("postcode_prefix", sa.Text(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("applications", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version_at", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("first_applied_at", sa.BigInteger(), nullable=False),
        sa.Column("last_shipped_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'fulfilled', 'cancelled')", name=op.f("ck_sales_order_state")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sales_order_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("account_id", "channel_order_id", name=op.f("uq_sales_order_account_id_channel_order_id")),
    )
    op.create_index("ix_sales_order_name", "sales_order", ["name"], unique=False)
    op.create_index("ix_sales_order_state", "sales_order", ["state", "id"], unique=False)


def _create_sku_alias() -> None:
    op.create_table(
        "sku_alias",
        sa.Column("normalised_code", sa.Text(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_alias_sku_id")),
        sa.PrimaryKeyConstraint("normalised_code", name=op.f("pk_sku_alias")),
    )
    op.create_index(op.f("ix_sku_alias_sku_id"), "sku_alias", ["sku_id"], unique=False)


def _create_cell() -> None:
    op.create_table(
        "cell",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("anchor_value", sa.Integer(), nullable=True),
        sa.Column("anchor_lo_at", sa.BigInteger(), nullable=True),
        sa.Column("anchor_hi_at", sa.BigInteger(), nullable=True),
        sa.Column("certified", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sold_hi", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sold_lo", sa.Integer(), server_default="0", nullable=False),
        sa.Column("must_read", sa.Integer(), server_default="1", nullable=False),
        sa.Column("not_before_read_at", sa.BigInteger(), nullable=True),
        sa.Column("in_flight_key", sa.Text(), nullable=True),
        sa.Column("in_flight_value", sa.Integer(), nullable=True),
        sa.Column("in_flight_sold_hi", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_flight_sold_lo", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unknown_value", sa.Integer(), nullable=True),
        sa.Column("expired_hold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_read_value", sa.Integer(), nullable=True),
        sa.Column("last_read_at", sa.BigInteger(), nullable=True),
        sa.Column("published", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_cell_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", "name", name=op.f("pk_cell")),
    )
    op.create_index(
        "ix_cell_in_flight",
        "cell",
        ["in_flight_key"],
        unique=False,
        sqlite_where=sa.text("in_flight_key IS NOT NULL"),
        postgresql_where=sa.text("in_flight_key IS NOT NULL"),
    )
    op.create_index("ix_cell_last_read", "cell", ["last_read_at"], unique=False)


def _create_decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_decision_listing_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_decision_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_listing_id"), "decision", ["listing_id"], unique=False)
    op.create_index(op.f("ix_decision_order_id"), "decision", ["order_id"], unique=False)
    op.create_index(
        "ix_decision_publication",
        "decision",
        ["decided_at"],
        unique=False,
        sqlite_where=sa.text("kind = 'publication'"),
        postgresql_where=sa.text("kind = 'publication'"),
    )


def _create_dirty_listing() -> None:
    op.create_table(
        "dirty_listing",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("urgency", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_dirty_listing_account_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_dirty_listing_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_dirty_listing")),
    )
    op.create_index("ix_dirty_listing_due", "dirty_listing", ["account_id", "urgency", "due_at"], unique=False)


def _create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cell", sa.Text(), server_default="available", nullable=False),
        sa.Column("quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_hold_quantity")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_hold_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_expiry",
        "hold",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_hold_open",
        "hold",
        ["listing_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _create_listing_component() -> None:
    op.create_table(
        "listing_component",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_listing_component_units")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_component_listing_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_listing_component_sku_id")),
        sa.PrimaryKeyConstraint("listing_id", "sku_id", name=op.f("pk_listing_component")),
    )
    op.create_index(op.f("ix_listing_component_sku_id"), "listing_component", ["sku_id"], unique=False)


def _create_order_line() -> None:
    op.create_table(
        "order_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_line_id", sa.Text(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fulfilled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_min", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_max", sa.Integer(), server_default="0", nullable=False),
        sa.Column("oversold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parked", sa.Text(), nullable=True),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_order_line_quantity")),
        sa.CheckConstraint("shipped >= 0", name=op.f("ck_order_line_shipped")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_order_line_listing_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_line_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "channel_line_id", name=op.f("uq_order_line_order_id_channel_line_id")),
    )
    op.create_index("ix_order_line_listing_placed", "order_line", ["listing_id", "placed_at"], unique=False)
    op.create_index(
        "ix_order_line_parked",
        "order_line",
        ["listing_id"],
        unique=False,
        sqlite_where=sa.text("parked IS NOT NULL"),
        postgresql_where=sa.text("parked IS NOT NULL"),
    )


def _create_push_row() -> None:
    op.create_table(
        "push_row",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("dirty_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_push_row_listing_id")),
        sa.PrimaryKeyConstraint("key", "listing_id", "cell", name=op.f("pk_push_row")),
    )


def _create_recipient() -> None:
    op.create_table(
        "recipient",
        sa.Column(
            "order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_recipient_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_recipient")),
    )


def _create_line_component() -> None:
    op.create_table(
        "line_component",
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_line_component_units")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_line_component_order_line_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_line_component_sku_id")),
        sa.PrimaryKeyConstraint("order_line_id", "sku_id", name=op.f("pk_line_component")),
    )


def _create_reservation() -> None:
    op.create_table(
        "reservation",
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("stage IN ('held', 'submitted', 'accepted', 'shipped')", name=op.f("ck_reservation_stage")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_reservation_quantity")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_reservation_order_line_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_reservation_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_reservation_warehouse_id")),
        sa.PrimaryKeyConstraint("order_line_id", "sku_id", "warehouse_id", "stage", name=op.f("pk_reservation")),
    )
    op.create_index(
        "ix_reservation_open",
        "reservation",
        ["sku_id", "warehouse_id"],
        unique=False,
        sqlite_where=sa.text("stage != 'shipped' AND quantity > 0"),
        postgresql_where=sa.text("stage != 'shipped' AND quantity > 0"),
    )


def _create_shortage() -> None:
    op.create_table(
        "shortage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('oversold', 'backorder', 'unmapped', 'uncovered')", name=op.f("ck_shortage_reason")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_shortage_quantity")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_shortage_order_line_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_shortage_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortage")),
    )
    op.create_index(
        "ix_shortage_sku",
        "shortage",
        ["sku_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_shortage_open",
        "shortage",
        ["order_line_id", "sku_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL AND sku_id IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NULL AND sku_id IS NOT NULL"),
    )
    op.create_index(
        "uq_shortage_open_unmapped",
        "shortage",
        ["order_line_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL AND sku_id IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL AND sku_id IS NULL"),
    )
