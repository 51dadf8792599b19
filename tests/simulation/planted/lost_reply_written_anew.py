"""After a lost reply the number is worked out anew and sent under a new key.

In real life: a time-out counts as "not written", and the next round simply starts over. The first attempt did take
effect, and what our book expects from then on is wrong.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from adapters.contract import OutcomeUnknown, RowOutcome, RowResult
from adapters.shopify import writes
from adapters.shopify.client import ShopifyChannel

_send_write = ShopifyChannel.send_write


async def _give_up(channel: ShopifyChannel, key: str, body: str) -> tuple[RowResult, ...]:
    try:
        return await _send_write(channel, key, body)
    except OutcomeUnknown:
        return tuple(RowResult(row.ref, RowOutcome.NOT_WRITTEN) for row in writes.rows_of(body))


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(ShopifyChannel, "send_write", _give_up)
