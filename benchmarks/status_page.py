"""How long the status page takes on a million SKUs against ten thousand, on SQLite, in the same run.

Run by `make bench`. The page promises a first paint without a scan, and the ratio tells: one that read every SKU would
take a hundred times as long. `first` is the first answer over connections that have read nothing yet, `warm` the median
of those after it, through HTTP, with nothing shared between two. Both are CPU time of server and client in one process,
so that neighbours on the machine do not count; `wall` is what the first answer took on the clock.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from sqlalchemy import Connection, text

from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.orders.intake import InboxWriter
from syncd.web.app import WebDeps, make_app

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SIZES = (10_000, 1_000_000)
STORES = ("hamburg", "reno")
ROUNDS = 7
PATHS = ("/status", "/status/parts/stock?q=sku-00012", "/status/sku?code=SKU-0000077", "/status/accounts/shop")

# One SKU in a hundred is low, one in five hundred waited for; one listing in ten must be written; each SKU moved twice.
_FILL = (
    "INSERT INTO sku (id, code, title) SELECT i, printf('SKU-%07d', i), 'An article' FROM n",
    "INSERT INTO sku_alias (normalised_code, sku_id) SELECT printf('sku-%07d', i), i FROM n",
    "INSERT INTO level (sku_id, warehouse_id, on_hand, reserved, seq)"
    " SELECT i, 1, 20, CASE WHEN i % 100 = 0 THEN 15 ELSE i % 3 END, 2 FROM n",
    "INSERT INTO level (sku_id, warehouse_id, on_hand, seq)"
    " SELECT i, 2, CASE WHEN i % 100 = 0 THEN 0 ELSE 9 END, 0 FROM n",
    "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_reserved, cause_key, actor, at)"
    " SELECT i, 1, 1, 'count', 20, 0, 'count/' || i, 'x', 0 FROM n",
    "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_reserved, cause_key, actor, at)"
    " SELECT i, 1, 2, 'reservation', 0, 1, 'line/' || i || '/x', 'x', 1 FROM n",
    "INSERT INTO listing (id, account_id, channel_sku, channel_location, line_key, code, budget_key)"
    " SELECT i, 1, printf('SKU-%07d', i), 'main', i, printf('SKU-%07d', i), i FROM n",
    "INSERT INTO listing_component (listing_id, sku_id, units) SELECT i, i, 1 FROM n",
    "INSERT INTO cell (listing_id, name, anchor_value, last_read_value, last_read_at, must_read)"
    " SELECT i, 'available', 30, 30, i, 0 FROM n",
    "INSERT INTO dirty_listing (listing_id, account_id, urgency, due_at)"
    " SELECT i, 1, i % 20 = 0, i FROM n WHERE i % 10 = 0",
    "INSERT INTO sales_order (id, account_id, channel_order_id, name, state, way, digest, version_at, placed_at,"
    " first_applied_at) SELECT i, 1, i, '#' || i, 'fulfilled', 'webhook', 'd', :now, :now, :now FROM n",
    "INSERT INTO order_line (id, order_id, channel_line_id, listing_id, quantity, placed_at)"
    " SELECT i, i, '1', i, 1, :now FROM n",
    "INSERT INTO shortage (order_line_id, sku_id, quantity, reason, opened_at)"
    " SELECT i, i, 1, 'oversold', :now - i FROM n WHERE i % 500 = 0",
    "INSERT INTO decision (kind, order_id, policy, policy_version, inputs, outcome, decided_at)"
    " SELECT 'allocation', i, 'priority', 1, '{}', '{}', :now FROM n",
    "INSERT INTO alert (key, kind, impact, message, opened_at, last_seen_at)"
    " SELECT 'oversold:' || i, 'oversold', '1 unit', 'order ' || i, :now, :now FROM n WHERE i % 500 = 0",
)


class StillClock:
    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@contextmanager
def a_seller(folder: Path, skus: int) -> Iterator[Database]:
    """A seller with so many SKUs in two warehouses, each listed once and ordered once."""
    url = f"sqlite:///{folder / f'{skus}.db'}"
    migrate(url)
    db = Database(url)
    setup = [AccountSetup("shop", "shopify", "priority", 0, None, STORES)]
    ids = db.transact_now(sync_parties, setup, [WarehouseSetup(k, k, "own", "DE", "20095", "UTC") for k in STORES], NOW)
    db.transact_now(set_state, ids.accounts["shop"], "live", NOW - timedelta(days=9))

    def fill(connection: Connection) -> None:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :skus)"
        for statement in _FILL:
            into, picked = statement.split(" SELECT ", 1)
            values: dict[str, Any] = {"skus": skus}
            if ":now" in picked:
                values["now"] = int(NOW.timestamp() * 1_000_000)
            connection.execute(text(f"{into} {numbers} SELECT {picked}"), values)

    db.transact_now(fill)
    try:
        yield db
    finally:
        db.close()


@dataclass(frozen=True, slots=True)
class Painted:
    """Milliseconds."""

    first: float
    warm: float
    wall: float


async def paint(db: Database) -> dict[str, Painted]:
    """What each path took."""

    async def ready() -> list[str]:
        return []

    took = {}
    clock = StillClock()
    deps = WebDeps(db, clock, InboxWriter(db, clock, lambda: None), {}, "0", NOW, ready, fresh_s=0.0)
    async with TestClient(TestServer(make_app(deps))) as client:
        for path in PATHS:
            times = [await _ask(client, path) for _ in range(1 + ROUNDS)]
            took[path] = Painted(times[0][0], statistics.median(cpu for cpu, _ in times[1:]), times[0][1])
    return took


async def _ask(client: TestClient[Request, Application], path: str) -> tuple[float, float]:
    """(CPU time, time on the clock) of one answer in milliseconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        await answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000


def main() -> None:
    sizes = tuple(int(each) for each in sys.argv[1:]) or SIZES
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for skus in sizes:
            began = time.perf_counter()
            with a_seller(Path(folder), skus):
                print(f"{skus:>9,} SKUs filled in {time.perf_counter() - began:.0f} s")
            # Opened anew: its readers have cached nothing.
            again = Database(f"sqlite:///{Path(folder) / f'{skus}.db'}")
            measured.append(asyncio.run(paint(again)))
            again.close()
    for skus, painted in zip(sizes, measured, strict=True):
        for path, each in painted.items():
            told = f"first {each.first:5.0f} ms, warm {each.warm:5.0f} ms, wall {each.wall:6.0f} ms"
            print(f"{skus:>9,} SKUs  {path:32} {told}")
    for path in PATHS:
        small, large = measured[0][path], measured[-1][path]
        print(f"{'ratio':>14}  {path:32} first {large.first / small.first:.1f}, warm {large.warm / small.warm:.1f}")


if __name__ == "__main__":
    main()
