"""A write that came back as stale is repeated as it was, without a read in between.

In real life: a conflict is treated like any failed request, "try again". The number that it expects is as wrong as
before, so that it goes round for ever.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from adapters.contract import RowOutcome, RowResult
from adapters.shopify.client import ShopifyChannel

_send_write = ShopifyChannel.send_write


async def _conflict_as_failure(channel: ShopifyChannel, key: str, body: str) -> tuple[RowResult, ...]:
    return tuple(
        replace(each, outcome=RowOutcome.NOT_WRITTEN) if each.outcome is RowOutcome.STALE else each
        for each in await _send_write(channel, key, body)
    )


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(ShopifyChannel, "send_write", _conflict_as_failure)
