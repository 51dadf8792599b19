"""A delta is pushed: what is shown now plus the change, worked out anew at each attempt.

In real life: "adjust by +3" without a key that the channel remembers, or read, add and write on every retry. When the
first attempt took effect and its answer was lost, the change is made twice.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from itertools import count
from unittest import mock

from adapters.contract import ListingRef, QuantityWrite, RowResult
from adapters.shopify import writes
from adapters.shopify.client import ShopifyChannel

_send_write = ShopifyChannel.send_write


def planted() -> AbstractContextManager[object]:
    attempts = count()

    async def adjust(channel: ShopifyChannel, key: str, body: str) -> tuple[RowResult, ...]:
        rows = writes.rows_of(body)
        shown = await channel.read_quantities([row.ref for row in rows])
        wanted = [
            QuantityWrite(ListingRef(*_place(row)), now + row.quantity - row.change_from_quantity, now)
            for row, read in zip(rows, shown, strict=True)
            if (now := read.quantity) is not None
        ]
        anew = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key}/{next(attempts)}"))
        return await _send_write(channel, anew, writes.compose(key, wanted))

    return mock.patch.object(ShopifyChannel, "send_write", adjust)


def _place(row: writes.Row) -> tuple[str, str]:
    return row.inventory_item_id, row.location_id
