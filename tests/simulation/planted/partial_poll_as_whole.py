"""A poll that broke off counts as complete.

In real life: the error is logged, and the code after the loop runs on. The cursor moves past orders that nobody has
read, and the horizon certifies numbers that nobody has explained.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import datetime
from unittest import mock

from adapters.contract import AdapterError, Page
from adapters.shopify.client import ShopifyChannel

_poll_orders = ShopifyChannel.poll_orders


async def _as_far_as_it_goes(channel: ShopifyChannel, since: datetime) -> AsyncIterator[Page]:
    pages = _poll_orders(channel, since)
    while True:
        try:
            page = await anext(pages)
        except (StopAsyncIteration, AdapterError):
            return
        yield page


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(ShopifyChannel, "poll_orders", _as_far_as_it_goes)
