"""Add outside warehouses and their shipments, lines that the channel ships itself, and numbers of unknown outcome."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", sa.Column("by_channel", sa.Integer(), server_default="0", nullable=False))
    op.add_column("cell", sa.Column("unknown_until", sa.BigInteger(), nullable=True))
    op.add_column("cell", sa.Column("unknown_sold_hi", sa.Integer(), server_default="0", nullable=False))
    op.add_column("cell", sa.Column("unknown_sold_lo", sa.Integer(), server_default="0", nullable=False))
    _let_queues_bring_news()
    _create_warehouse_cursor()
    _create_warehouse_item()
    _create_shipment_request()
    _create_shipment_request_line()
    _create_parcel()
    _create_parcel_content()


def downgrade() -> None:
    raise RuntimeError("syncd migrates forward only: restore a backup to go back")


def _let_queues_bring_news() -> None:
    # SQLite cannot change a check: the table is built anew, with its partial indexes. No row of another names it.
    with op.batch_alter_table("inbox") as inbox:
        inbox.drop_constraint(op.f("ck_inbox_way"), type_="check")
        inbox.create_check_constraint(op.f("ck_inbox_way"), "way IN ('webhook', 'poll', 'fetch', 'daemon', 'queue')")


def _create_warehouse_cursor() -> None:
    op.create_table(
        "warehouse_cursor",
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("polled_to", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_warehouse_cursor_warehouse_id")),
        sa.PrimaryKeyConstraint("warehouse_id", "stream", name=op.f("pk_warehouse_cursor")),
    )


def _create_warehouse_item() -> None:
    op.create_table(
        "warehouse_item",
        sa.Column(
            "warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("warehouse_sku", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_warehouse_item_sku_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_warehouse_item_warehouse_id")),
        sa.PrimaryKeyConstraint("warehouse_id", "sku_id", name=op.f("pk_warehouse_item")),
    )


def _create_shipment_request() -> None:
    op.create_table(
        "shipment_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("warehouse_shipment_id", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_wanted_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("too_late_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'submitted', 'accepted', 'shipped', 'cancelled', 'refused')",
            name=op.f("ck_shipment_request_state"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_shipment_request_order_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_shipment_request_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_request")),
        sa.UniqueConstraint("reference", name=op.f("uq_shipment_request_reference")),
    )
    is_open = sa.text("state IN ('planned', 'submitted', 'accepted')")
    op.create_index(
        "ix_shipment_request_open",
        "shipment_request",
        ["warehouse_id"],
        unique=False,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index(op.f("ix_shipment_request_order_id"), "shipment_request", ["order_id"], unique=False)
    op.create_index(
        "uq_shipment_request_open",
        "shipment_request",
        ["order_id", "warehouse_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _create_shipment_request_line() -> None:
    op.create_table(
        "shipment_request_line",
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("warehouse_sku", sa.Text(), nullable=False),
        sa.Column("pieces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shipped", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_shipment_request_line_pieces")),
        sa.CheckConstraint("shipped >= 0", name=op.f("ck_shipment_request_line_shipped")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_shipment_request_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["shipment_request.id"], name=op.f("fk_shipment_request_line_request_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_shipment_request_line_sku_id")),
        sa.PrimaryKeyConstraint("request_id", "order_line_id", "sku_id", name=op.f("pk_shipment_request_line")),
    )


def _create_parcel() -> None:
    op.create_table(
        "parcel",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("tracking_number", sa.Text(), server_default="", nullable=False),
        sa.Column("tracking_url", sa.Text(), nullable=True),
        sa.Column("shipped_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["shipment_request.id"], name=op.f("fk_parcel_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
        sa.UniqueConstraint(
            "request_id", "carrier", "tracking_number", name=op.f("uq_parcel_request_id_carrier_tracking_number")
        ),
    )


def _create_parcel_content() -> None:
    op.create_table(
        "parcel_content",
        sa.Column(
            "parcel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("warehouse_sku", sa.Text(), nullable=False),
        sa.Column("pieces", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_parcel_content_pieces")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_content_parcel_id")),
        sa.PrimaryKeyConstraint("parcel_id", "warehouse_sku", name=op.f("pk_parcel_content")),
    )
