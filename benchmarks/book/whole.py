"""The whole way in: a backlog in the inbox drained into the book while the front takes 500 webhooks a second.

Webhooks come over HTTP and are verified; the inbox is committed, read, parsed, applied with policy, decisions and
figures, and the metrics are asked for each second. All but the sender and the database is one process, as in life.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

from benchmarks.book.deliveries import TOPIC, Delivery, deliveries, open_channel
from benchmarks.book.front import FEW, StillClock, our_app
from benchmarks.book.runs import WARM_S, Answered, Run, run_of
from benchmarks.book.seller import views_of
from benchmarks.book.stop import NotMeasured
from benchmarks.book.visitors import Visit, send_visitors
from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.garbage import keep_what_is_there
from syncd.host import ThisMachine
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.orders.intake import InboxWriter, Intake
from syncd.turns import take_short_turns

WEBHOOKS_PER_S: Final = 500.0
_BACKLOG_PER_S: Final = 3_000
_CHUNK: Final = 512
_WARM_BATCHES: Final = 8
_WARM_ORDERS: Final = 8
_FIRST_OF_BACKLOG: Final = 1_000_000


def run_whole(url: str, skus: int, seed: int, seconds: float) -> Run:
    """Orders a second that the book takes in meanwhile; latencies are those of the webhooks' answers."""
    db = Database(url)
    try:
        return asyncio.run(_measure(db, skus, seed, seconds))
    finally:
        db.close()


async def _measure(db: Database, skus: int, seed: int, seconds: float) -> Run:
    views = views_of(db)
    account_id = next(iter(views))
    arrived = asyncio.Event()
    inbox = InboxWriter(db, StillClock(), arrived.set)
    others_wait = db.others_wait if is_sqlite(db.url) else None  # as the daemon has it
    intake = Intake(db, {account_id: open_channel()}, views, StillClock(), lambda: None, others_wait=others_wait)
    served = await ThisMachine().serve(our_app(db, inbox), "127.0.0.1", 0)
    made = deliveries(skus, seed, _FIRST_OF_BACKLOG)
    backlog: list[str] = []
    for _ in range(_WARM_BATCHES):  # every statement built, sent and prepared, before the time begins
        backlog += _fill(db, account_id, made, _WARM_ORDERS)
        await intake.drain()
    both_s = WARM_S + seconds
    backlog += _fill(db, account_id, made, int(_BACKLOG_PER_S * both_s))
    keep_what_is_there()
    take_short_turns()
    wanted = Visit(
        port=int(served.address.rsplit(":", 1)[1]),
        skus=skus,
        seed=seed,
        first=1,
        seconds=both_s,
        connections=FEW,
        per_s=WEBHOOKS_PER_S,
        scrape=True,
        prepared=int(2 * WEBHOOKS_PER_S * both_s),
    )
    visitors = asyncio.create_task(send_visitors(wanted))
    settled = await _drain_meanwhile(intake, arrived, visitors)
    answered = visitors.result()
    while await intake.drain():
        pass
    await served.stop()
    began_s = min(each.began_s for each in answered)
    rate, note = _rate(settled, began_s + WARM_S, began_s + both_s)
    front = run_of(answered, began_s + WARM_S)
    return Run(
        rate,
        p50_ms=front.p50_ms,
        p99_ms=front.p99_ms,
        acknowledged=(*backlog, *front.acknowledged),
        note=f"{note}; {front.rate:.0f} webhooks/s answered",
    )


async def _drain_meanwhile(
    intake: Intake, arrived: asyncio.Event, visitors: asyncio.Task[list[Answered]]
) -> list[tuple[float, int]]:
    """Take in whatever there is until the visitors have gone. Returns (when, rows) of the batches before it ran dry."""
    settled: list[tuple[float, int]] = []
    ran_dry = False
    while not visitors.done():
        arrived.clear()
        count = await intake.drain()
        ran_dry = ran_dry or not intake.more
        if not ran_dry:
            settled.append((time.perf_counter(), count))
        if not intake.more:
            woken = asyncio.create_task(arrived.wait())
            await asyncio.wait({visitors, woken}, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
    return settled


def _fill(db: Database, account_id: int, made: Iterator[Delivery], count: int) -> list[str]:
    """Leave so many orders in the inbox, as if the daemon had stood still for a while."""
    keys: list[str] = []
    while count > len(keys):
        chunk = list(islice(made, min(_CHUNK, count - len(keys))))
        rows = [Arrived(account_id, f"webhook:{each.name}", TOPIC, "webhook", each.body) for each in chunk]
        db.transact_now(insert_arrived, rows, StillClock().now())
        keys += [each.key for each in chunk]
    return keys


def _rate(settled: list[tuple[float, int]], start_s: float, stop_s: float) -> tuple[float, str]:
    """Orders a second while there was always a batch to take, from the end of one batch to that of another."""
    full = [(at_s, count) for at_s, count in settled if start_s <= at_s <= stop_s]
    if len(full) < 2:
        raise NotMeasured(f"only {len(full)} full batches in the time measured: give it more --seconds")
    return sum(count for _, count in full[1:]) / (full[-1][0] - full[0][0]), f"{len(full)} batches"
