"""What every contender that goes order by order writes besides stock and reservations, in two statements.

That is few for what it is: a peer's own code would take more. The rows are those of the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from psycopg import Cursor

from benchmarks.book.shoppers import START, Bought, micros

NOW: Final = micros(START) + 3_600_000_000
_ORDER: Final = """
WITH told AS (
  INSERT INTO sales_order (account_id, channel_order_id, name, state, way, digest, currency, country, postcode_prefix,
    applications, version_at, placed_at, first_applied_at)
  VALUES (1, %(key)s, '#' || %(key)s, 'open', 'webhook', '0123456789abcdef', 'USD', 'US', '627', 1, %(placed)s,
    %(placed)s, %(now)s)
  ON CONFLICT (account_id, channel_order_id) DO NOTHING RETURNING id
)
INSERT INTO order_line (order_id, channel_line_id, line_key, code, listing_id, quantity, taken_min, taken_max,
  currency, placed_at)
SELECT told.id, 'gid://shopify/LineItem/' || %(key)s || '-' || n, 'gid://shopify/ProductVariant/' || sku_id,
  'SKU-' || sku_id, sku_id, quantity, quantity, quantity, 'USD', %(placed)s
FROM told, unnest(%(skus)s::bigint[], %(quantities)s::int[]) WITH ORDINALITY AS line (sku_id, quantity, n)
RETURNING order_id, id
"""
_REST: Final = """
WITH taken AS (
  SELECT * FROM unnest(%(lines)s::bigint[], %(skus)s::bigint[], %(warehouses)s::bigint[], %(seqs)s::int[],
    %(quantities)s::int[]) AS t (order_line_id, sku_id, warehouse_id, seq, quantity)
), sold AS (
  SELECT listing_id, account_id, sum(quantity * units)::int AS units
  FROM taken JOIN listing_component USING (sku_id) JOIN listing ON listing.id = listing_id GROUP BY 1, 2
), made AS (
  INSERT INTO line_component (order_line_id, sku_id, units) SELECT DISTINCT order_line_id, sku_id, 1 FROM taken
), moved AS (
  INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_reserved, cause_key, actor, at)
  SELECT sku_id, warehouse_id, seq, 'reservation', quantity,
    'line/' || order_line_id || '/reservation/' || sku_id || '/' || warehouse_id || '/1', 'intake', %(now)s FROM taken
), sent AS (
  INSERT INTO recipient (order_id, name, street, city, province, postcode, country)
  VALUES (%(order)s, 'Jane Example', '1 Main Street', 'Springfield', 'IL', '62701', 'US')
), decided AS (
  INSERT INTO decision (kind, order_id, policy, policy_version, inputs, outcome, decided_at)
  VALUES ('allocation', %(order)s, 'priority', 1, %(inputs)s, %(outcome)s, %(now)s)
), lowered AS (
  UPDATE cell SET sold_hi = sold_hi + sold.units, sold_lo = sold_lo + sold.units
  FROM sold WHERE cell.listing_id = sold.listing_id AND cell.anchor_hi_at < %(placed)s
)
INSERT INTO dirty_listing (listing_id, account_id, since_at, urgency, due_at)
SELECT listing_id, account_id, %(placed)s, 0, %(now)s FROM sold ORDER BY listing_id
ON CONFLICT (listing_id) DO UPDATE SET version = dirty_listing.version + 1,
  urgency = least(dirty_listing.urgency, excluded.urgency), since_at = least(dirty_listing.since_at, excluded.since_at),
  due_at = least(dirty_listing.due_at, excluded.due_at)
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Pieces of a line from one warehouse; `seq` is the movement's number at that level."""

    line_id: int
    sku_id: int
    warehouse_id: int
    seq: int
    quantity: int


def write_order(cursor: Cursor[Any], bought: Bought) -> tuple[int, list[int]]:
    """Insert an order with its lines. Returns its id and theirs; raises LookupError when we had it."""
    skus = [sku_id for sku_id, _ in bought.lines]
    quantities = [quantity for _, quantity in bought.lines]
    values = {
        "key": bought.key,
        "placed": micros(bought.placed_at),
        "now": NOW,
        "skus": skus,
        "quantities": quantities,
    }
    found = cursor.execute(_ORDER, values).fetchall()
    if not found:
        raise LookupError(f"order {bought.key} is known already")
    return found[0][0], [row[1] for row in found]


def write_rest(cursor: Cursor[Any], bought: Bought, order_id: int, taken: Sequence[Taken]) -> None:
    """Write movements, components, recipient, decision, what the listings sold, and that they are dirty."""
    inputs, outcome = decision_of(bought, taken)
    values = {
        "lines": [each.line_id for each in taken],
        "skus": [each.sku_id for each in taken],
        "warehouses": [each.warehouse_id for each in taken],
        "seqs": [each.seq for each in taken],
        "quantities": [each.quantity for each in taken],
        "order": order_id,
        "inputs": inputs,
        "outcome": outcome,
        "placed": micros(bought.placed_at),
        "now": NOW,
    }
    cursor.execute(_REST, values)


def decision_of(bought: Bought, taken: Sequence[Taken]) -> tuple[str, str]:
    """(inputs, outcome) of about the size of ours."""
    inputs = {
        "to": ["US", "627"],
        "lines": [[f"{bought.key}-{n}", quantity, [[sku, 1]]] for n, (sku, quantity) in enumerate(bought.lines)],
        "warehouses": {str(n): f"w{n}" for n in range(1, 6)},
    }
    outcome = {
        "policy": "priority",
        "version": 1,
        "shares": [[each.line_id, each.warehouse_id, each.quantity] for each in taken],
        "considered": [[n, [[sku, 1_000_000] for sku, _ in bought.lines]] for n in range(1, 6)],
    }
    return msgspec.json.encode(inputs).decode(), msgspec.json.encode(outcome).decode()
