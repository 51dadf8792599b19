"""What was moved out of the ledger into files: whose archive it is, its files, and what they sum up to."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table

from syncd.db.tables.base import Id, count, instant, metadata, reference, text

# One row: a name of its own, so that a folder of another database is never taken for this one's.
archive = Table(
    "archive",
    metadata,
    text("id", primary_key=True),
    instant("begun_at"),
)

# Every file that is complete and durable; its movements are no longer in the ledger.
archive_file = Table(
    "archive_file",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    text("name"),
    text("sha256"),
    count("movements"),
    Column("from_sku_id", Id, nullable=False),
    Column("from_warehouse_id", Id, nullable=False),
    count("from_seq"),
    Column("to_sku_id", Id, nullable=False),
    Column("to_warehouse_id", Id, nullable=False),
    count("to_seq"),
    instant("first_at"),
    instant("last_at"),
    instant("written_at"),
)

# The fold of all archived movements of a level, up to `seq`: what its ledger begins with.
archived_level = Table(
    "archived_level",
    metadata,
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    count("seq"),
    count("on_hand"),
    count("unavailable"),
    count("reserved"),
    instant("last_at"),
)
