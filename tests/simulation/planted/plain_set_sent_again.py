"""A plain set without an answer is sent again at once.

In real life: a client library that retries what timed out, although "set to 5" is no question. The first attempt took
effect, somebody bought, and the second one puts the unit back on sale.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from adapters.contract import OutcomeUnknown, RowOutcome, RowResult
from adapters.ebay.client import EbayChannel

_send_write = EbayChannel.send_write


async def _until_answered(channel: EbayChannel, key: str, body: str) -> tuple[RowResult, ...]:
    try:
        results = await _send_write(channel, key, body)
    except OutcomeUnknown:
        return await _send_write(channel, key, body)
    if any(each.outcome is RowOutcome.UNKNOWN for each in results):
        return await _send_write(channel, key, body)
    return results


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(EbayChannel, "send_write", _until_answered)
