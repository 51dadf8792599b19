"""A delta is pushed under the stored key: what is shown just now plus the change, and not the number decided.

In real life: "adjust by +3" where "set to 7 if it shows 4" was meant. Each change is made once, under its own key, and
yet nobody has decided what is shown in the end: a number that was wrong stays as wrong as it was, sales that nobody
had heard of and numbers typed by hand included.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from adapters.contract import ListingRef, QuantityWrite, RowResult
from adapters.shopify import writes
from adapters.shopify.client import ShopifyChannel

_send_write = ShopifyChannel.send_write


def planted() -> AbstractContextManager[object]:
    bodies: dict[str, str] = {}  # by key: sent again, a write is what it was

    async def adjust(channel: ShopifyChannel, key: str, body: str) -> tuple[RowResult, ...]:
        if key not in bodies:
            bodies[key] = await _as_deltas(channel, key, body)
        return await _send_write(channel, key, bodies[key])

    return mock.patch.object(ShopifyChannel, "send_write", adjust)


async def _as_deltas(channel: ShopifyChannel, key: str, body: str) -> str:
    rows = writes.rows_of(body)
    shown = await channel.read_quantities([row.ref for row in rows])
    wanted = [
        QuantityWrite(ListingRef(*_place(row)), now + row.quantity - row.change_from_quantity, now)
        for row, read in zip(rows, shown, strict=True)
        if (now := read.quantity) is not None
    ]
    return writes.compose(key, wanted)


def _place(row: writes.Row) -> tuple[str, str]:
    return row.inventory_item_id, row.location_id
