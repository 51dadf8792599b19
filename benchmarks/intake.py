"""How fast orders go into the book: batches of 256 against one order a transaction, on SQLite, in the same run.

Run by `make bench`; it prints medians and their ratios. The baseline is our own code with a batch of one, so the first
ratio says what batching is worth on this machine; the second says what it is worth that statements are built once.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection

from adapters.contract import OrderLine, OrderState
from allocation import Policy
from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.chance import SeededRng
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.db.rows import insert_rows
from syncd.db.statements import Statement
from syncd.db.tables import listing, listing_component, sku
from syncd.orders.apply import apply_orders
from syncd.orders.book import AccountView, Incoming, PoolWarehouse
from syncd.stock.ledger import Cause, Ledger
from syncd.stock.store import record_ledger

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SKUS = 10_000
STORES = 5
ORDERS = 2_560
ROUNDS = 3


def a_book(folder: Path) -> tuple[Database, dict[int, AccountView]]:
    """10,000 SKUs in five warehouses, each with one listing."""
    url = f"sqlite:///{folder / 'book.db'}"
    migrate(url)
    db = Database(url)
    keys = tuple(f"w{n}" for n in range(STORES))
    stores = [WarehouseSetup(key, key, "own", "US", "10001", "UTC") for key in keys]
    ids = db.transact_now(sync_parties, [AccountSetup("shop", "shopify", "priority", 0, None, keys)], stores, NOW)
    account_id = ids.accounts["shop"]

    def fill(connection: Connection) -> None:
        numbers = range(1, SKUS + 1)
        insert_rows(connection, sku, [("id", int), ("code", str)], [(n, f"SKU-{n}") for n in numbers])
        columns = [
            ("id", int),
            ("account_id", int),
            ("channel_sku", str),
            ("channel_location", str),
            ("line_key", str),
            ("budget_key", str),
        ]
        insert_rows(connection, listing, columns, [(n, account_id, f"i{n}", "l", f"v{n}", f"i{n}") for n in numbers])
        parts = [("listing_id", int), ("sku_id", int), ("units", int)]
        insert_rows(connection, listing_component, parts, [(n, n, 1) for n in numbers])
        ledger = Ledger({}, "benchmark", NOW)
        for n in numbers:
            for warehouse_id in ids.warehouses.values():
                ledger.count((n, warehouse_id), 1_000_000, 0, NOW, Cause(n, 1))
        record_ledger(connection, ledger, lambda cause: f"count/{cause.subject}")

    db.transact_now(fill)
    pool = tuple(
        PoolWarehouse(ids.warehouses[key], key, rank, True, "US", "10001", ()) for rank, key in enumerate(keys)
    )
    view = AccountView(account_id, "shop", True, Policy.PRIORITY, 1.0, 2.0, 60.0, pool)
    return db, {account_id: view}


def some_orders(account_id: int, first: int, count: int) -> list[Incoming]:
    """Orders of two or three lines, spread over all SKUs."""
    rng = SeededRng(first, "orders")
    found = []
    for number in range(first, first + count):
        lines = tuple(
            OrderLine(f"{number}-{n}", f"v{1 + rng.randrange(SKUS)}", None, 1, 0, 1, 1) for n in range(2 + number % 2)
        )
        at = NOW + timedelta(seconds=number)
        order = OrderState(str(number), f"#{number}", at, at, False, False, lines)
        found.append(Incoming(account_id, 0, "webhook", str(number), order))
    return found


def orders_per_s(db: Database, views: dict[int, AccountView], orders: list[Incoming], batch: int) -> float:
    began = time.perf_counter()
    for start in range(0, len(orders), batch):
        with db.writer.begin() as connection:
            apply_orders(connection, orders[start : start + batch], views, NOW)
    return len(orders) / (time.perf_counter() - began)


@contextmanager
def statements_built_anew() -> Iterator[None]:
    """Let every statement be built each time it runs."""
    run = Statement.__call__

    def build_and_run(self: Statement, connection: Connection, /, **given: Any) -> Any:
        self._built.clear()
        return run(self, connection, **given)

    with patch.object(Statement, "__call__", build_and_run):
        yield


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        db, views = a_book(Path(folder))
        account_id = next(iter(views))
        batched, single, anew = [], [], []
        for number in range(ROUNDS):
            batched.append(orders_per_s(db, views, some_orders(account_id, number * 10_000, ORDERS), 256))
            single.append(orders_per_s(db, views, some_orders(account_id, number * 10_000 + 5_000, ORDERS // 10), 1))
            with statements_built_anew():
                anew.append(orders_per_s(db, views, some_orders(account_id, number * 10_000 + 8_000, ORDERS // 40), 1))
        db.close()
    ratio = statistics.median(b / s for b, s in zip(batched, single, strict=True))
    once = statistics.median(s / a for s, a in zip(single, anew, strict=True))
    print(f"batches of 256:     {statistics.median(batched):.0f} orders/s")
    print(f"one a transaction:  {statistics.median(single):.0f} orders/s")
    print(f"built anew each:    {statistics.median(anew):.0f} orders/s")
    print(f"ratio {ratio:.1f}, of statements built once {once:.1f}")


if __name__ == "__main__":
    main()
