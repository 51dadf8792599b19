"""The book: levels and the append-only ledger of movements they are the fold of."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table

from syncd.db.tables.base import WRITTEN_BY, Derived, count, flag, identity, instant, metadata, reference, text

level = Table(
    "level",
    metadata,
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    count("on_hand"),
    count("unavailable"),
    count("reserved"),
    count("short"),
    count("seq"),
    count("archived_seq"),
    instant("as_of", nullable=True),
    text("source", nullable=True),
    # 1: fewer pieces are left here than open orders hold. As long as it stays as it is, its index leaves PostgreSQL's
    # updates HOT; one over the quantities themselves would have every reservation write all indexes.
    Column(
        "low",
        Integer,
        Derived("CASE WHEN reserved > 0 AND on_hand - unavailable <= reserved + reserved THEN 1 ELSE 0 END"),
    ),
    # Only truth (a count, damage, a snapshot, a shipment that happened) may raise `short`; a reservation cannot.
    CheckConstraint("reserved <= on_hand - unavailable + short", name="covered"),
    CheckConstraint("reserved >= 0", name="reserved"),
    CheckConstraint("unavailable >= 0", name="unavailable"),
    CheckConstraint("short >= 0", name="short"),
    postgresql_with={"fillfactor": "85"},  # room beside a row for its next version
)

movement = Table(
    "movement",
    metadata,
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    reference("warehouse_id", "warehouse.id", primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    text("kind"),
    count("d_on_hand"),
    count("d_unavailable"),
    count("d_reserved"),
    Column("lot_id", Integer, nullable=True),
    text("cause_key", unique=True),
    text("actor"),
    instant("at"),
    # By it the audit finds what is new in the whole ledger. It only grows, and what is below all running ones is final.
    Column("txid", BigInteger, nullable=True, server_default=WRITTEN_BY),
    CheckConstraint(
        "kind IN ('receipt', 'reservation', 'release', 'shipment', 'adjustment', 'count', 'transfer_out',"
        " 'transfer_in', 'return', 'damage', 'snapshot')",
        name="kind",
    ),
    CheckConstraint("seq > 0", name="seq"),
)

# SKUs that open shortages wait for, of which more has become free since these were last looked at.
replenished = Table(
    "replenished",
    metadata,
    reference("sku_id", "sku.id", primary_key=True, autoincrement=False),
    count("version", default=1),
)

# What people enter of goods that came, went or broke: each key once, with who said so and why.
stock_entry = Table(
    "stock_entry",
    metadata,
    identity(),
    text("key", unique=True),
    text("kind"),
    reference("sku_id", "sku.id"),
    reference("warehouse_id", "warehouse.id"),
    reference("to_warehouse_id", "warehouse.id", nullable=True),
    count("pieces"),
    flag("damaged"),
    text("reason"),
    text("actor"),
    instant("at"),
    CheckConstraint("kind IN ('receipt', 'return', 'adjustment', 'damage', 'transfer')", name="kind"),
    CheckConstraint("pieces <> 0", name="pieces"),
    CheckConstraint("(kind = 'transfer') = (to_warehouse_id IS NOT NULL)", name="to_warehouse"),
)

# What a count must know: everything but reservations that moved since.
_goods = (movement.c.d_on_hand != 0) | (movement.c.d_unavailable != 0)
Index(
    "ix_movement_goods_at",
    movement.c.sku_id,
    movement.c.warehouse_id,
    movement.c.at,
    sqlite_where=_goods,
    postgresql_where=_goods,
)
_counted = movement.c.txid.is_not(None)
Index("ix_movement_txid", movement.c.txid, sqlite_where=_counted, postgresql_where=_counted)
Index("ix_level_low", level.c.sku_id, sqlite_where=level.c.low == 1, postgresql_where=level.c.low == 1)
Index("ix_level_short", level.c.sku_id, sqlite_where=level.c.short > 0, postgresql_where=level.c.short > 0)
