"""Saleor's statements to allocate an order's stock (saleor/warehouse/management.py), replayed without its ORM.

Its stocks are locked, what is allocated of each is summed, warehouses are put in the channel's order, allocations are
inserted in bulk, each allocation's stock is loaded again by itself, stocks are updated by one CASE, and each stock's
allocations are summed once more.
"""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from benchmarks.book.peers.writes import Taken, write_order, write_rest
from benchmarks.book.shoppers import Bought

TABLES: Final = """
CREATE SCHEMA saleor;
CREATE TABLE saleor.channel_warehouse (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel_id bigint NOT NULL, warehouse_id bigint NOT NULL, sort_order int, UNIQUE (channel_id, warehouse_id));
INSERT INTO saleor.channel_warehouse (channel_id, warehouse_id, sort_order)
  SELECT account_id, warehouse_id, rank FROM pool;
CREATE TABLE saleor.stock (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, warehouse_id bigint NOT NULL,
  product_variant_id bigint NOT NULL, quantity int NOT NULL CHECK (quantity >= 0),
  quantity_allocated int NOT NULL DEFAULT 0 CHECK (quantity_allocated >= 0), seq int NOT NULL DEFAULT 0,
  UNIQUE (warehouse_id, product_variant_id));
INSERT INTO saleor.stock (warehouse_id, product_variant_id, quantity, seq)
  SELECT warehouse_id, sku_id, on_hand, seq FROM level ORDER BY sku_id, warehouse_id;
CREATE INDEX ON saleor.stock (product_variant_id);
CREATE TABLE saleor.allocation (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_line_id bigint NOT NULL REFERENCES order_line (id), stock_id bigint NOT NULL REFERENCES saleor.stock (id),
  quantity_allocated int NOT NULL CHECK (quantity_allocated >= 0), UNIQUE (order_line_id, stock_id));
CREATE INDEX ON saleor.allocation (stock_id);
"""
FILLED: Final = ("saleor.channel_warehouse", "saleor.stock")

_LOCK: Final = """
SELECT id, product_variant_id, quantity, warehouse_id, seq FROM saleor.stock
WHERE EXISTS (SELECT 1 FROM saleor.channel_warehouse c JOIN account a ON a.id = c.channel_id
  WHERE a.key = %s AND c.warehouse_id = stock.warehouse_id LIMIT 1) AND product_variant_id = ANY(%s)
ORDER BY id FOR UPDATE OF stock
"""
_SUMS: Final = """
SELECT stock_id, sum(quantity_allocated) FROM saleor.allocation WHERE quantity_allocated > 0 AND stock_id = ANY(%s)
GROUP BY stock_id
"""
_ORDERED: Final = """
SELECT warehouse_id FROM saleor.channel_warehouse WHERE channel_id = 1 AND warehouse_id = ANY(%s)
ORDER BY sort_order, id
"""
_ALLOCATE: Final = (
    "INSERT INTO saleor.allocation (order_line_id, stock_id, quantity_allocated) VALUES {rows} RETURNING id"
)
_STOCK: Final = (
    "SELECT id, warehouse_id, product_variant_id, quantity, quantity_allocated FROM saleor.stock WHERE id = %s"
)
_UPDATE: Final = """
UPDATE saleor.stock SET seq = seq + 1, quantity_allocated = (CASE {cases} ELSE NULL END)::int WHERE id = ANY(%s)
"""
_SUM: Final = "SELECT sum(quantity_allocated) FROM saleor.allocation WHERE stock_id = %s"


def take_order(connection: Connection[Any], bought: Bought) -> None:
    """Allocate and record one order in one transaction; warehouses in the channel's order."""
    cursor = connection.cursor()
    with connection.transaction():
        order_id, line_ids = write_order(cursor, bought)
        skus = [sku_id for sku_id, _ in bought.lines]
        stocks = cursor.execute(_LOCK, ("shop", skus)).fetchall()
        ids = [stock[0] for stock in stocks]
        allocated = dict(cursor.execute(_SUMS, (ids,)).fetchall())
        ordered = cursor.execute(_ORDERED, ([stock[3] for stock in stocks],)).fetchall()
        rank = {row[0]: number for number, row in enumerate(ordered)}
        stocks.sort(key=lambda stock: rank[stock[3]])
        picked = []
        for line_id, (sku_id, wanted) in zip(line_ids, bought.lines, strict=True):
            for stock_id, variant_id, quantity, warehouse_id, seq in stocks:
                free = quantity - allocated.get(stock_id, 0)
                units = min(wanted, int(free)) if variant_id == sku_id else 0
                if units > 0:
                    picked.append((stock_id, Taken(line_id, sku_id, warehouse_id, seq + 1, units)))
                    wanted -= units
        rows = [value for stock_id, each in picked for value in (each.line_id, stock_id, each.quantity)]
        cursor.execute(_ALLOCATE.format(rows=", ".join(["(%s, %s, %s)"] * len(picked))), rows).fetchall()
        for stock_id, _ in picked:
            cursor.execute(_STOCK, (stock_id,)).fetchall()
        cases = " ".join(["WHEN id = %s THEN quantity_allocated + %s"] * len(picked))
        added = [value for stock_id, each in picked for value in (stock_id, each.quantity)]
        cursor.execute(_UPDATE.format(cases=cases), [*added, [stock_id for stock_id, _ in picked]])
        for stock_id, _ in picked:
            cursor.execute(_SUM, (stock_id,)).fetchall()
        write_rest(cursor, bought, order_id, [each for _, each in picked])


STOCK: Final = """
SELECT product_variant_id AS sku_id, warehouse_id, quantity AS on_hand, quantity_allocated AS reserved, seq
FROM saleor.stock
"""
HELD: Final = """
SELECT a.order_line_id, s.product_variant_id AS sku_id, s.warehouse_id, a.quantity_allocated AS quantity
FROM saleor.allocation a JOIN saleor.stock s ON s.id = a.stock_id
"""
