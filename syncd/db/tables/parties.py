"""Accounts, warehouses and the pool that joins them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table

from syncd.db.tables.base import count, identity, instant, metadata, reference, text

account = Table(
    "account",
    metadata,
    identity(),
    text("key", unique=True),
    text("channel"),
    text("state", server_default="observing"),
    text("policy"),
    count("buffer"),
    count("floor"),
    Column("cap", Integer, nullable=True),
    instant("added_at"),
    instant("state_changed_at"),
    instant("live_since_at", nullable=True),  # when it first went live
    CheckConstraint("state IN ('observing', 'live', 'paused')", name="state"),
    CheckConstraint("buffer >= 0", name="buffer"),
    CheckConstraint("floor >= 0", name="floor"),
)

warehouse = Table(
    "warehouse",
    metadata,
    identity(),
    text("key", unique=True),
    text("name"),
    text("kind"),
    text("country"),
    text("postcode"),
    text("time_zone"),
    CheckConstraint("kind IN ('own', '3pl', 'fba')", name="kind"),
)

# The warehouses whose stock may answer an account's listings, in the seller's order.
pool = Table(
    "pool",
    metadata,
    reference("account_id", "account.id", primary_key=True, autoincrement=False),
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    count("rank"),
)
