"""SQLite, synchronous=FULL: one transaction an order with a thread's hop a statement, and the bare two-row limit.

The first is how aiosqlite works, whose package is not needed for that: a thread runs what a queue brings it, and every
statement is awaited by itself.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import make_url

from benchmarks.book.peers.writes import NOW, Taken, decision_of
from benchmarks.book.runs import WARM_S, Answered, Run, run_of
from benchmarks.book.shoppers import Bought, Demand, micros, shoppers

RAW_A_TRANSACTION: Final = 100
_RAW_SKUS: Final = 10_000


class AwaitedConnection:
    """A connection on a thread of its own, each statement a coroutine."""

    def __init__(self, path: str) -> None:
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._connection = open_file(path)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = await self._call(lambda: self._connection.execute(statement, values).fetchall())
        return found

    async def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        await self._call(lambda: self._connection.executemany(statement, values).fetchall())

    async def close(self) -> None:
        await self._call(self._connection.close)
        self._calls.put(None)
        self._thread.join()

    async def _call(self, function: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._calls.put((loop, done, function))
        return await done

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            loop, done, function = call
            try:
                answer = function()
            except Exception as err:  # noqa: BLE001 - whoever awaits the statement gets it
                loop.call_soon_threadsafe(done.set_exception, err)
            else:
                loop.call_soon_threadsafe(done.set_result, answer)


def open_file(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


def run_awaited(url: str, demand: Demand, skus: int, seed: int, seconds: float, producers: int) -> Run:
    """Producers that share one connection, an order a transaction."""
    return asyncio.run(_run_awaited(url, demand, skus, seed, seconds, producers))


async def _run_awaited(url: str, demand: Demand, skus: int, seed: int, seconds: float, producers: int) -> Run:
    path = make_url(url).database
    assert path is not None, "a file"
    connection, turn = AwaitedConnection(path), asyncio.Lock()
    start_s = time.perf_counter() + WARM_S
    answered: list[Answered] = []

    async def produce(bought: Iterator[Bought]) -> None:
        while (began_s := time.perf_counter()) < start_s + seconds:
            order = next(bought)
            async with turn:
                await take_order(connection, order)
            answered.append(Answered(order.key, began_s, time.perf_counter()))

    bought = shoppers(demand, skus, seed, "awaited")
    await asyncio.gather(*(produce(bought) for _ in range(producers)))
    await connection.close()
    return run_of(answered, start_s)


async def take_order(db: AwaitedConnection, bought: Bought) -> None:
    """The rows of the book, statement by statement."""
    placed = micros(bought.placed_at)
    await db.execute("BEGIN IMMEDIATE")
    [(order_id,)] = await db.execute(
        "INSERT INTO sales_order (account_id, channel_order_id, name, state, way, digest, currency, country,"
        " postcode_prefix, applications, version_at, placed_at, first_applied_at)"
        " VALUES (1, ?, ?, 'open', 'webhook', '0123456789abcdef', 'USD', 'US', '627', 1, ?, ?, ?) RETURNING id",
        (bought.key, f"#{bought.key}", placed, placed, NOW),
    )
    await db.execute(
        "INSERT INTO recipient (order_id, name, street, city, province, postcode, country)"
        " VALUES (?, 'Jane Example', '1 Main Street', 'Springfield', 'IL', '62701', 'US')",
        (order_id,),
    )
    taken = []
    for number, (sku_id, wanted) in enumerate(bought.lines):
        [(line_id,)] = await db.execute(
            "INSERT INTO order_line (order_id, channel_line_id, line_key, code, listing_id, quantity, taken_min,"
            " taken_max, currency, placed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'USD', ?) RETURNING id",
            (
                order_id,
                f"gid://shopify/LineItem/{bought.key}-{number}",
                f"gid://shopify/ProductVariant/{sku_id}",
                f"SKU-{sku_id}",
                sku_id,
                wanted,
                wanted,
                wanted,
                placed,
            ),
        )
        levels = await db.execute(
            "SELECT warehouse_id, on_hand - unavailable - reserved, seq FROM level WHERE sku_id = ?"
            " ORDER BY warehouse_id",
            (sku_id,),
        )
        for warehouse_id, available, seq in levels:
            if units := min(wanted, available):
                taken.append(Taken(line_id, sku_id, warehouse_id, seq + 1, units))
                wanted -= units
    await db.executemany(
        "UPDATE level SET reserved = reserved + ?, seq = ? WHERE sku_id = ? AND warehouse_id = ?",
        [(t.quantity, t.seq, t.sku_id, t.warehouse_id) for t in taken],
    )
    await db.executemany(
        "INSERT INTO line_component (order_line_id, sku_id, units) VALUES (?, ?, 1)",
        [(t.line_id, t.sku_id) for t in taken],
    )
    await db.executemany(
        "INSERT INTO reservation (order_line_id, sku_id, warehouse_id, stage, quantity) VALUES (?, ?, ?, 'held', ?)",
        [(t.line_id, t.sku_id, t.warehouse_id, t.quantity) for t in taken],
    )
    await db.executemany(
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_reserved, cause_key, actor, at)"
        " VALUES (?, ?, ?, 'reservation', ?, ?, 'intake', ?)",
        [
            (
                t.sku_id,
                t.warehouse_id,
                t.seq,
                t.quantity,
                f"line/{t.line_id}/reservation/{t.sku_id}/{t.warehouse_id}/1",
                NOW,
            )
            for t in taken
        ],
    )
    await db.executemany(
        "UPDATE cell SET sold_hi = sold_hi + ?, sold_lo = sold_lo + ? WHERE listing_id = ? AND anchor_hi_at < ?",
        [(t.quantity, t.quantity, t.sku_id, placed) for t in taken],
    )
    await db.executemany(
        "INSERT INTO dirty_listing (listing_id, account_id, since_at, urgency, due_at) VALUES (?, 1, ?, 0, ?)"
        " ON CONFLICT (listing_id) DO UPDATE SET version = version + 1, urgency = min(urgency, excluded.urgency),"
        " since_at = min(since_at, excluded.since_at), due_at = min(due_at, excluded.due_at)",
        [(t.sku_id, placed, NOW) for t in taken],
    )
    await db.execute(
        "INSERT INTO decision (kind, order_id, policy, policy_version, inputs, outcome, decided_at)"
        " VALUES ('allocation', ?, 'priority', 1, ?, ?, ?)",
        (order_id, *decision_of(bought, taken), NOW),
    )
    await db.execute("COMMIT")


def run_raw(folder: Path, seed: int, seconds: float) -> Run:
    """What the file can take at best: a stock row's update and a ledger row's insert a line, 100 a transaction."""
    connection = open_file(str(folder / f"raw-{seed}.db"))
    connection.execute(
        "CREATE TABLE stock (sku INTEGER, warehouse INTEGER, on_hand INTEGER, reserved INTEGER NOT NULL DEFAULT 0,"
        " CHECK (reserved <= on_hand), PRIMARY KEY (sku, warehouse)) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE ledger (id INTEGER PRIMARY KEY, at INTEGER, sku INTEGER, warehouse INTEGER, kind INTEGER,"
        " d_on_hand INTEGER, d_reserved INTEGER, order_id INTEGER)"
    )
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO stock (sku, warehouse, on_hand) VALUES (?, ?, 1000000)",
        ((sku, warehouse) for sku in range(_RAW_SKUS) for warehouse in range(5)),
    )
    connection.execute("COMMIT")
    chance, lines = Random(seed), 0
    began_s = time.perf_counter()
    while (now_s := time.perf_counter()) < began_s + seconds:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(RAW_A_TRANSACTION):
            sku = chance.randrange(_RAW_SKUS)
            connection.execute(
                "UPDATE stock SET reserved = reserved + 1 WHERE sku = ? AND warehouse = 0 AND on_hand - reserved >= 1",
                (sku,),
            )
            connection.execute(
                "INSERT INTO ledger (at, sku, warehouse, kind, d_on_hand, d_reserved, order_id)"
                " VALUES (?, ?, 0, 1, 0, 1, 0)",
                (NOW, sku),
            )
        connection.execute("COMMIT")
        lines += RAW_A_TRANSACTION
    connection.close()
    return Run(lines / (now_s - began_s), "lines/s")
