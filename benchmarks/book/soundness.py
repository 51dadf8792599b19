"""After every timed run: nothing oversold, the ledger folds to the levels, every acknowledged order is there, whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, text

from benchmarks.book.runs import Run
from benchmarks.book.stop import Unsound
from syncd.db.database import Database

LEVELS: Final = "SELECT sku_id, warehouse_id, on_hand, reserved, seq FROM level"
RESERVED: Final = "SELECT order_line_id, sku_id, warehouse_id, quantity FROM reservation WHERE stage <> 'shipped'"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a contender keeps its stock (sku_id, warehouse_id, on_hand, reserved, seq) and what lines hold of it."""

    stock: str = LEVELS
    held: str = RESERVED


OURS: Final = Kept()
_RULES: Final = (
    ("reserved above on hand", "SELECT count(*) FROM ({stock}) s WHERE reserved > on_hand OR reserved < 0"),
    (
        "levels that are not the fold of their movements, gap-free",
        "SELECT count(*) FROM ({stock}) s LEFT JOIN (SELECT sku_id, warehouse_id, sum(d_on_hand) AS on_hand,"
        " sum(d_reserved) AS reserved, count(*) AS steps, max(seq) AS seq FROM movement GROUP BY 1, 2) m"
        " ON m.sku_id = s.sku_id AND m.warehouse_id = s.warehouse_id"
        " WHERE m.on_hand IS NULL OR m.on_hand <> s.on_hand OR m.reserved <> s.reserved OR m.steps <> s.seq"
        " OR m.seq <> s.seq",
    ),
    (
        "levels that are not the sum of what lines hold",
        "SELECT count(*) FROM ({stock}) s LEFT JOIN (SELECT sku_id, warehouse_id, sum(quantity) AS held"
        " FROM ({held}) r GROUP BY 1, 2) h ON h.sku_id = s.sku_id AND h.warehouse_id = s.warehouse_id"
        " WHERE coalesce(h.held, 0) <> s.reserved",
    ),
    (
        "lines that do not hold what they want",
        "SELECT count(*) FROM order_line l LEFT JOIN (SELECT order_line_id, sum(quantity) AS held FROM ({held}) r"
        " GROUP BY 1) h ON h.order_line_id = l.id WHERE coalesce(h.held, 0) <> l.quantity",
    ),
    ("orders without a line", "SELECT count(*) FROM sales_order WHERE id NOT IN (SELECT order_id FROM order_line)"),
    (
        "orders without exactly one decision",
        "SELECT count(*) FROM sales_order o LEFT JOIN (SELECT order_id, count(*) AS n FROM decision GROUP BY 1) d"
        " ON d.order_id = o.id WHERE coalesce(d.n, 0) <> 1",
    ),
    (
        "listings sold and not marked dirty",
        "SELECT count(*) FROM (SELECT DISTINCT listing_id FROM order_line) l"
        " WHERE listing_id NOT IN (SELECT listing_id FROM dirty_listing)",
    ),
    (
        "listings whose sales are not counted",
        "SELECT count(*) FROM cell c LEFT JOIN (SELECT listing_id, sum(quantity) AS sold FROM order_line GROUP BY 1) l"
        " ON l.listing_id = c.listing_id WHERE coalesce(l.sold, 0) <> c.sold_hi",
    ),
)
_KEYS: Final = {"sqlite": "json_each(:keys)", "postgresql": "jsonb_array_elements_text(CAST(:keys AS jsonb))"}


def check(url: str, run: Run, kept: Kept = OURS) -> Run:
    """The same run, if what it left behind is right. Raises Unsound."""
    db = Database(url)
    try:
        wrong = db.transact_now(_wrong, run.acknowledged, kept)
    finally:
        db.close()
    if wrong:
        raise Unsound("; ".join(f"{count} {rule}" for rule, count in wrong.items()))
    return run


def _wrong(connection: Connection, acknowledged: Collection[str], kept: Kept) -> dict[str, int]:
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    counted = {
        rule: int(connection.execute(text(statement.format(stock=kept.stock, held=kept.held))).scalar_one())
        for rule, statement in _RULES
    }
    here = text(f"SELECT count(*) FROM {_KEYS[dialect]} k JOIN sales_order o ON o.channel_order_id = k.value")
    keys = msgspec.json.encode(list(acknowledged)).decode()
    present = connection.execute(here, {"keys": keys}).scalar_one()
    counted["acknowledged orders missing"] = len(acknowledged) - int(present)
    return {rule: count for rule, count in counted.items() if count}
