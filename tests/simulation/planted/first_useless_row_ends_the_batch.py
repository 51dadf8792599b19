"""A batch stops at the first row it has no use for, and the rest of it is called done.

In real life: `break` where `continue` was meant. One order that is known already hides all the new ones behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from unittest import mock

from syncd.orders import apply
from syncd.orders.book import Incoming, OrderBook
from syncd.orders.decide import is_news

_only_news = apply._only_news


def _until_the_first(batch: Sequence[Incoming], books: Mapping[tuple[int, str], OrderBook]) -> list[Incoming]:
    for position, each in enumerate(batch):
        known = books.get((each.account_id, each.order.channel_order_id))
        if not is_news(each.order, each.way, each.digest, known):
            return _only_news(batch[:position], books)
    return _only_news(batch, books)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(apply, "_only_news", _until_the_first)
