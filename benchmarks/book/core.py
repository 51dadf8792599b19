"""Our own way in, without HTTP: producers, one queue, and whatever has gathered in it as the next transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from adapters.contract import Address, OrderLine, OrderState
from benchmarks.book.runs import WARM_S, Answered, Run, run_of
from benchmarks.book.seller import views_of
from benchmarks.book.shoppers import START, Bought, Demand, shoppers
from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.garbage import keep_what_is_there
from syncd.orders.batch_size import BatchSize
from syncd.orders.book import AccountView, Incoming
from syncd.orders.intake import digest_of
from syncd.orders.take_in import apply_batch
from syncd.turns import take_short_turns

NOW: Final = START + timedelta(hours=1)
WARM_BATCHES: Final = 8
WARM_ORDERS: Final = 8
BUYER: Final = Address("Jane Example", ("1 Main Street",), "Springfield", "IL", "62701", "US")


@dataclass(frozen=True, slots=True)
class Pace:
    """How orders come: each of so many `producers` waits for its answer, or so many a second whoever waits.

    `most` orders go into one transaction; None: as many as the daemon lets its intake take.
    """

    producers: int = 256
    orders_per_s: float | None = None
    most: int | None = None


def run_core(url: str, demand: Demand, skus: int, seed: int, seconds: float, pace: Pace, who: str = "core") -> Run:
    """Take orders in for so long; `who` names them, where more than one run meets the same book."""
    db = Database(url)
    try:
        return asyncio.run(_measure(db, views_of(db), shoppers(demand, skus, seed, who), seed, seconds, pace))
    finally:
        db.close()


async def _measure(
    db: Database, views: dict[int, AccountView], bought: Iterator[Bought], seed: int, seconds: float, pace: Pace
) -> Run:
    door = _Door(db, views, pace.most)
    taker = asyncio.create_task(door.take_in())
    answered: list[Answered] = []
    account_id = next(iter(views))
    for _ in range(WARM_BATCHES):  # every statement built, sent and prepared, before the time begins
        several = [next(bought) for _ in range(min(pace.producers, WARM_ORDERS))]
        await asyncio.gather(*(_one(door, order, account_id, answered) for order in several))
    door.batches = door.orders = 0
    keep_what_is_there()  # as the daemon does once it is up
    take_short_turns()
    begin_s = time.perf_counter()
    start_s, stop_s = begin_s + WARM_S, begin_s + WARM_S + seconds
    if pace.orders_per_s is None:
        await asyncio.gather(*(_wait_each(door, bought, account_id, stop_s, answered) for _ in range(pace.producers)))
    else:
        await _come_by_chance(door, bought, account_id, stop_s, answered, pace.orders_per_s, seed)
    taker.cancel()
    return run_of(answered, start_s, f"{door.orders / max(1, door.batches):.0f} orders a batch")


class _Door:
    """The queue before the book, and what drains it."""

    def __init__(self, db: Database, views: dict[int, AccountView], most: int | None) -> None:
        self._db = db
        self._views = views
        self._most = most
        self._size = BatchSize(db.others_wait if is_sqlite(db.url) else None)  # as the daemon has it
        self._waiting: asyncio.Queue[tuple[Incoming, asyncio.Future[None]]] = asyncio.Queue()
        self.batches = self.orders = 0

    def hand_in(self, incoming: Incoming) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((incoming, done))
        return done

    async def take_in(self) -> None:
        while True:
            group = [await self._waiting.get()]
            limit = self._most or self._size.limit(time.perf_counter())
            while len(group) < limit and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            began_s = time.perf_counter()
            try:
                await self._db.transact(apply_batch, tuple(incoming for incoming, _ in group), self._views, NOW)
            except Exception as err:
                for _, done in group:
                    done.set_exception(err)
                raise
            ended_s = time.perf_counter()
            self._size.took(len(group), ended_s - began_s, ended_s)
            self.batches, self.orders = self.batches + 1, self.orders + len(group)
            for _, done in group:
                done.set_result(None)


async def _wait_each(
    door: _Door, bought: Iterator[Bought], account_id: int, stop_s: float, answered: list[Answered]
) -> None:
    while time.perf_counter() < stop_s:
        await _one(door, next(bought), account_id, answered)


async def _one(door: _Door, order: Bought, account_id: int, answered: list[Answered]) -> None:
    began_s = time.perf_counter()
    await door.hand_in(incoming_of(order, account_id))
    answered.append(Answered(order.key, began_s, time.perf_counter()))


async def _come_by_chance(
    door: _Door,
    bought: Iterator[Bought],
    account_id: int,
    stop_s: float,
    answered: list[Answered],
    orders_per_s: float,
    seed: int,
) -> None:
    """Open loop: an order comes at its instant, however long those before it wait. Its wait counts from then on."""
    chance = Random(f"{seed}/arrivals")
    due_s = time.perf_counter()
    under_way = []
    while due_s < stop_s:
        if (early_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(early_s)
        order = next(bought)
        done = door.hand_in(incoming_of(order, account_id))
        done.add_done_callback(_noting(order.key, due_s, answered))
        under_way.append(done)
        due_s += chance.expovariate(orders_per_s)
    await asyncio.gather(*under_way)


def _noting(key: str, due_s: float, answered: list[Answered]) -> Callable[[asyncio.Future[None]], None]:
    def note(done: asyncio.Future[None]) -> None:
        if done.exception() is None:
            answered.append(Answered(key, due_s, time.perf_counter()))

    return note


def incoming_of(bought: Bought, account_id: int) -> Incoming:
    """An order as a webhook would have told it."""
    lines = tuple(
        OrderLine(
            f"gid://shopify/LineItem/{bought.key}-{number}",
            f"gid://shopify/ProductVariant/{sku_id}",
            f"SKU-{sku_id}",
            quantity,
            0,
            quantity,
            quantity,
        )
        for number, (sku_id, quantity) in enumerate(bought.lines)
    )
    order = OrderState(
        bought.key, f"#{bought.key}", bought.placed_at, bought.placed_at, False, False, lines, BUYER, "USD"
    )
    return Incoming(account_id, 0, "webhook", digest_of(order), order)
