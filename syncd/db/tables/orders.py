"""The inbox, orders as states, their reservations and what found no unit."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
)

from syncd.db.tables.base import count, flag, identity, instant, metadata, reference, text

inbox = Table(
    "inbox",
    metadata,
    identity(),
    reference("account_id", "account.id"),
    text("event_key"),
    text("topic"),
    text("way"),
    Column("body", LargeBinary, nullable=True),
    text("state", server_default="new"),
    text("reason", nullable=True),
    count("attempts"),
    instant("received_at"),
    instant("settled_at", nullable=True),
    instant("erase_asked_at", nullable=True),  # a buyer wants its body gone as soon as it is settled
    UniqueConstraint("account_id", "event_key"),
    CheckConstraint("state IN ('new', 'hinted', 'applied', 'ignored', 'parked')", name="state"),
    CheckConstraint("way IN ('webhook', 'poll', 'fetch', 'daemon', 'queue')", name="way"),
)
Index("ix_inbox_new", inbox.c.id, sqlite_where=inbox.c.state == "new", postgresql_where=inbox.c.state == "new")
Index(
    "ix_inbox_hinted",
    inbox.c.account_id,
    sqlite_where=inbox.c.state == "hinted",
    postgresql_where=inbox.c.state == "hinted",
)
Index("ix_inbox_parked", inbox.c.id, sqlite_where=inbox.c.state == "parked", postgresql_where=inbox.c.state == "parked")
Index(
    "ix_inbox_settled",
    inbox.c.settled_at,
    sqlite_where=inbox.c.body.is_not(None),
    postgresql_where=inbox.c.body.is_not(None),
)
_asked = inbox.c.erase_asked_at.is_not(None)
Index("ix_inbox_erase_asked", inbox.c.id, sqlite_where=_asked, postgresql_where=_asked)
_settled = inbox.c.state.in_(("applied", "ignored"))
Index("ix_inbox_prunable", inbox.c.settled_at, sqlite_where=_settled, postgresql_where=_settled)

sales_order = Table(
    "sales_order",
    metadata,
    identity(),
    reference("account_id", "account.id"),
    text("channel_order_id"),
    text("name"),
    text("state"),
    text("way"),
    text("digest"),
    flag("test"),
    text("currency", nullable=True),
    text("country", nullable=True),
    text("postcode_prefix", nullable=True),
    text("review", nullable=True),
    count("applications"),
    instant("version_at"),
    instant("placed_at"),
    instant("first_applied_at"),
    instant("last_shipped_at", nullable=True),
    UniqueConstraint("account_id", "channel_order_id"),
    CheckConstraint("state IN ('open', 'fulfilled', 'cancelled')", name="state"),
)
Index("ix_sales_order_state", sales_order.c.state, sales_order.c.id)
Index("ix_sales_order_name", sales_order.c.name)
Index("ix_sales_order_account_id_id", sales_order.c.account_id, sales_order.c.id)

# Buyers' names and addresses live here and in inbox bodies, and nowhere else.
recipient = Table(
    "recipient",
    metadata,
    reference("order_id", "sales_order.id", primary_key=True, autoincrement=False),
    text("name", nullable=True),
    text("street", nullable=True),
    text("city", nullable=True),
    text("province", nullable=True),
    text("postcode", nullable=True),
    text("country", nullable=True),
    instant("erased_at", nullable=True),
)
_kept = recipient.c.erased_at.is_(None)
Index("ix_recipient_kept", recipient.c.order_id, sqlite_where=_kept, postgresql_where=_kept)

order_line = Table(
    "order_line",
    metadata,
    identity(),
    reference("order_id", "sales_order.id"),
    text("channel_line_id"),
    text("line_key", nullable=True),
    text("code", nullable=True),
    reference("listing_id", "listing.id", nullable=True),
    count("quantity"),  # listing units the buyer is to get or has got
    count("fulfilled"),  # of these the channel says have left
    count("shipped"),  # of these our ledger has booked as left
    count("taken_min"),
    count("taken_max"),
    count("oversold"),  # listing units that nothing covered when first applied
    flag("by_channel"),  # the channel ships it from stock of its own: it reserves nothing
    text("parked", nullable=True),
    Column("unit_price_minor", BigInteger, nullable=True),
    text("currency", nullable=True),
    instant("placed_at"),
    UniqueConstraint("order_id", "channel_line_id"),
    CheckConstraint("quantity >= 0", name="quantity"),
    CheckConstraint("shipped >= 0", name="shipped"),
)
Index("ix_order_line_listing_placed", order_line.c.listing_id, order_line.c.placed_at)
Index(
    "ix_order_line_parked",
    order_line.c.listing_id,
    sqlite_where=order_line.c.parked.is_not(None),
    postgresql_where=order_line.c.parked.is_not(None),
)

# What a line was made of when it was first mapped: a kit changed later leaves open orders alone.
line_component = Table(
    "line_component",
    metadata,
    reference("order_line_id", "order_line.id", primary_key=True, autoincrement=False),
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    count("units"),
    CheckConstraint("units > 0", name="units"),
)

reservation = Table(
    "reservation",
    metadata,
    reference("order_line_id", "order_line.id", primary_key=True, autoincrement=False),
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    text("stage", primary_key=True),
    count("quantity"),
    CheckConstraint("stage IN ('held', 'submitted', 'accepted', 'shipped')", name="stage"),
    CheckConstraint("quantity >= 0", name="quantity"),
)
Index(
    "ix_reservation_open",
    reservation.c.sku_id,
    reservation.c.warehouse_id,
    sqlite_where=(reservation.c.stage != "shipped") & (reservation.c.quantity > 0),
    postgresql_where=(reservation.c.stage != "shipped") & (reservation.c.quantity > 0),
)
Index(
    "ix_reservation_held",
    reservation.c.warehouse_id,
    sqlite_where=(reservation.c.stage == "held") & (reservation.c.quantity > 0),
    postgresql_where=(reservation.c.stage == "held") & (reservation.c.quantity > 0),
)

shortage = Table(
    "shortage",
    metadata,
    identity(),
    reference("order_line_id", "order_line.id"),
    reference("sku_id", "sku.id", nullable=True),
    count("quantity"),
    text("reason"),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    CheckConstraint("reason IN ('oversold', 'backorder', 'unmapped', 'uncovered')", name="reason"),
    CheckConstraint("quantity >= 0", name="quantity"),
)
Index(
    "uq_shortage_open",
    shortage.c.order_line_id,
    shortage.c.sku_id,
    unique=True,
    sqlite_where=shortage.c.closed_at.is_(None) & shortage.c.sku_id.is_not(None),
    postgresql_where=shortage.c.closed_at.is_(None) & shortage.c.sku_id.is_not(None),
)
Index(
    "uq_shortage_open_unmapped",
    shortage.c.order_line_id,
    unique=True,
    sqlite_where=shortage.c.closed_at.is_(None) & shortage.c.sku_id.is_(None),
    postgresql_where=shortage.c.closed_at.is_(None) & shortage.c.sku_id.is_(None),
)
Index(
    "ix_shortage_sku",
    shortage.c.sku_id,
    sqlite_where=shortage.c.closed_at.is_(None),
    postgresql_where=shortage.c.closed_at.is_(None),
)
_oversold = shortage.c.reason == "oversold"
Index("ix_shortage_oversold", shortage.c.opened_at, sqlite_where=_oversold, postgresql_where=_oversold)
