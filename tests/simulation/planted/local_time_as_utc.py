"""The window of a poll is off by the local offset: local time is printed as if it were UTC.

In real life: `strftime("%Y-%m-%dT%H:%M:%SZ")` of a datetime in the seller's own zone, eight hours ahead. Every poll
asks for the future and is told that nothing has changed; webhooks hide it, but for those that get lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, timezone
from unittest import mock

from adapters.contract import Page
from adapters.shopify.client import ShopifyChannel

_SHANGHAI = timezone(timedelta(hours=8))
_poll_orders = ShopifyChannel.poll_orders


def _misread(channel: ShopifyChannel, since: datetime) -> AsyncIterator[Page]:
    return _poll_orders(channel, since.astimezone(_SHANGHAI).replace(tzinfo=UTC))


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(ShopifyChannel, "poll_orders", _misread)
