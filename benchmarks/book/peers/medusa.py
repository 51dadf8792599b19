"""Medusa's statements to reserve an order's lines (its inventory module), replayed without its ORM.

Levels are read without a lock, reservations inserted, levels read again, and their reserved quantities set to absolute
values. Alone that loses reservations, so its items are locked first, as its locking module would: by one statement.
It has no allocation policy: everything comes from the first location.
"""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from benchmarks.book.peers.writes import Taken, write_order, write_rest
from benchmarks.book.shoppers import Bought

TABLES: Final = """
CREATE SCHEMA medusa;
CREATE TABLE medusa.inventory_level (id text PRIMARY KEY, inventory_item_id text NOT NULL, location_id text NOT NULL,
  stocked_quantity numeric NOT NULL, reserved_quantity numeric NOT NULL DEFAULT 0,
  incoming_quantity numeric NOT NULL DEFAULT 0, raw_stocked_quantity jsonb, raw_reserved_quantity jsonb,
  created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), deleted_at timestamptz,
  seq int NOT NULL DEFAULT 0);
INSERT INTO medusa.inventory_level (id, inventory_item_id, location_id, stocked_quantity, raw_stocked_quantity,
    raw_reserved_quantity, seq)
  SELECT 'ilev_' || sku_id || '_' || warehouse_id, 'iitem_' || sku_id, 'sloc_' || warehouse_id, on_hand,
    jsonb_build_object('value', on_hand::text, 'precision', 20), '{"value": "0", "precision": 20}', seq
  FROM level ORDER BY sku_id, warehouse_id;
CREATE UNIQUE INDEX ON medusa.inventory_level (inventory_item_id, location_id) WHERE deleted_at IS NULL;
CREATE INDEX ON medusa.inventory_level (location_id) WHERE deleted_at IS NULL;
CREATE TABLE medusa.reservation_item (id text PRIMARY KEY, created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now(), deleted_at timestamptz, line_item_id text,
  allow_backorder boolean DEFAULT false, location_id text NOT NULL, quantity numeric NOT NULL,
  raw_quantity jsonb, inventory_item_id text NOT NULL);
CREATE INDEX ON medusa.reservation_item (line_item_id) WHERE deleted_at IS NULL;
CREATE INDEX ON medusa.reservation_item (inventory_item_id) WHERE deleted_at IS NULL;
CREATE INDEX ON medusa.reservation_item (location_id) WHERE deleted_at IS NULL;
"""
FILLED: Final = ("medusa.inventory_level",)

_LOCK: Final = "SELECT pg_advisory_xact_lock(sku_id) FROM unnest(%s::bigint[]) AS item (sku_id) ORDER BY sku_id"
_LEVELS: Final = """
SELECT id, inventory_item_id, location_id, stocked_quantity, reserved_quantity, raw_stocked_quantity,
  raw_reserved_quantity, created_at, updated_at, deleted_at, seq
FROM medusa.inventory_level WHERE deleted_at IS NULL AND ({pairs})
"""
_RESERVE: Final = """
INSERT INTO medusa.reservation_item (id, line_item_id, location_id, quantity, raw_quantity, inventory_item_id)
VALUES {rows} RETURNING created_at, updated_at
"""
_AGAIN: Final = "SELECT * FROM medusa.inventory_level WHERE deleted_at IS NULL AND id = ANY(%s)"
_UPDATE: Final = """
UPDATE medusa.inventory_level SET seq = seq + 1, updated_at = now(),
  reserved_quantity = CASE {numbers} ELSE reserved_quantity END,
  raw_reserved_quantity = CASE {raws} ELSE raw_reserved_quantity END
WHERE id = ANY(%s)
"""
_LOCATION: Final = 1


def take_order(connection: Connection[Any], bought: Bought) -> None:
    """Reserve and record one order in one transaction, all from the first location."""
    cursor = connection.cursor()
    place = f"sloc_{_LOCATION}"
    with connection.transaction():
        order_id, line_ids = write_order(cursor, bought)
        items = {sku_id: f"iitem_{sku_id}" for sku_id, _ in bought.lines}
        cursor.execute(_LOCK, (list(items),)).fetchall()
        pairs = " OR ".join(["(location_id = %s AND inventory_item_id = %s)"] * len(items))
        wanted = [value for item in items.values() for value in (place, item)]
        found = cursor.execute(_LEVELS.format(pairs=pairs), wanted).fetchall()
        levels = {row[1]: row for row in found}
        rows: list[Any] = []
        numbers: list[Any] = []
        raws: list[Any] = []
        taken = []
        for line_id, (sku_id, quantity) in zip(line_ids, bought.lines, strict=True):
            at = levels[items[sku_id]]
            if at[3] - at[4] < quantity:
                raise LookupError(f"not enough of {items[sku_id]}")
            raw = f'{{"value": "{quantity}", "precision": 20}}'
            rows += [f"resitem_{bought.key}_{line_id}", f"ordli_{line_id}", place, quantity, raw, items[sku_id]]
            reserved = int(at[4]) + quantity
            numbers += [at[0], reserved]
            raws += [at[0], f'{{"value": "{reserved}", "precision": 20}}']
            taken.append(Taken(line_id, sku_id, _LOCATION, at[10] + 1, quantity))
        one = "(%s, %s, %s, %s, %s, %s)"
        cursor.execute(_RESERVE.format(rows=", ".join([one] * len(taken))), rows).fetchall()
        ids = [levels[item][0] for item in items.values()]
        cursor.execute(_AGAIN, (ids,)).fetchall()
        update = _UPDATE.format(
            numbers=" ".join(["WHEN id = %s THEN %s::numeric"] * len(taken)),
            raws=" ".join(["WHEN id = %s THEN %s::jsonb"] * len(taken)),
        )
        cursor.execute(update, [*numbers, *raws, ids])
        write_rest(cursor, bought, order_id, taken)


STOCK: Final = """
SELECT split_part(inventory_item_id, '_', 2)::bigint AS sku_id, split_part(location_id, '_', 2)::bigint AS warehouse_id,
  stocked_quantity AS on_hand, reserved_quantity AS reserved, seq FROM medusa.inventory_level
"""
HELD: Final = """
SELECT split_part(line_item_id, '_', 2)::bigint AS order_line_id,
  split_part(inventory_item_id, '_', 2)::bigint AS sku_id, split_part(location_id, '_', 2)::bigint AS warehouse_id,
  quantity FROM medusa.reservation_item
"""
