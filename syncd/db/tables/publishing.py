"""What each listing shows as far as we can explain it, what is on its way, and what waits to be written."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table

from syncd.db.tables.base import count, flag, identity, instant, metadata, reference, text

# One number at a channel. Expected lies in [anchor_value - sold_lo, anchor_value - sold_hi].
cell = Table(
    "cell",
    metadata,
    reference("listing_id", "listing.id", primary_key=True, autoincrement=False),
    text("name", primary_key=True),
    Column("anchor_value", Integer, nullable=True),
    instant("anchor_lo_at", nullable=True),
    instant("anchor_hi_at", nullable=True),
    flag("certified"),
    count("sold_hi"),
    count("sold_lo"),
    flag("must_read", default=True),
    instant("not_before_read_at", nullable=True),
    text("in_flight_key", nullable=True),
    Column("in_flight_value", Integer, nullable=True),
    count("in_flight_sold_hi"),
    count("in_flight_sold_lo"),
    Column("unknown_value", Integer, nullable=True),
    instant("unknown_until", nullable=True),
    count("unknown_sold_hi"),
    count("unknown_sold_lo"),
    count("expired_hold"),
    count("unheeded"),
    instant("unheeded_at", nullable=True),
    flag("anchor_written"),
    instant("unknown_from_at", nullable=True),
    instant("verify_at", nullable=True),
    Column("last_read_value", Integer, nullable=True),
    instant("last_read_at", nullable=True),
    Column("published", Integer, nullable=True),
)
Index(
    "ix_cell_in_flight",
    cell.c.in_flight_key,
    sqlite_where=cell.c.in_flight_key.is_not(None),
    postgresql_where=cell.c.in_flight_key.is_not(None),
)

Index("ix_cell_last_read", cell.c.last_read_at)
Index("ix_cell_unheeded", cell.c.listing_id, sqlite_where=cell.c.unheeded > 0, postgresql_where=cell.c.unheeded > 0)

# Units that show only as a dropped number on a channel: outside the book, held back everywhere.
hold = Table(
    "hold",
    metadata,
    identity(),
    reference("listing_id", "listing.id"),
    text("cell", server_default="available"),
    count("quantity"),
    count("given_back"),  # units that ended because as many came back on sale, maybe another hold's
    text("kind"),
    instant("from_at"),
    instant("to_at"),
    instant("expires_at"),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    CheckConstraint("quantity >= 0", name="quantity"),
)
Index(
    "ix_hold_open",
    hold.c.listing_id,
    sqlite_where=hold.c.closed_at.is_(None),
    postgresql_where=hold.c.closed_at.is_(None),
)
Index(
    "ix_hold_given_back",
    hold.c.listing_id,
    sqlite_where=hold.c.given_back > 0,
    postgresql_where=hold.c.given_back > 0,
)
Index(
    "ix_hold_expiry",
    hold.c.expires_at,
    sqlite_where=hold.c.closed_at.is_(None),
    postgresql_where=hold.c.closed_at.is_(None),
)

# A listing whose number may have to change. Deleted only where the version is still the one acted on.
dirty_listing = Table(
    "dirty_listing",
    metadata,
    reference("listing_id", "listing.id", primary_key=True, autoincrement=False),
    reference("account_id", "account.id"),
    count("version", default=1),
    count("urgency"),  # 0 a sale, a surprise or a hold; 1 anything that can wait behind those
    instant("since_at", nullable=True),  # the oldest order that waits to be shown
    instant("due_at"),
    text("waits_for", nullable=True),
)
Index("ix_dirty_listing_due", dirty_listing.c.account_id, dirty_listing.c.urgency, dirty_listing.c.due_at)

# By how much a listing showed more than anything explained, until the orders that may explain it are known.
surplus = Table(
    "surplus",
    metadata,
    reference("listing_id", "listing.id", primary_key=True, autoincrement=False),
    count("units"),
    instant("seen_at"),
)

# A write as it goes over the wire, stored before it is first sent.
push_batch = Table(
    "push_batch",
    metadata,
    text("key", primary_key=True),
    reference("account_id", "account.id"),
    text("body", nullable=True),
    count("lease_token"),
    count("attempts"),
    text("state", server_default="in_flight"),
    text("outcome", nullable=True),
    instant("created_at"),
    instant("sent_at"),
    instant("settle_by"),
    instant("settled_at", nullable=True),
    CheckConstraint("state IN ('in_flight', 'settled', 'abandoned')", name="state"),
)
Index(
    "ix_push_batch_in_flight",
    push_batch.c.account_id,
    sqlite_where=push_batch.c.state == "in_flight",
    postgresql_where=push_batch.c.state == "in_flight",
)
Index("ix_push_batch_settled", push_batch.c.settled_at)
Index("ix_push_batch_account_id_settled_at", push_batch.c.account_id, push_batch.c.settled_at)

push_row = Table(
    "push_row",
    metadata,
    text("key", primary_key=True),
    reference("listing_id", "listing.id", primary_key=True, autoincrement=False),
    text("cell", primary_key=True),
    count("value"),
    count("expected"),
    count("dirty_version"),
    instant("since_at", nullable=True),
)
