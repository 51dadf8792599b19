"""What other people's warehouses know: their codes, how far we have read them, what they were asked to ship."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint

from syncd.db.tables.base import count, identity, instant, metadata, reference, text

# Per warehouse and stream: up to when everything it had to say has been booked.
warehouse_cursor = Table(
    "warehouse_cursor",
    metadata,
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    text("stream", primary_key=True),
    instant("polled_to"),
    instant("moved_at"),
)

# How a warehouse calls a SKU, as its snapshots have it, and when we last asked it to ship one.
warehouse_item = Table(
    "warehouse_item",
    metadata,
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    text("warehouse_sku", nullable=True),
    instant("submitted_at", nullable=True),
    instant("unnamed_since_at", nullable=True),  # since then complete snapshots give no level of it
)

Index(
    "ix_warehouse_item_unnamed",
    warehouse_item.c.warehouse_id,
    sqlite_where=warehouse_item.c.unnamed_since_at.is_not(None),
    postgresql_where=warehouse_item.c.unnamed_since_at.is_not(None),
)

# What a warehouse is asked to ship of an order. Its goods are reserved as submitted until it accepts.
shipment_request = Table(
    "shipment_request",
    metadata,
    identity(),
    reference("warehouse_id", "warehouse.id"),
    reference("order_id", "sales_order.id", index=True),
    text("reference", unique=True),
    text("state", server_default="planned"),
    text("warehouse_shipment_id", nullable=True),
    text("digest", server_default=""),  # of what the warehouse last said of it
    count("attempts"),
    text("reason", nullable=True),  # why it ended as it did; while it is open, what hinders it at the warehouse
    instant("planned_at"),
    instant("submitted_at", nullable=True),  # when it was last sent
    instant("accepted_at", nullable=True),  # when we knew that it counts in the warehouse's own reservations
    instant("cancel_wanted_at", nullable=True),
    instant("cancel_sent_at", nullable=True),  # last sent, and not known to be refused
    instant("too_late_at", nullable=True),  # when the cancellation was refused
    instant("settled_at", nullable=True),
    CheckConstraint(
        "state IN ('planned', 'submitted', 'accepted', 'shipped', 'cancelled', 'refused')",
        name="state",
    ),
)
_open = shipment_request.c.state.in_(("planned", "submitted", "accepted"))
Index(
    "uq_shipment_request_open",
    shipment_request.c.order_id,
    shipment_request.c.warehouse_id,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)
Index("ix_shipment_request_open", shipment_request.c.warehouse_id, sqlite_where=_open, postgresql_where=_open)

shipment_request_line = Table(
    "shipment_request_line",
    metadata,
    reference("request_id", "shipment_request.id", primary_key=True, autoincrement=False),
    reference("order_line_id", "order_line.id", primary_key=True, autoincrement=False),
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    text("warehouse_sku"),
    count("pieces"),
    count("shipped"),  # of these the warehouse says have left
    CheckConstraint("pieces > 0", name="pieces"),
    CheckConstraint("shipped >= 0", name="shipped"),
)

# A parcel that left. Without a tracking number the parcels of one carrier count as one.
parcel = Table(
    "parcel",
    metadata,
    identity(),
    reference("request_id", "shipment_request.id"),
    text("carrier", server_default=""),
    text("tracking_number", server_default=""),
    text("tracking_url", nullable=True),
    instant("shipped_at", nullable=True),
    UniqueConstraint("request_id", "carrier", "tracking_number"),
)

parcel_content = Table(
    "parcel_content",
    metadata,
    reference("parcel_id", "parcel.id", primary_key=True, autoincrement=False),
    text("warehouse_sku", primary_key=True),
    count("pieces"),
    CheckConstraint("pieces > 0", name="pieces"),
)
