"""SKUs, their other names, listings and what a listing is made of."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, UniqueConstraint

from syncd.db.tables.base import BytewiseText, count, flag, identity, metadata, reference, text

sku = Table(
    "sku",
    metadata,
    identity(),
    text("code", unique=True),
    text("title", server_default=""),
    text("gtin", nullable=True),
    count("safety_stock"),
    CheckConstraint("safety_stock >= 0", name="safety_stock"),
    Index("ix_sku_gtin", "gtin"),
)

sku_alias = Table(
    "sku_alias",
    metadata,
    Column("normalised_code", BytewiseText, primary_key=True),  # so that a prefix is a range of the index
    reference("sku_id", "sku.id", index=True),
)

# A kit or pack as the item file gives it: a listing of `sku` is made of these.
bill_of_materials = Table(
    "bill_of_materials",
    metadata,
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    reference("component_sku_id", "sku.id", primary_key=True, autoincrement=False, index=True),
    count("units"),
    CheckConstraint("units > 0", name="units"),
)

listing = Table(
    "listing",
    metadata,
    identity(),
    reference("account_id", "account.id"),
    text("channel_sku"),
    text("channel_location"),
    text("line_key"),
    text("code", nullable=True),
    text("title", server_default=""),
    text("gtin", nullable=True),
    text("budget_key"),
    flag("back_orderable"),
    text("unwritable", nullable=True),
    Column("buffer", Integer, nullable=True),
    Column("cap", Integer, nullable=True),
    UniqueConstraint("account_id", "channel_sku", "channel_location"),
    Index("ix_listing_line_key", "account_id", "line_key"),
    Index("ix_listing_gtin", "account_id", "gtin"),
    Index("ix_listing_code", "account_id", "code"),
)

listing_component = Table(
    "listing_component",
    metadata,
    reference("listing_id", "listing.id", primary_key=True, autoincrement=False),
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False, index=True),
    count("units"),
    CheckConstraint("units > 0", name="units"),
)
