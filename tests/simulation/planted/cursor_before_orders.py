"""The cursor is saved before the orders are durable.

In real life: "remember where we are" stands at the top of the loop. When the poll breaks off after that, what it had
not read yet is never asked for again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from unittest import mock

from adapters.contract import Page
from adapters.shopify.client import ShopifyChannel
from syncd.orders.poll import Poller
from syncd.orders.take_in import STREAM, move_cursor

_poll = Poller.poll
_poll_orders = ShopifyChannel.poll_orders


async def _move_first(poller: Poller, arrived: Callable[[], None]) -> None:
    channel = poller._channel

    async def poll_orders(since: datetime) -> AsyncIterator[Page]:
        now = poller._clock.now()
        await poller._db.transact(move_cursor, poller._lease(), poller._account_id, STREAM, now, now)
        async for page in _poll_orders(channel, since):  # type: ignore[arg-type] # these grounds know no other
            yield page

    with mock.patch.object(channel, "poll_orders", poll_orders):
        await _poll(poller, arrived)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Poller, "poll", _move_first)
