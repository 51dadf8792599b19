"""After the last step: let time pass until nothing is on its way anywhere, then look whether all is as it must be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from syncd.db.tables import order_line, sales_order
from syncd.simulation.quiet import HELD_PATIENCE_S, HOLDS, in_flight, unfinished
from syncd.simulation.replay.scratch import Scratch
from syncd.simulation.replay.stage import ReplayStage
from syncd.simulation.scene import truths

_STEP = timedelta(seconds=60)
_WITHIN = timedelta(hours=24)  # of the seller's time: a channel tries for hours to deliver what nobody took
_PAGE = 500


async def come_to_rest(stage: ReplayStage, give_up: asyncio.Event, progress: Callable[[str], None]) -> str:
    """Wait for it. Returns what still was on its way when the patience ended, or nothing.

    What is held back for a purchase that no order explains may stay so: once nothing else has been on its way for
    long, that counts as rest too.
    """
    ends_at = stage.clock.now() + _WITHIN
    held_since: datetime | None = None
    awaited = "not even looked at"
    while stage.clock.now() < ends_at and not give_up.is_set():
        await stage.conductor.move_to(stage.clock.now() + _STEP)
        waiting = await _waiting(stage)
        if not any(waiting.values()):
            return ""
        if any(n for what, n in waiting.items() if what != HOLDS):
            held_since = None
        else:
            held_since = held_since or stage.clock.now()
            if (stage.clock.now() - held_since).total_seconds() > HELD_PATIENCE_S:
                return ""
        awaited = ", ".join(f"{n} {what}" for what, n in waiting.items() if n)
        progress(awaited)
    return awaited


async def _waiting(stage: ReplayStage) -> dict[str, int]:
    """The sandboxes are asked only when the book has come to rest."""
    waiting = await stage.setup.db.read(in_flight)
    if any(n for what, n in waiting.items() if what != HOLDS):
        return waiting
    return {HOLDS: waiting[HOLDS]} | await unfinished(stage, await truths(stage))


async def wrong_orders(stage: ReplayStage, scratch: Scratch, truth: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the orders in the book: each is there exactly once, with what its buyer still has.

    Channels and book are read in pages, and compared on disk: memory must not grow with the file.
    """
    wrong = []
    for key, told in truth.items():
        if int(told["orders_accepted"]) != (placed := scratch.accepted(key)):
            wrong.append(f"{key}: the channel has {told['orders_accepted']} orders, and {placed} were placed")
        async for had in stage.buyers[key].orders():
            scratch.take_channel(key, had)
        after = 0
        while page := stage.setup.db.read_now(_booked, stage.setup.ids.accounts[key], after):
            scratch.take_book(key, [(name, units) for _, name, units in page])
            after = page[-1][0]
    return wrong + list(scratch.wrong_orders())


def _booked(connection: Connection, account_id: int, after: int) -> list[tuple[int, str, int]]:
    """The next orders of an account after one of them: (id, name, units)."""
    units = select(func.coalesce(func.sum(order_line.c.quantity), 0)).where(order_line.c.order_id == sales_order.c.id)
    found = connection.execute(
        select(sales_order.c.id, sales_order.c.name, units.scalar_subquery())
        .where(sales_order.c.account_id == account_id, sales_order.c.id > after)
        .order_by(sales_order.c.id)
        .limit(_PAGE)
    )
    return [(row[0], row[1], int(row[2])) for row in found]
