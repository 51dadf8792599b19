"""No dedupe: an order is known by the delivery that brought it, not by the channel's own id.

In real life: a webhook carries a number and the query a global id, and both go straight into the key. The same order,
delivered by webhook and found by polling, is booked twice and reserves its units twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from unittest import mock

from sqlalchemy import Connection

from syncd.orders.apply import Applied
from syncd.orders.book import AccountView, Incoming
from syncd.orders.take_in import apply_batch


def _by_delivery(each: Incoming) -> Incoming:
    if each.way != "poll":
        return each
    order_id = f"gid://{each.order.channel_order_id}"
    return replace(each, order=replace(each.order, channel_order_id=order_id))


def _apply(
    connection: Connection, batch: Sequence[Incoming], views: Mapping[int, AccountView], now: datetime
) -> tuple[Applied, ...]:
    return apply_batch(connection, [_by_delivery(each) for each in batch], views, now)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.orders.intake.apply_batch", _apply)
