"""Plain sets without an answer are put aside, and go out again some writes later.

In real life: a queue of failed requests that is worked off when there is time. By then other numbers have been decided
and written, and the old ones are on sale again.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager
from unittest import mock

from adapters.contract import OutcomeUnknown, RowOutcome, RowResult
from adapters.ebay.client import EbayChannel

_send_write = EbayChannel.send_write
_WRITES_LATER = 3


def planted() -> AbstractContextManager[object]:
    aside: deque[tuple[str, str] | None] = deque([None] * _WRITES_LATER)

    async def send(channel: EbayChannel, key: str, body: str) -> tuple[RowResult, ...]:
        aside.append(None)
        if (old := aside.popleft()) is not None:
            await _send_write(channel, *old)
        try:
            results = await _send_write(channel, key, body)
        except OutcomeUnknown:
            aside[-1] = (key, body)
            raise
        if any(each.outcome is RowOutcome.UNKNOWN for each in results):
            aside[-1] = (key, body)
        return results

    return mock.patch.object(EbayChannel, "send_write", send)
